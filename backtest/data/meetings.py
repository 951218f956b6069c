"""The calendar of the Federal Reserve's scheduled meetings: the last day of each, known in advance.

The past is that of the shipped table of decisions; below are the days to come, as the Federal Reserve has published
them (those of 2027 are tentative), and the one meeting that was scheduled and not held. The calendar of a year is
published in the summer before it, so that a signal may use it up to the end of the next year.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from backtest.errors import ConfigError

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
