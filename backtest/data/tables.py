"""Reads tables of text strictly: what is not a number, a day or a moment is an error with its line.

Used for rate files and macro tables of a folder, for the answers of FRED, and for price files in the house's layout.
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

from backtest.data.clocks import DAILY, check_fits, known_series, moment
from backtest.errors import DataError
from backtest.series import Days

DATE = "date"
"""The name every table's column of days gets."""

ISO_LENGTH = len("2024-07-16")
FIRST_DAY, LAST_DAY = np.datetime64("1850-01-01"), np.datetime64("2199-12-31")
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
            return f"date: found {cell[:40]!r}, expected a day as YYYY-MM-DD, 1850 to 2199"
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


def read_rate_rows(data: bytes, where: str, rate_id: str) -> pd.DataFrame:
    """Every row of a rate's file by ascending day, column `value`: NaN where it has none (blank, or FRED's `.`).

    The value stands under `value`, `close` or the rate's own name, the day under `date` or `observation_date`.
    """
    headers = {"date": DATE, "observation_date": DATE, "value": "value", "close": "value", rate_id.lower(): "value"}
    table = read_table(data, where, names=headers, required=(DATE, "value"), missing=("", "."))
    newest_first = len(table) > 1 and bool((table.index[1:] < table.index[:-1]).all())
    return table[::-1] if newest_first else table


def read_rate(data: bytes, where: str, rate_id: str) -> pd.DataFrame:
    """A rate in percent by its day, without the days that have none; DataError when a daily rate is not daily."""
    table = read_rate_rows(data, where, rate_id)
    known = known_series().get(rate_id)
    if known is not None and known.clock.period in DAILY:
        check_fits(table.index.to_numpy().astype("datetime64[D]"), known.clock, rate_id, where)
    return table.dropna()


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
    """Cells as datetime64[m], New York time (see `moment`); DataError with the line of the first that is none."""
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
