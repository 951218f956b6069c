"""Costs: what trading took, and what the same rule would have come to at other costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from backtest.account import run_kernel
from backtest.metrics import Calendar
from backtest.pages.moves import Move
from backtest.result import Result
from backtest.units import BPS

OTHER_BPS = (0.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True, slots=True)
class AtCost:
    """The same plan at another rate of costs: final value in USD, return a year (over a short test: in all)."""

    bps: float
    final: float
    growth: float
    is_this: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """paid, traded: USD. drag: return a year that costs took, a fraction; None where no other cost can be tried."""

    paid: float
    traded: float
    fills: int
    drag: float | None
    at: list[AtCost]


def costs_of(result: Result, moves: Sequence[Move], calendar: Calendar) -> Costs:
    """Totals of the books, and one call of the kernel for each other cost."""
    at = _at_other_costs(result, calendar)
    own = next((row.growth for row in at if row.is_this), None)
    return Costs(
        paid=sum(move.cost for move in moves),
        traded=sum(move.traded for move in moves),
        fills=sum(move.fills for move in moves),
        drag=None if own is None else at[0].growth - own,
        at=at,
    )


def own_bps(result: Result) -> float:
    """Commission and slippage of this run, in basis points of traded value."""
    return round(result.plan.terms.cost_rate / BPS, 6)


def _at_other_costs(result: Result, calendar: Calendar) -> list[AtCost]:
    """Nothing for a strategy that trades in its own `next`: only a plan can be run again, and it made none."""
    if result.decision.is_observed:
        return []
    own = own_bps(result)
    rows = []
    for bps in sorted({*OTHER_BPS, own}):
        terms = dataclasses.replace(result.plan.terms, cost_rate=bps * BPS)
        is_this = bps == own
        books = result.books if is_this else run_kernel(dataclasses.replace(result.plan, terms=terms))
        total = float(books.equity[-1] / books.equity[0])
        growth = total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
        rows.append(AtCost(bps, float(books.equity[-1]), growth, is_this))
    return rows
