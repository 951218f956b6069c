"""The formulas of all metrics of a curve, in plain Python that numba can compile: on lists for one, compiled for many.

The same source gives the same bits both ways, and on every machine as far as the C library's pow agrees: sums are added
in one order (`add_up`), and nothing is reassociated. A figure that is not defined is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from backtest.account import kernel
from backtest.account.kernel import COSTS_USD, EXPOSURES, REBALANCES, TRADES, TURNOVER
from backtest.market import Floats
from backtest.metrics.calendar import Calendar

ROUNDING = 1e-10
"""Returns and deviations up to here are rounding: the account keeps as much of its equity in reserve against it."""

TAIL_SHARE = 0.05
"""The share of returns that the conditional value at risk at 95% averages."""

FIRST_GUESS = 1.2
"""Deviations below the mean under which the tail is looked for; where too few lie there, everywhere."""


def drawdown(equity: Floats) -> Floats:
    """Fall from the running peak, as fractions in [-1, 0], along the last axis; the base row is a peak too."""
    return np.asarray(equity / np.maximum.accumulate(equity, axis=-1) - 1, dtype=np.float64)


def quotient(numerator: float, denominator: float) -> float:
    """NaN where the denominator is no more than the noise of rounding."""
    return numerator / denominator if denominator > ROUNDING else np.nan


def deviation_of(squares: float, count: int) -> float:
    """Sample deviation of a sum of squares around the mean; exactly 0 when only rounding varies."""
    if count < 2:
        return np.nan
    deviation = math.sqrt(squares / (count - 1))
    return deviation if deviation > ROUNDING else 0.0


def add_up(values: Any, count: int) -> float:
    """The sum of the first `count` values in eight lanes: the same order everywhere, eight wide in machine code."""
    a = b = c = d = e = f = g = h = 0.0
    even = count - count % 8
    for t in range(0, even, 8):
        a += values[t]
        b += values[t + 1]
        c += values[t + 2]
        d += values[t + 3]
        e += values[t + 4]
        f += values[t + 5]
        g += values[t + 6]
        h += values[t + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for t in range(even, count):
        total += values[t]
    return total


def measure_returns(
    equity: Any, tbill: Any, benchmark: Any, premium: Any, of_premium: Any, periods: int,
    returns: Any, room: Any, column: Any,
) -> tuple[float, float]:  # fmt: skip
    """What the returns say: mean and deviation of returns, and the columns made of sums.

    tbill, benchmark, premium (sessions - 1,): T-bill's and benchmark's returns, the latter over T-bills and centred;
    of_premium: its mean and deviation. room: (2, sessions).
    """
    count = len(returns)
    terms, excess = room[0], room[1]
    gains = moves = 0
    for t in range(count):
        returns[t] = equity[t + 1] / equity[t] - 1.0
    for t in range(count):
        excess[t] = returns[t] - tbill[t]
        gains += returns[t] > 0.0
        moves += returns[t] != 0.0
    mean, mean_excess = add_up(returns, count) / count, add_up(excess, count) / count
    for t in range(count):
        terms[t] = (returns[t] - mean) * (returns[t] - mean)
    deviation = deviation_of(add_up(terms, count), count)
    for t in range(count):
        terms[t] = (excess[t] - mean_excess) * (excess[t] - mean_excess)
    excess_deviation = deviation_of(add_up(terms, count), count)
    for t in range(count):
        below = excess[t] if excess[t] < 0.0 else 0.0
        terms[t] = below * below
    shortfall = math.sqrt(add_up(terms, count) / count)  # over all N, the good ones as zeros: Sortino's
    for t in range(count):
        terms[t] = excess[t] * premium[t]
    covariance = add_up(terms, count) / (count - 1) if count > 1 else np.nan
    active = excess  # not needed any more
    for t in range(count):
        active[t] = returns[t] - benchmark[t]
    mean_active = add_up(active, count) / count
    for t in range(count):
        terms[t] = (active[t] - mean_active) * (active[t] - mean_active)
    active_deviation = deviation_of(add_up(terms, count), count)
    year = math.sqrt(periods)
    column[2] = deviation * year
    column[3] = quotient(mean_excess, excess_deviation) * year
    column[4] = quotient(mean_excess, shortfall) * year
    beta = quotient(quotient(covariance, of_premium[1]), of_premium[1])
    column[12] = beta
    column[13] = (mean_excess - beta * of_premium[0]) * periods
    column[14] = active_deviation * year
    column[15] = quotient(mean_active, active_deviation) * year
    column[21] = gains / moves if moves else np.nan
    return mean, deviation


def measure_drawdowns(equity: Any, room: Any, spare: Any, column: Any) -> None:
    """Deepest and longest fall from a peak, ulcer index. room, spare: (sessions,), to work in."""
    sessions = len(equity)
    peak, peak_row, longest = equity[0], 0, 0
    for t in range(sessions):
        if equity[t] >= peak:
            if t - peak_row > 1:
                longest = max(longest, t - peak_row)
            peak, peak_row = equity[t], t
        room[t] = peak
    for t in range(sessions):
        room[t] = equity[t] / room[t]
    for t in range(sessions):
        spare[t] = (room[t] - 1.0) * (room[t] - 1.0)
    squares = add_up(spare, sessions)
    column[5] = least(room, sessions) - 1.0
    column[6] = max(longest, sessions - 1 - peak_row)
    # The base row, which cannot be below a peak, is not one of the N.
    column[8] = math.sqrt(squares / (sessions - 1)) if sessions > 1 else np.nan


def least(values: Any, count: int) -> float:
    """The least of the first `count` values, by halves: those loops run eight wide, a running minimum does not."""
    while count > 1:
        half = count // 2
        for u in range(half):
            other = values[count - half + u]
            if other < values[u]:
                values[u] = other
        count -= half
    return float(values[0])


def smallest(values: Any, count: int, rank: int) -> float:
    """The value at `rank` (from 0) of the first `count`, in ascending order; puts them in another order (Hoare)."""
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return float(values[rank])


def tail_mean(returns: Any, mean: float, deviation: float, room: Any) -> float:
    """Historical expected shortfall: mean of the worst floor(0.05 (N - 1)) + 1 returns. room: (2, N) at least.

    Of returns that tie at the edge of the tail, as zeros in cash do, only as many count as stand in it (empyrical's).
    """
    count = len(returns)
    tail = int(TAIL_SHARE * (count - 1)) + 1
    bound = mean - FIRST_GUESS * deviation
    low, ordered = room[0], room[1]
    found = 0
    for t in range(count):
        low[found] = returns[t]
        found += returns[t] < bound
    if found < tail:
        for t in range(count):
            low[t] = returns[t]
        found = count
    for t in range(found):
        ordered[t] = low[t]
    edge = smallest(ordered, found, tail - 1)
    total, below = 0.0, 0
    for t in range(found):  # in the order of time, so that the sum does not depend on how the edge was found
        if low[t] < edge:
            total += low[t]
            below += 1
    return (total + (tail - below) * edge) / tail


def capture(equity: Any, before: Any, last: Any, months: Any, own: float) -> float:
    """Geometric mean monthly return in these months, over the benchmark's `own`."""
    if not len(months):
        return np.nan
    product: float = 1.0
    for month in months:
        product *= equity[last[month]] / equity[before[month]]
    mean: float = product ** (1.0 / len(months)) - 1.0
    return mean / own


def measure_years(equity: Any, before: Any, last: Any, column: Any) -> None:
    """Best and worst complete calendar year."""
    best, worst = -np.inf, np.inf
    for k in range(len(last)):
        growth = equity[last[k]] / equity[before[k]] - 1.0
        best, worst = max(best, growth), min(worst, growth)
    column[10] = best if len(last) else np.nan
    column[11] = worst if len(last) else np.nan


def measure_one(
    equity: Any, totals: Any, tbill: Any, benchmark: Any, premium: Any, of_premium: Any, has_benchmark: bool,
    is_one_year: bool, years: float, periods: int, year_rows: Any, month_rows: Any, rising: Any, falling: Any,
    captured: Any, returns: Any, room: Any, column: Any,
) -> None:  # fmt: skip
    """All figures of one curve into `column` (metrics,), in the order of `metric_keys`.

    totals: of the kernel. year_rows, month_rows (2, periods): rows before and at the end; rising, falling: months of
    the benchmark; captured: its own mean returns in them. returns (sessions - 1,), room (2, sessions): to work in.
    """
    for k in range(len(column)):
        column[k] = np.nan
    growth = equity[len(equity) - 1] / equity[0]
    column[0] = growth - 1.0
    if is_one_year:
        column[1] = growth ** (1.0 / years) - 1.0
    if len(returns):
        mean, deviation = measure_returns(equity, tbill, benchmark, premium, of_premium, periods, returns, room, column)
        column[9] = tail_mean(returns, mean, deviation, room)
        column[18] = totals[TURNOVER] / years
    measure_drawdowns(equity, room[0], room[1], column)
    column[7] = quotient(column[1], -column[5])
    measure_years(equity, year_rows[0], year_rows[1], column)
    if has_benchmark:
        column[16] = capture(equity, month_rows[0], month_rows[1], rising, captured[0])
        column[17] = capture(equity, month_rows[0], month_rows[1], falling, captured[1])
    else:
        for k in range(12, 16):
            column[k] = np.nan
    column[19] = totals[REBALANCES]
    column[20] = totals[TRADES]
    for k in range(EXPOSURES, len(totals)):
        column[22 + k - EXPOSURES] = totals[k]
    column[len(column) - 2] = totals[COSTS_USD]
    column[len(column) - 1] = equity[len(equity) - 1]


measure: Any = measure_one


def measure_rows(equity: Any, totals: Any, against: Any, table: Any) -> None:
    """Metrics of the curves (variants, sessions) with their totals (variants, EXPOSURES + baskets)."""
    returns, room = np.empty(equity.shape[1] - 1), np.empty((2, equity.shape[1]))
    for v in range(len(equity)):
        measure(equity[v], totals[v], *against, returns, room, table[v])


def measured_against(calendar: Calendar, tbill: Floats, benchmark: Floats | None) -> tuple[Any, ...]:
    """The arguments of `measure_one` that are the same for all curves on the same sessions.

    tbill: (sessions - 1,); benchmark: equity (sessions,).
    """
    curve = np.ones(calendar.sessions) if benchmark is None else benchmark
    returns = curve[1:] / curve[:-1] - 1
    premium = returns - tbill
    mean = float(premium.mean()) if len(premium) else np.nan
    spread = float(premium.std(ddof=1)) if len(premium) > 1 else np.nan
    months = calendar.months.growth(curve[None])[0]
    sides = [np.flatnonzero(months > 1 + ROUNDING), np.flatnonzero(months < 1 - ROUNDING)]
    own = [float(months[side].prod()) ** (1 / len(side)) - 1 if len(side) else np.nan for side in sides]
    rows = [np.array([each.before, each.last], dtype=np.int64) for each in (calendar.calendar_years, calendar.months)]
    return (
        np.ascontiguousarray(tbill),
        returns,
        premium - mean,
        np.array([mean, spread if not spread <= ROUNDING else 0.0]),
        benchmark is not None,
        calendar.is_one_year,
        calendar.years,
        calendar.periods_per_year,
        rows[0],
        rows[1],
        sides[0].astype(np.int64),
        sides[1].astype(np.int64),
        np.array(own),
    )


FORMULAS: tuple[Callable[..., Any], ...] = (
    deviation_of,
    quotient,
    add_up,
    measure_returns,
    least,
    measure_drawdowns,
    smallest,
    tail_mean,
    capture,
    measure_years,
    measure_one,
)


@cache
def let_compiled_code_measure() -> None:
    """No fastmath: a run, which is measured uncompiled, and a sweep have the same figures to the last bit."""
    from numba.extending import register_jitable

    for function in FORMULAS:
        register_jitable(error_model=kernel.NO_CHECKS, forceinline=True)(function)


@cache
def measurer() -> Any:
    """`measure_rows` compiled."""
    let_compiled_code_measure()
    return kernel.machine_code(measure_rows, __name__)
