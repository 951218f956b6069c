"""Signals from the Federal Reserve's decisions: are we within so many sessions of a cut, and in an easing cycle?

Reads:  Market.policy (each decision with the first session whose close may use it); for a cycle's weather, its close.
Gives:  per session, known at its close. The table begins in 1994, so that the answer is known from the first price.

A cycle begins with a first cut: one after a rise, or after so long a time without a cut that it is a new story; it ends
with a rise, or so many sessions after its last cut. Whether a cut insures against a recession or comes in one is known
for sure only years later (the NBER dated the peak of December 2007 in December 2008). What can be known then is how far
shares have already fallen: a cycle counts as begun in a fall when growth is `fall` or more below its highest close of
the last 252 sessions at the first cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Basket, Floats, Market
from backtest.signals.measures import basket_growth, compounded, year_of


@dataclass(frozen=True, slots=True)
class CutState:
    """The state of the window that a rate cut opens.

    Attributes
    ----------
    sessions_left : ndarray of int64, shape (sessions,)
        Rows for which the window stays open, this one included; 0: closed. A window of 252 shows 252 on the session at
        whose close the cut is known.
    last_event : ndarray of int64, shape (sessions,)
        Row of `decisions` that set the state (a cut, or a hike that closed the window); -1: none yet.
    decisions : DataFrame
        The cuts and hikes, in order of the sessions at whose close they are known.
    """

    sessions_left: npt.NDArray[np.int64]
    last_event: npt.NDArray[np.int64]
    decisions: pd.DataFrame

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.sessions_left.nbytes + self.last_event.nbytes

    @property
    def is_open(self) -> Floats:
        """1.0 while the window is open, else 0.0."""
        return (self.sessions_left > 0).astype(np.float64)


def cut_window(market: Market, *, hold_sessions: int, min_cut_bps: int) -> CutState:
    """The window that each cut opens, from the row of its session; a further cut restarts it, any hike ends it.

    Parameters
    ----------
    market : Market
        To compute on.
    hold_sessions : int
        Rows for which it stays open.
    min_cut_bps : int
        The smallest cut of the upper bound that counts, so that 2008-12-16 (1.00 to 0-0.25) is one.

    Returns
    -------
    CutState

    Notes
    -----
    Decisions before the first price count: their sessions are those of the exchange calendar.
    """
    key = ("cut_window", hold_sessions, min_cut_bps)
    return market.memo.get(key, lambda: _cut_window(market, hold_sessions, min_cut_bps))


def _cut_window(market: Market, hold_sessions: int, min_cut_bps: int) -> CutState:
    policy = market.policy
    moved = policy[(policy["change_bps"] <= -min_cut_bps) | (policy["change_bps"] > 0)]
    moved = moved[moved["session"].notna() & (moved["session"] <= market.sessions[-1])].reset_index(drop=True)
    count = len(market.sessions)
    left = np.zeros(count, dtype=np.int64)
    last = np.full(count, -1, dtype=np.int64)
    is_cut = moved["change_bps"].to_numpy() < 0
    for event, row in enumerate(market.rows_of(moved["session"])):
        start = max(int(row), 0)
        age = np.arange(start - row, count - row)
        left[start:] = np.maximum(hold_sessions - age, 0) if is_cut[event] else 0
        last[start:] = event
    for shared in (left, last):
        shared.setflags(write=False)
    return CutState(left, last, moved)


def target_level(market: Market, bound: Literal["lower", "upper", "middle"] = "middle") -> Floats:
    """The target rate known at each close, percent, shape (sessions,); NaN before the first decision on record."""
    policy = market.policy
    if bound == "middle":
        levels = (policy["lower"].to_numpy(dtype=np.float64) + policy["upper"].to_numpy(dtype=np.float64)) / 2
    else:
        levels = policy[bound].to_numpy(dtype=np.float64)
    known = policy["session"].notna().to_numpy()
    levels = np.concatenate([[np.nan], levels[known]])
    days = policy["session"].to_numpy()[known]
    sessions = market.sessions.to_numpy().astype(days.dtype)
    return np.asarray(levels[np.searchsorted(days, sessions, side="right")])


@dataclass(frozen=True, slots=True)
class CycleState:
    """State of the cycle at each close; arrays of shape (sessions,).

    age: sessions since the first cut (0 at its own close), NaN without a cycle. began_in_fall: 1.0, 0.0, NaN without a
    cycle or where prices do not reach back. first_cuts: the first cuts, rows of Market.policy.
    """

    age: Floats
    began_in_fall: Floats
    first_cuts: pd.DataFrame

    @property
    def is_easing(self) -> Floats:
        """1.0 while a cycle is on, else 0.0."""
        return (~np.isnan(self.age)).astype(np.float64)


def easing_cycle(market: Market, growth: Basket, *, gap_days: int, max_age_sessions: int, fall: float) -> CycleState:
    """The cycle at each close. gap_days: calendar days without a cut after which the next one is a first one.

    max_age_sessions: sessions after its last cut at which a cycle ends, if no rise ended it before.
    """
    policy = market.policy
    moved = policy[(policy["change_bps"] != 0) & policy["session"].notna()]
    moved = moved[moved["session"] <= market.sessions[-1]]
    rows = market.rows_of(moved["session"])
    is_cut = moved["change_bps"].to_numpy() < 0
    days = moved["date"].to_numpy().astype("datetime64[D]")
    is_first = first_cuts(is_cut, days, gap_days)
    count = len(market.sessions)
    age = np.full(count, np.nan)
    began = np.full(count, np.nan)
    depth = fall_from_high(market, growth)
    origin = 0
    for place, row in enumerate(rows.tolist()):
        start = max(row, 0)
        age[start:], began[start:] = np.nan, np.nan
        if not is_cut[place]:
            continue
        origin = row if is_first[place] else origin
        end = min(max(row + max_age_sessions, start), count)
        age[start:end] = np.arange(start, end) - origin
        if 0 <= origin < count and not np.isnan(depth[origin]):
            began[start:end] = float(depth[origin] >= fall)
    return CycleState(age, began, moved[is_first])


CYCLE_GAP_DAYS = 365
"""A cut after so many calendar days without one begins an easing cycle, as one after a rise does."""


def first_cuts(is_cut: npt.NDArray[np.bool_], days: npt.NDArray[np.datetime64], gap_days: int) -> npt.NDArray[np.bool_]:
    """True for a cut after a rise, after no cut for `gap_days`, or with nothing before it on record."""
    first = np.zeros(len(is_cut), dtype=np.bool_)
    last_cut = None
    for place in range(len(is_cut)):
        if not is_cut[place]:
            continue
        follows_rise = place == 0 or not is_cut[place - 1]
        is_late = last_cut is None or days[place] - last_cut > np.timedelta64(gap_days, "D")
        first[place] = follows_rise or is_late
        last_cut = days[place]
    return first


def fall_from_high(market: Market, basket: Basket) -> Floats:
    """How far the basket is below its highest close of the last year, a fraction >= 0."""
    index = pd.Series(compounded(basket_growth(market, basket, 1)))
    year = year_of(market)
    highest = index.rolling(year, min_periods=year // 4).max()  # without a quarter's prices it is not known
    return np.asarray(1.0 - (index / highest).to_numpy(dtype=np.float64))
