"""The quantities that signals are made of: prices' momentum, runs, volatility, ratios; what series say.

Reads:  Market.close (total-return prices), Market.series.
Gives:  float arrays of shape (sessions,), known at each session's close, NaN while not known. None of them decides
        anything: a `Limit` compares them with thresholds. Each is a running computation over the past, so that cutting
        the future off changes no digit.

Cool CPI is the core index (first prints, percent by month, known at 08:30 of the release) against what was expected,
against itself, or what the two-year yield made of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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


def basket_growth(market: Market, basket: Basket, sessions: int) -> Floats:
    """Return of a basket bought so many sessions ago and held: the sum of weight x return."""
    total = np.zeros(len(market.sessions))
    for ticker, weight in basket.items():
        total = total + weight * growth(closes(market, ticker), sessions)
    return total


def lead(market: Market, of: Basket, over: Basket, sessions: int) -> Floats:
    """Return of one basket minus that of another."""
    return basket_growth(market, of, sessions) - basket_growth(market, over, sessions)


def run_length(values: Floats) -> Floats:
    """Sessions in a row, this one included, with a value above 0; 0 after one that was not; NaN where not known."""
    rows = np.arange(len(values))
    last_not = np.maximum.accumulate(np.where(values > 0, -1, rows)) if len(values) else rows
    return np.where(np.isnan(values), np.nan, (rows - last_not).astype(np.float64))


def volatility(market: Market, of: Basket, window: int) -> Floats:
    """Standard deviation of a basket's daily returns over `window` sessions, annualised, ddof 1."""
    return np.asarray(rolling_deviation(basket_growth(market, of, 1), window) * np.sqrt(market.periods_per_year))


def index_of(market: Market, of: Basket) -> Floats:
    """The closes of a ticker alone, or the worth of a basket that is brought back to its weights daily."""
    if len(of) == 1 and 1.0 in of.values():
        return closes(market, next(iter(of)))
    return compounded(basket_growth(market, of, 1))


def compounded(returns: Floats) -> Floats:
    """The worth of what earned these returns, from 1 on; NaN where one is not known."""
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


OWN_PRINTS = 12
"""Prints before a release that it is compared with when there is no consensus."""

MOVE_WINDOW = 63
"""Daily moves of the two-year yield before the one on a release, whose deviation it is measured in."""


class News(NamedTuple):
    """values: of the last release known, NaN before the first; is_new: the session at which it becomes known."""

    values: Floats
    is_new: npt.NDArray[np.bool_]


def surprise(market: Market) -> News:
    """Core CPI minus its consensus, percentage points; NaN when the last release had no consensus."""
    frame = market.observed("cpi").frame
    return _news(market, np.round(frame["value"].to_numpy(dtype=np.float64) - frame["consensus"].to_numpy(), 6))


def against_own_mean(market: Market) -> News:
    """Core CPI minus the mean of the 12 prints before it, in their standard deviations (ddof 1)."""
    prints = market.observed("cpi").frame["value"].astype(np.float64)
    before = prints.shift(1).rolling(OWN_PRINTS)
    deviation = before.std(ddof=1).to_numpy(dtype=np.float64)
    values = (prints - before.mean()).to_numpy(dtype=np.float64)
    return _news(market, np.where(deviation > 0, values / np.where(deviation > 0, deviation, 1.0), np.nan))


def day_move(market: Market) -> News:
    """The two-year yield's move on the day of a release, in standard deviations of the 63 moves before it.

    Known when that day's yield is: at the next session's close. A release of a day without yields (Good Friday) moves
    those of the next day that has them.
    """
    frame = market.observed("DGS2").frame
    yields = frame[~frame["happened"].duplicated()].sort_values("happened", kind="stable")
    moves = yields["value"].astype(np.float64).diff()
    deviation = moves.shift(1).rolling(MOVE_WINDOW).std(ddof=1)
    released = market.observed("cpi").frame["known_at"].dt.normalize().to_numpy()
    days = yields["happened"].to_numpy()
    place = np.searchsorted(days, released)
    is_near = (place < len(days)) & (days[np.minimum(place, len(days) - 1)] - released <= np.timedelta64(7, "D"))
    first = np.unique(place[is_near])
    scaled = (moves / deviation).to_numpy(dtype=np.float64)[first]
    return _on_sessions(market, yields["session"].to_numpy()[first], scaled)


def _news(market: Market, values: Floats) -> News:
    return _on_sessions(market, market.observed("cpi").frame["session"].to_numpy(), values)


def _on_sessions(market: Market, session: npt.NDArray[np.datetime64], values: Floats) -> News:
    """Values by the session at which they become known, ascending -> the last one known at each close."""
    sessions = market.sessions.to_numpy().astype(session.dtype)
    place = np.searchsorted(session, sessions, side="right")
    known = np.concatenate([[np.nan], values])[place]
    is_new = np.diff(place, prepend=0) > 0
    if len(is_new):
        is_new[0] = bool(len(session)) and bool((session == sessions[0]).any())
    return News(known, is_new)
