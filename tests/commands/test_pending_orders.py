"""`signal` is the pending order of the tested account: held against the run itself, on data cut at random days."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import backtrader as bt
import cheats
import numpy as np
import pandas as pd
import pytest

from backtest.account import Books, run_kernel
from backtest.account.engine import run_backtrader
from backtest.account.pending import due_orders
from backtest.account.plan import Plan
from backtest.config import Config, config_from_text, load_config
from backtest.data import load_market
from backtest.market import Market
from backtest.now.signal import PendingSignal, holding_orders, orders_csv, signal_of
from backtest.pipeline import decide, plan_of
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = tuple(path.stem for path in sorted(CONFIGS.glob("*.yaml")) if not path.stem.startswith(("study_", "events_")))
CALENDARS = ("on_change", "daily", "weekly", "monthly", "quarterly", "annual", "{every_sessions: 5}", "{drift: 0.01}")
START, FIRST_DAY, LAST_DAY = "2019-01-02", "2019-01-03", "2025-11-30"
FEW, MANY = 60, 440


@cache
def market_of(name: str) -> Market:
    return load_market(asked(name, []))


def asked(name: str, terms: list[str]) -> Config:
    overrides = ["data.prices={source: sample}", f"data.start={START}", "data.end=2025-12-31", *terms]
    if name == "story_2024":  # its own year, otherwise
        overrides += ["benchmarks=[QQQ]"]
    return load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY, overrides=overrides)


def drawn(seed: int) -> tuple[Config, Market, pd.Timestamp]:
    """A shipped config on terms drawn at random, its market, and a day at which its data will be cut.

    Half of the days are the eve of a trade, on which `signal` has something to say.
    """
    rng = np.random.default_rng([20240716, seed])
    name = SHIPPED[seed % len(SHIPPED)]
    fill, accounting = rng.choice(["open", "close"], p=[0.7, 0.3]), rng.choice(["total_return", "raw"])
    terms = {
        "rebalance": CALENDARS[int(rng.integers(len(CALENDARS)))],
        "delay_sessions": int(rng.integers(1 if fill == "open" else 0, 6)),
        "fill": fill,
        "shares": rng.choice(["fractional", "whole"], p=[0.7, 0.3]),
        "accounting": accounting,
        "initial_cash_usd": int(rng.choice([3_000, 100_000])),
        "idle_cash": rng.choice(["none", "tbill"]),
        "slippage_bps": int(rng.choice([0, 4, 50])),
    }
    config = asked(name, ["data.tbill=irx", *(f"execution.{key}={value}" for key, value in terms.items())])
    market = market_of(name)
    sessions = market.sessions
    day = int(
        rng.integers(sessions.searchsorted(pd.Timestamp(FIRST_DAY)), sessions.searchsorted(pd.Timestamp(LAST_DAY)))
    )
    if rng.random() < 0.5:
        plan, books = run_of(config, market)
        begin = len(sessions) - len(plan.sessions)
        traded = begin + np.unique(books.fills.row) - int(rng.integers(max(terms["delay_sessions"], 1)))
        day = int(rng.choice(traded[(traded > begin) & (traded < len(sessions) - 10)])) - (terms["delay_sessions"] > 0)
    return config, market, sessions[day]


def run_of(config: Config, market: Market) -> tuple[Plan, Books]:
    plan = plan_of(config, market, decide(config, market, REGISTRY[config.strategy.name]))
    return plan, run_kernel(plan)


def check_against_the_run(seed: int) -> bool:
    """Compare; says whether anything was due."""
    config, market, day = drawn(seed)
    plan, books = run_of(config, market)
    found = signal_of(config, market.until(day), REGISTRY[config.strategy.name])
    known, delay = found.known, plan.terms.delay_sessions
    assert plan.sessions[known - 1] == day
    assert found.row == (known - 1 if delay == 0 else known), "the next fill: at this close itself, or after it"
    window = range(known - 1, known) if delay == 0 else range(known, known + delay)
    told = {due.row: due for due in found.due}
    traded = {row for row in window if (books.fills.row == row).any()}
    assert set(told) <= set(window)
    assert traded <= set(told), f"{config.execution} {day}: the run traded, and nothing was said to be due"
    if not plan.terms.whole_shares:  # a whole share too few to trade is seen at the open alone
        assert traded == set(told), f"{config.execution} {day}"
        assert (found.next_due is not None) == (found.row in traded)
    for row, due in told.items():
        assert due.session == plan.sessions[row]
        assert due.decided == plan.sessions[row - delay]
        assert due.weights.tolist() == plan.targets[row - delay].tolist()
    sized = with_that_open(found, plan, window)
    assert sized == {row: fills_of(books, row) for row in sized}
    assert set(sized) == traded
    return bool(told)


def with_that_open(found: PendingSignal, plan: Plan, window: range) -> dict[int, list[tuple[str, float, float]]]:
    """The orders due, by row, sized at the prices that came: the one thing that could not be known."""
    ahead = found.plan
    rows = slice(found.known, window.stop)
    changes: dict[str, Any] = {}
    for name in ("opens", "closes", "ratios", "dividends"):
        if getattr(ahead, name) is not None:
            changes[name] = getattr(ahead, name).copy()
            changes[name][rows] = getattr(plan, name)[rows]
    changes["overnight"] = ahead.overnight.copy()  # of the first night it is known, of later ones it came with them
    changes["overnight"][found.known + 1 :] = plan.overnight[found.known + 1 : window.stop]
    _, due = due_orders(dataclasses.replace(ahead, **changes), found.known)
    return {
        each.row: [(order.ticker, order.shares, order.price) for order in each.orders] for each in due if each.orders
    }


def fills_of(books: Books, row: int) -> list[tuple[str, float, float]]:
    fills = books.fills
    return [
        (books.tickers[fills.ticker[i]], float(fills.size[i]), float(fills.price[i]))
        for i in np.flatnonzero(fills.row == row).tolist()
    ]


def test_signal_is_the_pending_order_of_the_run() -> None:
    assert sum(check_against_the_run(seed) for seed in range(FEW)) > FEW // 3


@pytest.mark.slow
def test_signal_is_the_pending_order_of_the_run_in_many_more_draws() -> None:
    assert sum(check_against_the_run(seed) for seed in range(FEW, FEW + MANY)) > MANY // 3


@pytest.mark.parametrize(("delay", "due"), [(1, "2019-08-01"), (3, "2019-08-05"), (5, "2019-08-07")])
def test_a_cut_is_traded_when_the_delay_says_and_told_on_the_evening_before(delay: int, due: str) -> None:
    """The cut of 2019-07-31, `rate_cut`: told as pending from its own evening on, as orders on the last one alone."""
    config, market = asked("rate_cut", [f"execution.delay_sessions={delay}"]), market_of("rate_cut")
    strategy = REGISTRY["rate_cut"]
    fill = int(market.sessions.searchsorted(pd.Timestamp(due)))
    told = {k: signal_of(config, market.until(market.sessions[fill - k]), strategy) for k in range(delay + 2)}
    pending = [k for k, each in told.items() if any(f"{one.session:%Y-%m-%d}" == due for one in each.due)]
    assert pending == list(range(1, delay + 1))
    assert [k for k in pending if told[k].next_due is not None] == [1]
    assert told[1].next_due is not None
    assert f"{told[1].next_due.decided:%Y-%m-%d}" == "2019-07-31"
    assert dict(zip(told[1].plan.tickers, told[1].next_due.weights.tolist(), strict=True)) == {
        "QQQ": 0.0, "IVW": 0.0, "IWM": 0.5, "IWN": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rebalance", "evenings"), [("monthly", {0, 19}), ("on_change", set()), ("weekly", {0, 5, 10, 14, 19})]
)
def test_a_mix_has_orders_on_the_evenings_of_its_calendar_alone(rebalance: str, evenings: set[int]) -> None:
    """`static_mix`, 20 evenings: from a Friday that ends its month to another, with a holiday between."""
    config, market = asked("static_mix", [f"execution.rebalance={rebalance}"]), market_of("static_mix")
    first = int(market.sessions.searchsorted(pd.Timestamp("2024-05-31")))
    told = [signal_of(config, market.until(market.sessions[first + k]), REGISTRY["static_mix"]) for k in range(20)]
    assert {k for k, each in enumerate(told) if each.next_due is not None} == evenings


# ------------------------------------------------------------------------------------------------- next()

OWN = {"honest_next": cheats.HonestNext, "open_at_its_own_open": cheats.OpenAtItsOwnOpen}


class LimitBelow(cheats.Rotation):
    """Leaves a limit order below the market, which stays open."""

    def next(self) -> None:
        if len(self) == 1:
            self.buy(self.datas[0], size=10.0, exectype=bt.Order.Limit, price=1.0)


def own_config(name: str, strategies: dict[str, type]) -> Config:
    text = f"""
name: own
data: {{prices: {{source: sample}}, start: 2025-06-02, end: 2025-12-31}}
legs: {{growth: {{QQQ: 1}}, small: {{IWM: 1}}}}
strategy: {{name: {name}}}
execution: {{commission_bps: 1, slippage_bps: 4}}
"""
    return config_from_text(text, strategies=strategies)


@cache
def own_market() -> Market:
    return load_market(own_config("honest_next", OWN))


@pytest.mark.parametrize("back", range(3, 60, 8))
def test_a_next_style_strategy_is_run_and_its_open_orders_are_told(back: int) -> None:
    market, strategy = own_market(), cheats.HonestNext
    config = own_config("honest_next", OWN)
    plan = plan_of(config, market, decide(config, market, strategy))
    books = run_backtrader(plan, strategy)
    traded = np.unique(books.fills.row)
    for row in (int(traded[-back % len(traded)]), len(plan.sessions) - back):
        found = signal_of(config, market.until(plan.sessions[row - 1]), strategy)
        was = [(ticker, size) for ticker, size, _ in fills_of(books, row)]
        told = [] if found.next_due is None else [(o.ticker, o.shares) for o in found.next_due.orders]
        assert sorted(told) == sorted(was)
        assert found.plan.sessions[found.row] == plan.sessions[row]
        assert found.books.equity.tolist() == books.equity[:row].tolist()


def test_orders_made_at_the_open_itself_are_told_as_at_the_last_close() -> None:
    config, market = own_config("open_at_its_own_open", OWN), own_market()
    found = signal_of(config, market, cheats.OpenAtItsOwnOpen)
    opens = market.close.iloc[-1]  # no gap on either side: growth is wanted, unless it is held
    holds_growth = found.books.shares()[-1][0] > 0.0
    assert (found.next_due is None) == holds_growth
    if found.next_due is not None:
        (bought,) = (order for order in found.next_due.orders if order.shares > 0.0)
        assert (bought.ticker, bought.shares) == ("QQQ", 40_000.0 / float(opens["QQQ"]))


def test_a_holding_with_a_fraction_is_traded_in_whole_shares_but_where_all_is_sold() -> None:
    config = asked("quickstart", ["execution.shares=whole", "legs={growth: {QQQ: 1}, small: {IWM: 1}}"])
    found = signal_of(config, market_of("quickstart"), REGISTRY[config.strategy.name])
    (kept,) = (ticker for ticker, weight in zip(found.plan.tickers, found.weights, strict=True) if weight)
    (sold,) = (ticker for ticker in found.plan.tickers if ticker != kept)
    holding = holding_orders(found, {kept: 3.5, sold: 2.25, "cash": 5_000.0})
    sell, buy = holding.orders
    assert (sell.ticker, sell.shares, buy.ticker) == (sold, -2.25, kept)
    assert buy.shares == int(buy.shares) > 0
    assert 0.0 <= holding.cash_usd < buy.price * 1.001
    rows = [line.split(",")[:3] for line in orders_csv(found, holding).splitlines()[1:]]
    assert rows == [[sold, "SELL", "2.25"], [kept, "BUY", f"{buy.shares:.0f}"]]
    assert not holding_orders(found, {kept: 3.5 + buy.shares, "cash": holding.cash_usd}).orders


def test_a_limit_order_that_is_open_says_what_it_is() -> None:
    strategies = {"limit_below": LimitBelow}
    found = signal_of(own_config("limit_below", strategies), own_market(), LimitBelow)
    assert found.next_due is not None
    (order,) = found.next_due.orders
    assert (order.ticker, order.shares, order.kind, order.at) == ("QQQ", 10.0, "limit", (1.0,))
