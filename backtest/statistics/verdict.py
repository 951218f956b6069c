"""The verdict: what the numbers of a study support, as a level, a headline and up to three sentences.

Pure, and the decision table of the comparison page. The sentences carry each number with its interval or with what it
was corrected for. They never say that a variant is proven, significant, or outperforms: a search of past data cannot.

    level    when
    none     the best active Sharpe ratio, or its difference in growth, is not positive
    strong   SPA, no-skill p and deflated ratio pass, PBO is low, and the naive interval is above 0
    mixed    one of the first three passes; or the interval is above 0 and the no-skill p below 0.10
    luck     anything else
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backtest.text import (
    in_fifty,
    number,
    p_equals,
    percent,
    plural,
    points,
    probability,
    span,
    span_points,
    years,
    years_needed,
)

Level = Literal["none", "luck", "mixed", "strong"]
Interval = tuple[float, float]

TEST_SIZE = 0.05
HINT_SIZE = 0.10
DEFLATED_BAR = 0.95
OVERFITTING_BAR = 0.20


@dataclass(frozen=True)
class TimingEvidence:
    """The best variant over the constant mix of its average exposure: fractions a year, p corrected for the search."""

    small_share: float
    difference: float
    interval: Interval
    p: float


@dataclass(frozen=True)
class Evidence:
    """What the verdict looks at: the variant with the highest active Sharpe ratio; ratios annual, growth fractions."""

    name: str
    benchmark: str
    variants: int
    trials: int
    years: float
    sharpe: float
    sharpe_interval: Interval
    difference: float
    difference_interval: Interval
    no_skill_p: float
    spa_p: float
    dsr: float
    pbo: float | None
    smallest_edge: float
    minimum_track_record_years: float | None
    timing: TimingEvidence | None


@dataclass(frozen=True)
class Verdict:
    """The level with its headline; `sentences` are two or three: luck, timing (if known), resolution."""

    level: Level
    headline: str
    sentences: tuple[str, ...]


def evidence_level(e: Evidence) -> Level:
    """Where the evidence stands in the decision table. Without a PBO (fewer than 4 variants) that test is passed."""
    if e.sharpe <= 0 or e.difference <= 0:
        return "none"
    corrected = [e.spa_p < TEST_SIZE, e.no_skill_p < TEST_SIZE, e.dsr >= DEFLATED_BAR]
    above = e.sharpe_interval[0] > 0
    if all(corrected) and above and (e.pbo is None or e.pbo < OVERFITTING_BAR):
        return "strong"
    return "mixed" if any(corrected) or (above and e.no_skill_p < HINT_SIZE) else "luck"


def judge(e: Evidence) -> Verdict:
    """The verdict on a study."""
    level = evidence_level(e)
    luck = {"none": _none, "luck": _luck, "mixed": _mixed, "strong": _strong}[level](e)
    timing = (_timing(e.timing, e.variants),) if e.timing else ()
    resolution = _selection(e) if level == "strong" else _resolution(e, level)
    return Verdict(level, _headline(e, level), (luck, *timing, resolution))


def _headline(e: Evidence, level: Level) -> str:
    return {
        "none": f"Nothing here did better than simply holding {e.benchmark}.",
        "luck": f"Not distinguishable from holding {e.benchmark}.",
        "mixed": f"Suggestive, not established: “{e.name}” may be better than {e.benchmark}.",
        "strong": f"“{e.name}” did better than {e.benchmark} by more than luck and search explain.",
    }[level]


def _one_of(e: Evidence) -> str:
    return f"best of {e.variants}" if e.variants > 1 else "variant"


def _search(e: Evidence) -> str:
    return plural(e.trials, "trial")


def _none(e: Evidence) -> str:
    who = f"The best of {e.variants} variants" if e.variants > 1 else "The variant"
    return (
        f"{who}, “{e.name}”, has an active Sharpe ratio of {number(e.sharpe)} against {e.benchmark} "
        f"(95% interval {span(e.sharpe_interval)}), that is {points(e.difference)} points a year "
        f"({span_points(e.difference_interval)})."
    )


def _luck(e: Evidence) -> str:
    return (
        f"The {_one_of(e)}, “{e.name}”, made {points(e.difference)} points a year more than {e.benchmark} "
        f"(95% interval {span_points(e.difference_interval)}; active Sharpe ratio {number(e.sharpe)}, "
        f"{span(e.sharpe_interval)}). Without any skill the {_one_of(e)} looks this good in {in_fifty(e.no_skill_p)} "
        f"histories; deflated for {_search(e)} it scores {probability(e.dsr)}, where {DEFLATED_BAR} is needed."
    )


def _mixed(e: Evidence) -> str:
    overfitting = "" if e.pbo is None else f", overfitting probability {percent(e.pbo, 0)}"
    return (
        f"It made {points(e.difference)} points a year more than {e.benchmark} (95% interval "
        f"{span_points(e.difference_interval)}; active Sharpe ratio {number(e.sharpe)}, {span(e.sharpe_interval)}). "
        f"Tests disagree: the {_one_of(e)} with no skill looks this good in {in_fifty(e.no_skill_p)} histories "
        f"({p_equals(e.no_skill_p)}; SPA {p_equals(e.spa_p)}), deflated for {_search(e)} it scores {probability(e.dsr)}"
        f"{overfitting}."
    )


def _strong(e: Evidence) -> str:
    return (
        f"It made {points(e.difference)} points a year more (95% interval {span_points(e.difference_interval)}), "
        f"active Sharpe ratio {number(e.sharpe)} ({span(e.sharpe_interval)}); the {_one_of(e)} with no skill looks "
        f"this good in {in_fifty(e.no_skill_p)} histories, deflated for {_search(e)} it scores {probability(e.dsr)}. "
        "Whether its reason lasts, no test can say."
    )


def _timing(t: TimingEvidence, variants: int) -> str:
    it = f"Against a constant {percent(t.small_share, 0)} in small caps, its own average, it"
    gain, ends = f"{points(t.difference)} points a year", span_points(t.interval)
    corrected = p_equals(t.p) + (" after correcting for the search" if variants > 1 else "")
    if t.interval[0] > 0 and t.p < TEST_SIZE:
        return f"{it} gained {gain} from timing ({ends}; {corrected})."
    if t.difference > 0:
        return f"{it} is {gain} ahead ({ends}; {corrected}): timing is not shown."
    return f"{it} is at {gain} ({ends}): there is no timing to be seen, only exposure."


def _resolution(e: Evidence, level: Level) -> str:
    if not e.smallest_edge:
        return f"Nothing here was ever held otherwise than {e.benchmark}: there is no edge to look for."
    edge = f"an edge of about {percent(e.smallest_edge)} a year or more{' in such a search' if e.variants > 1 else ''}"
    text = f"{years(e.years)} of data can show only {edge}"
    needed = e.minimum_track_record_years
    if level != "none" and needed is not None and needed > e.years:
        return f"{text}; one as small as this would take {years_needed(needed)} to show."
    return f"{text}; a smaller one is not excluded."


def _selection(e: Evidence) -> str:
    after = f"Having been picked as the best of {e.variants}" if e.variants > 1 else "Having been picked to be shown"
    return f"{after}, its true edge is probably smaller than measured; {years(e.years)} cannot say by how much."
