"""Market: what it was at a close, rows of dates, weights of legs, interest of a night."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import hand_market, rotation_market

from backtest.errors import RunError
from backtest.market import POLICY_COLUMNS, PRICE_FRAMES, Legs, Market, Memo, overnight_interest
from backtest.series import PointInTime
from backtest.signals import leg_return

KNOWN_IN_ADVANCE = {
    "exchange_sessions": "the exchange publishes its calendar",
    "meetings": "the Federal Reserve publishes its calendar",
    "tbill_name": "a name",
    "periods_per_year": "a convention",
    "is_simulated": "a fact about the source",
    "sources": "where files came from, for the manifest; no signal may read it",
    "notes": "words for the reader; no signal may read them",
    "memo": "what signals computed from this very Market; a shorter one begins without any (test below)",
}
"""Fields of a Market that `until` may leave alone, and why."""


@pytest.mark.parametrize("rows_a_year", [4, 52, 365, 0])
def test_a_market_of_other_rows_than_sessions_and_months_is_refused(rows_a_year: int) -> None:
    market = hand_market("2020-01-02", G=[10.0, 11.0])
    with pytest.raises(RunError, match=f"found {rows_a_year}, expected 252"):
        dataclasses.replace(market, periods_per_year=rows_a_year)


def moments_in(value: Any) -> list[pd.Timestamp]:
    """Every moment that stands anywhere in a frame, series or index."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [moment for each in value.values() for moment in moments_in(each)]
    if isinstance(value, PointInTime):
        return moments_in(value.frame.drop(columns="contract", errors="ignore"))
    if isinstance(value, pd.DatetimeIndex):
        return list(value)
    if isinstance(value, pd.Series):
        inside = list(value) if value.dtype.kind == "M" else []
        return inside + (list(value.index) if isinstance(value.index, pd.DatetimeIndex) else [])
    if isinstance(value, pd.DataFrame):
        columns = [value[name] for name in value.columns]
        return [moment for column in columns for moment in moments_in(column)] + moments_in(value.index)
    if isinstance(value, pd.RangeIndex | pd.Index):
        return []
    raise AssertionError(f"a {type(value).__name__}: teach this test to look into it")


MARKET = rotation_market(5, sessions=120)

few = settings(max_examples=15, deadline=None, derandomize=True)


def test_the_market_of_this_test_has_something_in_every_field() -> None:
    for field in dataclasses.fields(Market):
        if field.name not in KNOWN_IN_ADVANCE:
            assert len(moments_in(getattr(MARKET, field.name))) > 10, field.name


@few
@given(st.integers(0, 119))
def test_until_a_close_leaves_nothing_later_in_any_field(row: int) -> None:
    """Introspective: a field that is added later is looked into, or has to be named above with a reason."""
    session = MARKET.sessions[row]
    known = MARKET.until(session)
    end_of_day = session + pd.Timedelta(hours=24)
    for field in dataclasses.fields(Market):
        if field.name not in KNOWN_IN_ADVANCE:
            value = getattr(known, field.name)
            assert all(moment < end_of_day for moment in moments_in(value)), field.name


@few
@given(st.integers(0, 119))
def test_until_a_close_keeps_all_that_was_known(row: int) -> None:
    known = MARKET.until(MARKET.sessions[row])
    assert known.sessions.equals(MARKET.sessions[: row + 1])
    for name in PRICE_FRAMES:
        pd.testing.assert_frame_equal(getattr(known, name), getattr(MARKET, name).iloc[: row + 1])
    assert known.tbill is not None
    assert MARKET.tbill is not None
    pd.testing.assert_series_equal(known.tbill, MARKET.tbill.iloc[: row + 1])
    assert len(known.policy) == (MARKET.policy["session"] <= MARKET.sessions[row]).sum()


def test_a_decision_after_the_close_is_not_known_at_it() -> None:
    market = hand_market(
        "2024-09-16", G=[1.0] * 5, S=[1.0] * 5, changes={"2024-09-18 15:59": -25, "2024-09-18 16:00": -25}
    )
    assert len(market.until(pd.Timestamp("2024-09-17")).policy) == 0
    assert len(market.until(pd.Timestamp("2024-09-18")).policy) == 1
    assert len(market.until(pd.Timestamp("2024-09-19")).policy) == 2


def test_a_market_of_the_tests_has_the_columns_of_the_real_one() -> None:
    assert set(MARKET.policy.columns) == set(POLICY_COLUMNS)


def test_rows_are_counted_on_the_exchanges_calendar_from_the_first_price() -> None:
    market = hand_market("2024-09-16", G=[1.0] * 5, S=[1.0] * 5, holidays=["2024-09-12"])
    days = pd.DatetimeIndex(["2024-09-16", "2024-09-13", "2024-09-11", "2024-09-20", "2024-09-24"])
    assert market.rows_of(days).tolist() == [0, -1, -2, 4, 6]


def test_a_day_without_a_session_has_no_row() -> None:
    market = hand_market("2024-09-16", G=[1.0] * 5, S=[1.0] * 5)
    with pytest.raises(KeyError, match="2024-09-21 is not a session"):
        market.rows_of(pd.DatetimeIndex(["2024-09-20", "2024-09-21"]))


def test_legs_share_the_invested_part_between_them() -> None:
    legs = Legs()
    weights = legs.weights(legs.tickers, np.array([[1.0, 0.0], [0.0, 1.0], [0.75, 0.25], [0.375, 0.125]]))
    assert legs.tickers == ("QQQ", "IVW", "IWM", "IWN")
    assert weights.tolist() == [
        [0.5, 0.5, 0.0, 0.0],
        [0.0, 0.0, 0.5, 0.5],
        [0.375, 0.375, 0.125, 0.125],
        [0.1875, 0.1875, 0.0625, 0.0625],
    ]


def test_a_ticker_outside_the_legs_has_no_weight() -> None:
    assert Legs().weights(("SPY", "IWM"), np.array([[0.0, 1.0]])).tolist() == [[0.0, 0.5]]


@few
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.lists(st.floats(0.01, 1), min_size=1, max_size=4),
    st.floats(0, 1),
)
def test_weights_never_exceed_the_whole_by_more_than_a_rounding(
    shares: list[float], parts: list[float], cash: float
) -> None:
    total = sum(parts)
    legs = Legs({"growth": {f"G{i}": p / total for i, p in enumerate(parts)}, "small": {"S": 1.0}})
    small = legs.between("growth", "small", np.array(shares)).array()
    weights = legs.weights(legs.tickers, (1.0 - cash) * small)
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) <= 1.0 - cash + 1e-15).all()


def test_a_nights_interest_is_the_yield_over_calendar_days() -> None:
    """Friday to Monday is three days, over a holiday four; the rate is that of the close before."""
    market = hand_market(
        "2024-09-19", G=[1.0] * 4, S=[1.0] * 4, holidays=["2024-09-23"], tbill=[0.052, 0.02, 0.04, 0.9]
    )
    nights = overnight_interest(market)
    assert [f"{day:%d}" for day in market.sessions] == ["19", "20", "24", "25"]
    assert nights[0] == 0.0
    assert nights[1] == pytest.approx(0.053424 / 365, rel=1e-5)
    assert nights[2] == pytest.approx(365 * 0.02 / (360 - 91 * 0.02) * 4 / 365, rel=1e-14)
    assert nights[3] == pytest.approx(365 * 0.04 / (360 - 91 * 0.04) / 365, rel=1e-14)


def test_cash_without_a_rate_earns_nothing() -> None:
    assert overnight_interest(hand_market("2024-09-19", G=[1.0] * 3, S=[1.0] * 3)).tolist() == [0.0] * 3


def test_what_was_computed_from_a_market_does_not_reach_another() -> None:
    market = rotation_market(5, sessions=120)
    whole = leg_return(market, {"QQQ": 1.0}, 20)
    assert leg_return(market, {"QQQ": 1.0}, 20) is whole
    assert not whole.flags.writeable
    shorter = market.until(market.sessions[60])
    assert np.array_equal(leg_return(shorter, {"QQQ": 1.0}, 20), whole[:61], equal_nan=True)
    other = dataclasses.replace(market, close=market.close * 1.5**2)
    assert leg_return(other, {"QQQ": 1.0}, 20) is not whole
    assert leg_return(pickle.loads(pickle.dumps(market)), {"QQQ": 1.0}, 20) is not whole


def test_a_memo_forgets_the_oldest_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.market.MOST_REMEMBERED_BYTES", 3 * 80)
    memo = Memo()
    kept = [memo.get(k, lambda: np.zeros(10)) for k in range(4)]
    assert memo.get(3, lambda: np.ones(10)) is kept[3]
    assert memo.get(0, lambda: np.ones(10)) is not kept[0]
