"""The backtrader engine: a strategy and its Plan on feeds of whole columns; every session is run, none is skipped."""

from __future__ import annotations

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from backtest.account.books import Books, Fills, books_of
from backtest.account.feeds import EPOCH_ORDINAL, column_feed
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
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
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
    recorder = cerebro.run()[0].analyzers.books
    return _books(plan, recorder)


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
