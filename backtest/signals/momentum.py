"""Relative momentum: how far one leg leads another over a lookback.

Reads:  Market.close (total-return prices).
Gives:  float arrays of shape (sessions,), known at each session's close; NaN while the lookback reaches before a
        ticker's first price. Shared by all who ask the same of a Market, and read-only for that reason.
"""

from __future__ import annotations

from backtest.market import Basket, Floats, Market
from backtest.signals.scores import Unit, span_return


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
        What the lookback counts; calendar months are those of `scores`.

    Returns
    -------
    ndarray of float, shape (sessions,)
        A fraction; NaN while either is not known.
    """
    key = ("relative_return", tuple(of.items()), tuple(over.items()), lookback, unit)
    return market.memo.get(
        key, lambda: span_return(market, of, lookback, unit) - span_return(market, over, lookback, unit)
    )
