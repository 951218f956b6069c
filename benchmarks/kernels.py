"""The account of a sweep alone, fed with what the peers are fed: on several threads, and for final values only."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit
from peers.handed import CASH_USD, COST_RATE, LEG_WEIGHT, Floats, Work

from backtest.execution.account import account, fill_all, value_stretch
from backtest.sizing import trade_sizes as sizes_by_list
from backtest.study import sweep_engine

trade_sizes: Any = sizes_by_list  # annotated for lists; compiled code hands it arrays

EMPTY = 2
"""Row of the weights that stands for the account before its first trade; 0 is growth, 1 small."""

sweep_engine.runner()  # lets compiled code call the account


@njit(nogil=True)
def full_curves(opens: Any, closes: Any, side: Any, weights: Any, is_small: Any, finals: Any) -> None:
    """Every variant valued in every session."""
    sessions = len(opens)
    equity, totals, alias = np.empty(sessions), np.empty(5), np.arange(EMPTY + 1)
    never, no_interest = np.zeros(sessions, dtype=np.bool_), np.zeros(sessions)
    for v in range(len(side)):
        account(
            opens, closes, side[v], alias, EMPTY, weights, is_small, never, 0, no_interest, False, CASH_USD, COST_RATE,
            False, equity, totals,
        )  # fmt: skip
        finals[v] = equity[-1]


@njit(nogil=True)
def last_values(opens: Any, closes: Any, side: Any, weights: Any, is_small: Any, finals: Any) -> None:
    """The same trades, valued at the last close only."""
    sessions, tickers = opens.shape
    equity, totals, no_interest = np.empty(sessions), np.zeros(5), np.zeros(sessions)
    shares, basis, sizes, exposure = np.zeros(tickers), np.zeros(tickers), np.zeros(tickers), np.zeros(2)
    for v in range(len(side)):
        cash, held = CASH_USD, EMPTY
        shares[:] = 0.0
        basis[:] = 0.0
        for t in range(sessions - 1):
            if side[v, t] != held:
                held = side[v, t]
                if trade_sizes(cash, shares, basis, opens[t + 1], weights[held], COST_RATE, False, sizes):
                    cash = fill_all(cash, opens[t + 1], COST_RATE, shares, basis, sizes, totals)
        last = sessions - 1
        value_stretch(
            closes, shares, basis, is_small, cash, 0.0, no_interest, False, last, sessions, equity, exposure
        )  # fmt: skip
        finals[v] = equity[last]


def prepared(run: Any, work: Work, threads: int = 1, leg_weight: float = LEG_WEIGHT) -> Callable[[], Floats]:
    """What computes the final values of all variants, compiled, arrays laid out, threads started."""
    weights = leg_weight * np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    is_small = np.array([False, False, True, True])
    side, closes = np.ascontiguousarray(work.side.T), np.ascontiguousarray(work.closes.T)
    parts = np.array_split(side, threads)
    finals = np.empty(work.variants)
    own = np.array_split(finals, threads)  # views
    pool = ThreadPoolExecutor(threads)

    def compute() -> Floats:
        jobs = [
            pool.submit(run, work.opens, closes, part, weights, is_small, out)
            for part, out in zip(parts, own, strict=True)
        ]
        for job in jobs:
            job.result()
        return finals

    compute()
    return compute
