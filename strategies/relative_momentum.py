"""Relative momentum: hold small caps while they lead large-cap growth, growth while they lag."""

from __future__ import annotations

from pydantic import Field

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.signals import Period, lead_evidence


class RelativeMomentum(RotationStrategy):
    """Hold the leg that leads over the lookback; between the thresholds, stay."""

    class Params(StrategyParams):
        """How far back to look, how much lead to ask for, how often to look."""

        lookback_sessions: int = Field(126, ge=1, description="how far back returns are compared, in sessions")
        threshold: float = Field(0.0, ge=0, lt=10, description="lead needed to switch, a fraction (0.05 is 5 points)")
        decide: Period = Field("daily", description="after which closes to look: daily, weekly or monthly")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Small above the threshold, growth below its negative."""
        lead = lead_evidence(market, legs, p.lookback_sessions, p.threshold, p.decide)
        assert lead.leans_small is not None
        return Decision(lead.leans_small, [lead])

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        margin = f" by more than {100 * p.threshold:g} points" if p.threshold else ""
        often = {"daily": "day", "weekly": "week", "monthly": "month"}[p.decide]
        return (
            f"It holds small caps after they led large-cap growth{margin} over {p.lookback_sessions} sessions, and "
            f"growth after they lagged as much, looking once a {often}."
        )
