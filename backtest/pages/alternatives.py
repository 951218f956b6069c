"""Alternatives: what rotating was worth. Each leg held alone, and the run's own average mix, at the same costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.account import run_kernel
from backtest.account.benchmarks import mix_plan
from backtest.metrics import Calendar
from backtest.pages.legs import NEUTRAL, leg_looks, leg_shares
from backtest.pages.rebalances import CHANGE
from backtest.result import Result
from backtest.text import listed, percent


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
    shares = np.nan_to_num(leg_shares(result)[1:]).mean(axis=0)
    mix: dict[str, float] = {}
    for look, share in zip(looks, shares.tolist(), strict=True):
        for ticker, weight in look.basket.items():
            mix[ticker] = mix.get(ticker, 0.0) + share * weight
    cash = 1 - float(shares.sum())
    parts = [f"{percent(share, 0)} {look.label}" for look, share in zip(looks, shares.tolist(), strict=True)]
    parts += [f"{percent(cash, 0)} cash"] if cash > CHANGE else []
    own = _growth(float(result.books.equity[-1] / result.books.equity[0]), calendar)
    chosen = [(f"{look.label} alone", look.tone, dict(look.basket)) for look in looks]
    rows = []
    for label, tone, weights in [*chosen, (f"its average mix, {listed(parts)}", NEUTRAL, mix)]:
        books = run_kernel(mix_plan(result.market, weights, result.sessions[0], result.plan.terms))
        growth = _growth(float(books.equity[-1] / books.equity[0]), calendar)
        rows.append(Alternative(label, tone, float(books.equity[-1]), growth, own - growth))
    return rows


def _growth(total: float, calendar: Calendar) -> float:
    return total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
