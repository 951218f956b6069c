"""The backtrader engine: a strategy and its Plan on feeds of whole columns; every session is run, none is skipped."""

from __future__ import annotations

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from backtest.account.books import Books, Fills, books_of
from backtest.account.feeds import EPOCH_ORDINAL, column_feed
from backtest.account.pending import Order
from backtest.account.plan import Plan
from backtest.account.strategy import RotationStrategy, bars_before, refuse_silence
from backtest.errors import ConfigError
from backtest.market import Floats


class BooksRecorder(bt.Analyzer):
    """Writes down equity and cash at every close and each fill, and lets no order be refused in silence."""

    def start(self) -> None:
        """Empty books."""
        self.equity: list[float] = []
        self.cash: list[float] = []
        self.fills: list[tuple[float, str, float, float, float]] = []

    def prenext(self) -> None:
        """As `next`: a strategy that warms up still has books."""
        self.next()

    def next(self) -> None:
        """After each session."""
        self.equity.append(self.strategy.broker.getvalue())
        self.cash.append(self.strategy.broker.getcash())

    def notify_order(self, order: bt.Order) -> None:
        """Each order fills whole, at one open; executed.price is an average and may be one bit off: take the fill's."""
        refuse_silence(order)
        if order.status == order.Completed:
            fill = order.executed.exbits[-1]
            cost = fill.closedcomm + fill.openedcomm
            self.fills.append((order.executed.dt, order.data._name, fill.size, fill.price, cost))


class ShareBroker(bt.brokers.BackBroker):
    """backtrader's broker, which for shares has nothing to do but value them in a session without an order.

    For rotations alone: a strategy that trades in its own `next` may have set costs that bear interest.
    """

    def next(self) -> None:
        """As backtrader's; shares bear no interest and adjust no cash, the rest of its work is for orders."""
        if self.pending or self.submitted or self._toactivate:
            super().next()
        else:
            self._get_value()


class ShareCosts(bt.CommInfoBase):
    """One rate on traded value; `order_target_percent` and the like may ask for fractional shares."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True), ("whole_shares", False))

    def getsize(self, price: float, cash: float) -> float:
        """Shares that `cash` buys at `price`."""
        return float(cash // price) if self.p.whole_shares else cash / price


def run_backtrader(plan: Plan, strategy: type[bt.Strategy], **parameters: Any) -> Books:
    """The books of a strategy by backtrader. A RotationStrategy is handed the plan; any other trades as it likes.

    Raises OrderRefused when the broker refuses, cancels or lets expire any order.
    """
    return _books(plan, _ran(plan, strategy, parameters).analyzers.books)


def own_orders(
    plan: Plan, ahead: Plan, strategy: type[bt.Strategy], **parameters: Any
) -> tuple[Books, tuple[Order, ...]]:
    """The books of a strategy that trades in its own `next`, and its orders that are open after the last close.

    ahead: the plan gone on by a session; on it are seen the orders that it would make at an open like the last close.
    """
    ran = _ran(plan, strategy, parameters)
    found = [order for order in ran.broker.orders if order.alive() and order.active()]
    if strategy.next_open is not bt.Strategy.next_open:
        opened = _ran(ahead, strategy, parameters)
        day = ahead.sessions[-1].toordinal()
        found += [o for o in opened.broker.orders if o.status == o.Completed and int(o.created.dt) == day]
    orders = tuple(_open_order(order, plan) for order in found)
    return _books(plan, ran.analyzers.books), orders


def _open_order(order: bt.Order, plan: Plan) -> Order:
    """Valued at the last close; a limit or a stop keeps its own prices."""
    ticker = str(order.data._name)
    price, size = float(plan.closes[-1, plan.tickers.index(ticker)]), float(order.created.size)
    kinds = {order.Limit: "limit", order.Stop: "stop", order.StopLimit: "stop limit"}
    kind, own = kinds.get(order.exectype, "market"), (order.created.price, order.created.pricelimit)
    at = () if kind == "market" else tuple(dict.fromkeys(each for each in own if each))
    return Order(ticker, size, price, abs(size) * price * plan.terms.cost_rate, kind, at)


def _ran(plan: Plan, strategy: type[bt.Strategy], parameters: dict[str, Any]) -> bt.Strategy:
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    if issubclass(strategy, RotationStrategy):
        cerebro.setbroker(ShareBroker())
    cerebro.broker.setcash(plan.terms.cash)
    cerebro.broker.set_coo(True)
    costs = ShareCosts(commission=plan.terms.cost_rate, whole_shares=plan.terms.whole_shares)
    sessions, opens, closes = _bars(plan)
    for column, ticker in enumerate(plan.tickers):
        cerebro.adddata(column_feed(sessions, opens[:, column], closes[:, column]), name=ticker)
        cerebro.broker.addcommissioninfo(costs, name=ticker)
    cerebro.addanalyzer(BooksRecorder, _name="books")
    if issubclass(strategy, RotationStrategy):
        parameters["plan"] = plan
    elif plan.terms.is_raw:
        raise ConfigError(f"execution.accounting: found raw, but {strategy.__name__} trades in its own `next`, where "
                          "no dividend is paid; expected total_return")  # fmt: skip
    cerebro.addstrategy(strategy, **parameters)
    return cerebro.run()[0]


def _bars(plan: Plan) -> tuple[pd.DatetimeIndex, Floats, Floats]:
    """Sessions, opens and closes for the feeds; the bar before the first session, if there is one, is a day older."""
    if not bars_before(plan):
        return plan.sessions, plan.opens, plan.closes
    eve = plan.sessions[:1] - pd.Timedelta(days=1)
    opens, closes = (np.vstack([plan.closes[:1], each]) for each in (plan.opens, plan.closes))
    return pd.DatetimeIndex(eve.append(plan.sessions)), opens, closes


def _books(plan: Plan, recorder: BooksRecorder) -> Books:
    days = plan.sessions.to_numpy().astype("datetime64[D]").astype(np.int64) + EPOCH_ORDINAL
    row_of = {int(day): row for row, day in enumerate(days)}
    column_of = {ticker: column for column, ticker in enumerate(plan.tickers)}
    table = [(row_of[int(dt)], column_of[name], size, price, cost) for dt, name, size, price, cost in recorder.fills]
    fills = Fills.of(np.array(table, dtype=np.float64).reshape(len(table), 5))
    keep = np.arange(len(recorder.equity)) != bars_before(plan)  # the base row shows the account before its own fills
    keep |= not bars_before(plan)
    return books_of(plan, np.array(recorder.equity)[keep], np.array(recorder.cash)[keep], fills)
