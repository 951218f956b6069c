"""Benchmarks: tickers held and static mixes, by the same kernel, on the same sessions and terms as the strategy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from backtest import two_legs
from backtest.account.books import Books
from backtest.account.kernel import run_kernel
from backtest.account.plan import Terms, make_plan
from backtest.config import Config
from backtest.market import Legs, Market


def hold(market: Market, ticker: str, start: pd.Timestamp, terms: Terms) -> Books:
    """Books of buying `ticker` at the first open after `start` and doing nothing."""
    weights = np.ones((len(market.sessions), 1))
    return run_kernel(make_plan(market, (ticker,), weights, start, dataclasses.replace(terms, rebalance="on_change")))


def static_mix(market: Market, legs: Legs, small_share: float, start: pd.Timestamp, terms: Terms) -> Books:
    """Books of a fixed share of the small leg, the rest in growth, rebalanced monthly at the same costs."""
    rows = len(market.sessions)
    weights = two_legs.weights(legs, legs.tickers, np.full(rows, small_share), np.zeros(rows))
    return run_kernel(make_plan(market, legs.tickers, weights, start, dataclasses.replace(terms, rebalance="monthly")))


def run_benchmarks(config: Config, market: Market, legs: Legs, terms: Terms) -> dict[str, Books]:
    """Books of each benchmark of the config, in its order, by name (`QQQ`, `static_mix_0.5`)."""
    start = pd.Timestamp(config.data.start)
    return {
        benchmark_name(b): hold(market, b, start, terms)
        if isinstance(b, str)
        else static_mix(market, legs, b.static_mix, start, terms)
        for b in config.benchmarks
    }


def benchmark_name(benchmark: object) -> str:
    """The ticker, or `static_mix_<share>`: the name in files."""
    return benchmark if isinstance(benchmark, str) else f"static_mix_{benchmark.static_mix:g}"  # type: ignore[attr-defined]


def benchmark_label(name: str) -> str:
    """The name on a page: `static_mix_0.5` reads `50/50 mix`, `static_mix_0.3` reads `30/70 mix` (small first)."""
    if not name.startswith("static_mix_"):
        return name
    small = 100 * float(name.removeprefix("static_mix_"))
    return f"{small:g}/{100 - small:g} mix"
