"""Reads one CSV table of dated numbers strictly: what is not a number or a date is an error with its line.

Used for price files and rate files of a folder, and for the answers of FRED.
The fast way is pandas' C parser on the whole file. Only when that fails is the file read again, slowly, to say where.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import DataError

DATE = "date"
"""The name every table's column of days gets."""

ISO_LENGTH = len("2024-07-16")
FIRST_DAY, LAST_DAY = np.datetime64("1900-01-01"), np.datetime64("2199-12-31")
"""A date beyond these is a typing error, and past 2262 would silently become another one in nanoseconds."""

REPORTED_LINES = 5
"""So many faulty lines of one file are named; a file that is wrong throughout needs no more."""

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
# pandas 2 rounds the last digit of some numbers unless told otherwise; pandas 3 has dropped the option with the fault.
EXACT: dict[str, Any] = {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}


def read_table(
    data: bytes, where: str, *, names: Mapping[str, str], required: Sequence[str], missing: Sequence[str] = ("",)
) -> pd.DataFrame:
    """Numbers (float64) by date, in the order of the file; a cell that is blank or one of `missing` is NaN.

    data: the file as it stands on disk, UTF-8 with or without a byte order mark, comma-separated, one header line.
    where: the file's name, for messages.
    names: accepted header in lower case -> column; columns with other headers are left out. One of them gives `date`:
        an ISO day, or a time of day behind it, which is dropped (yfinance writes local midnight).
    required: columns without which the table is refused.
    Raises DataError naming file and line: not text, a column that is missing or stands twice, a date or number that
    is none, a row of another length, no rows.
    """
    header = _header(data, where)
    columns = [names.get(cell.strip().lower()) for cell in header]
    _check_columns(columns, header, where, required)
    kept = [name for name in columns if name is not None]
    try:
        table = _parse(data, columns, missing)
        if table.empty:
            raise DataError(f"{where}: found no rows below the header, expected one for each session")
        days = _days(table[DATE])
    except (ValueError, pd.errors.ParserError) as error:
        problems = list(_faulty_lines(data, where, columns, missing)) or [f"{where}: {_one_line(error)}"]
        raise DataError(*problems[:REPORTED_LINES]) from error
    return table[[name for name in kept if name != DATE]].set_axis(days, axis=0)


def _header(data: bytes, where: str) -> list[str]:
    try:
        line = data.split(b"\n", 1)[0].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: is not text in UTF-8; expected a comma-separated table") from error
    return next(csv.reader([line.rstrip("\r")]), [])


def _check_columns(columns: Sequence[str | None], header: Sequence[str], where: str, required: Sequence[str]) -> None:
    lacking = [name for name in required if name not in columns]
    if lacking:
        found = ",".join(header)[:80] or "nothing"
        wanted = ",".join(required)
        raise DataError(f"{where}:1: has no column {', '.join(lacking)}; found {found!r}, expected {wanted}")
    twice = sorted({name for name in columns if name is not None and columns.count(name) > 1})
    if twice:
        raise DataError(f"{where}:1: column {', '.join(twice)} stands twice, expected once")


def _parse(data: bytes, columns: Sequence[str | None], missing: Sequence[str]) -> pd.DataFrame:
    kept = [name for name in columns if name is not None]
    table: pd.DataFrame = pd.read_csv(
        io.BytesIO(data),
        header=0,
        names=[name or f"unused {place}" for place, name in enumerate(columns)],
        dtype={name: object if name == DATE else np.float64 for name in kept},
        keep_default_na=False,  # NA and NULL are tickers and typing errors, not missing prices
        na_values={name: list(missing) for name in kept if name != DATE},
        encoding="utf-8-sig",
        **EXACT,
    )
    return table


def _days(cells: pd.Series) -> pd.DatetimeIndex:
    """Days of the cells, tz-naive; ValueError unless each starts with a complete ISO day."""
    texts = cells.to_numpy(dtype=f"U{ISO_LENGTH + 1}")
    iso = texts.astype(f"U{ISO_LENGTH}")
    days: npt.NDArray[np.datetime64] = iso.astype("datetime64[D]")
    behind = texts.view("U1").reshape(len(texts), -1)[:, -1]
    is_whole = (np.datetime_as_string(days) == iso) & np.isin(behind, ("", " ", "T"))
    if not (is_whole & (days >= FIRST_DAY) & (days <= LAST_DAY)).all():
        raise ValueError("a date is not written as YYYY-MM-DD")
    return pd.DatetimeIndex(days.astype("datetime64[ns]"), name=DATE)


def _faulty_lines(data: bytes, where: str, columns: Sequence[str | None], missing: Sequence[str]) -> Iterator[str]:
    """One complete message for each line that cannot be read."""
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        next(rows)
        for cells in rows:
            if cells and (problem := _row_problem(cells, columns, missing)):
                yield f"{where}:{rows.line_num}: {problem}"
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"{where}: is not a comma-separated table in UTF-8 ({_one_line(error)})"


def _row_problem(cells: Sequence[str], columns: Sequence[str | None], missing: Sequence[str]) -> str | None:
    if len(cells) > len(columns):
        return f"found {len(cells)} values, expected {len(columns)} as in the header"
    for name, cell in zip(columns, cells, strict=False):
        if name == DATE and not _is_day(cell):
            return f"date: found {cell[:40]!r}, expected a day as YYYY-MM-DD, 1900 to 2199"
        if name not in (None, DATE) and cell not in missing and not NUMBER.fullmatch(cell):
            return f"{name}: found {cell[:40]!r}, expected a number"
    return None


def _is_day(cell: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([ T].*)?", cell, re.ASCII):
        return False
    try:
        return bool(FIRST_DAY <= np.datetime64(date.fromisoformat(cell[:ISO_LENGTH])) <= LAST_DAY)
    except ValueError:
        return False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
