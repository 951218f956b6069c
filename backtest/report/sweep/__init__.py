"""The page of a sweep."""

from backtest.report.sweep.page import render_sweep

__all__ = ["render_sweep"]
