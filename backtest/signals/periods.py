"""Weekly and monthly decisions: which sessions are the last of their period, by the exchange's calendar.

The last row of the data is not the end of a month because nothing follows it: whether it is, the calendar says.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Market

Period = Literal["daily", "weekly", "monthly"]
PERIOD_CODES: dict[Period, str] = {"weekly": "W", "monthly": "M"}


def last_of_period(market: Market, period: Period) -> npt.NDArray[np.bool_]:
    """True on the sessions after which no other of the same week (Monday to Sunday) or month comes; shape (sessions,).

    Raises ValueError when the exchange calendar ends with the data, so that nothing says what follows.
    """
    return market.memo.get(("last_of_period", period), lambda: _last_of_period(market, period))


def _last_of_period(market: Market, period: Period) -> npt.NDArray[np.bool_]:
    sessions = market.sessions
    if period == "daily":
        return np.ones(len(sessions), dtype=np.bool_)
    return ends_period(sessions, market.exchange_sessions, PERIOD_CODES[period])


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
