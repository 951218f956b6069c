"""What the search's null says of each shown curve: tests, interval, edge that could be seen, and one verdict level.

    Curves of being ahead and of timing, with all known ones -> luck (search.py) -> a Finding a curve

Levels only: the words for them stand in one place, with the other sentences. Two hypotheses are tested. AHEAD: the
active return, over the first benchmark, has mean zero. TIMING: the return over the account's own average mix, at the
same costs, has mean zero; a rule that only held more of what rose passes the first and fails the second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from backtest.market import Floats
from backtest.statistics.normal import normal_quantile
from backtest.statistics.search import HISTORIES, Curves, Known, Null, Whole, luck

Level = Literal[
    "nothing_tested",
    "too_few_bets",
    "holds",
    "suggestive",
    "ahead_by_exposure",
    "no_better_than_luck",
    "not_distinguishable",
]
"""One vocabulary for run, compare, sweep, walk-forward, JSON and pages; in the order in which they are asked."""

HOLDS, SUGGESTIVE = 0.05, 0.10
"""Sizes of the two tests together."""

FEWEST_BETS = 8.0
"""Effective blocks below which nothing is said: fewer fair coins cannot be told from luck reliably."""

FEWEST_ACTIVE_SESSIONS = 63

FEWEST_CYCLES = 5
"""Four right guesses of four have a chance of 1 in 16: with so few easing cycles no cut-driven rule can hold."""

SEEN = 0.8
"""The edge that could be seen is the one found four times in five."""


@dataclass(frozen=True)
class SearchTest:
    """One hypothesis for one curve, corrected for everything known.

    t, p: as observed. middle, upper: t of the best of the family without skill, half the time and once in twenty.
    interval: of the annual ratio, 95 % from below and above, above 0 exactly when p < .05. shrunken: the annual ratio
    over what the best shows by luck, at least 0. bests: annual ratios of the best of the family in equally likely
    histories without skill, rising.
    """

    t: float
    p: float
    middle: float
    upper: float
    ratio: float
    interval: tuple[float, float]
    shrunken: float
    bests: tuple[float, ...] = ()


@dataclass(frozen=True)
class Finding:
    """All that is said of luck for one shown curve; ahead is None without a benchmark.

    years, tracking_error: of the evidence. whole_years, edge: where a signal was not known all the time, the years of
    the test, and what was measured over the benchmark a year while it was; else None.
    """

    level: Level
    ahead: SearchTest | None
    timing: SearchTest
    bets: float
    active_sessions: int
    years: float
    tracking_error: float
    whole_years: float | None = None
    edge: float | None = None

    @property
    def edge_seen(self) -> float | None:
        """True edge a year (fraction) over the benchmark that would be found four times in five; None for no test."""
        if self.ahead is None or not math.isfinite(self.ahead.upper) or not self.years:
            return None
        return (self.ahead.upper + normal_quantile(SEEN)) * self.tracking_error / math.sqrt(self.years)

    def years_needed(self, edge: float) -> float | None:
        """Years in which a true edge of so much a year would be found four times in five, by the same yardstick."""
        if self.ahead is None or edge <= 0 or not math.isfinite(self.ahead.upper):
            return None
        return ((self.ahead.upper + normal_quantile(SEEN)) * self.tracking_error / edge) ** 2


def while_known(finding: Finding, active: Floats, rows: slice | None, periods_per_year: int) -> Finding:
    """The finding with the years whose evidence was known. active: (sessions - 1,); rows: of the sessions."""
    if rows is None:
        return finding
    own = active[rows]
    error = float(own.std() * math.sqrt(periods_per_year)) if len(own) else 0.0
    edge = float(own.mean() * periods_per_year) if len(own) else 0.0
    years = len(own) / periods_per_year
    return replace(finding, years=years, tracking_error=error, whole_years=finding.years, edge=edge)


def findings(
    ahead: Curves | None,
    timing: Curves,
    active_sessions: Whole,
    periods_per_year: int,
    known_ahead: Sequence[Known] = (),
    known_timing: Sequence[Known] = (),
    cycles: Sequence[int | None] | None = None,
    histories: int = HISTORIES,
) -> list[Finding]:
    """A finding for each shown curve; without a benchmark (ahead None) only its timing is tested.

    active_sessions: on which it differs from its benchmark. cycles: easing cycles that a cut-driven rule has seen,
    None for a rule that is not.
    """
    shown = timing if ahead is None else ahead
    first = None if ahead is None else luck(ahead, known_ahead, histories)
    second = luck(timing, known_timing, histories)
    sessions = float(shown.counts.sum())
    years = sessions / periods_per_year
    mean = shown.sums.astype(np.float64).sum(axis=1) / sessions
    variance = shown.squares.astype(np.float64).sum(axis=1) / sessions - mean**2
    error = np.sqrt(np.maximum(variance, 0.0) * periods_per_year)
    out = []
    for i, bets in enumerate(shown.bets.tolist()):
        tests = None if first is None else _test(first, i, years), _test(second, i, years)
        active, seen = int(active_sessions[i]), cycles[i] if cycles else None
        level = verdict_level(*tests, bets, active, seen)
        out.append(Finding(level, *tests, bets, active, years, float(error[i])))
    return out


def verdict_level(
    ahead: SearchTest | None,
    timing: SearchTest,
    bets: float,
    active_sessions: int,
    cycles: int | None = None,
) -> Level:
    """The first level that applies. Exposure is never called skill: both tests have to pass."""
    if ahead is None:
        return "nothing_tested"
    if bets < FEWEST_BETS or active_sessions < FEWEST_ACTIVE_SESSIONS:
        return "too_few_bets"
    if ahead.p < HOLDS and timing.p < HOLDS and (cycles is None or cycles >= FEWEST_CYCLES):
        return "holds"
    if ahead.p < SUGGESTIVE and timing.p < SUGGESTIVE:
        return "suggestive"
    if ahead.p < HOLDS:
        return "ahead_by_exposure"
    return "no_better_than_luck" if ahead.t <= ahead.middle else "not_distinguishable"


def _test(null: Null, i: int, years: float) -> SearchTest:
    t, p, middle, upper = (float(values[i]) for values in (null.t, null.p, null.middle, null.upper))
    root = math.sqrt(years)
    interval = (t - upper) / root, (t + upper) / root
    bests = tuple((null.bests[i] / root).tolist())
    return SearchTest(t, p, middle, upper, t / root, interval, max(0.0, t - middle) / root, bests)
