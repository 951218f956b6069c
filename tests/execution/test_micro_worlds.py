"""Worlds of a few sessions whose fills can be worked out with a pencil. Whole shares, so that amounts are even."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from worlds import PAIR, fills_of, hand_market, play, small_in

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from strategies.rate_cut import RateCut
from strategies.rate_cut_momentum import RateCutMomentum
from strategies.relative_momentum import RelativeMomentum
from strategies.static_mix import StaticMix

BUY_GROWTH = ("2024-09-17", "G", 1000.0, 100.0)
"""100,000 USD at 100 on the first open after Monday, September 16, 2024."""


class AllCash(RotationStrategy):
    """Never invested."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: StrategyParams) -> Decision:
        """Everything in cash."""
        return small_in(np.zeros(len(market.sessions)), 1.0)


class HalfCash(RotationStrategy):
    """Half in growth, half in cash."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: StrategyParams) -> Decision:
        """Half of the whole in cash."""
        return small_in(np.zeros(len(market.sessions)), 0.5)


def flat(first: str = "2024-09-16", sessions: int = 10, **given: Any) -> Market:
    """G at 100 and S at 50 throughout; 2024-09-16 is a Monday."""
    return hand_market(first, G=[100.0] * sessions, S=[50.0] * sessions, **given)


def rate_cut(market: Market, hold: int = 252, **terms: Any) -> list[tuple[str, str, float, float]]:
    return fills_of(play(market, RateCut, params={"hold_sessions": hold}, whole_shares=True, **terms))


# ---------------------------------------------------------------------------------------------- when a cut is traded


def test_a_cut_on_wednesday_at_two_is_traded_at_thursdays_open() -> None:
    assert rate_cut(flat(changes={"2024-09-18 14:00": -50})) == [
        BUY_GROWTH,
        ("2024-09-19", "G", -1000.0, 100.0),
        ("2024-09-19", "S", 2000.0, 50.0),
    ]


def test_a_cut_announced_at_the_close_is_traded_a_session_later() -> None:
    days = [fill[0] for fill in rate_cut(flat(changes={"2024-09-18 16:00": -50}))]
    assert days == ["2024-09-17", "2024-09-20", "2024-09-20"]


def test_a_cut_on_sunday_is_known_on_monday_and_traded_on_tuesday() -> None:
    market = hand_market("2020-03-12", G=[100.0] * 6, S=[50.0] * 6, changes={"2020-03-15 17:00": -100})
    assert [fill[:2] for fill in rate_cut(market)] == [("2020-03-13", "G"), ("2020-03-17", "G"), ("2020-03-17", "S")]


def test_a_cut_on_the_eve_of_a_holiday_after_the_close_waits_for_the_next_session() -> None:
    market = flat(holidays=["2024-09-19"], changes={"2024-09-18 18:00": -50})
    assert [fill[0] for fill in rate_cut(market)] == ["2024-09-17", "2024-09-23", "2024-09-23"]


def test_a_window_of_three_is_open_for_three_closes_and_sold_at_the_open_after_the_fourth() -> None:
    """Known on Wednesday; Wednesday, Thursday and Friday say small; Monday's close says growth: Tuesday's open."""
    fills = rate_cut(flat(changes={"2024-09-18 14:00": -50}), hold=3)
    assert fills[1:] == [
        ("2024-09-19", "G", -1000.0, 100.0),
        ("2024-09-19", "S", 2000.0, 50.0),
        ("2024-09-24", "S", -2000.0, 50.0),
        ("2024-09-24", "G", 1000.0, 100.0),
    ]


def test_a_second_cut_restarts_the_window() -> None:
    """Cuts on Wednesday and Friday, three sessions each: Tuesday's close is the last to say small, sold on Thursday."""
    fills = rate_cut(flat(changes={"2024-09-18 14:00": -25, "2024-09-20 14:00": -25}), hold=3)
    assert [fill[0] for fill in fills] == ["2024-09-17"] + ["2024-09-19"] * 2 + ["2024-09-26"] * 2


def test_a_hike_ends_the_window_and_a_later_cut_opens_it_again() -> None:
    market = flat(changes={"2024-09-17 14:00": -25, "2024-09-19 14:00": 25, "2024-09-24 14:00": -25})
    assert [fill[0] for fill in rate_cut(market)] == (
        ["2024-09-17"] + ["2024-09-18"] * 2 + ["2024-09-20"] * 2 + ["2024-09-25"] * 2
    )


def test_a_hike_and_then_a_cut_before_one_close_is_a_cut() -> None:
    market = flat(changes={"2024-09-18 17:00": 25, "2024-09-19 10:00": -50})
    assert [fill[0] for fill in rate_cut(market)] == ["2024-09-17", "2024-09-20", "2024-09-20"]


def test_a_cut_that_is_too_small_does_nothing() -> None:
    assert rate_cut(flat(changes={"2024-09-18 14:00": -20})) == [BUY_GROWTH]


def test_a_cut_before_the_first_price_counts_in_sessions_of_the_exchange() -> None:
    """Known on Thursday the 12th, window of four: 12, 13, 16 and 17; growth from Wednesday's close, bought Thursday."""
    fills = rate_cut(flat(changes={"2024-09-12 14:00": -25}), hold=4)
    assert [fill[:3] for fill in fills] == [
        ("2024-09-17", "S", 2000.0),
        ("2024-09-19", "S", -2000.0),
        ("2024-09-19", "G", 1000.0),
    ]


def test_decisions_before_the_start_only_decide_the_first_purchase() -> None:
    """A start in the middle of the data: the first row is cash, the first fill is at the next open."""
    market = flat(changes={"2024-09-17 14:00": -25})
    books = play(market, RateCut, start="2024-09-19", whole_shares=True)
    assert f"{books.sessions[0]:%Y-%m-%d}" == "2024-09-19"
    assert (books.equity[0], books.cash[0]) == (100_000.0, 100_000.0)
    assert fills_of(books) == [("2024-09-20", "S", 2000.0, 50.0)]


def test_a_start_on_a_weekend_begins_with_the_next_session() -> None:
    books = play(flat(), RateCut, start="2024-09-21", whole_shares=True)
    assert f"{books.sessions[0]:%Y-%m-%d}" == "2024-09-23"
    assert fills_of(books) == [("2024-09-24", "G", 1000.0, 100.0)]


def test_a_decision_at_the_last_close_is_not_traded() -> None:
    market = flat(sessions=5, changes={"2024-09-20 14:00": -25})
    assert rate_cut(market) == [BUY_GROWTH]


@pytest.mark.parametrize(("delay", "first", "then"), [(1, "17", "19"), (2, "18", "20"), (3, "19", "23")])
def test_a_delay_moves_every_trade_and_not_the_curves_first_row(delay: int, first: str, then: str) -> None:
    market = flat(changes={"2024-09-18 14:00": -50})
    books = play(market, RateCut, whole_shares=True, delay_sessions=delay)
    assert [fill[0] for fill in fills_of(books)] == [f"2024-09-{first}"] + [f"2024-09-{then}"] * 2
    assert f"{books.sessions[0]:%Y-%m-%d}" == "2024-09-16"
    assert (books.equity == 100_000.0).all()


# ------------------------------------------------------------------------------------------- at which price and size


def test_a_trade_is_at_the_open_and_sized_at_it_though_the_close_is_another() -> None:
    market = hand_market(
        "2024-09-16",
        G=[100.0, 110.0, 120.0, 130.0, 130.0],
        S=[50.0, 50.0, 50.0, 60.0, 60.0],
        G_open=[100.0, 80.0, 110.0, 125.0, 130.0],
        S_open=[50.0, 50.0, 50.0, 40.0, 60.0],
        changes={"2024-09-18 14:00": -50},
    )
    books = play(market, RateCut, whole_shares=True)
    assert fills_of(books) == [
        ("2024-09-17", "G", 1250.0, 80.0),  # 100,000 / 80
        ("2024-09-19", "G", -1250.0, 125.0),  # 156,250
        ("2024-09-19", "S", 3906.0, 40.0),  # 156,240; 10 left
    ]
    assert books.equity.tolist() == [100_000.0, 137_500.0, 150_000.0, 3906 * 60.0 + 10, 3906 * 60.0 + 10]
    assert books.cash.tolist() == [100_000.0, 0.0, 0.0, 10.0, 10.0]


def test_a_purchase_of_everything_is_sized_net_of_its_cost() -> None:
    """At 1 %: 100,000 / 1.01 in shares, the rest is the cost."""
    books = play(flat(), StaticMix, params={"shares": {"growth": 1.0}}, cost_rate=0.01)
    assert books.fills.size[0] == pytest.approx(1000 / 1.01, rel=2e-10)
    assert books.fills.cost[0] == pytest.approx(100_000 / 101, rel=2e-10)
    assert books.equity[1] == pytest.approx(100_000 / 1.01, rel=2e-10)


def test_a_rotation_pays_on_what_it_sells_and_on_what_it_buys() -> None:
    """V' = V - c (V + V'), so V' = V (1 - c) / (1 + c): 99/101 at 1 %."""
    books = play(flat(changes={"2024-09-18 14:00": -50}), RateCut, cost_rate=0.01)
    bought = 100_000 / 1.01
    assert books.equity[3] == pytest.approx(bought * 99 / 101, rel=3e-10)
    assert books.fills.cost.tolist() == pytest.approx([bought / 100, bought / 100, bought * 99 / 101 / 100], rel=3e-10)


def test_half_in_cash_stays_in_cash() -> None:
    books = play(flat(), HalfCash, whole_shares=True)
    assert fills_of(books) == [("2024-09-17", "G", 500.0, 100.0)]
    assert books.cash[1:].tolist() == [50_000.0] * 9


def test_an_initial_holding_of_cash_buys_nothing_until_the_signal_is_known() -> None:
    """A lookback of three: known at Thursday's close, small leads, bought on Friday."""
    market = hand_market("2024-09-16", G=[100.0] * 6, S=[40.0, 45.0, 48.0, 50.0, 50.0, 50.0])
    books = play(market, RelativeMomentum, params={"lookback_sessions": 3}, initial="cash", whole_shares=True)
    assert fills_of(books) == [("2024-09-20", "S", 2000.0, 50.0)]


# --------------------------------------------------------------------------------------------------------- momentum


def momentum(market: Market, initial: str = "growth", **params: Any) -> list[str]:
    """The tickers bought, with their day of September."""
    given = {"lookback_sessions": 1, **params}
    books = play(market, RelativeMomentum, params=given, initial=initial, whole_shares=True)
    return [f"{ticker} {day[-2:]}" for day, ticker, size, _ in fills_of(books) if size > 0]


def test_small_that_leads_is_bought_at_the_next_open() -> None:
    market = hand_market("2024-09-16", G=[100.0] * 5, S=[50.0, 50.0, 55.0, 55.0, 55.0])
    assert momentum(market) == ["G 17", "S 19"]


@pytest.mark.parametrize(("initial", "bought"), [("growth", ["G 17"]), ("small", ["S 17"]), ("cash", [])])
def test_a_tie_changes_nothing(initial: str, bought: list[str]) -> None:
    """Both rise by a quarter, every session: the lead is zero, the initial holding stays."""
    both = [64.0, 80.0, 100.0, 125.0]
    assert momentum(hand_market("2024-09-16", G=both, S=both), initial) == bought


@pytest.mark.parametrize(("threshold", "bought"), [(0.25, ["G 17"]), (0.2499, ["G 17", "S 18"])])
def test_a_lead_equal_to_the_threshold_is_not_above_it(threshold: float, bought: list[str]) -> None:
    market = hand_market("2024-09-16", G=[100.0] * 4, S=[40.0, 50.0, 50.0, 50.0])
    assert momentum(market, threshold=threshold) == bought


@pytest.mark.parametrize(("threshold", "bought"), [(0.25, ["S 17"]), (0.2499, ["S 17", "G 18"])])
def test_a_lag_equal_to_the_threshold_is_not_below_it(threshold: float, bought: list[str]) -> None:
    market = hand_market("2024-09-16", G=[100.0] * 4, S=[64.0, 48.0, 48.0, 48.0])
    assert momentum(market, "small", threshold=threshold) == bought


def test_between_the_thresholds_the_side_stays() -> None:
    """Leads of 50, -10 and -50 points at a threshold of 20: small on the second, growth on the fourth close."""
    market = hand_market("2024-09-16", G=[100.0] * 6, S=[40.0, 60.0, 54.0, 27.0, 27.0, 27.0])
    assert momentum(market, threshold=0.2) == ["G 17", "S 18", "G 20"]


def test_a_weekly_decision_is_made_on_the_last_session_of_the_week() -> None:
    """Small leads on Wednesday only over one session; over three it still leads on Friday, or on
    Thursday when Friday is a holiday."""
    rise = [50.0, 50.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0]
    market = hand_market("2024-09-16", G=[100.0] * 9, S=rise)
    assert momentum(market, decide="weekly", lookback_sessions=3) == ["G 17", "S 23"]
    short = hand_market("2024-09-16", G=[100.0] * 9, S=rise, holidays=["2024-09-20"])
    assert momentum(short, decide="weekly", lookback_sessions=3) == ["G 17", "S 23"]
    assert momentum(market, decide="weekly", lookback_sessions=1) == ["G 17"]


def test_a_monthly_decision_waits_for_the_months_last_session() -> None:
    market = hand_market("2024-09-24", G=[100.0] * 8, S=[50.0, 60.0] + [60.0] * 6)
    assert momentum(market, decide="monthly", lookback_sessions=4) == ["G 25", "S 01"]


@pytest.mark.parametrize(("combine", "bought"), [("all", ["G 17", "S 20"]), ("any", ["G 17", "S 18"])])
def test_both_or_either_of_the_cut_and_the_lead(combine: str, bought: list[str]) -> None:
    """A cut on Tuesday, a lead from Thursday's close on."""
    market = hand_market(
        "2024-09-16", G=[100.0] * 7, S=[50.0, 50.0, 50.0, 55.0, 55.0, 55.0, 55.0], changes={"2024-09-17 14:00": -25}
    )
    params = {"lookback_sessions": 1, "hold_sessions": 252, "combine": combine}
    books = play(market, RateCutMomentum, params=params, whole_shares=True)
    assert [f"{t} {day[-2:]}" for day, t, size, _ in fills_of(books) if size > 0] == bought


# ------------------------------------------------------------------------------------------------- rebalancing rules


def test_a_monthly_rebalance_follows_the_months_last_session_and_not_the_last_row() -> None:
    """Data from Thursday, September 26 to Wednesday, October 2: due after September 30, and not after October 2."""
    market = hand_market("2024-09-26", G=[100.0, 100.0, 150.0, 150.0, 150.0], S=[100.0] * 5)
    books = play(
        market, StaticMix, params={"shares": {"growth": 0.5, "small": 0.5}}, rebalance="monthly", whole_shares=True
    )
    assert fills_of(books) == [
        ("2024-09-27", "G", 500.0, 100.0),
        ("2024-09-27", "S", 500.0, 100.0),
        ("2024-10-01", "G", -84.0, 150.0),  # 125,000 / 2 / 150 = 416.67
        ("2024-10-01", "S", 125.0, 100.0),
    ]


def test_a_monthly_rebalance_after_a_last_row_that_ends_the_month_has_no_open_to_be_traded_at() -> None:
    market = hand_market("2024-09-26", G=[100.0, 100.0, 150.0], S=[100.0] * 3)
    books = play(market, StaticMix, rebalance="monthly", whole_shares=True)
    assert len(fills_of(books)) == 2


def test_a_monthly_rebalance_is_held_back_by_a_delay_as_a_decision_is() -> None:
    market = hand_market("2024-09-26", G=[100.0, 100.0, 100.0, 150.0, 150.0, 150.0], S=[100.0] * 6)
    books = play(market, StaticMix, rebalance="monthly", whole_shares=True, delay_sessions=2)
    assert [day for day, *_ in fills_of(books)] == ["2024-09-30"] * 2 + ["2024-10-02"] * 2


@pytest.mark.parametrize(("price", "is_traded"), [(150.0, False), (300.0, False), (301.0, True)])
def test_a_drift_is_traded_when_it_is_more_than_the_band(price: float, is_traded: bool) -> None:
    """Half and half; at 300 to 100 the weight is three quarters exactly: a drift of a quarter, not more."""
    market = hand_market("2024-09-16", G=[100.0, 100.0, price, price, price], S=[100.0] * 5)
    books = play(market, StaticMix, rebalance=0.25, whole_shares=True)
    assert [day for day, *_ in fills_of(books)][2:] == (["2024-09-19"] * 2 if is_traded else [])


def test_a_drift_is_judged_at_the_close_and_not_at_an_open_in_between() -> None:
    market = hand_market("2024-09-16", G=[100.0] * 5, S=[100.0] * 5, G_open=[100.0, 100.0, 500.0, 100.0, 100.0])
    books = play(market, StaticMix, rebalance=0.1, whole_shares=True)
    assert len(fills_of(books)) == 2


def test_without_a_rule_a_mix_drifts_for_ever() -> None:
    market = hand_market("2024-09-16", G=[100.0, 100.0, *[1000.0] * 28], S=[100.0] * 30)
    assert len(fills_of(play(market, StaticMix, whole_shares=True))) == 2


# ------------------------------------------------------------------------------------------------------- idle cash

TBILL = 0.052
BEY = 365 * TBILL / (360 - 91 * TBILL)
"""0.053424...: the bond-equivalent yield of a bill quoted at 5.20 %."""


def test_idle_cash_earns_every_night_by_the_calendar_the_first_one_included() -> None:
    """Thursday to Friday is one day, Friday to Monday three: simple interest, added to the cash each time."""
    market = hand_market("2024-09-19", G=[100.0] * 3, S=[50.0] * 3, tbill=TBILL)
    books = play(market, AllCash, earns_tbill=True)
    friday = 100_000 * (1 + BEY / 365)
    monday = friday * (1 + 3 * BEY / 365)
    assert books.equity.tolist() == pytest.approx([100_000.0, friday, monday], rel=1e-15)
    assert round(BEY, 6) == 0.053424
    assert round(books.equity[2] - books.equity[1], 2) == 43.92


def test_idle_cash_earns_the_rate_that_was_known_at_the_close_before() -> None:
    market = hand_market("2024-09-17", G=[100.0] * 3, S=[50.0] * 3, tbill=[0.0, TBILL, 0.9])
    books = play(market, AllCash, earns_tbill=True)
    assert books.equity.tolist() == pytest.approx([100_000.0, 100_000.0, 100_000 * (1 + BEY / 365)], rel=1e-15)


def test_interest_of_the_first_night_is_left_in_cash_by_the_first_purchase() -> None:
    """It is paid in after the fills of the morning; the shares bought are those of 100,000 USD."""
    market = hand_market("2024-09-19", G=[100.0] * 4, S=[50.0] * 4, tbill=TBILL)
    books = play(market, StaticMix, params={"shares": {"growth": 1.0}}, earns_tbill=True, whole_shares=True)
    first = 100_000 * BEY / 365
    assert fills_of(books) == [("2024-09-20", "G", 1000.0, 100.0)]
    assert books.cash.tolist() == pytest.approx(
        [100_000.0, first, first * (1 + 3 * BEY / 365), first * (1 + 3 * BEY / 365) * (1 + BEY / 365)], rel=1e-12
    )


def test_cash_earns_nothing_unless_asked_to() -> None:
    market = hand_market("2024-09-19", G=[100.0] * 3, S=[50.0] * 3, tbill=TBILL)
    assert play(market, AllCash).equity.tolist() == [100_000.0] * 3
    assert PAIR.tickers == ("G", "S")
