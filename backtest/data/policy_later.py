"""Policy decisions after the shipped table, read off FRED's target range (DFEDTARU, DFEDTARL).

FRED has a value for every day and dates a change by the day it takes effect: since 2017 the day after its announcement.
So a step on day D was announced on D - 1: at 14:00 when that is the last day of a scheduled meeting. Of any other the
hour is not in the data, so that it is taken as after the close, which is never too early. A scheduled meeting after
which the range goes on unchanged was a hold.
"""

from __future__ import annotations

import pandas as pd

from backtest.data.meetings import AHEAD
from backtest.errors import DataError

UPPER, LOWER = "DFEDTARU", "DFEDTARL"
USUAL_HOUR, UNKNOWN_HOUR = pd.Timedelta(hours=14), pd.Timedelta(hours=17)
DAY = pd.Timedelta(days=1)
BPS_PER_POINT = 100


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
        change = round((high - before) * BPS_PER_POINT)
        rows.append((announced + hour, announced, is_scheduled, float(low), float(high), change))
        before = float(high)
    if not rows:
        return decisions
    later = pd.DataFrame(rows, columns=["announced_at", "date", "scheduled", "lower", "upper", "change_bps"])
    return pd.concat([decisions, later.astype(decisions.dtypes.to_dict())], ignore_index=True)
