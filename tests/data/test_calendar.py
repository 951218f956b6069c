from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from backtest.data.calendar import exchange_sessions, session_closes, sessions_around


def is_session(day: str) -> bool:
    when = pd.Timestamp(day)
    return when in exchange_sessions(date(when.year, 1, 1), date(when.year, 12, 31))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's, about pandas
def test_the_calendar_is_the_librarys_own() -> None:
    exchange_calendars = pytest.importorskip("exchange_calendars")
    theirs = exchange_calendars.get_calendar("XNYS", start="1993-01-01", end="2027-12-31")
    first, last = date(1993, 1, 1), date(2027, 12, 31)
    assert list(exchange_sessions(first, last)) == list(theirs.sessions)
    assert list(session_closes(first, last)) == list(theirs.closes)


@pytest.mark.parametrize(
    "closed",
    [
        "2001-09-11", "2001-09-14",  # attacks on New York
        "2012-10-29", "2012-10-30",  # hurricane
        "2018-12-05", "2025-01-09",  # mourning for a president
        "2022-06-20",  # Juneteenth, a holiday since 2022
        "2024-03-29", "2024-07-04", "2024-07-06",
        "1955-07-04",  # pandas' holidays begin in 1970 unless asked
    ],
)  # fmt: skip
def test_the_exchange_was_closed(closed: str) -> None:
    assert not is_session(closed)


@pytest.mark.parametrize("opened", ["2001-09-10", "2001-09-17", "2021-06-18", "2024-07-03", "1955-07-05"])
def test_the_exchange_was_open(opened: str) -> None:
    assert is_session(opened)


def test_half_days_close_at_one() -> None:
    closes = session_closes(date(2024, 7, 2), date(2024, 7, 5)).tz_convert("America/New_York")
    assert [f"{close:%m-%d %H:%M}" for close in closes] == ["07-02 16:00", "07-03 13:00", "07-05 16:00"]


def test_a_market_calendar_holds_all_announced_decisions_and_the_year_after_the_last_price() -> None:
    sessions = sessions_around(date(2001, 7, 31), date(2025, 12, 31))
    assert sessions[0] < pd.Timestamp("1994-02-04")
    assert sessions[-1] == pd.Timestamp("2026-12-31")
    assert sessions_around(date(1990, 5, 1), date(1991, 5, 1))[0] < pd.Timestamp("1990-05-01")


def test_days_are_naive_ascending_and_plain() -> None:
    sessions = exchange_sessions(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-12-31"))
    assert sessions.tz is None
    assert sessions.freq is None
    assert sessions.dtype == "datetime64[ns]"
    assert sessions.is_monotonic_increasing
    assert len(sessions) == 252
