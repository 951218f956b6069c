"""A study's table of returns, and the resampled histories that say how else it could have gone.

Stands between bootstrap.py, which knows of columns only, and assessment.py, which makes statistics of what is drawn
here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.errors import RunError
from backtest.statistics.bootstrap import (
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
class Table:
    """Returns of a study per session, fractions without NaN: benchmark (sessions,), returns (sessions x variants).

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

    @property
    def active(self) -> Array:
        """(sessions x variants): returns over the benchmark's."""
        return self.returns - self.benchmark[:, None]

    @property
    def excess(self) -> Array:
        """(sessions x variants + 1): returns over the T-bill, the benchmark's last."""
        every = np.column_stack([self.returns, self.benchmark])
        return every if self.tbill is None else every - self.tbill[:, None]


@dataclass(frozen=True, eq=False)
class Histories:
    """What the table shows and what its resampled histories show instead; ratios per session, growth a year.

    `excess_sharpe` and `growth` have the benchmark as their last column; `mix_growth` and `timing_sharpe` (of returns
    over the static mix) are None without mixes.
    """

    block: float
    sharpe: Drawn
    mean: Drawn
    excess_sharpe: Drawn
    growth: Drawn
    mix_growth: Drawn | None
    timing_sharpe: Drawn | None


def check_table(table: Table) -> None:
    """RunError when there is too little to judge, ValueError when the arrays do not fit or hold NaN or a total loss."""
    sessions, variants = table.returns.shape
    if sessions < FEWEST_SESSIONS:
        raise RunError(f"compare: {sessions} sessions in common, at least {FEWEST_SESSIONS} are needed to judge")
    given = [table.returns, table.benchmark, table.mixes, table.tbill]
    arrays = [array for array in given if array is not None]
    if variants != len(table.names) or variants == 0 or any(len(array) != sessions for array in arrays):
        raise ValueError(f"{len(table.names)} names and {sessions} sessions do not fit {[a.shape for a in arrays]}")
    if not all(np.isfinite(array).all() and (array > -1).all() for array in arrays):
        raise ValueError("returns must be finite and above -1")


def resample(table: Table, histories: int, seed: int) -> Histories:
    """Draw the histories of a table, the same ones for all its columns.

    Blocks are as long as the active returns need; they remember all that is compared here.
    """
    active, sessions = table.active, len(table.returns)
    block = optimal_block(active)
    counts = stationary_counts(sessions, histories, block, seed)

    def moments_of(columns: Array) -> tuple[Drawn, Drawn]:
        """Sharpe ratio and mean."""
        different, places = distinct(columns)
        mean, deviation = resampled_moments(counts, different)
        ratios = Drawn(sharpe_ratios(different), ratio(mean, deviation))
        return ratios.at(places), Drawn(different.mean(axis=0), mean).at(places)

    def growth_of(columns: Array) -> Drawn:
        different, places = distinct(columns)
        logs = np.log1p(different)
        observed, draws = logs.mean(axis=0), resampled_means(counts, logs)
        return Drawn(*(compound_growth(x, sessions, table.years) for x in (observed, draws))).at(places)

    sharpe, mean = moments_of(active)
    funds = np.arange(active.shape[1] + 1)
    every = [table.returns, table.benchmark] if table.mixes is None else [table.returns, table.benchmark, table.mixes]
    growth = growth_of(np.column_stack(every))  # together, so that a variant that is its mix grows as the mix does
    return Histories(
        block=block,
        sharpe=sharpe,
        mean=mean,
        excess_sharpe=moments_of(table.excess)[0],
        growth=growth.at(funds),
        mix_growth=None if table.mixes is None else growth.at(funds[:-1] + len(funds)),
        timing_sharpe=None if table.mixes is None else moments_of(table.returns - table.mixes)[0],
    )
