"""Answers in words: what a value says, since when where it does not decide itself, and counts as counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.decision import Evidence
from backtest.now.why import _leaf, _rule_json, flip_words
from backtest.signals.limits import Limit, answer, beyond, nearest_flip

SESSIONS = pd.bdate_range("2024-07-08", periods=6)


def said(values: list[float], *, leave: float | None = None, looked: str = "daily", **more: Any) -> list[str]:
    """The answers on six sessions to `above 2 sd`."""
    looks = more.pop("looks", [True] * 6)
    limit = Limit(2.0, 2.0 if leave is None else leave, True, np.array(looks), **more)
    return [answer(limit, np.array(values), "sd", SESSIONS, looked, row) for row in range(6)]


def test_a_value_that_decides_itself_is_told_with_its_side() -> None:
    told = said([1.0, 2.5, 2.0, float("nan"), 3.0, 1.0])
    assert told[:4] == [
        "1.00 sd (no, not above 2.00 sd)", "2.50 sd (yes, above 2.00 sd)", "2.00 sd (no, not above 2.00 sd)",
        "not known (yes above 2.00 sd)",
    ]  # fmt: skip


def test_a_yes_that_is_held_says_since_when_and_for_how_long() -> None:
    told = said([1.0, 2.5, 0.78, 0.5, 2.1, 1.0], hold_sessions=3)
    assert told[2] == "0.78 sd (yes since 2024-07-09, then above 2.00 sd; held for 1 more session)"
    assert told[3] == "0.50 sd (yes since 2024-07-09, then above 2.00 sd; held to this session)"
    assert said([1.0, 2.5, 0.5, 0.5, 0.5, 1.0], hold_sessions=3)[4] == (
        "0.50 sd (no, not above 2.00 sd; the hold of 3 sessions is over)"
    )
    assert told[5].endswith("(yes since 2024-07-09, then above 2.00 sd, last on 2024-07-12; held for 1 more session)")


def test_a_yes_by_hysteresis_says_where_it_leaves() -> None:
    told = said([1.0, 2.5, 0.78, 0.5, -0.1, 1.0], leave=0.0)
    assert told[3] == "0.50 sd (yes since 2024-07-09, then above 2.00 sd; leaves below 0.00 sd)"
    assert told[4] == "−0.10 sd (no, not above 2.00 sd; it left below 0.00 sd)"
    assert told[5] == "1.00 sd (no, not above 2.00 sd)"


def test_an_answer_of_another_session_says_so() -> None:
    told = said([1.0, 2.5, 1.0, 1.0, 2.5, 1.0], looks=[False, True, False, True, False, True], looked="weekly")
    assert told[0] == "1.00 sd (not looked at yet: weekly)"
    assert told[2] == "1.00 sd (yes since 2024-07-09, then above 2.00 sd; looked at weekly)"
    assert told[4] == "2.50 sd (no: looked at weekly, not above 2.00 sd then)"


def test_old_news_is_no_news() -> None:
    fresh = np.array([False, True, False, False, False, False])
    told = said([1.0, 2.5, 2.5, 2.5, 2.5, 2.5], fresh=fresh, hold_sessions=2)
    assert told[1] == "2.50 sd (yes, above 2.00 sd)"
    assert told[2] == "2.50 sd (yes since 2024-07-09, then above 2.00 sd; held to this session)"
    assert told[3] == "2.50 sd (no: 2 sessions are over since it was news)"


@pytest.mark.parametrize(
    ("enter", "is_above", "words"),
    [(0.0, True, "at least 1 session"), (-0.5, True, "at least 0 sessions"), (3.0, True, "at least 4 sessions"),
     (3.0, False, "at most 2 sessions"), (2.5, False, "at most 2 sessions")],
)  # fmt: skip
def test_a_count_is_told_as_a_count_and_flips_at_one(enter: float, is_above: bool, words: str) -> None:
    assert beyond(enter, "sessions", is_above=is_above) == words
    limit = Limit(enter, enter, is_above, np.ones(1, dtype=bool))
    flips = {limit(np.array([float(n)]))[0]: n for n in range(-9, 9)}
    for today in (-4.0, 8.0):
        flip = nearest_flip(limit, np.array([today]), (enter,), 0, is_whole=True)
        assert flip is not None
        assert limit(np.array([flip.value]))[0] == 1.0 - limit(np.array([today]))[0]
        nearer = flip.value - np.sign(flip.distance(today))
        assert limit(np.array([nearer]))[0] == limit(np.array([today]))[0], "one less does not flip"
    assert set(flips) == {0.0, 1.0}


def test_why_counts_the_sessions_to_a_flip_in_text_and_json() -> None:
    limit = Limit(-0.5, -0.5, True, np.ones(6, dtype=bool))
    values = np.array([-1.0, -1.0, 0.0, 1.0, 2.0, 3.0])
    evidence = Evidence("age", values, "sessions", (-0.5,), switch=limit)
    market: Any = type("Sessions", (), {"sessions": SESSIONS})
    outside, inside = (_leaf("age", evidence, limit(values), row, market, False) for row in (1, 5))
    assert flip_words(outside) == "flips with 1 more session, at 0 sessions"
    assert flip_words(inside) == "flips with 4 fewer sessions, at −1 session"
    assert (_rule_json(outside)["flips_at"], _rule_json(outside)["distance"]) == (0.0, 1.0)
    assert (_rule_json(inside)["flips_at"], _rule_json(inside)["distance"]) == (-1.0, -4.0)
