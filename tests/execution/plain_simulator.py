"""A second implementation of the books, in numpy and by its own formulas; no module of the engine is imported.

What it takes over from the contract, as documented constants: a RESERVE of equity that is never spent when shares are
fractional, and DUST, the share of equity below which a difference is not traded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RESERVE = 1e-10
DUST = 1e-9


@dataclass(frozen=True)
class PlainBooks:
    equity: Any
    cash: Any
    shares: Any
    """Held at each close, shape (sessions, tickers)."""
    rebalances: int


def plain_books(
    opens: Any,
    closes: Any,
    weights: Any,
    *,
    cash: float,
    rate: float,
    is_due: Any = None,
    band: float = np.inf,
    delay: int = 1,
    whole: bool = False,
    overnight: Any = None,
    reserve: float = RESERVE,
) -> PlainBooks:
    """weights[t] is decided at close t and traded `delay` opens later, when it is new, or is_due[t] (a calendar's day).

    Also traded: `delay` opens after a close that finds a weight off the target in force by more than `band`; no close
    between the two is asked.
    overnight[t]: interest per dollar of cash from close t - 1 to open t; it can be spent from the next open on.
    """
    sessions, tickers = opens.shape
    shares, equity, money = np.zeros((sessions, tickers)), np.full(sessions, cash), np.full(sessions, cash)
    rebalances, drifted = 0, -1  # drifted: the session whose open trades what had drifted
    for t in range(1, sessions):
        held, cash = shares[t - 1].copy(), money[t - 1]
        d = t - delay
        if d >= 0:
            before = weights[d - 1] if d > 0 else np.zeros(tickers)
            if (weights[d] != before).any() or (is_due is not None and is_due[d]) or t == drifted:
                change = _trades(cash, held, opens[t], weights[d], rate, whole, reserve)
                held += change
                held[weights[d] == 0] *= not change.any()
                cash -= (change * opens[t]).sum() + rate * np.abs(change * opens[t]).sum()
                rebalances += bool(change.any())
        shares[t] = held
        money[t] = cash + (0.0 if overnight is None else money[t - 1] * overnight[t])
        equity[t] = money[t] + (held * closes[t]).sum()
        if d >= 0 and t >= drifted and np.abs(held * closes[t] / equity[t] - weights[d]).max() > band:
            drifted = t + delay
    return PlainBooks(equity, money, shares, rebalances)


def _trades(cash: float, held: Any, price: Any, weight: Any, rate: float, whole: bool, reserve: float) -> Any:
    worth = cash + (held * price).sum()
    low, high = 0.0, worth
    while low < (middle := 0.5 * (low + high)) < high:
        if middle + rate * np.abs(weight * middle - held * price).sum() > worth:
            high = middle
        else:
            low = middle
    target = weight * low / price
    change = (np.floor(target * (1 + 1e-12)) if whole else target * (1 - reserve)) - held
    is_real = np.abs(change) * price > DUST * worth
    return np.where((change < 0) | is_real, change, 0.0) if is_real.any() else np.zeros(len(held))
