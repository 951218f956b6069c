"""One study, all its statistics: every variant by itself, and the search as a whole.

Reads:  ReturnsTable, the returns of the variants, their benchmark and their static mixes on common sessions.
Gives:  Assessment, the numbers that the comparison page, comparison.json and the verdict are made of.

All intervals and null distributions come from the same resampled histories, on ACTIVE returns (variant minus
benchmark); the absolute ratios stand second because they mostly measure what the benchmark earned too.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, chance_of_maximum, no_skill_draws
from backtest.statistics.histories import Resampled, ReturnsTable, check_table, resample, resample_all
from backtest.statistics.normal import normal_quantile
from backtest.statistics.overfitting import FEWEST_RANKED, Overfitting, looked_at, overfitting
from backtest.statistics.sharpe import (
    NO_RISK,
    Trials,
    deflated_sharpe,
    expected_maximum,
    sharpe_ratios,
    trials_of,
)
from backtest.statistics.superiority import Superiority, confidence_set, mean_error, reality_check, spa_from_means
from backtest.statistics.variants import (
    VariantStatistics,
    confidence,
    shape_of,
    tracking_errors,
    variant_statistics,
)
from backtest.text import HISTORIES_SHOWN

Array = NDArray[np.float64]

BLOCKS = 16
"""Of the overfitting probability: 12,870 ways to cut the sessions in two halves."""

HISTORIES, SEED = 2000, 1

FOUND = 0.8
"""A study's resolution is the true edge it would find four times in five."""


@dataclass(frozen=True, eq=False)
class NoSkill:
    """The best of the table in histories without skill (annual active ratio): p of the observed best, mean, 95% point.

    dots: as many equally likely bests as are shown, rising; the page fills the last `words.filled_dots(p)` of them.
    """

    p: float
    mean: float
    upper: float
    dots: Array


@dataclass(frozen=True)
class AbsoluteStatistics:
    """Flattering view: the best annual Sharpe ratio over T-bills, deflated for the table, beside the benchmark's."""

    best: int
    sharpe: float
    dsr: float
    benchmark_sharpe: float


@dataclass(frozen=True, eq=False)
class SearchStatistics:
    """What luck explains of a search: the same for whoever asks. `best` has the highest active Sharpe ratio.

    sharpe, dsr: annual active ratio of the best, and its deflated one; hurdle: the annual ratio that the latter asks
    for. overfitting: None with fewer than FEWEST_RANKED variants. smallest_edge: true edge (fraction a year) that such
    a search finds four times in five, at the best variant's tracking error; at the median one where the best is the
    benchmark, 0 where all are.
    """

    best: int
    sharpe: float
    dsr: float
    trials: int
    hurdle: float
    block: float
    histories: int
    seed: int
    no_skill: NoSkill
    spa: Superiority
    overfitting: Overfitting | None
    smallest_edge: float


@dataclass(frozen=True, eq=False)
class TableStatistics:
    """What else there is to know of a table as a whole."""

    effective_variants: float
    reality_check: float
    benchmark_confidence_set_p: float
    absolute: AbsoluteStatistics


@dataclass(frozen=True, eq=False)
class Assessment:
    """All statistics of one study."""

    variants: tuple[VariantStatistics, ...]
    search: SearchStatistics
    whole: TableStatistics


def assess(
    table: ReturnsTable, trials: Trials | None = None, histories: int = HISTORIES, seed: int = SEED
) -> Assessment:
    """Every statistic of a study; arguments and errors as for `search_statistics`."""
    check_table(table)
    active = resample(table, histories, seed)
    drawn = resample_all(table, active.counts)
    few, is_ranked = described(table.active)
    if len(few) == len(table.names):
        search = _search(table, active, trials, seed, is_ranked)
    else:
        search = search_statistics(taken(table, few), trials, histories, seed, is_ranked)
        search = dataclasses.replace(search, best=int(few[search.best]))
    membership = confidence_set(_with_benchmark(active.mean))
    whole = TableStatistics(
        effective_variants=effective_variants(table.active),
        reality_check=reality_check(active.mean),
        benchmark_confidence_set_p=float(membership[-1]),
        absolute=_absolute(table, drawn.excess_sharpe.observed),
    )
    hurdle = search.hurdle / table.periods_per_year**0.5
    return Assessment(variant_statistics(table, active, drawn, hurdle, membership[:-1]), search, whole)


def search_statistics(
    table: ReturnsTable,
    trials: Trials | None = None,
    histories: int = HISTORIES,
    seed: int = SEED,
    is_ranked: NDArray[np.bool_] | None = None,
) -> SearchStatistics:
    """What luck explains of the best of a table.

    trials: all trials known, the table's among them, by their per-session active Sharpe ratios; without it, the
    table's own. is_ranked: the columns that the overfitting probability looks at, by default all. Of a search of more
    than MOST_RANKED variants the table holds those that `described` names: these figures describe, they decide nothing.
    Raises RunError for too few sessions, ValueError for arrays that do not fit (see check_table).
    """
    check_table(table)
    every = np.ones(len(table.names), dtype=np.bool_) if is_ranked is None else is_ranked
    return _search(table, resample(table, histories, seed), trials, seed, every)


def described(active: Array) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Places of the columns that a search is described by, and which of them are ranked against each other."""
    return described_of(active.shape[1], int(sharpe_ratios(active).argmax()))


def described_of(variants: int, best: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The same for so many variants of which this one is the best: the ranked ones (`looked_at`), and the best."""
    ranked = looked_at(variants)
    places = np.union1d(ranked, [best]).astype(np.intp)
    return places, np.isin(places, ranked)


def taken(table: ReturnsTable, places: NDArray[np.intp]) -> ReturnsTable:
    """Some of a table's variants."""
    return dataclasses.replace(
        table,
        names=tuple(table.names[place] for place in places),
        returns=table.returns[:, places],
        mixes=None if table.mixes is None else table.mixes[:, places],
        own_benchmarks=None if table.own_benchmarks is None else table.own_benchmarks[:, places],
    )


def _search(
    table: ReturnsTable, active: Resampled, trials: Trials | None, seed: int, is_ranked: NDArray[np.bool_]
) -> SearchStatistics:
    year = table.periods_per_year**0.5
    no_skill = _no_skill(active.sharpe, table.periods_per_year)
    known = trials or trials_of(active.sharpe.observed)
    hurdle = deflation_hurdle(known, no_skill.mean / year) * year
    best = int(active.sharpe.observed.argmax())
    return SearchStatistics(
        best=best,
        sharpe=float(active.sharpe.observed[best] * year),
        dsr=confidence(shape_of(table.active, best), hurdle / year),
        trials=known.count,
        hurdle=hurdle,
        block=active.block,
        histories=len(active.counts),
        seed=seed,
        no_skill=no_skill,
        spa=spa_from_means(active.mean, mean_error(active.mean.draws), len(table.returns)),
        overfitting=overfitting(table.active[:, is_ranked], BLOCKS) if is_ranked.sum() >= FEWEST_RANKED else None,
        smallest_edge=smallest_edge(no_skill.upper, table.years, _typical_error(tracking_errors(table), best)),
    )


def _typical_error(tracking_error: Array, best: int) -> float:
    """Of the best variant, or of the others where it never differs from the benchmark."""
    moving = tracking_error[tracking_error > 0]
    return float(tracking_error[best] or (np.median(moving) if len(moving) else 0.0))


def deflation_hurdle(trials: Trials, no_skill_mean: float) -> float:
    """Per-session ratio that the best must exceed: the trials' spread times E[max], at least the mean no-skill best.

    The formula takes the trials' spread for luck, so that many tame trials lower its bar; the floor knows no such
    trick.
    """
    return max(0.0, no_skill_mean, math.sqrt(trials.variance) * expected_maximum(trials.count))


def smallest_edge(no_skill_upper: float, years: float, tracking_error: float) -> float:
    """True edge (fraction a year) found four times in five.

    (95% point of the no-skill best, an annual ratio, + 0.84 / sqrt(years)) x tracking error.
    """
    return (no_skill_upper + normal_quantile(FOUND) / math.sqrt(years)) * tracking_error


def _no_skill(sharpe: Drawn, periods_per_year: int) -> NoSkill:
    null = no_skill_draws(sharpe)
    best = null.max(axis=1) * periods_per_year**0.5
    places = (np.arange(HISTORIES_SHOWN) + 0.5) / HISTORIES_SHOWN
    return NoSkill(
        p=chance_of_maximum(float(sharpe.observed.max()), null),
        mean=float(best.mean()),
        upper=float(np.quantile(best, 0.95)),
        dots=np.asarray(np.quantile(best, places)),
    )


def _with_benchmark(mean: Drawn) -> Drawn:
    """Mean active returns with the benchmark's own, zero, as the last column."""
    return Drawn(np.append(mean.observed, 0.0), np.pad(mean.draws, ((0, 0), (0, 1))))


def _absolute(table: ReturnsTable, excess_sharpe: Array) -> AbsoluteStatistics:
    ratios, year = excess_sharpe[:-1], table.periods_per_year**0.5
    best, spread = int(ratios.argmax()), trials_of(ratios)
    m = shape_of(table.excess, best)
    return AbsoluteStatistics(
        best=best,
        sharpe=float(ratios[best] * year),
        dsr=deflated_sharpe(m.sharpe, m.observations, m.skewness, m.kurtosis, spread.variance, spread.count),
        benchmark_sharpe=float(excess_sharpe[-1] * year),
    )


def effective_variants(active: Array) -> float:
    """How many independent columns vary as these do: (sum of eigenvalues)^2 / sum of squares, of their correlations.

    A description only: deflating by it would count a search as small because its variants resemble each other. Columns
    without variation are left out.
    """
    moving = active[:, active.std(axis=0) > NO_RISK]
    if moving.shape[1] < 2:
        return float(moving.shape[1])
    correlation = np.corrcoef(moving, rowvar=False)
    return float(moving.shape[1] ** 2 / (correlation**2).sum())
