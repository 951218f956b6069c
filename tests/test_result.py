"""Result: why each fill was made, when it was decided, and what is still to be traded."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, assert_same_books, hand_market, small_in

from backtest.account import run_backtrader, run_kernel
from backtest.account.plan import Terms, make_plan
from backtest.account.strategy import RotationStrategy
from backtest.decision import target_weights
from backtest.market import Market
from backtest.result import Result


def market_of_days(sessions: int, **given: Any) -> Market:
    """From Wednesday, September 25, 2024; G at 100 and S at 50, unless given."""
    return hand_market("2024-09-25", **{"G": [100.0] * sessions, "S": [50.0] * sessions, **given})


def result_of(
    shares: list[float], *, market: Market | None = None, cash: Any = 0.0, start: str = "2024-09-25", **terms: Any
) -> Result:
    """A run of the given small shares, one per session of the market."""
    market = market or market_of_days(len(shares))
    decision = small_in(np.array(shares), cash, reason=lambda row: f"row {row} said so")
    weights = target_weights(decision, PAIR, PAIR.tickers, "growth")
    plan = make_plan(market, PAIR.tickers, weights, pd.Timestamp(start), Terms(**terms))
    books = run_kernel(plan)
    assert_same_books(run_backtrader(plan, RotationStrategy), books)
    config: Any = SimpleNamespace(strategy=SimpleNamespace(initial="growth"))
    return Result(config, market, PAIR, "By hand.", decision, plan, books, {}, {}, {}, {})


def told(result: Result) -> list[tuple[Any, ...]]:
    """(date, decision date, ticker and side, reason) of each fill."""
    trades = result.trades
    return [
        (f"{t.date:%m-%d}", f"{t.decision_date:%m-%d}", f"{t.side} {t.ticker}", t.reason)
        for t in trades.itertuples(index=False)
    ]


def test_each_trade_names_the_close_it_was_decided_at() -> None:
    assert told(result_of([0.0, 0.0, 1.0, 1.0, 1.0])) == [
        ("09-26", "09-25", "buy G", "First purchase. Row 0 said so"),
        ("09-30", "09-27", "sell G", "Row 2 said so"),
        ("09-30", "09-27", "buy S", "Row 2 said so"),
    ]


def test_a_delay_lies_between_the_decision_and_the_trade() -> None:
    assert told(result_of([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], delay_sessions=3)) == [
        ("09-30", "09-25", "buy G", "First purchase. Row 0 said so"),
        ("10-01", "09-26", "sell G", "Row 1 said so"),
        ("10-01", "09-26", "buy S", "Row 1 said so"),
    ]


def test_a_start_after_the_first_price_counts_rows_of_the_market() -> None:
    market = market_of_days(5)
    market = dataclasses.replace(market, raw_open=market.open + np.arange(5.0)[:, None])
    result = result_of([0.0, 0.0, 0.0, 1.0, 1.0], market=market, start="2024-09-27")
    assert [row[:3] for row in told(result)] == [
        ("09-30", "09-27", "buy G"),
        ("10-01", "09-30", "sell G"),
        ("10-01", "09-30", "buy S"),
    ]
    assert result.decisions.index[0] == result.sessions[0] == pd.Timestamp("2024-09-27")
    assert result.trades["raw_price"].tolist() == [103.0, 104.0, 54.0]


def test_a_start_in_cash_makes_the_first_purchase_a_decision() -> None:
    result = result_of([0.0] * 4, cash=np.array([1.0, 1.0, 0.0, 0.0]))
    assert told(result) == [("09-30", "09-27", "buy G", "Row 2 said so")]


@pytest.mark.parametrize(("delay", "date", "decided"), [(1, "10-01", "09-30"), (2, "10-02", "09-30")])
def test_a_monthly_rebalance_says_so(delay: int, date: str, decided: str) -> None:
    market = market_of_days(8, G=[100.0] * 4 + [150.0] * 4)
    trades = told(result_of([0.5] * 8, market=market, rebalance="monthly", delay_sessions=delay))
    assert [row[:2] for row in trades[2:]] == [(date, decided)] * 2
    assert trades[2][3] == "Monthly rebalance to the same target. Row 3 said so"


@pytest.mark.parametrize("delay", [1, 3])
def test_a_drift_waits_as_long_as_a_decision_after_the_close_that_found_it(delay: int) -> None:
    market = market_of_days(12, G=[100.0] * 5 + [200.0] * 7)
    trades = told(result_of([0.5] * 12, market=market, rebalance=0.1, delay_sessions=delay))
    assert [row[:2] for row in trades[2:]] == [({1: "10-03", 3: "10-07"}[delay], "10-02")] * 2
    assert trades[2][3] == "A weight had drifted by more than 10.0%. Row 5 said so"


def test_a_new_decision_at_a_months_end_is_a_decision() -> None:
    trades = told(result_of([0.0, 0.0, 0.0, 1.0, 1.0], rebalance="monthly"))
    assert [row[3] for row in trades[1:]] == ["Row 3 said so"] * 2


def test_what_a_next_style_strategy_orders_is_its_own_and_no_drift() -> None:
    result = result_of([0.0] * 6)
    assert (result.plan.trigger(4), result.decided_at(4)) == ("order", 3)
    assert result.reason(4) == "Row 3 said so"


@pytest.mark.parametrize(
    ("shares", "delay", "day"),
    [
        ([0.0, 0.0, 0.0, 0.0, 1.0], 1, "10-01"),
        ([0.0, 0.0, 0.0, 1.0, 1.0], 1, None),
        ([0.0, 0.0, 0.0, 1.0, 1.0], 2, "09-30"),
        ([0.0, 0.0, 1.0, 1.0, 1.0], 2, None),
        ([0.0, 0.0, 1.0, 1.0, 1.0], 3, "09-27"),
        ([0.0, 0.0, 1.0, 0.0, 0.0], 3, "09-30"),
        ([0.0, 0.0, 0.0, 0.0, 0.0], 3, None),
    ],
)
def test_a_decision_that_no_session_has_traded_is_pending(shares: list[float], delay: int, day: str | None) -> None:
    result = result_of(shares, delay_sessions=delay)
    if day is None:
        assert result.pending is None
    else:
        assert result.pending is not None
        assert result.pending.startswith(f"Decided at the close of 2024-{day} and not traded yet: ")


def test_what_is_pending_names_the_share_and_the_reason() -> None:
    assert result_of([0.0, 0.0, 0.75]).pending == (
        "Decided at the close of 2024-09-27 and not traded yet: 25% growth and 75% small caps. Row 2 said so"
    )


def test_a_share_of_nothing_is_not_pending() -> None:
    """All in cash, it does not matter which leg would be held."""
    assert result_of([0.0, 0.0, 1.0], cash=1.0).pending is None
    assert result_of([0.0, 0.0, 0.0], cash=np.array([0.0, 0.0, 1.0])).pending is not None


def test_the_curve_begins_with_the_cash_and_tells_what_is_held() -> None:
    result = result_of([0.0, 0.0, 1.0, 1.0], whole_shares=True)
    frame = result.equity
    assert list(frame.columns) == ["equity", "cash", "share_growth", "share_small", "weight_G", "weight_S"]
    assert frame["equity"].tolist() == [100_000.0] * 4
    assert frame["cash"].tolist() == [100_000.0, 0.0, 0.0, 0.0]
    assert frame["share_small"].round(12).tolist() == [0.0, 0.0, 0.0, 1.0]
    assert frame["weight_G"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert result.decisions["share_small"].tolist() == [0.0, 0.0, 1.0, 1.0]
