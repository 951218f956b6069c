"""Pending: what an account is going to trade, by the kernel itself, on sessions that have not come yet.

The flow: config -> market -> decision -> plan -> PENDING (the plan gone on at the last prices) -> fills.
What an account sends tomorrow depends on its delay, its calendar, its drift and what it holds: a second arithmetic
would be another account.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.books import Books
from backtest.account.kernel import run_kernel
from backtest.account.plan import Plan
from backtest.account.sizing import trade_sizes
from backtest.market import Floats, Market, interest_between
from backtest.signals.periods import sessions_ahead


@dataclass(frozen=True, slots=True)
class Order:
    """One order. shares: negative for a sale; price: the one it is sized or valued at.

    kind: `market`, or of a strategy's own `limit`, `stop`, `stop limit`, with its prices.
    """

    ticker: str
    shares: float
    price: float
    cost_usd: float
    kind: str = "market"
    at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """The trades of one session. decided: the session at whose close they were; trigger: as `Plan.trigger`.

    row: of the plan. weights: targets by ticker, (tickers,). cash_usd: left after them.
    """

    row: int
    session: pd.Timestamp
    decided: pd.Timestamp
    trigger: str
    weights: Floats
    orders: tuple[Order, ...]
    cash_usd: float


def go_on(plan: Plan, market: Market, sessions: int) -> Plan:
    """The plan with so many sessions of the exchange's calendar more: nothing new decided, at the last closes."""
    ahead = sessions_ahead(market, sessions)
    overnight = np.zeros(len(ahead))
    if plan.terms.earns_tbill and market.tbill is not None:
        known = np.full(len(ahead), float(market.tbill.iloc[-1]))
        overnight = interest_between(known, pd.DatetimeIndex(market.sessions[-1:].append(ahead)))
    last = np.repeat(plan.closes[-1:], len(ahead), axis=0)
    later: dict[str, Any] = {
        "opens": last,
        "closes": last,
        "targets": np.repeat(plan.targets[-1:], len(ahead), axis=0),
        "is_scheduled": np.zeros(len(ahead), dtype=np.bool_),
        "overnight": overnight,
    }
    if plan.ratios is not None:
        later |= {"ratios": np.ones_like(last), "dividends": np.zeros_like(last)}
    rows: dict[str, Any] = {name: np.concatenate([getattr(plan, name), more]) for name, more in later.items()}
    return dataclasses.replace(plan, sessions=pd.DatetimeIndex(plan.sessions.append(ahead)), **rows)


def due_orders(plan: Plan, known: int) -> tuple[Books, list[Due]]:
    """The books of a plan that has gone on, and what they trade because of its first `known` sessions.

    That is what falls due after them; of fills at the close decided on, what the last of them traded itself. What is
    due although nothing is off target at the last closes has no orders yet: another price will make some.
    """
    books, delay = run_kernel(plan), plan.terms.delay_sessions
    fills, found = books.fills, []
    first = known - 1 if delay == 0 else known
    moved = run_kernel(_moved(plan, known)).fills.row if delay else fills.row
    rows = np.union1d(fills.row, moved)
    for row in rows[rows >= first].tolist():
        orders = tuple(
            Order(plan.tickers[fills.ticker[i]], float(fills.size[i]), float(fills.price[i]), float(fills.cost[i]))
            for i in np.flatnonzero(fills.row == row).tolist()
        )
        spent = sum(order.shares * order.price + order.cost_usd for order in orders) if row == 0 else 0.0
        found.append(
            Due(
                row,
                plan.sessions[row],
                plan.sessions[row - delay],
                plan.trigger(row),
                plan.targets[row - delay],
                orders,
                float(books.cash[row]) - spent,  # the base row shows the account before its fills
            )
        )
    return books, found


def _moved(plan: Plan, known: int) -> Plan:
    """The same plan where every ticker goes its own way after the `known` sessions: whatever is due trades."""
    opens, closes = plan.opens.copy(), plan.closes.copy()
    for prices in (opens, closes):
        rows, tickers = prices[known:].shape
        prices[known:] *= 1.0 + 0.1 * ((np.arange(1, rows + 1)[:, None] * np.arange(1, tickers + 1)) % 7)
    return dataclasses.replace(plan, opens=opens, closes=closes)


def orders_toward(
    weights: Floats, tickers: tuple[str, ...], held: Floats, cash: float, prices: Floats, plan: Plan
) -> tuple[Order, ...]:
    """Orders from shares and cash of one's own to weights at `prices`, sells first, on the plan's terms."""
    sizes, rate = [0.0] * len(tickers), plan.terms.cost_rate
    basis = prices.tolist()
    if not trade_sizes(cash, held.tolist(), basis, basis, weights.tolist(), rate, plan.terms.whole_shares, sizes):
        return ()
    orders = [
        Order(ticker, size, price, abs(size) * price * rate)
        for ticker, size, price in zip(tickers, sizes, basis, strict=True)
        if size
    ]
    return tuple(sorted(orders, key=lambda order: order.shares > 0.0))
