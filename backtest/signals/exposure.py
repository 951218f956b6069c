"""How much, beyond all or nothing: by score, to a volatility, by inverse volatility inside a leg.

The flow: holding -> EXPOSURE -> decision. Steps and month ends keep a size from changing every day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.market import Floats, Legs, Market
from backtest.signals.measures import basket_growth, closes, growth, rolling_deviation
from backtest.signals.periods import last_of_period
from backtest.units import SESSIONS_PER_YEAR


def volatility_cash(
    market: Market, legs: Legs, small_share: Floats, *, target: float, window: int, step: float
) -> Floats:
    """The share of the whole to keep in cash so that what is held has the volatility `target` a year.

    Invested is min(1, target / sd), rounded down to a multiple of `step`; sd is that of the last `window` daily
    returns of the legs mixed as decided at this close, annualised, ddof 1. Nothing is kept while it is not known.
    """
    small, large, joint = _leg_variances(market, legs, window)
    share = np.nan_to_num(small_share)
    variance = share**2 * small + (1.0 - share) ** 2 * large + 2.0 * share * (1.0 - share) * joint
    deviation = np.sqrt(np.maximum(variance, 0.0) * SESSIONS_PER_YEAR)
    with np.errstate(divide="ignore"):
        invested = np.minimum(1.0, target / deviation)
    stepped = np.floor(invested / step + 1e-9) * step
    return np.where(np.isnan(deviation), 0.0, np.clip(1.0 - stepped, 0.0, 1.0))


def _leg_variances(market: Market, legs: Legs, window: int) -> Floats:
    """Variance of the small leg's daily returns, of the growth leg's, and their covariance, shape (3, sessions)."""

    def measured() -> Floats:
        small, large = (pd.Series(basket_growth(market, leg, 1)) for leg in (legs.small, legs.growth))
        spans = small.rolling(window), large.rolling(window)
        return np.stack([spans[0].var().to_numpy(), spans[1].var().to_numpy(), spans[0].cov(large).to_numpy()])

    return market.memo.get(("leg variances", window, legs.key), measured)


def inverse_volatility(market: Market, legs: Legs, window: int) -> dict[str, Floats]:
    """Each ticker's weight within its leg, by 1 / sd of its last `window` daily returns, set anew at each month's end.

    Two tickers with 20% and 10% get a third and two thirds. The leg's own weights stand until all are known.
    """
    weights = market.memo.get(("inverse volatility", window, legs.key), lambda: _inverse(market, legs, window))
    return dict(zip(legs.tickers, weights, strict=True))


def _inverse(market: Market, legs: Legs, window: int) -> Floats:
    """The weights of all tickers, in their order in the legs, shape (tickers, sessions)."""
    looks = last_of_period(market, "monthly")
    weights = []
    for leg in (legs.growth, legs.small):
        daily = {ticker: growth(closes(market, ticker), 1) for ticker in leg}
        inverse = {ticker: 1.0 / np.maximum(rolling_deviation(daily[ticker], window), 1e-12) for ticker in leg}
        total = sum(inverse.values(), start=np.zeros(len(market.sessions)))
        for ticker, constant in leg.items():
            chosen = pd.Series(np.where(looks, inverse[ticker] / total, np.nan)).ffill()
            weights.append(np.asarray(chosen.fillna(constant), dtype=np.float64))
    return np.stack(weights)
