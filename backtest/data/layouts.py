"""The layouts in which people keep prices: what a file is, read from its first lines, and its numbers by day.

Where it stands: LAYOUTS -> adjustment (which prices these are) -> csv_folder.
What can be read from the file is: separator, header, order of day and month, decimal sign, units of the volume, time
zone, one ticker or many. What cannot, and would change a number, is asked for by `data.prices`: adjusted, dates,
decimal, columns. Nothing is guessed.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.days import DATE, Order, days_in
from backtest.data.tables import EXACT, NUMBER, REPORTED_LINES
from backtest.errors import DataError

Adjusted = Literal["total_return", "splits_only", "tape"]


@dataclass(frozen=True, slots=True)
class Stated:
    """What a config says of its price files. columns: name in the house -> header of the file."""

    adjusted: Adjusted | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    dates: Order | None = None
    decimal: Literal["point", "comma"] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A file's form. columns: place -> name; skipped: lines above the numbers; wide: of many tickers, by place.

    is_strict: days are ISO days and numbers plain ones; a cell is missing where it is blank, or one of `blank`.
    """

    name: str
    separator: str
    skipped: int
    columns: Mapping[int, str]
    width: int
    is_adjusted: bool = False
    wide: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    is_strict: bool = False
    blank: tuple[str, ...] = ("", "-", "n/a", "N/A", "null")


MEANINGS = {
    DATE: ("date", "datetime", "time", "timestamp", "<date>", "datum", "day", "trade date", "trading day"),
    "open": ("open", "<open>", "1. open", "opening price", "eröffnung", "erster"),
    "high": ("high", "<high>", "2. high", "hoch", "tageshoch"),
    "low": ("low", "<low>", "3. low", "tief", "tagestief"),
    "close": ("close", "<close>", "4. close", "close/last", "last", "closing price", "schluss", "schlusskurs", "price"),
    "adj_close": ("adj_close", "adj close", "adjclose", "adjusted_close", "adjusted close", "adj. close",
                  "5. adjusted close"),
    "volume": ("volume", "vol", "vol.", "<vol>", "5. volume", "6. volume", "volumen", "stücke"),
    "dividends": ("dividends", "dividend", "divcash", "dividend_amount", "dividend amount", "7. dividend amount"),
    "splits": ("splits", "stock splits", "stock_splits", "splitfactor", "split_coefficient", "split coefficient",
               "8. split coefficient"),
    "ticker": ("ticker", "symbol", "<ticker>"),
}  # fmt: skip
MEANING = {header: name for name, headers in MEANINGS.items() for header in headers}
PRICES = ("open", "high", "low", "close", "adj_close", "dividends", "splits")

VENDORS = (
    ("Alpha Vantage", {"timestamp", "adjusted_close"}),
    ("Tiingo", {"adjclose", "divcash"}),
    ("Investing.com", {"price", "change %"}),
    ("Nasdaq", {"close/last"}),
    ("Stooq, bulk", {"<ticker>", "<per>"}),
    ("TradingView", {"time", "open", "close"}),
    ("yfinance, history", {"dividends", "stock splits"}),
    ("Yahoo", {"adj close"}),
    ("the house's own", {"adj_close"}),
)
"""By the headers that only they write, the most telling first; anything else is named by its columns."""

DOWNLOAD = ("price", "ticker", "date")
"""The first cells of the three header lines that yfinance's `download` writes."""

LARGEST_BYTES = 1 << 30
SAMPLE_ROWS = 60
MULTIPLES = {"K": 1e3, "M": 1e6, "B": 1e9}


def text_of(data: bytes, where: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with its mark, gzipped or not, with any line ends."""
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(LARGEST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{where}: is no sound gzip file ({error})") from None
        if len(data) > LARGEST_BYTES:
            raise DataError(f"{where}: is larger than 1 GB when unpacked")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{where}: is not text in UTF-8; expected a table of prices") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def recognise(text: str, where: str, stated: Stated, tickers: Sequence[str] = ()) -> Layout:
    """The layout of a file by its first lines. tickers: names of columns that a wide file of closes may have."""
    lines = [line for line in text[:1_000_000].split("\n", 60)[:60] if line.strip()]
    if len(lines) < 2:
        raise DataError(f"{where}: found {'no lines' if not lines else 'no rows below the header'}, expected a table")
    separator = _separator(lines[0], where)
    heads = [[cell.strip().strip("*").strip() for cell in _cells(line, separator, where)] for line in lines[:3]]
    width = len(heads[0])
    if tuple(head[0].lower() for head in heads if head) == DOWNLOAD:
        fields = [MEANING.get(cell.lower()) for cell in heads[0]]
        wide = {place: (heads[1][place].upper(), name) for place, name in enumerate(fields) if place and name}
        has_adjusted = "adj_close" in fields
        named = "yfinance, download" + ("" if has_adjusted else ", adjusted for dividends")
        return Layout(named, separator, 3, {0: DATE}, width, is_adjusted=not has_adjusted, wide=wide)
    headers = [cell.lower() for cell in heads[0]]
    columns = _columns(headers, where, stated)
    found = set(columns.values())
    name = next((vendor for vendor, marks in VENDORS if marks <= set(headers)), "")
    name = name or f"columns {','.join(heads[0])[:60]}"
    if DATE in found and not found & {"close", "adj_close"}:
        known = {ticker.upper() for ticker in tickers}
        wide = {place: (cell.upper(), "close") for place, cell in enumerate(heads[0]) if cell.upper() in known}
        if wide:
            dates = {place: one for place, one in columns.items() if one == DATE}
            return Layout("one column of closes by ticker", separator, 1, {0: DATE} | dates, width, wide=wide)
    if DATE not in found or not found & {"close", "adj_close"}:
        lacking = "date" if DATE not in found else "close"
        mapped = ", ".join(f"{name}: ..." for name in (DATE, "close"))
        raise DataError(f"{where}:1: has no column {lacking}; found {','.join(heads[0])[:80]!r} (separator "
                        f"{separator!r}), expected date,open,high,low,close,adj_close,volume, or say which is which "
                        f"in data.prices.columns: {{{mapped}}}")  # fmt: skip
    # yfinance's history has an Adj Close unless it has adjusted all prices.
    is_adjusted = name == "yfinance, history" and "adj_close" not in found
    return Layout(name + (", adjusted for dividends" if is_adjusted else ""), separator, 1, columns, width, is_adjusted)


def strict_layout(
    text: str, where: str, name: str, headers: Mapping[str, str], blank: tuple[str, ...] = ("",)
) -> Layout:
    """The form of a comma-separated table of known headers, in lower case -> name; others are left out.

    Raises DataError unless each name stands in it once.
    """
    found = _cells(text.split("\n", 1)[0], ",", where)
    columns = {place: headers[cell] for place, each in enumerate(found) if (cell := each.strip().lower()) in headers}
    lacking = [name for name in dict.fromkeys(headers.values()) if name not in columns.values()]
    if lacking:
        wanted = ",".join(dict.fromkeys(headers.values()))
        raise DataError(f"{where}:1: has no column {', '.join(lacking)}; found {','.join(found)[:80]!r}, expected "
                        f"{wanted}")  # fmt: skip
    return Layout(name, ",", 1, _each_once(columns, where), len(found), is_strict=True, blank=blank)


def _each_once(columns: dict[int, str], where: str) -> dict[int, str]:
    twice = sorted(name for name, count in Counter(columns.values()).items() if count > 1)
    if twice:
        raise DataError(f"{where}:1: column {', '.join(twice)} stands twice, expected once; say which in "
                        "data.prices.columns")  # fmt: skip
    return columns


def _separator(line: str, where: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    counted = {one: bare.count(one) for one in ",;\t|"}
    best = max(counted, key=lambda one: counted[one])
    if not counted[best]:
        raise DataError(f"{where}:1: found one column, {line[:60]!r}; expected a table separated by , ; tab or |")
    return best


def _cells(line: str, separator: str, where: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error as error:
        raise DataError(f"{where}:1: is no header of a table ({str(error)[:80]})") from None


def _columns(headers: Sequence[str], where: str, stated: Stated) -> dict[int, str]:
    """Place -> name of each column that is read."""
    mapped = {header.strip().lower(): name for name, header in stated.columns.items()}
    unknown = [header for header in stated.columns.values() if header.strip().lower() not in headers]
    if unknown:
        raise DataError(f"{where}:1: data.prices.columns names {', '.join(unknown)}, which the file does not have; "
                        f"found {','.join(headers)[:80]!r}")  # fmt: skip
    named = {MEANING.get(header) for header in headers}
    columns: dict[int, str] = {}
    for place, header in enumerate(headers):
        name = mapped.get(header) or (None if MEANING.get(header) in stated.columns else MEANING.get(header))
        if header in ("price", "last") and name == "close" and any(h in headers for h in ("close", "<close>")):
            continue
        if (header == "time" and "<date>" in headers) or header == "<time>":
            continue
        if not header.replace("unnamed: 0", "") and place == 0 and DATE not in named and DATE not in stated.columns:
            name = DATE
        if name:
            columns[place] = name
    return _each_once(columns, where)


def read_layout(text: str, where: str, layout: Layout, stated: Stated) -> pd.DataFrame:
    """The numbers of a file by day, in its own order: the columns that it has, `ticker` as text.

    A wide file has columns (ticker, name). Raises DataError with the lines of what is no day or number.
    """
    names = {**layout.columns, **layout.wide}
    try:
        try:
            table, plain, decimal = _table(text, where, layout, stated, SAMPLE_ROWS)
        except ValueError:
            table, plain, decimal = _table(text, where, layout, stated, None)
        days = days_in(table[_date_place(layout)], stated.dates)
    except (ValueError, pd.errors.ParserError, csv.Error) as error:
        problems = list(_faulty(text, where, layout, stated))
        raise DataError(*(problems or [f"{where}: {' '.join(str(error).split())[:200]}"])) from None
    if not len(table):
        raise DataError(f"{where}: found no rows below the header, expected one for each session")
    columns: dict[Any, Any] = {}
    for place, name in names.items():
        if name == DATE:
            continue
        cells = table[place]
        if name == "ticker":
            columns[name] = cells.astype(str).str.strip().str.upper().to_numpy(dtype=object)
        elif place in plain:
            columns[name] = cells.to_numpy(dtype=np.float64)
        else:
            columns[name] = _loose_numbers(cells, where, layout, name, decimal)
    return pd.DataFrame(columns, index=days)


def oldest_first(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The frame with its oldest row first, and what to say of a file that was the other way round."""
    days = frame.index
    is_newest_first = len(days) > 1 and bool((days[1:] < days[:-1]).all())
    return (frame[::-1], ", newest first") if is_newest_first else (frame, "")


def _table(
    text: str, where: str, layout: Layout, stated: Stated, rows: int | None
) -> tuple[pd.DataFrame, list[int], str]:
    """The cells by place, the places of plain numbers, and the decimal sign, as the first `rows` (None: all) say."""
    names = {**layout.columns, **layout.wide}
    sample = [] if layout.is_strict else _sample(text, layout, rows)  # of nothing, plain numbers
    styles = {place: _style([row[place] for row in sample if place < len(row)], where, name, stated, layout.blank)
              for place, name in names.items() if name not in (DATE, "ticker")}  # fmt: skip
    found = [style for style in styles.values() if style is not None]
    plain = [place for place, style in styles.items() if style is not None]
    decimal = "," if any(style[0] == "," for style in found) else "."
    options: dict[str, Any] = {
        "dtype": {place: np.float64 if place in plain else object for place in names},
        "sep": layout.separator, "skiprows": layout.skipped, "header": None, "names": range(layout.width),
        "keep_default_na": False, "decimal": decimal,
        "thousands": next((style[1] for style in found if style[1]), None),
        "na_values": {place: list(layout.blank) for place in plain}, **EXACT,
    }  # fmt: skip
    table: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise ValueError("the rows have more values than the header")
    return table, plain, decimal


def _date_place(layout: Layout) -> int:
    return next(place for place, name in layout.columns.items() if name == DATE)


def _sample(text: str, layout: Layout, rows: int | None) -> list[list[str]]:
    lines = text.split("\n", -1 if rows is None else rows + layout.skipped)
    head = "\n".join(lines[layout.skipped : None if rows is None else rows + layout.skipped])
    try:
        return [row for row in csv.reader(io.StringIO(head), delimiter=layout.separator) if row]
    except csv.Error:
        return []


def _style(
    cells: Sequence[str], where: str, name: Any, stated: Stated, blank: Sequence[str]
) -> tuple[str, str | None] | None:
    """Decimal sign and sign of thousands of a column of plain numbers; None when its cells have signs of their own."""
    filled = [cell for cell in cells if cell.strip() not in blank]
    if all(NUMBER.fullmatch(cell) for cell in filled):
        return ".", None
    if any(re.search(r"[^\d.,+\-eE\s]", cell) for cell in filled) or any(
        re.search(r"\s", cell.strip()) for cell in filled
    ):
        return None
    return _signs(filled, where, name, stated)


def _signs(cells: Sequence[str], where: str, name: Any, stated: Stated) -> tuple[str, str | None]:
    commas = [cell for cell in cells if "," in cell]
    both = next((cell for cell in commas if "." in cell), None)
    if not commas:
        return ".", None
    if both is not None:
        return (",", ".") if both.rindex(",") > both.rindex(".") else (".", ",")
    if stated.decimal is not None:
        return (",", ".") if stated.decimal == "comma" else (".", ",")
    if any(cell.count(",") > 1 for cell in commas) or name == "volume":
        return ".", ","
    if any(not re.search(r",\d{3}$", cell.strip()) for cell in commas):
        return ",", "."
    raise DataError(f"{where}: {name}: found {commas[0]!r}, which is a thousand in one country and one in another; say "
                    "data.prices.decimal: point or comma")  # fmt: skip


LOOSE = re.compile(r"([+-]?)[$€£¥]?\s*([+-]?)([\d.,\s]*\d[\d.,]*)\s*([KMB]?)\s*(?:[$€£¥]|USD|EUR|GBP)?", re.IGNORECASE)


def _loose_numbers(cells: pd.Series, where: str, layout: Layout, name: Any, decimal: str) -> npt.NDArray[np.float64]:
    """Numbers with signs of money or of thousands, or with K, M and B behind them."""
    text = [cell.strip() for cell in map(str, cells.tolist())]
    quick = _quick_numbers(text) if decimal == "." else None
    if quick is not None:
        return quick
    values = np.full(len(text), np.nan)
    problems: list[str] = []
    for row, cell in enumerate(text):
        if cell in layout.blank:
            continue
        found = _loose(cell, decimal)
        if found is None:
            problems.append(f"{where}:{row + layout.skipped + 1}: {name}: found {cell[:40]!r}, expected a number")
        else:
            values[row] = found
    if problems:
        raise DataError(*problems[:REPORTED_LINES])
    return values


def _quick_numbers(text: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """The same, fast, where all cells are like `1.23M` or `$12.50`; else None."""
    try:
        numbers = [float(cell[:-1]) * MULTIPLES[cell[-1]] if cell[-1:] in MULTIPLES else float(cell.removeprefix("$"))
                   for cell in text]  # fmt: skip
    except ValueError:
        return None
    values = np.array(numbers)
    return values if np.isfinite(values).all() and "_" not in "".join(text) else None


def _loose(cell: str, decimal: str) -> float | None:
    match = LOOSE.fullmatch(cell)
    if match is None:
        return None
    other = "," if decimal == "." else "."
    digits = re.sub(r"\s", "", match[3]).replace(other, "").replace(decimal, ".")
    if digits.count(".") > 1 or not re.fullmatch(r"\d*\.?\d+|\d+\.", digits):
        return None
    sign = -1.0 if "-" in (match[1] + match[2]) else 1.0
    return sign * float(digits) * MULTIPLES.get(match[4].upper(), 1.0)


def _faulty(text: str, where: str, layout: Layout, stated: Stated) -> Iterator[str]:
    """One message for each of the first lines that cannot be read."""
    place = _date_place(layout)
    told, decimal = 0, "," if stated.decimal == "comma" or layout.separator == ";" else "."
    try:
        rows = csv.reader(io.StringIO(text), delimiter=layout.separator)
        table = [(rows.line_num, row) for row in rows][layout.skipped :]
    except csv.Error as error:
        yield f"{where}: is no table ({str(error)[:100]})"
        return
    style = None
    try:
        days_in(pd.Series([row[place] for _, row in table if len(row) > place]), stated.dates)
    except ValueError as error:
        style = str(error)
    for line, row in table:
        problem = ""
        if not row or told >= REPORTED_LINES:
            continue
        if len(row) > layout.width:
            problem = f"found {len(row)} values, expected {layout.width} as in the header"
        elif len(row) > place and not _is_day(row[place], stated, layout.is_strict):
            right = "as YYYY-MM-DD" if layout.is_strict else "such as 2024-07-16, its year in four digits"
            problem = f"date: found {row[place][:40]!r}, expected a day {right}"
        else:
            for at, name in {**layout.columns, **layout.wide}.items():
                cell = row[at].strip() if at < len(row) else ""
                is_read = name in (DATE, "ticker") or cell in layout.blank or NUMBER.fullmatch(cell)
                if not is_read and (layout.is_strict or _loose(cell, decimal) is None):
                    problem = f"{name}: found {cell[:40]!r}, expected a number"
        if problem:
            told += 1
            yield f"{where}:{line}: {problem}"
    if style and not told:
        yield f"{where}: date: {style}"


def _is_day(cell: str, stated: Stated, is_strict: bool) -> bool:
    if is_strict and not re.match(r"\d{4}-\d\d-\d\d", cell):
        return False
    for order in (stated.dates or "month_first", "day_first"):
        with suppress(ValueError):
            days_in(pd.Series([cell]), order)
            return True
    return False
