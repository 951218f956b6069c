"""What still asks for two legs, growth and small, in terms of legs of any number: goes away room by room."""

from __future__ import annotations

import numpy as np

from backtest.decision import Decision
from backtest.market import Basket, Between, Floats, Legs

INITIAL_SHARES = {"growth": (0.0, 0.0), "small": (1.0, 0.0), "cash": (0.0, 1.0)}
"""`initial` -> (share of the second leg, cash share)."""


def second(legs: Legs) -> Basket:
    """The basket of the second leg; empty when there is one leg."""
    return legs[legs.names[1]] if len(legs.names) > 1 else {}


def split(decision: Decision, initial: str, legs: Legs) -> tuple[Floats, Floats]:
    """(share of the invested capital in the second leg, share of the whole in cash), `initial` filled in."""
    return parted(decision.held(legs, initial))


def second_share(decision: Decision) -> Floats:
    """Share of the invested capital in the second leg, NaN while not known."""
    path = decision.shares
    if isinstance(path, Between) and path.low.tolist() == [1.0, 0.0] and path.high.tolist() == [0.0, 1.0]:
        return np.asarray(path.part, dtype=np.float64)
    return np.where(decision.is_known, parted(decision.by_leg)[0], np.nan)


def cash_share(decision: Decision) -> Floats:
    """Share of the whole in cash, 0 while not known."""
    return np.nan_to_num(parted(decision.by_leg)[1])


def parted(shares: Floats) -> tuple[Floats, Floats]:
    """Shares by leg as (second of the invested, cash)."""
    invested = shares.sum(axis=1)
    second = shares[:, 1] if shares.shape[1] > 1 else np.zeros(len(shares))
    with np.errstate(divide="ignore", invalid="ignore"):
        small = np.where(invested > 0.0, second / invested, 0.0)
    return np.where(invested == 1.0, second, small), np.where(invested == 1.0, 0.0, np.maximum(1.0 - invested, 0.0))


def weights(legs: Legs, tickers: tuple[str, ...], small: Floats, cash: Floats) -> Floats:
    """Target weights of a share of the second leg and a share of cash."""
    shares = np.zeros((len(small), len(legs.names)))
    shares[:, 0] = (1.0 - cash) * (1.0 - small)
    if shares.shape[1] > 1:
        shares[:, 1] = (1.0 - cash) * small
    return legs.weights(tickers, shares)


def decision_of(small: Floats, legs: Legs, cash: Floats | float = 0.0) -> Decision:
    """A decision given as a share of the second leg, and cash."""
    path = legs.between(legs.names[0], legs.names[1], small)
    keep = 1.0 - np.broadcast_to(np.asarray(cash, dtype=np.float64), small.shape)
    return Decision(path if (keep == 1.0).all() else path.array() * keep[:, None])
