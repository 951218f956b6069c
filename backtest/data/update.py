"""What a new answer means beside the snapshot that is there: nothing new, a few sessions more, or another past.

Levels cannot be compared: every dividend rescales a whole adjusted history, every split all prices. Daily returns can:
two answers of Yahoo for the same days agree to 1e-6 (measured over five years), so 1e-5 tells a changed history.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

RETURN_TOLERANCE = 1e-5
"""Largest difference between two daily returns, as a fraction, that is taken for rounding."""

LEVEL_TOLERANCE = 1e-6
"""Relative; beyond it a column has been rescaled: sessions cannot simply be put behind the old ones."""

PRICE_LEVELS = ("close", "adj_close")
"""Columns of a ticker whose returns are compared; any other series is compared by its values."""

OVERLAP = pd.Timedelta(days=30)
"""So much of the known past is asked for again with the newest sessions."""


class Difference(NamedTuple):
    """Between two snapshots of a series. changed: days on which they disagree; largest: by how much at most.

    added, removed: days that only the newer, only the older has.
    """

    changed: pd.DatetimeIndex
    largest: float
    added: pd.DatetimeIndex
    removed: pd.DatetimeIndex

    @property
    def is_another_past(self) -> bool:
        """Whether days that were known before have changed or are gone."""
        return bool(len(self.changed) or len(self.removed))

    def words(self) -> str:
        """In a few words, for the record and for the user."""
        said = []
        if len(self.changed):
            said.append(f"history changed on {days_of(self.changed)}, by {self.largest:.2g} at most")
        if len(self.removed):
            said.append(f"history lost {days_of(self.removed)}")
        if len(self.added):
            said.append(f"extended by {len(self.added)}, to {self.added[-1]:%Y-%m-%d}")
        return "; ".join(said) or "unchanged"


def difference(old: pd.DataFrame, new: pd.DataFrame) -> Difference:
    """Where two frames of one series disagree: prices by daily return, dividends and splits and rates by value."""
    if not (old.index.is_unique and new.index.is_unique):
        return _revised(old, new)
    days = old.index.intersection(new.index)
    one, other = old.loc[days], new.loc[days]
    is_price = all(name in old.columns and name in new.columns for name in PRICE_LEVELS)
    apart = np.zeros(len(days))
    if is_price:
        for name in PRICE_LEVELS:
            # A split between the two rescales all raw prices before it: its returns are the same but for rounding.
            apart = np.fmax(apart, np.abs(_returns(one[name]) - _returns(other[name])))
        for name in ("dividends", "splits"):
            apart = np.fmax(apart, np.abs((_paid(one, name) - _paid(other, name)).to_numpy(dtype=np.float64)))
    else:
        for name in old.columns.intersection(new.columns):
            apart = np.fmax(apart, _apart(one[name].to_numpy(dtype=np.float64), other[name].to_numpy(dtype=np.float64)))
    is_changed = ~(apart <= RETURN_TOLERANCE)
    return Difference(
        changed=pd.DatetimeIndex(days[is_changed]),
        largest=float(apart[is_changed].max()) if is_changed.any() else 0.0,
        added=pd.DatetimeIndex(new.index.difference(old.index)),
        removed=pd.DatetimeIndex(old.index.difference(new.index)),
    )


def _revised(old: pd.DataFrame, new: pd.DataFrame) -> Difference:
    """Between two archives, which have several rows of one day: those whose earlier rows are not what they were."""
    before, after = (
        {day: rows.to_numpy(dtype=np.float64) for day, rows in frame.groupby(level=0)} for frame in (old, new)
    )
    changed = [
        day for day, rows in before.items() if day in after and not np.array_equal(after[day][: len(rows)], rows)
    ]
    days = [pd.DatetimeIndex(one) for one in (changed, [d for d in after if d not in before],
                                              [d for d in before if d not in after])]  # fmt: skip
    return Difference(days[0], float("nan") if changed else 0.0, days[1], days[2])


def extended(old: pd.DataFrame, tail: pd.DataFrame) -> pd.DataFrame | None:
    """The old frame with the tail's later rows behind it; None unless the tail says the same about the days of both.

    The old rows stay as they are, to the last bit. None also when the levels differ (a dividend, a split since), when
    the tail is not in order, or when it does not reach back to the old rows: then the whole history must be asked for.
    """
    days = old.index.intersection(tail.index)
    if len(days) < 2 or not (tail.index.is_monotonic_increasing and tail.index.is_unique):
        return None
    if len(old.index[old.index >= tail.index[0]]) != len(days):
        return None
    for name in old.columns:
        if name == "volume":
            continue  # the last session's is put right days later, and no run reads it
        one, other = old.loc[days, name].to_numpy(dtype=np.float64), tail.loc[days, name].to_numpy(dtype=np.float64)
        if not (_apart(one, other) <= LEVEL_TOLERANCE * np.maximum(np.abs(one), 1.0)).all():
            return None
    later = tail.loc[tail.index > old.index[-1]]
    return pd.concat([old, later[list(old.columns)]]) if len(later) else old


def days_of(days: pd.DatetimeIndex) -> str:
    """`1 day (2024-07-16)` or `12 days (2024-07-16 to 2024-09-18)`."""
    if len(days) == 1:
        return f"1 day ({days[0]:%Y-%m-%d})"
    return f"{len(days)} days ({days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d})"


def _returns(levels: pd.Series) -> npt.NDArray[np.float64]:
    values = levels.to_numpy(dtype=np.float64)
    changes = np.zeros(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        changes[1:] = values[1:] / values[:-1] - 1.0
    return changes


def _paid(frame: pd.DataFrame, name: str) -> Any:
    """Splits as they are; dividends per dollar of the close before, which no later split rescales."""
    if name == "splits":
        return frame["splits"]
    return (frame["dividends"] / frame["close"].shift(1)).fillna(0.0)


def _apart(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """|one - other|; 0 where both are NaN, infinite where one is."""
    apart = np.abs(one - other)
    is_nan = np.isnan(one), np.isnan(other)
    return np.where(is_nan[0] & is_nan[1], 0.0, np.where(is_nan[0] | is_nan[1], np.inf, apart))
