"""What time it is, asked here alone, to tell which sessions are finished and how old a snapshot is.

Nothing that a result contains may depend on it; a result depends on the content of the data alone.
"""

from __future__ import annotations

import pandas as pd


def now() -> pd.Timestamp:
    """The moment of asking, in UTC."""
    return pd.Timestamp.now("UTC")


def stamp(moment: pd.Timestamp) -> str:
    """A moment as ISO text to the second: `2026-11-20T21:30:00Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def age(text: str, at: pd.Timestamp) -> str:
    """How long before `at` a stamp was made, in words: `2 hours`, `3 days`."""
    hours = max((at - pd.Timestamp(text)) / pd.Timedelta(hours=1), 0.0)
    if hours < 1:
        return "less than an hour"
    count, unit = (int(hours), "hour") if hours < 48 else (int(hours // 24), "day")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
