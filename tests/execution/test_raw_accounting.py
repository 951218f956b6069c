"""Raw accounts: prices on the tape, dividends in cash on the ex-date, holdings split; how far total return is off."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from worlds import EXCHANGE, assert_same_books, market_of, random_prices, random_weights

from backtest.account import Books, run_backtrader, run_kernel
from backtest.account.benchmarks import hold_plan, mix_plan, weights_by_ticker
from backtest.account.books import check_identities
from backtest.account.kernel import run_compiled
from backtest.account.plan import Plan, Terms, make_plan
from backtest.account.strategy import RotationStrategy
from backtest.config import Config, CsvPrices, DataConfig, ExecutionConfig, StrategyConfig, TwoLegMix
from backtest.data import load_market
from backtest.data.adjustment import as_traded, own_adjusted
from backtest.decision import Decision
from backtest.errors import ConfigError, DataError
from backtest.market import Floats, Legs, Market

LEGS = Legs({"growth": {"G": 1.0}, "small": {"S": 1.0}})


class Planned(RotationStrategy):
    """Holds what the plan says."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        raise AssertionError("a plan is handed over")


class HoldFirst(bt.Strategy):  # type: ignore[misc]
    """Trades in its own `next`."""


def with_events(market: Market, dividends: Floats, ratios: Floats) -> Market:
    """The same tape with dividends and splits: raw prices fall by them, total-return prices do not change."""
    ratios = np.where(ratios > 0, ratios, 1.0)
    close, open_ = market.close.to_numpy(), market.open.to_numpy()
    factor = np.ones_like(close)
    for t in range(1, len(close)):
        # So that raw_t * ratio / raw_{t-1} = return less the yield; the dividend is per share after the split.
        factor[t] = factor[t - 1] * (1.0 - dividends[t]) / ratios[t]
    raw_close, raw_open = close * factor, open_ * factor
    before = np.vstack([raw_close[:1], raw_close[:-1]])
    paid = dividends * before / ratios
    frames = {"raw_open": raw_open, "raw_close": raw_close, "dividends": paid,
              "splits": np.where(ratios == 1.0, 0.0, ratios)}  # fmt: skip
    made = {name: pd.DataFrame(values, market.close.index, market.close.columns) for name, values in frames.items()}
    return dataclasses.replace(market, **made)


def random_market(seed: int, sessions: int = 150, tickers: int = 3) -> Market:
    rng = np.random.default_rng(seed)
    opens, closes = random_prices(rng, sessions, tickers, volatility=0.02, gap=0.01, is_cents=False)
    days = EXCHANGE[260 : 260 + sessions]
    names = [f"T{i}" for i in range(tickers)]
    rate = rng.uniform(0.0, 0.08, sessions)
    frames = (pd.DataFrame(values, days, names) for values in (opens, closes))
    market = market_of(*frames, exchange=EXCHANGE, tbill=rate)
    shape = (sessions, tickers)
    dividends = np.where(rng.random(shape) < 0.05, rng.uniform(0.0, 0.02, shape), 0.0)
    ratios = np.where(rng.random(shape) < 0.01, rng.choice([2.0, 3.0, 4.0, 1.5, 0.1], shape), 1.0)
    return with_events(market, dividends, ratios)


def random_plan(seed: int, *, is_raw: bool = True) -> Plan:
    market = random_market(seed)
    rng = np.random.default_rng(seed + 10_000)
    kind = ["legs", "dirichlet", "partly cash", "legs or cash", "one ticker"][seed % 5]
    weights = random_weights(rng, len(market.sessions), len(market.tickers), kind, [0.03, 0.2, 1.0][seed % 3])
    rule: Any = ["on_change", "monthly", 0.02][seed % 3]
    terms = Terms(cost_rate=5e-4, rebalance=rule, whole_shares=seed % 2 == 0, earns_tbill=seed % 4 < 2, is_raw=is_raw)
    return make_plan(market, market.tickers, weights, market.sessions[3], terms)


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, 1000), marks=pytest.mark.slow)])
def test_both_engines_and_the_compiled_one_keep_the_same_raw_books(seeds: range) -> None:
    for seed in seeds:
        plan = random_plan(seed)
        books = run_backtrader(plan, Planned)
        assert_same_books(books, run_kernel(plan))
        assert_same_books(books, run_compiled(plan))
        check_identities(books, plan.terms.cash, plan.overnight)


def test_the_books_know_what_is_held_after_every_split() -> None:
    """Equity less cash is holdings at the close, which the books rebuild from fills and splits."""
    for seed in range(40):
        books = run_kernel(random_plan(seed))
        held = (books.shares() * books.closes).sum(axis=1)
        np.testing.assert_allclose(books.cash + held, books.equity, rtol=1e-9)


def two_years_flat(**events: Any) -> Market:
    """Two tickers at 100 dollars throughout, on the tape; events by session."""
    days = EXCHANGE[260:270]
    prices = pd.DataFrame(100.0, days, ["G", "S"])
    market = market_of(prices, prices, exchange=EXCHANGE)
    dividends, splits, raw = prices * 0.0, prices * 0.0, prices.copy()
    for row, amount in events.get("dividends", {}).items():
        dividends.iloc[row, 0] = amount
    for row, ratio in events.get("splits", {}).items():
        splits.iloc[row, 0] = ratio
        raw.iloc[row:, 0] /= ratio
    return dataclasses.replace(market, raw_open=raw, raw_close=raw, dividends=dividends, splits=splits)


def held_raw(market: Market, **terms: Any) -> Books:
    return run_kernel(hold_plan(market, "G", market.sessions[0], Terms(cash=10_000.0, is_raw=True, **terms)))


def test_a_split_of_two_doubles_the_holding_and_changes_no_dollar() -> None:
    books = held_raw(two_years_flat(splits={5: 2.0}), whole_shares=True)
    assert books.shares()[:, 0].tolist() == [0.0, *[100.0] * 4, *[200.0] * 5]
    assert books.equity.tolist() == [10_000.0] * 10
    assert len(books.fills.row) == 1


@pytest.mark.parametrize("ratio", [0.5, 0.1, 0.05, 0.01, 20.0])
def test_a_split_of_any_size_either_way_changes_no_dollar(ratio: float) -> None:
    books = held_raw(two_years_flat(splits={5: ratio}))
    assert books.shares()[-1, 0] == pytest.approx(ratio * books.shares()[1, 0])
    assert books.equity == pytest.approx(10_000.0)


def test_a_dividend_is_cash_on_its_ex_date_for_the_shares_held_the_night_before() -> None:
    books = held_raw(two_years_flat(dividends={1: 9.0, 4: 0.5}), whole_shares=True)
    # Bought at the open of row 1, whose dividend went to whoever held the night before.
    assert books.cash.tolist() == [10_000.0, 0.0, 0.0, 0.0, *[50.0] * 6]
    assert books.income().tolist() == [0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_on_a_day_with_both_the_dividend_is_per_share_after_the_split() -> None:
    books = held_raw(two_years_flat(splits={5: 2.0}, dividends={5: 0.25}), whole_shares=True)
    assert books.cash[5] == 200 * 0.25


def test_a_dividend_can_be_spent_at_the_open_of_its_ex_date() -> None:
    market = two_years_flat(dividends={4: 10.0})
    weights = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 7)
    terms = Terms(cash=10_000.0, is_raw=True, whole_shares=True)
    books = run_backtrader(make_plan(market, ("G", "S"), weights, market.sessions[0], terms), Planned)
    assert books.shares()[-1].tolist() == [0.0, 110.0]


def test_held_and_never_traded_raw_is_behind_by_what_the_dividends_would_have_earned() -> None:
    """In closed form: raw = n (P_T S_T + sum of dividends); total return buys n d / P more shares each time."""
    market = random_market(5, sessions=250, tickers=1)
    yields = np.where(np.arange(250) % 63 == 40, 0.005, 0.0)[:, None]
    market = with_events(market, yields, np.where(np.arange(250)[:, None] == 100, 2.0, 1.0))
    start = market.sessions[0]
    terms = Terms(cost_rate=0.0)
    total = run_kernel(hold_plan(market, "T0", start, terms))
    raw = run_kernel(hold_plan(market, "T0", start, dataclasses.replace(terms, is_raw=True)))
    bought = raw.shares()[1, 0]
    splits = np.cumprod(np.where(market.splits["T0"] > 0, market.splits["T0"], 1.0))
    paid = (bought * splits * market.dividends["T0"].to_numpy())[2:].sum()
    worth = bought * splits[-1] * market.raw_close["T0"].iloc[-1]
    assert raw.equity[-1] == pytest.approx(worth + paid, rel=1e-9)
    reinvested = worth / math.prod((1.0 - yields[2:, 0]).tolist())
    assert total.equity[-1] == pytest.approx(reinvested, rel=1e-9)


def config_of(folder: Path, accounting: Any, **execution: Any) -> Config:
    return Config(
        name="x",
        data=DataConfig(prices=CsvPrices(source="csv", folder=folder), start=date(2001, 7, 31), end=date(2025, 12, 31)),
        strategy=StrategyConfig(name="x"),
        execution=ExecutionConfig(commission_bps=1.0, slippage_bps=4.0, accounting=accounting, **execution),
        benchmarks=("QQQ", TwoLegMix(static_mix=0.5)),
    )


def growth_of(books: Books) -> float:
    years = (books.sessions[-1] - books.sessions[0]).days / 365.25
    return float((books.equity[-1] / books.equity[0]) ** (1 / years) - 1)


def test_on_real_prices_the_two_accounts_differ_by_reinvestment_timing_alone(real_data: Path) -> None:
    """A mix rebalanced monthly reinvests within a month: 0.006 points a year. Held for 24 years and never traded, the
    dividends wait as idle cash: 0.59 points a year for QQQ, which pays little, 1.10 for IWN, which pays much."""
    market = load_market(config_of(real_data / "prices", "raw"))
    start, terms = pd.Timestamp("2001-07-31"), Terms(cost_rate=5e-4)
    legs = Legs()

    def apart(plan: Any, what: Any) -> float:
        both = terms, dataclasses.replace(terms, is_raw=True)
        total, raw = (growth_of(run_kernel(plan(market, what, start, each))) for each in both)
        return total - raw

    mix = apart(mix_plan, weights_by_ticker(legs, np.array([0.5, 0.5])))
    qqq, iwn = apart(hold_plan, "QQQ"), apart(hold_plan, "IWN")
    assert 0.0 < mix < 0.0002
    assert 0.005 < qqq < 0.007
    assert 0.010 < iwn < 0.012


def test_on_the_tape_a_share_costs_what_it_cost(real_data: Path) -> None:
    """QQQ closed 2000-03-17, the session before its split, at twice what a file adjusted for it says."""
    market = load_market(config_of(real_data / "prices", "raw"))
    day = pd.Timestamp("2000-03-17")
    raw = pd.read_csv(real_data / "prices" / "QQQ.csv", index_col="date", parse_dates=True)["close"]
    assert market.raw_close.loc[day, "QQQ"] == 2.0 * raw[day]
    assert market.raw_close["QQQ"].iloc[-1] == raw[market.sessions[-1]]


def test_prices_on_the_tape_do_not_change_when_a_later_split_is_cut_off() -> None:
    days = EXCHANGE[:6]
    columns = ["open", "close", "dividends"]
    frame = pd.DataFrame({**dict.fromkeys(columns, 10.0), "splits": [0, 0, 2.0, 0, 3.0, 0]}, index=days)
    whole = as_traded(frame, frame)
    assert whole["close"].tolist() == [60.0, 60.0, 30.0, 30.0, 10.0, 10.0]
    pd.testing.assert_frame_equal(as_traded(frame.iloc[:3], frame), whole.iloc[:3])


def test_our_own_adjusted_close_is_yahoos(real_data: Path) -> None:
    """Over 24 years of four funds, to 3 parts in 100,000; what is left is the rounding of dividends."""
    for ticker in ("QQQ", "IVW", "IWM", "IWN"):
        frame = pd.read_csv(real_data / "prices" / f"{ticker}.csv", index_col="date", parse_dates=True)
        own = own_adjusted(frame["close"].to_numpy(), frame["dividends"].to_numpy())
        np.testing.assert_allclose(own, frame["adj_close"], rtol=3e-5)


def test_dividends_that_do_not_account_for_the_adjusted_close_are_refused(real_data: Path, tmp_path: Path) -> None:
    for ticker in ("QQQ", "IVW", "IWM", "IWN"):
        frame = pd.read_csv(real_data / "prices" / f"{ticker}.csv")
        frame.drop(columns=["dividends", "splits"]).to_csv(tmp_path / f"{ticker}.csv", index=False)
    load_market(config_of(tmp_path, "total_return"))
    with pytest.raises(DataError, match=r"IWN: the dividends do not account for adj_close on 2001-"):
        load_market(config_of(tmp_path, "raw"))


def test_a_strategy_that_trades_in_its_own_next_is_refused() -> None:
    with pytest.raises(ConfigError, match="found raw, but HoldFirst trades in its own"):
        run_backtrader(random_plan(0), HoldFirst)
