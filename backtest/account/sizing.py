"""How many shares to trade: the one piece of arithmetic that backtrader's strategy and the kernel share.

Plain Python on purpose: the same source runs on lists (the check of every run) and compiled by numba (sweeps), with
the same bits. So: explicit loops, no `sum`, nothing that reorders or fuses floating point operations.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence

RESERVE = 1e-10
"""Share of equity never spent, so that rounding cannot overdraw cash: a thousandth of a cent on 100,000 USD."""

DUST = 1e-9
"""Differences below this share of equity are not traded (the reserve alone would cause such trades for ever)."""

SNAP = 1e-12
"""Whole shares: a target this close below a whole number is that number."""

RUIN = 1e-6
"""An account worth less than this share of its starting cash trades no more."""


def affordable(
    cash: float,
    shares: Sequence[float],
    basis: Sequence[float],
    opens: Sequence[float],
    rate: float,
    sizes: Sequence[float],
) -> bool:
    """Does the batch pass both of backtrader's cash checks, in its own arithmetic?

    On submission a sale yields `q * open`; at the fill it yields cost basis plus profit. They round differently.
    """
    paper = cash
    real = cash
    for i in range(len(sizes)):
        if sizes[i] < 0.0:
            q = -sizes[i]
            price = opens[i]
            cost = q * rate * price
            paper += q * price
            paper -= cost
            real += q * basis[i] + q * (price - basis[i])
            real -= cost
    for i in range(len(sizes)):
        if sizes[i] > 0.0:
            q = sizes[i]
            price = opens[i]
            cost = q * rate * price
            paper -= q * price
            paper -= cost
            real -= q * price
            real -= cost
            if paper < 0.0 or real < 0.0:
                return False
    return True


def value_net_of_costs(
    worth: float, shares: Sequence[float], opens: Sequence[float], weights: Sequence[float], rate: float
) -> float:
    """Equity after trading to `weights`: V' = worth - rate * sum_i |w_i V' - shares_i open_i|, by Newton from above.

    The right side is convex and piecewise linear, so that at most one step per ticker is needed.
    """
    value = worth
    for _ in range(len(shares) + 2):
        top = worth
        slope = 1.0
        for i in range(len(shares)):
            held = shares[i] * opens[i]
            side = rate if weights[i] * value > held else -rate
            top += side * held
            slope += side * weights[i]
        lower = top / slope
        if lower >= value:
            break
        value = lower
    return value


def trade_sizes(
    cash: float,
    shares: Sequence[float],
    basis: Sequence[float],
    opens: Sequence[float],
    weights: Sequence[float],
    rate: float,
    whole: bool,
    sizes: MutableSequence[float],
) -> bool:
    """Fill `sizes` with the shares to buy (+) or sell (-) at `opens` to hold `weights`, net of costs.

    Returns False when no difference is above DUST: then nothing may be traded. A sale is never dropped, since it may
    fund a purchase; a purchase below DUST is.
    """
    worth = worth_of(cash, shares, opens)
    value = value_net_of_costs(worth, shares, opens, weights, rate)
    if not whole:
        value *= 1.0 - RESERVE
    is_real_trade = False
    for i in range(len(shares)):
        size = -shares[i]
        if weights[i] != 0.0:
            target = weights[i] * value / opens[i]
            if whole:
                target = math.floor(target * (1.0 + SNAP)) * 1.0
            size = target - shares[i]
        is_real = abs(size) * opens[i] > DUST * worth
        if size > 0.0 and not is_real:
            size = 0.0
        sizes[i] = size
        is_real_trade = is_real_trade or is_real
    if whole:
        for i in range(len(shares) - 1, -1, -1):  # a share too many by rounding is given back, last purchase first
            if affordable(cash, shares, basis, opens, rate, sizes):
                break
            if sizes[i] >= 1.0:
                sizes[i] -= 1.0
    return is_real_trade


def worth_of(cash: float, shares: Sequence[float], prices: Sequence[float]) -> float:
    """Cash and holdings at these prices, before anything is traded."""
    worth = cash
    for i in range(len(shares)):
        worth += shares[i] * prices[i]
    return worth


def has_drifted(
    equity: float, shares: Sequence[float], prices: Sequence[float], targets: Sequence[float], band: float
) -> bool:
    """Is a weight off its target by more than `band`, a fraction of equity?"""
    for i in range(len(shares)):  # noqa: SIM110, numba has no `any`
        if abs(shares[i] * prices[i] / equity - targets[i]) > band:
            return True
    return False
