"""Rate cut: one leg for some time after the Federal Reserve lowers its target, another otherwise."""

from __future__ import annotations

from pydantic import Field

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.signals import cut_evidence


class RateCut(RotationStrategy):
    """Hold one leg for so many sessions after each cut; a hike ends it."""

    class Params(StrategyParams):
        """Which cuts count, for how long, and what to hold."""

        hold_sessions: int = Field(252, ge=1, description="sessions in `hold` after a cut, its own included")
        min_cut_bps: int = Field(25, ge=1, description="the smallest cut of the target's upper bound that counts")
        hold: LegName = Field(LegName("small"), description="the leg to hold after a cut")
        otherwise: LegName = Field(LegName("growth"), description="the leg to hold else")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Held while the window of the last cut is open."""
        window = cut_evidence(market, p.hold, p.hold_sessions, p.min_cut_bps)
        assert window.leans is not None
        return Decision(legs.between(p.otherwise, p.hold, window.leans), [window])

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        return (
            f"It holds {legs.label(p.hold)} for {p.hold_sessions} sessions after each cut of at least {p.min_cut_bps} "
            f"basis points, until a hike; otherwise {legs.label(p.otherwise)}."
        )
