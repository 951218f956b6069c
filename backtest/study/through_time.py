"""The variants through time: calendar years, how alike they are, and whether picking the winner would have worked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.market import Floats
from backtest.statistics.sharpe import sharpe_ratios
from backtest.study.runs import annual_growth, years_between

TRAINING_YEARS = 5
MISSING_DAYS = 7
"""Of a year that may still be learnt from: a curve often begins on the first session of January."""


@dataclass(frozen=True, eq=False)
class CalendarYears:
    """Return of each calendar year, the first and last cut to the period.

    years: ascending; is_complete: whether the period has all of it; returns: (variants x years), benchmarks:
    (benchmarks x years), fractions.
    """

    years: tuple[int, ...]
    is_complete: tuple[bool, ...]
    returns: Floats
    benchmarks: Floats


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Each January the variant with the best active Sharpe ratio of the past five years is held for the year.

    picks: (year, place of the variant); growth a year over those years of the picks, of the benchmark, and of the
    variant that is best in hindsight. Changing variants costs nothing here, so that the picks are flattered.
    equity: of the picks, (sessions from the last of the year before the first pick), as multiples of the first row.
    """

    training_years: int
    picks: tuple[tuple[int, int], ...]
    start: pd.Timestamp
    growth: float
    benchmark_growth: float
    hindsight_growth: float
    equity: Floats


def calendar_years(
    sessions: pd.DatetimeIndex, exchange: pd.DatetimeIndex, equity: Floats, benchmarks: Floats
) -> CalendarYears:
    """Returns by year of curves (curves x sessions) with the base row first; exchange: its whole calendar."""
    year = sessions.year.to_numpy()
    years = np.unique(year[1:])
    last = np.searchsorted(year, years, side="right") - 1
    before = np.maximum(np.searchsorted(year, years) - 1, 0)
    of_exchange = exchange.year.to_numpy()
    ends = exchange[np.searchsorted(of_exchange, years, side="right") - 1]
    starts = exchange[np.maximum(np.searchsorted(of_exchange, years) - 1, 0)]
    is_whole = (sessions[last] == ends) & (sessions[before] == starts)
    return CalendarYears(
        tuple(years.tolist()),
        tuple(is_whole.tolist()),
        equity[:, last] / equity[:, before] - 1.0,
        benchmarks[:, last] / benchmarks[:, before] - 1.0,
    )


def walk_forward(
    sessions: pd.DatetimeIndex, returns: Floats, benchmark: Floats, best: int, years: int = TRAINING_YEARS
) -> WalkForward | None:
    """Pick by the past, hold for a year; None with one variant, or no full year after `years` full ones.

    sessions: base row first; returns: (sessions - 1 x variants), benchmark: (sessions - 1,).
    """
    year = sessions.year.to_numpy()[1:]
    is_whole = sessions[0].year < year[0] or sessions[0].day_of_year <= MISSING_DAYS
    first = int(year[0]) + (0 if is_whole else 1)
    held = range(first + years, int(year[-1]) + 1)
    if returns.shape[1] < 2 or not held:
        return None
    active = returns - benchmark[:, None]
    picks = [(y, int(sharpe_ratios(active[(year >= y - years) & (year < y)]).argmax())) for y in held]
    begin = int(np.searchsorted(year, held[0]))
    chosen = np.concatenate([returns[year == y, pick] for y, pick in picks])
    length = years_between(sessions[begin:])

    def grown(values: Floats) -> float:
        return annual_growth(float(np.prod(1.0 + values)), length)

    return WalkForward(
        training_years=years,
        picks=tuple(picks),
        start=sessions[begin],
        growth=grown(chosen),
        benchmark_growth=grown(benchmark[begin:]),
        hindsight_growth=grown(returns[begin:, best]),
        equity=np.concatenate([[1.0], np.cumprod(1.0 + chosen)]),
    )


def correlation_of(active: Floats) -> Floats:
    """Correlation of the columns of (sessions x variants); NaN for one that does not vary, 1 on the diagonal."""
    centred = active - active.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = np.where(size > 0.0, centred / size, np.nan)
    correlation = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)


def alike_order(correlation: Floats) -> tuple[int, ...]:
    """Places of the variants such that alike ones are neighbours (average linkage of 1 - correlation)."""
    count = len(correlation)
    if count < 3:
        return tuple(range(count))
    from scipy.cluster.hierarchy import leaves_list, linkage

    distance = np.clip(1.0 - np.nan_to_num(correlation), 0.0, 2.0)
    tree = linkage(distance[np.triu_indices(count, 1)], "average")
    return tuple(int(place) for place in leaves_list(tree))
