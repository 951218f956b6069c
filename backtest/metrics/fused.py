"""The metrics of one curve in a handful of passes, in plain Python that numba compiles: for sweeps.

The definitions are those of `formulas.py`, which stays the reference: figures agree within 1e-12 (sums are added in
another order), and are not defined where those are not. One row of `columns` of METRIC_KEYS' order per curve.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.metrics.formulas import ROUNDING, TAIL_SHARE

FIRST_GUESS = 1.2
"""Deviations below the mean under which the tail is looked for; where too few lie there, everywhere."""


def deviation_of(squares: float, count: int) -> float:
    """Sample deviation of a sum of squares around the mean; exactly 0 when only rounding varies."""
    if count < 2:
        return np.nan
    deviation = np.sqrt(squares / (count - 1))
    return deviation if deviation > ROUNDING else 0.0


def quotient(numerator: float, denominator: float) -> float:
    """NaN where the denominator is no more than the noise of rounding."""
    return numerator / denominator if denominator > ROUNDING else np.nan


def measure_returns(
    equity: Any, tbill: Any, benchmark: Any, premium: Any, periods: int, returns: Any, column: Any
) -> tuple[float, float]:
    """What the returns say: mean and deviation of returns, and the columns made of sums.

    tbill, benchmark, premium (sessions - 1,): T-bill's and benchmark's returns, the latter over T-bills and centred.
    """
    count = len(returns)
    total = total_excess = total_active = shortfall = 0.0
    gains = moves = 0
    for t in range(count):
        value = equity[t + 1] / equity[t] - 1
        returns[t] = value
        total += value
        excess = value - tbill[t]
        total_excess += excess
        total_active += value - benchmark[t]
        below = min(excess, 0.0)
        shortfall += below * below
        gains += value > 0
        moves += value != 0
    mean, mean_excess, mean_active = total / count, total_excess / count, total_active / count
    squares = excess_squares = active_squares = joint = 0.0
    for t in range(count):
        value = returns[t]
        excess = value - tbill[t]
        squares += (value - mean) ** 2
        excess_squares += (excess - mean_excess) ** 2
        active_squares += (value - benchmark[t] - mean_active) ** 2
        joint += excess * premium[t]
    year = periods**0.5
    deviation = deviation_of(squares, count)
    column[2] = deviation * year
    column[3] = quotient(mean_excess, deviation_of(excess_squares, count)) * year
    column[4] = quotient(mean_excess, np.sqrt(shortfall / count)) * year
    active = deviation_of(active_squares, count)
    column[14] = active * year
    column[15] = quotient(mean_active, active) * year
    column[12] = joint / (count - 1) if count > 1 else np.nan  # the covariance; `measure_market` makes beta of it
    column[13] = mean_excess
    column[21] = gains / moves if moves else np.nan
    return mean, deviation


def measure_falls(equity: Any, room: Any, column: Any) -> None:
    """Deepest and longest fall from a peak, ulcer index. room: (sessions,) at least, to work in."""
    sessions = len(equity)
    scale = 1 / equity[0]
    peak, peak_row, longest = equity[0], 0, 0
    for t in range(sessions):
        if equity[t] >= peak:
            if t - peak_row > 1:
                longest = max(longest, t - peak_row)
            peak, peak_row = equity[t], t
            scale = 1 / peak
            room[t] = 1.0
        else:
            room[t] = equity[t] * scale
    squares = 0.0
    for t in range(sessions):
        squares += (room[t] - 1.0) * (room[t] - 1.0)
    column[5] = least(room, sessions) - 1.0
    column[6] = max(longest, sessions - 1 - peak_row)
    column[8] = np.sqrt(squares / (sessions - 1))


def least(values: Any, count: int) -> float:
    """The least of the first `count` values, by halves: those loops run eight wide, a running minimum does not."""
    while count > 1:
        half = count // 2
        for u in range(half):
            values[u] = min(values[u], values[count - half + u])
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
    """Mean of the worst floor(0.05 (N - 1)) + 1 returns. room: (2, N) at least, to work in."""
    count = len(returns)
    tail = int(TAIL_SHARE * (count - 1)) + 1
    bound = mean - FIRST_GUESS * deviation
    low, ordered = room[0], room[1]
    found = 0
    for t in range(count):
        low[found] = returns[t]
        found += returns[t] < bound
    if found < tail:
        low[:count] = returns
        found = count
    for t in range(found):
        ordered[t] = low[t]
    edge = smallest(ordered, found, tail - 1)
    total, below = 0.0, 0
    for t in range(found):  # in the order of time, so that the sum does not depend on how the edge was found
        total += low[t] if low[t] < edge else 0.0
        below += low[t] < edge
    return (total + (tail - below) * edge) / tail


def capture(equity: Any, before: Any, last: Any, months: Any, own: float) -> float:
    """Geometric mean monthly return in these months, over the benchmark's `own`."""
    if not len(months):
        return np.nan
    product: float = 1.0
    for month in months:
        product *= equity[last[month]] / equity[before[month]]
    mean: float = product ** (1 / len(months)) - 1
    return mean / own


def measure_years(equity: Any, before: Any, last: Any, column: Any) -> None:
    """Best and worst complete calendar year."""
    best, worst = -np.inf, np.inf
    for k in range(len(last)):
        growth = equity[last[k]] / equity[before[k]] - 1
        best, worst = max(best, growth), min(worst, growth)
    column[10] = best if len(last) else np.nan
    column[11] = worst if len(last) else np.nan


def measure_one(
    equity: Any, totals: Any, tbill: Any, benchmark: Any, premium: Any, of_premium: Any, has_benchmark: bool,
    is_one_year: bool, years: float, periods: int, year_rows: Any, month_rows: Any, rising: Any, falling: Any,
    captured: Any, returns: Any, room: Any, column: Any,
) -> None:  # fmt: skip
    """All figures of one curve into `column` (25,).

    of_premium: [mean, deviation] of the benchmark's returns over T-bills; year_rows, month_rows (2, periods): rows
    before and at the end; rising, falling: months of the benchmark; captured: [up, down], its own mean returns.
    """
    growth = equity[-1] / equity[0]
    column[0] = growth - 1
    column[1] = growth ** (1 / years) - 1 if is_one_year else np.nan
    mean, deviation = measure_returns(equity, tbill, benchmark, premium, periods, returns, column)
    measure_falls(equity, room[0], column)
    column[7] = quotient(column[1], -column[5])
    column[9] = tail_mean(returns, mean, deviation, room)
    measure_years(equity, year_rows[0], year_rows[1], column)
    beta = quotient(quotient(column[12], of_premium[1]), of_premium[1])
    column[12], column[13] = beta, (column[13] - beta * of_premium[0]) * periods
    column[16] = capture(equity, month_rows[0], month_rows[1], rising, captured[0])
    column[17] = capture(equity, month_rows[0], month_rows[1], falling, captured[1])
    if not has_benchmark:
        column[12:18] = np.nan
    column[18] = totals[0] / years if years else np.nan
    column[19], column[20], column[23], column[22] = totals[1], totals[2], totals[3], totals[4]
    column[24] = equity[-1]
