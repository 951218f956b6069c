"""Static mix: always the same share of small caps. The benchmark of every rotation, and of its own kind a strategy."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market


class StaticMix(RotationStrategy):
    """Hold a fixed share of small caps, whatever happens."""

    class Params(StrategyParams):
        """What the mix is."""

        small_share: float = Field(0.5, ge=0, le=1, description="share of the capital in the small leg, a fraction")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """The same share after every close."""
        return Decision(np.full(len(market.sessions), p.small_share), reason=lambda row: "the fixed mix")

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        return f"It holds {p.small_share:.0%} small caps and {1 - p.small_share:.0%} large-cap growth, always."
