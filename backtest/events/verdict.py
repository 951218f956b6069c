"""What is said of an event study, in two sentences and in the words of the search."""

from __future__ import annotations

from collections.abc import Sequence

from backtest.events.cells import EventCell
from backtest.events.study import Events
from backtest.statistics.findings import FEWEST_CYCLES, HOLDS, SUGGESTIVE, Level
from backtest.study.verdict import SHORT, in_hundred
from backtest.text import count, number, p_equals, plural, points

LIKELIER_THAN_NOT = 0.5
"""From this p on the best without skill does as well more often than not."""


def period_of_window(cell: EventCell, unit: str = "session") -> str:
    """`the 252 sessions after a cut`, `the session of a scheduled announcement`."""
    begin, end = cell.window
    what = cell.events.words
    if (begin, end) == (-1, 0):
        return f"the {unit} of {what}"
    if begin == 0:
        return f"the {plural(end, unit)} after {what}"
    return f"{unit}s {begin + 1} to {end} around {what}".replace("-", "\N{MINUS SIGN}")


def headline(events: Events) -> str:
    """The first sentence."""
    cell, found = events.best, events.search
    if found is None:
        where = f"{cell.pair.words} in {period_of_window(cell, events.market.row)}"
        return f"Nothing was tested: nobody could have held {where}, knowing it in advance."
    return headline_of(cell, cell.level, found.trials, events.market.row)


def headline_of(cell: EventCell, level: Level, trials: int, unit: str) -> str:
    """What a level means for one window, of so many looked at."""
    where = f"{cell.pair.words} in {period_of_window(cell, unit)}"
    best = f"the best of {count(trials)}" if trials > 1 else "a rule"
    return {
        "holds": f"Holds: {where} gained by more than luck and search explain.",
        "suggestive": f"Suggestive, not established: {where} may be more than luck.",
        "too_few_bets": f"Too few bets: {where} is too little time to tell from luck.",
        "no_better_than_luck": f"No better than luck: {where} is no better than {best} without any skill would be.",
    }.get(level, f"{SHORT['not_distinguishable']}: {where} cannot be told from {best} without any skill.")


def evidence(events: Events) -> str:
    """The second sentence: the honest figures beside the naive one."""
    known = "" if events.search is None else f"the {plural(events.search.trials, 'trial')} known"
    return evidence_of(events.best, events.best.p_search, known, events.market.row)


def evidence_of(cell: EventCell, p: float | None, known: str, unit: str) -> str:
    """The same of one window; p: corrected for what is `known`."""
    n, cycles = len(cell.sample.values), cell.cycles
    if not n:
        return f"No window of {plural(cell.length, unit)} is complete."
    mean, usual = points(cell.sample.mean), points(cell.unconditional)
    apart = "1 of them does" if cell.n_apart == 1 else f"{cell.n_apart} of them do"
    told = (
        f"Of {plural(n, 'complete window')} the mean is {mean} points against {usual} at any time "
        f"(naive t {number(cell.t_naive)}); {apart} not overlap (t {number(cell.t_apart)})"
    )
    if n == 1:
        told = f"The one complete window made {mean} points against {usual} at any time"
    if cell.placebo.p is not None:
        told += f", the same calendar moved elsewhere does as well in {in_hundred(cell.placebo.p)} of 100 places"
    if p is not None:
        told += f", and {p_equals(p)} after correction for {known}"
    few = f": fewer than {FEWEST_CYCLES} cannot hold" if len(cycles.names) < FEWEST_CYCLES else ""
    positive = f"{cycles.positive} of {plural(len(cycles.names), 'cycle')}"
    return f"{told}; {positive} {'is' if len(cycles.names) == 1 else 'are'} above 0{few}."


def verdict_by_placebo(cells: Sequence[EventCell], unit: str) -> tuple[Level, tuple[str, ...]]:
    """Level and sentences for windows that are shown together and are in no ledger: Bonferroni over their placebos."""
    tested = [cell for cell in cells if cell.placebo.p is not None] or list(cells)
    best = min(tested, key=lambda cell: 1.0 if cell.placebo.p is None else cell.placebo.p)
    p = None if best.placebo.p is None else min(1.0, len(tested) * best.placebo.p)
    level: Level = "not_distinguishable"
    if p is None:
        level = "too_few_bets"
    elif p < HOLDS and len(best.cycles.names) >= FEWEST_CYCLES:
        level = "holds"
    elif p < SUGGESTIVE:
        level = "suggestive"
    elif p >= LIKELIER_THAN_NOT:
        level = "no_better_than_luck"
    known = f"the {plural(len(tested), 'window')} shown"
    return level, (headline_of(best, level, len(tested), unit), evidence_of(best, p, known, unit))


def verdict_text(events: Events) -> str:
    """Both."""
    return f"{headline(events)} {evidence(events)}"
