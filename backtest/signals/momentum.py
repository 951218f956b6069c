"""Relative momentum: how far one leg leads another over a lookback.

Reads:  Market.close (total-return prices).
Gives:  float arrays of shape (sessions,), known at each session's close; NaN while the lookback reaches before a
        ticker's first price. Shared by all who ask the same of a Market, and read-only for that reason.
"""

from __future__ import annotations

import numpy as np

from backtest.market import Basket, Floats, Market


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
    """Lead of one basket over another: the difference of their `leg_return`.

    Parameters
    ----------
    market : Market
        To compute on.
    of, over : dict of str to float
        Ticker -> weight.
    lookback_sessions : int
        How far back.

    Returns
    -------
    ndarray of float, shape (sessions,)
        A fraction; NaN while either is not known.
    """
    key = ("relative_return", tuple(of.items()), tuple(over.items()), lookback_sessions)
    return market.memo.get(
        key, lambda: leg_return(market, of, lookback_sessions) - leg_return(market, over, lookback_sessions)
    )
