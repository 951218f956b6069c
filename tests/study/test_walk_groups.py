"""Splits and paths by hand; training keeps away from the test and leaves nothing else out."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError
from backtest.study.walk_paths import groups_of, paths_of, splits_of


def terms(groups: int = 6, test_groups: int = 2, **rest: Any) -> WalkForwardTerms:
    return WalkForwardTerms.model_validate({"combinatorial": {"groups": groups, "test_groups": test_groups, **rest}})


def test_six_groups_two_tested_make_fifteen_splits_and_five_paths() -> None:
    splits = splits_of(6 * 100 + 1, terms())
    assert [split.tested for split in splits][:6] == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2)]
    assert len(splits) == 15
    assert [sum(group in split.tested for split in splits) for group in range(6)] == [5] * 6
    found = paths_of(splits, 6)
    assert len(found) == 5
    assert found[0] == (0, 0, 1, 2, 3, 4)
    assert found[1] == (1, 5, 5, 6, 7, 8)
    used = [(group, split) for path in found for group, split in enumerate(path)]
    assert len(set(used)) == len(used) == 15 * 2
    assert all(group in splits[split].tested for group, split in used)


def test_a_split_of_six_hundred_returns_by_hand() -> None:
    split = splits_of(601, terms(purge_sessions=21, embargo_sessions=5))[6]
    assert split.tested == (1, 3)
    assert split.test == ((100, 201), (300, 401))
    assert split.training == ((0, 80), (205, 280), (405, 601))


def test_groups_take_each_return_once_and_are_equal_but_for_one() -> None:
    groups = groups_of(1000, 7)
    rows = np.concatenate([np.arange(begin + 1, end) for begin, end in groups])
    assert (rows == np.arange(1, 1000)).all()
    assert {end - begin - 1 for begin, end in groups} == {142, 143}


@given(
    count=st.integers(600, 1500),
    groups=st.integers(2, 8),
    test_groups=st.integers(1, 4),
    purge=st.integers(0, 60),
    embargo=st.integers(0, 60),
)
@settings(max_examples=60, deadline=None)
def test_training_keeps_away_from_the_test_and_leaves_nothing_else_out(
    count: int, groups: int, test_groups: int, purge: int, embargo: int
) -> None:
    assume(test_groups < groups)
    try:
        splits = splits_of(count, terms(groups, test_groups, purge_sessions=purge, embargo_sessions=embargo))
    except RunError:
        assume(False)
    for split in splits:
        looked = {row for begin, end in split.training for row in range(begin + 1, end)}
        banned = {row for begin, end in split.test for row in range(begin + 1 - purge, end + embargo)}
        assert looked == set(range(1, count)) - banned


def test_its_own_gaps_stand_before_those_of_the_walk_forward() -> None:
    shared = {"purge_sessions": 3, "embargo_sessions": 4}
    own = {"groups": 6, "test_groups": 2, "embargo_sessions": 250}
    assert WalkForwardTerms.model_validate({**shared, "combinatorial": own}).apart == (3, 250)
