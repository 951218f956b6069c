"""The kernel for sweeps: the same account as `kernel.simulate`, to the last bit, in far fewer operations.

Between two trades nothing but prices changes, so that a stretch of sessions is valued ticker by ticker in loops that
the processor runs eight wide; a decision is a byte per session that names a row of a small table of weights. Written in
plain Python that numba compiles (`study/sweep_engine.py`). A drift rule asks every session and stays with `simulate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.sizing import trade_sizes

MOST_CODES = 64
"""Distinct holdings of one variant that a table has room for; more (a continuous share) go by `simulate`."""

TOTALS = 5
"""turnover, rebalances, trades, exposure_small, costs_usd: the fields of an Activity."""


def encode(small: Any, cash: Any, first_small: float, first_cash: float, codes: Any, table: Any) -> int:
    """Decisions as bytes: `codes` (sessions,) name rows of `table` (MOST_CODES, 2) of small share and cash share.

    small, cash: as in a Decision, (sessions,); NaN in small stands for the initial shares. Returns how many rows there
    are, -1 where a value is no share, -2 where there are more than MOST_CODES.
    """
    count = 0
    last = 0
    for t in range(len(small)):
        share, aside = small[t], cash[t]
        if not (0.0 <= aside <= 1.0):
            return -1
        if np.isnan(share):
            share, aside = first_small, first_cash
        elif not (0.0 <= share <= 1.0):
            return -1
        if count == 0 or table[last, 0] != share or table[last, 1] != aside:
            last = count
            for k in range(count):
                if table[k, 0] == share and table[k, 1] == aside:
                    last = k
                    break
            if last == count:
                if count == MOST_CODES:
                    return -2
                table[count, 0] = share
                table[count, 1] = aside
                count += 1
        codes[t] = last
    return count


def weights_of(table: Any, rows: int, growth: Any, small: Any, weights: Any, alias: Any) -> None:
    """Fill `weights` (MOST_CODES + 1, tickers) as `Legs.weights` does, and `alias`: the first row of equal weights.

    Row `rows` is the empty account, since an account holds nothing before its first trade.
    """
    for k in range(rows + 1):
        for i in range(len(growth)):
            if k < rows:
                invested = table[k, 0] * small[i] + (1.0 - table[k, 0]) * growth[i]
                weights[k, i] = (1.0 - table[k, 1]) * invested
            else:
                weights[k, i] = 0.0
        alias[k] = k
        for other in range(k):
            is_same = True
            for i in range(len(growth)):
                if weights[other, i] != weights[k, i]:
                    is_same = False
            if is_same:
                alias[k] = other
                break


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


def account(
    opens: Any, closes: Any, codes: Any, alias: Any, empty: int, weights: Any, is_small: Any, is_scheduled: Any,
    first: int, overnight: Any, earns: bool, cash: float, rate: float, whole: bool, equity: Any, totals: Any,
) -> None:  # fmt: skip
    """Run the account; fills `equity` (sessions,) and `totals` (TOTALS,).

    opens (sessions, tickers), closes (tickers, sessions), codes (sessions,): rows of `weights`, equal ones told by
    `alias`; the row `empty` is the account before its first trade. The rest as in `simulate`.
    """
    sessions, tickers = opens.shape
    shares: Any = np.zeros(tickers)
    basis: Any = np.zeros(tickers)
    sizes: Any = np.zeros(tickers)
    exposure = np.zeros(2)
    totals[:] = 0.0
    held = alias[empty]
    begin = 0
    interest = cash * overnight[0]
    while True:
        due = max(begin, first)
        while due < sessions and alias[codes[due]] == held and not is_scheduled[due]:
            due += 1
        end = min(due + 1, sessions)
        cash = value_stretch(
            closes, shares, basis, is_small, cash, interest, overnight, earns, begin, end, equity, exposure
        )
        begin = end
        if begin >= sessions:
            break
        held = alias[codes[due]]
        interest = cash * overnight[begin]
        if trade_sizes(cash, shares, basis, opens[begin], weights[held], rate, whole, sizes):
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
