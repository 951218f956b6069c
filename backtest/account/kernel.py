"""The kernel: backtrader's broker, operation for operation, in plain Python that numba can compile.

Long only, market orders at the open, costs as one rate on traded value. Uncompiled it checks every run; compiled
(`compiled.py`) it carries sweeps. No step can be simplified without losing the last bit: the order of additions is
the broker's own (sales before purchases, a sale as cost basis plus profit, a position's value as cost plus profit).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.account.books import Books, Fills, books_of
from backtest.account.plan import Plan
from backtest.account.sizing import trade_sizes


def simulate(
    opens: Any,
    closes: Any,
    targets: Any,
    is_scheduled: Any,
    first: int,
    band: float,
    overnight: Any,
    cash: float,
    rate: float,
    whole: bool,
    equity: Any,
    cash_at_close: Any,
    fills: Any,
    is_raw: bool = False,
    ratios: Any = ((1.0,),),
    dividends: Any = ((0.0,),),
) -> int:
    """Run the account; fills `equity`, `cash_at_close` (sessions,) and `fills` (row, ticker, size, price, cost).

    opens, closes, targets: (sessions, tickers), lists of lists or arrays. Returns the number of fills; `fills` needs a
    row for each ticker and session at most. is_raw: splits and cash dividends before each open, see Plan.
    """
    tickers = len(targets[0])
    shares = [0.0] * tickers
    basis = [0.0] * tickers
    held = [0.0] * tickers
    sizes = [0.0] * tickers
    is_due = False
    count = 0
    for t in range(len(opens)):
        interest = cash * overnight[t]  # on the cash of the last close; paid in after the fills of this open
        if is_raw:
            for i in range(tickers):
                if ratios[t][i] != 1.0:
                    shares[i] *= ratios[t][i]
                    basis[i] /= ratios[t][i]
                if dividends[t][i] != 0.0:
                    cash += shares[i] * dividends[t][i]
        if is_due and trade_sizes(cash, shares, basis, opens[t], held, rate, whole, sizes):
            for i in range(tickers):
                if sizes[i] < 0.0:
                    q = -sizes[i]
                    price = opens[t][i]
                    cost = q * rate * price
                    cash += q * basis[i] + q * (price - basis[i])
                    cash -= cost
                    shares[i] += sizes[i]
                    if shares[i] == 0.0:
                        basis[i] = 0.0
                    fills[count][0] = t
                    fills[count][1] = i
                    fills[count][2] = sizes[i]
                    fills[count][3] = price
                    fills[count][4] = cost
                    count += 1
            for i in range(tickers):
                if sizes[i] > 0.0:
                    q = sizes[i]
                    price = opens[t][i]
                    cost = q * rate * price
                    cash -= q * price
                    cash -= cost
                    before = shares[i]
                    shares[i] = before + q
                    basis[i] = price if before == 0.0 else (basis[i] * before + q * price) / shares[i]
                    fills[count][0] = t
                    fills[count][1] = i
                    fills[count][2] = q
                    fills[count][3] = price
                    fills[count][4] = cost
                    count += 1
        cash += interest
        invested = 0.0
        for i in range(tickers):
            worth = shares[i] * closes[t][i]
            profit = shares[i] * (closes[t][i] - basis[i])
            if worth > 0.0:
                invested += worth - profit
                invested += profit
            else:
                invested += worth
        equity[t] = cash + invested
        cash_at_close[t] = cash
        is_due = False
        if t >= first:
            is_due = is_scheduled[t]
            for i in range(tickers):
                if targets[t][i] != held[i]:
                    is_due = True
                if abs(shares[i] * closes[t][i] / equity[t] - targets[t][i]) > band:
                    is_due = True
            if is_due:
                for i in range(tickers):
                    held[i] = targets[t][i]
    return count


def run_kernel(plan: Plan) -> Books:
    """The books of a plan, by the kernel as plain Python (about 20 ms for 25 years of four tickers)."""
    count = len(plan.sessions)
    equity, cash = [0.0] * count, [0.0] * count
    fills: list[list[float]] = [[0.0] * 5 for _ in range(_most_fills(plan))]
    used = simulate(
        plan.opens.tolist(),
        plan.closes.tolist(),
        plan.targets.tolist(),
        plan.is_scheduled.tolist(),
        plan.first,
        plan.band,
        plan.overnight.tolist(),
        plan.terms.cash,
        plan.terms.cost_rate,
        plan.terms.whole_shares,
        equity,
        cash,
        fills,
        *raw_arguments(plan, as_lists=True),
    )
    table = np.array(fills[:used], dtype=np.float64).reshape(used, 5)
    return books_of(plan, np.array(equity), np.array(cash), Fills.of(table))


def raw_arguments(plan: Plan, *, begin: int = 0, as_lists: bool = False) -> tuple[Any, ...]:
    """The last three arguments of `simulate` from row `begin` on; arrays for any plan, so that numba compiles once."""
    if plan.ratios is None or plan.dividends is None:
        none = np.zeros((1, 1))
        return False, none, none
    tables = (plan.ratios[begin:], plan.dividends[begin:])
    return (True, *(table.tolist() for table in tables)) if as_lists else (True, *tables)


def _most_fills(plan: Plan) -> int:
    """An upper bound of the number of fills: one per ticker and session at which a trade can be due."""
    changed = int((plan.targets[1:] != plan.targets[:-1]).any(axis=1).sum()) + 1
    sessions = len(plan.targets) if plan.band < 1.0 else changed + int(plan.is_scheduled.sum())
    return sessions * len(plan.tickers)
