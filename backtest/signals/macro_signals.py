"""The signals that read what is not a price: decisions, futures, yields, CPI, and any series of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from typing_extensions import override

from backtest.config.fields import IsoDate, LegOrTicker
from backtest.market import Legs, Market, Needs
from backtest.signals import implied, measures
from backtest.signals.policy import cut_window, easing_cycle, target_level
from backtest.signals.signal import Measure, Signal, basket_of


class CutWindow(Signal):
    """Sessions left of the time after a rate cut."""

    signal: Literal["cut_window"]
    for_sessions: int = Field(252, ge=1, description="sessions the window stays open, the cut's own included")
    min_cut_bps: int = Field(25, ge=1, description="the smallest cut of the target's upper bound that counts")
    unit: ClassVar[str] = "sessions"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        window = cut_window(market, hold_sessions=self.for_sessions, min_cut_bps=self.min_cut_bps)
        return Measure(window.sessions_left.astype(np.float64))

    @override
    def title(self, legs: Legs) -> str:
        return f"sessions left of {self.for_sessions} after a cut"

    @property
    @override
    def event(self) -> tuple[str, Mapping[str, Any]]:
        return "cuts", {"min_cut_bps": self.min_cut_bps}


class EasingCycle(Signal):
    """Sessions since the first cut of an easing cycle; -1 outside one, or in one of another kind."""

    signal: Literal["easing_cycle"]
    kind: Literal["any", "insurance", "in_fall"] = Field(
        "any", description="insurance: `of` was near its high at the first cut; in_fall: it was `fall` below it"
    )
    of: LegOrTicker = Field(LegOrTicker("growth"), description="the leg or ticker that was near its high, or in a fall")
    fall: float = Field(0.15, gt=0, lt=1, description="how far below its high of 252 sessions it is in a fall")
    gap_days: int = Field(270, ge=1, description="calendar days without a cut after which the next is a first one")
    max_age_sessions: int = Field(252, ge=1, description="sessions after its last cut at which a cycle ends")
    unit: ClassVar[str] = "sessions"
    default_limit = ("above", -0.5)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        cycle = easing_cycle(
            market,
            basket_of(self.of, legs),
            gap_days=self.gap_days,
            max_age_sessions=self.max_age_sessions,
            fall=self.fall,
        )
        age = np.where(np.isnan(cycle.age), -1.0, cycle.age)
        if self.kind == "any":
            return Measure(age)
        wanted = cycle.began_in_fall == (1.0 if self.kind == "in_fall" else 0.0)
        unknown = (age >= 0) & np.isnan(cycle.began_in_fall)
        return Measure(np.where(unknown, np.nan, np.where(wanted, age, -1.0)))

    @override
    def title(self, legs: Legs) -> str:
        kinds = {"any": "an easing cycle", "insurance": "an insurance cycle", "in_fall": "an easing cycle in a fall"}
        return f"sessions since the first cut of {kinds[self.kind]} (-1 outside)"

    @property
    @override
    def event(self) -> tuple[str, Mapping[str, Any]]:
        return "first_cuts", {"gap_days": self.gap_days}


class ImpliedCut(Signal):
    """Probability, by fed funds futures, that the target is lower after a meeting."""

    signal: Literal["implied_cut"]
    meeting: int | IsoDate = Field(1, description="1: the next scheduled meeting, 2: that after it; or its last day")
    alone: bool = Field(False, description="of a cut at that very meeting, whatever those before it do")
    source: Literal["futures", "table"] = Field("futures", description="from contracts (zq), or ready-made (fedwatch)")
    day_count: Literal["before", "after"] = Field("before", description="CME's rule for the meeting's day; after: old")
    unit: ClassVar[str] = "probability"
    default_limit = ("above", 0.6)

    @property
    @override
    def needs(self) -> Needs:
        named = () if isinstance(self.meeting, int) else (self.meeting,)
        return Needs(series=("zq" if self.source == "futures" else "fedwatch",), meetings=named)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        meeting = self.meeting if isinstance(self.meeting, int) else np.datetime64(self.meeting, "D")
        if self.source == "table":
            return Measure(implied.table_probability(market, meeting))
        return Measure(implied.cut_probability(market, meeting, alone=self.alone, count=self.day_count))

    @override
    def title(self, legs: Legs) -> str:
        nth = {1: "the next meeting", 2: "the meeting after the next"}
        which = nth.get(self.meeting, f"meeting {self.meeting}") if isinstance(self.meeting, int) else str(self.meeting)
        return f"implied probability of a {'cut at' if self.alone else 'lower target after'} {which}"

    @property
    @override
    def event(self) -> tuple[str, Mapping[str, Any]]:
        is_above, enter = self.limit
        if not is_above or not isinstance(self.meeting, int) or self.alone or not 0 < enter < 1:
            return "", {}
        return "implied_cut", {"certain": enter, "meeting": self.meeting}


class ExpectedCuts(Signal):
    """Cuts of 25 bps that futures have priced in for the next months."""

    signal: Literal["expected_cuts"]
    months: int = Field(6, ge=1, le=12, description="how far ahead")
    unit: ClassVar[str] = "cuts"
    default_limit = ("above", 1.0)

    @property
    @override
    def needs(self) -> Needs:
        return Needs(series=("zq",))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(implied.expected_cuts(market, self.months))

    @override
    def title(self, legs: Legs) -> str:
        return f"cuts priced in over {self.months} months"


class CutProxy(Signal):
    """A Treasury yield minus the funds rate: a proxy of priced-in cuts, not FedWatch's probability."""

    signal: Literal["cut_proxy"]
    maturity: Literal["2y", "3m"] = Field("2y", description="two-year or three-month yield")
    minus: Literal["EFFR", "target"] = Field("EFFR", description="the effective rate, or the middle of the target")
    unit: ClassVar[str] = "percent"
    default_limit = ("below", -0.25)

    @property
    @override
    def needs(self) -> Needs:
        rate = ("EFFR",) if self.minus == "EFFR" else ()
        return Needs(series=({"2y": "DGS2", "3m": "DGS3MO"}[self.maturity], *rate))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        base = measures.observed(market, "EFFR") if self.minus == "EFFR" else target_level(market)
        return Measure(measures.observed(market, self.needs.series[0]) - base)

    @override
    def title(self, legs: Legs) -> str:
        rate = "funds rate" if self.minus == "EFFR" else "target"
        return f"{'two-year' if self.maturity == '2y' else 'three-month'} yield minus {rate} (cut-pricing proxy)"


class Yield(Signal):
    """A Treasury yield, or its change over some sessions."""

    signal: Literal["yield"]
    maturity: Literal["3m", "2y", "10y"] = Field("10y", description="of the Treasury yield")
    change_sessions: int = Field(20, ge=0, description="0: its level; else its change over so many sessions")
    unit: ClassVar[str] = "percent"
    default_limit = ("below", 0.0)

    @property
    @override
    def needs(self) -> Needs:
        return Needs(series=({"3m": "DGS3MO", "2y": "DGS2", "10y": "DGS10"}[self.maturity],))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        level = measures.observed(market, self.needs.series[0])
        return Measure(measures.change(level, self.change_sessions) if self.change_sessions else level)

    @override
    def title(self, legs: Legs) -> str:
        of = f"change of the {self.maturity} yield over {self.change_sessions} sessions"
        return of if self.change_sessions else f"{self.maturity} yield"


class CoolCpi(Signal):
    """A core CPI print below what was expected, for some sessions after its release."""

    signal: Literal["cool_cpi"]
    against: Literal["consensus", "own_mean", "two_year"] = Field(
        "consensus", description="minus its consensus (points); minus its 12 last prints, or the 2-year's move (sd)"
    )
    unit: ClassVar[str] = "percent"
    default_limit = ("below", -0.05)
    default_hold: ClassVar[int] = 21

    @property
    @override
    def needs(self) -> Needs:
        return Needs(series=("cpi", "DGS2") if self.against == "two_year" else ("cpi",))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        news = {
            "consensus": measures.surprise,
            "own_mean": measures.against_own_mean,
            "two_year": measures.day_move,
        }[self.against](market)
        return Measure(news.values, news.is_new)

    @override
    def title(self, legs: Legs) -> str:
        return {"consensus": "core CPI minus consensus", "own_mean": "core CPI against its last 12 prints (sd)",
                "two_year": "two-year yield's move on the CPI day (sd)"}[self.against]  # fmt: skip

    @property
    @override
    def event(self) -> tuple[str, Mapping[str, Any]]:
        is_usual = self.against == "consensus" and self.limit == (False, self.default_limit[1])
        return ("cool_cpi" if is_usual else "", {})


class Series(Signal):
    """Any series of the macro folder, such as a valuation of the user's own."""

    signal: Literal["series"]
    name: str = Field(description="the file's name without .csv")
    change_sessions: int = Field(0, ge=0, description="0: its level; else its change over so many sessions")
    score_sessions: int | None = Field(None, ge=0, description="z-score over so many sessions instead; 0: all so far")

    @property
    @override
    def needs(self) -> Needs:
        return Needs(series=(self.name,))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        values = measures.observed(market, self.name)
        values = measures.change(values, self.change_sessions) if self.change_sessions else values
        if self.score_sessions is not None:
            values = measures.score(pd.Series(values), self.score_sessions, measures.year_of(market))
        return Measure(values)

    @override
    def title(self, legs: Legs) -> str:
        change = f", change over {self.change_sessions} sessions" if self.change_sessions else ""
        return f"{self.name}{change}{', z-score' if self.score_sessions is not None else ''}"
