"""The window that a cut opens, against a loop that follows the decisions session by session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import hand_market, rotation_market

from backtest.market import Market
from backtest.signals import cut_window

few = settings(max_examples=10, deadline=None, derandomize=True)


def left(changes: dict[str, int], hold: int = 3, minimum: int = 25, sessions: int = 8, **given: Any) -> list[int]:
    market = hand_market("2024-09-16", G=[1.0] * sessions, S=[1.0] * sessions, changes=changes, **given)
    window = cut_window(market, hold_sessions=hold, min_cut_bps=minimum)
    return [int(left) for left in window.sessions_left]


def test_a_window_counts_down_from_the_session_of_the_cut() -> None:
    assert left({"2024-09-18 14:00": -50}) == [0, 0, 3, 2, 1, 0, 0, 0]


def test_a_further_cut_restarts_it() -> None:
    assert left({"2024-09-18 14:00": -50, "2024-09-20 14:00": -25}) == [0, 0, 3, 2, 3, 2, 1, 0]


def test_any_hike_ends_it() -> None:
    assert left({"2024-09-18 14:00": -50, "2024-09-19 14:00": 1}) == [0, 0, 3, 0, 0, 0, 0, 0]


def test_no_change_and_a_small_cut_do_nothing() -> None:
    changes = {"2024-09-18 14:00": -50, "2024-09-19 14:00": 0, "2024-09-20 10:00": -24}
    assert left(changes) == [0, 0, 3, 2, 1, 0, 0, 0]
    assert left(changes, minimum=24) == [0, 0, 3, 2, 3, 2, 1, 0]


def test_a_cut_before_the_first_price_has_used_up_sessions_of_the_exchange() -> None:
    """Known on Thursday the 12th; Friday the 13th is a holiday."""
    assert left({"2024-09-12 14:00": -25}) == [1, 0, 0, 0, 0, 0, 0, 0]
    assert left({"2024-09-12 14:00": -25}, holidays=["2024-09-13"]) == [2, 1, 0, 0, 0, 0, 0, 0]


def test_a_cut_after_the_last_close_is_not_known() -> None:
    assert left({"2024-09-25 16:00": -25}) == [0] * 8
    assert left({"2024-09-25 15:59": -25}) == [0] * 7 + [3]


def test_two_decisions_before_one_close_count_in_their_order() -> None:
    assert left({"2024-09-17 17:00": -25, "2024-09-18 09:00": 25}) == [0] * 8
    assert left({"2024-09-17 17:00": 25, "2024-09-18 09:00": -25}) == [0, 0, 3, 2, 1, 0, 0, 0]


def test_a_window_longer_than_the_data_stays_open() -> None:
    assert left({"2024-09-16 10:00": -25}, hold=252) == list(range(252, 244, -1))


def test_without_decisions_it_is_closed_and_known() -> None:
    market = hand_market("2024-09-16", G=[1.0] * 3, S=[1.0] * 3)
    window = cut_window(market, hold_sessions=5, min_cut_bps=25)
    assert window.is_open.tolist() == [0.0] * 3
    assert window.last_event.tolist() == [-1] * 3


def by_loop(market: Market, hold: int, minimum: int) -> list[int]:
    """One exchange session after the other, from long before the first price."""
    remaining, result = 0, []
    known = market.policy.groupby("session")["change_bps"].agg(list)
    for session in market.exchange_sessions:
        remaining = max(remaining - 1, 0)
        for change_bps in known.get(session, []):
            if change_bps > 0:
                remaining = 0
            elif change_bps <= -minimum:
                remaining = hold
        if session in market.sessions:
            result.append(remaining)
        if session == market.sessions[-1]:
            break
    return result


@given(st.integers(0, 1000), st.sampled_from([1, 2, 7, 40, 252]), st.sampled_from([10, 25, 50]))
@few
def test_the_window_is_the_loops(seed: int, hold: int, minimum: int) -> None:
    market = rotation_market(seed, sessions=60, decisions_every=9)
    window = cut_window(market, hold_sessions=hold, min_cut_bps=minimum)
    assert window.sessions_left.tolist() == by_loop(market, hold, minimum)


@given(st.integers(0, 1000))
@few
def test_the_last_event_is_the_decision_that_set_the_state(seed: int) -> None:
    market = rotation_market(seed, sessions=60, decisions_every=9)
    window = cut_window(market, hold_sessions=5, min_cut_bps=25)
    for row, event in enumerate(window.last_event):
        if event < 0:
            assert window.sessions_left[row] == 0
            continue
        decision = window.decisions.iloc[event]
        assert decision["session"] <= market.sessions[row]
        age = row - int(market.rows_of(window.decisions["session"])[event])
        assert window.sessions_left[row] == (max(5 - age, 0) if decision["change_bps"] < 0 else 0)


@pytest.mark.parametrize("row", [0, 30, 59])
def test_a_market_cut_short_has_the_same_window_up_to_there(row: int) -> None:
    market = rotation_market(2, sessions=60)
    whole = cut_window(market, hold_sessions=7, min_cut_bps=25).sessions_left
    short = cut_window(market.until(market.sessions[row]), hold_sessions=7, min_cut_bps=25).sessions_left
    assert np.array_equal(short, whole[: row + 1])
