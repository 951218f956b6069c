"""Latch, AND and OR, by their whole truth tables."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.signals import all_of, any_of, latch

NAN = float("nan")
STATES = (0.0, 1.0, NAN)
few = settings(max_examples=50, deadline=None, derandomize=True)
booleans = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40)


def same(one: np.ndarray, other: list[float]) -> bool:
    return np.array_equal(one, np.array(other), equal_nan=True)


def test_a_latch_keeps_its_side_until_the_other_is_asked_for() -> None:
    enter = np.array([0, 1, 0, 0, 0, 0, 1, 1, 0], bool)
    leave = np.array([0, 0, 0, 1, 1, 0, 0, 0, 0], bool)
    assert same(latch(enter, leave), [NAN, 1, 1, 0, 0, 0, 1, 1, 1])


def test_a_latch_may_begin_on_either_side() -> None:
    assert same(latch(np.array([False, True]), np.array([True, False])), [0, 1])


@pytest.mark.parametrize("before", STATES)
def test_both_at_once_change_nothing(before: float) -> None:
    enter, leave = np.array([before == 1.0, True]), np.array([before == 0.0, True])
    assert same(latch(enter, leave), [before, before])


@given(booleans)
@few
def test_a_latch_is_a_loop_with_memory(rows: list[tuple[bool, bool]]) -> None:
    state, states = NAN, []
    for enter, leave in rows:
        state = state if enter == leave else float(enter)
        states.append(state)
    table = np.array(rows, bool).reshape(len(rows), 2)
    assert same(latch(table[:, 0], table[:, 1]), states)


def kleene_and(a: float, b: float) -> float:
    """By the smallest possible and the largest possible value, when what is not known may be either."""
    low, high = (min(known(a, other), known(b, other)) for other in (0.0, 1.0))
    return low if low == high else NAN


def kleene_or(a: float, b: float) -> float:
    low, high = (max(known(a, other), known(b, other)) for other in (0.0, 1.0))
    return low if low == high else NAN


def known(value: float, otherwise: float) -> float:
    return otherwise if np.isnan(value) else value


@pytest.mark.parametrize(("a", "b"), list(product(STATES, STATES)))
def test_and_or_know_what_not_known_means(a: float, b: float) -> None:
    one, other = np.array([a]), np.array([b])
    assert same(all_of(one, other), [kleene_and(a, b)])
    assert same(any_of(one, other), [kleene_or(a, b)])


def test_the_tables_in_full() -> None:
    a = np.array([0, 0, 0, 1, 1, 1, NAN, NAN, NAN])
    b = np.array([0, 1, NAN, 0, 1, NAN, 0, 1, NAN])
    assert same(all_of(a, b), [0, 0, 0, 0, 1, NAN, 0, NAN, NAN])
    assert same(any_of(a, b), [0, 1, NAN, 1, 1, 1, NAN, 1, NAN])


signals = st.lists(st.sampled_from(STATES), min_size=3, max_size=3).map(np.array)


@given(st.lists(signals, min_size=1, max_size=4))
@few
def test_and_is_or_of_the_opposites(columns: list[np.ndarray]) -> None:
    """De Morgan, and three at once are two and one."""
    assert same(all_of(*columns), list(1.0 - any_of(*(1.0 - column for column in columns))))
    assert same(all_of(*columns), list(all_of(columns[0], all_of(*columns))))
    assert same(any_of(*columns), list(any_of(*columns[::-1])))
