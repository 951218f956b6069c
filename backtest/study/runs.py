"""Running variants: decide, plan, and the compiled kernel's books; and plans of benchmarks and of static mixes.

Everything a comparison does again and again (other costs, other starting months) is a Plan changed in one place and
run by `growth`, in a tenth of a millisecond.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtest.account import Books, check_same_books, run_backtrader
from backtest.account.benchmarks import benchmark_plan, mix_weights
from backtest.account.books import check_identities
from backtest.account.kernel import compiled_books, run_compiled
from backtest.account.plan import NO_BAND, Plan, Terms, begun_at
from backtest.config import Config
from backtest.decision import Decision, target_weights
from backtest.market import Floats, Legs, Market
from backtest.metrics import Activity
from backtest.pipeline import activity_of, decide, is_rotation, legs_of, plan_of
from backtest.study.ground import Benchmark, Ground
from backtest.units import DAYS_PER_YEAR

NO_CASH = 1e-6
"""A mean share of cash up to here is the sizing's reserve against rounding."""


@dataclass(frozen=True, eq=False)
class Run:
    """One variant with all there is to it; a strategy that trades in its own `next` has decided nothing beforehand."""

    name: str
    config: Config
    strategy: Any
    legs: Legs
    decision: Decision
    plan: Plan
    books: Books

    @property
    def is_vectorised(self) -> bool:
        """Can it be run again by the kernel on other terms?"""
        return is_rotation(self.strategy)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is kept of each variant: the curve and its totals.

    equity: (sessions,) USD, base row first; cash_share: mean share of equity in cash at the close, base row left out;
    gross_growth: growth a year had trading cost nothing.
    """

    name: str
    equity: Floats
    activity: Activity
    cash_share: float
    gross_growth: float


def run_variant(ground: Ground, name: str, strategies: Mapping[str, type]) -> Run:
    """Decide and run one variant: by the compiled kernel, a `next`-style one by backtrader."""
    config = ground.configs[name]
    strategy = strategies[config.strategy.name]
    decision = decide(config, ground.market, strategy)
    plan = plan_of(config, ground.market, decision)
    books = run_compiled(plan) if is_rotation(strategy) else _by_backtrader(config, strategy, plan)
    return Run(name, config, strategy, legs_of(config), decision, plan, books)


def outcome_of(run: Run) -> Outcome:
    """The part of a run that a comparison keeps."""
    books, plan = run.books, run.plan
    if run.is_vectorised:
        gross = growth(plan, cost_rate=0.0)
    else:
        free = dataclasses.replace(plan, terms=dataclasses.replace(plan.terms, cost_rate=0.0))
        equity = _by_backtrader(run.config, run.strategy, free).equity
        gross = annual_growth(equity[-1] / equity[0], years_between(plan.sessions))
    cash = float((books.cash[1:] / books.equity[1:]).mean())
    return Outcome(
        name=run.name,
        equity=books.equity,
        activity=activity_of(books, run.legs),
        cash_share=cash if cash > NO_CASH else 0.0,
        gross_growth=gross,
    )


def check_by_backtrader(run: Run) -> None:
    """Raise EnginesDisagree unless backtrader keeps the same books to the last bit."""
    if run.is_vectorised:
        check_same_books(_by_backtrader(run.config, run.strategy, run.plan), run.books)


def _by_backtrader(config: Config, strategy: Any, plan: Plan) -> Books:
    books = run_backtrader(plan, strategy, **config.strategy.params.model_dump())
    check_identities(books, plan.terms.cash, plan.overnight)
    return books


def plan_of_benchmark(ground: Ground, benchmark: Benchmark) -> Plan:
    """The plan of a benchmark on the first variant's terms."""
    return benchmark_plan(ground.market, legs_of(ground.first), benchmark, ground.start, Terms.of(ground.first))


def with_mix(plan: Plan, legs: Legs, small_share: float, cash_share: float = 0.0) -> Plan:
    """A mix's plan with other shares."""
    weights = list(mix_weights(legs, small_share, cash_share).values())
    return dataclasses.replace(plan, targets=np.tile(weights, (len(plan.sessions), 1)))


def with_decision(run: Run, market: Market, decision: Decision) -> Plan:
    """The variant's plan with another decision, on all of the market's sessions."""
    plan = run.plan
    weights = target_weights(decision, market, run.legs, plan.tickers, run.config.strategy.initial)
    targets = np.zeros_like(plan.targets)
    rows = len(targets) - plan.first
    targets[plan.first :] = weights[len(weights) - len(targets) :][:rows]
    return dataclasses.replace(plan, targets=targets)


def growth(plan: Plan, *, begin: int = 0, cost_rate: float | None = None) -> float:
    """Compound growth a year of a plan begun at row `begin`, by the compiled kernel.

    cost_rate: another one than the plan's, as a fraction of traded value. Calendar years of 365.25 days.
    """
    if begin:
        plan = begun_at(plan, begin)
    if cost_rate is not None:
        plan = dataclasses.replace(plan, terms=dataclasses.replace(plan.terms, cost_rate=float(cost_rate)))
    equity = np.empty(len(plan.sessions))
    cash = np.empty(len(equity) if plan.band < NO_BAND else 0)
    compiled_books(plan, equity, cash, np.empty((0, 5)))
    return annual_growth(equity[-1] / equity[0], years_between(plan.sessions))


def annual_growth(factor: float, years: float) -> float:
    """Compound growth a year of what grew by `factor`."""
    return float(factor ** (1.0 / years) - 1.0)


def years_between(sessions: pd.DatetimeIndex) -> float:
    """Calendar days from the first to the last / 365.25."""
    return float((sessions[-1] - sessions[0]).days / DAYS_PER_YEAR)
