"""Rate cut and momentum: a cut opens the door, the leg's own lead decides; or either is enough."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.signals import Period, all_of, any_of, cut_evidence, lead_evidence
from backtest.signals.periods import how_often
from backtest.signals.signal import LooksBack

SMALLEST_USUAL_CUT_BPS = 25
"""The Federal Reserve has not moved its target by less since 1992: not worth a word in the rule."""


class RateCutMomentum(RotationStrategy):
    """Hold one leg after a cut and (or) while it leads."""

    class Params(LooksBack, StrategyParams):
        """Those of both signals, and how they are combined."""

        hold_sessions: int = Field(252, ge=1, description="sessions the window stays open, the cut's own included")
        min_cut_bps: int = Field(
            SMALLEST_USUAL_CUT_BPS, ge=1, description="the smallest cut of the target's upper bound that counts"
        )
        lookback_sessions: int = Field(63, ge=1, description="how far back returns are compared, in sessions")
        lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
        threshold: float = Field(0.0, ge=0, lt=10, description="lead needed to switch, a fraction (0.05 is 5 points)")
        decide: Period = Field("daily", description="after which closes to look at the lead")
        combine: Literal["all", "any"] = Field("all", description="all: both must say yes; any: one is enough")
        hold: LegName = Field(LegName("small"), description="the leg to hold after a cut and (or) while it leads")
        otherwise: LegName = Field(LegName("growth"), description="the leg to hold else")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Each side computed alone, then combined session by session."""
        window = cut_evidence(market, p.hold, p.hold_sessions, p.min_cut_bps)
        lookback, unit = p.span
        lead = lead_evidence(market, legs, p.hold, p.otherwise, lookback, p.threshold, p.decide, unit)
        assert window.leans is not None
        assert lead.leans is not None
        combine = all_of if p.combine == "all" else any_of
        return Decision(legs.between(p.otherwise, p.hold, combine(window.leans, lead.leans)), [window, lead])

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        hold, otherwise = legs.label(p.hold), legs.label(p.otherwise)
        margin = f" by more than {100 * p.threshold:g} points" if p.threshold else ""
        joint = "while it leads" if p.combine == "all" else "and also whenever it leads"
        size = f" of at least {p.min_cut_bps} basis points" if p.min_cut_bps != SMALLEST_USUAL_CUT_BPS else ""
        often = "" if p.decide == "daily" else f", looked at {how_often(p.decide)}"
        return (
            f"It holds {hold} for {p.hold_sessions} sessions after each cut{size}, {joint} {otherwise}{margin} over "
            f"{p.span_words}{often}; otherwise {otherwise}."
        )
