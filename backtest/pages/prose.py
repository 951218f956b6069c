"""Prose: the sentences at the top of the page. Result first, then the fair comparison, then the price of it.

No adjective that a number does not carry; every number is one of the metrics at its printed digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.pages.evidence import evidence_rows
from backtest.pages.falls import Fall
from backtest.pages.moves import ALL_CASH, Move
from backtest.result import Figures, Result
from backtest.text import (
    capital,
    day,
    duration,
    month,
    number,
    percent,
    plural,
    points,
    title_of,
    usd,
    usd_words,
)

BEYOND_LUCK = 2.0
"""Size of a t-statistic from which a difference is unlikely to be luck, when one rule was tried."""

SHOWN_BENCHMARKS = 3
"""Benchmarks beside the strategy on the first screen and in the calendar years; the full table has all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the boxes under the headline. mood: class of its colour; is_wide: a line of its own on a phone."""

    label: str
    value: str
    unit: str
    note: str
    mood: str
    is_wide: bool = False


def headline(result: Result) -> str:
    """The run in one sentence, its comparison with the first benchmark and, if need be, its caveat included."""
    start, final = usd_words(float(result.books.equity[0])), usd_words(float(result.books.equity[-1]))
    name = title_of(result.config.name)
    subject = f"On simulated prices, {name}" if result.market.is_simulated else capital(name)
    if not len(result.books.fills.row):
        return f"{subject} never traded: {start} {'stayed' if start == final else 'became'} {final}."
    growth, unit = _growth(result.metrics)
    told = f"{percent(growth)}{unit}" if unit else f"{percent(growth)} in {plural(len(result.sessions) - 1, 'session')}"
    return f"{subject} turned {start} into {final}: {told}{_against_first(result)}."


def lede(result: Result, worst: Fall | None) -> str:
    """What follows the rule: the worst fall and the price of trading."""
    per_year = result.market.periods_per_year
    days = result.sessions.to_numpy()
    if worst is None:
        fall = "It never closed below an earlier close."
    else:
        back = f"regained after {duration(worst.sessions, per_year)}" if worst.back is not None else "not yet regained"
        between = f"from {month(days[worst.peak])} to {month(days[worst.trough])}"
        fall = f"The worst fall was {percent(worst.depth, 0)}, {between}, {back}."
    count = int(result.metrics["rebalances"] or 0)
    if not count:
        return fall
    years = (days[-1] - days[0]).astype("timedelta64[D]").astype(int) / 365.25
    pace = f", {number(count / years, 1)} times a year," if years >= 1 else ""
    costs = usd(result.metrics["costs_usd"])
    traded = f"It traded on {number(count, 0)} of {plural(len(days) - 1, 'session')}"
    return f"{fall} {traded}{pace} and paid {costs} in trading costs."


def verdicts(result: Result, moves: Sequence[Move]) -> list[Verdict]:
    """Against each benchmark (the first few), skill or luck, and what is held now."""
    own, unit = _growth(result.metrics)
    boxes = []
    for name in list(result.benchmarks)[:SHOWN_BENCHMARKS]:
        other, _ = _growth(result.benchmark_metrics[name])
        difference = own - other
        mood = "" if _prints_as_zero(difference) else "ahead" if difference > 0 else "behind"
        note = f"{percent(own)} against {percent(other)}"
        boxes.append(Verdict(f"vs {benchmark_label(name)}", points(difference), f"points{unit}", note, mood))
    return [*boxes, *_luck(result), _now(result, moves)]


def _growth(figures: Figures) -> tuple[float, str]:
    """Return a year, or over a test shorter than one year the total return; and how its unit ends."""
    cagr = figures["cagr"]
    if cagr is not None:
        return float(cagr), " a year"
    total = figures["total_return"]
    assert total is not None, "the total return is always defined"
    return float(total), ""


def _against_first(result: Result) -> str:
    first = next(iter(result.benchmarks), None)
    if first is None:
        return ""
    difference = _growth(result.metrics)[0] - _growth(result.benchmark_metrics[first])[0]
    label = benchmark_label(first)
    if _prints_as_zero(difference):
        return f", the same as {label}"
    return f", {points(abs(difference), sign='')} points {'more' if difference > 0 else 'less'} than {label}"


def _prints_as_zero(difference: float) -> bool:
    return points(difference) == points(0.0)


def _luck(result: Result) -> list[Verdict]:
    """The t-statistic of the mean difference to the first benchmark: information ratio x root of the years."""
    ratio = result.metrics.get("information_ratio")
    if ratio is None:
        return []
    years = (len(result.sessions) - 1) / result.market.periods_per_year
    t = float(ratio) * years**0.5
    is_open = abs(t) < BEYOND_LUCK
    value = "Not proven" if is_open else "Beyond luck"
    if is_open:
        note = "Differences with |t| below 2 are within luck."
    else:
        note = "Before counting how many rules were tried." if t > 0 else "Behind by more than luck explains."
    label = f"Skill or luck, vs {benchmark_label(next(iter(result.benchmarks)))}"
    return [Verdict(label, value, f"t = {number(t, 1)}", note, "open", is_wide=True)]


def _now(result: Result, moves: Sequence[Move]) -> Verdict:
    """What is held at the last close; the evidence for it, or the trade that is due."""
    holding = moves[-1].holding if moves else ALL_CASH
    last = np.datetime64(result.sessions[-1], "D")
    why = result.pending or result.decision.why(len(result.market.sessions) - 1, result.legs)
    note = " ".join([why.rstrip(".") + ".", *_turning_points(result)])
    return Verdict(f"At the last close, {day(last)}", f"Holds {holding.label}", "", note, holding.tone, is_wide=True)


def _turning_points(result: Result) -> Iterator[str]:
    """Where each series would turn, when that is not plainly zero: a latched signal may hold against its own sign."""
    for evidence, row in zip(result.decision.evidence, evidence_rows(result), strict=True):
        if any(evidence.thresholds):
            yield f"{row.label}: turns at {row.turns_at}."
