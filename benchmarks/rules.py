"""The accounts of the peers, in plain Python: where theirs differs from ours, is that the whole difference?

Each rule says how many shares a purchase gets. Everything else is the same: on a change of side all is sold at the
open, then each ticker of the other leg is bought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from peers.handed import CASH_USD, COST_RATE, Floats, Work


@dataclass(frozen=True)
class Purchase:
    """What a rule may look at: worth of the account and price at the open and at the close before; cash after sales."""

    weight: float
    worth: float
    price: float
    worth_before: float
    price_before: float
    cash: float


def vectorbt(one: Purchase) -> float:
    """The weight of the value before costs, cut to the cash that is left."""
    return min(one.weight * one.worth / one.price, one.cash / (one.price * (1.0 + COST_RATE)))


def bt(one: Purchase) -> float:
    """The weight of the value before costs pays for shares and commission, whether there is cash or not."""
    return one.weight * one.worth / (one.price * (1.0 + COST_RATE))


def backtrader(one: Purchase) -> float:
    """Sized at the close before; nothing, in silence, when cash does not suffice at the open."""
    shares = one.weight * one.worth_before / one.price_before
    return shares if shares * one.price * (1.0 + COST_RATE) <= one.cash else 0.0


RULES: dict[str, Callable[[Purchase], float]] = {"vectorbt": vectorbt, "bt": bt, "backtrader": backtrader}


def finals_by(rule: str, work: Work, leg_weight: float) -> Floats:
    """Final values of all variants."""
    finals = [final_value(RULES[rule], work, v, leg_weight) for v in range(work.variants)]
    return np.array(finals)


def final_value(shares_of: Callable[[Purchase], float], work: Work, v: int, leg_weight: float) -> float:
    """Of one variant; a decision is traded at the next open."""
    cash, shares = CASH_USD, np.zeros(work.opens.shape[1])
    side = work.side[:-1, v]
    for t in (0, *(np.flatnonzero(np.diff(side)) + 1)):
        opens, closes = work.opens[t + 1], work.closes[t]
        worth, worth_before = cash + float(shares @ opens), cash + float(shares @ closes)
        cash += (1.0 - COST_RATE) * float(shares @ opens)
        shares[:] = 0.0
        for i in (2, 3) if side[t] else (0, 1):
            price = float(opens[i])
            shares[i] = shares_of(Purchase(leg_weight, worth, price, worth_before, float(closes[i]), cash))
            cash -= shares[i] * price * (1.0 + COST_RATE)
    return cash + float(shares @ work.closes[-1])
