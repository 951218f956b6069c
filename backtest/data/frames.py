"""Prices and series that are DataFrames already, as a source: what a notebook has, through the checks of a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from backtest.data.adjustment import completed
from backtest.data.clocks import Rule, check_fits, clock_of
from backtest.data.layouts import MEANING, Stated
from backtest.data.macro import Observed, observed_rate, own_clocked
from backtest.data.sources import DataSource, Fetched, of_each, values_sha256
from backtest.errors import DataError

WHERE = "market_from"


class Frames(DataSource):
    """DataFrames as a source. bills: 13-week discount rate in percent by day, when there is one."""

    def __init__(
        self, frames: Mapping[str, pd.DataFrame | pd.Series] | pd.DataFrame, stated: Stated, bills: pd.Series | None
    ) -> None:
        self.frames, self.stated, self.bills = _by_ticker(frames), stated, bills
        self.tickers = tuple(self.frames)
        if not self.tickers:
            raise DataError(f"{WHERE}: found no tickers; expected a frame of prices for each")

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Each ticker's frame with all columns of the house; DataError with a line for each that is not right."""
        return of_each(tickers, self._prices_of)

    def _prices_of(self, ticker: str) -> Fetched:
        where = f"{WHERE}: {ticker}"
        prices = completed(self._named(self.frames[ticker], where), where, "a DataFrame", self.stated)
        digest = values_sha256(prices.values)
        return Fetched(prices.values, where, digest, prices.is_total_return, "a DataFrame", prices.notes)

    def rate(self, rate_id: str) -> Fetched:
        """The T-bill rate that was given."""
        if self.bills is None:
            raise DataError(f"{WHERE}: has no rate {rate_id}; give tbill")
        values = self.bills.astype(np.float64).to_frame("value").set_axis(_days(self.bills, f"{WHERE}: tbill")).dropna()
        return Fetched(values, f"{WHERE}: tbill", values_sha256(values))

    def _named(self, given: pd.DataFrame | pd.Series, where: str) -> pd.DataFrame:
        frame = given.to_frame("close") if isinstance(given, pd.Series) else given
        if not isinstance(frame, pd.DataFrame) or frame.empty:
            found = type(frame).__name__ if not isinstance(frame, pd.DataFrame) else "no rows"
            raise DataError(f"{where}: found {found}, expected a DataFrame of prices or a Series of closes by day")
        theirs = {header: name for name, header in self.stated.columns.items()}
        names = {column: theirs.get(column) or MEANING.get(str(column).strip().lower()) for column in frame.columns}
        dates = [column for column, name in names.items() if name == "date"]
        if dates and not isinstance(frame.index, pd.DatetimeIndex):
            frame = frame.set_index(dates[0])
        kept = {column: name for column, name in names.items() if name not in (None, "date", "ticker")}
        twice = {name for name in kept.values() if list(kept.values()).count(name) > 1}
        if twice or not {"close", "adj_close"} & set(kept.values()):
            raise DataError(f"{where}: found the columns {', '.join(map(str, frame.columns))[:80]}, expected a "
                            f"close or an adjusted one{', each once' if twice else ''}")  # fmt: skip
        try:
            values = frame[list(kept)].astype(np.float64).set_axis(list(kept.values()), axis=1)
        except (ValueError, TypeError) as error:
            raise DataError(f"{where}: has cells that are no numbers ({str(error)[:80]})") from None
        values = values.set_axis(_days(frame, where), axis=0)
        index = values.index
        return values[::-1] if len(values) > 1 and bool((index[1:] < index[:-1]).all()) else values


def _by_ticker(frames: Mapping[str, pd.DataFrame | pd.Series] | pd.DataFrame) -> dict[str, pd.DataFrame | pd.Series]:
    if not isinstance(frames, pd.DataFrame):
        return {str(ticker): frame for ticker, frame in frames.items()}
    if frames.columns.nlevels == 1:
        if "close" in {MEANING.get(str(name).strip().lower()) for name in frames.columns}:
            shown = ", ".join(map(str, frames.columns))[:80]
            raise DataError(f"{WHERE}: found the columns {shown}, which are those of one ticker: expected "
                            "{ticker: frame}, or a column of closes for each")  # fmt: skip
        return {str(ticker): frames[ticker].dropna() for ticker in frames.columns}
    # Two levels of columns: one of them names fields, the other tickers.
    names = [{str(name).lower() for name in frames.columns.get_level_values(level)} for level in (0, 1)]
    fields = next((level for level in (0, 1) if names[level] & MEANING.keys()), None)
    if fields is None:
        raise DataError(f"{WHERE}: found two levels of columns and in neither open, close or adj close")
    tickers = frames.columns.get_level_values(1 - fields).unique()
    return {str(ticker): frames.xs(ticker, axis=1, level=1 - fields).dropna(how="all") for ticker in tickers}


def observed_from(given: pd.DataFrame | pd.Series, name: str, rule: Rule | None) -> Observed:
    """A series of the user's own, as a file of it would be read."""
    where = f"{WHERE}: {name}"
    frame = given.to_frame("value") if isinstance(given, pd.Series) else given
    if "value" not in frame:
        raise DataError(f"{where}: found the columns {', '.join(map(str, frame.columns))[:80]}, expected value")
    frame = frame.set_axis(_days(frame, where), axis=0).dropna(subset=["value"])
    digest = values_sha256(frame[["value"]].astype(np.float64))
    clock = clock_of(name, "column" if "known_at" in frame and rule is None else rule, where)
    days = frame.index.to_numpy().astype("datetime64[D]")
    if clock is not None:
        check_fits(days, clock, name, where)
        return observed_rate(name, frame, clock, where, digest)
    known = pd.DatetimeIndex(frame["known_at"])
    if known.tz is not None:
        known = known.tz_convert("America/New_York").tz_localize(None)
    moments = known.to_numpy().astype("datetime64[m]")
    moments = np.where(moments == moments.astype("datetime64[D]"), moments + np.timedelta64(18, "h"), moments)
    if (moments < days).any():
        row = int(np.argmax(moments < days))
        raise DataError(f"{where}: known_at {moments[row]} is before its date {days[row]}")
    order = np.lexsort((moments, days))
    values = frame["value"].to_numpy(dtype=np.float64)
    return own_clocked(name, days[order], moments[order], values[order], where, digest, None)


def _days(frame: pd.DataFrame | pd.Series, where: str) -> pd.DatetimeIndex:
    given = frame.index.to_timestamp() if isinstance(frame.index, pd.PeriodIndex) else frame.index
    try:
        if pd.api.types.is_numeric_dtype(given):
            raise ValueError("numbers")  # which pandas takes for nanoseconds
        # Text is ISO or refused: pandas would take 03/04/2024 for a day of March.
        index = pd.DatetimeIndex(given if given.dtype.kind == "M" else pd.to_datetime(given, format="ISO8601"))
    except (ValueError, TypeError):
        shown = str(given[0])[:40] if len(given) else "nothing"
        raise DataError(f"{where}: its index begins with {shown}, expected days, as of pd.DatetimeIndex") from None
    if index.tz is not None:
        there = index.tz_convert("America/New_York").tz_localize(None)
        index = index.tz_localize(None)
        index = index.where(index == index.normalize(), there)
    if index.hasnans:
        raise DataError(f"{where}: a day is missing in its index")
    return pd.DatetimeIndex(index.normalize(), name="date").as_unit("ns")
