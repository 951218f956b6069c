"""How much, beyond all or nothing: by score, to a volatility, by inverse volatility inside a leg.

The flow: holding -> EXPOSURE -> decision. Steps and month ends keep a size from changing every day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.market import Basket, Floats, Legs, Market
from backtest.signals.measures import basket_growth, closes, growth, rolling_deviation
from backtest.signals.periods import last_of_period

Within = Mapping[str, Mapping[str, Floats]]
"""Leg -> ticker -> its weight within the leg per session."""


def invested_part(
    market: Market,
    legs: Legs,
    shares: Floats,
    within: Within | None,
    *,
    target: float,
    window: int,
    step: float,
) -> Floats:
    """The part of `shares` to hold so that it has the volatility `target` a year, the rest in cash, (sessions,).

    shares: by leg, (sessions, legs); within: the weights inside legs where they are not the legs' own.
    It is min(1, target / sd), rounded down to a multiple of `step`; sd is that of the last `window` daily returns of
    what is decided at this close, weights as they are at it, annualised, ddof 1. All is held while sd is not known.
    """
    deviation = _deviation(market, legs, np.nan_to_num(shares), within, window)
    with np.errstate(divide="ignore"):
        invested = np.minimum(1.0, target / deviation)
    stepped = np.floor(invested / step + 1e-9) * step
    return np.where(np.isnan(deviation), 1.0, np.clip(stepped, 0.0, 1.0))


def _deviation(market: Market, legs: Legs, shares: Floats, within: Within | None, window: int) -> Floats:
    """The deviation a year: the square root of w' C w, w the weights of the parts, C their covariances.

    The parts are the legs; with weights `within` that change by session, they are the tickers.
    """
    if within is None:
        parts, weights = [legs[name] for name in legs.names], shares
    else:
        parts = [{ticker: 1.0} for ticker in legs.tickers]
        weights = _ticker_weights(legs, shares, within)
    covariances = _covariances(market, legs, parts, window, of_tickers=within is not None)
    variance = np.zeros(len(market.sessions))
    for i, row in enumerate(covariances):
        for j, covariance in enumerate(row):
            # a part that is not held has no say, known or not
            both = weights[:, i] * weights[:, j]
            variance = variance + np.where(both == 0.0, 0.0, both * covariance)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) * market.periods_per_year))


def _ticker_weights(legs: Legs, shares: Floats, within: Within) -> Floats:
    total = np.zeros((len(shares), len(legs.tickers)))
    for name, share in zip(legs.names, shares.T, strict=True):
        for ticker, weight in within.get(name, legs[name]).items():
            total[:, legs.tickers.index(ticker)] += share * weight
    return total


def _covariances(market: Market, legs: Legs, parts: list[Basket], window: int, *, of_tickers: bool) -> Floats:
    """Covariances of the parts' daily returns over `window` sessions, shape (parts, parts, sessions)."""

    def measured() -> Floats:
        daily = [pd.Series(basket_growth(market, part, 1)) for part in parts]
        found = np.empty((len(parts), len(parts), len(market.sessions)))
        for i, one in enumerate(daily):
            span = one.rolling(window)
            for j in range(i, len(daily)):
                both = span.var() if i == j else span.cov(daily[j])
                found[i, j] = found[j, i] = both.to_numpy()
        return found

    return market.memo.get(("covariances", window, legs.key, of_tickers), measured)


def inverse_volatility(market: Market, legs: Legs, window: int) -> dict[str, dict[str, Floats]]:
    """Leg -> ticker -> weight within the leg, by 1 / sd of its last `window` daily returns, anew at each month's end.

    Two tickers with 20% and 10% get a third and two thirds of what the leg's own weights sum to. The leg's own
    weights stand until all are known.
    """
    stacked = market.memo.get(("inverse volatility", window, legs.key), lambda: _inverse(market, legs, window))
    rows = iter(stacked)
    return {name: {ticker: next(rows) for ticker in legs[name]} for name in legs.names}


def _inverse(market: Market, legs: Legs, window: int) -> Floats:
    """The weights of all tickers of all legs, in their order in the legs, shape (places, sessions)."""
    looks = last_of_period(market, "monthly")
    weights = []
    for leg in (legs[name] for name in legs.names):
        daily = {ticker: growth(closes(market, ticker), 1) for ticker in leg}
        inverse = {ticker: 1.0 / np.maximum(rolling_deviation(daily[ticker], window), 1e-12) for ticker in leg}
        total = sum(inverse.values(), start=np.zeros(len(market.sessions)))
        whole = math.fsum(leg.values())
        for ticker, constant in leg.items():
            share = inverse[ticker] / total if whole == 1.0 else whole * inverse[ticker] / total
            chosen = pd.Series(np.where(looks, share, np.nan)).ffill()
            weights.append(np.asarray(chosen.fillna(constant), dtype=np.float64))
    return np.stack(weights)
