"""Thresholds with memory, and the state machine that turns what rules ask for into what is held."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.signals.holding import CAUSES, Hold, hold
from backtest.signals.limits import Limit, nearest_flip

NAN = float("nan")


def limit(enter: float, leave: float | None = None, *, above: bool = True, looks: Any = None, **more: Any) -> Limit:
    return Limit(enter, enter if leave is None else leave, above, np.ones(looks or 8, dtype=bool), **more)


def test_hysteresis_enters_above_one_value_and_leaves_at_another() -> None:
    values = np.array([0.0, 0.5, 0.9, 0.5, 0.4, 0.5, NAN, 0.5])
    assert limit(0.8, 0.41)(values).tolist() == pytest.approx([0, 0, 1, 1, 0, 0, NAN, 0], nan_ok=True)
    assert limit(0.8, 0.4)(values).tolist() == pytest.approx([0, 0, 1, 1, 1, 1, NAN, 1], nan_ok=True), "a tie stays"
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


def plain_hold(states: Any, terms: list[Hold]) -> Any:
    """Row by row and in other words, what `hold` does from event to event: the entry held, -1 for none."""
    conditions, sessions = states.shape
    has_otherwise = len(terms) > conditions
    held, age = -1, None  # age: sessions since the switch to it, None for a first holding that is no switch
    gone: dict[int, int] = {}
    spent: set[int] = set()
    told = []
    for row in range(sessions):
        says = states[:, row]
        spent = {i for i in spent if says[i] == 1.0}
        is_over = held >= 0 and age is not None and terms[held].max_hold is not None and age >= terms[held].max_hold
        if is_over and held < conditions and says[held] == 1.0:
            spent.add(held)
        waits = {i for i, when in gone.items() if row - when < terms[i].cooldown}
        free = [
            i
            for i in range(conditions)
            if says[i] == 1.0 and not (is_over and i == held) and (i == held or (i not in spent and i not in waits))
        ]
        blocked = [i for i in range(conditions) if says[i] == 1.0 and i != held and (i in spent or i in waits)]
        if free:
            asked = free[0]
        elif has_otherwise and (is_over or blocked or not np.isnan(says).any()):
            asked = conditions
        else:
            asked = held
        if asked != held and held >= 0 and not is_over and age is not None and age < terms[held].min_hold:
            asked = asked if terms[asked].is_cash else held
        if asked != held:
            if held >= 0:
                gone[held] = row
            age = None if held < 0 and has_otherwise and asked == conditions else 0
            held = asked
        told.append(held)
        age = None if age is None else age + 1
    return np.array(told, dtype=np.int64)


SAYS = st.sampled_from([0.0, 1.0, NAN])
TERMS = st.builds(Hold, st.integers(0, 7), st.none(), st.integers(0, 7), st.booleans())


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 3), st.booleans(), st.none() | st.integers(1, 12))
def test_from_event_to_event_is_row_by_row(data: Any, conditions: int, otherwise: bool, longest: int | None) -> None:
    runs = data.draw(st.lists(st.tuples(st.tuples(*[SAYS] * conditions), st.integers(1, 9)), min_size=1, max_size=12))
    terms = [data.draw(TERMS) for _ in range(conditions + otherwise)]
    if otherwise and longest is not None:
        terms[0] = dataclasses.replace(terms[0], max_hold=longest)
    states = np.array([says for says, length in runs for _ in range(length)], dtype=np.float64).T
    np.testing.assert_array_equal(hold(states, terms).entry, plain_hold(states, terms))


def held(asked: Any, *, min_hold: int = 0, cooldown: int = 0, max_hold: int | None = None) -> Any:
    """The state machine of one condition and what is held otherwise: 1 while the first is held, as before."""
    told = hold(np.array([asked], dtype=np.float64), [Hold(min_hold, max_hold, cooldown), Hold(min_hold)])
    return np.where(told.entry < 0, np.nan, 1.0 - told.entry), told.cause


def test_a_chattering_signal_switches_at_most_once_in_five_sessions() -> None:
    asked = np.array([0.0, 1.0] * 30)
    small, _ = held(asked, min_hold=5)
    switches = np.flatnonzero(np.diff(small)) + 1
    assert (np.diff(switches) >= 5).all()
    assert len(switches) > 5
    assert np.flatnonzero(np.diff(held(asked)[0])).size == 59


def test_precedence_longest_hold_over_least_hold_over_the_rule() -> None:
    small, cause = held([0.0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1], max_hold=3)
    assert small.tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0], "asked anew only after a session without"
    assert CAUSES[cause[4]] == CAUSES[cause[5]] == "max_hold"
    small, cause = held([0.0, 1, 0, 0, 0, 0], min_hold=3)
    assert small.tolist() == [0, 1, 1, 1, 0, 0]
    assert CAUSES[cause[2]] == "min_hold"
    small, cause = held([1.0, 0, 1, 1, 1, 1], cooldown=3)
    assert small.tolist() == [1, 0, 0, 0, 1, 1]
    assert CAUSES[cause[2]] == "cooldown"


def test_nothing_is_held_before_anything_is_known_and_silence_changes_nothing() -> None:
    small, _ = held([NAN, NAN, 1.0, NAN, 0.0, NAN])
    assert small.tolist() == pytest.approx([NAN, NAN, 1, 1, 0, 0], nan_ok=True)


def test_the_first_entry_that_says_yes_is_held_and_without_an_otherwise_what_is_held_stays() -> None:
    states = np.array([[1.0, 1, 0, 0, NAN, 0], [0.0, 1, 1, 0, 1, 0]])
    assert hold(states, [Hold(), Hold()]).entry.tolist() == [0, 0, 1, 1, 1, 1]
    assert hold(states, [Hold(), Hold(), Hold()]).entry.tolist() == [0, 0, 1, 2, 1, 2]


def test_a_least_hold_never_keeps_from_cash() -> None:
    states = np.array([[0.0, 0, 1, 0, 0], [1.0, 1, 1, 1, 0]])
    assert hold(states, [Hold(is_cash=True), Hold(min_hold=4), Hold()]).entry.tolist() == [1, 1, 0, 1, 1]


QUOTED = np.round(np.arange(50, 600) / 100, 2)
"""Yields as they are quoted, percent."""


@pytest.mark.parametrize("step", [0.25, 0.07, 0.1])
def test_a_difference_of_quoted_yields_that_ties_with_leave_does_not_leave(step: float) -> None:
    tied = np.round(QUOTED + step, 2) - QUOTED  # 0.25 but for binary noise, to either side
    rows = len(tied)
    assert len(set(tied.tolist())) > 1, "there is noise"
    first = np.concatenate([[9.0], tied])
    assert limit(1.0, step, looks=rows + 1)(first).all(), "a tie does not leave"
    last = np.concatenate([[-9.0], tied])
    assert limit(-1.0, step, looks=rows + 1, above=False)(last).all()


def test_beyond_a_tie_by_a_tenth_of_a_basis_point_it_enters_and_leaves() -> None:
    values = np.array([0.251, 0.25, 0.249, 0.25])
    assert limit(0.25, looks=4)(values).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert limit(0.25, 0.2495, looks=4)(values).tolist() == [1.0, 1.0, 0.0, 0.0]
