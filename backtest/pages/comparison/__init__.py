"""The comparison page: a study as one self-contained HTML file, the verdict first and the evidence below it."""

from backtest.pages.comparison.page import render_comparison

__all__ = ["render_comparison"]
