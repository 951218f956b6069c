"""The page of a sweep."""

from backtest.pages.sweep.page import render_sweep

__all__ = ["render_sweep"]
