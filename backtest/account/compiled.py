"""The kernel compiled by numba: the same source, the same bits, some hundred times faster. For sweeps.

Compiled on first use (a few seconds, then cached on disk); importing this module imports numba.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from backtest.account import kernel, sizing
from backtest.account.books import Books, Fills, books_of
from backtest.account.plan import Plan


@cache
def compiled_simulate() -> Any:
    """`kernel.simulate` as machine code. No fastmath: a fused multiply-add would cost the last bit.

    Numba's cache on disk notices a change of kernel.py alone; the name under which it is kept tells that of sizing.py.
    """
    from numba import njit
    from numba.extending import register_jitable

    for function in (sizing.affordable, sizing.value_net_of_costs, sizing.trade_sizes):
        register_jitable(function)
    simulate = FunctionType(kernel.simulate.__code__, kernel.simulate.__globals__)
    simulate.__qualname__ = f"simulate_{sha256(Path(sizing.__file__).read_bytes()).hexdigest()[:12]}"
    return njit(cache=True, nogil=True)(simulate)


def run_compiled(plan: Plan) -> Books:
    """The books of a plan by the compiled kernel; equal to `run_kernel` to the last bit."""
    count = len(plan.sessions)
    equity, cash = np.empty(count), np.empty(count)
    fills = np.empty((count * len(plan.tickers), 5))
    terms = plan.terms
    used = compiled_simulate()(
        plan.opens,
        plan.closes,
        plan.targets,
        plan.is_scheduled,
        plan.first,
        plan.band,
        plan.overnight,
        terms.cash,
        terms.cost_rate,
        terms.whole_shares,
        equity,
        cash,
        fills,
        *kernel.raw_arguments(plan),
    )
    return books_of(plan, equity, cash, Fills.of(fills[:used]))
