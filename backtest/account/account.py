"""The kernel for sweeps: the same account as `kernel.simulate`, to the last bit, in far fewer operations.

Between two trades nothing but prices changes, so that a stretch of sessions is valued ticker by ticker in loops that
the processor runs eight wide; a decision is a list of the rows at which its weights change. Written in plain Python
that numba compiles (`study/sweep_engine.py`). A drift rule asks every session, a raw account has dividends to book:
both stay with `simulate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.account.sizing import trade_sizes

TOTALS = 5
"""turnover, rebalances, trades, exposure_small, costs_usd: the fields of an Activity."""


def encode(
    small: Any, cash: Any, first_small: float, first_cash: float, growth: Any, small_leg: Any, rows: Any, weights: Any
) -> int:
    """A decision as stretches of equal weights: `rows` (sessions,) where each begins, `weights` (sessions, tickers).

    small, cash: as in a Decision, (sessions,) or (1,); NaN in small stands for the initial shares. growth, small_leg:
    (tickers,) weights inside the legs, which make of them what `Legs.weights` does. Returns how many stretches there
    are, -1 where a value is no share.
    """
    count = 0
    before, aside_before = np.nan, np.nan
    is_fixed = len(cash) == 1
    for t in range(len(small)):
        share, aside = small[t], cash[0 if is_fixed else t]
        if share == before and aside == aside_before:
            continue
        before, aside_before = share, aside
        if not (0.0 <= aside <= 1.0):
            return -1
        if np.isnan(share):
            share, aside = first_small, first_cash
        elif not (0.0 <= share <= 1.0):
            return -1
        is_other = count == 0
        for i in range(len(growth)):
            invested = share * small_leg[i] + (1.0 - share) * growth[i]
            weight = (1.0 - aside) * invested
            is_other = is_other or weight != weights[count - 1, i]
            weights[count, i] = weight
        if is_other:
            rows[count] = t
            count += 1
    return count


def value_stretch(
    closes: Any, shares: Any, basis: Any, is_small: Any, cash: float, interest: float, overnight: Any, earns: bool,
    begin: int, end: int, equity: Any, exposure: Any,
) -> float:  # fmt: skip
    """Value the sessions from `begin` up to `end`, in which nothing is traded; returns the cash at the last of them.

    exposure: [sum, sessions] of the small leg's share of what is invested; the base row is left out.
    """
    in_small, in_growth, one, two = 0, 0, 0, 0
    for i in range(len(shares)):
        if shares[i] != 0.0:
            one, two = two, i
            if is_small[i]:
                in_small += 1
            else:
                in_growth += 1
    aside = 0.0 if earns else cash
    worth = equity[begin:end]
    if in_small + in_growth == 2:  # the usual case, in one loop
        held, cost, price = shares[one], basis[one], closes[one, begin:end]
        held_2, cost_2, price_2 = shares[two], basis[two], closes[two, begin:end]
        for u in range(len(worth)):
            profit, profit_2 = held * (price[u] - cost), held_2 * (price_2[u] - cost_2)
            both = ((held * price[u] - profit) + profit) + (held_2 * price_2[u] - profit_2)
            worth[u] = aside + (both + profit_2)
    else:
        for u in range(len(worth)):
            worth[u] = 0.0
        for i in range(len(shares)):
            if shares[i] != 0.0:
                held, cost, price = shares[i], basis[i], closes[i, begin:end]
                for u in range(len(worth)):
                    profit = held * (price[u] - cost)
                    worth[u] = (worth[u] + (held * price[u] - profit)) + profit
        for u in range(len(worth)):
            worth[u] = aside + worth[u]
    counted = end - max(begin, 1)
    exposure[1] += counted if in_small or in_growth else 0
    if in_small and in_growth:
        exposure[0] += shares_in_small(closes, shares, is_small, max(begin, 1), end)
    elif in_small:
        exposure[0] += counted
    return add_interest(cash, interest, overnight, begin, end, equity) if earns else cash


def shares_in_small(closes: Any, shares: Any, is_small: Any, begin: int, end: int) -> float:
    """Sum over sessions of the small leg's share of what is invested."""
    total = 0.0
    for t in range(begin, end):
        small, invested = 0.0, 0.0
        for i in range(len(shares)):
            worth = shares[i] * closes[i, t]
            invested += worth
            if is_small[i]:
                small += worth
        total += small / invested
    return total


def add_interest(cash: float, interest: float, overnight: Any, begin: int, end: int, equity: Any) -> float:
    """Add the cash, with what it earned, to each session's value; returns the last. interest: of the first session."""
    for t in range(begin, end):
        if t > begin:
            interest = cash * overnight[t]
        cash += interest
        equity[t] = cash + equity[t]
    return cash


def fill_all(cash: float, opens: Any, rate: float, shares: Any, basis: Any, sizes: Any, totals: Any) -> float:
    """Book the trades of one open, sales first; returns the cash left. totals: trades and costs are added."""
    for i in range(len(shares)):
        if sizes[i] < 0.0:
            q = -sizes[i]
            cost = q * rate * opens[i]
            cash += q * basis[i] + q * (opens[i] - basis[i])
            cash -= cost
            shares[i] += sizes[i]
            if shares[i] == 0.0:
                basis[i] = 0.0
            totals[2] += 1.0
            totals[4] += cost
    for i in range(len(shares)):
        if sizes[i] > 0.0:
            q = sizes[i]
            price = opens[i]
            cost = q * rate * price
            cash -= q * price
            cash -= cost
            before = shares[i]
            shares[i] = before + q
            basis[i] = price if before == 0.0 else (basis[i] * before + q * price) / shares[i]
            totals[2] += 1.0
            totals[4] += cost
    return cash


def account(
    opens: Any, closes: Any, rows: Any, weights: Any, shift: int, is_small: Any, scheduled: Any, first: int,
    overnight: Any, earns: bool, cash: float, rate: float, whole: bool, equity: Any, totals: Any,
) -> None:  # fmt: skip
    """Run the account; fills `equity` (sessions,) and `totals` (TOTALS,).

    opens (sessions, tickers), closes (tickers, sessions). rows, weights: the stretches of a decision, whose row r acts
    as the account's row r + shift, or as `first` if that is later; scheduled: rows after which the books are brought
    back to target, ascending. The rest as in `simulate`.
    """
    sessions, tickers = opens.shape
    shares: Any = np.zeros(tickers)
    basis: Any = np.zeros(tickers)
    sizes: Any = np.zeros(tickers)
    held: Any = np.zeros(tickers)
    exposure = np.zeros(2)
    totals[:] = 0.0
    begin = 0
    stretch = 0
    nth = 0
    while stretch + 1 < len(rows) and rows[stretch + 1] + shift <= first:
        stretch += 1
    interest = cash * overnight[0]
    while True:
        is_same = True
        while is_same and stretch < len(rows):  # of equal weights: nothing to do
            for i in range(tickers):
                is_same = is_same and weights[stretch, i] == held[i]
            stretch += is_same
        changed = max(rows[stretch] + shift, first) if stretch < len(rows) else sessions
        while nth < len(scheduled) and scheduled[nth] < max(begin, first):
            nth += 1
        due = min(changed, scheduled[nth]) if nth < len(scheduled) else changed
        end = min(due + 1, sessions)
        cash = value_stretch(
            closes, shares, basis, is_small, cash, interest, overnight, earns, begin, end, equity, exposure
        )
        begin = end
        if begin >= sessions:
            break
        if due == changed:
            for i in range(tickers):
                held[i] = weights[stretch, i]
            stretch += 1
        interest = cash * overnight[begin]
        if trade_sizes(cash, shares, basis, opens[begin], held, rate, whole, sizes):
            worth, traded = cash, 0.0
            fills = totals[2]
            for i in range(tickers):
                worth += shares[i] * opens[begin, i]
                traded += abs(sizes[i]) * opens[begin, i]
            cash = fill_all(cash, opens[begin], rate, shares, basis, sizes, totals)
            if totals[2] > fills:
                totals[1] += 1.0
                if totals[1] > 1.0:
                    totals[0] += 0.5 * traded / worth
    totals[3] = exposure[0] / exposure[1] if exposure[1] else np.nan
