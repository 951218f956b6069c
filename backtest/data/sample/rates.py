"""The simulated 13-week Treasury bill under the real policy rate.

Where it stands: noise and the policy decisions -> RATES -> funds -> prices.

The policy rate is history; the bill is not. A bill stands a little below the rate it will live through, so it moves
before a scheduled decision does, part of the way, while a decision between meetings comes as a surprise. The other
part is small, slow noise that fades as the rate nears zero. Real bills foresaw about as much: over 2000-2025 their
distance from the policy rate had a correlation of about 0.7 with the rate's change over the next three months.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.policy import load_policy_decisions
from backtest.data.sample.noise import FIRST_DAY, LAST_DAY, Days, Floats, Stream, normals, persistent, rounded, weekdays

BILL_DAYS = np.timedelta64(91, "D")
FORESIGHT = 0.8
"""Share of the scheduled decisions in a bill's life that its rate shows already."""

SPREAD = 0.04
SPREAD_PER_POINT = 0.02
"""A bill pays less than the middle of the target: 4 bps, and 2 bps more for each point of the policy rate."""

NOISE = 0.10
NOISE_MEMORY = 0.97
"""The rest of a bill's rate: a standard deviation in percent where rates are high, and its persistence by day."""


def sample_tbill(exchange_sessions: pd.DatetimeIndex) -> pd.Series:
    """13-week bank discount rate in percent at the close of each session of 2000-2025, >= 0, to 0.001, without NaN.

    exchange_sessions: the exchange's own days, tz-naive, ascending, from 2000-01-03 or before to 2025-12-31 or after.
    """
    rows, sessions = rows_of_sessions(exchange_sessions)
    return pd.Series(bill_rate()[rows], index=sessions, name="tbill")


def bill_rate() -> Floats:
    """The same rate in percent on each weekday, shape (weekdays,)."""
    days = weekdays()
    decisions = load_policy_decisions()
    announced = decisions["date"].to_numpy().astype("datetime64[D]")
    level = ((decisions["lower"] + decisions["upper"]) / 2).to_numpy(dtype=np.float64)
    known = level[np.searchsorted(announced, days, side="right") - 1]
    steps = np.diff(level, prepend=level[0]) * decisions["scheduled"].to_numpy()
    expected = known + FORESIGHT * scheduled_change(days, announced, steps, BILL_DAYS)
    noise = NOISE * persistent(normals(Stream.BILL_RATE, 1)[0], memory=NOISE_MEMORY) * known / (known + 1.0)
    return rounded(np.maximum(expected - SPREAD - SPREAD_PER_POINT * known + noise, 0.0), 1000)


def rows_of_sessions(exchange_sessions: pd.DatetimeIndex) -> tuple[npt.NDArray[np.int64], pd.DatetimeIndex]:
    """Rows of `weekdays()` on which the exchange was open, and these sessions.

    Raises ValueError when the calendar does not reach from the sample's first day to its last.
    """
    days = exchange_sessions.to_numpy().astype("datetime64[D]")
    inside = (days >= FIRST_DAY) & (days <= LAST_DAY)
    if FIRST_DAY not in days or LAST_DAY not in days:
        raise ValueError(f"the sample needs a calendar with {FIRST_DAY} and {LAST_DAY}; this one lacks one of them")
    return np.searchsorted(weekdays(), days[inside]), pd.DatetimeIndex(exchange_sessions[inside], name="date")


def scheduled_change(days: Days, announced: Days, steps: Floats, within: np.timedelta64) -> Floats:
    """Mean change of the policy rate over so many days that scheduled decisions will make, shape (days,)."""
    every_day = np.arange(days[0], days[-1] + within + np.timedelta64(1, "D"))
    # Targets are multiples of an eighth: their sums are exact in binary, in any order.
    path = np.concatenate([[0.0], np.cumsum(steps)])[np.searchsorted(announced, every_day, side="right")]
    area = np.concatenate([[0.0], np.cumsum(path)])
    today = (days - days[0]).astype(np.int64)
    life = int(within.astype(np.int64))
    return np.asarray((area[today + 1 + life] - area[today + 1]) / life - path[today])
