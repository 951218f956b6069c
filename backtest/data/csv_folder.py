"""Prices and rates from a folder of CSV files, one `<TICKER>.csv` each.

Layout: date,open,high,low,close,adj_close,volume[,dividends,splits], in any order and case; the headers that Yahoo and
yfinance write are understood. Fetches only; `checks.py` judges the prices.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtest.data.sources import PRICE_COLUMNS, Fetched
from backtest.data.tables import DATE, read_rate, read_table
from backtest.errors import DataError

PRICE_HEADERS = {name: name for name in (DATE, *PRICE_COLUMNS)} | {
    "adj close": "adj_close",
    "stock splits": "splits",
    "stock_splits": "splits",
}
OPTIONAL_COLUMNS = ("dividends", "splits")
REQUIRED_COLUMNS = (DATE, *(name for name in PRICE_COLUMNS if name not in OPTIONAL_COLUMNS))

RATE_FILES = {"IRX": ("^IRX.csv", "IRX.csv")}
"""File names a rate may have, the first that exists is read; any other rate has its own name."""

MACRO_FOLDER = "macro"
"""A folder beside that of the prices in which a rate is looked for when it is not among them."""

Parse = Callable[[bytes, str], pd.DataFrame]

LISTED_FILES = 12
"""So many file names are listed to somebody who asked for one that is not there."""


@dataclass(frozen=True, slots=True)
class CsvFolder:
    """A folder of CSV files as a source."""

    folder: Path
    is_simulated: bool = False
    notes: tuple[str, ...] = ()

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Each ticker's file; DataError with a line for every file that is missing or cannot be read."""
        present = files_in(self.folder)
        fetched: dict[str, Fetched] = {}
        problems: list[str] = []
        for ticker in tickers:
            try:
                fetched[ticker] = _read(self._file_of(ticker, present), read_prices)
            except DataError as error:
                problems.extend(error.problems)
        if problems:
            raise DataError(*problems)
        return fetched

    def rate(self, rate_id: str) -> Fetched:
        """The rate's file in the folder, else in a folder `macro` beside it."""
        path = self._rate_file(rate_id)
        if path is not None:
            return _read(path, lambda data, where: read_rate(data, where, rate_id))
        wanted = " or ".join(_files_of(rate_id))
        raise DataError(f"{self.folder}: has no {wanted} for the T-bill rate, and neither has {self._beside}")

    @property
    def has_target_range(self) -> bool:
        """Whether both files of the target range are there."""
        return all(self._rate_file(name) is not None for name in ("DFEDTARU", "DFEDTARL"))

    @property
    def _beside(self) -> Path:
        return self.folder.absolute().parent / MACRO_FOLDER

    def _rate_file(self, rate_id: str) -> Path | None:
        for folder in (self.folder, self._beside):
            present = files_in(folder) if folder.is_dir() else {}
            for name in _files_of(rate_id):
                if name in present:
                    return present[name]
        return None

    def _file_of(self, ticker: str, present: Mapping[str, Path]) -> Path:
        # Taken from the folder's own list: whatever a ticker looks like, it cannot lead out of the folder.
        wanted = f"{ticker}.csv"
        if wanted in present:
            return present[wanted]
        near = difflib.get_close_matches(wanted.upper(), [name.upper() for name in present], n=3, cutoff=0.7)
        names = [name for name in present if name.upper() in near] or list(present)[:LISTED_FILES]
        hint = f"did you mean {' or '.join(names)}?" if near else f"it has {', '.join(names) or 'no CSV files'}"
        raise DataError(f"{self.folder}: has no {wanted}; {hint}")


def _files_of(rate_id: str) -> tuple[str, ...]:
    return RATE_FILES.get(rate_id, (f"{rate_id}.csv",))


def files_in(folder: Path) -> dict[str, Path]:
    """The CSV files of a folder by name, sorted; DataError when there is no such folder."""
    try:
        return {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".csv"}
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; expected a folder with one <TICKER>.csv for each") from error


def read_prices(data: bytes, where: str) -> pd.DataFrame:
    """A ticker's frame (`PRICE_COLUMNS`) from the bytes of its file; no dividend or split is a blank cell or a 0."""
    table = read_table(data, where, names=PRICE_HEADERS, required=REQUIRED_COLUMNS)
    table = table.reindex(columns=list(PRICE_COLUMNS))
    return table.fillna(dict.fromkeys(OPTIONAL_COLUMNS, 0.0))


def _read(path: Path, parse: Parse) -> Fetched:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    return Fetched(parse(data, str(path)), str(path), hashlib.sha256(data).hexdigest())
