"""Files against each other: a file dated a session early or late, one file under two names, opens that are closes.

Each row may be sound and the whole still wrong. What can be seen only beside another file is seen here: all tickers of
a market are funds of one exchange, so that their days' returns go together on the same day and on no other.

Of a second source beside the first, returns are compared: levels differ for good reasons (rounding, a dividend more in
the adjusted history); a day's return must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.config.models import CrossCheck
from backtest.data.csv_folder import CsvFolder
from backtest.data.sources import Fetched
from backtest.errors import DataError
from backtest.series import Floats

BLOCK_SESSIONS = 126
"""Half a year is long enough to tell a shift, and short enough to find one that lasts so long."""

SHIFTED, AHEAD_BY = 0.5, 0.3
"""Correlation with the other's day before or after, and how much it must exceed that of the same day. Reached by 17
real funds over 26 years: 0.35, and then 0.92 less on the day itself (stocks beside Treasuries)."""

SAME_SHARE, SAME_RETURN = 0.98, 1e-9
"""Of all days on which two tickers have the same return, but for rounding: one file under two names."""

FLAT_SHARE = 0.95
"""Of all rows on which open is the close, or the close of the day before."""

LEAST_ROWS = 30


def check_between(frames: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Sentences on what is odd; DataError when a file is dated a session off, or stands under two names."""
    tickers = list(frames)
    days = pd.DatetimeIndex(np.unique(np.concatenate([frame.index.to_numpy() for frame in frames.values()])))
    close = np.full((len(days), len(tickers)), np.nan)
    for place, frame in enumerate(frames.values()):
        close[days.get_indexer(frame.index), place] = frame["adj_close"].to_numpy(dtype=np.float64)
    returns = close[1:] / close[:-1] - 1.0
    problems = list(_same(tickers, returns, days[1:]))
    if not problems:
        problems += _shifted(tickers, returns, days[1:])
    if problems:
        raise DataError(*problems)
    return tuple(_flat_opens(frames))


def check_yields(series: Mapping[str, pd.Series], funds: Mapping[str, pd.DataFrame] | None = None) -> None:
    """Raise DataError when a daily yield, by day, moves a day before or after others, or the funds that it moves.

    Of 17 real funds with the two- and ten-year yields the correlation with the day before or after is 0.31 at most;
    dated a day off it is 0.97 for a fund of their maturity.
    """
    if not series or len(series) + len(funds or {}) < 2:
        return
    table = -pd.DataFrame(dict(series)).dropna()
    for ticker, frame in (funds or {}).items():
        table[ticker] = np.log(frame["adj_close"].reindex(table.index))
    if funds:  # on a day without trading in all of them a yield's change waits for the next
        table = table[table[list(funds)].notna().any(axis=1)]
    changes = table.diff().to_numpy(dtype=np.float64)[1:]
    problems = list(_shifted([str(name) for name in table.columns], changes, pd.DatetimeIndex(table.index[1:])))
    if problems:
        raise DataError(*problems)


def _same(tickers: Sequence[str], returns: Floats, days: pd.DatetimeIndex) -> Iterator[str]:
    """A message for each two that are one file, throughout or in a half year."""
    begins = range(0, max(len(days) - LEAST_ROWS, 0), BLOCK_SESSIONS)

    def share(same: npt.NDArray[np.bool_], moved: npt.NDArray[np.bool_]) -> float:
        return float(np.mean(same[moved])) if moved.sum() >= LEAST_ROWS else 0.0

    for one, other in combinations(range(len(tickers)), 2):
        a, b = returns[:, one], returns[:, other]
        moved = ~np.isnan(a) & ~np.isnan(b) & (a != 0.0)
        same = np.abs(a - b) <= SAME_RETURN
        where, found = "", share(same, moved)
        if found <= SAME_SHARE:
            halves = (slice(begin, begin + BLOCK_SESSIONS) for begin in begins)
            half = next((half for half in halves if share(same[half], moved[half]) > SAME_SHARE), None)
            if half is None:
                continue
            where, found = f" in the half year from {days[half.start]:%Y-%m-%d} on", share(same[half], moved[half])
        yield (f"{tickers[one]} and {tickers[other]} have the same returns on {found:.0%} of their days{where}: one "
               "file under two names; get the right file for one of them")  # fmt: skip


def _shifted(tickers: Sequence[str], returns: Floats, days: pd.DatetimeIndex) -> Iterator[str]:
    """A message for each ticker that moves a session before others in some half year."""
    length = min(BLOCK_SESSIONS, len(returns))
    if length < LEAST_ROWS or len(tickers) < 2:
        return
    begins = np.arange(0, len(returns) - length + 1, max(length // 2, 1))
    if begins[-1] + length < len(returns):
        begins = np.append(begins, len(returns) - length)
    blocks = returns[begins[:, None] + np.arange(length)]  # (blocks, sessions, tickers)
    same = _correlations(blocks, blocks)
    early = _correlations(blocks[:, :-1], blocks[:, 1:])  # [block, i, j]: i moves a session before j
    found = (early > SHIFTED) & (early > np.maximum(same, np.swapaxes(early, 1, 2)) + AHEAD_BY)
    for place, ticker in enumerate(tickers):
        later = [tickers[other] for other in np.flatnonzero(found[:, place].any(axis=0)).tolist()]
        if later:
            since = days[begins[int(np.argmax(found[:, place].any(axis=1)))]]
            yield (f"{ticker} moves a session before {', '.join(later)} in the half year from {since:%Y-%m-%d} on: one "
                   "of the files is dated a session early or late; get it again, or correct its dates")  # fmt: skip


def _correlations(x: Floats, y: Floats) -> Floats:
    """Of each column of x with each of y, block by block; NaN where either is not known throughout or stands still."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = ((z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True) for z in (x, y))
        return np.asarray(np.matmul(np.swapaxes(one, 1, 2), other) / x.shape[1])


def _flat_opens(frames: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    for ticker, frame in frames.items():
        opening, close = (frame[name].to_numpy(dtype=np.float64) for name in ("open", "close"))
        high, low = (frame[name].to_numpy(dtype=np.float64) for name in ("high", "low"))
        has_range = np.mean(high > low) > 1.0 - FLAT_SHARE
        if len(close) < LEAST_ROWS or not has_range:
            continue
        if np.mean(opening == close) > FLAT_SHARE:
            yield f"{ticker}: open is the close on nearly every day; a fill at an open is one at that day's close."
        elif np.mean(opening[1:] == close[:-1]) > FLAT_SHARE:
            yield (f"{ticker}: open is the close of the day before on nearly every day; a fill at an open is "
                   "one at the price it was decided on.")  # fmt: skip


COMPARED = ("close", "adj_close")
"""What is compared: the return without dividends and the one with them."""

DISAGREEMENT = ("ticker", "date", "column", "first_return", "second_return", "difference")


def cross_check(frames: Mapping[str, pd.DataFrame], given: CrossCheck) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All disagreements (`DISAGREEMENT`, returns as fractions, by ticker and day), and a sentence for each ticker.

    frames: by ticker, checked. A day that only one source has is a disagreement with a NaN. A ticker that the second
    source does not have is said and not compared. DataError when the folder or a file cannot be read.
    """
    second = CsvFolder(given.folder, key="data.cross_check.folder")
    present = {path.stem for path in given.folder.iterdir() if path.suffix.lower() == ".csv"}
    others = second.prices([ticker for ticker in frames if ticker in present])
    tables, notes = [], []
    for ticker, frame in frames.items():
        if ticker not in others:
            notes.append(f"{ticker}: the second source has no such ticker; it was not compared.")
            continue
        table = disagreements(ticker, frame, _within(others[ticker], frame), tolerance=given.tolerance)
        tables.append(table)
        notes += _note(ticker, table, given.tolerance)
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(DISAGREEMENT))
    return whole, tuple(notes)


def disagreements(ticker: str, first: pd.DataFrame, second: pd.DataFrame, *, tolerance: float) -> pd.DataFrame:
    """Days on which a return differs by more than `tolerance` (a fraction), or which one of the two lacks."""
    days = pd.DatetimeIndex(first.index.union(second.index))
    rows = []
    for column in COMPARED:
        one, other = _returns(first[column], days), _returns(second[column], days)
        apart = np.abs(one - other)
        # The first day of either has no return; where a day is missing the next return spans two and is told as well.
        is_apart = apart > tolerance
        is_missing = ~(days.isin(first.index) & days.isin(second.index))
        for place in np.flatnonzero(is_apart | is_missing).tolist():
            rows.append((ticker, days[place], column, one[place], other[place], apart[place]))
    return pd.DataFrame(rows, columns=list(DISAGREEMENT)).sort_values(["date", "column"], ignore_index=True)


def _returns(levels: pd.Series, days: pd.DatetimeIndex) -> Floats:
    changes = levels.groupby(level=0).last().pct_change(fill_method=None)
    return np.asarray(changes.reindex(days), dtype=np.float64)


def _within(other: Fetched, frame: pd.DataFrame) -> pd.DataFrame:
    """The second source's rows between the first and the last day of the first source."""
    values: pd.DataFrame = other.values.sort_index()
    return values.loc[frame.index[0] : frame.index[-1]]


def _note(ticker: str, table: pd.DataFrame, tolerance: float) -> list[str]:
    if not len(table):
        return []
    days = pd.DatetimeIndex(table["date"]).unique()
    largest = table["difference"].max()
    by = "" if np.isnan(largest) else f", by {largest:.2%} of price at most"
    when = f"{len(days)} sessions from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
    where = "backtest data check CONFIG --page FILE lists them"
    return [f"{ticker}: the second source disagrees on {when}{by} (beyond {tolerance:.2%} a day); {where}."]
