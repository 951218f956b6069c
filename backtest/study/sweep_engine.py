"""The machine code of a sweep: decisions to bytes, bytes to an account, the account to metrics, many in one call.

`runner` and `measurer` compile the plain functions of `execution/account.py` and `metrics/fused.py`. One function each,
that lets go of the interpreter: cores are used by threads. (Two compiled versions of one function, a serial and a
parallel one, share a place in numba's cache on disk, and the parallel one can come back serial.)
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np

from backtest.account import account, sizing
from backtest.metrics import fused

SUMS = {"reassoc", "nsz", "contract"}
"""For metrics: sums may be added in another order. Never for the account, where the last bit counts."""

NO_CHECKS: Literal["numpy"] = "numpy"
"""A division by zero gives inf or NaN: to ask before each one keeps loops from running eight wide."""

run_account: Any = account.account
encode: Any = account.encode
measure_one: Any = fused.measure_one

_EXACT: tuple[Any, ...] = (
    sizing.affordable,
    sizing.value_net_of_costs,
    sizing.trade_sizes,
    account.encode,
    account.shares_in_small,
    account.add_interest,
    account.value_stretch,
    account.fill_all,
    account.account,
)
_SUMS: tuple[Any, ...] = (
    fused.deviation_of,
    fused.quotient,
    fused.measure_returns,
    fused.measure_falls,
    fused.least,
    fused.smallest,
    fused.tail_mean,
    fused.capture,
    fused.measure_years,
    fused.measure_one,
)


@cache
def runner() -> Any:
    """`run_many` compiled."""
    _make_callable()
    return _compiled(run_many)


@cache
def measurer() -> Any:
    """`measure_rows` compiled: metrics of curves that were made elsewhere."""
    _make_callable()
    return _compiled(measure_rows)


@cache
def _make_callable() -> None:
    """Lets compiled functions call these, each with its own floating point rules."""
    from numba.extending import register_jitable

    for function in _EXACT:
        register_jitable(inline="always", error_model=NO_CHECKS)(function)
    for function in _SUMS:
        register_jitable(fastmath=SUMS, error_model=NO_CHECKS, forceinline=True)(function)


def _compiled(function: Any) -> Any:
    """Machine code that is kept on disk under a name that changes with every source it is made from."""
    from numba import njit

    sources = [Path(str(module.__file__)).read_bytes() for module in (sizing, account, fused)]
    named = FunctionType(function.__code__, function.__globals__)
    named.__qualname__ = f"{function.__name__}_{sha256(b''.join(sources)).hexdigest()[:12]}"
    return njit(cache=True, nogil=True, error_model=NO_CHECKS)(named)


def run_many(
    stretches: Any, shares: Any, legs: Any, shift: int, is_small: Any, prices: Any, numbers: Any, against: Any,
    work: Any, equity: Any, table: Any, is_wrong: Any,
) -> None:  # fmt: skip
    """Account and metrics of many variants of one setting.

    stretches: rows, weights of all variants one after the other, and where each one's end (variants,), from `encode`;
    or none, and shares: small (variants, sessions), cash (variants, 1) and the two initial shares, to be encoded with
    legs: weights inside growth and small. is_wrong (variants,): becomes True where a share is none. equity: (variants,
    sessions) to be filled, or (1, sessions), used again for each. table: (variants, 25), a row of metrics each.
    work: arrays for one decision's rows and weights, for returns (sessions - 1,) and for metrics (2, sessions).
    prices: opens, closes, scheduled, overnight; numbers: first, earns, cash, rate, whole; against: the arguments of
    `measure_one` between totals and returns.
    """
    all_rows, all_weights, ends = stretches
    small, cash, first_small, first_cash = shares
    growth, small_leg = legs
    opens, closes, scheduled, overnight = prices
    first, earns, starting, rate, whole = numbers
    own_rows, own_weights, returns, room = work
    totals = np.zeros(5)
    begin = 0
    for v in range(len(table)):
        if len(ends):
            rows, weights = all_rows[begin : ends[v]], all_weights[begin : ends[v]]
            begin = ends[v]
        else:
            count = encode(small[v], cash[v], first_small, first_cash, growth, small_leg, own_rows, own_weights)
            is_wrong[v] = count < 0
            rows, weights = own_rows[: max(count, 0)], own_weights[: max(count, 0)]
        own = equity[v if len(equity) > 1 else 0]
        run_account(
            opens, closes, rows, weights, shift, is_small, scheduled, first, overnight, earns, starting, rate, whole,
            own, totals,
        )  # fmt: skip
        measure_one(own, totals, *against, returns, room, table[v])


def measure_rows(equity: Any, totals: Any, against: Any, table: Any) -> None:
    """Metrics of the curves (variants, sessions) with their totals (variants, 5)."""
    returns, room = np.empty(equity.shape[1] - 1), np.empty((2, equity.shape[1]))
    for v in range(len(equity)):
        measure_one(equity[v], totals[v], *against, returns, room, table[v])
