"""Alternatives: what rotating was worth. Each leg held alone, and the run's own average mix, at the same costs."""

from __future__ import annotations

from dataclasses import dataclass

from backtest.account import run_kernel
from backtest.account.benchmarks import legs_plan
from backtest.metrics import Calendar, exposures_in
from backtest.pages.legs import NEUTRAL, leg_looks
from backtest.result import Result, holding_words


@dataclass(frozen=True, slots=True)
class Alternative:
    """label, tone: words and colour. final: USD; growth: a year, over a short test in all; ahead: ours minus it."""

    label: str
    tone: str
    final: float
    growth: float
    ahead: float


def alternatives_of(result: Result, calendar: Calendar) -> list[Alternative]:
    """Every leg, then the average mix, each rebalanced monthly on the run's terms."""
    looks = leg_looks(result.legs)
    own_mix = exposures_in(result.metrics, result.legs)
    own = _growth(float(result.books.equity[-1] / result.books.equity[0]), calendar)
    chosen = [(f"{look.label} alone", look.tone, result.legs.alone(look.name)) for look in looks]
    rows = []
    for label, tone, shares in [
        *chosen,
        (f"its average mix, {holding_words(result.legs, own_mix)}", NEUTRAL, own_mix),
    ]:
        books = run_kernel(legs_plan(result.market, result.legs, shares, result.sessions[0], result.plan.terms))
        growth = _growth(float(books.equity[-1] / books.equity[0]), calendar)
        rows.append(Alternative(label, tone, float(books.equity[-1]), growth, own - growth))
    return rows


def _growth(total: float, calendar: Calendar) -> float:
    return total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
