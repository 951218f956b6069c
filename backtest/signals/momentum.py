"""Relative momentum: how far one leg leads another over a lookback.

Reads:  Market.close (total-return prices).
Gives:  float arrays of shape (sessions,), known at each session's close; NaN while the lookback reaches before a
        ticker's first price. Shared by all who ask the same of a Market, and read-only for that reason.
"""

from __future__ import annotations

import numpy as np

from backtest.market import Basket, Floats, Market


def leg_return(market: Market, leg: Basket, lookback_sessions: int) -> Floats:
    """Return of a leg as a fraction: sum of weight x total return of each ticker over the last `lookback_sessions`.

    leg: ticker -> weight. The weights are those at the start of the lookback: a basket bought then and held.
    """
    key = ("leg_return", tuple(leg.items()), lookback_sessions)
    return market.memo.get(key, lambda: _leg_return(market, leg, lookback_sessions))


def _leg_return(market: Market, leg: Basket, lookback_sessions: int) -> Floats:
    total = np.zeros(len(market.sessions))
    for ticker, weight in leg.items():
        close = market.close[ticker].to_numpy(dtype=np.float64)
        trailing = np.full(len(close), np.nan)
        trailing[lookback_sessions:] = close[lookback_sessions:] / close[:-lookback_sessions] - 1.0
        total += weight * trailing
    return total


def relative_return(market: Market, of: Basket, over: Basket, lookback_sessions: int) -> Floats:
    """Lead of one basket over another, as a fraction: the difference of their `leg_return`."""
    key = ("relative_return", tuple(of.items()), tuple(over.items()), lookback_sessions)
    return market.memo.get(
        key, lambda: leg_return(market, of, lookback_sessions) - leg_return(market, over, lookback_sessions)
    )
