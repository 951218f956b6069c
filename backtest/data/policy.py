"""Policy decisions: what the Federal Reserve decided about its rate, when it said so, and which close may use it.

The shipped table was compiled by hand from the Fed's public record (meeting calendars and policy statements): every
decision since the first that was ever announced, 1994-02-04, holds included, to 2026-09-16. The decision of 2026-10-28
could not be established when the table was compiled (2026-11-23); it and later ones come from FRED's target range. The
date is that of the *announcement*; FRED's target series names the day a change took effect, since 2017 one day later.
Statements without a decision on the target (the discount rate in August 2007, purchases in March 2020) are not in it.

How exact the hours are: what matters here is on which side of the market's close they fall, and that is in no doubt.
The minute is known, give or take a few, from the time stamps of event studies and news wires for the meetings of 1994,
the moves between meetings and 1996-03-26. Else it is the hour that was usual, from which the release was off by
minutes: 14:15 from 1995 to January 2013 (12:30 on the eight days of 2011 and 2012 with a press conference), 14:00
since March 2013. Until May 1999 a hold was told by no statement, until February 2000 not always by one: only by the
word that the meeting had ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import ConfigError, DataError

REGULAR_CLOSE = pd.Timedelta(hours=16)
"""The New York Stock Exchange closes at 16:00 ET, but for a few half days."""


def load_policy_decisions() -> pd.DataFrame:
    """All decisions of the shipped table, one row each, ascending, without NaN.

    Columns announced_at (datetime64, New York time without a zone), date (its day), scheduled (bool), lower and upper
    (percent; equal until the target became a range) and change_bps (int64, of the upper bound).
    """
    table = _shipped("policy_decisions.csv")
    table.insert(0, "announced_at", (table["date"] + pd.to_timedelta(table.pop("time_et") + ":00")).dt.as_unit("ns"))
    return table


def _shipped(name: str) -> pd.DataFrame:
    """A table beside this module; its column `date` as days."""
    with files("backtest.data").joinpath(name).open(encoding="utf-8") as text:
        table = pd.read_csv(text, comment="#")
    return table.assign(date=pd.DatetimeIndex(table["date"]).as_unit("ns"))


def with_known_sessions(
    decisions: pd.DataFrame, exchange_sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None = None
) -> pd.DataFrame:
    """The decisions with a column `session`: the first whose close may use each; see `knowable_sessions`."""
    return decisions.assign(session=knowable_sessions(decisions, exchange_sessions, closes))


def knowable_sessions(
    decisions: pd.DataFrame, exchange_sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None = None
) -> npt.NDArray[np.datetime64]:
    """The first session whose close comes after each announcement; shape (decisions,), datetime64[ns].

    Announced before a session's close: that session. At the close or after it, on a weekend or holiday: the next.

    decisions: needs the column announced_at.
    exchange_sessions: the exchange's own days, ascending, without a zone. They should begin before the first decision
        that matters, even if prices do not: NaT is given for an announcement before the first day, whose session
        cannot be told, and for one after the last close.
    closes: the hour of each session's close, where half days count: with a zone, or New York time without. None:
        16:00 every day.
    """
    sessions = exchange_sessions.as_unit("ns")
    if not (sessions.is_unique and sessions.is_monotonic_increasing):
        raise ValueError("exchange_sessions must ascend, each day once")
    announced = pd.DatetimeIndex(decisions["announced_at"]).as_unit("ns")
    first = np.searchsorted(_close_times(sessions, closes), announced.to_numpy(), side="right")
    is_inside = (first < len(sessions)) & np.asarray(announced >= sessions.min())
    known = np.full(len(announced), np.datetime64("NaT", "ns"))
    known[is_inside] = sessions.to_numpy()[first[is_inside]]
    return known


def _close_times(sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None) -> npt.NDArray[np.datetime64]:
    if closes is None:
        return (sessions + REGULAR_CLOSE).to_numpy()
    times = pd.DatetimeIndex(closes).as_unit("ns")
    if times.tz is not None:
        times = times.tz_convert("America/New_York").tz_localize(None)
    if not times.normalize().equals(sessions):
        raise ValueError("closes must hold one hour for each of exchange_sessions, on its day")
    return times.to_numpy()


# Before 1994 the Federal Reserve announced what it did to its discount rate, and nothing about the federal funds rate.
Instrument = Literal["discount_rate", "funds_target"]


def early_policy(instrument: Instrument) -> pd.DataFrame:
    """Changes of one rate from 1953 (the target: 1982) to 1993, ascending; the columns of the shipped table.

    date: the day it took effect. known: `announced` (the discount rate: by the Board, that day or the one before) or
    `reconstructed` (the target: from the Desk's records, years later; nobody could know it so exactly then).
    """
    whole = _shipped("policy_before_1994.csv")
    return whole[whole["instrument"] == instrument].reset_index(drop=True)


def policy_since_1953() -> pd.DataFrame:
    """What was announced: changes of the discount rate to 1993, then the decisions on the target, as one table.

    The levels before 1994 are those of the discount rate; at the seam both stood at 3%. Its changes are taken as known
    after the close of the day they took effect, since their hours are not on record.
    """
    early = early_policy("discount_rate")
    told = pd.DataFrame({
        "announced_at": pd.DatetimeIndex(early["date"] + UNKNOWN_HOUR).as_unit("ns"),
        "date": early["date"],
        "scheduled": False,
        "lower": early["level"].astype(float),
        "upper": early["level"].astype(float),
        "change_bps": early["change_bps"].round().astype(np.int64),
    })  # fmt: skip
    return pd.concat([told, load_policy_decisions()], ignore_index=True)


# The calendar of the scheduled meetings. The past is that of the table; these are the days to come, as the Federal
# Reserve has published them (2027: tentative), and the one meeting that was scheduled and not held. The calendar of a
# year is published in the summer before it, so that a signal may use it up to the end of the next year.
AHEAD = (
    "2026-10-28", "2026-12-09", "2027-01-27", "2027-03-17", "2027-04-28", "2027-06-09", "2027-07-28", "2027-09-15",
    "2027-10-27", "2027-12-08",
)  # fmt: skip

CANCELLED = ("2020-03-18",)
"""Given up on Sunday 2020-03-15 for a decision that day: until then futures were priced for it."""


def scheduled_meetings(decisions: pd.DataFrame) -> pd.DatetimeIndex:
    """Last days of all scheduled meetings, ascending, each once.

    decisions: the table of policy decisions, with the columns date and scheduled.
    """
    held = pd.DatetimeIndex(decisions.loc[decisions["scheduled"].astype(bool), "date"])
    return pd.DatetimeIndex(held.union(pd.DatetimeIndex([*AHEAD, *CANCELLED])), name="meeting").as_unit("ns")


def check_meetings(named: Sequence[date], scheduled: pd.DatetimeIndex) -> None:
    """Raise ConfigError with a line for each day that is not the last one of a scheduled meeting."""
    problems = []
    for day in named:
        if pd.Timestamp(day) not in scheduled:
            nearest = scheduled[int(np.argmin(np.abs((scheduled - pd.Timestamp(day)).to_numpy())))]
            problems.append(f"strategy.params: meeting: found {day}, which is not the last day of a scheduled meeting; "
                            f"the nearest is {nearest:%Y-%m-%d}")  # fmt: skip
    if problems:
        raise ConfigError(*problems)


# Decisions after the shipped table, read off FRED's target range, which has a value for every day and dates a change
# by the day it takes effect: since 2017 the day after its announcement. So a step on day D was announced on D - 1: at
# 14:00 when that is the last day of a scheduled meeting. Of any other the hour is not in the data, so that it is taken
# as after the close, which is never too early. A scheduled meeting after which the range goes on unchanged was a hold.
UPPER, LOWER = "DFEDTARU", "DFEDTARL"
USUAL_HOUR, UNKNOWN_HOUR = pd.Timedelta(hours=14), pd.Timedelta(hours=17)
DAY = pd.Timedelta(days=1)


RANGE_WIDTH, LARGEST_CHANGE = 0.25, 1.0
"""Percentage points: between the bounds since 2008, and the most that one decision has changed them by since 1994."""


def check_later_range(upper: pd.Series, lower: pd.Series, decisions: pd.DataFrame, where: str) -> None:
    """Raise DataError unless what comes after the table goes on from it, in steps and a range like the Fed's."""
    both = pd.DataFrame({"upper": upper, "lower": lower}).dropna()
    both = both[both.index > decisions["date"].iloc[-1] + DAY]
    step = both["upper"].diff().fillna(both["upper"] - float(decisions["upper"].iloc[-1])).abs()
    wrong = ((both["upper"] - both["lower"] - RANGE_WIDTH).abs() > 1e-6) | (step > LARGEST_CHANGE)
    for day in both.index[wrong][:1]:
        last = f"{decisions['lower'].iloc[-1]:g} to {decisions['upper'].iloc[-1]:g}"
        raise DataError(f"{where}: {day:%Y-%m-%d}: found a target of {both['lower'][day]:g} to {both['upper'][day]:g}; "
                        f"expected a range of {RANGE_WIDTH:g} that goes on from the last decision, {last}, in steps of "
                        f"{LARGEST_CHANGE:g} at most; get the files again")  # fmt: skip


def later_decisions(decisions: pd.DataFrame, upper: pd.Series, lower: pd.Series) -> pd.DataFrame:
    """The table and the decisions after its last one, same columns.

    decisions: as `load_policy_decisions` gives them. upper, lower: percent by ascending day, without NaN; a day that
    only one of them has says nothing.
    """
    known = decisions.iloc[-1]
    last = pd.Timestamp(known["date"])
    both = pd.DataFrame({"upper": upper, "lower": lower}).dropna()
    # The row of the last decision itself took effect a day after it: from there on a step is a new decision.
    both = both[both.index > last + DAY]
    rows = []
    before = float(known["upper"])
    for day, high, low in zip(both.index, both["upper"], both["lower"], strict=True):
        announced = day - DAY
        is_scheduled = f"{announced:%Y-%m-%d}" in AHEAD
        if high == before and not is_scheduled:
            continue
        hour = USUAL_HOUR if is_scheduled else UNKNOWN_HOUR
        change = round((high - before) * 100)
        rows.append((announced + hour, announced, is_scheduled, float(low), float(high), change))
        before = float(high)
    if not rows:
        return decisions
    later = pd.DataFrame(rows, columns=["announced_at", "date", "scheduled", "lower", "upper", "change_bps"])
    return pd.concat([decisions, later.astype(decisions.dtypes.to_dict())], ignore_index=True)
