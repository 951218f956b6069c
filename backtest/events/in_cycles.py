"""What the shipped strategies did in each easing cycle, on a config's market and terms.

Reads:  a config, its market. Gives: the cycles with each strategy's gain beyond an equal mix of the legs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.account import run_kernel
from backtest.account.benchmarks import mix_plan
from backtest.account.plan import Terms
from backtest.config import Config
from backtest.errors import ConfigError
from backtest.events.cycles import Cycle, easing_cycles, with_strategies
from backtest.market import Floats, Legs, Market
from backtest.pipeline import decide, legs_of, plan_of
from backtest.units import MONTHS_PER_YEAR


def pair_of(legs: Legs) -> tuple[str, str]:
    """The legs that are compared: the last named against the first; ConfigError for fewer than two."""
    if len(legs.names) < 2:
        raise ConfigError(f"legs: found {len(legs.names)}, expected two or more to compare")
    return legs.names[-1], legs.names[0]


def shipped(market: Market, hold: str, otherwise: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The shipped strategies between two legs, with the usual settings in months: label -> name, parameters."""
    month = market.periods_per_year / MONTHS_PER_YEAR
    half, year, ever = (round(months * month) for months in (6, 12, 1200))
    sides = {"hold": hold, "otherwise": otherwise}
    return {
        "rate_cut, 12 months": ("rate_cut", {"hold_sessions": year, **sides}),
        "rate_cut, to a rise": ("rate_cut", {"hold_sessions": ever, **sides}),
        "relative_momentum, 12 months": (
            "relative_momentum", {"lookback_sessions": year, "decide": "monthly", **sides},
        ),
        "rate_cut_momentum, 12 and 6 months": (
            "rate_cut_momentum",
            {"hold_sessions": year, "lookback_sessions": half, "decide": "monthly", **sides},
        ),
        "rank, 12 months": ("rank", {"lookback_months": 12}),
    }  # fmt: skip


def curves_of(
    config: Config, market: Market, strategies: Mapping[str, type], wanted: Mapping[str, tuple[str, dict[str, Any]]]
) -> tuple[dict[str, Floats], Floats, int]:
    """Equity by label and of the equal mix of the legs, at the config's terms; the market's row where they begin."""
    legs, start, terms = legs_of(config), pd.Timestamp(config.data.start), Terms.of(config)
    curves = {}
    for label, (name, given) in wanted.items():
        params = strategies[name].Params.model_validate(given)  # type: ignore[attr-defined]
        strategy = config.strategy.model_copy(update={"name": name, "params": params})
        variant = config.model_copy(update={"strategy": strategy})
        curves[label] = run_kernel(plan_of(variant, market, decide(variant, market, strategies[name]))).equity
    weights: dict[str, float] = {}
    for basket in legs.baskets.values():
        for ticker, weight in basket.items():
            weights[ticker] = weights.get(ticker, 0.0) + weight / len(legs.names)
    mix = run_kernel(mix_plan(market, weights, start, terms)).equity
    return curves, mix, int(market.sessions.searchsorted(start))


def cycles_of_config(config: Config, market: Market, strategies: Mapping[str, type]) -> tuple[Cycle, ...]:
    """The cycles in the config's period, with the shipped strategies where they can be run on its legs."""
    legs = legs_of(config)
    of, over = pair_of(legs)
    cycles = easing_cycles(market, legs[of], legs[over], first=pd.Timestamp(config.data.start))
    wanted = {label: each for label, each in shipped(market, of, over).items() if each[0] in strategies}
    return with_strategies(cycles, *curves_of(config, market, strategies, wanted))
