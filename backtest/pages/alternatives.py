"""Alternatives: what rotating was worth. Each leg held alone, and the run's own average mix, at the same costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.account import run_kernel
from backtest.account.benchmarks import mix_plan
from backtest.metrics import Calendar, calendar_of
from backtest.pages.legs import NEUTRAL, leg_looks, leg_shares
from backtest.pages.rebalances import CHANGE
from backtest.result import Result
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
    """Every leg, then the average mix, each rebalanced monthly on the run's terms."""
    calendar = calendar_of(result.sessions)
    looks = leg_looks(result.legs)
    shares = np.nan_to_num(leg_shares(result)[1:]).mean(axis=0)
    mix: dict[str, float] = {}
    for look, share in zip(looks, shares.tolist(), strict=True):
        for ticker, weight in look.basket.items():
            mix[ticker] = mix.get(ticker, 0.0) + share * weight
    cash = 1 - float(shares.sum())
    parts = [f"{percent(share, 0)} {look.label}" for look, share in zip(looks, shares.tolist(), strict=True)]
    parts += [f"{percent(cash, 0)} cash"] if cash > CHANGE else []
    own = _growth(float(result.books.equity[-1] / result.books.equity[0]), calendar)
    chosen = [(f"{look.label} alone", look.tone, f"{look.label} alone", dict(look.basket)) for look in looks]
    rows = []
    for label, tone, name, weights in [*chosen, (f"its average mix, {listed(parts)}", NEUTRAL, AVERAGE, mix)]:
        books = run_kernel(mix_plan(result.market, weights, result.sessions[0], result.plan.terms))
        growth = _growth(float(books.equity[-1] / books.equity[0]), calendar)
        rows.append(Alternative(label, tone, name, float(books.equity[-1]), growth, own - growth))
    return rows


def rotating_sentence(result: Result, rows: Sequence[Alternative]) -> str:
    """Did rotating help? The answer: what it added to the average mix, and what each leg made alone."""
    *legs, mix = rows
    unit = " a year" if calendar_of(result.sessions).is_one_year else ""
    ahead = points(mix.ahead)
    gap = f"{ahead.lstrip('+−')} points{unit}"
    told = "It changed nothing" if ahead == points(0.0) else f"By {gap}" if mix.ahead > 0 else f"No, it cost {gap}"
    alone = listed([f"{leg.label} {percent(leg.growth)}" for leg in legs])
    return f"{told}: {mix.label}, made {percent(mix.growth)}{unit} at the same costs; {alone}."


def _growth(total: float, calendar: Calendar) -> float:
    return total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
