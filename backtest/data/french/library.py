"""Portfolio returns from Kenneth French's data library: zipped tables of percent, by month or by day, from 1926 on.

The first table of a file is taken: for portfolios the value-weighted returns, at the file's own frequency.
The library is revised with each new CRSP database, the past too: `vintage_of` says which one a file was made with.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib

import numpy as np
import pandas as pd

from backtest.data import web
from backtest.data.web import Patience, Transient
from backtest.errors import DataError

ADDRESS = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/{}_CSV.zip"

LARGEST_BYTES = 512_000_000
"""Unpacked; a hundred portfolios by day since 1926 are a quarter of it. A bomb of 4 MB would be 4 GB."""

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    IndexError,
    ValueError,
    NotImplementedError,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,80}")
ROW = re.compile(r"\s*(\d{6}|\d{8})\s*,")
VINTAGE = re.compile(r"\b(\d{6})(?:\d\d)? (?:CRSP|Bloomberg)")
MONTH_LENGTH = len("192607")
MISSING = (-99.99, -999.0)
"""What stands for a missing return."""

LARGEST_PERCENT = 200.0
"""Beyond this a return of a portfolio is an error; the largest month, of small value in 1932, is 120%."""


def french_location(name: str) -> str:
    """The address of a file of the library."""
    return ADDRESS.format(name)


def fetch_french(name: str, patience: Patience | None = None) -> pd.DataFrame:
    """The first table of a file: returns in percent by day, or by the last day of the month; NaN where missing.

    name: as in the address, such as 6_Portfolios_2x3 or F-F_Research_Data_Factors_daily. Columns in lower case with _
    for blanks: small_lobm, mkt-rf.
    """
    if not NAME.fullmatch(name):
        raise DataError(f"Ken French {name[:40]!r}: expected the name of a file such as 6_Portfolios_2x3")
    what = f"Ken French {name}"
    absent = f"{what}: the library has no such file; names are those of its _CSV.zip links"
    ask = lambda: parse_french(web.get(ADDRESS.format(name), absent=absent), what)  # noqa: E731
    return (patience or Patience()).ask(ask, what, "the library")


def parse_french(data: bytes, what: str) -> pd.DataFrame:
    """The first table in the zipped file; Transient when it is none, since a page or a part came instead."""
    return parse_table(unzipped(data, what), what)


def unzipped(data: bytes, what: str) -> str:
    """The text in the zipped file; Transient when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(archive.namelist()[0]) as file:
            content = file.read(LARGEST_BYTES + 1)
    except (*DAMAGED, RuntimeError) as error:  # zipfile has no other error for a file with a password
        raise Transient("something else than a zipped table, or a part of one") from error
    if len(content) > LARGEST_BYTES:
        raise DataError(f"{what}: the file unpacks to more than {LARGEST_BYTES // 1_000_000} MB, which no table has")
    return content.decode("latin-1")


def vintage_of(text: str) -> str:
    """The CRSP database that the file says it was made with (`202412`); empty when it does not say."""
    found = VINTAGE.search(text[:4000])
    return found[1] if found else ""


def parse_table(text: str, what: str) -> pd.DataFrame:
    """The first table in the text of a file; Transient when there is none."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if ROW.match(line)), None)
    if not first:
        raise Transient("a file without a table")
    last = next((i for i in range(first, len(lines)) if not ROW.match(lines[i])), len(lines))
    header = next((line for line in reversed(lines[:first]) if line.lstrip().startswith(",")), "")
    columns = ["_".join(cell.lower().split()) for cell in header.split(",")[1:]]
    try:
        cells = [[float(cell) for cell in line.split(",")[1:]] for line in lines[first:last]]
        values = np.array(cells, dtype=np.float64)
        days = pd.DatetimeIndex([_day(line.split(",")[0].strip()) for line in lines[first:last]], name="date")
    except ValueError as error:
        raise DataError(f"{what}: the table cannot be read ({str(error)[:80]})") from error
    if values.ndim != 2 or values.shape[1] != len(columns) or not all(columns):
        raise DataError(f"{what}: the rows have other columns than the header {header.strip()[:80]!r}")
    values[np.isin(values, MISSING)] = np.nan
    return pd.DataFrame(values, index=days.as_unit("ns"), columns=columns)


def check_french(name: str, frame: pd.DataFrame) -> None:
    """Raise DataError unless months follow on each other (days ascend) and every return can be one."""
    days = pd.DatetimeIndex(frame.index)
    problems = []
    if not (days.is_monotonic_increasing and days.is_unique):
        problems.append(f"Ken French {name}: dates stand twice or go back")
    is_monthly = len(days) > 1 and bool((days[1:] - days[:-1] > pd.Timedelta(days=20)).all())
    months = days.year * 12 + days.month
    if is_monthly and (np.diff(months) != 1).any():
        before = days[int(np.argmax(np.diff(months) != 1))]
        problems.append(f"Ken French {name}: a month is missing after {before:%Y-%m}")
    wrong = (frame.abs() > LARGEST_PERCENT).any(axis=1).to_numpy()
    if wrong.any():
        problems.append(f"Ken French {name}: a return beyond {LARGEST_PERCENT:g}% on {days[wrong][0]:%Y-%m-%d}")
    if problems:
        raise DataError(*problems)


def _day(text: str) -> pd.Timestamp:
    if len(text) == MONTH_LENGTH:
        return pd.Timestamp(int(text[:4]), int(text[4:]), 1) + pd.offsets.MonthEnd(0)
    return pd.Timestamp(int(text[:4]), int(text[4:6]), int(text[6:]))
