"""A plain bt.Strategy with its own `next` runs on the same engine; what the broker refuses is an error."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pytest
from worlds import fills_of, hand_market

from backtest.account import run_backtrader
from backtest.account.books import check_identities
from backtest.account.plan import Plan, Terms, make_plan
from backtest.config import load_config
from backtest.errors import ConfigError, OrderRefused
from backtest.pipeline import check_terms_of_own_orders
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


class BuyOnce(bt.Strategy):  # type: ignore[misc]
    """Asks for a share of equity in the first feed after the first close."""

    params = (("share", 0.5), ("exectype", None), ("price", None))

    def next(self) -> None:
        if len(self) == 1:
            self.order_target_percent(self.datas[0], self.p.share, exectype=self.p.exectype, price=self.p.price)


class StopLoss(bt.Strategy):  # type: ignore[misc]
    """Path-dependent: sells when the close is a tenth below what was paid."""

    def next(self) -> None:
        position = self.getposition(self.datas[0])
        if len(self) == 1:
            self.buy(self.datas[0], size=100)
        elif position.size and self.datas[0].close[0] < 0.9 * position.price:
            self.close(self.datas[0])


class Averages(bt.Strategy):  # type: ignore[misc]
    """Warms up on an indicator, so that `next` begins late."""

    def __init__(self) -> None:
        self.average = bt.indicators.SMA(self.datas[0].close, period=3)

    def next(self) -> None:
        if not self.getposition(self.datas[0]).size:
            self.buy(self.datas[0], size=10)


class Borrows(bt.Strategy):  # type: ignore[misc]
    """Its own costs bear interest on a position, every session that it is held."""

    def start(self) -> None:
        costs = bt.CommInfoBase(interest=0.365, interest_long=True, stocklike=True, commtype=bt.CommInfoBase.COMM_PERC)
        self.broker.addcommissioninfo(costs, name="G")

    def next(self) -> None:
        if len(self) == 1:
            self.buy(self.datas[0], size=10)


def plan(G: Any, G_open: Any = None, **terms: Any) -> Plan:
    market = hand_market("2024-09-16", G=G, S=[50.0] * len(G), G_open=G_open or G)
    weights = np.full((len(G), 2), np.nan)
    return make_plan(market, ("G", "S"), weights, market.sessions[0], Terms(**terms))


def test_its_order_is_filled_at_the_next_open_and_sized_at_its_own_close() -> None:
    books = run_backtrader(plan([100.0, 110.0, 120.0], [100.0, 80.0, 115.0], cost_rate=0.001), BuyOnce)
    assert fills_of(books) == [("2024-09-17", "G", 500.0, 80.0)]
    assert books.fills.cost.tolist() == [40.0]
    assert books.equity.tolist() == [100_000.0, 100_000 - 40_000 - 40 + 55_000.0, 100_000 - 40_000 - 40 + 60_000.0]
    check_identities(books, 100_000.0, np.zeros(len(books.sessions)))


def test_a_stop_on_what_was_paid_works() -> None:
    books = run_backtrader(plan([100.0, 100.0, 85.0, 80.0, 80.0]), StopLoss)
    assert fills_of(books) == [("2024-09-17", "G", 100.0, 100.0), ("2024-09-19", "G", -100.0, 80.0)]


def test_books_of_a_strategy_that_warms_up_have_every_session() -> None:
    books = run_backtrader(plan([100.0, 101.0, 102.0, 103.0, 104.0]), Averages)
    assert len(books.equity) == 5
    assert fills_of(books) == [("2024-09-19", "G", 10.0, 103.0)]


def test_fractional_shares_may_be_asked_for_by_weight() -> None:
    books = run_backtrader(plan([300.0, 300.0, 300.0]), BuyOnce)
    assert books.fills.size.tolist() == [50_000 / 300]
    whole = run_backtrader(plan([300.0, 300.0, 300.0], whole_shares=True), BuyOnce)
    assert whole.fills.size.tolist() == [166.0]


def test_a_purchase_of_everything_that_the_open_made_dearer_is_refused_aloud() -> None:
    with pytest.raises(OrderRefused, match=r"^2024-09-17: G: buy of 1000 shares: Margin"):
        run_backtrader(plan([100.0, 101.0, 102.0]), BuyOnce, share=1.0)


def test_a_purchase_of_everything_that_costs_made_dearer_is_refused_aloud() -> None:
    with pytest.raises(OrderRefused, match="costs included"):
        run_backtrader(plan([100.0, 100.0, 100.0], cost_rate=0.0005), BuyOnce, share=1.0)


def test_an_order_that_expires_is_refused_aloud() -> None:
    class Limit(bt.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            if len(self) == 1:
                today = self.datas[0].datetime.date(0)
                self.buy(self.datas[0], size=1, price=10.0, exectype=bt.Order.Limit, valid=today)

    with pytest.raises(OrderRefused, match=r"^2024-09-17: G: buy of 1 shares: Expired$"):
        run_backtrader(plan([100.0] * 5), Limit)


def test_a_cancelled_order_is_refused_aloud() -> None:
    class Cancels(bt.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            if len(self) == 1:
                self.order = self.buy(self.datas[0], size=1, price=10.0, exectype=bt.Order.Limit)
            elif len(self) == 3:
                self.cancel(self.order)

    with pytest.raises(OrderRefused, match=r"^2024-09-19: G: buy of 1 shares: Canceled$"):
        run_backtrader(plan([100.0] * 5), Cancels)


def test_a_strategy_that_swallows_its_notifications_is_still_heard() -> None:
    class Deaf(BuyOnce):
        def notify_order(self, order: Any) -> None:
            """Hears nothing."""

    with pytest.raises(OrderRefused):
        run_backtrader(plan([100.0, 101.0, 102.0]), Deaf, share=1.0)


def test_feeds_with_equal_closes_are_not_mistaken_for_each_other() -> None:
    """Backtrader compares feeds by their current close; books go by name."""

    class BuysSecond(bt.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            if len(self) == 1:
                self.buy(self.datas[1], size=3)

    equal = plan([50.0] * 4)
    assert fills_of(run_backtrader(equal, BuysSecond)) == [("2024-09-17", "S", 3.0, 50.0)]
    swapped = dataclasses.replace(equal, tickers=("S", "G"))
    assert fills_of(run_backtrader(swapped, BuysSecond)) == [("2024-09-17", "G", 3.0, 50.0)]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("execution.rebalance=monthly", "execution.rebalance"),
        ("execution.delay_sessions=2", "execution.delay_sessions"),
        ("execution.idle_cash=tbill", "execution.idle_cash"),
    ],
)
def test_a_setting_that_own_orders_would_ignore_is_refused(setting: str, named: str) -> None:
    config = load_config(QUICKSTART, strategies=REGISTRY, overrides=[setting])
    with pytest.raises(ConfigError, match=named):
        check_terms_of_own_orders(config)


def test_interest_of_a_strategys_own_costs_is_charged_in_sessions_without_an_order() -> None:
    cash = run_backtrader(plan([10.0] * 6, cash=1000.0), Borrows).cash
    assert (np.diff(cash[2:]) < 0).all(), "not only when something is traded"
