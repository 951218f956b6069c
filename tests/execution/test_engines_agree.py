"""Backtrader, the kernel and the compiled kernel keep the same books, to the last bit, in every world tried."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import EXCHANGE, World, assert_same_books, is_month_end, market_of, worlds

from backtest.account import check_same_books, run_backtrader, run_kernel
from backtest.account.books import check_identities
from backtest.account.kernel import run_compiled
from backtest.account.plan import Plan, Terms, make_plan
from backtest.account.strategy import RotationStrategy
from backtest.errors import EnginesDisagree

few = settings(max_examples=25, deadline=None, derandomize=True)
many = settings(max_examples=200, deadline=None, derandomize=True)


def check_engines(plan: Plan) -> None:
    books = run_backtrader(plan, RotationStrategy)
    kernel = run_kernel(plan)
    assert_same_books(books, kernel)
    assert_same_books(kernel, run_compiled(plan))
    check_same_books(books, kernel)
    check_identities(books, plan.terms.cash, plan.overnight)


@given(worlds())
@few
def test_the_engines_keep_the_same_books(world: World) -> None:
    check_engines(world.plan)


@pytest.mark.slow
@given(worlds())
@many
def test_the_engines_keep_the_same_books_in_200_worlds(world: World) -> None:
    check_engines(world.plan)


@pytest.mark.slow
@given(worlds(whole=True))
@many
def test_the_engines_keep_the_same_books_in_200_worlds_of_whole_shares(world: World) -> None:
    check_engines(world.plan)


@st.composite
def round_worlds(draw: st.DrawFn) -> Plan:
    """Prices and weights between which amounts come out even: the coincidences on which rounding decides."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, tickers = 50, draw(st.integers(2, 4))
    days = EXCHANGE[300 : 300 + count]
    names = [f"T{i}" for i in range(tickers)]
    steps = rng.choice([1.0, 1.0, 1.25, 0.8, 2.0, 0.5], (count, tickers), p=[0.3, 0.3, 0.13, 0.13, 0.07, 0.07])
    prices = np.round(rng.choice([10.0, 20.0, 25.0, 40.0, 100.0], tickers) * steps.cumprod(axis=0), 2)
    frame = pd.DataFrame(np.maximum(prices, 0.01), days, names)
    kind = draw(st.sampled_from(["one", "even", "half in cash"]))
    choice = rng.integers(0, tickers, count).repeat(3)[:count]
    weights = {
        "one": np.eye(tickers)[choice],
        "even": np.where(choice[:, None] % 2 == 0, np.full(tickers, 1.0 / tickers), np.eye(tickers)[choice]),
        "half in cash": 0.5 * np.eye(tickers)[choice],
    }[kind]
    rate = draw(st.sampled_from([0.0, 0.0005]))
    rule: Any = draw(st.sampled_from(["on_change", "monthly", 0.01]))
    terms = Terms(cost_rate=rate, whole_shares=draw(st.booleans()), rebalance=rule)
    return make_plan(market_of(frame, frame, exchange=EXCHANGE), tuple(names), weights, days[0], terms)


@given(round_worlds())
@few
def test_the_engines_agree_where_amounts_come_out_even(plan: Plan) -> None:
    check_engines(plan)


@pytest.mark.slow
@given(round_worlds())
@many
def test_the_engines_agree_where_amounts_come_out_even_in_200_worlds(plan: Plan) -> None:
    check_engines(plan)


@pytest.mark.parametrize("fall", [10.0, 1_000.0, 10_000.0])
@pytest.mark.parametrize("whole", [False, True])
def test_a_position_that_fell_far_below_its_cost_is_rotated_without_a_refusal(fall: float, whole: bool) -> None:
    """Cost basis plus profit cancels there: the reserve is for this."""
    rng = np.random.default_rng(7)
    count = 60
    days = EXCHANGE[300 : 300 + count]
    slide = 317.31 * fall ** (-np.arange(count) / 20.0)
    steady = 41.7 * np.exp(rng.normal(0, 0.01, count).cumsum())
    close = pd.DataFrame({"A": np.maximum(slide, 317.31 / fall), "B": steady, "C": steady[::-1]}, days)
    opens = close * np.exp(rng.normal(0, 0.01, close.shape))
    weights = np.zeros((count, 3))
    weights[:25, 0] = 1.0
    weights[25:40] = [0.0, 0.5, 0.5]
    weights[40:] = [0.3, 0.3, 0.4]
    terms = Terms(cash=1e9, cost_rate=0.0005, whole_shares=whole)
    plan = make_plan(market_of(opens, close, exchange=EXCHANGE), ("A", "B", "C"), weights, days[0], terms)
    check_engines(plan)
    assert len(run_kernel(plan).fills.row) == 1 + 3 + 3


def tiny_plan(**changes: Any) -> Plan:
    days = EXCHANGE[300:330]
    frame = pd.DataFrame({"A": np.linspace(10, 13, 30), "B": np.linspace(20, 19, 30)}, days)
    weights = np.tile([0.5, 0.5], (30, 1))
    plan = make_plan(market_of(frame, frame, exchange=EXCHANGE), ("A", "B"), weights, days[0], Terms(cost_rate=0.001))
    return dataclasses.replace(plan, **changes)


def test_nothing_is_traded_when_the_first_target_is_cash() -> None:
    plan = tiny_plan(targets=np.zeros((30, 2)))
    check_engines(plan)
    assert len(run_kernel(plan).fills.row) == 0


def test_a_purchase_that_follows_an_initial_time_in_cash_is_the_first_fill() -> None:
    targets = np.zeros((30, 2))
    targets[9:] = [0.0, 1.0]
    plan = tiny_plan(targets=targets)
    check_engines(plan)
    assert run_kernel(plan).fills.row.tolist() == [10]


@pytest.mark.parametrize("rebalance", ["on_change", 0.01, "daily"])
def test_a_delay_longer_than_the_test_trades_nothing(rebalance: str | float) -> None:
    plan = tiny_plan(terms=Terms(rebalance=rebalance, delay_sessions=31))
    check_engines(plan)
    assert len(run_kernel(plan).fills.row) == 0


def test_a_band_of_a_drift_rule_and_a_calendar_may_fall_due_together() -> None:
    plan = tiny_plan(terms=Terms(cost_rate=0.001, rebalance=0.0001))
    plan = dataclasses.replace(plan, is_scheduled=is_month_end(plan.sessions))
    check_engines(plan)
    due = np.flatnonzero(plan.is_scheduled) + 1
    assert 0 < len(due) < len(np.unique(run_kernel(plan).fills.row))
    assert np.isin(due, run_kernel(plan).fills.row).all()


def test_one_ticker_held_at_a_monthly_rule_is_bought_once() -> None:
    """The reserve alone must not cause trades: it is below the dust."""
    days = EXCHANGE[300:800]
    frame = pd.DataFrame({"A": 50 * np.exp(np.random.default_rng(3).normal(0, 0.01, 500).cumsum())}, days)
    terms = Terms(cost_rate=0.0005, rebalance="monthly")
    plan = make_plan(market_of(frame, frame, exchange=EXCHANGE), ("A",), np.ones((500, 1)), days[0], terms)
    check_engines(plan)
    assert len(run_kernel(plan).fills.row) == 1


@pytest.mark.parametrize("field", ["equity", "cash"])
def test_one_bit_of_difference_is_an_error_that_names_the_day(field: str) -> None:
    books = run_kernel(tiny_plan())
    values = getattr(books, field).copy()
    values[7] = np.nextafter(values[7], np.inf)
    with pytest.raises(EnginesDisagree, match=f"{field} on {books.sessions[7]:%Y-%m-%d}"):
        check_same_books(dataclasses.replace(books, **{field: values}), books)


@pytest.mark.parametrize("field", ["row", "ticker", "size", "price", "cost"])
def test_one_bit_of_difference_in_a_fill_is_an_error_that_names_it(field: str) -> None:
    books = run_kernel(tiny_plan())
    values = getattr(books.fills, field).copy()
    values[1] = np.nextafter(values[1], np.inf) if values.dtype == float else values[1] + 1
    other = dataclasses.replace(books, fills=dataclasses.replace(books.fills, **{field: values}))
    with pytest.raises(EnginesDisagree, match=f"{field} of fill 2"):
        check_same_books(books, other)


def test_a_missing_fill_is_an_error() -> None:
    books = run_kernel(tiny_plan())
    fewer = {f.name: getattr(books.fills, f.name)[:-1] for f in dataclasses.fields(books.fills)}
    with pytest.raises(EnginesDisagree, match="made 2 fills, the kernel 1"):
        check_same_books(books, dataclasses.replace(books, fills=dataclasses.replace(books.fills, **fewer)))
