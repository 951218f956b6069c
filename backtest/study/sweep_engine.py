"""The machine code of a sweep: decisions to an account, the account to metrics, many in one call.

One function, that lets go of the interpreter: cores are used by threads. (Two compiled versions of one function, a
serial and a parallel one, share a place in numba's cache on disk, and the parallel one can come back serial.)
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from backtest.account import kernel
from backtest.metrics import formulas

simulate: Any = kernel.simulate
stretches_between: Any = kernel.stretches_between
measure_one: Any = formulas.measure_one


@cache
def runner() -> Any:
    """`run_many` compiled."""
    kernel.let_compiled_code_call_the_kernel()
    formulas.let_compiled_code_measure()
    return kernel.machine_code(run_many, formulas.__name__)


def run_many(
    stretches: Any, parts: Any, portfolios: Any, scheduled: Any, inputs: Any, baskets: Any, against: Any,
    work: Any, equity: Any, table: Any, is_wrong: Any,
) -> None:  # fmt: skip
    """Account and metrics of many variants of one setting.

    stretches: rows, weights of all variants one after the other, and where each one's end (variants,); or none, and
    parts (variants, sessions) between the two first of `portfolios` (tickers,), of which the third stands for NaN.
    is_wrong (variants,): becomes True where a part is none. equity: (variants, sessions) to be filled, or
    (1, sessions), used again for each. table: (variants, metrics), a row each. work: arrays for one decision's rows
    and weights, for the account's state and cash, for returns (sessions - 1,) and for metrics (2, sessions).
    scheduled, inputs, baskets: of `simulate`; against: the arguments of `measure_one` between totals and returns.
    """
    all_rows, all_weights, ends = stretches
    low, high, unknown = portfolios
    own_rows, own_weights, state, cash, returns, room = work
    prices, timing, terms, night, events = inputs
    no_fills = np.empty((0, 5))
    totals = np.zeros(kernel.EXPOSURES + 2 * len(baskets))
    measured = totals[: kernel.EXPOSURES + len(baskets)]
    begin = 0
    for v in range(len(table)):
        if len(ends):
            rows, weights = all_rows[begin : ends[v]], all_weights[begin : ends[v]]
            begin = ends[v]
        else:
            count = stretches_between(parts[v], low, high, unknown, own_rows, own_weights)
            is_wrong[v] = count < 0
            rows, weights = own_rows[: max(count, 0)], own_weights[: max(count, 0)]
        own = equity[v if len(equity) > 1 else 0]
        simulate(
            prices,
            (rows, weights, scheduled),
            timing,
            terms,
            night,
            events,
            baskets,
            state,
            own,
            cash,
            no_fills,
            totals,
        )
        measure_one(own, measured, *against, returns, room, table[v])
