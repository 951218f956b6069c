"""The account of a sweep for final values only, from what the peers are handed: the least that their work takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from peers.handed import CASH_USD, COST_RATE, LEG_WEIGHT, Floats, Work

from backtest.account import kernel
from backtest.account.kernel import EXPOSURES, fill_all, value_stretch
from backtest.account.sizing import trade_sizes as sizes_by_list

trade_sizes: Any = sizes_by_list  # annotated for lists; compiled code hands it arrays

kernel.let_compiled_code_call_the_kernel()  # lets compiled code call the account's parts


@njit(nogil=True, error_model="numpy")
def last_values(opens: Any, closes: Any, rows: Any, weights: Any, ends: Any, finals: Any) -> None:
    """The account's trades, valued at the last close only; the bits are those of `account`.

    rows, weights: after which closes the weights of each variant change, and to what, all variants in a row; ends
    (variants,): where each one's end.
    """
    sessions, tickers = opens.shape
    equity, totals, no_interest = np.empty(sessions), np.zeros(EXPOSURES), np.zeros(sessions)
    shares, basis, sizes = np.zeros(tickers), np.zeros(tickers), np.zeros(tickers)
    no_cash, no_fills = np.empty(0), np.empty((0, 5))
    last, begin = sessions - 1, 0
    for v in range(len(ends)):
        cash = CASH_USD
        shares[:] = 0.0
        basis[:] = 0.0
        for k in range(begin, ends[v]):
            at = rows[k] + 1
            if at < sessions and trade_sizes(cash, shares, basis, opens[at], weights[k], COST_RATE, False, sizes):
                cash = fill_all(cash, at, opens[at], COST_RATE, shares, basis, sizes, totals, no_fills)
        value_stretch(closes, shares, basis, cash, 0.0, no_interest, False, last, sessions, equity, no_cash)
        finals[v] = equity[last]
        begin = ends[v]


def prepared(work: Work, leg_weight: float = LEG_WEIGHT) -> Callable[[], Floats]:
    """What computes the final values of all variants, compiled, its arrays laid out."""
    changes = [np.concatenate([[0], np.flatnonzero(np.diff(side)) + 1]) for side in work.side.T]
    sides = np.concatenate([side[rows] for side, rows in zip(work.side.T, changes, strict=True)])
    weights = leg_weight * np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])[sides]
    rows, ends = np.concatenate(changes), np.cumsum([len(each) for each in changes])
    closes = np.ascontiguousarray(work.closes.T)
    finals = np.empty(work.variants)

    def compute() -> Floats:
        last_values(work.opens, closes, rows, weights, ends, finals)
        return finals

    compute()
    return compute
