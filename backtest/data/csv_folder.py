"""Prices and rates from a folder of files: one for each ticker, under its name or a vendor's, or one with all of them.

The house's layout is date,open,high,low,close,adj_close,volume[,dividends,splits]; `layouts.py` knows the others.
Fetches only; `checks.py` judges the prices.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from backtest.data.adjustment import completed
from backtest.data.clocks import frequency
from backtest.data.days import DATE
from backtest.data.layouts import Layout, Stated, oldest_first, read_layout, recognise, strict_layout, text_of
from backtest.data.rates import read_rate
from backtest.data.sources import PRICE_COLUMNS, DataSource, Fetched, of_each
from backtest.errors import DataError

HOUSE_HEADERS = (DATE, *PRICE_COLUMNS)
HOUSE_REQUIRED = (DATE, *(name for name in PRICE_COLUMNS if name not in ("dividends", "splits")))

RATE_FILES = {"IRX": ("^IRX.csv", "IRX.csv")}
"""File names a rate may have, the first that exists is read; any other rate has its own name."""

MACRO_FOLDER = "macro"
"""A folder beside that of the prices in which a rate is looked for when it is not among them."""

LISTED_FILES = 12
"""So many file names are listed to somebody who asked for one that is not there."""


SUFFIXES = (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz")

EXCHANGES = "BATS|NASDAQ|NYSE|NYSEARCA|AMEX|ARCA|CBOE"
FILE_NAME = re.compile(
    rf"(?:(?:{EXCHANGES})[_: -])?(?P<ticker>[\^A-Z0-9.=-]+?)(?:[._]US)?(?:[_-]D)?(?:,? ?1D)?"
    r"(?:[ _-](?:ETF )?(?:STOCK PRICE HISTORY|HISTORICAL[ _-]?DATA|HISTORICAL|DAILY|PRICES|MAX|HISTORY))?"
)
"""Names under which vendors save a ticker: iwm_us_d, iwm.us, BATS_IWM, 1D, IWM Historical Data."""


@dataclass(frozen=True, slots=True)
class CsvFolder(DataSource):
    """A folder of files as a source, or one file of many tickers.

    stated: what the config says of them. key: of the config, which named the folder.
    """

    folder: Path
    stated: Stated = field(default_factory=Stated)
    key: str = ""

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Each ticker's file; DataError with a line for every file that is missing or cannot be read."""
        present = files_in(self.folder)
        by_ticker = {ticker: found for ticker in tickers if (found := _file_of(ticker, present)) is not None}
        shared = self._shared(present, tickers) if len(by_ticker) < len(tickers) else None

        def prices_of(ticker: str) -> Fetched:
            if path := by_ticker.get(ticker):
                return prices_in(_bytes(path), str(path), self.stated, [ticker])[ticker]
            if shared is not None and ticker in shared:
                return shared[ticker]
            raise DataError(f"{f'{self.key}: ' if self.key else ''}{_missing(self.folder, ticker, present)}")

        return of_each(tickers, prices_of)

    def _shared(self, present: Mapping[str, Path], tickers: Sequence[str]) -> dict[str, Fetched] | None:
        """What the one file has that holds several tickers, if there is one."""
        for path in list(present.values())[:LISTED_FILES]:
            if any(_file_of(ticker, {path.name: path}) for ticker in tickers):
                continue
            try:
                data = _bytes(path)
                layout = recognise(text_of(data, str(path)), str(path), self.stated, tickers)
            except DataError:
                continue
            if layout.wide or "ticker" in layout.columns.values():
                return prices_in(data, str(path), self.stated, tickers)
        return None

    def rate(self, rate_id: str) -> Fetched:
        """The rate's file in the folder, else in a folder `macro` beside it."""
        path = self._rate_file(rate_id)
        if path is not None:
            data = _bytes(path)
            return Fetched(read_rate(data, str(path), rate_id), str(path), hashlib.sha256(data).hexdigest())
        wanted = " or ".join(RATE_FILES.get(rate_id, (f"{rate_id}.csv",)))
        named = "data.tbill: " if self.key else ""
        raise DataError(f"{named}{self.folder}: has no {wanted} for the T-bill rate, and neither has {self._beside}")

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
            for name in RATE_FILES.get(rate_id, (f"{rate_id}.csv",)):
                if name in present:
                    return present[name]
        return None


def _file_of(ticker: str, present: Mapping[str, Path]) -> Path | None:
    """The file of a ticker: its own name first, then the same in any case, then the names that vendors give."""
    # Taken from the folder's own list: whatever a ticker looks like, it cannot lead out of the folder.
    if f"{ticker}.csv" in present:
        return present[f"{ticker}.csv"]
    stems = {name: _stem(name).upper() for name in present}
    same = [name for name, stem in stems.items() if stem == ticker.upper()]
    alike = same or [name for name, stem in stems.items()
                     if (match := FILE_NAME.fullmatch(stem)) and match["ticker"] == ticker.upper()]  # fmt: skip
    if len(alike) > 1:
        raise DataError(f"{present[alike[0]].parent}: has {' and '.join(alike)} for {ticker}; keep one, or name it "
                        f"{ticker}.csv")  # fmt: skip
    return present[alike[0]] if alike else None


def _stem(name: str) -> str:
    lowered = name.lower()
    suffix = next((one for one in sorted(SUFFIXES, key=len, reverse=True) if lowered.endswith(one)), "")
    return name[: len(name) - len(suffix)]


def _missing(folder: Path, ticker: str, present: Mapping[str, Path]) -> str:
    wanted = f"{ticker}.csv"
    if folder.is_file():
        return f"{folder}: has no {wanted}: it is one file without prices of {ticker}, expected their folder"
    near = difflib.get_close_matches(wanted.upper(), [name.upper() for name in present], n=3, cutoff=0.7)
    names = [name for name in present if name.upper() in near] or list(present)[:LISTED_FILES]
    hint = f"did you mean {' or '.join(names)}?" if near else f"it has {', '.join(names) or 'no CSV files'}"
    return f"{folder}: has no {wanted}; {hint}"


def files_in(folder: Path) -> dict[str, Path]:
    """The tables of a folder by name, sorted, or the one file that `folder` is; DataError when there is neither."""
    try:
        if folder.is_file():
            return {folder.name: folder}
        return {path.name: path for path in sorted(folder.iterdir()) if path.name.lower().endswith(SUFFIXES)}
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; expected a folder with one <TICKER>.csv for each") from error


def prices_in(data: bytes, where: str, stated: Stated, tickers: Sequence[str]) -> dict[str, Fetched]:
    """The tickers that a file has, of those asked for: one, or several of a long or a wide file."""
    digest = hashlib.sha256(data).hexdigest()
    text = text_of(data, where)
    if is_house_layout(data) and not stated.columns:
        there = [name for name in HOUSE_HEADERS if name in text.split("\n", 1)[0].split(",")]
        layout = strict_layout(text, where, HOUSE, {name: name for name in there})
    else:
        layout = recognise(text, where, stated, tickers)
    table = read_layout(text, where, layout, stated)
    fetched = {}
    for ticker, found in _by_ticker(table, layout, where, tickers):
        frame, order = oldest_first(found)
        often = frequency(frame.index.to_numpy())
        if often not in (None, "day"):
            raise DataError(f"{where}: has one row a {str(often).removesuffix('_ending')} ({layout.name}); prices are "
                            "needed for each session of the exchange")  # fmt: skip
        prices = completed(frame, where, layout.name, stated, is_adjusted=layout.is_adjusted)
        fetched[ticker] = Fetched(
            prices.values, where, digest, prices.is_total_return, layout.name + order, prices.notes
        )
    return fetched


def read_any(path: Path, stated: Stated, ticker: str | None = None) -> dict[str, Fetched]:
    """Every ticker of a file, under the name that the file has for it, else `ticker` or that of the file's name."""
    data = _bytes(path)
    text = text_of(data, str(path))
    own = ticker or ticker_of(path.name)
    if not is_house_layout(data):
        headers = [cell.strip() for cell in re.split(r"[,;\t|]", text.split("\n", 1)[0])]
        layout = recognise(text, str(path), stated, headers[1:])
        if layout.wide:
            return prices_in(data, str(path), stated, sorted({name for name, _ in layout.wide.values()}))
        if "ticker" in layout.columns.values():
            names = read_layout(text, str(path), layout, stated)["ticker"].str.removesuffix(".US").unique()
            return prices_in(data, str(path), stated, sorted(map(str, names)))
    if own is None:
        raise DataError(f"{path}: its name does not say which ticker it is of; say it with --ticker")
    return prices_in(data, str(path), stated, [own])


def ticker_of(name: str) -> str | None:
    """The ticker that a file's name says, as vendors write them; None when it says none."""
    match = FILE_NAME.fullmatch(_stem(name).upper())
    return match["ticker"] if match else None


HOUSE = "the house's own"


OTHER_DAYS = re.compile(
    rb'"?(\d{1,2}[ ./-]|\d{4}[./]|\d{8,13}(\.0+)?"?,|[A-Za-z]{3,}\.? \d|[\d-]{10}[T ](?!00:00)[\d:.]+ ?(Z|[+-]\d))'
)
"""How a row begins whose day is not an ISO one that stands as it is written: what `layouts.py` reads."""


def is_house_layout(data: bytes) -> bool:
    """Whether the first line is the project's own, and the first row has an ISO day."""
    first, _, rest = data[:200].partition(b"\n")
    header = first.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r").decode("latin-1")
    is_headed = set(HOUSE_REQUIRED) <= set(header.split(",")) <= set(HOUSE_HEADERS)
    return is_headed and not OTHER_DAYS.match(rest)


def _by_ticker(
    table: pd.DataFrame, layout: Layout, where: str, tickers: Sequence[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    if layout.wide:
        have = {ticker for ticker, _ in layout.wide.values()}
        for ticker in tickers:
            if ticker.upper() in have:
                places = {
                    place: name for place, (one, name) in enumerate(layout.wide.values()) if one == ticker.upper()
                }
                frame = table.iloc[:, list(places)].set_axis(list(places.values()), axis=1)
                yield ticker, frame[frame.notna().any(axis=1)] if len(have) > 1 else frame
        if not have & {ticker.upper() for ticker in tickers} and len(tickers) == 1:
            raise DataError(f"{where}: has prices of {', '.join(sorted(have))}, not of {tickers[0]}")
    elif "ticker" in table:
        names = table["ticker"].str.removesuffix(".US")
        have = set(names.unique())
        wanted = [ticker for ticker in tickers if ticker.upper() in have]
        if not wanted and len(tickers) == 1:
            raise DataError(f"{where}: its column of tickers has {', '.join(sorted(have)[:5])}, not {tickers[0]}")
        for ticker in wanted:
            yield ticker, table.loc[(names == ticker.upper()).to_numpy()].drop(columns="ticker")
    else:
        yield tickers[0], table


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
