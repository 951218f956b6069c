"""Static mix: always the same shares of the legs. The benchmark of every rotation, and of its own kind a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Floats, Legs, Market
from backtest.signals.signal import mistake

WITHIN_ROUNDING = 1e-9


class StaticMix(RotationStrategy):
    """Hold fixed shares of the legs, whatever happens."""

    class Params(StrategyParams):
        """What the mix is."""

        shares: Mapping[LegName, float] | None = Field(
            None, description="leg: share of the capital, a fraction; the rest is cash. Without it, all legs equally"
        )

        @classmethod
        def outdated(cls, given: Mapping[str, Any]) -> str | None:
            """What to write instead of a key that is no more."""
            if "small_share" not in given:
                return None
            small = given["small_share"]
            rest = f"{1 - small:g}" if isinstance(small, int | float) else "..."
            return f"small_share: now by leg, here: shares: {{growth: {rest}, small: {small}}}"

        @model_validator(mode="after")
        def _is_a_mix(self) -> StaticMix.Params:
            shares = {} if self.shares is None else self.shares
            wrong = [f"{leg}: {share:g}" for leg, share in shares.items() if not 0.0 <= share <= 1.0]
            if wrong:
                raise mistake(f"shares: found {', '.join(wrong)}, expected fractions from 0 to 1")
            if sum(shares.values()) > 1.0 + WITHIN_ROUNDING:
                raise mistake(f"shares: they sum to {sum(shares.values()):.12g}, expected at most 1")
            return self

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """The same shares after every close."""
        shares = np.tile(_shares(legs, p), (len(market.sessions), 1))
        return Decision(shares, reason=lambda row: "the fixed mix")

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        shares = zip(legs.names, _shares(legs, p), strict=True)
        return f"It holds {_listed([f'{share:.0%} {legs.label(name)}' for name, share in shares if share])}, always."


def _shares(legs: Legs, p: StaticMix.Params) -> Floats:
    if p.shares is None:
        return np.full(len(legs.names), 1.0 / len(legs.names))
    return np.array([p.shares.get(LegName(name), 0.0) for name in legs.names])


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "cash"
