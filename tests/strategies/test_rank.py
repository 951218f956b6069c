"""Ranks in markets of five months that are worked out by hand: who is held after the last close of each month.

Prices stand still but for the last session of a month, so that a return over a month is that of the month.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from worlds import market_of, rotation_market, weekdays

from backtest.cli import main
from backtest.decision import Decision, check_decision
from backtest.errors import ConfigError
from backtest.market import Floats, Legs, Market
from backtest.signals.conditions import AnySignal
from backtest.signals.scores import TBILL, best, ratio_return, rows_before, scaled_lead, span_return
from strategies.rank import Rank, _ByName
from strategies.relative_momentum import RelativeMomentum
from strategies.rules import Rules

NAN = float("nan")
EXCHANGE = weekdays("2023-12-01", "2025-01-31")
ENDS = pd.DatetimeIndex(["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31"])
ALONE = Legs({name: {name: 1.0} for name in ("A", "B", "C", "D")})


def months(*, tbill: float | None = None, **closes: Sequence[float]) -> Market:
    """A market from the closes at the end of five months; D, where not given, stands still."""
    given = {"A": [100.0] * 5, "B": [100.0] * 5, "C": [100.0] * 5, "D": [100.0] * 5, **closes}
    sessions = EXCHANGE[(EXCHANGE >= "2024-01-31") & (EXCHANGE <= "2024-06-03")]
    frame = pd.DataFrame(given, index=ENDS).reindex(sessions).ffill()
    return market_of(frame, frame, exchange=EXCHANGE, tbill=tbill)


def held(market: Market, legs: Legs = ALONE, **params: Any) -> list[str]:
    """What is decided at the end of each month, as `A B`, `A/2`, `cash`, or `-` while nothing is."""
    decision = check_decision(Rank.decide(market, legs, Rank.Params(**{"lookback_months": 1, **params})), market, legs)
    return [_told(legs, row) for row in decision.by_leg[market.sessions.get_indexer(ENDS)]]


def _told(legs: Legs, shares: Floats) -> str:
    if np.isnan(shares).any():
        return "-"
    pairs = zip(legs.names, shares.tolist(), strict=True)
    parts = [f"{name}{'' if share == 1.0 else f' {share:.3g}'}" for name, share in pairs if share]
    return " ".join(parts) or "cash"


def test_the_winner_of_each_month_is_held() -> None:
    market = months(A=[100, 110, 110, 110, 120], B=[100, 100, 110, 100, 101], C=[100, 90, 90, 95, 95])
    assert held(market, universe=("A", "B", "C")) == ["-", "A", "B", "C", "A"]
    decision = Rank.decide(market, ALONE, Rank.Params(lookback_months=1))
    row = int(market.sessions.get_loc(pd.Timestamp("2024-03-15")))
    assert decision.by_leg[row].tolist() == [1.0, 0.0, 0.0, 0.0]  # it stays until the next month's end
    assert decision.why(row, ALONE) == "A +10.0% leads 4 legs on 2024-02-29"
    assert decision.why(0, ALONE) == "No score is known yet: the initial holding"


def test_of_equal_scores_the_first_in_the_universe_is_held() -> None:
    market = months(A=[100, 110, 110, 110, 110], B=[100, 110 + 2e-12, 100, 100, 200])
    assert market.close["B"].loc[ENDS[1]] / 100 - 1 > 110 / 100 - 1  # by rounding alone
    assert held(market, universe=("A", "B"))[1] == "A"
    assert held(market, universe=("B", "A"))[1] == "B"
    assert held(market, universe=("B", "A"), top=2)[1:] == ["A 0.5 B 0.5"] * 4


def test_scores_that_differ_by_more_than_rounding_do_not_tie() -> None:
    near = np.array([[1.0, 1.0 + 5e-13], [1.0, 1.0 + 2e-12], [NAN, 1.0], [NAN, NAN]])
    assert best(near, 2).tolist() == [[0, 1], [1, 0], [1, -1], [-1, -1]]


def test_a_score_equal_to_the_hurdle_does_not_exceed_it() -> None:
    market = months(A=[100, 110, 121, 133.1, 200], B=[100, 110, 110, 120, 120])
    assert 110 / 100 - 1 > 0.1  # by rounding alone
    assert held(market, universe="A", above=0.1) == ["-", "cash", "cash", "cash", "A"]
    assert held(market, universe="A", above=0.1, defensive="D") == ["-", "D", "D", "D", "A"]
    assert held(market, universe="A", above="B", defensive="D") == ["-", "D", "A", "A", "A"]


def test_only_the_failing_slot_is_defensive() -> None:
    market = months(A=[100, 110, 121, 130, 120], B=[100, 105, 100, 110, 100], C=[100, 90, 80, 70, 60])
    told = held(market, universe=("A", "B", "C"), top=2, above=0.0, defensive="D")
    assert told == ["-", "A 0.5 B 0.5", "A 0.5 D 0.5", "A 0.5 B 0.5", "D"]
    decision = Rank.decide(market, ALONE, Rank.Params(lookback_months=1, universe=("A", "B"), top=2, above=0.0))
    row = int(market.sessions.get_loc(ENDS[2]))
    assert decision.why(row, ALONE) == "A +10.0% leads 2 legs; B \N{MINUS SIGN}4.8% not above 0.00%: cash instead"


def test_when_one_canary_fails_everything_is_defensive_and_else_nothing_is_tested() -> None:
    market = months(
        A=[100, 90, 99, 80, 120],
        B=[100, 80, 80, 70, 70],
        C=[100, 101, 100, 101, 102],
        D=[100, 101, 102, 103, 104],
    )
    told = held(market, universe=("A", "B"), top=2, above=0.0, canary=("C", "D"), defensive="D")
    assert told == ["-", "A 0.5 B 0.5", "D", "A 0.5 B 0.5", "A 0.5 B 0.5"]
    params = Rank.Params(lookback_months=1, universe=("A", "B"), above=0.0, canary=("C", "D"))
    decision = Rank.decide(market, ALONE, params)
    row = int(market.sessions.get_loc(ENDS[2]))
    assert decision.why(row, ALONE) == "C \N{MINUS SIGN}1.0% not above 0.00%: all in cash"


def test_slots_for_which_too_few_scores_are_known_are_defensive() -> None:
    """B begins in February, and has a return from March on."""
    market = months(A=[100, 110, 121, 130, 120], B=[NAN, 100, 130, 110, 100])
    assert held(market, universe=("A", "B"), top=2) == ["-", "A 0.5", *["A 0.5 B 0.5"] * 3]
    assert held(market, universe=("A", "B"), top=2, defensive="D") == ["-", "A 0.5 D 0.5", *["A 0.5 B 0.5"] * 3]
    assert held(market, universe=("A", "B")) == ["-", "A", "B", "A", "A"]


def test_nothing_is_decided_while_hurdle_or_canary_is_not_known() -> None:
    market = months(A=[100, 110, 121, 130, 140], B=[NAN, 100, 130, 110, 100])
    assert held(market, universe="A", above="B", defensive="D") == ["-", "-", "D", "A", "A"]
    assert held(market, universe="A", above=-0.5, canary="B", defensive="D") == ["-", "-", "A", "A", "A"]


def test_the_best_defensive_leg_is_held_whatever_its_score() -> None:
    market = months(A=[100, 90, 80, 70, 80], B=[100, 99, 90, 89, 80], D=[100, 98, 95, 90, 85])
    assert held(market, universe="A", above=0.0, defensive=("B", "D")) == ["-", "B", "D", "B", "A"]


def test_the_hurdle_of_t_bills_is_compounded_over_the_same_months() -> None:
    market = months(tbill=0.05, A=[100, 100.3, 100.6, 101.2, 101.7])
    rate = 365 * 0.05 / (360 - 91 * 0.05) / 365
    nights = np.diff(market.sessions.to_numpy()).astype("timedelta64[D]").astype(float)
    ends = market.sessions.get_indexer(ENDS)
    month = [np.prod(1 + rate * nights[i:j]) - 1 for i, j in pairwise(ends)]
    hurdle = span_return(market, {TBILL: 1.0}, 1, "month")[ends]
    assert hurdle[1:] == pytest.approx(month, rel=1e-12)
    assert held(market, universe="A", above="tbill") == ["-", "cash", "cash", "A", "A"]
    with pytest.raises(ConfigError, match=r"strategy\.params: found tbill, .*expected one in data\.tbill"):
        held(months(), universe="A", above="tbill")


def test_weights_of_spans_are_taken_as_they_are() -> None:
    market = months(A=[100, 110, 121, 121, 121], B=[100, 100, 100, 115, 115])
    params = Rank.Params(universe=("A", "B"), lookback_months=(1, 2), score_weights=(2.0, 1.0))
    scores = {each.name: each.values for each in Rank.decide(market, ALONE, params).evidence}
    april = int(market.sessions.get_loc(ENDS[3]))
    assert scores["score_A"][april] == pytest.approx(2 * 0.0 + 0.1)
    assert scores["score_B"][april] == pytest.approx(2 * 0.15 + 0.15)
    mean = Rank.Params(universe=("A", "B"), lookback_months=(1, 2))
    scores = {each.name: each.values for each in Rank.decide(market, ALONE, mean).evidence}
    assert scores["score_B"][april] == pytest.approx(0.15)


def test_a_leg_is_scored_by_the_sum_of_weight_times_return() -> None:
    market = months(A=[100, 110, 121, 121, 121], B=[100, 80, 80, 115, 115])
    legs = Legs({"both": {"A": 0.6, "B": 0.3}, "D": {"D": 1.0}})
    scores = {each.name: each.values for each in Rank.decide(market, legs, Rank.Params(lookback_months=1)).evidence}
    assert scores["score_both"][int(market.sessions.get_loc(ENDS[1]))] == pytest.approx(0.6 * 0.1 - 0.3 * 0.2)


def test_the_moving_average_by_months_is_of_month_ends() -> None:
    market = months(A=[100, 110, 90, 120, 100])
    params = {"universe": "A", "score": "moving_average", "lookback_months": 3, "above": 0.0}
    assert held(market, **params) == ["-", "-", "cash", "A", "cash"]
    scores = Rank.decide(market, ALONE, Rank.Params(**params)).evidence[0].values
    assert scores[int(market.sessions.get_loc(ENDS[3]))] == pytest.approx(120 / ((110 + 90 + 120) / 3) - 1)


def test_inverse_volatility_parts_what_the_chosen_have_together() -> None:
    """B moves twice as much as A each day; C is never chosen."""
    sessions = EXCHANGE[(EXCHANGE >= "2024-01-31") & (EXCHANGE <= "2024-06-03")]
    wave = np.where(np.arange(len(sessions)) % 2, 1.0, -1.0)
    closes = {
        "A": np.cumprod(1.001 + 0.01 * wave),
        "B": np.cumprod(1.002 + 0.02 * wave),
        "C": np.cumprod(0.999 + 0.0 * wave),
        "D": np.full(len(sessions), 1.0),
    }
    frame = pd.DataFrame(closes, index=sessions)
    market = market_of(frame, frame, exchange=EXCHANGE)
    given = {"universe": ("A", "B", "C"), "top": 2, "weights": "inverse_volatility", "volatility_sessions": 10}
    assert held(market, **given)[2:] == ["A 0.667 B 0.333"] * 3
    assert held(market, **given, above=0.05, defensive="D")[2:] == ["D", "D", "B 0.333 D 0.667"]
    alone = {**given, "universe": ("A",)}
    assert held(market, **alone)[2:] == ["A 0.5"] * 3  # the other slot is missing


def test_a_month_back_is_a_month_end_or_the_same_day() -> None:
    exchange = weekdays("2023-01-02", "2024-12-31", holidays=["2024-03-29"])
    sessions = exchange[(exchange >= "2024-01-15") & (exchange <= "2024-05-31")]
    frame = pd.DataFrame({"A": np.arange(1.0, len(sessions) + 1)}, index=sessions)
    market = market_of(frame, frame, exchange=exchange)

    def back(day: str, span: int) -> str:
        row = int(rows_before(market, span, "month")[market.sessions.get_loc(pd.Timestamp(day))])
        return "" if row < 0 else f"{market.sessions[row]:%Y-%m-%d}"

    assert back("2024-04-30", 1) == "2024-03-28"  # the last session of March, Good Friday being closed
    assert back("2024-03-28", 1) == "2024-02-29"
    assert back("2024-05-31", 3) == "2024-02-29"
    assert back("2024-05-30", 3) == "2024-02-29"  # there is no 30th of February
    assert back("2024-04-15", 1) == "2024-03-15"
    assert back("2024-04-17", 2) == "2024-02-16"  # the 17th was a Saturday
    assert back("2024-02-15", 1) == "2024-01-15"
    assert back("2024-02-14", 1) == ""
    assert back("2024-01-31", 1) == ""


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"canary": "A"}, "canary: expected `above`"),
        ({"lookback_months": 1, "lookback_sessions": 21}, "expected one of them"),
        ({"lookback_months": (1, 3), "score_weights": (1.0,)}, "score_weights: expected 2 numbers"),
        ({"score": "twelve_one", "lookback_months": 3}, "twelve_one looks back 12 months"),
        ({"score": "scaled", "above": "tbill"}, "T-bills have no score scaled"),
        ({"universe": ("A", "A")}, "expected each once"),
        ({"defensive": "cash"}, "found cash"),
        ({"lookback_months": ()}, "empty list"),
        ({"lookback_months": 0}, "greater than or equal to 1"),
        ({"top": 0}, "greater than or equal to 1"),
        ({"top": True}, "valid integer"),
        ({"above": True}, "valid number"),
    ],
)
def test_parameters_that_do_not_agree_are_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Rank.Params(**params)


def test_without_a_leg_to_rank_it_says_so() -> None:
    with pytest.raises(
        ConfigError, match=r"strategy\.params: found no leg that is left to be ranked, expected some of A, B"
    ):
        held(months(), defensive=("A", "B", "C", "D"))


def test_slots_for_which_there_are_no_legs_are_told_in_the_rule() -> None:
    assert "D (2 slots more than there are legs, never filled) by" in Rank.rule(ALONE, Rank.Params(top=6))
    assert "slot" not in Rank.rule(ALONE, Rank.Params(top=4))


def says(market: Market, **signal: Any) -> list[float]:
    """What a signal's quantity is at the end of each month."""
    params = Rules.Params.model_validate_json(json.dumps({"hold": [{"leg": "A", "when": signal}, {"leg": "B"}]}))
    again = Rules.Params(**params.model_dump())  # as backtrader is handed them
    assert again == params
    evidence = Rules.decide(market, ALONE, again).evidence[0]
    return [float(value) for value in evidence.values[market.sessions.get_indexer(ENDS)]]


def test_signals_over_months() -> None:
    market = months(tbill=0.0, A=[100, 110, 90, 120, 100], B=[100, 105, 110, 110, 99])
    approx = pytest.approx
    pair = {"of": "A", "over": "B", "lookback_months": 1}
    assert says(market, signal="lead", **pair)[1:3] == approx([0.1 - 0.05, 90 / 110 - 1 - (110 / 105 - 1)])
    assert says(market, signal="momentum", of="A", lookback_months=2)[2:4] == approx([-0.1, 120 / 110 - 1])
    assert says(market, signal="momentum", of="A", over="tbill", lookback_months=2)[2] == approx(-0.1)
    assert says(market, signal="momentum", **pair) == approx(says(market, signal="lead", **pair), nan_ok=True)
    risen = says(market, signal="breadth", of=["A", "B", "C"], lookback_months=1, above=1)
    assert risen[1:] == [2.0, 1.0, 1.0, 0.0]
    assert np.isnan(risen[0])
    assert says(market, signal="moving_average", of="A", window_months=2)[1] == approx(110 / 105 - 1)


def test_the_place_of_a_leg_among_several() -> None:
    """Returns of the months: A 10, 0, 5 %, B 5, 5, 5 %; C stands still; D has no price before March."""
    market = months(A=[100, 110, 110, 115.5, 115.5], B=[100, 105, 110.25, 115.7625, 100], D=[NAN, NAN, 100, 90, 100])
    given = {"signal": "rank", "among": ["A", "B", "C", "D"], "lookback_months": 1}
    places = {name: says(market, of=name, **given) for name in "ABCD"}
    assert np.isnan([places[name][0] for name in "ABCD"]).all()
    assert [places["A"][1:], places["B"][1:], places["C"][1:]] == [[1, 2, 1, 2], [2, 1, 2, 4], [3, 3, 3, 3]]
    assert np.isnan(places["D"][1:3]).all()
    assert places["D"][3:] == [4, 1]  # +11 % in May


def test_the_first_places_say_yes_until_a_place_to_leave_at() -> None:
    market = months(A=[100, 110, 110, 110, 110], B=[100, 105, 111, 112, 115], C=[100, 101, 110, 120, 120])

    def answers(**params: Any) -> list[float]:
        when = {"signal": "rank", "of": "A", "among": ["A", "B", "C"], "lookback_months": 1, **params}
        params = Rules.Params.model_validate_json(json.dumps({"hold": [{"leg": "A", "when": when}, {"leg": "B"}]}))
        decision = Rules.decide(market, ALONE, params)
        return [float(share) for share in decision.by_leg[market.sessions.get_indexer(ENDS), 0]]

    # Places of A: 1, 3, 3, 2 (of equal ones the first counts as better: C stands still in May as well).
    assert answers()[1:] == [1, 0, 0, 0]
    assert answers(top=2)[1:] == [1, 0, 0, 1]
    assert answers(leave=4.0)[1:] == [1, 1, 1, 1]
    assert answers(decide="monthly", leave=3.0)[1:] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"of": "A", "among": ["B", "C"]}, "of: found A, expected one of those in among"),
        ({"of": "A", "among": ["A", "A", "B"]}, "expected each once"),
        ({"of": "A", "among": ["A", "B"], "top": 2}, "top: found 2, expected less than the 2 in among"),
        ({"of": "A", "among": ["A", "B"], "below": 2}, "expected top"),
        ({"of": "A", "among": []}, "at least one"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        says(months(), signal="rank", **params)


@pytest.mark.parametrize("signal", ["lead", "surge", "scaled_lead", "relative_strength"])
def test_a_signal_looks_back_over_months_or_sessions(signal: str) -> None:
    with pytest.raises(ValidationError, match="found both lookback_sessions and lookback_months"):
        says(months(), signal=signal, of="A", over="B", lookback_months=1, lookback_sessions=21)


def test_every_signal_with_sessions_takes_months() -> None:
    looking = [
        each
        for each in get_args(get_args(AnySignal)[0])
        if {"lookback_sessions", "lookback_months"} & set(each.model_fields)
    ]
    assert len(looking) >= 7
    assert all({"lookback_sessions", "lookback_months"} <= set(each.model_fields) for each in looking)


def test_leads_over_months_are_those_over_the_sessions_of_the_months() -> None:
    market = rotation_market(5, sessions=300)
    legs, row = Legs(), 250
    early = int(rows_before(market, 3, "month")[row])
    count = row - early
    small, growth = legs["small"], legs["growth"]
    assert scaled_lead(market, small, growth, 3, "month", 30)[row] == pytest.approx(
        scaled_lead(market, small, growth, count, "session", 30)[row], rel=1e-12
    )
    assert (
        ratio_return(market, "IWM", "QQQ", 3, "month")[row] == ratio_return(market, "IWM", "QQQ", count, "session")[row]
    )


def test_relative_momentum_over_months() -> None:
    market = months(A=[100, 110, 110, 110, 120], B=[100, 100, 120, 121, 121])
    params = RelativeMomentum.Params(lookback_months=1, decide="monthly", hold="B", otherwise="A")
    decision = RelativeMomentum.decide(market, ALONE, params)
    rows = market.sessions.get_indexer(ENDS)[1:]
    assert decision.by_leg[rows, 1].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert "over 1 month," in RelativeMomentum.rule(ALONE, params)
    assert RelativeMomentum.Params(**params.model_dump()) == params
    with pytest.raises(ValidationError, match="found both"):
        RelativeMomentum.Params(lookback_months=1, lookback_sessions=21)
    assert RelativeMomentum.Params(lookback_months=1, lookback_sessions=None) == RelativeMomentum.Params(
        lookback_months=1
    )


def flips(decision: Decision, row: int) -> dict[str, tuple[float, list[float]]]:
    """For each that is scored, the change of its score that changes what a look decides, and to which shares."""
    assert decision.standing is not None
    rows = decision.standing(row).rows
    return {each.name: (round(each.flip, 9), list(each.then)) for each in rows if each.then}


def test_how_far_each_leg_is_from_changing_what_is_held() -> None:
    """In May A rose 10 %, B 4 %, C fell 3 %, D stood still; a score must exceed 2 %, D is held instead."""
    market = months(A=[100, 100, 100, 100, 110], B=[100, 100, 100, 100, 104], C=[100, 100, 100, 100, 97])
    row = int(market.sessions.get_loc(ENDS[4]))
    params = Rank.Params(lookback_months=1, universe=("A", "B", "C"), above=0.02, defensive="D")
    decision = Rank.decide(market, ALONE, params)
    assert flips(decision, row) == {
        "A": (-0.06, [0.0, 1.0, 0.0, 0.0]),  # then B leads
        "B": (0.06, [0.0, 1.0, 0.0, 0.0]),
        "C": (0.13, [0.0, 0.0, 1.0, 0.0]),
    }
    two = Rank.decide(market, ALONE, params.model_copy(update={"top": 2}))
    assert flips(two, row) == {
        "A": (-0.08, [0.0, 0.5, 0.0, 0.5]),  # down to the hurdle
        "B": (-0.02, [0.5, 0.0, 0.0, 0.5]),
        "C": (0.07, [0.5, 0.0, 0.5, 0.0]),  # past B
    }
    alone = Rank.decide(market, ALONE, Rank.Params(lookback_months=1, universe=("A", "B"), above="C", canary="D"))
    assert flips(alone, row) == {
        "A": (-0.06, [0.0, 1.0, 0.0, 0.0]),
        "B": (0.06, [0.0, 1.0, 0.0, 0.0]),
        "D": (-0.03, [0.0, 0.0, 0.0, 0.0]),  # the canary down to C, then all is cash
        "C": (0.03, [0.0, 0.0, 0.0, 0.0]),  # the hurdle up to the canary
    }


def test_the_table_of_scores_says_who_has_the_slots() -> None:
    market = months(A=[100, 110, 110, 110, 110], B=[100, 105, 105, 90, 99], C=[100, 101, 101, 101, 101])
    params = Rank.Params(lookback_months=1, universe=("A", "B", "C"), above=0.02, top=2, defensive="D")
    decision = Rank.decide(market, ALONE, params)
    assert decision.standing is not None
    start = decision.standing(0)
    assert (start.looked, start.now, start.slots) == (-1, None, ())
    told = decision.standing(int(market.sessions.get_loc(pd.Timestamp("2024-04-30"))) - 1)
    assert market.sessions[told.looked] == ENDS[2]
    assert told.slots == ("D instead of A", "D instead of B")
    assert [(each.name, each.place, each.roles) for each in told.rows] == [
        ("A", 1, ("ranked",)), ("B", 2, ("ranked",)), ("C", 3, ("ranked",)), ("D", 0, ("defensive",)),
    ]  # fmt: skip
    late = decision.standing(int(market.sessions.get_loc(ENDS[4])))
    assert late.slots == ("B", "D instead of A")
    assert late.now == (0.0, 0.5, 0.0, 0.5)
    assert [round(each.value, 9) for each in late.rows] == [0.1, 0.0, 0.0, 0.0]
    assert late.hurdle == ("2.00%", 0.02)


@pytest.mark.parametrize("seed", range(6))
def test_a_price_that_moves_by_the_flip_flips_the_decision_and_one_that_moves_less_does_not(seed: int) -> None:
    """The last close of one leg is moved, and everything is computed anew."""
    market, legs = rotation_market(seed, sessions=80), Legs({t: {t: 1.0} for t in ("QQQ", "IVW", "IWM", "IWN")})
    params = Rank.Params(
        lookback_sessions=(5, 20), top=1 + seed % 2, above=0.0, universe=("QQQ", "IVW", "IWM"), decide="daily"
    )
    row = len(market.sessions) - 1
    decision = Rank.decide(market, legs, params)
    assert decision.standing is not None
    standing = decision.standing(row)
    assert standing.now == tuple(decision.by_leg[row])
    tried = 0
    for each in standing.rows:
        if np.isnan(each.flip):
            continue
        closes = market.close[each.name].to_numpy()
        # The score is mean(P / P_5 - 1, P / P_20 - 1): a change of P by x changes it by x * mean(1 / P_5, 1 / P_20).
        slope = np.mean([1 / closes[row - 5], 1 / closes[row - 20]])
        for part, shares in ((0.999, standing.now), (1.001, each.then)):
            close = market.close.copy()
            close.loc[close.index[row], each.name] = closes[row] + part * each.flip / slope
            moved = Rank.decide(market_of(close, close, exchange=market.exchange_sessions), legs, params)
            assert tuple(moved.by_leg[row]) == shares, (each.name, part)
        tried += 1
    assert tried >= 2


def test_why_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(__file__).parents[2] / "configs" / "published" / "ten_month_average.yaml"
    sample = ("--set", "data.prices={source: sample}", "--offline")
    with pytest.raises(SystemExit):
        main(["why", str(config), "2020-03-13", *sample])
    text = capsys.readouterr().out
    assert "scores at this close (in brackets those of 2020-02-28, which decided):" in text
    assert "slot 5: SHY instead of" in text
    assert " points from here: " in text
    assert "to exceed: 0.00%" in text
    with pytest.raises(SystemExit):
        main(["why", str(config), "2020-03-13", "--json", *sample])
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert scores["looked_at"] == "2020-02-28"
    assert [each["place"] for each in scores["of"]] == [1, 2, 3, 4, 5, None]
    assert sum(scores["now"].values()) == pytest.approx(1.0)


def test_scores_that_are_kept_together_are_counted_with_all_their_bytes() -> None:
    assert _ByName({"A": np.zeros(10), "B": np.zeros(5)}).nbytes == 8 * 15
