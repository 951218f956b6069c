"""Alternatives: what rotating was worth. Each leg held alone, and the run's own average mix, at the same costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backtest.account import run_kernel
from backtest.account.benchmarks import legs_plan
from backtest.metrics import Calendar, calendar_of, exposures_in
from backtest.pages.legs import NEUTRAL, leg_looks
from backtest.result import Result, holding_words
from backtest.text import listed, percent, points

AVERAGE = "its average mix"


@dataclass(frozen=True, slots=True)
class Alternative:
    """label, tone: words and colour; name: the label in few words, for a box.

    final: USD; growth: a year, over a short test in all; ahead: the strategy's growth minus it.
    """

    label: str
    tone: str
    name: str
    final: float
    growth: float
    ahead: float


def alternatives_of(result: Result) -> list[Alternative]:
    """Every leg, then the average mix, rebalanced monthly on the run's terms; without those that bought nothing."""
    calendar = calendar_of(result.sessions)
    looks = leg_looks(result.legs)
    own_mix = exposures_in(result.metrics, result.legs)
    own = _growth(float(result.books.equity[-1] / result.books.equity[0]), calendar)
    chosen = [(f"{look.label} alone", look.tone, f"{look.label} alone", result.legs.alone(look.name)) for look in looks]
    rows = []
    for label, tone, name, shares in [
        *chosen,
        (f"its average mix, {holding_words(result.legs, own_mix)}", NEUTRAL, AVERAGE, own_mix),
    ]:
        books = run_kernel(legs_plan(result.market, result.legs, shares, result.sessions[0], result.plan.terms))
        if not len(books.fills.row):
            continue
        growth = _growth(float(books.equity[-1] / books.equity[0]), calendar)
        rows.append(Alternative(label, tone, name, float(books.equity[-1]), growth, own - growth))
    return rows


def rotating_sentence(result: Result, rows: Sequence[Alternative]) -> str:
    """Did rotating help? The answer: what it added to the average mix, and what each leg made alone."""
    legs, mix = split(rows)
    if mix is None:
        return "Nothing can be said: with whole shares this account cannot hold its own average mix."
    unit = " a year" if calendar_of(result.sessions).is_one_year else ""
    ahead = points(mix.ahead)
    gap = f"{ahead.lstrip('+−')} points{unit}"
    told = "It changed nothing" if ahead == points(0.0) else f"By {gap}" if mix.ahead > 0 else f"No, it cost {gap}"
    alone = listed([f"{leg.label} {percent(leg.growth)}" for leg in legs])
    return f"{told}: {mix.label}, made {percent(mix.growth)}{unit} at the same costs{f'; {alone}' if alone else ''}."


def split(rows: Sequence[Alternative]) -> tuple[list[Alternative], Alternative | None]:
    """The legs, and the average mix where it is among them."""
    return [row for row in rows if row.name != AVERAGE], next((row for row in rows if row.name == AVERAGE), None)


def _growth(total: float, calendar: Calendar) -> float:
    return total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
