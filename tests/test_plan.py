"""Plan: a decision on the sessions of a test, held back by a delay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, hand_market, rotation_market

from backtest.account.plan import NO_BAND, Plan, Terms, make_plan
from backtest.errors import ConfigError

MARKET = hand_market("2024-09-25", G=np.arange(10.0, 18.0).tolist(), S=[5.0] * 8, tbill=0.052)
"""Eight sessions from Wednesday, September 25; row 3 is the last of the month."""
WEIGHTS = np.column_stack([np.linspace(0.1, 0.8, 8), np.linspace(0.9, 0.2, 8)])


def plan(start: str = "2024-09-25", **terms: Any) -> Plan:
    return make_plan(MARKET, PAIR.tickers, WEIGHTS, pd.Timestamp(start), Terms(**terms))


def test_without_a_delay_the_targets_are_the_decisions() -> None:
    assert (plan().targets == WEIGHTS).all()
    assert plan().first == 0


def test_a_plan_begins_with_the_first_session_from_the_start_on() -> None:
    later = plan("2024-09-28")
    assert f"{later.sessions[0]:%Y-%m-%d}" == "2024-09-30"
    assert later.opens[:, 0].tolist() == [13.0, 14.0, 15.0, 16.0, 17.0]
    assert (later.targets == WEIGHTS[3:]).all()


def test_a_delay_moves_decisions_down_and_leaves_rows_that_are_never_acted_upon() -> None:
    held = plan(delay_sessions=3)
    assert held.first == 2
    assert (held.targets[:2] == 0.0).all()
    assert (held.targets[2:] == WEIGHTS[:-2]).all()
    assert (held.closes == plan().closes).all()


def test_a_decision_before_the_start_is_not_acted_upon_however_long_the_delay() -> None:
    held = plan("2024-09-27", delay_sessions=3)
    assert (held.targets[:2] == 0.0).all()
    assert (held.targets[2:] == WEIGHTS[2:-2]).all()


@pytest.mark.parametrize(("delay", "row"), [(1, 3), (2, 4), (5, 7), (6, None)])
def test_a_calendars_rebalance_is_held_back_as_decisions_are(delay: int, row: int | None) -> None:
    due = np.flatnonzero(plan(rebalance="monthly", delay_sessions=delay).is_scheduled).tolist()
    assert due == ([] if row is None else [row])


@pytest.mark.parametrize("rebalance", ["on_change", 0.05])
def test_only_a_calendars_rule_schedules(rebalance: str | float) -> None:
    assert not plan(rebalance=rebalance).is_scheduled.any()


def test_a_band_is_infinite_without_a_drift_rule() -> None:
    assert plan(rebalance=0.05).band == 0.05
    assert plan().band == plan(rebalance="monthly").band == NO_BAND


def test_interest_begins_with_the_first_night_of_the_test() -> None:
    """The night before the test earned something too, though not for this account."""
    nights = plan("2024-09-27", earns_tbill=True).overnight
    assert nights[0] == 0.0
    assert nights[1] == pytest.approx(3 * 365 * 0.052 / (360 - 91 * 0.052) / 365, rel=1e-14)
    assert not plan().overnight.any()


def test_a_delay_longer_than_the_test_leaves_nothing_to_act_upon() -> None:
    assert not plan(delay_sessions=20).targets.any()


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
        ({"rebalance": "weekly"}, "rebalance: found 'weekly', expected on_change, monthly or a band such as 0.05"),
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
