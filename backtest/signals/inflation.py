"""Cool CPI: the core index against what was expected, or against itself; and what the two-year yield made of it.

Reads:  Market.series "cpi" (first prints, percent by month, known at 08:30 of the release) and "DGS2".
Gives:  values per session, those of the last release known, and the sessions at which a release is new.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats, Market

OWN_PRINTS = 12
"""Prints before a release that it is compared with when there is no consensus."""

MOVE_WINDOW = 63
"""Daily moves of the two-year yield before the one on a release, whose deviation it is measured in."""


class News(NamedTuple):
    """values: of the last release known, NaN before the first; is_new: the session at which it becomes known."""

    values: Floats
    is_new: npt.NDArray[np.bool_]


def surprise(market: Market) -> News:
    """Core CPI minus its consensus, percentage points; NaN when the last release had no consensus."""
    frame = market.observed("cpi").frame
    return _news(market, np.round(frame["value"].to_numpy(dtype=np.float64) - frame["consensus"].to_numpy(), 6))


def against_own_mean(market: Market) -> News:
    """Core CPI minus the mean of the 12 prints before it, in their standard deviations (ddof 1)."""
    prints = market.observed("cpi").frame["value"].astype(np.float64)
    before = prints.shift(1).rolling(OWN_PRINTS)
    deviation = before.std(ddof=1).to_numpy(dtype=np.float64)
    values = (prints - before.mean()).to_numpy(dtype=np.float64)
    return _news(market, np.where(deviation > 0, values / np.where(deviation > 0, deviation, 1.0), np.nan))


def day_move(market: Market) -> News:
    """The two-year yield's move on the day of a release, in standard deviations of the 63 moves before it.

    Known when that day's yield is: at the next session's close. A release of a day without yields (Good Friday) moves
    those of the next day that has them.
    """
    frame = market.observed("DGS2").frame
    yields = frame[~frame["happened"].duplicated()].sort_values("happened", kind="stable")
    moves = yields["value"].astype(np.float64).diff()
    deviation = moves.shift(1).rolling(MOVE_WINDOW).std(ddof=1)
    released = market.observed("cpi").frame["known_at"].dt.normalize().to_numpy()
    days = yields["happened"].to_numpy()
    place = np.searchsorted(days, released)
    is_near = (place < len(days)) & (days[np.minimum(place, len(days) - 1)] - released <= np.timedelta64(7, "D"))
    first = np.unique(place[is_near])
    scaled = (moves / deviation).to_numpy(dtype=np.float64)[first]
    return _on_sessions(market, yields["session"].to_numpy()[first], scaled)


def _news(market: Market, values: Floats) -> News:
    return _on_sessions(market, market.observed("cpi").frame["session"].to_numpy(), values)


def _on_sessions(market: Market, session: npt.NDArray[np.datetime64], values: Floats) -> News:
    """Values by the session at which they become known, ascending -> the last one known at each close."""
    sessions = market.sessions.to_numpy().astype(session.dtype)
    place = np.searchsorted(session, sessions, side="right")
    known = np.concatenate([[np.nan], values])[place]
    is_new = np.diff(place, prepend=0) > 0
    if len(is_new):
        is_new[0] = bool(len(session)) and bool((session == sessions[0]).any())
    return News(known, is_new)


def release_days(market: Market) -> pd.DatetimeIndex:
    """The sessions at whose close each release may be used."""
    return pd.DatetimeIndex(market.observed("cpi").frame["session"])
