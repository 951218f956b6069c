"""Signals from the Federal Reserve's decisions: are we within so many sessions of a cut?

Reads:  Market.policy (each decision with the first session whose close may use it).
Gives:  per session, known at its close. The table begins in 1994, so that the answer is known from the first price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats, Market


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
