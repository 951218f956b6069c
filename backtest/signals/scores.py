"""Scores of legs, to rank them by: returns over calendar months or sessions, in the forms that published rules use.

Reads:  Market.close (total-return prices), Market.tbill.
Gives:  float arrays of shape (sessions,), known at each session's close, NaN while not known; shared by all who ask the
        same of a Market. A month back from the last session of a month is the last session of that earlier month; from
        any other day it is the last session at or before the same day of that month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import ConfigError
from backtest.market import Basket, Floats, Market, overnight_interest
from backtest.signals import measures
from backtest.signals.periods import last_of_period
from backtest.text import listed, plural
from backtest.units import TIE as TIE  # strategies take it from here

Rows = npt.NDArray[np.int64]
Unit = Literal["month", "session"]
Kind = Literal["returns", "twelve_one", "scaled", "moving_average"]

TBILL = "tbill"
"""T-bills, where a leg's name may stand; a ticker has capital letters."""

NONE = -1
"""Instead of a row or a place, where there is none."""


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How a leg is scored: by the sum of weight x something of each span.

    kind: its return over the span; the same per unit of its volatility (`scaled`); how far it is above the mean of the
    span (`moving_average`); or its return over twelve months without the last one. spans: lengths in `unit`.
    """

    kind: Kind
    spans: tuple[int, ...]
    unit: Unit
    weights: tuple[float, ...]
    volatility_sessions: int

    def of(self, market: Market, basket: Basket) -> Floats:
        """The score of a basket, or of T-bills: `{"tbill": 1}`."""
        key = ("score", self, tuple(basket.items()))
        return market.memo.get(key, lambda: self._of(market, basket))

    def _of(self, market: Market, basket: Basket) -> Floats:
        if self.kind == "twelve_one":
            return span_return(market, basket, 12, "month", skip=1)
        part = above_mean if self.kind == "moving_average" else span_return
        total = np.zeros(len(market.sessions))
        for span, weight in zip(self.spans, self.weights, strict=True):
            total = total + weight * part(market, basket, span, self.unit)
        if self.kind != "scaled":
            return total
        deviation = measures.volatility(market, basket, self.volatility_sessions)
        return np.where(deviation > 0.0, total / np.where(deviation > 0.0, deviation, 1.0), np.nan)

    def words(self) -> str:
        """What it is, as part of a sentence."""
        if self.kind == "twelve_one":
            return "the return over 12 months without the last one"
        lengths = f"{listed([str(span) for span in self.spans[:-1]] + [plural(self.spans[-1], self.unit)])}"
        what = "distance from the mean of" if self.kind == "moving_average" else "return over"
        if len(self.spans) > 1 or self.weights != (1.0,):
            equal = self.weights == (1.0 / len(self.spans),) * len(self.spans)
            weighed = "mean" if equal else f"sum, weighed {listed([f'{weight:g}' for weight in self.weights])},"
            what = f"{weighed} of the {what}"
        scale = f" per unit of volatility ({self.volatility_sessions} sessions)" if self.kind == "scaled" else ""
        return f"the {what} {lengths}{scale}"

    @property
    def value_unit(self) -> str:
        """The unit of its values, as evidence tells it."""
        return "sd" if self.kind == "scaled" else "share"


def rows_before(market: Market, span: int, unit: Unit) -> Rows:
    """The row so many sessions or calendar months before each row; NONE where it lies before the data."""
    if unit == "session":
        return np.maximum(np.arange(len(market.sessions), dtype=np.int64) - span, NONE)
    return market.memo.get(("rows before", span), lambda: _months_before(market, span))


def _months_before(market: Market, months: int) -> Rows:
    days = market.sessions.to_numpy().astype("datetime64[D]")
    now = days.astype("datetime64[M]")
    first, after = ((now - back).astype("datetime64[D]") for back in (months, months - 1))
    month_end = after - np.timedelta64(1, "D")
    same_day = np.minimum(first + (days - now.astype("datetime64[D]")), month_end)  # the last day of a month too short
    aims = np.where(last_of_period(market, "monthly"), month_end, same_day)
    return np.asarray(days.searchsorted(aims, side="right") - 1, dtype=np.int64)


def span_return(market: Market, basket: Basket, span: int, unit: Unit, *, skip: int = 0) -> Floats:
    """Return of a basket bought a span ago and held until `skip` ago: the sum of weight x return of each ticker."""
    key = ("span return", tuple(basket.items()), span, unit, skip)
    return market.memo.get(key, lambda: _span_return(market, basket, span, unit, skip))


def _span_return(market: Market, basket: Basket, span: int, unit: Unit, skip: int) -> Floats:
    if unit == "session" and not skip and TBILL not in basket:
        return measures.basket_growth(market, basket, span)
    early, late = rows_before(market, span, unit), rows_before(market, skip, unit) if skip else slice(None)
    is_known = early > NONE
    if TBILL in basket:
        return np.where(is_known, _compounded(market, early, late), np.nan)
    total = np.zeros(len(early))
    for ticker, weight in basket.items():
        prices = measures.closes(market, ticker)
        total = total + weight * np.where(is_known, prices[late] / prices[early] - 1.0, np.nan)
    return total


def _compounded(market: Market, early: Rows, late: Rows | slice) -> Floats:
    """What T-bills rolled over every night earn between two rows; not known where a night's rate is missing."""
    if market.tbill is None:
        raise ConfigError(
            "strategy.params: found tbill, but there is no T-bill rate: expected one in data.tbill (irx, fred ...)"
        )
    earned = overnight_interest(market)
    index, missing = np.cumprod(1.0 + np.nan_to_num(earned)), np.cumsum(np.isnan(earned))
    return np.where(missing[late] == missing[early], index[late] / index[early] - 1.0, np.nan)


def leg_return(market: Market, leg: Basket, lookback_sessions: int) -> Floats:
    """Return of a basket bought at the start of the lookback and held.

    Parameters
    ----------
    market : Market
        To compute on.
    leg : dict of str to float
        Ticker -> weight, such as `legs["small"]`.
    lookback_sessions : int
        How far back.

    Returns
    -------
    ndarray of float, shape (sessions,)
        A fraction: the sum of weight x total return; NaN while the lookback reaches before a ticker's first price.
    """
    return span_return(market, leg, lookback_sessions, "session")


def relative_return(market: Market, of: Basket, over: Basket, lookback: int, unit: Unit = "session") -> Floats:
    """Lead of one basket over another: the difference of their `leg_return`.

    Parameters
    ----------
    market : Market
        To compute on.
    of, over : dict of str to float
        Ticker -> weight.
    lookback : int
        How far back.
    unit : {"session", "month"}, default "session"
        What the lookback counts.

    Returns
    -------
    ndarray of float, shape (sessions,)
        A fraction; NaN while either is not known.
    """
    key = ("relative_return", tuple(of.items()), tuple(over.items()), lookback, unit)
    return market.memo.get(
        key, lambda: span_return(market, of, lookback, unit) - span_return(market, over, lookback, unit)
    )


def ratio_return(market: Market, of: str, over: str, span: int, unit: Unit) -> Floats:
    """Return of the price ratio of two tickers over a span."""
    ratio = measures.closes(market, of) / measures.closes(market, over)
    early = rows_before(market, span, unit)
    return np.where(early > NONE, ratio / ratio[early] - 1.0, np.nan)


def scaled_lead(market: Market, of: Basket, over: Basket, span: int, unit: Unit, window: int) -> Floats:
    """The lead in standard deviations: lead / (sqrt(its sessions) x sd of `window` daily leads that end before it).

    sd with ddof 1; it ends where the lead begins, so that the surge does not dampen its own measure.
    """
    early = rows_before(market, span, unit)
    lead = span_return(market, of, span, unit) - span_return(market, over, span, unit)
    deviation = measures.rolling_deviation(measures.lead(market, of, over, 1), window)
    sessions = np.arange(len(early)) - early
    return np.where(early > NONE, lead / (np.sqrt(sessions) * deviation[early]), np.nan)


def above_mean(market: Market, basket: Basket, count: int, unit: Unit) -> Floats:
    """How far a basket is above its mean of so many closes, as a fraction: of all sessions, or one a month.

    By months they are this close and those 1, 2, ... months before it; at a month's end, the ends of the months.
    """
    index = measures.index_of(market, basket)
    if unit == "session":
        return np.asarray(index / pd.Series(index).rolling(count).mean().to_numpy() - 1.0)
    total = index.copy()
    for months in range(1, count):
        rows = rows_before(market, months, "month")
        total = total + np.where(rows > NONE, index[rows], np.nan)
    return np.asarray(index / (total / count) - 1.0)


def best(scores: Floats, top: int) -> Rows:
    """The places (columns) of the `top` highest scores of each row, best first; NONE where fewer are known.

    scores: (rows, legs), NaN while not known. Of scores within TIE the first in order counts as higher.
    """
    rows = np.arange(len(scores))
    left = np.where(np.isnan(scores), -np.inf, scores)
    places = np.full((len(scores), top), NONE, dtype=np.int64)
    for slot in range(min(top, scores.shape[1])):
        place = (left >= left.max(axis=1, keepdims=True) - TIE).argmax(axis=1)
        places[:, slot] = np.where(left[rows, place] > -np.inf, place, NONE)
        left[rows, place] = -np.inf
    return places


def exceeds(scores: Floats, hurdle: Floats) -> npt.NDArray[np.bool_]:
    """Strictly above, by more than rounding; False where either is not known."""
    return np.asarray(scores > hurdle + TIE)
