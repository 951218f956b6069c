"""The verdict: each row of the decision table, the wording of each sentence, and what no sentence may say."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import text as words
from backtest.statistics import readings
from backtest.statistics.verdict import Evidence, Level, TimingEvidence, evidence_level, judge

LUCK = Evidence(
    name="cut 252 and momentum 126",
    benchmark="QQQ",
    variants=28,
    trials=428,
    years=24.4,
    sharpe=0.09,
    sharpe_interval=(-0.28, 0.46),
    difference=0.011,
    difference_interval=(-0.024, 0.043),
    no_skill_p=0.79,
    spa_p=0.75,
    dsr=0.12,
    pbo=0.35,
    smallest_edge=0.059,
    minimum_track_record_years=334.0,
    timing=TimingEvidence(0.62, 0.015, (-0.008, 0.037), 0.80),
)
STRONG = dataclasses.replace(
    LUCK,
    sharpe=1.2,
    sharpe_interval=(0.8, 1.6),
    difference=0.06,
    difference_interval=(0.03, 0.09),
    no_skill_p=0.001,
    spa_p=0.001,
    dsr=0.98,
    pbo=0.03,
    minimum_track_record_years=2.0,
    timing=TimingEvidence(0.62, 0.05, (0.02, 0.08), 0.004),
)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "strong"),
        ({"sharpe": 0.0}, "none"),
        ({"difference": 0.0}, "none"),
        ({"difference": -0.001}, "none"),
        ({"pbo": None}, "strong"),
        ({"pbo": 0.2}, "mixed"),
        ({"sharpe_interval": (-0.01, 1.6)}, "mixed"),
        ({"dsr": 0.9499}, "mixed"),
        ({"dsr": 0.95}, "strong"),
        ({"spa_p": 0.05}, "mixed"),
        ({"no_skill_p": 0.05}, "mixed"),
        ({"spa_p": 0.5, "dsr": 0.5}, "mixed"),
        ({"spa_p": 0.5, "dsr": 0.5, "no_skill_p": 0.09}, "mixed"),
        ({"spa_p": 0.5, "dsr": 0.5, "no_skill_p": 0.10}, "luck"),
        ({"spa_p": 0.5, "dsr": 0.5, "no_skill_p": 0.09, "sharpe_interval": (0.0, 1.6)}, "luck"),
    ],
)
def test_the_decision_table(changes: dict[str, Any], level: Level) -> None:
    assert evidence_level(dataclasses.replace(STRONG, **changes)) == level


def test_the_real_data_are_luck_in_these_words() -> None:
    verdict = judge(LUCK)
    assert verdict.level == "luck"
    assert verdict.headline == "Not distinguishable from holding QQQ."
    luck, timing, resolution = verdict.sentences
    assert luck == (
        "The best of 28, “cut 252 and momentum 126”, made +1.1 points a year more than QQQ (95% interval −2.4 to "
        "+4.3; active Sharpe ratio 0.09, −0.28 to 0.46). Without any skill the best of 28 looks this good in 40 of 50 "
        "histories; deflated for 428 trials it scores 0.12, where 0.95 is needed."
    )
    assert timing == (
        "Against a constant 62% in small caps, its own average, it is +1.5 points a year ahead (−0.8 to +3.7; "
        "p = 0.80 after correcting for the search): timing is not shown."
    )
    assert resolution == (
        "24 years of data can show only an edge of about 5.9% a year or more in such a search; one as small as this "
        "would take about 330 years to show."
    )


def test_a_strong_result_is_still_hedged() -> None:
    verdict = judge(STRONG)
    assert verdict.headline == "“cut 252 and momentum 126” did better than QQQ by more than luck and search explain."
    assert verdict.sentences[0].endswith(
        "the best of 28 with no skill looks this good in hardly any histories, deflated for 428 trials it scores 0.98. "
        "Whether its reason lasts, no test can say."
    )
    assert verdict.sentences[1].endswith(
        "gained +5.0 points a year from timing (+2.0 to +8.0; p below 0.01 after correcting for the search)."
    )
    assert verdict.sentences[2] == (
        "Having been picked as the best of 28, its true edge is probably smaller than measured; 24 years cannot say by "
        "how much."
    )


def test_a_mixed_result_names_every_test() -> None:
    verdict = judge(dataclasses.replace(STRONG, dsr=0.7))
    assert verdict.headline == "Suggestive, not established: “cut 252 and momentum 126” may be better than QQQ."
    for part in (
        "Tests disagree:",
        "hardly any histories",
        "SPA p below 0.01",
        "scores 0.70",
        "probability 3%",
        "0.80 to",
    ):
        assert part in verdict.sentences[0]


def test_nothing_ahead_says_so() -> None:
    behind = dataclasses.replace(LUCK, sharpe=-0.2, difference=-0.01, minimum_track_record_years=None)
    verdict = judge(behind)
    assert verdict.headline == "Nothing here did better than simply holding QQQ."
    assert "has an active Sharpe ratio of −0.20 against QQQ" in verdict.sentences[0]
    assert verdict.sentences[-1].endswith("in such a search; a smaller one is not excluded.")


def test_timing_that_is_not_there() -> None:
    nothing = dataclasses.replace(LUCK, timing=TimingEvidence(0.4, -0.0004, (-0.02, 0.02), 0.9))
    assert judge(nothing).sentences[1] == (
        "Against a constant 40% in small caps, its own average, it is at 0.0 points a year (−2.0 to +2.0): "
        "there is no timing to be seen, only exposure."
    )
    assert len(judge(dataclasses.replace(LUCK, timing=None)).sentences) == 2


def test_a_single_variant_is_not_called_the_best_of_one() -> None:
    alone = dataclasses.replace(LUCK, variants=1, trials=1, pbo=None)
    text = " ".join(judge(alone).sentences)
    assert "The variant, “cut" in text
    assert "deflated for 1 trial it" in text
    assert "search" not in text
    assert "best of 1" not in " ".join(judge(dataclasses.replace(STRONG, variants=1)).sentences)


NUMBER = st.floats(-2, 2)
EVIDENCE = st.builds(
    Evidence,
    name=st.just("x"),
    benchmark=st.just("QQQ"),
    variants=st.integers(1, 300),
    trials=st.integers(1, 5000),
    years=st.floats(0.3, 60),
    sharpe=NUMBER,
    sharpe_interval=st.tuples(NUMBER, NUMBER),
    difference=st.floats(-0.2, 0.2),
    difference_interval=st.tuples(NUMBER, NUMBER),
    no_skill_p=st.floats(0.0005, 1),
    spa_p=st.floats(0.0005, 1),
    dsr=st.floats(0, 1),
    pbo=st.none() | st.floats(0, 1),
    smallest_edge=st.floats(0.001, 0.5),
    minimum_track_record_years=st.none() | st.floats(0.1, 1e7),
    timing=st.none() | st.builds(TimingEvidence, st.floats(0, 1), NUMBER, st.tuples(NUMBER, NUMBER), st.floats(0, 1)),
)


@given(EVIDENCE)
def test_no_sentence_claims_too_much_or_shows_a_bare_number(e: Evidence) -> None:
    verdict = judge(e)
    text = " ".join([verdict.headline, *verdict.sentences])
    assert not re.search(r"prove|significan|outperform|\bbeat|nan|inf\b|None", text)
    assert not re.search(r"-\d|−0\.0+\b(?!\d)", text), "an ASCII minus or a negative zero"
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in verdict.sentences)
    assert text.count("(") == text.count(")")
    assert 2 <= len(verdict.sentences) <= 3
    if verdict.level != "strong":
        assert "95% interval" in verdict.sentences[0]


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
    readings.read_timing(0.015, ENDS, 0.62),
    readings.read_effective_variants(2.2, 28),
]


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_is_one_plain_sentence(reading: str) -> None:
    assert reading[0].isupper() or reading[0].isdigit()
    assert reading.endswith(".")
    assert not re.search(r"\. [A-Z]", reading), "more than one sentence"
    assert not re.search(r"prove|significan|outperform|\bbeat|-\d|None", reading)
    assert len(reading) < 240
