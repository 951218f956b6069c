"""The exchange's own calendar: which days are sessions, and when each of them closes.

The flow: config -> MARKET (this is its clock) -> decision -> fills -> result -> metrics -> report.
A calendar of sessions is published years ahead, so reading its future is no look-ahead. It never asks what day it is:
whoever calls says how far it has to reach, so that a run gives the same answer tomorrow.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

_STATED: ContextVar[tuple[date, ...]] = ContextVar("closures stated by the user", default=())

FIRST_YEAR = 1990
"""Sessions are counted from 1990 on; the Federal Reserve first announced a decision in February 1994."""

Day = date | pd.Timestamp
"""A day without a zone; a pandas Timestamp is one too."""


@contextmanager
def closed_on(days: tuple[date, ...]) -> Iterator[None]:
    """Inside this context the exchange was closed on these days too: closures that the library does not know yet."""
    token = _STATED.set(days)
    try:
        yield
    finally:
        _STATED.reset(token)


def library() -> str:
    """Name and version of the library that knows the sessions."""
    return f"exchange_calendars {version('exchange_calendars')}"


def exchange_sessions(first: Day, last: Day) -> pd.DatetimeIndex:
    """Sessions of the New York Stock Exchange from `first` to `last`, both included; tz-naive, ascending, ns.

    Right from October 1952 on; the Saturdays on which it was open before are not in it.
    """
    sessions = pd.DatetimeIndex(_new_york(_day(first), _day(last)).sessions.to_numpy()).as_unit("ns")
    return sessions[~_stated_closed(sessions)]


def session_closes(first: Day, last: Day) -> pd.DatetimeIndex:
    """The moment at which each of those sessions closes, half days included; UTC, same length and order."""
    closes = _new_york(_day(first), _day(last)).closes
    closes = closes[~_stated_closed(pd.DatetimeIndex(closes.index))]
    return pd.DatetimeIndex(closes.dt.tz_localize(None).to_numpy()).as_unit("ns").tz_localize("UTC")


def sessions_around(first_price: Day, last_price: Day) -> pd.DatetimeIndex:
    """The calendar a market needs: from before the first announced policy decision, or the first price when that is
    earlier, to the end of the year after the last price. Whole years, so that most markets share one calendar.
    """
    return exchange_sessions(*range_around(first_price, last_price))


def month_ends(first: Day, last: Day) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The last session of every month from that of `first` to that of `last`, and the moments of their closes.

    The exchange was open on Saturdays until 1952; where one ended a month the session before it is given, which is
    never too late for what became known.
    """
    begin, end = _day(first).replace(day=1), (pd.Timestamp(last) + pd.offsets.MonthEnd(0)).date()
    sessions, closes = exchange_sessions(begin, end), session_closes(begin, end)
    is_last = ~sessions.to_period("M").duplicated(keep="last")
    return sessions[is_last], closes[is_last]


def months_around(first_price: Day, last_price: Day) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The calendar of a market of months, as `sessions_around` does of sessions, and the moments of its closes."""
    return month_ends(*range_around(first_price, last_price))


def range_around(first_price: Day, last_price: Day) -> tuple[date, date]:
    """First and last day of `sessions_around`."""
    return date(min(first_price.year - 1, FIRST_YEAR), 1, 1), date(last_price.year + 1, 12, 31)


def _stated_closed(sessions: pd.DatetimeIndex) -> np.typing.NDArray[np.bool_]:
    return np.asarray(sessions.isin(pd.DatetimeIndex(_STATED.get())))


def _day(day: Day) -> date:
    return day.date() if isinstance(day, pd.Timestamp) else day


@lru_cache(maxsize=8)
def _new_york(first: date, last: date) -> ExchangeCalendar:
    # The class itself, not `get_calendar`: that one also reads the clock to find its default range.
    from exchange_calendars.exchange_calendar import HolidayCalendar
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

    class WithinHolidays(HolidayCalendar):  # type: ignore[misc]
        """Holidays of our years. Left to itself pandas takes 1970 to 2200: half of it wasted, and earlier ones lost."""

        def holidays(
            self, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None, return_name: bool = False
        ) -> Any:
            return super().holidays(start or pd.Timestamp(first), end or pd.Timestamp(last), return_name)

    class NewYork(XNYSExchangeCalendar):  # type: ignore[misc]
        @property
        def regular_holidays(self) -> HolidayCalendar:
            return WithinHolidays(super().regular_holidays.rules)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, about pandas
        return NewYork(start=pd.Timestamp(first), end=pd.Timestamp(last))
