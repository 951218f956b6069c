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
    at_close: bool = False,
    whole: bool = False,
    overnight: Any = None,
    splits: Any = None,
    dividends: Any = None,
    reserve: float = RESERVE,
) -> PlainBooks:
    """weights[t] is decided at close t and traded `delay` sessions later: when it is new, or is_due[t] by a calendar.

    Traded at that session's open, or with at_close at its close; a delay of 0 is the close decided at. Also traded:
    `delay` sessions after a close that finds a weight off the target in force by more than `band`; no close between the
    two is asked. overnight[t]: interest per dollar of cash from close t - 1 to open t; what trades at that same open
    cannot spend it yet. splits, dividends: before the trades of each session; of whole shares a fraction is sold at the
    price traded at. The first row shows the account before its own fills. Below a millionth of the cash nothing trades.
    """
    sessions, tickers = opens.shape
    shares, equity, money = np.zeros((sessions, tickers)), np.full(sessions, cash), np.full(sessions, cash)
    held, start, rebalances, drifted = np.zeros(tickers), cash, 0, -1  # drifted: the session that trades a drift
    for t in range(sessions):
        price = (closes if at_close else opens)[t]
        interest = cash * overnight[t] if overnight is not None and t > 0 else 0.0
        cash += interest if at_close else 0.0
        if splits is not None:
            ratio = np.where(splits[t] > 0, splits[t], 1.0)
            now = np.where(whole & (ratio != 1), np.floor(held * ratio * (1 + 1e-12)), held * ratio)
            cash += (np.maximum(held * ratio - now, 0.0) * price).sum() + (now * dividends[t]).sum()
            held = now
        d = t - delay
        if d >= 0 and (t == 0 or equity[t - 1] >= 1e-6 * start):
            before = weights[d - 1] if d > 0 else np.zeros(tickers)
            off = np.abs(held * price / (cash + (held * price).sum()) - before).max()
            drifts_here = delay == 0 and d > 0 and off > band
            if (weights[d] != before).any() or (is_due is not None and is_due[d]) or t == drifted or drifts_here:
                change = _trades(cash, held, price, weights[d], rate, whole, reserve)
                held = held + change
                held[weights[d] == 0] *= not change.any()
                cash -= (change * price).sum() + rate * np.abs(change * price).sum()
                rebalances += bool(change.any())
        cash += 0.0 if at_close else interest
        if t > 0:
            shares[t], money[t], equity[t] = held, cash, cash + (held * closes[t]).sum()
        is_judged = delay > 0 and d >= 0 and t >= drifted
        if is_judged and np.abs(held * closes[t] / equity[t] - weights[d]).max() > band:
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
