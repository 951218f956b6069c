"""A second source beside the first: where do their daily returns disagree?

Levels differ for good reasons (rounding, a dividend more in the adjusted history); a day's return must not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.data.csv_folder import CsvFolder
from backtest.data.sources import Fetched
from backtest.series import Floats

if TYPE_CHECKING:
    from backtest.config.models import CrossCheck

COLUMNS = ("close", "adj_close")
"""What is compared: the return without dividends and the one with them."""

HEADER = ("ticker", "date", "column", "first_return", "second_return", "difference")


def cross_check(frames: Mapping[str, pd.DataFrame], given: CrossCheck) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All disagreements (`HEADER`, returns as fractions, by ticker and day), and a sentence for each ticker.

    frames: by ticker, checked. A day that only one source has is a disagreement with a NaN. A ticker that the second
    source does not have is said and not compared. DataError when the folder or a file cannot be read.
    """
    second = CsvFolder(given.folder, key="data.cross_check.folder")
    present = {path.stem for path in given.folder.iterdir() if path.suffix.lower() == ".csv"}
    others = second.prices([ticker for ticker in frames if ticker in present])
    tables, notes = [], []
    for ticker, frame in frames.items():
        if ticker not in others:
            notes.append(f"{ticker}: the second source has no such ticker; it was not compared.")
            continue
        table = disagreements(ticker, frame, _within(others[ticker], frame), tolerance=given.tolerance)
        tables.append(table)
        notes += _note(ticker, table, given.tolerance)
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(HEADER))
    return whole, tuple(notes)


def disagreements(ticker: str, first: pd.DataFrame, second: pd.DataFrame, *, tolerance: float) -> pd.DataFrame:
    """Days on which a return differs by more than `tolerance` (a fraction), or which one of the two lacks."""
    days = pd.DatetimeIndex(first.index.union(second.index))
    rows = []
    for column in COLUMNS:
        one, other = _returns(first[column], days), _returns(second[column], days)
        apart = np.abs(one - other)
        # The first day of either has no return; where a day is missing the next return spans two and is told as well.
        is_apart = apart > tolerance
        is_missing = ~(days.isin(first.index) & days.isin(second.index))
        for place in np.flatnonzero(is_apart | is_missing).tolist():
            rows.append((ticker, days[place], column, one[place], other[place], apart[place]))
    return pd.DataFrame(rows, columns=list(HEADER)).sort_values(["date", "column"], ignore_index=True)


def _returns(levels: pd.Series, days: pd.DatetimeIndex) -> Floats:
    changes = levels.groupby(level=0).last().pct_change(fill_method=None)
    return np.asarray(changes.reindex(days), dtype=np.float64)


def _within(other: Fetched, frame: pd.DataFrame) -> pd.DataFrame:
    """The second source's rows inside the first's life."""
    values: pd.DataFrame = other.values.sort_index()
    return values.loc[frame.index[0] : frame.index[-1]]


def _note(ticker: str, table: pd.DataFrame, tolerance: float) -> list[str]:
    if not len(table):
        return []
    days = pd.DatetimeIndex(table["date"]).unique()
    largest = table["difference"].max()
    by = "" if np.isnan(largest) else f", by {largest:.2%} of price at most"
    when = f"{len(days)} sessions from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
    where = "backtest data check CONFIG --page FILE lists them"
    return [f"{ticker}: the second source disagrees on {when}{by} (beyond {tolerance:.2%} a day); {where}."]
