"""The words for what a search says of a curve: the one place for them, for every command, page and file.

    Finding, Search -> VERDICT: a level, a headline, and sentences that are understood when read once

They never say that a variant is proven, significant, or outperforms: a search of past data cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from backtest.account.benchmarks import benchmark_label
from backtest.result import Result
from backtest.statistics.findings import FEWEST_CYCLES, Finding, Level, SearchTest
from backtest.store.ledger import FILE
from backtest.study.search import Search, cycles_seen
from backtest.text import count, number, p_equals, percent, plural, points, span, years, years_needed

SHORT: dict[Level, str] = {
    "nothing_tested": "Nothing tested",
    "too_few_bets": "Too few bets",
    "holds": "Holds",
    "suggestive": "Suggestive",
    "ahead_by_exposure": "Ahead by exposure",
    "no_better_than_luck": "No better than luck",
    "not_distinguishable": "Not distinguishable from luck",
}
"""The level in a table."""

REGIMES = (
    "Where skill comes and goes in spells of a year, the lower end of such an interval covers the long-run ratio in 87 "
    "to 93 of 100 cases, not in 95."
)


@dataclass(frozen=True)
class Verdict:
    """The level with its headline and sentences: luck, timing, resolution, what was counted."""

    level: Level
    headline: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """Who is spoken of. cagr_difference: growth a year over the benchmark's, None without one. cycles: easing cycles
    that a cut-driven rule has seen.
    """

    name: str
    benchmark: str | None
    cagr_difference: float | None = None
    cycles: int | None = None


def verdict(subject: Subject, finding: Finding, search: Search) -> Verdict:
    """What is said of one shown curve."""
    counted = counting(search)
    if finding.ahead is None:
        told = (_timing(finding), *counted)
    elif finding.level == "too_few_bets":
        told = (_few(subject, finding), *counted)
    else:
        told = (_ahead(subject, finding), _timing(finding), *_cycles(subject), *_resolution(subject, finding), *counted)
    return Verdict(finding.level, headline(subject, finding, search), tuple(told))


def cagr_gap(result: Result) -> float | None:
    """Growth a year of a run over its first benchmark's; None where one of them is not defined."""
    own, first = result.metrics["cagr"], next(iter(result.benchmark_metrics.values()), None)
    other = None if first is None else first["cagr"]
    return None if own is None or other is None else own - other


def verdict_of_run(result: Result, search: Search) -> Verdict:
    """What is said of a single run."""
    first = next(iter(result.benchmarks), None)
    subject = Subject(
        name=result.config.name,
        benchmark=None if first is None else benchmark_label(first),
        cagr_difference=cagr_gap(result),
        cycles=cycles_seen(result.config, result.market, result.sessions),
    )
    return verdict(subject, search.findings[0], search)


def finding_json(finding: Finding, search: Search) -> dict[str, Any]:
    """The same for scripts; fractions, ratios annual, null where nothing was tested or no bound exists."""
    tests = {"ahead": finding.ahead, "timing": finding.timing}
    return {
        "verdict_level": finding.level,
        **{name: None if test is None else _test_json(test) for name, test in tests.items()},
        "edge_seen_annual": finding.edge_seen,
        "effective_bets": finding.bets,
        "active_sessions": finding.active_sessions,
        "trials": {"known": search.trials, "here": search.here, "forgotten": search.forgotten},
    }


def _test_json(test: SearchTest) -> dict[str, Any]:
    interval = [end if math.isfinite(end) else None for end in test.interval]
    return {"p": test.p, "ratio": test.ratio, "interval": interval, "shrunken_ratio": test.shrunken}


def headline(subject: Subject, finding: Finding, search: Search) -> str:
    """The level as one sentence."""
    name, benchmark = f"“{subject.name}”", subject.benchmark
    best = f"the best of {count(search.trials)}" if search.trials > 1 else "a rule"
    return {
        "nothing_tested": "Nothing was tested: without a benchmark there is nothing to be ahead of.",
        "too_few_bets": f"Too few bets: {name} has hardly ever differed from {benchmark}.",
        "holds": f"{name} was ahead of {benchmark}, by its timing too, by more than luck and search explain.",
        "suggestive": f"Suggestive, not established: {name} may be ahead of {benchmark} by its timing.",
        "ahead_by_exposure": f"{name} was ahead of {benchmark} by what it held, not by when it held it.",
        "no_better_than_luck": f"{name} is no better than {best} without any skill would be.",
        "not_distinguishable": f"{name} cannot be told from {best} without any skill.",
    }[finding.level]


def in_hundred(p: float) -> str:
    """A chance as a count of a hundred histories: "fewer than 1", "40", "all"."""
    k = round(100 * p)
    return "fewer than 1" if k == 0 else "all" if k == 100 else str(k)


def counting(search: Search) -> tuple[str, ...]:
    """How many trials the verdict is corrected for, and where they are from."""
    if not search.has_ledger:
        return (f"Corrected for the {count(search.here)} shown only: no ledger of earlier trials was kept.",)
    earlier = f", {count(search.elsewhere)} of them from earlier commands" if search.elsewhere else ""
    told = [f"Corrected for the {plural(search.trials, 'trial')} known on this machine{earlier}."]
    if search.trials == 1:
        told = ["No other trial is known on this machine: nothing had to be corrected for."]
    if search.group:
        known = f"Corrected for the {plural(search.trials, 'trial')} of the group “{search.group}”, as the user asked; "
        told = [f"{known}{count(search.outside)} more are known on this machine."]
    if search.forgotten:
        told.append(
            f"The ledger was made to forget {plural(search.forgotten, 'trial')}, for which nothing here is corrected."
        )
    if search.lost:
        told.append(
            f"A result beside this one was made when the ledger knew {plural(search.lost, 'trial')} more: it was "
            "deleted, or is another one. The correction is too small: `backtest trials merge` brings back the copy "
            f"of the ledger that stands beside a result ({FILE})."
        )
    if search.damaged:
        told.append(f"Parts of the ledger could not be read and were left out: {'; '.join(search.damaged)}.")
    return tuple(told)


def _ahead(subject: Subject, finding: Finding) -> str:
    test, gap = finding.ahead, subject.cagr_difference
    assert test is not None
    gained = "" if gap is None else f"It made {points(gap)} points a year against {subject.benchmark}. "
    left = f"; what luck does not explain of the ratio is {number(test.shrunken)}" if test.shrunken else ""
    return (
        f"{gained}Its active Sharpe ratio is {number(test.ratio)} (after correction for the search "
        f"{_span(test.interval)}). Without any skill the best of all that was tried looks this good in "
        f"{in_hundred(test.p)} of 100 histories ({p_equals(test.p)}){left}."
    )


def _timing(finding: Finding) -> str:
    test = finding.timing
    against = "Against a constant mix of its own average holdings, at the same costs,"
    if test.t == 0:
        return f"{against} there is no timing: it always held the same."
    ratio = f"its ratio is {number(test.ratio)} ({p_equals(test.p)} after the same correction)"
    return f"{against} {ratio}: {'timing is shown' if test.p < 0.05 else 'timing is not shown'}."


def _few(subject: Subject, finding: Finding) -> str:
    if not finding.active_sessions:
        return f"It never differs from {subject.benchmark}: there is no edge to look for."
    return (
        f"It differs from {subject.benchmark} in {plural(finding.active_sessions, 'session')}, worth "
        f"{number(finding.bets, 1)} independent months: so few coins fall on one side too easily to say anything."
    )


def _cycles(subject: Subject) -> tuple[str, ...]:
    n = subject.cycles
    if n is None or n >= FEWEST_CYCLES:
        return ()
    chance = (
        f"fair coins are right in {'all of them' if n > 1 else 'it'} 1 time in {2**n}"
        if n
        else "not one can be counted"
    )
    return (f"Its history holds {plural(n, 'easing cycle')}: {chance}.",)


def _resolution(subject: Subject, finding: Finding) -> tuple[str, ...]:
    """One yardstick: the edge that would be seen, and the years that the measured one would need."""
    edge = finding.edge_seen
    whole = finding.whole_years
    if whole and not finding.years:
        return (f"Its evidence was never all known at once: {years(whole)} of data say nothing of the whole rule.",)
    if edge is None or finding.tracking_error == 0:
        return ()
    known = years(finding.years)
    part = f"The {known.removesuffix(' years')} of {years(whole or 0.0)} in which its evidence was known"
    data = part if whole else f"{known} of data"
    text = f"{data} can show only a true edge of about {percent(edge)} a year or more"
    test = finding.ahead
    measured = finding.edge if finding.edge is not None else test.ratio * finding.tracking_error if test else 0.0
    needed = finding.years_needed(measured)
    if needed is not None and needed > finding.years:
        return (f"{text}; one as large as the measured {percent(measured)} would take {years_needed(needed)}.",)
    return (f"{text}.",)


def _span(ends: tuple[float, float]) -> str:
    if not all(map(math.isfinite, ends)):
        return "without bounds"
    return f"{span(ends)}, each end at 95%"
