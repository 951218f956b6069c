"""Final values on real prices, as an independent simulator of the same semantics gave them (issue 2's table)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_simulator import plain_books
from worlds import assert_same_books

from backtest.account import run_backtrader, run_kernel
from backtest.account.benchmarks import hold_plan
from backtest.account.books import Books
from backtest.account.kernel import run_compiled
from backtest.account.plan import Plan, Terms, make_plan
from backtest.config import config_from_text
from backtest.data import load_market
from backtest.market import Legs, Market
from backtest.signals import relative_return
from strategies import REGISTRY

START = pd.Timestamp("2001-07-31")
TERMS = Terms(cost_rate=0.0005)

REFERENCE = {
    ("rate_cut", "hold_sessions=252"): (1403914.05114, 7, 0.114258, -0.589258),
    ("relative_momentum", "lookback_sessions=126"): (1220407.568364, 205, 0.107884, -0.536529),
    ("rate_cut_momentum", "lookback_sessions=63"): (1324665.935419, 99, 0.111610, -0.550967),
}
"""(strategy, parameter) -> final equity, rebalances, CAGR, deepest drawdown."""
HOLD_QQQ = (1705263.120234, 1, 0.123167, -0.543156)


CONFIG = """
name: reference
data:
  prices: {source: csv, folder: FOLDER}
  start: 2001-07-31
  end: 2025-12-31
strategy: {name: rate_cut}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
"""


@pytest.fixture(scope="module")
def market(real_data: Path) -> Market:
    """The default legs to the end of 2025, warm-up included, with the shipped policy decisions."""
    text = CONFIG.replace("FOLDER", str(real_data / "prices"))
    return load_market(config_from_text(text, strategies=REGISTRY))


def plan_of(market: Market, name: str, parameter: str, **terms: Any) -> Plan:
    strategy, legs = REGISTRY[name], Legs()
    key, value = parameter.split("=")
    decision = strategy.decide(market, legs, strategy.Params(**{key: int(value)}))
    weights = legs.weights(market.tickers, decision.held(legs, "growth"))
    return make_plan(market, market.tickers, weights, START, Terms(**{"cost_rate": 0.0005, **terms}))


def check_figures(books: Books, expected: tuple[float, int, float, float]) -> None:
    final, rebalances, cagr, drawdown = expected
    years = (books.sessions[-1] - books.sessions[0]).days / 365.25
    assert books.equity[-1] == pytest.approx(final, rel=1e-9)
    assert len(np.unique(books.fills.row)) == rebalances
    assert round((books.equity[-1] / 100_000) ** (1 / years) - 1, 6) == cagr
    assert round((books.equity / np.maximum.accumulate(books.equity) - 1).min(), 6) == drawdown


@pytest.mark.parametrize("question", REFERENCE, ids=lambda q: q[0])
def test_final_values_on_real_prices_are_the_reference(market: Market, question: tuple[str, str]) -> None:
    plan = plan_of(market, *question)
    books = run_backtrader(plan, REGISTRY[question[0]])
    check_figures(books, REFERENCE[question])
    assert_same_books(books, run_kernel(plan))
    assert_same_books(books, run_compiled(plan))


def test_holding_qqq_on_real_prices_is_the_reference(market: Market) -> None:
    check_figures(run_kernel(hold_plan(market, "QQQ", START, TERMS)), HOLD_QQQ)


@pytest.mark.parametrize("question", REFERENCE, ids=lambda q: q[0])
@pytest.mark.parametrize("rule", ["on_change", "monthly", 0.05])
def test_the_plain_simulator_without_a_reserve_agrees_on_real_prices(
    market: Market, question: tuple[str, str], rule: str | float
) -> None:
    """What the reserve costs over 24 years is below a billionth."""
    books = run_kernel(plan_of(market, *question, rebalance=rule))
    plain = plain_plan(market, plan_of(market, *question, rebalance=rule))
    assert books.equity == pytest.approx(plain, rel=1e-9)


def test_a_drift_waits_as_long_as_every_other_trade(market: Market) -> None:
    strategy, legs = REGISTRY["relative_momentum"], Legs()
    decision = strategy.decide(market, legs, strategy.Params(lookback_sessions=63, threshold=0.02))
    weights = legs.weights(market.tickers, decision.held(legs, "growth"))
    terms = Terms(cost_rate=0.0005, rebalance=0.02, delay_sessions=3)
    plan = make_plan(market, market.tickers, weights, START, terms)
    books = run_backtrader(plan, strategy, lookback_sessions=63, threshold=0.02)
    assert round(books.equity[-1], 2) == 1_056_243.70
    assert_same_books(books, run_kernel(plan))


def plain_plan(market: Market, plan: Plan) -> Any:
    months = market.exchange_sessions.to_period("M")
    ends = market.exchange_sessions[:-1][months[:-1] != months[1:]]
    return plain_books(
        plan.opens,
        plan.closes,
        plan.targets,
        cash=100_000.0,
        rate=0.0005,
        is_due=plan.sessions.isin(ends) if plan.terms.rebalance == "monthly" else None,
        band=np.inf if isinstance(plan.terms.rebalance, str) else plan.terms.rebalance,
        reserve=0.0,
    ).equity


@pytest.mark.slow
@pytest.mark.parametrize("question", REFERENCE, ids=lambda q: q[0])
@pytest.mark.parametrize("rule", ["on_change", "monthly", 0.01, 0.05])
@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.005])
@pytest.mark.parametrize("whole", [False, True])
def test_the_engines_agree_on_real_prices(
    market: Market, question: tuple[str, str], rule: str | float, rate: float, whole: bool
) -> None:
    plan = plan_of(market, *question, rebalance=rule, cost_rate=rate, whole_shares=whole)
    books = run_backtrader(plan, REGISTRY[question[0]])
    assert_same_books(books, run_kernel(plan))
    assert_same_books(books, run_compiled(plan))


def test_the_story_of_july_2024(market: Market) -> None:
    """Five sessions to July 16: small caps +11.5 %, QQQ -0.3 %, the widest lead since April 2001."""
    both = Legs({"growth": {"QQQ": 1.0}, "small": {"IWM": 1.0}})
    day = int(market.sessions.searchsorted(pd.Timestamp("2024-07-16")))
    small = market.close["IWM"].iloc[day] / market.close["IWM"].iloc[day - 5] - 1
    growth = market.close["QQQ"].iloc[day] / market.close["QQQ"].iloc[day - 5] - 1
    assert (round(100 * small, 2), round(100 * growth, 2)) == (11.52, -0.29)
    lead = pd.Series(relative_return(market, both["small"], both["growth"], 5), market.sessions)
    assert round(100 * lead.iloc[day], 2) == 11.81
    as_wide = lead.index[(lead >= lead.iloc[day]) & (lead.index < "2024-07-16")]
    assert as_wide[-1] == pd.Timestamp("2001-04-03")
