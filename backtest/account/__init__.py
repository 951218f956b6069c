"""Execution: a Plan goes in, the Books come out; by backtrader, and by a kernel with the same bits."""

from backtest.account.books import Books, Fills, check_same_books
from backtest.account.engine import run_backtrader
from backtest.account.kernel import run_kernel

__all__ = ["Books", "Fills", "check_same_books", "run_backtrader", "run_kernel"]
