"""Plan: a decision on the sessions of a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, hand_market, rotation_market

from backtest.account.plan import NO_BAND, Plan, Terms, make_plan
from backtest.config import load_config
from backtest.errors import ConfigError
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"

MARKET = hand_market("2024-09-25", G=np.arange(10.0, 18.0).tolist(), S=[5.0] * 8, tbill=0.052)
"""Eight sessions from Wednesday, September 25; row 3 is the last of the month."""
WEIGHTS = np.column_stack([np.linspace(0.1, 0.8, 8), np.linspace(0.9, 0.2, 8)])


def plan(start: str = "2024-09-25", **terms: Any) -> Plan:
    return make_plan(MARKET, PAIR.tickers, WEIGHTS, pd.Timestamp(start), Terms(**terms))


def test_without_a_delay_the_targets_are_the_decisions() -> None:
    assert (plan().targets == WEIGHTS).all()
    assert plan().lag == 0


def test_a_plan_begins_with_the_first_session_from_the_start_on() -> None:
    later = plan("2024-09-28")
    assert f"{later.sessions[0]:%Y-%m-%d}" == "2024-09-30"
    assert later.opens[:, 0].tolist() == [13.0, 14.0, 15.0, 16.0, 17.0]
    assert (later.targets == WEIGHTS[3:]).all()


def test_a_delay_leaves_decisions_where_they_were_made_and_says_how_long_they_wait() -> None:
    waiting = plan("2024-09-27", delay_sessions=3)
    assert waiting.lag == 2
    assert (waiting.targets == WEIGHTS[2:]).all()
    assert plan(fill="close", delay_sessions=0).lag == -1


def test_fills_at_the_close_trade_at_the_closes() -> None:
    made = plan(fill="close")
    assert (made.opens == made.closes).all()
    assert (made.closes == plan().closes).all()


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("daily", range(8)),
        ("weekly", [2, 7]),
        ("monthly", [3]),
        ("quarterly", [3]),
        ("annual", []),
        (4, [0, 4]),
    ],
)
def test_a_calendar_schedules_the_last_sessions_of_its_periods(rule: str | int, rows: Any) -> None:
    """The exchange's calendar begins on 2023-01-02, so that September 25, 2024 is its session 452."""
    due = np.flatnonzero(plan(rebalance=rule, delay_sessions=2).is_scheduled).tolist()
    assert due == list(rows)


@pytest.mark.parametrize("rebalance", ["on_change", 0.05])
def test_only_a_calendars_rule_schedules(rebalance: str | float) -> None:
    assert not plan(rebalance=rebalance).is_scheduled.any()


def test_a_band_is_infinite_without_a_drift_rule() -> None:
    assert plan(rebalance=0.05).band == 0.05
    assert plan().band == plan(rebalance="monthly").band == NO_BAND


@pytest.mark.parametrize(
    ("rebalance", "due"),
    [
        ("monthly", ["order", "first", "order", "decision", "calendar", "order", "order", "order"]),
        ("daily", ["order", "first", "calendar", "decision", *["calendar"] * 4]),
        (0.05, ["drift", "first", "drift", "decision", *["drift"] * 4]),
    ],
)
def test_why_trades_are_due_is_the_first_decision_another_one_the_calendar_or_drift(
    rebalance: str | float, due: list[str]
) -> None:
    weights = np.array([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 6)
    made = make_plan(MARKET, PAIR.tickers, weights, MARKET.sessions[0], Terms(rebalance=rebalance))
    assert [made.trigger(row) for row in range(8)] == due


@pytest.mark.parametrize(
    ("written", "rule"), [("weekly", "weekly"), ("{drift: 0.05}", 0.05), ("{every_sessions: 21}", 21)]
)
def test_the_terms_of_a_config_have_its_rule_of_rebalancing(written: str, rule: str | float) -> None:
    config = load_config(QUICKSTART, strategies=REGISTRY, overrides=[f"execution.rebalance={written}"])
    assert Terms.of(config).rebalance == rule


def test_interest_begins_with_the_first_night_of_the_test() -> None:
    """The night before the test earned something too, though not for this account."""
    nights = plan("2024-09-27", earns_tbill=True).overnight
    assert nights[0] == 0.0
    assert nights[1] == pytest.approx(3 * 365 * 0.052 / (360 - 91 * 0.052) / 365, rel=1e-14)
    assert not plan().overnight.any()


@pytest.mark.parametrize("start", [0, 3])
def test_tables_are_laid_out_as_the_compiled_kernel_wants_them(start: int) -> None:
    """One layout, whatever pandas did: any other one would be compiled anew, for seconds."""
    market = rotation_market(3, sessions=50)
    weights = np.asfortranarray(np.full((50, 4), 0.25))
    made = make_plan(market, market.tickers, weights, market.sessions[start], Terms(earns_tbill=True))
    for table in (made.opens, made.closes, made.targets, made.is_scheduled, made.overnight):
        assert table.flags.c_contiguous
        assert table.flags.writeable


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (
            {"rebalance": "yearly"},
            "rebalance: found 'yearly', expected on_change, daily, weekly, monthly, quarterly, annual",
        ),
        ({"rebalance": 0}, "rebalance: found 0"),
        ({"fill": "noon"}, "fill: found 'noon', expected open or close"),
        ({"fill": "close", "delay_sessions": -1}, "delay_sessions: found -1, expected a whole number from 0 on"),
        ({"rebalance": 0.0}, "rebalance: found 0.0"),
        ({"rebalance": 1.0}, "rebalance: found 1.0"),
        ({"rebalance": float("nan")}, "rebalance: found nan"),
        ({"delay_sessions": 0}, "delay_sessions: found 0, expected a whole number from 1 on"),
        ({"delay_sessions": 1.5}, "delay_sessions: found 1.5"),
    ],
)
def test_terms_that_are_none_are_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Terms(**terms)
