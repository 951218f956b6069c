"""Rate cut: small caps for some time after the Federal Reserve lowers its target, growth otherwise."""

from __future__ import annotations

from pydantic import Field

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.signals import cut_evidence


class RateCut(RotationStrategy):
    """Hold small caps for so many sessions after each cut; a hike ends it."""

    class Params(StrategyParams):
        """Which cuts count, and for how long."""

        hold_sessions: int = Field(252, ge=1, description="sessions in small caps after a cut, its own included")
        min_cut_bps: int = Field(25, ge=1, description="the smallest cut of the target's upper bound that counts")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Small while the window of the last cut is open."""
        window = cut_evidence(market, p.hold_sessions, p.min_cut_bps)
        assert window.leans_small is not None
        return Decision(window.leans_small, [window])

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        return (
            f"It holds small caps for {p.hold_sessions} sessions after each cut of at least {p.min_cut_bps} basis "
            "points, until a hike; otherwise large-cap growth."
        )
