"""Benchmarks: a ticker held, or a mix of constant weights, on the sessions and terms of what they stand beside."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest import two_legs
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


def mix_weights(legs: Legs, small_share: float, cash_share: float = 0.0) -> dict[str, float]:
    """A fixed share of the small leg, the rest in growth, beside a share of cash: weights by ticker."""
    weights = two_legs.weights(legs, legs.tickers, np.array([small_share]), np.array([cash_share]))[0]
    return dict(zip(legs.tickers, weights.tolist(), strict=True))


def exposure_weights(legs: Legs, exposures: Floats, cash_share: float = 0.0) -> dict[str, float]:
    """Weights by ticker of constant shares of what is invested in each leg, (legs,), beside a share of cash."""
    weights = legs.weights(legs.tickers, (1.0 - cash_share) * exposures[None])[0]
    return dict(zip(legs.tickers, weights.tolist(), strict=True))


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
    return mix_plan(market, mix_weights(legs, benchmark.static_mix), start, terms)


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
