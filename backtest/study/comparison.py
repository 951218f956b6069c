"""Comparison: everything that comparing variants found out. The page and the files of a study are views of it.

    variants -> inputs -> curves -> statistics, luck -> COMPARISON -> comparison.html, .json, .csv

Fractions, not percent; "a year" is compound; arrays are numpy, rows of sessions include the base row unless said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.account.benchmarks import benchmark_label, benchmark_name, line_of
from backtest.config import Config, Mix, TwoLegMix
from backtest.config.fields import LegOrTicker
from backtest.market import Floats, Legs, Source
from backtest.metrics import metric_keys, metrics, metrics_table, undefined_reasons
from backtest.pipeline import is_rotation, legs_of, rule_of
from backtest.result import Figures
from backtest.statistics.assessment import SearchStatistics, TableStatistics
from backtest.statistics.sharpe import NO_RISK
from backtest.statistics.variants import VariantStatistics
from backtest.study.curves import (
    EqualExposure,
    Frontier,
    MixParts,
    StudyCurves,
    activities,
    annual_growth,
    parts_of,
)
from backtest.study.effects import Differences, Effect, Plateau
from backtest.study.inputs import Benchmark
from backtest.study.luck import Luck
from backtest.study.search import Search
from backtest.study.timing import TimingDescription
from backtest.study.verdict import Verdict
from backtest.study.walk import Walk
from backtest.units import MONTHS_PER_YEAR

ITSELF = "it is the benchmark itself"


@dataclass(frozen=True, eq=False)
class Variant:
    """One variant, in the order given.

    config: as run, on the common period. rule: the strategy's own sentence.
    metrics: as `metric_keys` of its legs, relative ones against the declared benchmark; undefined: why one is None.
    statistics: against the declared benchmark, with intervals; its `timing` is net of costs.
    mix: the static mix of equal exposure; parts: what the difference in growth is made of (timing before costs there).
    luck: None for a strategy that trades in its own `next`, and beyond the variants shown (`Comparison.luck_shown`).
    timing: its timing described, not corrected for the search; of those whose luck is shown.
    is_checked: backtrader kept the same books to the last bit (of the best and of `next`-style ones).
    """

    name: str
    config: Config
    rule: str
    metrics: Figures
    undefined: Mapping[str, str]
    statistics: VariantStatistics
    mix: EqualExposure
    parts: MixParts
    luck: Luck | None
    timing: TimingDescription | None
    is_checked: bool


@dataclass(frozen=True, eq=False)
class BenchmarkFigures:
    """One benchmark; the first is the declared one, whose relative metrics are None.

    name: as in files; label: as on a page; shares: of the first variant's legs, None when it is no mix.
    """

    name: str
    label: str
    shares: Floats | None
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
class Comparison:
    """A study of one or more variants on common data and period against a declared benchmark.

    Attributes
    ----------
    benchmark, terms_of : str
        Name of the declared one, which is benchmarks[0]; the variant on whose costs benchmarks and mixes run.
    cautions, notes : tuple of str
        What differs between the variants beside the rule, and what the reader must know; what the data say of
        themselves.
    best : int
        Place of the variant with the highest active Sharpe ratio.
    search, whole, size
        What luck explains of the best; what else there is to know of the table; the trials it was corrected for.
    equity, benchmark_equity : ndarray of float, shapes (variants, sessions), (benchmarks, sessions)
        USD, base row first.
    correlation : ndarray of float, shape (variants, variants)
        Of active returns; NaN where a variant never differs from the benchmark. `order`: places such that alike ones
        are neighbours.
    effect, plateau
        What each swept parameter does; the neighbourhood of the best on the grid; None when the variants span none.
    luck_shown : tuple of int
        Places of the variants with luck meters.
    walk_forward : Walk or None
        Among the variants, by the past alone; None with one variant, too few years, or variants that differ in more
        than rule, legs and rebalancing.
    data_sha256, seed : str, int
        Content of the market; of all resampling.
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
    size: Search
    verdict: Verdict
    frontier: Frontier
    correlation: Floats
    order: tuple[int, ...]
    years: CalendarYears
    walk_forward: Walk | None
    plateau: Plateau | None
    differences: Differences
    effect: Effect | None
    luck_shown: tuple[int, ...]
    data_sha256: str
    seed: int
    periods_per_year: int
    sources: tuple[Source, ...]

    @property
    def is_monthly(self) -> bool:
        """Whether its sessions are months."""
        return self.periods_per_year == MONTHS_PER_YEAR

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variants, in order."""
        return tuple(variant.name for variant in self.variants)


def measured(curves: StudyCurves) -> list[Figures]:
    """Figures of the variants, each against its own benchmark, then of the other benchmarks and the mixes."""
    each = [curve.activity for curve in curves.variants]
    each += [*curves.benchmarks.activity, *(mixed.activity for mixed in curves.mixes)]
    equity = np.concatenate([curves.equity, curves.benchmark_equity, curves.mix_equity])
    against = [variant.benchmark for variant in curves.variants]
    against += [*[curves.benchmarks.declared] * len(curves.benchmarks.books), *against]
    figures: list[Figures] = [{} for _ in each]
    for benchmark in {id(one): one for one in against}.values():
        places = [i for i, one in enumerate(against) if one is benchmark]
        table = metrics_table(
            equity[places],
            calendar=curves.calendar,
            tbill_returns=curves.benchmarks.tbill,
            benchmark=benchmark,
            activity=activities(each[i] for i in places),
        )
        columns = {key: column.tolist() for key, column in table.items()}
        for row, i in enumerate(places):
            values = ((key, column[row]) for key, column in columns.items())
            own = metric_keys(each[i].exposures)
            figures[i] = {key: value if math.isfinite(value) else None for key, value in values if key in own}
    return figures


def variants_of(
    curves: StudyCurves,
    figures: Sequence[Figures],
    statistics: tuple[VariantStatistics, ...],
    strategies: Mapping[str, type],
    luck: Mapping[int, Luck | None],
    timing: Mapping[int, TimingDescription],
    best: int,
) -> tuple[Variant, ...]:
    """The variants with all that is known of each; figures: as `measured` gives them."""
    reasons = undefined_reasons(curves.calendar, has_benchmark=True)
    first_mix = len(curves.variants) + len(curves.benchmarks.books)

    def one(i: int) -> Variant:
        curve, mixed = curves.variants[i], curves.mixes[i]
        config = curves.inputs.configs[curve.name]
        own = _growth(curves, curve.equity)
        return Variant(
            name=curve.name,
            config=config,
            rule=rule_of(strategies[config.strategy.name], legs_of(config), config.strategy.params),
            metrics=figures[i],
            undefined={key: reasons[key] for key, value in figures[i].items() if value is None},
            statistics=statistics[i],
            mix=EqualExposure(mixed.shares, mixed.words, figures[first_mix + i]),
            parts=parts_of(curve, own, mixed, _growth(curves, curve.benchmark)),
            luck=luck.get(i),
            timing=timing.get(i),
            is_checked=i == best or not is_rotation(strategies[config.strategy.name]),
        )

    return tuple(one(i) for i in range(len(curves.variants)))


def benchmarks_of(curves: StudyCurves, figures: Sequence[Figures]) -> tuple[BenchmarkFigures, ...]:
    """The benchmarks, the declared one first; figures: as `measured` gives them."""
    reasons = undefined_reasons(curves.calendar, has_benchmark=True)
    legs = legs_of(curves.inputs.first)
    declared, undefined = metrics(
        curves.benchmarks.declared,
        calendar=curves.calendar,
        tbill_returns=curves.benchmarks.tbill,
        no_benchmark=ITSELF,
        activity=curves.benchmarks.activity[0],
    )
    every = [declared, *figures[len(curves.variants) + 1 : len(curves.variants) + len(curves.benchmarks.books)]]

    def one(benchmark: Benchmark, own: Figures) -> BenchmarkFigures:
        name = benchmark_name(benchmark)
        why = {key: reasons.get(key, "") for key, value in own.items() if value is None}
        return BenchmarkFigures(
            name=name,
            label=benchmark_label(name),
            shares=_shares_of(legs, benchmark),
            metrics=own,
            undefined=dict(undefined) if own is declared else why,
        )

    return tuple(one(benchmark, own) for benchmark, own in zip(curves.inputs.benchmarks, every, strict=True))


def _shares_of(legs: Legs, benchmark: Benchmark) -> Floats | None:
    if isinstance(benchmark, TwoLegMix):
        return np.asarray(line_of(legs, np.array([benchmark.static_mix]))[0])
    if isinstance(benchmark, Mix):
        shares = np.array([float(benchmark.mix.get(LegOrTicker(name), 0.0)) for name in legs.names])
        return shares if benchmark.mix.keys() <= set(legs.names) else None
    owner = next((name for name in legs.names if benchmark in legs[name]), None)
    return None if owner is None else legs.alone(owner)


def _growth(curves: StudyCurves, equity: Floats) -> float:
    return annual_growth(equity[-1] / equity[0], curves.table.years)


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


def correlation_of(active: Floats) -> Floats:
    """Correlation of the columns of (sessions x variants); NaN for one that does not vary, 1 on the diagonal."""
    centred = active - active.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = np.where(size > NO_RISK * len(active) ** 0.5, centred / size, np.nan)
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
