"""Readings: the sentence beside each figure that describes and decides nothing."""

from __future__ import annotations

import re

import pytest

from backtest import text as words
from backtest.statistics import readings


@pytest.mark.parametrize(
    ("p", "words_for_it", "count"),
    [
        (0.0005, "p below 0.01", "hardly any"),
        (0.01, "p = 0.01", "hardly any"),
        (0.02, "p = 0.02", "1 of 50"),
        (0.79, "p = 0.79", "40 of 50"),
        (0.995, "p above 0.99", "all"),
        (1.0, "p above 0.99", "all"),
    ],
)
def test_chances_in_words(p: float, words_for_it: str, count: str) -> None:
    assert words.p_equals(p) == words_for_it
    assert words.in_fifty(p) == count


def test_numbers_in_words() -> None:
    assert words.number(-0.004) == "0.00"
    assert words.number(-1.5, 1) == "−1.5"
    assert words.points(-0.0004) == "0.0"
    assert words.points(0.011) == "+1.1"
    assert words.percent(0.617, 0) == "62%"
    assert words.years(24.4) == "24 years"
    assert words.years(2.34) == "2.3 years"
    assert [words.years_needed(x) for x in (36.6, 334.0, 999.0, 5e6)] == [
        "about 37 years",
        "about 330 years",
        "more than a thousand years",
        "more than a thousand years",
    ]


ENDS = (-0.024, 0.043)
READINGS = [
    readings.read_active_sharpe(0.09, (-0.28, 0.46), "QQQ"),
    readings.read_active_sharpe(0.9, (0.28, 1.46), "QQQ"),
    readings.read_growth_difference(0.011, ENDS, "QQQ"),
    readings.read_probabilistic_sharpe(0.67),
    readings.read_deflated_sharpe(0.12, 428, 0.334),
    readings.read_deflated_sharpe(0.62, 1, 0.0),
    readings.read_minimum_track_record(None, 24.4),
    readings.read_minimum_track_record(334.0, 24.4),
    readings.read_minimum_track_record(2.0, 24.4),
    readings.read_no_skill(0.79, 28),
    readings.read_no_skill(0.3, 1),
    readings.read_overfitting(0.35),
    readings.read_overfitting(None),
    readings.read_overfitting_loss(0.93, "QQQ"),
    readings.read_spa(0.75, "QQQ", 28),
    readings.read_spa(0.001, "QQQ", 28),
    readings.read_reality_check(0.82),
    readings.read_stepm([], "QQQ"),
    readings.read_stepm(["a", "b"], "QQQ"),
    readings.read_confidence_set(27, 28, "QQQ", True),
    readings.read_confidence_set(1, 28, "QQQ", False),
    readings.read_ledoit_wolf(0.888, "QQQ"),
    readings.read_ledoit_wolf(0.01, "QQQ"),
    readings.read_smallest_edge(0.059, 24.4),
    readings.read_timing(0.015, ENDS, "38% growth and 62% small caps"),
    readings.read_effective_variants(2.2, 28),
]


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_is_one_plain_sentence(reading: str) -> None:
    assert reading[0].isupper() or reading[0].isdigit()
    assert reading.endswith(".")
    assert not re.search(r"\. [A-Z]", reading), "more than one sentence"
    assert not re.search(r"prove|significan|outperform|\bbeat|-\d|None", reading)
    assert len(reading) < 240
