"""The page of a walk-forward."""

from backtest.report.walk.page import render_walk

__all__ = ["render_walk"]
