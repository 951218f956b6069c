"""Relative momentum: how far small caps lead large-cap growth over a lookback.

Reads:  Market.close (total-return prices).
Gives:  float arrays of shape (sessions,), known at each session's close; NaN while the lookback reaches before a
        ticker's first price.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backtest.market import Floats, Legs, Market


def leg_return(market: Market, leg: Mapping[str, float], lookback_sessions: int) -> Floats:
    """Return of a leg as a fraction: sum of weight x total return of each ticker over the last `lookback_sessions`.

    leg: ticker -> weight. The weights are those at the start of the lookback: a basket bought then and held.
    """
    total = np.zeros(len(market.sessions))
    for ticker, weight in leg.items():
        close = market.close[ticker].to_numpy(dtype=np.float64)
        trailing = np.full(len(close), np.nan)
        trailing[lookback_sessions:] = close[lookback_sessions:] / close[:-lookback_sessions] - 1.0
        total += weight * trailing
    return total


def relative_return(market: Market, legs: Legs, lookback_sessions: int) -> Floats:
    """Lead of the small leg over the growth leg, as a fraction: leg_return(small) - leg_return(growth)."""
    return leg_return(market, legs.small, lookback_sessions) - leg_return(market, legs.growth, lookback_sessions)
