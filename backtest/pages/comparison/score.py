"""Score: five questions about the best variant, each answered in a word, with one number and where to see more.

"Not shown" is not "no": where the evidence is open, the answer says so. There is no red and no green.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.pages.comparison.meters import charged_bps
from backtest.pages.comparison.table import JSON_FILE, TIMING
from backtest.pages.shell import PrintedFigure
from backtest.statistics.findings import HOLDS, SUGGESTIVE
from backtest.text import count, in_fifty, p_equals, percent, plural, points, probability, span_points

if TYPE_CHECKING:
    from backtest.study.comparison import Comparison
    from backtest.study.luck import Luck

SPARE_COSTS = 2.0
"""A lead that vanishes below so many times the costs charged is a fragile one."""

WORST_TOLERATED = -0.01
MOST_STARTS, FEWEST_STARTS = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """kind: yes, no or open; number: with its unit, as printed; target: id of the section with the evidence."""

    kind: str
    word: str
    question: str
    number: str
    text: str
    target: str


def answers(comparison: Comparison) -> list[Answer]:
    """The questions that this study can be asked, the most important first."""
    return [_ahead(comparison), _lucky(comparison), *_timing(comparison), *_picking(comparison), _sturdy(comparison)]


def _answer(
    question: str, number: str, text: str, target: str, *, is_yes: bool, is_no: bool, between: str = "Not shown"
) -> Answer:
    kind = "yes" if is_yes else "no" if is_no else "open"
    return Answer(kind, {"yes": "Yes", "no": "No", "open": between}[kind], question, number, text, target)


def _ahead(comparison: Comparison) -> Answer:
    benchmark, every = comparison.benchmarks[0].label, [variant.statistics for variant in comparison.variants]
    best = every[comparison.best]
    ahead = sum(each.cagr_difference.value > 0 for each in every)
    behind = sum(each.cagr_difference.interval[1] < 0 for each in every)
    lagged = f", {behind} lagged by more than chance" if behind else ""
    ended = f" {ahead} of {len(every)} ended ahead{lagged}." if len(every) > 1 else ""
    who = "the best" if len(every) > 1 else "it"
    return _answer(
        f"Is {who} really ahead of {benchmark}?",
        PrintedFigure(
            f"{points(best.cagr_difference.value)} pts", (JSON_FILE, "variants", best.name, "active", "cagr_difference")
        ),
        f"a year; the 95% interval runs from {span_points(best.cagr_difference.interval)}.{ended}",
        "luck",
        is_yes=best.p < HOLDS and best.cagr_difference.value > 0,
        is_no=best.sharpe.value <= 0 or best.cagr_difference.value <= 0,
    )


def _lucky(comparison: Comparison) -> Answer:
    search, best = comparison.search, comparison.variants[comparison.best].statistics
    n, p = comparison.size.trials, comparison.search.no_skill.p
    trials = plural(search.trials, "trial")
    return _answer(
        f"Is it better than the best of {count(n)} lucky ones?" if n > 1 else "Is it better than luck?",
        in_fifty(p),
        f"no-skill histories show {f'a best of {count(n)}' if n > 1 else 'one'} at least this good. SPA "
        f"{p_equals(search.spa.consistent)}; deflated for {trials}: {probability(best.dsr)}; neither decides.",
        "luck",
        is_yes=p < HOLDS,
        is_no=p >= SUGGESTIVE,
    )


def _timing(comparison: Comparison) -> Iterator[Answer]:
    best = comparison.variants[comparison.best]
    timing = best.statistics.timing
    if timing is None:
        return
    gain, looks = timing.difference, " corrected for the search"
    yield _answer(
        "Did timing add anything?",
        PrintedFigure(f"{points(gain.value)} pts", (*TIMING, best.name, "timing", "cagr_difference")),
        f"a year over its own average holdings held constantly ({span_points(gain.interval)}); "
        f"{p_equals(timing.p)}{looks}.",
        "timing",
        is_yes=timing.p < HOLDS,
        is_no=gain.value <= 0,
    )


def _picking(comparison: Comparison) -> Iterator[Answer]:
    """By the overfitting probability and by the walk-forward picks; by one of them where the other is not known."""
    walk, over = comparison.walk_forward, comparison.search.overfitting
    if walk is None and over is None:
        return
    won = None if walk is None else walk.growth > walk.benchmark_growth
    benchmark = comparison.benchmarks[0].label
    rated = "" if over is None else f"Overfitting probability {percent(over.probability, 0)}."
    if walk is None:
        shown = PrintedFigure(percent(over.probability, 0), (JSON_FILE, "pbo")) if over else ""
        text = "is the probability of overfitting; 50% is blind."
    else:
        shown = PrintedFigure(percent(walk.growth), (JSON_FILE, "walk_forward", "figures", "walk-forward", "cagr"))
        text = (
            f"a year from holding the last {walk.terms.train_years} years’ winner, chosen anew since "
            f"{walk.picks[0][0].year}; {benchmark} made {percent(walk.benchmark_growth)}. {rated}"
        )
    yield _answer(
        "Would picking the winner have worked?",
        shown,
        text.strip(),
        "picking",
        is_yes=won is True,
        is_no=won is False,
        between="Partly",
    )


def _sturdy(comparison: Comparison) -> Answer:
    best = comparison.variants[comparison.best]
    question, benchmark = "Does it survive slight changes?", comparison.benchmarks[0].label
    if best.luck is None:
        text = "It trades in its own code, session by session, and was not rerun with slight changes."
        return _answer(question, "–", text, "meters", is_yes=False, is_no=False, between="Not known")
    luck = best.luck
    worst, starts = worst_small_change(luck), luck.starts
    early = starts.ahead / max(len(starts.values), 1)
    spare = (luck.breakeven_bps or 0.0) / SPARE_COSTS
    return _answer(
        question,
        f"{points(worst)} pts",
        f"a year against {benchmark} at the worst of other decision days, delays and neighbouring parameters. Ahead "
        f"from {starts.ahead} of {len(starts.values)} starting months.",
        "meters",
        is_yes=worst > 0 and spare >= charged_bps(best) and early > MOST_STARTS,
        is_no=worst < WORST_TOLERATED or early < FEWEST_STARTS,
        between="Partly",
    )


def worst_small_change(luck: Luck) -> float:
    """The lowest growth a year over the benchmark's among decision days, delays and neighbours."""
    fans = (luck.decision_days, luck.delays, luck.neighbours)
    return min(fan.worst for fan in fans if fan.worst is not None)
