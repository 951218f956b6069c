"""Replay: what a next()-style strategy did in one run, in the order it could be known; also of a run that broke off.

The flow: a Market -> REPLAY -> `audit` compares two of them up to a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from backtest.account import run_backtrader
from backtest.account.feeds import EPOCH_ORDINAL
from backtest.account.plan import Terms, make_plan
from backtest.market import Market


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. half: 2 x row when it was known at the open of that row, 2 x row + 1 at its close."""

    half: int
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What one run did; rows are the sessions of the test.

    orders: as created, the pending ones as well. fills, equity: known at their session's close.
    warm_up: rows before the strategy's first `next`, which may not run at all on fewer.
    crash, crash_row: how and after which row the run broke off; None when it ran to the end.
    """

    sessions: pd.DatetimeIndex
    orders: Sequence[Event]
    fills: Sequence[Event]
    equity: Sequence[Event]
    warm_up: int = 0
    crash: Exception | None = None
    crash_row: int = 0


@dataclass(slots=True)
class Watch:
    """What is seen of a strategy while it runs: itself, and which of its orders it created in `next_open`."""

    strategy: Any = None
    at_open: set[int] = field(default_factory=set)


def replay(
    strategy: type,
    parameters: dict[str, Any],
    market: Market,
    tickers: tuple[str, ...],
    start: pd.Timestamp,
    terms: Terms,
) -> Replay:
    """Run a next()-style strategy on the market's sessions from `start`; whatever it raises is part of the answer."""
    weights = np.zeros((len(market.sessions), len(tickers)))  # a strategy that trades in its own `next` has no targets
    plan = make_plan(market, tickers, weights, start, terms)
    watch = Watch()
    crash = None
    try:
        run_backtrader(plan, watched(strategy, watch), **parameters)
    except Exception as error:  # a user's code may raise anything; the audit says what and where
        crash = error
    if watch.strategy is None:
        return Replay(plan.sessions, (), (), (), crash=crash)
    days = plan.sessions.to_numpy().astype("datetime64[D]").astype(np.int64) + EPOCH_ORDINAL
    row_of = {int(day): row for row, day in enumerate(days)}
    orders = watch.strategy.broker.orders
    return Replay(
        plan.sessions,
        orders=[_order(order, row_of, number in watch.at_open) for number, order in enumerate(orders)],
        fills=sorted((event for order in orders for event in _fills(order, row_of)), key=lambda event: event.half),
        equity=[Event(2 * row + 1, repr(value)) for row, value in enumerate(watch.strategy.analyzers.books.equity)],
        warm_up=int(watch.strategy._minperiod) - 1,
        crash=crash,
        crash_row=max(min(len(watch.strategy), len(plan.sessions)) - 1, 0),
    )


def watched(strategy: Any, watch: Watch) -> type:
    """The same strategy, which shows itself to `watch`; it decides nothing else."""

    class Watched(strategy):  # type: ignore[misc]
        def start(self) -> None:
            watch.strategy = self
            super().start()

        def next_open(self) -> None:
            before = len(self.broker.orders)
            super().next_open()
            watch.at_open.update(range(before, len(self.broker.orders)))

    Watched.__name__ = strategy.__name__
    return Watched


def _order(order: Any, row_of: dict[int, int], is_at_open: bool) -> Event:
    row = row_of[int(order.created.dt)]
    side = "buy" if order.isbuy() else "sell"
    kind = order.getordername()
    level = "" if order.exectype == order.Market else f" at {order.created.price!r} {order.created.pricelimit!r}"
    text = f"{side} {abs(order.created.size)!r} {order.data._name} ({kind}{level})"
    return Event(2 * row if is_at_open else 2 * row + 1, text)


def _fills(order: Any, row_of: dict[int, int]) -> list[Event]:
    return [
        Event(2 * row_of[int(fill.dt)] + 1, f"{fill.size!r} {order.data._name} at {fill.price!r}")
        for fill in order.executed.exbits
    ]
