"""The page of a walk-forward."""

from backtest.pages.walk.page import render_walk

__all__ = ["render_walk"]
