"""The calendar of the Federal Reserve's scheduled meetings: the last day of each, known in advance.

The past is that of the shipped table of decisions; below are the days to come, as the Federal Reserve has published
them (those of 2027 are tentative), and the one meeting that was scheduled and not held. The calendar of a year is
published in the summer before it, so that a signal may use it up to the end of the next year.
"""

from __future__ import annotations

import pandas as pd

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
