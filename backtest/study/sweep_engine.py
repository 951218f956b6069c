"""The machine code of a sweep: decisions to bytes, bytes to an account, the account to metrics, many in one call.

`encoder` and `runner` compile the plain functions of `execution/account.py` and `metrics/fused.py`. One function each,
that lets go of the interpreter: cores are used by threads. (Two compiled versions of one function, a serial and a
parallel one, share a place in numba's cache on disk, and the parallel one can come back serial.)
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from backtest import sizing
from backtest.execution import account
from backtest.execution.account import weights_of
from backtest.metrics import fused

SUMS = {"reassoc", "nsz", "contract"}
"""For metrics: sums may be added in another order. Never for the account, where the last bit counts."""

run_account: Any = account.account
measure_one: Any = fused.measure_one

_EXACT: tuple[Any, ...] = (
    sizing.affordable,
    sizing.value_net_of_costs,
    sizing.trade_sizes,
    account.value_stretch,
    account.fill_all,
    account.weights_of,
    account.account,
)
_SUMS: tuple[Any, ...] = (
    fused.deviation_of,
    fused.quotient,
    fused.measure_returns,
    fused.measure_falls,
    fused.smallest,
    fused.tail_mean,
    fused.capture,
    fused.measure_years,
    fused.measure_one,
)


@cache
def encoder() -> Any:
    """`account.encode` compiled."""
    return _compiled(account.encode)


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
        register_jitable(function)
    for function in _SUMS:
        register_jitable(fastmath=SUMS)(function)


def _compiled(function: Any) -> Any:
    """Machine code that is kept on disk under a name that changes with every source it is made from."""
    from numba import njit

    sources = [Path(str(module.__file__)).read_bytes() for module in (sizing, account, fused)]
    named = FunctionType(function.__code__, function.__globals__)
    named.__qualname__ = f"{function.__name__}_{sha256(b''.join(sources)).hexdigest()[:12]}"
    return njit(cache=True, nogil=True)(named)


def run_many(
    codes: Any, tables: Any, counts: Any, growth: Any, small: Any, is_small: Any, setting: Any, numbers: Any,
    against: Any, equity: Any, table: Any,
) -> None:  # fmt: skip
    """Account and metrics of many variants of one setting.

    codes (variants, sessions), tables (variants, MOST_CODES, 2), counts (variants,): from `encode`. equity: (variants,
    sessions) to be filled, or (1, sessions), used again for each. table: (variants, 25), a row of metrics each.
    setting: opens, closes, is_scheduled, overnight; numbers: first, earns, cash, rate, whole; against: the arguments of
    `measure_one` between totals and returns.
    """
    opens, closes, is_scheduled, overnight = setting
    first, earns, cash, rate, whole = numbers
    weights = np.zeros((tables.shape[1] + 1, opens.shape[1]))
    alias = np.zeros(tables.shape[1] + 1, dtype=np.int64)
    totals = np.zeros(5)
    returns, room = np.empty(opens.shape[0] - 1), np.empty(opens.shape[0] - 1)
    for v in range(len(codes)):
        own = equity[v if len(equity) > 1 else 0]
        weights_of(tables[v], counts[v], growth, small, weights, alias)
        run_account(
            opens, closes, codes[v], alias, counts[v], weights, is_small, is_scheduled, first, overnight, earns, cash,
            rate, whole, own, totals,
        )  # fmt: skip
        measure_one(own, totals, *against, returns, room, table[v])


def measure_rows(equity: Any, totals: Any, against: Any, table: Any) -> None:
    """Metrics of the curves (variants, sessions) with their totals (variants, 5)."""
    returns, room = np.empty(equity.shape[1] - 1), np.empty(equity.shape[1] - 1)
    for v in range(len(equity)):
        measure_one(equity[v], totals[v], *against, returns, room, table[v])
