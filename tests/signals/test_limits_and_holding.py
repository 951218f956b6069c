"""Thresholds with memory, and the state machine that turns what rules ask for into what is held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.signals.holding import CAUSES, hold, wanted
from backtest.signals.limits import Limit, nearest_flip

NAN = float("nan")


def limit(enter: float, leave: float | None = None, *, above: bool = True, looks: Any = None, **more: Any) -> Limit:
    return Limit(enter, enter if leave is None else leave, above, np.ones(looks or 8, dtype=bool), **more)


def test_hysteresis_enters_above_one_value_and_leaves_at_another() -> None:
    values = np.array([0.0, 0.5, 0.9, 0.5, 0.4, 0.5, NAN, 0.5])
    assert limit(0.8, 0.4)(values).tolist() == pytest.approx([0, 0, 1, 1, 0, 0, NAN, 0], nan_ok=True)
    assert limit(0.8, 0.3)(values).tolist() == pytest.approx([0, 0, 1, 1, 1, 1, NAN, 1], nan_ok=True)
    assert limit(0.5, above=False)(values).tolist() == pytest.approx([1, 0, 0, 0, 1, 0, NAN, 0], nan_ok=True)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1, 1) | st.just(NAN), min_size=1, max_size=30), st.floats(-1, 1))
def test_equal_thresholds_are_no_hysteresis(values: list[float], line: float) -> None:
    array = np.array(values)
    expected = np.where(np.isnan(array), NAN, (array > line).astype(float))
    assert limit(line, looks=len(values))(array).tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_a_hold_lasts_so_many_sessions_and_news_counts_once() -> None:
    values = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    assert limit(0.5, hold_sessions=3)(values).tolist() == [0, 1, 1, 1, 0, 1, 1, 1]
    news = np.array([1, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    stays = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert limit(0.5, hold_sessions=2, fresh=news)(stays).tolist() == [0, 1, 1, 0, 0, 0, 0, 0]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-1, 1, width=16), min_size=8, max_size=8),
    st.integers(-50, 50).map(lambda n: n / 100),
    st.integers(0, 50).map(lambda n: n / 100),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 7),
)
def test_the_distance_flips_and_a_little_less_does_not(
    values: list[float], enter: float, width: float, above: bool, held: int, row: int
) -> None:
    array = np.array(values)
    leave = enter - width if above else enter + width
    switch = limit(enter, leave, above=above, hold_sessions=held)
    flip = nearest_flip(switch, array, (enter, leave), row)
    before = switch(array)[row]

    def answer(value: float) -> float:
        other = array.copy()
        other[row] = value
        return float(switch(other)[row])

    if flip is None:
        assert all(answer(value) == before for value in (-9.0, 9.0, enter, leave)), "nothing turns it"
        return
    assert answer(flip.value) == 1.0 - before
    assert answer(array[row] + 0.999 * (flip.value - array[row])) == before or abs(flip.value - array[row]) < 1e-12
    assert answer(np.nextafter(flip.value, array[row])) == before


def plain_hold(asked: Any, min_hold: int, cooldown: int, max_hold: int | None) -> tuple[Any, Any]:
    """Row by row, what `hold` does from event to event."""
    small, cause = np.full(len(asked), np.nan), np.zeros(len(asked), dtype=np.int64)
    held: float | None = None
    since: int | None = None
    left: int | None = None
    is_spent = False
    for row, ask in enumerate(asked.tolist()):
        is_spent = is_spent and ask == 1.0
        why = "rule"
        if held is None:
            if ask == ask:
                held, since = ask, row if ask == 1.0 else None
            else:
                why = "unknown"
        elif held == 1.0 and max_hold is not None and since is not None and row - since >= max_hold:
            held, since, left, is_spent, why = 0.0, row, row, ask == 1.0, "max_hold"
        elif ask == ask and ask != held:
            if since is not None and row - since < min_hold:
                why = "min_hold"
            elif ask == 1.0 and is_spent:
                why = "max_hold"
            elif ask == 1.0 and left is not None and row - left < cooldown:
                why = "cooldown"
            else:
                held, since, left = ask, row, row if ask == 0.0 else left
        if held is not None:
            small[row] = held
        cause[row] = CAUSES.index(why)
    return small, cause


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0, NAN]), st.integers(1, 9)), min_size=0, max_size=12),
    st.integers(0, 7),
    st.integers(0, 7),
    st.none() | st.integers(1, 12),
)
def test_from_event_to_event_is_row_by_row(
    runs: list[tuple[float, int]], min_hold: int, cooldown: int, max_hold: int | None
) -> None:
    asked = np.array([ask for ask, length in runs for _ in range(length)], dtype=np.float64)
    held = hold(asked, min_hold=min_hold, cooldown=cooldown, max_hold=max_hold)
    small, cause = plain_hold(asked, min_hold, cooldown, max_hold)
    np.testing.assert_array_equal(held.small, small)
    np.testing.assert_array_equal(held.cause, cause)


def test_a_chattering_signal_switches_at_most_once_in_five_sessions() -> None:
    asked = np.array([0.0, 1.0] * 30)
    held = hold(asked, min_hold=5).small
    switches = np.flatnonzero(np.diff(held)) + 1
    assert (np.diff(switches) >= 5).all()
    assert len(switches) > 5
    assert np.flatnonzero(np.diff(hold(asked).small)).size == 59


def test_precedence_longest_hold_over_least_hold_over_the_rule() -> None:
    asked = np.array([0.0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1])
    told = hold(asked, max_hold=3)
    assert told.small.tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0], "asked anew only after a session without"
    assert CAUSES[told.cause[4]] == CAUSES[told.cause[5]] == "max_hold"
    told = hold(np.array([0.0, 1, 0, 0, 0, 0]), min_hold=3)
    assert told.small.tolist() == [0, 1, 1, 1, 0, 0]
    assert CAUSES[told.cause[2]] == "min_hold"
    told = hold(np.array([1.0, 0, 1, 1, 1, 1]), cooldown=3)
    assert told.small.tolist() == [1, 0, 0, 0, 1, 1]
    assert CAUSES[told.cause[2]] == "cooldown"


def test_nothing_is_held_before_anything_is_known_and_silence_changes_nothing() -> None:
    told = hold(np.array([NAN, NAN, 1.0, NAN, 0.0, NAN]))
    assert told.small.tolist() == pytest.approx([NAN, NAN, 1, 1, 0, 0], nan_ok=True)


def test_two_trees_ask_each_for_its_side_and_both_at_once_for_nothing() -> None:
    small, growth = np.array([1.0, 1, 0, 0, NAN]), np.array([0.0, 1, 1, 0, 1])
    assert wanted(small, growth).tolist() == pytest.approx([1, NAN, 0, NAN, 0], nan_ok=True)
    assert wanted(small, None).tolist() == pytest.approx(small.tolist(), nan_ok=True)
    assert wanted(None, growth).tolist() == [1, 0, 0, 1, 0]
