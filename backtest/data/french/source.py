"""Ken French's portfolios as a source of prices: the user's own files, or the library's through the store.

A file of months makes an index that begins at 100 a month before its first return. There are no opens: the open of a
month is the close of the one before, so that what is decided at a close is traded at that very price.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from backtest.data.calendar import month_ends
from backtest.data.french.library import check_french, parse_table, unzipped, vintage_of
from backtest.data.french.portfolios import FACTORS, PORTFOLIOS, returns_of
from backtest.data.sources import PRICE_COLUMNS, Fetched
from backtest.data.web import Transient
from backtest.errors import DataError
from backtest.text import listed

FIRST_LEVEL = 100.0

PAPER = (
    "Paper portfolios from Ken French's data library, not funds: no fee, cost or spread is in them, and none could be "
    "bought. Against the nearest fund they have gained some 1.2 to 1.7 points a year too much."
)
CLOSES = "A month's open is the close of the month before: what is decided at a close is traded at the same price."


_NAMES = f"{', '.join(name for name in PORTFOLIOS if not name.startswith('IND'))}, IND10-NODUR ... IND12-OTHER"


class FrenchTable(NamedTuple):
    """A file's first table, in percent by month; where it is from, its sha256, its CRSP database."""

    values: pd.DataFrame
    location: str
    sha256: str
    vintage: str


@dataclass
class FrenchSource:
    """The portfolios by ticker. folder: of the user's files, zipped as they come or not; None: the library's own."""

    folder: Path | None
    end: date | None = None
    offline: bool = False
    is_simulated: bool = False
    has_target_range: bool = False
    is_monthly: bool = True
    _tables: dict[str, FrenchTable] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must be told of everything from here."""
        vintages = sorted({table.vintage for table in self._tables.values() if table.vintage})
        told = f"The files were made with the CRSP database of {listed(vintages)}; each new one revises the past too."
        return (PAPER, CLOSES, *((told,) if vintages else ()))

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """An index of each portfolio; DataError with a line for each that is not known or whose file is not there."""
        fetched: dict[str, Fetched] = {}
        problems: list[str] = []
        for ticker in tickers:
            if ticker not in PORTFOLIOS:
                problems.append(f"{ticker}: no portfolio of Ken French's is called so here; there are {_NAMES}")
                continue
            try:
                table = self.table(PORTFOLIOS[ticker].file)
                fetched[ticker] = _index(ticker, table)
            except DataError as error:
                problems.extend(error.problems)
        if problems:
            raise DataError(*dict.fromkeys(problems))
        return fetched

    def rate(self, rate_id: str) -> Fetched:
        """RF: the return in percent of each month of a one-month T-bill, by month."""
        if rate_id != "RF":
            raise DataError(f"Ken French's library has no rate {rate_id}; set data.tbill: french")
        table = self.table(FACTORS)
        if "rf" not in table.values:
            raise DataError(f"{table.location}: has no column RF")
        return Fetched(table.values[["rf"]].set_axis(["value"], axis=1).dropna(), table.location, table.sha256)

    def table(self, name: str) -> FrenchTable:
        """The first table of a file, checked; read once."""
        if name not in self._tables:
            self._tables[name] = self._from_store(name) if self.folder is None else self._from_folder(name)
        return self._tables[name]

    def _from_store(self, name: str) -> FrenchTable:
        from backtest.data.snapshots import Snapshots

        snapshot, frame = Snapshots(end=self.end, offline=self.offline).series(f"french/{name}")
        return FrenchTable(frame, f"{snapshot.location} (fetched {snapshot.fetched_at})", snapshot.sha256, "")

    def _from_folder(self, name: str) -> FrenchTable:
        assert self.folder is not None
        path = _file_of(name, self.folder)
        try:
            data = path.read_bytes()
            text = unzipped(data, str(path)) if path.suffix.lower() == ".zip" else data.decode("latin-1")
            frame = parse_table(text, str(path))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from error
        except Transient as error:
            raise DataError(f"{path}: {error}; expected a file of Ken French's library as it is downloaded") from error
        check_french(name, frame)
        return FrenchTable(frame, str(path), hashlib.sha256(data).hexdigest(), vintage_of(text))


def _file_of(name: str, folder: Path) -> Path:
    """`NAME_CSV.zip`, `NAME.zip` or `NAME.csv` in any case."""
    try:
        present = {path.name.lower(): path for path in sorted(folder.iterdir())}
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; expected a folder of files of Ken French's library") from error
    wanted = [f"{name}_CSV.zip", f"{name}.zip", f"{name}.csv"]
    found = next((present[each.lower()] for each in wanted if each.lower() in present), None)
    if found is None:
        raise DataError(f"{folder}: has no {wanted[0]} (nor {wanted[2]}); download it from Ken French's data library, "
                        f"or leave data.prices.folder out and let backtest fetch it")  # fmt: skip
    return found


def _index(ticker: str, table: FrenchTable) -> Fetched:
    """Levels at the last session of each month, from the month before the first return on."""
    percent = returns_of(ticker, table.values)
    known = percent.loc[percent.first_valid_index() :] if percent.notna().any() else percent.iloc[:0]
    if known.empty or known.isna().any():
        where = "no return at all" if known.empty else f"no return for {known.index[known.isna()][0]:%Y-%m}"
        raise DataError(f"{table.location}: {ticker} has {where}")
    months = pd.DatetimeIndex(known.index).to_period("M")
    days, _ = month_ends((months[0] - 1).start_time, months[-1].end_time)
    levels = FIRST_LEVEL * np.concatenate([[1.0], np.cumprod(1.0 + known.to_numpy(dtype=np.float64))])
    opens = np.concatenate([levels[:1], levels[:-1]])
    columns = {"open": opens, "high": np.maximum(opens, levels), "low": np.minimum(opens, levels)}
    columns |= {"close": levels, "adj_close": levels, "volume": np.full(len(levels), np.nan)}
    columns |= {"dividends": np.zeros(len(levels)), "splits": np.zeros(len(levels))}
    frame = pd.DataFrame({name: columns[name] for name in PRICE_COLUMNS}, index=days.rename("date"))
    return Fetched(frame, table.location, table.sha256, is_total_return=True, layout="Ken French's library")
