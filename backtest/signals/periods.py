"""When to look again: which sessions are the last of their week, month, ..., by the exchange's calendar.

The last row of the data is not the end of a month because nothing follows it: whether it is, the calendar says.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.config.fields import Period as Period  # for the strategies, which see the config through signals
from backtest.config.fields import PeriodName
from backtest.market import Market
from backtest.units import SESSIONS_PER_YEAR

PERIODS: tuple[PeriodName, ...] = get_args(PeriodName)
_ONCE_A: dict[PeriodName, str] = {
    "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "annual": "year",
}  # fmt: skip

PERIOD_CODES: dict[str, str] = {"weekly": "W", "monthly": "M", "quarterly": "Q", "annual": "Y"}

FIRST_SESSION = pd.Timestamp("1990-01-02")
"""Sessions are counted from here where something happens every so many of them: neither the first price nor the
start of the test moves the days on which a rule looks, so that a run begun later is the same run, cut.
"""


def how_often(period: Period) -> str:
    """In words: `once a month`, `every 5 sessions`."""
    return f"once a {_ONCE_A[period]}" if isinstance(period, str) else str(period)


def last_of_period(market: Market, period: Period | int) -> npt.NDArray[np.bool_]:
    """The sessions after which no other of the same week (Monday to Sunday), month, ... comes.

    Parameters
    ----------
    market : Market
        To compute on.
    period : str, int or EverySessions
        `daily`, `weekly`, `monthly`, `quarterly`, `annual`; N: every Nth session of the exchange from 1990-01-02 on, or
        every Nth month from January 1990 on in a monthly market. The count of a session is known at its close, since
        only those before it enter.

    Returns
    -------
    ndarray of bool, shape (sessions,)

    Raises
    ------
    ValueError
        When the exchange calendar ends with the data, so that nothing says what follows.
    """
    return market.memo.get(("last_of_period", period), lambda: _last_of_period(market, period))


def _last_of_period(market: Market, period: Period | int) -> npt.NDArray[np.bool_]:
    sessions, exchange = market.sessions, market.exchange_sessions
    if period == "daily":
        return np.ones(len(sessions), dtype=np.bool_)
    if isinstance(period, str):
        return ends_period(sessions, exchange, PERIOD_CODES[period])
    every = period if isinstance(period, int) else period.every_sessions
    if market.periods_per_year != SESSIONS_PER_YEAR:
        number = np.asarray(12 * (sessions.year - FIRST_SESSION.year) + sessions.month - FIRST_SESSION.month)
    else:
        number = exchange.searchsorted(sessions) - exchange.searchsorted(FIRST_SESSION)
    return np.asarray(number % every == 0)


def ends_period(sessions: pd.DatetimeIndex, exchange_sessions: pd.DatetimeIndex, code: str) -> npt.NDArray[np.bool_]:
    """True where the next exchange session lies in another period; code: a pandas period ("M", "W", "Y").

    Closures that nobody could foresee are in the calendar as well: 2001-09-10 counts as the end of its week, the one
    such case since 1993.
    """
    following = exchange_sessions.searchsorted(sessions, side="right")
    if len(sessions) and following[-1] >= len(exchange_sessions):
        raise ValueError(f"the exchange calendar ends on {exchange_sessions[-1]:%Y-%m-%d}, with the data")
    here = sessions.to_period(code)
    after = exchange_sessions[following].to_period(code)
    return np.asarray(here != after, dtype=np.bool_)


def sessions_ahead(market: Market, how_many: int) -> pd.DatetimeIndex:
    """The sessions that follow the market's last one; of a monthly market the last ones of the months.

    Parameters
    ----------
    market : Market
        For its calendar.
    how_many : int
        Sessions.

    Returns
    -------
    DatetimeIndex
    """
    ahead = market.exchange_sessions[market.exchange_sessions.searchsorted(market.sessions[-1], side="right") :]
    if market.periods_per_year != SESSIONS_PER_YEAR:
        ends = ends_period(ahead[:-1], ahead, PERIOD_CODES["monthly"])
        ahead = ahead[:-1][ends & (ahead[:-1].to_period("M") > market.sessions[-1].to_period("M"))]
    return ahead[:how_many]
