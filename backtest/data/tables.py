"""Reads macro tables of text strictly: what is not a number, a day or a moment is an error with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.clocks import moment
from backtest.data.days import FIRST_DAY, LAST_DAY
from backtest.errors import DataError
from backtest.series import Days

ISO_LENGTH = len("2024-07-16")
REPORTED_LINES = 5
"""So many faulty lines of one file are named; a file that is wrong throughout needs no more."""

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
# pandas 2 rounds the last digit of some numbers unless told otherwise; pandas 3 has dropped the option with the fault.
EXACT: dict[str, Any] = {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def read_cells(
    data: bytes, where: str, required: Sequence[str], *, optional: Sequence[str] = (), filled: Sequence[str] = ()
) -> pd.DataFrame:
    """A table's cells as text, headers in lower case, indexed by line; DataError when it is none or lacks a column.

    optional: other columns to keep. filled: rows with nothing (blank or `.`) in the first of these columns that exists
    are left out.
    """
    wanted = {name.lower() for name in (*required, *optional, *filled)}
    as_text: dict[str, Any] = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig", "index_col": False}
    try:
        cells: pd.DataFrame = pd.read_csv(io.BytesIO(data), usecols=lambda name: str(name).strip().lower() in wanted,
                            skip_blank_lines=False, **as_text)  # fmt: skip
    except (ValueError, pd.errors.ParserError, csv.Error) as error:
        raise DataError(f"{where}: {_one_line(error)}") from error
    cells.columns = pd.Index([str(name).strip().lower() for name in cells.columns])
    cells.index = pd.RangeIndex(2, len(cells) + 2)
    lacking = [name for name in required if name not in cells]
    if lacking:
        raise DataError(f"{where}:1: has no column {', '.join(lacking)}; expected {','.join(required)}")
    cells = cells.fillna("")
    keep = (cells != "").any(axis=1)
    for name in filled:
        if name.lower() in cells:
            keep = ~cells[name.lower()].isin(("", "."))
            break
    return cells if keep.all() else cells.loc[keep]


def numbers(cells: pd.DataFrame, name: str, where: str) -> npt.NDArray[np.float64]:
    """Cells of a column as float64, NaN where blank, `.` or without such a column; DataError with the line."""
    if name not in cells:
        return np.full(len(cells), np.nan)
    text = cells[name].where(~cells[name].isin(("", ".")), "nan")
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    _refuse((np.isnan(values) & (text != "nan").to_numpy()) | np.isinf(values), cells, name, where, "a number")
    return values


def days_of(cells: pd.DataFrame, name: str, where: str) -> Days:
    """Cells as datetime64[D]; DataError with the line of the first that is no ISO day."""
    return _iso(cells, name, where, "D", lambda text, days: np.datetime_as_string(days) == text, "a day as YYYY-MM-DD")


def months_of(cells: pd.DataFrame, name: str, where: str) -> Days:
    """Cells as datetime64[M]: `2024-07`, or its first day; DataError with the line of the first that is neither."""

    def is_month(text: npt.NDArray[np.str_], months: Days) -> npt.NDArray[np.bool_]:
        written = np.datetime_as_string(months)
        return np.asarray((written == text) | (np.char.add(written, "-01") == text))

    return _iso(cells, name, where, "M", is_month, "a month as YYYY-MM")


def moments_of(cells: pd.DataFrame, name: str, where: str) -> Days:
    """Cells as datetime64[m], New York time (see `moment`); DataError with the line of the first that is no moment."""
    known = {cell: moment(cell) for cell in cells[name].unique()}
    found = [known[cell] for cell in cells[name]]
    wrong = np.array([one is None for one in found], dtype=np.bool_)
    _refuse(wrong, cells, name, where, "a day or a moment in ISO form such as 2024-07-11 or 2024-07-11T14:00-04:00")
    return np.array(found, dtype="datetime64[m]")


def _iso(cells: pd.DataFrame, name: str, where: str, unit: str, is_right: Any, expected: str) -> Days:
    codes, different = pd.factorize(cells[name])  # a table of futures has each day many times
    text = np.asarray(different, dtype=str)
    try:
        found: Days = text.astype(f"datetime64[{unit}]")
        wrong = ~is_right(text, found) | (found < FIRST_DAY) | (found > LAST_DAY)
    except ValueError:
        pattern = r"\d{4}-\d\d(-\d\d)?" if unit == "M" else r"\d{4}-\d\d-\d\d"
        wrong = np.array([not _is_iso(cell, pattern) for cell in text.tolist()], dtype=np.bool_)
        found = np.zeros(len(text), dtype=f"datetime64[{unit}]")
    _refuse(wrong[codes], cells, name, where, expected)
    return found[codes]


def _is_iso(cell: str, pattern: str) -> bool:
    if not re.fullmatch(pattern, cell, re.ASCII):
        return False
    try:
        date.fromisoformat((cell + "-01")[:ISO_LENGTH])
    except ValueError:
        return False
    return True


def _refuse(wrong: npt.NDArray[np.bool_], cells: pd.DataFrame, name: str, where: str, expected: str) -> None:
    """Raise DataError with a line for the first cells that are wrong."""
    if wrong.any():
        rows = np.flatnonzero(wrong)[:REPORTED_LINES].tolist()
        raise DataError(*(f"{where}:{cells.index[row]}: {name}: found {str(cells[name].iloc[row])[:40]!r}, expected "
                          f"{expected}" for row in rows))  # fmt: skip
