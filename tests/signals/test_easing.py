"""The easing cycle on a market of ten sessions, followed by hand: its first cut, its age, its end, its weather."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import hand_market

from backtest.signals.policy import CycleState, easing_cycle, fall_from_high

NONE = -1


def cycle(changes: dict[str, int], *, gap_days: int = 30, longest: int = 5, **given: Any) -> CycleState:
    """The state on ten sessions from Monday, 2024-09-16 on."""
    market = hand_market("2024-09-16", G=[1.0] * 10, S=[1.0] * 10, changes=changes, **given)
    return easing_cycle(market, {"G": 1.0}, gap_days=gap_days, max_age_sessions=longest, fall=0.1)


def ages(changes: dict[str, int], **given: Any) -> list[int]:
    return [NONE if np.isnan(age) else int(age) for age in cycle(changes, **given).age]


def test_a_cycle_ages_from_its_first_cut_and_ends_so_many_sessions_after_it() -> None:
    assert ages({"2024-09-18 14:00": -50}) == [NONE, NONE, 0, 1, 2, 3, 4, NONE, NONE, NONE]
    assert cycle({"2024-09-18 14:00": -50}).is_easing.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]


def test_a_further_cut_prolongs_it_and_does_not_make_it_young() -> None:
    assert ages({"2024-09-18 14:00": -50, "2024-09-20 14:00": -25}) == [NONE, NONE, 0, 1, 2, 3, 4, 5, 6, NONE]


def test_a_rise_ends_it_and_the_next_cut_is_a_first_one() -> None:
    changes = {"2024-09-17 14:00": -50, "2024-09-19 14:00": 25, "2024-09-23 14:00": -25}
    assert ages(changes) == [NONE, 0, 1, NONE, NONE, 0, 1, 2, 3, 4]
    assert [f"{day:%m-%d}" for day in cycle(changes).first_cuts["date"]] == ["09-17", "09-23"]


def test_a_decision_that_changes_nothing_is_no_rise() -> None:
    assert ages({"2024-09-18 14:00": -50, "2024-09-19 14:00": 0}) == ages({"2024-09-18 14:00": -50})


@pytest.mark.parametrize(("gap_days", "age"), [(2, 3), (1, 1)], ids=["within", "beyond"])
def test_a_cut_more_than_the_gap_after_the_last_is_a_first_one(gap_days: int, age: int) -> None:
    """Two calendar days lie between Wednesday's and Friday's cut; the age is Monday's, since Wednesday or Friday."""
    assert ages({"2024-09-18 14:00": -50, "2024-09-20 14:00": -25}, gap_days=gap_days)[5] == age


def test_a_cut_after_the_last_close_is_not_known() -> None:
    assert ages({"2024-09-27 16:00": -25}) == [NONE] * 10


def test_a_cut_before_the_first_price_is_as_old_as_the_exchange_says() -> None:
    assert ages({"2024-09-12 14:00": -25}) == [2, 3, 4, *[NONE] * 7]


def test_the_weather_is_known_after_63_sessions_and_is_the_fall_from_the_high_of_the_year() -> None:
    closes = [*np.linspace(1.0, 2.0, 64), 1.8, 1.7]
    market = hand_market("2024-01-01", G=closes, S=[1.0] * 66, changes={"2024-04-01 14:00": -25})
    fall = fall_from_high(market, {"G": 1.0})
    assert np.isnan(fall[:63]).all()
    assert fall[63:] == pytest.approx([0.0, 0.1, 0.15])
    assert market.sessions[65] == pd.Timestamp("2024-04-01")
    for limit, began in ((0.15 - 1e-9, 1.0), (0.15 + 1e-9, 0.0)):
        state = easing_cycle(market, {"G": 1.0}, gap_days=30, max_age_sessions=5, fall=limit)
        assert np.isnan(state.began_in_fall[:65]).all()
        assert state.began_in_fall[65] == began
