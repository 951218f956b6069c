"""Prices and the ^IRX rate from Yahoo Finance, through the yfinance client.

How it is called, and why (each was measured on yfinance 1.7):
- ticker by ticker with `Ticker.history`: `yfinance.download` hides every failure behind an empty frame;
- raw prices and events, never `repair` (it invents splits), rows without prices kept, so that a gap is seen;
- exceptions on, and its in-process cache of answers cleared before every try: it also keeps bad ones.
The only place in the project that asks what time it is: a session that has not finished must not be taken for a day.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from backtest.data.calendar import range_around, session_closes
from backtest.data.fred import fetch_fred
from backtest.data.sources import PRICE_COLUMNS, Fetched, values_sha256
from backtest.errors import DataError, NetworkError

FIRST_DAY = "1950-01-01"
"""Before Yahoo's first daily price: a history is always fetched whole, so that warm-up never depends on `start`."""

COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
    "Dividends": "dividends",
    "Stock Splits": "splits",
}

SETTLES = pd.Timedelta(minutes=30)
"""After the close Yahoo may still change a session's prices."""

TRIES = 2
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 20

UNKNOWN_TICKER = "no data found"
"""Part of Yahoo's own words for a ticker it does not have."""


@dataclass(frozen=True, slots=True)
class Yahoo:
    """Yahoo Finance as a source. end: the last day wanted, None for everything there is."""

    end: date | None = None
    offline: bool = False
    is_simulated: bool = False
    notes: tuple[str, ...] = ()

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Each ticker's history; DataError names all tickers Yahoo does not have, NetworkError the first failure."""
        histories: dict[str, Fetched] = {}
        problems: list[str] = []
        for ticker in tickers:
            try:
                histories[ticker] = _fetched(self._history(ticker))
            except DataError as error:
                problems.extend(error.problems)
        if problems:
            raise DataError(*problems)
        return histories

    def rate(self, rate_id: str) -> Fetched:
        """^IRX from Yahoo, DTB3 from FRED."""
        if rate_id == "IRX":
            history = self._history("^IRX")
            return _fetched(history[["close"]].set_axis(["value"], axis=1).dropna())
        self._check_online(rate_id)
        return fetch_fred(rate_id)

    def _history(self, ticker: str) -> pd.DataFrame:
        self._check_online(ticker)
        after_end = None if self.end is None else self.end + timedelta(days=1)
        answer = _asked_again(lambda: _ask(ticker, start=FIRST_DAY, end=after_end), ticker)
        return without_unfinished(as_prices(answer, ticker), now=pd.Timestamp.now("UTC"))

    def _check_online(self, name: str) -> None:
        if self.offline:
            raise NetworkError(
                f"{name}: data.prices.source yahoo is not available offline yet; use a csv folder or the sample"
            )


def as_prices(history: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """The answer of yfinance as a frame of `PRICE_COLUMNS` by the exchange's own, tz-naive day."""
    lacking = [name for name in COLUMNS if name not in history.columns]
    if lacking or not len(history):
        raise DataError(f"{ticker}: Yahoo's answer has {'no column ' + ', '.join(lacking) if lacking else 'no prices'}")
    prices = history[list(COLUMNS)].set_axis(list(PRICE_COLUMNS), axis=1).astype(np.float64)
    return prices.set_axis(pd.DatetimeIndex(history.index).tz_localize(None).normalize(), axis=0)


def without_unfinished(prices: pd.DataFrame, *, now: pd.Timestamp) -> pd.DataFrame:
    """The rows whose session closed at least half an hour before `now` (with a zone); half days count."""
    last = pd.Timestamp(prices.index[-1])
    if now - last.tz_localize("UTC") > pd.Timedelta(days=7):
        return prices
    closes = session_closes(*range_around(last, last))
    unfinished = closes[closes + SETTLES > now].tz_localize(None).normalize()
    return prices[~prices.index.isin(unfinished)]


def _fetched(values: pd.DataFrame) -> Fetched:
    from importlib.metadata import version

    return Fetched(values, f"Yahoo Finance through yfinance {version('yfinance')}", values_sha256(values))


def _asked_again(ask: Callable[[], pd.DataFrame], ticker: str) -> pd.DataFrame:
    """The answer of the first try that has one; DataError and a refusal for too many requests end it at once."""
    for tries_left in reversed(range(TRIES)):
        try:
            return ask()
        except _Transient as error:
            if not tries_left:
                raise NetworkError(f"{ticker}: Yahoo did not answer properly ({error}); try again later") from error
            time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable: the last try returns or raises")


class _Transient(Exception):
    """A failure that may pass; its text is one line."""


def _ask(ticker: str, **span: Any) -> pd.DataFrame:
    """One request, its failures told apart by their true causes."""
    import yfinance
    from yfinance import exceptions
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
    try:
        with _honest(yfinance.config):
            return _history(yfinance.Ticker(ticker), **span)
    except exceptions.YFRateLimitError as error:
        message = f"{ticker}: Yahoo takes no more requests for now (HTTP 429); try again in some minutes"
        raise NetworkError(message) from error
    except exceptions.YFPricesMissingError as error:
        if UNKNOWN_TICKER in error.rationale.lower():
            raise DataError(f"{ticker}: Yahoo has no such ticker; it may be misspelt, renamed or delisted") from error
        raise _Transient(_one_line(error.rationale)) from error
    except Exception as error:
        # curl_cffi, json, sqlite and yfinance itself raise whatever they like; all of it means: no usable answer.
        raise _Transient(_one_line(f"{type(error).__name__}: {error}")) from error


def _history(ticker: Any, **span: Any) -> pd.DataFrame:
    from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

    options = {"interval": "1d", "auto_adjust": False, "back_adjust": False, "actions": True, "repair": False,
               "keepna": True, "rounding": False, "prepost": False, "timeout": TIMEOUT_SECONDS}  # fmt: skip
    try:
        answer: pd.DataFrame = ticker.history(**span, **options)
    except (YFPricesMissingError, YFRateLimitError):
        raise
    except Exception:
        # A dated question makes yfinance look for the time zone first, and lose on the way what Yahoo said about the
        # ticker. This one needs no zone: if Yahoo has a reason, it raises with it.
        ticker.history(period="5d", **options)
        raise
    return answer


@contextmanager
def _honest(config: Any) -> Iterator[None]:
    """Exceptions on; yfinance's own deprecation warnings, which are no business of a user, off."""
    before = config.debug.hide_exceptions
    config.debug.hide_exceptions = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.debug.hide_exceptions = before


def _one_line(text: str) -> str:
    return "".join(character for character in " ".join(text.split()) if character.isprintable())[:200]
