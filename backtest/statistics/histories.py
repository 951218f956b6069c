"""A study's table of returns, and the resampled histories that say how else it could have gone.

Stands between bootstrap.py, which knows of columns only, and assessment.py, which makes statistics of what is drawn
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backtest.errors import RunError
from backtest.statistics.bootstrap import (
    Counts,
    Drawn,
    compound_growth,
    distinct,
    optimal_block,
    resampled_means,
    resampled_moments,
    stationary_counts,
)
from backtest.statistics.sharpe import ratio, sharpe_ratios
from backtest.units import SESSIONS_PER_YEAR

Array = NDArray[np.float64]

FEWEST_SESSIONS = 63
"""A quarter of a year; on less, no statistic of this package means anything."""


@dataclass(frozen=True, eq=False)
class ReturnsTable:
    """Returns of a study per session, fractions without NaN: benchmark (sessions,), returns (sessions x variants).

    own_benchmarks: the benchmark on each variant's own terms, in the shape of returns; None where all have the same.
    mixes: each variant's static mix of equal average exposure, in the shape of returns; tbill: (sessions,) riskless
    return per session, 0 when not given; years: of the calendar, from the base date to the last session.
    """

    names: tuple[str, ...]
    returns: Array
    benchmark: Array
    years: float
    mixes: Array | None = None
    tbill: Array | None = None
    periods_per_year: int = SESSIONS_PER_YEAR
    own_benchmarks: Array | None = None

    @cached_property
    def active(self) -> Array:
        """(sessions x variants): returns over the benchmark's."""
        own = self.benchmark[:, None] if self.own_benchmarks is None else self.own_benchmarks
        return np.asarray(self.returns - own)

    @property
    def excess(self) -> Array:
        """(sessions x variants + 1): returns over the T-bill, the benchmark's last."""
        every = np.column_stack([self.returns, self.benchmark])
        return every if self.tbill is None else every - self.tbill[:, None]


@dataclass(frozen=True, eq=False)
class Resampled:
    """Active returns of a table as observed and in its histories: Sharpe ratios and means, per session.

    counts: how often each history visits each session; block: their mean length in sessions.
    """

    block: float
    counts: Counts
    sharpe: Drawn
    mean: Drawn


@dataclass(frozen=True, eq=False)
class Histories:
    """What else the table shows, and its resampled histories instead; ratios per session, growth a year.

    `excess_sharpe` has the benchmark as its last column. `growth_gap` is over the benchmark; `timing` and
    `timing_sharpe` are over the static mix and None without mixes.
    """

    excess_sharpe: Drawn
    growth: Drawn
    growth_gap: Drawn
    timing: Drawn | None
    timing_sharpe: Drawn | None


def check_table(table: ReturnsTable) -> None:
    """RunError when there is too little to judge, ValueError when the arrays do not fit or hold NaN or a total loss."""
    sessions, variants = table.returns.shape
    if sessions < FEWEST_SESSIONS:
        raise RunError(f"compare: {sessions} sessions in common, at least {FEWEST_SESSIONS} are needed to judge")
    given = [table.returns, table.benchmark, table.mixes, table.tbill, table.own_benchmarks]
    arrays = [array for array in given if array is not None]
    if variants != len(table.names) or variants == 0 or any(len(array) != sessions for array in arrays):
        raise ValueError(f"{len(table.names)} names and {sessions} sessions do not fit {[a.shape for a in arrays]}")
    if not all(np.isfinite(array).all() and (array > -1).all() for array in arrays):
        raise ValueError("returns must be finite and above -1")


def resample(table: ReturnsTable, histories: int, seed: int) -> Resampled:
    """Draw the histories of a table, the same ones for all its columns, and see what the active returns do in them.

    Blocks are as long as the active returns need; they remember all that is compared here.
    """
    active = table.active
    block = optimal_block(active)
    counts = stationary_counts(len(active), histories, block, seed)
    return Resampled(block, counts, *_moments(counts, active))


def resample_all(table: ReturnsTable, counts: Counts) -> Histories:
    """What everything but the active returns does in the same histories."""
    variants = table.returns.shape[1]
    own = table.benchmark[:, None] if table.own_benchmarks is None else table.own_benchmarks
    every = [table.returns, own] if table.mixes is None else [table.returns, own, table.mixes]
    growth = _growth(table, counts, np.column_stack(every))  # together: equal columns grow alike
    variant, mix = np.arange(variants), np.arange(variants) + variants + own.shape[1]
    against = variants + np.arange(variants) % own.shape[1]
    return Histories(
        excess_sharpe=_moments(counts, table.excess)[0],
        growth=growth.at(variant),
        growth_gap=_gap(growth, variant, against),
        timing=None if table.mixes is None else _gap(growth, variant, mix),
        timing_sharpe=None if table.mixes is None else _moments(counts, table.returns - table.mixes)[0],
    )


def _moments(counts: Counts, columns: Array) -> tuple[Drawn, Drawn]:
    """Sharpe ratio and mean."""
    different, places = distinct(columns)
    mean, deviation = resampled_moments(counts, different)
    ratios = Drawn(sharpe_ratios(different), ratio(mean, deviation))
    return ratios.at(places), Drawn(different.mean(axis=0), mean).at(places)


def _growth(table: ReturnsTable, counts: Counts, columns: Array) -> Drawn:
    different, places = distinct(columns)
    logs = np.log1p(different)
    observed, draws = logs.mean(axis=0), resampled_means(counts, logs)
    return Drawn(*(compound_growth(x, len(columns), table.years) for x in (observed, draws))).at(places)


def _gap(drawn: Drawn, places: NDArray[np.intp], others: NDArray[np.intp]) -> Drawn:
    """Differences of two columns each, history by history."""
    return Drawn(drawn.observed[places] - drawn.observed[others], drawn.draws[:, places] - drawn.draws[:, others])
