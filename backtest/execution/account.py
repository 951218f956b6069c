"""The kernel for sweeps: the same account as `kernel.simulate`, to the last bit, in far fewer operations.

Between two trades nothing but prices changes, so that a stretch of sessions is valued ticker by ticker in loops that
the processor runs eight wide; a decision is a list of the rows at which its weights change. Written in plain Python
that numba compiles (`study/sweep_engine.py`). A drift rule asks every session, a raw account has dividends to book:
both stay with `simulate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.sizing import trade_sizes

TOTALS = 5
"""turnover, rebalances, trades, exposure_small, costs_usd: the fields of an Activity."""


def encode(
    small: Any, cash: Any, first_small: float, first_cash: float, growth: Any, small_leg: Any, rows: Any, weights: Any
) -> int:
    """A decision as stretches of equal weights: `rows` (sessions,) where each begins, `weights` (sessions, tickers).

    small, cash: as in a Decision, (sessions,); NaN in small stands for the initial shares. growth, small_leg:
    (tickers,) weights inside the legs, which make of them what `Legs.weights` does. Returns how many stretches there
    are, -1 where a value is no share.
    """
    count = 0
    before, aside_before = np.nan, np.nan
    for t in range(len(small)):
        share, aside = small[t], cash[t]
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
    worth_of = equity[begin:end]
    worth_of[:] = 0.0
    in_small = 0
    in_growth = 0
    for i in range(len(shares)):
        held, cost = shares[i], basis[i]
        if held == 0.0:
            continue
        price = closes[i, begin:end]
        for u in range(len(worth_of)):
            worth = held * price[u]
            profit = held * (price[u] - cost)
            worth_of[u] = (worth_of[u] + (worth - profit)) + profit
        if is_small[i]:
            in_small += 1
        else:
            in_growth += 1
    counted = end - max(begin, 1)
    if in_small and in_growth:
        for t in range(max(begin, 1), end):
            small, total = 0.0, 0.0
            for i in range(len(shares)):
                worth = shares[i] * closes[i, t]
                total += worth
                if is_small[i]:
                    small += worth
            exposure[0] += small / total
        exposure[1] += counted
    elif in_small or in_growth:
        exposure[0] += counted if in_small else 0
        exposure[1] += counted
    if not earns:
        for u in range(len(worth_of)):
            worth_of[u] = cash + worth_of[u]
        return cash
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


def next_stretch(weights: Any, held: Any, stretch: int) -> int:
    """The first stretch from this one on with other weights than those held; their number when there is none."""
    for k in range(stretch, len(weights)):
        for i in range(len(held)):
            if weights[k, i] != held[i]:
                return k
    return len(weights)


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
        stretch = next_stretch(weights, held, stretch)
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
            held[:] = weights[stretch]
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
