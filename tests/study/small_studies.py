"""Small studies for tests: configs on a random market of four tickers, three years long."""

from __future__ import annotations

from functools import cache
from typing import Any

from worlds import rotation_market

from backtest.config import Config, config_from_text
from backtest.market import Market
from backtest.study.compare import compare
from backtest.study.comparison import Comparison
from strategies import REGISTRY

TEXT = """
name: small
data: {prices: {source: sample}, start: 2004-06-01, tbill: irx}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ, IWM, {static_mix: 0.5}]
"""

VARIANTS = {
    "momentum-21": (),
    "momentum-63": ("strategy.params.lookback_sessions=63",),
    "monthly": ("strategy.params.decide=monthly",),
    "cuts": ("strategy.name=rate_cut", "strategy.params.hold_sessions=40"),
    "both": ("strategy.name=rate_cut_momentum", "strategy.params.hold_sessions=60"),
}


def config(*overrides: str, text: str = TEXT) -> Config:
    return config_from_text(text, "small.yaml", strategies=REGISTRY, overrides=overrides)


def variants(*overrides: str) -> dict[str, Config]:
    return {name: config(*own, *overrides) for name, own in VARIANTS.items()}


@cache
def market(seed: int = 5) -> Market:
    return rotation_market(seed, 700)


def study(given: dict[str, Config] | None = None, **arguments: Any) -> Comparison:
    arguments = {"name": "small-study", "strategies": REGISTRY, "market": market()} | arguments
    return compare(given or variants(), **arguments)


@cache
def common_study() -> Comparison:
    """The five variants on the common market, without a ledger: made once for all tests that only look at it."""
    return study()
