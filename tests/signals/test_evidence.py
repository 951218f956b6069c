"""Evidence: the series beside a decision, and a phrase for every row of it."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import PAIR, hand_market, rotation_market, small_in

from backtest.decision import Evidence
from backtest.market import Legs
from backtest.signals import cut_evidence, lead_evidence

NAN = float("nan")


def test_a_cut_window_tells_what_is_left_of_it_and_what_ended_it() -> None:
    changes = {"2024-09-17 14:00": -25, "2024-09-20 14:00": -25, "2024-09-23 14:00": 25}
    market = hand_market("2024-09-16", G=[1.0] * 7, S=[1.0] * 7, changes=changes)
    window = cut_evidence(market, "small", 2, 25)
    assert window.values.tolist() == [0, 2, 1, 0, 2, 0, 0]
    assert window.leans is not None
    assert window.leans.tolist() == [0, 1, 1, 0, 1, 0, 0]
    assert [window.say(row) for row in range(6)] == [
        "no cut or hike in the record yet",
        "cut of 2024-09-17, 2 sessions left",
        "cut of 2024-09-17, 1 session left",
        "2 sessions since the cut of 2024-09-17: the window is closed",
        "cut of 2024-09-20, 2 sessions left",
        "the Fed raised rates on 2024-09-23: no cut since",
    ]


def test_a_cut_is_called_by_the_day_it_was_announced() -> None:
    market = hand_market("2020-03-13", G=[1.0] * 3, S=[1.0] * 3, changes={"2020-03-15 17:00": -100})
    assert cut_evidence(market, "small", 252, 25).say(1) == "cut of 2020-03-15, 252 sessions left"


def test_a_lead_is_told_in_points() -> None:
    market = hand_market("2024-09-16", G=[100.0, 100.0, 110.0, 110.0, 110.0], S=[40.0, 50.0, 50.0, 50.0, 50.002])
    lead = lead_evidence(market, PAIR, "small", "growth", 1, 0.05)
    assert lead.leans is not None
    assert np.array_equal(lead.leans, [NAN, 1, 0, 0, 0], equal_nan=True)
    assert [lead.say(row) for row in range(5)] == [
        "the lead is not known yet",
        "small leads by 25.0 points",
        "growth leads by 10.0 points",
        "growth led by 10.0 points on 2024-09-18, and the other has not since",
        "growth led by 10.0 points on 2024-09-18, and the other has not since",
    ]


def test_a_lead_below_its_threshold_is_told_as_not_enough_yet() -> None:
    market = hand_market("2024-09-16", G=[100.0, 100.0, 100.0], S=[50.0, 51.0, 51.0])
    lead = lead_evidence(market, PAIR, "small", "growth", 1, 0.05)
    assert lead.say(1) == "small leads by 2.0 points, not by 5 yet"
    assert lead.say(2) == "neither leg leads"
    assert (
        lead_evidence(market, PAIR, "small", "growth", 1, 0.01).say(2)
        == "small led by 2.0 points on 2024-09-17, and the other has not since"
    )


@pytest.mark.parametrize(("threshold", "shown"), [(0.0, (0.0,)), (0.05, (0.05, -0.05))])
def test_the_thresholds_of_a_lead_are_the_levels_at_which_it_changes(
    threshold: float, shown: tuple[float, ...]
) -> None:
    market = hand_market("2024-09-16", G=[1.0] * 3, S=[1.0] * 3)
    assert lead_evidence(market, PAIR, "small", "growth", 1, threshold).thresholds == shown


def test_a_lead_looked_at_monthly_leans_only_after_a_months_last_close() -> None:
    market = rotation_market(4, sessions=100)
    lead = lead_evidence(market, Legs(), "small", "growth", 5, 0.0, "monthly")
    assert lead.leans is not None
    changes = np.flatnonzero(np.diff(np.nan_to_num(lead.leans, nan=-1.0))) + 1
    assert len(changes)
    for row in changes.tolist():
        assert market.sessions[row].month != market.sessions[row + 1].month


def test_evidence_without_a_phrase_tells_label_and_value() -> None:
    plain = Evidence("cpi", np.array([NAN, 0.0312]), unit="a year", label="Core inflation")
    assert plain.say(0) == "Core inflation not known yet"
    assert plain.say(1) == "Core inflation 0.0312 a year"
    assert Evidence("cpi", np.array([2.0])).say(0) == "cpi 2"


def test_a_reason_is_the_evidence_that_leans_to_the_side_decided() -> None:
    def evidence(name: str, leans: list[float]) -> Evidence:
        return Evidence(name, np.zeros(3), leans=np.array(leans), leg="small", phrase=lambda row: f"{name} speaks")

    both = [evidence("cut", [1, 1, 0]), evidence("lead", [1, 0, 0])]
    decision = small_in(np.array([1.0, 0.0, 0.0]), evidence=both)
    assert [decision.why(row, PAIR) for row in range(3)] == [
        "Cut speaks; lead speaks",
        "Lead speaks",
        "Cut speaks; lead speaks",
    ]
    unknown = small_in(np.array([NAN, 1.0, 1.0]), evidence=both)
    assert unknown.why(0, PAIR) == "Signal not known yet: the initial holding"
