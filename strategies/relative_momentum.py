"""Relative momentum: hold one leg while it leads another, the other while it lags."""

from __future__ import annotations

from pydantic import Field

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.signals import Period, lead_evidence
from backtest.signals.periods import how_often
from backtest.signals.signal import LooksBack


class RelativeMomentum(RotationStrategy):
    """Hold the leg that leads over the lookback; between the thresholds, stay."""

    class Params(LooksBack, StrategyParams):
        """How far back to look, how much lead to ask for, how often to look, between which legs."""

        lookback_sessions: int = Field(126, ge=1, description="how far back returns are compared, in sessions")
        lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
        threshold: float = Field(0.0, ge=0, lt=10, description="lead needed to switch, a fraction (0.05 is 5 points)")
        decide: Period = Field("daily", description="after which closes to look")
        hold: LegName = Field(LegName("small"), description="the leg to hold while it leads")
        otherwise: LegName = Field(LegName("growth"), description="the leg to hold while it leads instead")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """One leg above the threshold, the other below its negative."""
        lookback, unit = p.span
        lead = lead_evidence(market, legs, p.hold, p.otherwise, lookback, p.threshold, p.decide, unit)
        assert lead.leans is not None
        return Decision(legs.between(p.otherwise, p.hold, lead.leans), [lead])

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        hold, otherwise = legs.label(p.hold), legs.label(p.otherwise)
        margin = f" by more than {100 * p.threshold:g} points" if p.threshold else ""
        return (
            f"It holds {hold} after it led {otherwise}{margin} over {p.span_words}, and {otherwise} "
            f"after {hold} lagged as much, looking {how_often(p.decide)}."
        )
