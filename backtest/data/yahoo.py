"""Prices from Yahoo Finance, through the yfinance client.

How it is called, and why (each was measured on yfinance 1.7):
- ticker by ticker with `Ticker.history`: `yfinance.download` hides every failure behind an empty frame;
- raw prices and events, never `repair` (it invents splits), rows without prices kept, so that a gap is seen;
- exceptions on, and its in-process cache of answers cleared before every try: it also keeps bad ones.
What comes is only dated and cut off before a session that has not finished; `checks.py` judges, `snapshots.py` keeps.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.data import clock
from backtest.data.calendar import range_around, session_closes
from backtest.data.sources import PRICE_COLUMNS
from backtest.data.web import RateLimited, Transient
from backtest.errors import DataError

FIRST_DAY = date(1950, 1, 1)
"""Before Yahoo's first daily price: the first time a history is fetched whole, so that warm-up never depends on it."""

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

TIMEOUT_SECONDS = 20

LATEST_START = pd.Timedelta(days=10)
"""Yahoo says when a ticker was first traded; a whole history that begins later than this after it is not whole."""

UNKNOWN_TICKER = "no data found"
"""Part of Yahoo's own words for a ticker it does not have."""


def yahoo_location() -> str:
    """What the manifest says about where prices come from."""
    from importlib.metadata import version

    return f"Yahoo Finance through yfinance {version('yfinance')}"


def fetch_history(ticker: str, *, first: date, client_cache: Path) -> pd.DataFrame:
    """A ticker's finished sessions from `first` on, `PRICE_COLUMNS` by tz-naive day; one request, not repeated here.

    client_cache: a folder for what yfinance itself keeps on disk (time zones, cookies).
    Raises Transient for a failure that may pass, DataError when Yahoo has no such ticker or answers with a part.
    """
    answer, first_traded = _ask(ticker, first, client_cache)
    prices = without_unfinished(as_prices(answer, ticker), now=clock.now())
    begin = pd.Timestamp(first)
    if not len(prices):
        raise DataError(f"{ticker}: Yahoo has no finished session since {first}")
    if first_traded is not None and prices.index.min() > max(first_traded, begin) + LATEST_START and first == FIRST_DAY:
        raise DataError(f"{ticker}: Yahoo's answer begins on {prices.index.min():%Y-%m-%d}, though the ticker has been "
                        f"traded since {first_traded:%Y-%m-%d}; it is only a part, try again later")  # fmt: skip
    return prices


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


def _ask(ticker: str, first: date, client_cache: Path) -> tuple[pd.DataFrame, pd.Timestamp | None]:
    """One request, its failures told apart by their true causes; and the first day of trading, if Yahoo says it."""
    import yfinance
    from yfinance import exceptions
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
    try:
        _keep_client_files_in(client_cache)
        with _honest(yfinance.config):
            asked = yfinance.Ticker(ticker)
            return _history(asked, start=first), _first_traded(asked)
    except exceptions.YFRateLimitError as error:
        raise RateLimited("HTTP 429") from error
    except exceptions.YFPricesMissingError as error:
        if UNKNOWN_TICKER in error.rationale.lower():
            raise DataError(f"{ticker}: Yahoo has no such ticker; it may be misspelt, renamed or delisted") from error
        raise Transient(_one_line(error.rationale)) from error
    except Exception as error:
        # curl_cffi, json, sqlite and yfinance itself raise whatever they like; all of it means: no usable answer.
        if "database" in f"{type(error).__name__} {error}".lower():
            shutil.rmtree(client_cache, ignore_errors=True)  # a damaged file of yfinance's own would fail for ever
        raise Transient(_one_line(f"{type(error).__name__}: {error}")) from error


def _keep_client_files_in(folder: Path) -> None:
    """Make yfinance keep its files (time zones, cookies) here; it opens them once for a process, wherever they go."""
    from yfinance import cache

    with suppress(AttributeError):  # its private names: without them its own default folder is used
        if cache._TzDBManager.get_location() == str(folder) and folder.is_dir():
            return
        cache.set_cache_location(str(folder))
        cache._TzCacheManager._tz_cache = None
        cache._CookieCacheManager._Cookie_cache = None
        cache._ISINCacheManager._isin_cache = None


def _first_traded(ticker: Any) -> pd.Timestamp | None:
    """The day of the first trade as the last answer gave it; None when it did not."""
    told = (ticker.get_history_metadata(repair=False) or {}).get("firstTradeDate")
    if told is None or isinstance(told, str):
        return None
    moment = pd.Timestamp(told, unit="s") if isinstance(told, int | float) else pd.Timestamp(told).tz_localize(None)
    return moment.normalize()


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
    """Exceptions on; yfinance's own warnings and log, which say again what is told once at the end, off."""
    log = logging.getLogger("yfinance")
    before, log_before = config.debug.hide_exceptions, log.level
    config.debug.hide_exceptions = False
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.debug.hide_exceptions = before
        log.setLevel(log_before)


def _one_line(text: str) -> str:
    """Printable, on one line, without what libcurl says to programmers."""
    short = " ".join(text.split()).partition(" See https://curl.se")[0].replace("Failed to perform, ", "")
    return "".join(character for character in short if character.isprintable())[:200]
