"""Benchmarks: a ticker held, or a mix of constant weights, on the sessions and terms of what they stand beside."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.books import Books
from backtest.account.plan import Plan, Terms, constant_targets, make_plan
from backtest.config import Config, Mix
from backtest.errors import ConfigError
from backtest.market import Floats, Legs, Market, first_rows
from backtest.text import percent

_MIX_PART = re.compile(r"(.+?)_([0-9.]+(?:e-?[0-9]+)?)(?:_|$)")


def hold_plan(market: Market, ticker: str, start: pd.Timestamp, terms: Terms) -> Plan:
    """Buy `ticker` at the first fill after `start`, or after its own first close, and do nothing."""
    weights = _on_market(market, {ticker: 1.0})
    return make_plan(market, (ticker,), weights, start, dataclasses.replace(terms, rebalance="on_change"))


def mix_plan(market: Market, weights: Mapping[str, float], start: pd.Timestamp, terms: Terms) -> Plan:
    """Constant weights by ticker (what they leave of 1 is cash), rebalanced monthly at the same costs."""
    targets = _on_market(market, weights)
    return make_plan(market, tuple(weights), targets, start, dataclasses.replace(terms, rebalance="monthly"))


def _on_market(market: Market, weights: Mapping[str, float]) -> Floats:
    return constant_targets(list(weights.values()), len(market.sessions), first_rows(market, tuple(weights)).tolist())


def legs_plan(market: Market, legs: Legs, shares: Floats, start: pd.Timestamp, terms: Terms) -> Plan:
    """Constant shares of the legs, (legs,), rebalanced monthly: a variant's own average mix, a point between legs."""
    return mix_plan(market, weights_by_ticker(legs, shares), start, terms)


def weights_by_ticker(legs: Legs, shares: Floats) -> dict[str, float]:
    """Ticker -> weight of shares by leg, (legs,)."""
    return dict(zip(legs.tickers, legs.weights(legs.tickers, shares[None])[0].tolist(), strict=True))


def line_of(legs: Legs, second: Floats) -> Floats:
    """Shares by leg on the line between two legs, (points, legs); second: share of the second one, (points,)."""
    return legs.between(legs.names[0], legs.names[1], second).array()


def plain_shares(legs: Legs, points: int) -> Floats:
    """What needs no timing, as shares by leg (mixes, legs): of two legs a line of so many points, else each and all.

    All: equal shares of every leg, behind the legs alone.
    """
    count = len(legs.names)
    if count == 2:
        return line_of(legs, np.round(np.linspace(0.0, 1.0, points), 2))
    return np.vstack([np.eye(count), np.full((int(count > 1), count), 1.0 / count)])


def weights_of(benchmark: Mix, legs: Legs) -> dict[str, float]:
    """The weights by ticker of a mix of legs and tickers; a name that is both is the leg."""
    weights: dict[str, float] = {}
    for name, share in benchmark.mix.items():
        for ticker, weight in (legs[name] if name in legs.names else {str(name): 1.0}).items():
            weights[ticker] = weights.get(ticker, 0.0) + share * weight
    return weights


def benchmark_plan(market: Market, legs: Legs, benchmark: Any, start: pd.Timestamp, terms: Terms) -> Plan:
    """The plan of one benchmark of a config: a ticker, a mix of legs and tickers, or a static mix of two legs."""
    if isinstance(benchmark, str):
        return hold_plan(market, benchmark, start, terms)
    if isinstance(benchmark, Mix):
        return mix_plan(market, weights_of(benchmark, legs), start, terms)
    return legs_plan(market, legs, line_of(legs, np.array([benchmark.static_mix]))[0], start, terms)


def benchmark_plans(config: Config, market: Market, legs: Legs, terms: Terms) -> dict[str, Plan]:
    """The plan of each benchmark of a config, in its order, by name (`QQQ`, `static_mix_0.5`).

    terms: those of the config (`Terms.of`). Run them by `run_kernel`, or by `run_compiled` where numba is there anyway:
    the books are the same to the last bit.
    """
    start = pd.Timestamp(config.data.start)
    plans = {benchmark_name(each): benchmark_plan(market, legs, each, start, terms) for each in config.benchmarks}
    for name, plan in list(plans.items())[:1]:
        check_whole(name, plan)
    return plans


def check_bought(name: str, books: Books) -> None:
    """Raise ConfigError unless the benchmark that relative figures are against ever bought anything."""
    if not len(books.fills.row):
        raise ConfigError(f"benchmarks: found {benchmark_label(name)} first, but not one whole share could be bought; "
                          "expected more execution.initial_cash_usd, shares: fractional, or another one")  # fmt: skip


def check_whole(name: str, plan: Plan) -> None:
    """Raise ConfigError unless the benchmark that relative figures are against can be held from the start."""
    if plan.begins:
        late = max(range(len(plan.begins)), key=lambda column: plan.begins[column])
        ticker, last = plan.tickers[late], len(plan.sessions) - 1
        first = f"{plan.sessions[min(plan.begins[late], last)]:%Y-%m-%d}"
        raise ConfigError(f"benchmarks: found {benchmark_label(name)} first, but {ticker} begins on {first}, after the "
                          f"test ({plan.sessions[0]:%Y-%m-%d}); expected one that is there from the start, since "
                          f"relative figures are against the first, or data.start: {first} or later")  # fmt: skip


def benchmark_name(benchmark: Any) -> str:
    """The ticker, `static_mix_<share>`, or `mix_<name>_<share>...`: the name in files."""
    if isinstance(benchmark, Mix):
        return "_".join(["mix", *(f"{name}_{share:g}" for name, share in benchmark.mix.items())])
    return benchmark if isinstance(benchmark, str) else f"static_mix_{benchmark.static_mix:g}"


def benchmark_label(name: str) -> str:
    """The name on a page: `mix_SPY_0.6_IEF_0.4` reads `60% SPY, 40% IEF`, `mix_bonds_1` reads `bonds`.

    `static_mix_0.3` reads `30/70 mix`, the second leg first.
    """
    if name.startswith("mix_"):
        parts = _MIX_PART.findall(name.removeprefix("mix_"))
        one = len(parts) == 1 and parts[0][1] == "1"
        return parts[0][0] if one else ", ".join(f"{percent(float(share), 0)} {what}" for what, share in parts)
    if not name.startswith("static_mix_"):
        return name
    small = 100 * float(name.removeprefix("static_mix_"))
    return f"{small:g}/{100 - small:g} mix"
