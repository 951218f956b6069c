"""The last session of a week or month is what the exchange's calendar says, whatever data follow."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import hand_market, rotation_market

from backtest.config.fields import EverySessions
from backtest.data.calendar import sessions_around
from backtest.market import PRICE_FRAMES, Market
from backtest.signals import Period, last_of_period
from backtest.signals.periods import ends_period, how_often


def days(first: str, sessions: int, period: Period, holidays: tuple[str, ...] = ()) -> list[str]:
    market = hand_market(first, holidays, G=[1.0] * sessions, S=[1.0] * sessions)
    return [f"{day:%m-%d}" for day in market.sessions[last_of_period(market, period)]]


def test_every_session_is_the_last_of_its_day() -> None:
    assert len(days("2024-09-16", 5, "daily")) == 5


def test_a_week_ends_on_friday_or_before_a_holiday() -> None:
    assert days("2024-09-16", 8, "weekly") == ["09-20"]
    assert days("2024-09-16", 8, "weekly", ("2024-09-20",)) == ["09-19"]


def test_a_week_may_reach_over_a_month_and_a_month_over_a_week() -> None:
    assert days("2024-09-26", 8, "weekly") == ["09-27", "10-04"]
    assert days("2024-09-26", 8, "monthly") == ["09-30"]


def test_the_last_row_ends_a_month_only_if_the_calendar_says_so() -> None:
    assert days("2024-09-26", 2, "monthly") == []
    assert days("2024-09-26", 3, "monthly") == ["09-30"]


def test_a_month_whose_last_weekday_is_a_holiday_ends_before_it() -> None:
    assert days("2024-09-26", 4, "monthly", ("2024-09-30",)) == ["09-27"]


def test_a_calendar_that_ends_with_the_data_cannot_say() -> None:
    market = hand_market("2024-09-26", G=[1.0] * 3, S=[1.0] * 3)
    short = dataclasses.replace(market, exchange_sessions=market.sessions)
    with pytest.raises(ValueError, match="the exchange calendar ends on 2024-09-30"):
        last_of_period(short, "monthly")
    assert last_of_period(short, "daily").all()


@pytest.mark.parametrize("period", ["weekly", "monthly", EverySessions(every_sessions=5)])
@pytest.mark.parametrize("row", [0, 17, 40, 198])
def test_what_ends_a_period_does_not_change_when_data_follow(period: Period, row: int) -> None:
    market = rotation_market(1, sessions=200)
    whole = last_of_period(market, period)
    assert np.array_equal(last_of_period(market.until(market.sessions[row]), period), whole[: row + 1])


def test_the_months_of_2024_on_the_real_calendar() -> None:
    """Good Friday was March 29, so that March ended on Thursday the 28th."""
    calendar = sessions_around(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-12-31"))
    sessions = calendar[calendar.year == 2024]
    frame = pd.DataFrame({"G": 1.0, "S": 1.0}, sessions)
    frames: Any = dict.fromkeys(PRICE_FRAMES, frame)
    market = dataclasses.replace(
        hand_market("2024-09-26", G=[1.0], S=[1.0]),
        **frames,
        exchange_sessions=calendar,
    )
    ends = " ".join(f"{day:%m-%d}" for day in sessions[last_of_period(market, "monthly")])
    assert ends == "01-31 02-29 03-28 04-30 05-31 06-28 07-31 08-30 09-30 10-31 11-29 12-31"
    weekly = sessions[last_of_period(market, "weekly")]
    assert len(weekly) == 52
    assert {f"{day:%m-%d}" for day in weekly if day.weekday() != 4} == {"03-28"}


def real_market(first: str, last: str, periods_per_year: int = 252) -> Market:
    """One price a session of the real calendar, or one a month."""
    calendar = sessions_around(pd.Timestamp(first), pd.Timestamp(last))
    sessions = calendar[(calendar >= first) & (calendar <= last)]
    if periods_per_year == 12:
        sessions = sessions[ends_period(sessions, calendar, "M")]
    frames: Any = dict.fromkeys(PRICE_FRAMES, pd.DataFrame({"G": 1.0, "S": 1.0}, sessions))
    market = hand_market("2024-09-26", G=[1.0], S=[1.0])
    return dataclasses.replace(market, **frames, exchange_sessions=calendar, periods_per_year=periods_per_year)


def test_every_fifth_session_is_counted_from_the_second_of_january_1990() -> None:
    """1990: 2 to 5 January are sessions 0 to 3, 8 to 12 are 4 to 8, 15 to 19 are 9 to 13 (the 15th was open)."""
    market = real_market("1990-01-02", "1990-01-31")
    looks = market.sessions[last_of_period(market, EverySessions(every_sessions=5))]
    assert [f"{day:%m-%d}" for day in looks] == ["01-02", "01-09", "01-16", "01-23", "01-30"]
    assert last_of_period(market, EverySessions(every_sessions=1)).all()


@pytest.mark.parametrize("every", [2, 5, 21, 252])
@pytest.mark.parametrize("first", ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18", "1993-01-29"])
def test_data_that_begin_later_or_end_earlier_are_looked_at_on_the_same_days(first: str, every: int) -> None:
    whole, later = real_market("1992-12-01", "2002-12-31"), real_market(first, "2002-03-28")
    looks = pd.Series(last_of_period(whole, EverySessions(every_sessions=every)), whole.sessions)
    assert looks[later.sessions].tolist() == last_of_period(later, every).tolist()
    assert np.diff(np.flatnonzero(looks)).tolist() == [every] * (int(looks.sum()) - 1)


@pytest.mark.parametrize("first", ["1989-11-01", "1990-01-02", "1999-05-03", "2000-02-01"])
def test_months_of_a_monthly_market_are_counted_from_january_1990(first: str) -> None:
    market = real_market(first, "2001-12-31", periods_per_year=12)
    looks = market.sessions[last_of_period(market, EverySessions(every_sessions=3))]
    assert set(looks.month) == {1, 4, 7, 10}
    assert last_of_period(market, 1).all()


def test_how_often_a_rule_looks_reads_like_a_sentence() -> None:
    assert [how_often(p) for p in ("daily", "weekly", "monthly", "quarterly", "annual")] == [
        "once a day", "once a week", "once a month", "once a quarter", "once a year",
    ]  # fmt: skip
    assert [how_often(EverySessions(every_sessions=n)) for n in (1, 5)] == ["every session", "every 5 sessions"]
