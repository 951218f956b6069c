"""Macro observations from a folder of files: rates as FRED gives them, releases, futures by contract, probabilities.

Where it stands: publication -> MACRO -> macro_source -> assemble -> market. Fetches and dates; it judges only that a
file can be read.

    DGS2.csv and other rates     date,value: percent, with a rule of publication (PUBLISHED, or one from the config)
    any file                     date,value,known_at: with its own moments, New York time, `known: column`
    cpi   = cpi_releases.csv     release_date,reference_month,core_mom_actual,core_mom_consensus,cpi_mom_actual,...
    zq    = zq_daily.csv         date,contract_month,close: 30-day fed funds futures, settled at 15:00
    fedwatch = fedwatch_probabilities.csv  date,meeting_date,lower_bp,prob: probabilities of target bands, ready-made
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.csv_folder import read_rate
from backtest.data.publication import Rule, known_at
from backtest.errors import DataError
from backtest.series import Days

PUBLISHED: dict[str, Rule] = {
    **dict.fromkeys(("DGS1MO", "DGS3MO", "DGS6MO", "DGS1", "DGS2", "DGS5", "DGS10", "DGS30"), "evening"),
    **dict.fromkeys(("T10Y2Y", "DTB3"), "evening"),
    **dict.fromkeys(("EFFR", "DFF"), "next_business_day"),
    **dict.fromkeys(("DFEDTAR", "DFEDTARL", "DFEDTARU"), "target"),
}  # fmt: skip
"""Rates of FRED whose publication is known here; a file of any other name needs a rule in the config."""

TABLES = {"cpi": "cpi_releases.csv", "zq": "zq_daily.csv", "fedwatch": "fedwatch_probabilities.csv"}
"""Names of series that are tables, and their files."""

CPI_RELEASE = np.timedelta64(8 * 60 + 30, "m")
"""The Bureau of Labor Statistics publishes at 08:30 New York time."""

CPI_HOLDS_DAYS, TABLE_HOLDS_DAYS = 120, 7
"""For how long a release, and a day's table, stands: CPI is dated by its month, and one came out 73 days after it."""

OWN_CLOCK = "column"
"""A rule of the config: the file has a column `known_at`."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A file's rows before the exchange's calendar has given them a session; columns as in PointInTime."""

    happened: Days
    known_at: Days
    columns: dict[str, npt.NDArray[Any]]
    holds_days: int
    location: str
    sha256: str


def read_observed(folder: Path, name: str, rule: Rule | str | None, holds_days: int = 7) -> Observed:
    """One series of the folder by its name.

    rule: of publication, for a file of dates and values; None: the one known for this name.
    Raises DataError when the file is missing or cannot be read, with its line, or when no rule is known for it.
    """
    path = folder / TABLES.get(name, f"{name}.csv")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; the strategy needs the series {name}, see data.macro") from error
    digest = hashlib.sha256(data).hexdigest()
    if name in TABLES:
        happened, known, columns = {"cpi": _cpi, "zq": read_futures, "fedwatch": _probabilities}[name](data, str(path))
        holds_days = CPI_HOLDS_DAYS if name == "cpi" else TABLE_HOLDS_DAYS
        return Observed(happened, known, columns, holds_days, str(path), digest)
    rule = rule or PUBLISHED.get(name)
    if rule is None:
        raise DataError(f"{path}: when its values are published is not known; give data.macro.series.{name}.known")
    return Observed(*_rate(data, str(path), name, rule), holds_days, str(path), digest)


def _rate(data: bytes, where: str, name: str, rule: Rule | str) -> tuple[Days, Days, dict[str, npt.NDArray[Any]]]:
    table = read_rate(data, where, name)
    days = table.index.to_numpy().astype("datetime64[D]")
    if (days[1:] <= days[:-1]).any():
        raise DataError(f"{where}: dates stand twice or go back, expected ascending days")
    values = {"value": table["value"].to_numpy(dtype=np.float64)}
    if rule == OWN_CLOCK:
        cells = read_cells(data, where, ("known_at",), ("value", "close", name))
        return days, moments(cells, "known_at", where), values
    return days, known_at(days, rule), values  # type: ignore[arg-type]


def _cpi(data: bytes, where: str) -> tuple[Days, Days, dict[str, npt.NDArray[Any]]]:
    """Releases of the consumer price index, percent by month, first prints; `value` is the core index."""
    cells = read_cells(data, where, ("release_date", "reference_month", "core_mom_actual"))
    month = moments(cells, "reference_month", where)
    is_timed = "known_at" in cells
    known = moments(cells, "known_at" if is_timed else "release_date", where) + (0 if is_timed else CPI_RELEASE)
    wanted = {"value": "core_mom_actual", "consensus": "core_mom_consensus", "headline": "cpi_mom_actual",
              "headline_consensus": "cpi_mom_consensus"}  # fmt: skip
    blank = pd.Series([""] * len(cells), dtype=object, index=cells.index)
    columns = {to: numbers(cells.get(source, blank), source, where) for to, source in wanted.items()}
    return month, known, columns


def read_futures(data: bytes, where: str) -> tuple[Days, Days, dict[str, npt.NDArray[Any]]]:
    """Settlements of 30-day fed funds futures: `value` is the price, `contract` the first day of the delivery month.

    Where the file has a volume, a price that stood still for STILL settlements without a trade is no price: NaN.
    """
    cells = read_cells(data, where, ("date", "contract_month", "close"))
    day = moments(cells, "date", where)
    contract = moments(cells, "contract_month", where).astype("datetime64[M]").astype("datetime64[ns]")
    price = numbers(cells["close"], "close", where)
    if "volume" in cells:
        price = np.where(stood_still(day, contract, price, numbers(cells["volume"], "volume", where)), np.nan, price)
    columns: dict[str, npt.NDArray[Any]] = {"value": price, "contract": contract}
    return day, known_at(day, "same_close"), columns


STILL = 10
"""Settlements in a row. Placeholders stand for months (93.425 for most of 2001's far contracts); a price that is one
moves or is traded within two weeks, even in the years of rates at zero."""


def stood_still(
    day: Days, contract: Days, price: npt.NDArray[np.float64], volume: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """True from the STILL-th settlement on that repeats its contract's one before without a trade, until it moves.

    Reads nothing later than the row itself. All arrays of shape (rows,), in any order; an unknown volume is a trade.
    """
    order = np.lexsort((day, contract))
    of, at = contract[order], price[order]
    repeats = np.zeros(len(order), dtype=np.bool_)
    repeats[1:] = (of[1:] == of[:-1]) & (at[1:] == at[:-1]) & (volume[order][1:] == 0)
    rows = np.arange(len(order))
    last_moved = np.maximum.accumulate(np.where(repeats, -1, rows)) if len(rows) else rows
    found = np.empty(len(order), dtype=np.bool_)
    found[order] = rows - last_moved >= STILL
    return found


def _probabilities(data: bytes, where: str) -> tuple[Days, Days, dict[str, npt.NDArray[Any]]]:
    """Ready-made probabilities: `value` in [0, 1] of the band from `lower` (percent) on, by `meeting`.

    They are dated by the day whose settlements they come from, but may have been taken down after its close: so they
    are used a session later.
    """
    cells = read_cells(data, where, ("date", "meeting_date", "lower_bp", "prob"))
    day = moments(cells, "date", where)
    columns: dict[str, npt.NDArray[Any]] = {
        "value": numbers(cells["prob"], "prob", where),
        "lower": numbers(cells["lower_bp"], "lower_bp", where) / 100.0,
        "meeting": moments(cells, "meeting_date", where).astype("datetime64[ns]"),
    }
    return day, known_at(day, "evening"), columns


def read_cells(data: bytes, where: str, required: Sequence[str], filled: Sequence[str] = ()) -> pd.DataFrame:
    """A table's cells as text, headers in lower case; DataError when it is no table or lacks a column.

    filled: rows with nothing (blank or `.`) in the first of these columns that exists are left out.
    """
    try:
        cells = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (ValueError, pd.errors.ParserError, csv.Error) as error:
        raise DataError(f"{where}: {' '.join(str(error).split())[:200]}") from error
    cells.columns = pd.Index([str(name).strip().lower() for name in cells.columns])
    lacking = [name for name in required if name not in cells]
    if lacking:
        raise DataError(f"{where}:1: has no column {', '.join(lacking)}; expected {','.join(required)}")
    for name in filled:
        if name.lower() in cells:
            return cells[~cells[name.lower()].isin(("", "."))]
    return cells


def numbers(cells: pd.Series, name: str, where: str) -> npt.NDArray[np.float64]:
    """Cells as float64, NaN where blank or `.`; DataError with the line of the first that is no number."""
    text = cells.where(~cells.isin(("", ".")), "nan")
    values = pd.to_numeric(text, errors="coerce")
    wrong = values.isna().to_numpy() & (text != "nan").to_numpy() | np.isinf(values.to_numpy(dtype=np.float64))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"{where}:{cells.index[row] + 2}: {name}: found {cells.iloc[row][:40]!r}, expected a number")
    return values.to_numpy(dtype=np.float64)


def moments(cells: pd.DataFrame, name: str, where: str) -> Days:
    """Cells as datetime64[m]; DataError with the line of the first that is no ISO day, month or moment."""
    text = cells[name].to_numpy(dtype=str)
    try:
        return text.astype("datetime64[m]")
    except ValueError:
        for row, cell in enumerate(text.tolist()):
            try:
                np.datetime64(cell, "m")
            except ValueError:
                line = int(cells.index[row]) + 2
                raise DataError(f"{where}:{line}: {name}: found {cell[:40]!r}, expected a day as YYYY-MM-DD") from None
        raise
