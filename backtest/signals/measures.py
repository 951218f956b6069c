"""The quantities that signals are made of: prices' momentum, runs, volatility, ratios; what series say.

Reads:  Market.close (total-return prices), Market.series.
Gives:  float arrays of shape (sessions,), known at each session's close, NaN while not known. None of them decides
        anything: a `Limit` compares them with thresholds. Each is a running computation over the past, so that cutting
        the future off changes no digit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.market import Basket, Floats, Market
from backtest.units import MONTHS_PER_YEAR


def year_of(market: Market) -> int:
    """Rows of a year: 252 sessions, or 12 months."""
    return market.periods_per_year


def month_of(market: Market) -> int:
    """Rows of a month: 21 sessions, or one."""
    return market.periods_per_year // MONTHS_PER_YEAR


def closes(market: Market, ticker: str) -> Floats:
    """Total-return closes of a ticker."""
    return market.close[ticker].to_numpy(dtype=np.float64)


def change(values: Floats, sessions: int) -> Floats:
    """Value minus that of so many sessions before."""
    out = np.full(len(values), np.nan)
    out[sessions:] = values[sessions:] - values[:-sessions]
    return out


def growth(prices: Floats, sessions: int) -> Floats:
    """Return over so many sessions, as a fraction."""
    out = np.full(len(prices), np.nan)
    out[sessions:] = prices[sessions:] / prices[:-sessions] - 1.0
    return out


def basket_growth(market: Market, basket: Basket, sessions: int, *, skip: int = 0) -> Floats:
    """Return of a basket bought so many sessions ago and held until `skip` sessions ago: sum of weight x return."""
    total = np.zeros(len(market.sessions))
    for ticker, weight in basket.items():
        total = total + weight * _delayed(growth(closes(market, ticker), sessions - skip), skip)
    return total


def _delayed(values: Floats, sessions: int) -> Floats:
    if not sessions:
        return values
    return np.concatenate([np.full(min(sessions, len(values)), np.nan), values[:-sessions]])


def lead(market: Market, of: Basket, over: Basket, sessions: int, *, skip: int = 0) -> Floats:
    """Return of one basket minus that of another; 12-1 momentum is a year, without its last month."""
    return basket_growth(market, of, sessions, skip=skip) - basket_growth(market, over, sessions, skip=skip)


def run_length(values: Floats) -> Floats:
    """Sessions in a row, this one included, with a value above 0; 0 after one that was not; NaN where not known."""
    rows = np.arange(len(values))
    last_not = np.maximum.accumulate(np.where(values > 0, -1, rows)) if len(values) else rows
    return np.where(np.isnan(values), np.nan, (rows - last_not).astype(np.float64))


def volatility(market: Market, of: Basket, window: int) -> Floats:
    """Standard deviation of a basket's daily returns over `window` sessions, annualised, ddof 1."""
    return np.asarray(rolling_deviation(basket_growth(market, of, 1), window) * np.sqrt(market.periods_per_year))


def above_average(market: Market, of: Basket, window: int) -> Floats:
    """How far the ticker, or the basket brought back to its weights daily, is above its mean of `window` sessions."""
    index = index_of(market, of)
    return np.asarray(index / pd.Series(index).rolling(window).mean().to_numpy() - 1.0)


def index_of(market: Market, of: Basket) -> Floats:
    """The closes of a ticker alone, or the worth of a basket that is brought back to its weights daily."""
    if len(of) == 1 and 1.0 in of.values():
        return closes(market, next(iter(of)))
    return _compounded(basket_growth(market, of, 1))


def _compounded(returns: Floats) -> Floats:
    return np.where(np.isnan(returns), np.nan, np.cumprod(1.0 + np.nan_to_num(returns)))


def ratio_score(market: Market, of: str, over: str, window: int) -> Floats:
    """The z-score of ln(price of one / price of another) against its last `window` sessions, this one included, ddof 1.

    window: 0 takes all sessions so far, at least a year. It is a ratio of total returns: dividends and growth move it
    as well as prices by earnings do. It is no valuation.
    """
    with np.errstate(invalid="ignore"):
        log_ratio = pd.Series(np.log(closes(market, of) / closes(market, over)))
    return score(log_ratio, window, year_of(market))


def score(values: pd.Series, window: int, least: int) -> Floats:
    """(value - mean) / sd over the last `window` sessions (0: all so far, `least` at least), ddof 1."""
    span = values.rolling(window) if window else values.expanding(least)
    deviation = span.std(ddof=1).to_numpy(dtype=np.float64)
    distance = values.to_numpy(dtype=np.float64) - span.mean().to_numpy(dtype=np.float64)
    return np.where(deviation > 0, distance / np.where(deviation > 0, deviation, 1.0), np.nan)


def rolling_deviation(values: Floats, window: int) -> Floats:
    """Standard deviation of the last `window` values, ddof 1."""
    return np.asarray(pd.Series(values).rolling(window).std(ddof=1).to_numpy(dtype=np.float64))


def observed(market: Market, name: str, column: str = "value") -> Floats:
    """The latest known value of a series at each close."""
    return market.observed(name).latest(market.sessions, column)
