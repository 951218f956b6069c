"""Comparison: everything that comparing variants found out. The page and the files of a study are views of it.

    variants -> ground -> runs -> statistics, frontier, luck -> COMPARISON -> comparison.html, .json, .csv

Fractions, not percent; "a year" is compound; arrays are numpy, rows of sessions include the base row unless said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from backtest.config import Config
from backtest.market import Floats, Source
from backtest.result import Figures
from backtest.statistics.assessment import SearchStatistics, TableStatistics
from backtest.statistics.variants import VariantStatistics
from backtest.statistics.verdict import Verdict
from backtest.study.differences import Differences, Effect
from backtest.study.frontier import EqualExposure, Frontier, Parts
from backtest.study.luck import Luck
from backtest.study.search_size import SearchSize
from backtest.study.through_time import CalendarYears, WalkForward


@dataclass(frozen=True, eq=False)
class Variant:
    """One variant, in the order given.

    config: as run, on the common period. rule: the strategy's own sentence.
    metrics: the figures of METRIC_KEYS, relative ones against the declared benchmark; undefined: why one is None.
    statistics: against the declared benchmark, with intervals; its `timing` is net of costs.
    mix: the static mix of equal exposure; parts: what the difference in growth is made of (timing before costs there).
    luck: None for a strategy that trades in its own `next`, and beyond the variants shown (`Comparison.luck_shown`).
    is_checked: backtrader kept the same books to the last bit (of the best and of `next`-style ones).
    """

    name: str
    config: Config
    rule: str
    metrics: Figures
    undefined: Mapping[str, str]
    statistics: VariantStatistics
    mix: EqualExposure
    parts: Parts
    luck: Luck | None
    is_checked: bool


@dataclass(frozen=True, eq=False)
class BenchmarkFigures:
    """One benchmark; the first is the declared one, whose relative metrics are None.

    name: as in files; label: as on a page; small_share: None when it is no mix of the first variant's legs.
    """

    name: str
    label: str
    small_share: float | None
    metrics: Figures
    undefined: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CommonPeriod:
    """From the base row to the last session; sessions counts the base row, years are of the calendar."""

    start: pd.Timestamp
    end: pd.Timestamp
    sessions: int
    years: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """A study of one or more variants on common data and period against a declared benchmark.

    benchmark: name of the declared one, benchmarks[0]; terms_of: the variant on whose costs benchmarks, frontier run.
    cautions: what differs between the variants beside the rule, and what the reader must know; on top of the page.
    notes: what the data say about themselves. best: place of the variant with the highest active Sharpe ratio.
    search: what luck explains of the best; whole: what else there is to know of the table; size: the trials it was
    deflated for.
    equity (variants x sessions), benchmark_equity (benchmarks x sessions): USD, base row first.
    correlation: of active returns (variants x variants), NaN where a variant never differs from the benchmark;
    order: places of the variants such that alike ones are neighbours.
    effect: what each swept parameter does, None when the variants span no grid.
    luck_shown: places of the variants with luck meters. walk_forward: None with one variant or too few years.
    data_sha256: content of the market; seed: of all resampling.
    """

    name: str
    benchmark: str
    terms_of: str
    period: CommonPeriod
    sessions: pd.DatetimeIndex
    is_simulated: bool
    cautions: tuple[str, ...]
    notes: tuple[str, ...]
    variants: tuple[Variant, ...]
    benchmarks: tuple[BenchmarkFigures, ...]
    best: int
    equity: Floats
    benchmark_equity: Floats
    search: SearchStatistics
    whole: TableStatistics
    size: SearchSize
    verdict: Verdict
    frontier: Frontier
    correlation: Floats
    order: tuple[int, ...]
    years: CalendarYears
    walk_forward: WalkForward | None
    differences: Differences
    effect: Effect | None
    luck_shown: tuple[int, ...]
    data_sha256: str
    seed: int
    sources: tuple[Source, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variants, in order."""
        return tuple(variant.name for variant in self.variants)
