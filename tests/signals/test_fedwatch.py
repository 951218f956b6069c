"""FedWatch: CME's published examples, and what must hold for any curve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import rotation_market

from backtest.data.policy import load_policy_decisions, scheduled_meetings
from backtest.signals.fedwatch import Month, distribution, months_of, moves_of, solve_rates
from backtest.signals.implied import _held, implied_moves

MEETINGS = scheduled_meetings(load_policy_decisions()).to_numpy().astype("datetime64[D]")


@pytest.fixture(scope="module")
def examples(real_data: Path) -> dict[str, Any]:
    told = json.loads((real_data / "macro" / "fedwatch_examples.json").read_text(encoding="utf-8"))["examples"]
    return {example["id"]: example for example in told}


def solved(example: Any) -> tuple[Any, tuple[Month, ...], Any, Any]:
    months = np.array(sorted(example["prices"]), dtype="datetime64[M]")
    averages = np.array([[100 - example["prices"][str(month)] for month in months]])
    found = months_of(months, MEETINGS)
    return (months, found, *solve_rates(averages, found, example["meeting_day"]))


@pytest.mark.parametrize("name", ["cme_2026-07-14", "pyfedwatch_2023-03-10"])
def test_every_published_probability_is_met_within_six_hundredths_of_a_point(name: str, examples: Any) -> None:
    example = examples[name]
    months, found, start, end = solved(example)
    moves = moves_of(start, end)
    places = [place for place, month in enumerate(found) if month.meeting_day]
    days = [f"{months[p]}-{found[p].meeting_day:02d}" for p in places]
    assert days[: len(example["meetings"])] == example["meetings"]
    for nth, day in enumerate(example["meetings"]):
        spread = distribution(moves[:, places[: nth + 1]])
        for lower, percent in example["published_pct"][day].items():
            steps = (int(lower) - example["current_lower_bp"]) // 25 - int(spread.lowest[0])
            assert 100 * spread.chances[0, steps] == pytest.approx(percent, abs=0.06), (day, lower)


def test_the_article_of_2022_is_met_to_all_printed_digits(examples: Any) -> None:
    _, _, start, end = solved(examples["cme_article_2022-09-12_sept"])
    assert (start[0, 0], end[0, 0]) == pytest.approx((2.335, 3.06), abs=1e-9)
    spread = distribution(moves_of(start, end)[:, :1])
    assert spread.lowest[0] == 2
    assert spread.chances[0] == pytest.approx([0.1, 0.9], abs=1e-9)

    _, _, start, end = solved(examples["cme_article_2022-09-12_two_meetings_forward_only"])
    assert end[0, 2] == pytest.approx(3.606429, abs=1e-6)
    tree = distribution(moves_of(start, end)[:, [0, 2]])
    assert tree.lowest[0] == 4
    assert 100 * tree.chances[0] == pytest.approx([8.1429, 75.1429, 16.7143], abs=1e-4)


def test_the_old_day_count_is_that_of_the_old_sheet_and_of_2015(examples: Any) -> None:
    _, found, start, end = solved(examples["cme_worksheet_2022-09-12_old_daycount"])
    assert [found[0].days_before("after"), found[2].days_before("after")] == [20, 1]
    assert (start[0, 0], end[0, 2] - start[0, 2]) == pytest.approx((2.2987, 0.5276), abs=6e-5)
    # Legacy type 2: August's price before a meeting on the 17th, 16 days at the old rate.
    months = (Month(31, 0), Month(30, 17))
    start, end = solve_rates(np.array([[0.1325, 0.195]]), months, "after")
    assert end[0, 1] == pytest.approx(0.26643, abs=5e-6)
    assert moves_of(start, end)[0, 1] == pytest.approx(0.536, abs=5e-4)


@st.composite
def curves(draw: st.DrawFn) -> tuple[Any, tuple[Month, ...], Any]:
    """A path of rates, and the averages that it would give: months with and without meetings, an anchor at each end."""
    count = draw(st.integers(3, 14))
    days = [draw(st.integers(1, 27)) if draw(st.booleans()) else 0 for _ in range(count)]
    days[0] = days[-1] = 0
    months = tuple(Month(30, day) for day in days)
    moves = [draw(st.floats(-3, 3)) if day else 0.0 for day in days]
    rates = 3.0 + 0.25 * np.concatenate([[0.0], np.cumsum(moves)])
    before = np.array(days) / 30
    averages = np.where(np.array(days) > 0, before * rates[:-1] + (1 - before) * rates[1:], rates[:-1])
    return averages[None], months, rates


@settings(max_examples=200, deadline=None, derandomize=True)
@given(curves())
def test_a_full_curve_gives_back_its_path_and_probabilities_that_average_to_it(curve: Any) -> None:
    averages, months, rates = curve
    start, end = solve_rates(averages, months)
    assert start[0] == pytest.approx(rates[:-1], abs=1e-6)
    assert end[0] == pytest.approx(rates[1:], abs=1e-6)
    meetings = [place for place, month in enumerate(months) if month.meeting_day]
    spread = distribution(moves_of(start, end)[:, meetings])
    assert ((spread.chances >= 0) & (spread.chances <= 1)).all()
    assert spread.chances.sum() == pytest.approx(1.0)
    assert rates[0] + 0.25 * spread.mean[0] == pytest.approx(rates[-1], abs=1e-6)
    assert spread.below[0] + spread.same[0] + spread.above[0] == pytest.approx(1.0)


def test_what_the_contracts_do_not_determine_is_not_invented() -> None:
    months = (Month(31, 31), Month(28, 19), Month(31, 0))
    start, end = solve_rates(np.array([[5.3, 5.2, np.nan]]), months)
    assert np.isnan(end).all(), "no anchor after the meetings, and none before them"
    assert start[0, 0] == 5.3, "a meeting on the last day: the whole month at the old rate"
    assert np.isnan(start[0, 1])


def test_the_next_meeting_is_the_first_after_the_session_also_on_the_day_of_one() -> None:
    market = rotation_market(5, sessions=200)
    found = implied_moves(market)
    days = market.sessions.to_numpy().astype("datetime64[D]")
    scheduled = market.meetings.to_numpy().astype("datetime64[D]")
    assert (found.meetings[:, 0] == scheduled[np.searchsorted(scheduled, days, side="right")]).all()
    assert np.isin(days, scheduled).sum() > 3
    assert np.isnat(found.meetings[:, -1]).sum() == 0
    beyond = found.meetings.astype("datetime64[Y]") > days.astype("datetime64[Y]")[:, None] + 1
    assert not beyond.any(), "the calendar is published to the end of the next year"


def test_before_its_first_settlement_a_contract_is_unknown_whatever_comes_later() -> None:
    days = ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-10", "2024-07-11", "2024-07-15"]
    held = _held(np.array([np.nan, np.nan, 5.0, np.nan, np.nan, 4.0]), np.array(days, dtype="datetime64[D]"))
    np.testing.assert_array_equal(held, [np.nan, np.nan, 5.0, 5.0, np.nan, 4.0])  # a settlement stands for seven days
