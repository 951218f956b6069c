"""One study, all its statistics: every variant by itself, and the search as a whole.

Reads:  Table, the returns of the variants, their benchmark and their static mixes on common sessions.
Gives:  Assessment, the numbers that the comparison page, comparison.json and the verdict are made of.

All intervals and null distributions come from the same resampled histories, on ACTIVE returns (variant minus
benchmark); the absolute ratios stand second because they mostly measure what the benchmark earned too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, chance_of_maximum, no_skill_draws
from backtest.statistics.histories import Table, check_table, resample
from backtest.statistics.multiple import effective_variants
from backtest.statistics.normal import normal_quantile
from backtest.statistics.overfitting import Overfitting, overfitting
from backtest.statistics.sharpe import Trials, deflated_sharpe, expected_maximum, moments, trials_of
from backtest.statistics.superiority import Superiority, confidence_set, mean_error, reality_check, spa_from_means
from backtest.statistics.variants import VariantStatistics, variant_statistics
from backtest.statistics.verdict import Evidence, TimingEvidence
from backtest.text import HISTORIES_SHOWN

Array = NDArray[np.float64]

BLOCKS = 16
"""Of the overfitting probability: 12,870 ways to cut the sessions in two halves."""

FEWEST_RANKED = 4
"""Below so many variants a rank says nothing, and no overfitting probability is given."""

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
    """The search as a whole; `best` is the variant with the highest active Sharpe ratio."""

    best: int
    trials: int
    hurdle: float
    """Annual active ratio that the deflated ratio asks for."""
    effective_variants: float
    block: float
    histories: int
    seed: int
    no_skill: NoSkill
    spa: Superiority
    reality_check: float
    benchmark_confidence_set_p: float
    overfitting: Overfitting | None
    """None with fewer than FEWEST_RANKED variants."""
    smallest_edge: float
    """True edge (fraction a year, at the best variant's tracking error) that such a search finds four times in five."""
    absolute: AbsoluteStatistics


@dataclass(frozen=True, eq=False)
class Assessment:
    """All statistics of one study."""

    variants: tuple[VariantStatistics, ...]
    search: SearchStatistics


def assess(table: Table, trials: Trials | None = None, histories: int = 2000, seed: int = 1) -> Assessment:
    """Every statistic of a study.

    trials: all trials of the ledger, the table's among them, by their per-session active Sharpe ratios; without it, the
    table's own. Raises RunError for too few sessions, ValueError for arrays that do not fit (see check_table).
    """
    check_table(table)
    drawn = resample(table, histories, seed)
    no_skill = _no_skill(drawn.sharpe, table.periods_per_year)
    known = trials or trials_of(drawn.sharpe.observed)
    hurdle = deflation_hurdle(known, no_skill.mean / table.periods_per_year**0.5)
    membership = confidence_set(_with_benchmark(drawn.mean))
    variants = variant_statistics(table, drawn, hurdle, membership[:-1])
    best, sessions = int(drawn.sharpe.observed.argmax()), len(table.returns)
    search = SearchStatistics(
        best=best,
        trials=known.count,
        hurdle=hurdle * table.periods_per_year**0.5,
        effective_variants=effective_variants(table.active),
        block=drawn.block,
        histories=histories,
        seed=seed,
        no_skill=no_skill,
        spa=spa_from_means(drawn.mean, mean_error(drawn.mean.draws), sessions),
        reality_check=reality_check(drawn.mean),
        benchmark_confidence_set_p=float(membership[-1]),
        overfitting=overfitting(table.active, BLOCKS) if len(variants) >= FEWEST_RANKED else None,
        smallest_edge=smallest_edge(no_skill.upper, table.years, variants[best].tracking_error),
        absolute=_absolute(table, drawn.excess_sharpe),
    )
    return Assessment(variants, search)


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


def evidence(table: Table, assessment: Assessment, benchmark: str, small_share: float | None = None) -> Evidence:
    """What the verdict looks at; small_share: average exposure of the best variant, needed to speak of timing."""
    search, best = assessment.search, assessment.variants[assessment.search.best]
    timing = best.timing
    return Evidence(
        name=best.name,
        benchmark=benchmark,
        variants=len(assessment.variants),
        trials=search.trials,
        years=table.years,
        sharpe=best.sharpe.value,
        sharpe_interval=best.sharpe.interval,
        difference=best.cagr_difference.value,
        difference_interval=best.cagr_difference.interval,
        no_skill_p=search.no_skill.p,
        spa_p=search.spa.consistent,
        dsr=best.dsr,
        pbo=search.overfitting.probability if search.overfitting else None,
        smallest_edge=search.smallest_edge,
        minimum_track_record_years=best.minimum_track_record_years,
        timing=None
        if timing is None or small_share is None
        else TimingEvidence(small_share, timing.difference.value, timing.difference.interval, timing.p),
    )


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


def _absolute(table: Table, excess_sharpe: Drawn) -> AbsoluteStatistics:
    ratios, year = excess_sharpe.observed[:-1], table.periods_per_year**0.5
    best, spread = int(ratios.argmax()), trials_of(ratios)
    m = moments(table.excess[:, best])
    return AbsoluteStatistics(
        best=best,
        sharpe=float(ratios[best] * year),
        dsr=deflated_sharpe(m.sharpe, m.observations, m.skewness, m.kurtosis, spread.variance, spread.count),
        benchmark_sharpe=float(excess_sharpe.observed[-1] * year),
    )
