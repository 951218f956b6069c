"""What every source of prices and rates has in common; `choice.py` says which one a config asks for.

A source only fetches: it neither repairs nor judges (`checks.py` does) and knows nothing of legs or periods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd

from backtest.errors import DataError
from backtest.market import Source

T = TypeVar("T")

PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close", "volume", "dividends", "splits")
"""Columns of a ticker's frame, float64, by tz-naive day, in the order in which the source had the rows.

Prices and volume are adjusted for splits and not for dividends (Yahoo's "Close"); adj_close for both; dividends are
USD per share on the ex-date and splits ratios on their date, 0.0 on all others.
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One series as its source gave it.

    values: `PRICE_COLUMNS`, or for a rate the one column `value` (percent, by the day it is the rate of).
    location: file or service, for the manifest.
    sha256: of the file's bytes or of the stored snapshot, else of the values.
    is_total_return: all prices include dividends, so that those of the tape are not known.
    layout: what the file was recognised as; notes: what a reader must be told, without the ticker's name.
    """

    values: pd.DataFrame
    location: str
    sha256: str
    is_total_return: bool = False
    layout: str = ""
    notes: tuple[str, ...] = ()

    def source(self, name: str, used: pd.DataFrame, **more: Any) -> Source:
        """For the manifest: of the rows used alone, so that a file that grows does not change what is told of a run."""
        first, last = (f"{used.index[place]:%Y-%m-%d}" for place in (0, -1))
        digest = values_sha256(used)
        return Source(name, self.location, len(used), first, last, digest, snapshot=self.sha256, **more)


class DataSource(Protocol):
    """Where prices and rates come from."""

    @property
    def is_simulated(self) -> bool:
        """Whether the prices never happened."""
        return False

    @property
    def is_monthly(self) -> bool:
        """Whether prices are by month, at its last session; else by session."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must be told about everything from here."""
        return ()

    @property
    def has_target_range(self) -> bool:
        """Whether `rate` has DFEDTARU and DFEDTARL, from which policy decisions after the shipped table are read."""
        return False

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Every ticker's whole history, in the order asked for; DataError or NetworkError when one is not to be had."""

    def rate(self, rate_id: str) -> Fetched:
        """A rate's whole history: IRX, or a name of FRED; DataError when it is not to be had here."""


def of_each(names: Iterable[str], fetch: Callable[[str], T]) -> dict[str, T]:
    """What `fetch` gives of each name; one DataError with the faults of all."""
    found: dict[str, T] = {}
    problems: list[str] = []
    for name in names:
        try:
            found[name] = fetch(name)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    return found


def values_sha256(frame: pd.DataFrame) -> str:
    """sha256 of a frame of numbers by day: column names, days since 1970 as int64, float64, all little-endian."""
    digest = hashlib.sha256(",".join(map(str, frame.columns)).encode())
    digest.update(frame.index.to_numpy().astype("datetime64[D]").astype("<i8").tobytes())
    digest.update(canonical_bytes(frame.to_numpy(dtype=np.float64)))
    return digest.hexdigest()


def canonical_bytes(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> bytes:
    """float64, little-endian, row by row; one bit pattern for NaN and one for zero, so that equal numbers are equal."""
    return np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype("<f8").tobytes()
