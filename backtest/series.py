"""PointInTime: observations of one kind, each with the moment at which it could first be known.

Part of MARKET: config -> market -> decision -> fills -> result -> metrics -> report.
Every observation carries three clocks: when it happened, when it became knowable, and the first session whose close
may use it. Only the last one decides what a signal sees; the other two are kept so that `why` can show them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

CLOCKS = ("happened", "known_at", "session")
"""The first columns of every table of observations, datetime64[ns], without NaT."""


@dataclass(frozen=True, slots=True)
class PointInTime:
    """A table of observations, ascending by session, then by `known_at`, then by `happened`.

    frame: CLOCKS, then float64 columns (one of them `value`, NaN where nothing was published), then keys
        (datetime64, such as the delivery month of a future). `happened` is the day or month observed, `known_at` New
        York time without a zone, `session` the first session whose close may use it.
    holds_days: calendar days after `happened` for which an observation stands when no newer one is known.
    period: what one `happened` names: day, week (dated by its first day), week_ending, month, quarter, year, target.
    clock: its frequency and when its values are known, in words.
    """

    frame: pd.DataFrame
    holds_days: int = 7
    period: str = "day"
    clock: str = ""

    def until(self, session: pd.Timestamp) -> PointInTime:
        """What was knowable at the close of `session`."""
        end = int(self.frame["session"].searchsorted(session, side="right"))
        return replace(self, frame=self.frame.iloc[:end])

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns that were measured."""
        return tuple(str(name) for name in self.frame if self.frame[name].dtype == np.float64)

    def latest_rows(self, sessions: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
        """The observation known at each close with the newest `happened`, as a row of `frame`; -1 where none stands.

        A revision of an old observation does not replace a newer one. Shape (sessions,).
        """
        happened = self.frame["happened"].to_numpy().astype("datetime64[D]")
        order = np.arange(len(happened))
        is_newest = happened >= np.maximum.accumulate(happened) if len(happened) else order.astype(bool)
        kept = order[is_newest]
        known = self.frame["session"].to_numpy()[kept]
        place = np.searchsorted(known, sessions.to_numpy().astype(known.dtype), side="right") - 1
        if not len(kept):
            return np.full(len(sessions), -1, dtype=np.int64)
        rows = kept[place]
        age = sessions.to_numpy().astype("datetime64[D]") - happened[rows]
        return np.where((place >= 0) & (age <= np.timedelta64(self.holds_days, "D")), rows, -1).astype(np.int64)

    def latest(self, sessions: pd.DatetimeIndex, column: str = "value") -> Floats:
        """The value known at each close, shape (sessions,); NaN where none stands."""
        rows = self.latest_rows(sessions)
        values = self.frame[column].to_numpy(dtype=np.float64)
        if not len(values):
            return np.full(len(sessions), np.nan)
        return np.where(rows >= 0, values[rows], np.nan)


def observations(
    happened: Days, known_at: Days, sessions: Days, columns: dict[str, npt.NDArray[np.generic]], **about: Any
) -> PointInTime:
    """A PointInTime of unsorted rows; those without a session (NaT: before the calendar or after it) are left out.

    columns: name -> float64 or datetime64 array, all of the length of the clocks. about: the other fields.
    """
    moments = [clock.astype("datetime64[ns]") for clock in (happened, known_at, sessions)]
    clocks = dict(zip(CLOCKS, moments, strict=True))
    frame = pd.DataFrame({**clocks, **columns})
    frame = frame[frame["session"].notna()]
    order = np.lexsort((frame["happened"].to_numpy(), frame["known_at"].to_numpy(), frame["session"].to_numpy()))
    return PointInTime(frame.iloc[order].reset_index(drop=True), **about)
