"""A strategy's own code, seen from the run: what it may not do, and how its failures are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backtest.account.strategy import RotationStrategy
from backtest.config import load_config
from backtest.data import load_market
from backtest.decision import Decision
from backtest.errors import ConfigError, RunError
from backtest.market import Legs, Market
from backtest.pipeline import run
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


class Careless(RotationStrategy):
    """Says something else than it should."""

    @staticmethod
    def rule(legs: Legs, p: Any) -> str:
        return "It errs."


class Writes(Careless):
    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        market.close["IWM"] = market.close["IWM"] * 2.0
        return REGISTRY["static_mix"].decide(market, legs, REGISTRY["static_mix"].Params())


class Raises(Careless):
    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        raise ValueError("no such\nthing")


class SaysNothing(Careless):
    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (Writes, "changed the market it was given"),
        (Raises, r"test_pipeline\.py:\d+: careless failed: ValueError: no such thing$"),
        (SaysNothing, "decide returned NoneType, expected a Decision"),
    ],
)
def test_a_careless_strategy_is_stopped_in_one_line(strategy: type, told: str) -> None:
    registry = {**REGISTRY, "careless": strategy}
    overrides = ["strategy.name=careless", "data.start=2020-01-02"]
    config = load_config(QUICKSTART, strategies=registry, overrides=overrides)
    with pytest.raises(RunError, match=told):
        run(config, registry, market=load_market(config))


def test_a_test_that_is_too_short_to_trade_is_a_mistake_of_its_dates() -> None:
    config = load_config(QUICKSTART, strategies=REGISTRY, overrides=["data.start=2025-12-30"])
    with pytest.raises(ConfigError, match=r"data\.start"):
        load_market(config)
