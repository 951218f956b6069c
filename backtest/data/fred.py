"""Series of FRED, the public database of the Federal Reserve Bank of St. Louis: its CSV download, and its vintages.

The download gives the newest revision of everything. What is revised (prices, output, employment) must be asked for as
it was known: `fetch_fred_vintage`, which needs a key in the environment variable FRED_API_KEY. The key is put into the
request and nowhere else: no message, manifest or stored file has it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd

from backtest.data import web
from backtest.data.rates import read_rate
from backtest.data.sources import Fetched
from backtest.data.web import Patience, Transient
from backtest.errors import DataError

ADDRESS = "https://fred.stlouisfed.org/graph/fredgraph.csv?id={}"
VINTAGE_ADDRESS = "https://api.stlouisfed.org/fred/series/observations"
KEY_VARIABLE = "FRED_API_KEY"
SERIES_ID = re.compile(r"[A-Z0-9_]{1,40}")


def fetch_fred(series_id: str, patience: Patience | None = None) -> Fetched:
    """The whole history of a series as FRED has it today; column `value`, in FRED's own unit (rates: percent).

    Raises NetworkError when FRED does not answer, or not with the complete table asked for: it has served error pages
    with status 200, and a file that is cut off may end in half a number. DataError when it has no such series.
    """
    check_series_id(series_id)
    address = ADDRESS.format(series_id)
    data = (patience or Patience()).ask(lambda: _table(address, series_id), f"FRED {series_id}", "FRED")
    return Fetched(read_rate(data, f"FRED {series_id}", series_id), address, hashlib.sha256(data).hexdigest())


def fetch_fred_vintage(series_id: str, as_of: date, patience: Patience | None = None) -> Fetched:
    """The series as it was known on a day; the observations' values, not their revisions since.

    Raises DataError without a key in FRED_API_KEY, or when FRED has no such series or vintage.
    """
    check_series_id(series_id)
    day = as_of.isoformat()
    what = f"FRED {series_id} as of {day}"
    # realtime_start and realtime_end, not vintage_dates alone: the two together make FRED refuse instead of ignoring.
    data, public = _archive(series_id, {"realtime_start": day, "realtime_end": day}, what, patience)
    rows = _observations(data, what)
    if any(first > day or last < day for _, first, last, _ in rows):
        raise DataError(f"{what}: FRED answered with another vintage than asked for")
    index = pd.DatetimeIndex([row[0] for row in rows], name="date").as_unit("ns")
    frame = pd.DataFrame({"value": [row[3] for row in rows]}, index=index).dropna()
    return Fetched(frame, public, hashlib.sha256(data).hexdigest())


FIRST_DAY_OF_ARCHIVE, LAST_DAY_OF_ARCHIVE = "1776-07-04", "9999-12-31"
"""What FRED itself calls the whole of its archive."""


def fetch_fred_revisions(series_id: str, patience: Patience | None = None) -> Fetched:
    """Every value that the series ever had: `value`, and `known_at` as days since 1970, from which on FRED had it.

    Ascending by date, then by that day; a date has as many rows as values. Raises as `fetch_fred_vintage` does.
    """
    check_series_id(series_id)
    what = f"FRED {series_id} with all revisions"
    asked = {"realtime_start": FIRST_DAY_OF_ARCHIVE, "realtime_end": LAST_DAY_OF_ARCHIVE}
    data, public = _archive(series_id, asked, what, patience)
    rows = [row for row in _observations(data, what) if not np.isnan(row[3])]
    days, known = (np.array([row[place] for row in rows], dtype="datetime64[D]") for place in (0, 1))
    order = np.lexsort((known, days))
    index = pd.DatetimeIndex(days[order].astype("datetime64[ns]"), name="date")
    values = {"value": np.array([row[3] for row in rows])[order], "known_at": known[order].astype(np.float64)}
    return Fetched(pd.DataFrame(values, index=index), public, hashlib.sha256(data).hexdigest())


def _archive(series_id: str, asked: Mapping[str, str], what: str, patience: Patience | None) -> tuple[bytes, str]:
    """The answer of FRED's archive, and the question without the key."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise DataError(f"{what}: vintages need a key; put it into the environment variable {KEY_VARIABLE}")
    public = f"{VINTAGE_ADDRESS}?{urlencode({'series_id': series_id, **asked, 'file_type': 'json'})}"
    address = f"{public}&api_key={quote(key, safe='')}"
    absent = f"{what}: FRED has no such series or vintage, or refuses the key; check all three"
    return (patience or Patience()).ask(lambda: web.get(address, absent=absent), what, "FRED"), public


def check_series_id(series_id: str) -> None:
    """Raise DataError unless this can be the name of a FRED series."""
    if not SERIES_ID.fullmatch(series_id):
        raise DataError(f"FRED {series_id[:40]!r}: expected the name of a series such as DTB3")


def _table(address: str, series_id: str) -> bytes:
    data = web.get(address, absent=f"FRED {series_id}: FRED has no such series; check the name")
    header = data.split(b"\n", 1)[0].decode("latin-1").strip().upper().split(",")
    if len(header) != 2 or header[0] not in ("DATE", "OBSERVATION_DATE") or header[1] != series_id:
        raise Transient("something else than this series")
    if not data.endswith(b"\n"):
        raise Transient("the table is cut off")
    return data


def _observations(data: bytes, what: str) -> list[tuple[str, str, str, float]]:
    """(its day, first and last day on which FRED had it, value or NaN) of each; DataError when there is no value."""
    try:
        rows = [(row["date"], row["realtime_start"], row["realtime_end"],
                 np.nan if row["value"] in ("", ".") else float(row["value"]))
                for row in json.loads(data)["observations"]]  # fmt: skip
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{what}: FRED's answer is not a table of observations") from None
    if all(np.isnan(row[3]) for row in rows):
        raise DataError(f"{what}: FRED has no observation")
    return rows
