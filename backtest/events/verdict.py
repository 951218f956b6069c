"""What is said of an event study, in two sentences and in the words of the search."""

from __future__ import annotations

from backtest.events.cells import EventCell
from backtest.events.study import Events
from backtest.statistics.findings import FEWEST_CYCLES
from backtest.study.verdict import SHORT, in_hundred
from backtest.text import count, number, p_equals, plural, points


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
    where = f"{cell.pair.words} in {period_of_window(cell, unit_of(events))}"
    if found is None:
        return f"Nothing was tested: nobody could have held {where}, knowing it in advance."
    best = f"the best of {count(found.trials)}" if found.trials > 1 else "a rule"
    return {
        "holds": f"Holds: {where} gained by more than luck and search explain.",
        "suggestive": f"Suggestive, not established: {where} may be more than luck.",
        "too_few_bets": f"Too few bets: {where} is too little time to tell from luck.",
        "no_better_than_luck": f"No better than luck: {where} is no better than {best} without any skill would be.",
    }.get(cell.level, f"{SHORT['not_distinguishable']}: {where} cannot be told from {best} without any skill.")


def evidence(events: Events) -> str:
    """The second sentence: the honest figures beside the naive one."""
    cell = events.best
    n, cycles = len(cell.sample.values), cell.cycles
    if not n:
        return f"No window of {plural(cell.length, unit_of(events))} is complete."
    told = (
        f"Of {plural(n, 'complete window')} the mean is {points(cell.sample.mean)} points against "
        f"{points(cell.unconditional)} at any time (naive t {number(cell.t_naive)}); {cell.n_apart} of them do not "
        f"overlap (t {number(cell.t_apart)})"
    )
    if cell.placebo.p is not None:
        told += f", the same calendar moved elsewhere does as well in {in_hundred(cell.placebo.p)} of 100 places"
    if cell.p_search is not None and events.search is not None:
        known = plural(events.search.trials, "trial")
        told += f", and {p_equals(cell.p_search)} after correction for the {known} known"
    few = f": fewer than {FEWEST_CYCLES} cannot hold" if len(cycles.names) < FEWEST_CYCLES else ""
    return f"{told}; {cycles.positive} of {plural(len(cycles.names), 'cycle')} are above 0{few}."


def verdict_text(events: Events) -> str:
    """Both."""
    return f"{headline(events)} {evidence(events)}"


def unit_of(events: Events) -> str:
    """What a row is."""
    return "session" if events.market.periods_per_year > 12 else "month"
