"""The signals that read prices: momentum in all its forms, confirmation, filters, the price-ratio gap."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from backtest.config.fields import LegOrTicker, Ticker
from backtest.market import Basket, Legs, Market, Needs
from backtest.signals import measures
from backtest.signals.signal import Measure, Signal, basket_of, name_of

SMALL, GROWTH = LegOrTicker("small"), LegOrTicker("growth")
"""What the shipped question is about; with legs of other names, `of` and `over` must be given."""


class _Pair(Signal):
    """A signal about one leg or ticker against another."""

    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    over: LegOrTicker = Field(GROWTH, description="the leg or ticker it is compared with")

    @property
    def needs(self) -> Needs:
        """What is named: a leg, or a ticker."""
        return Needs((self.of, self.over))

    def pair(self, legs: Legs) -> str:
        """Who leads whom, in words."""
        return f"{name_of(self.of, legs)} over {name_of(self.over, legs)}"

    def baskets(self, legs: Legs) -> tuple[Basket, Basket]:
        """What leads, and what it leads."""
        return basket_of(self.of, legs), basket_of(self.over, legs)


class Lead(_Pair):
    """Return of one leg minus that of another over some sessions."""

    signal: Literal["lead"]
    lookback_sessions: int = Field(63, ge=1, description="how far back returns are compared")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.lead(market, *self.baskets(legs), self.lookback_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"lead of {self.pair(legs)} over {self.lookback_sessions} sessions"


class Surge(_Pair):
    """The story's burst: a lead of many points within a week."""

    signal: Literal["surge"]
    lookback_sessions: int = Field(5, ge=1, description="how long the burst is")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.05)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.lead(market, *self.baskets(legs), self.lookback_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"surge of {self.pair(legs)} over {self.lookback_sessions} sessions"


class TwelveOne(_Pair):
    """The lead over a year but for its last month (12-1 momentum)."""

    signal: Literal["twelve_one"]
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        lead = measures.lead(market, *self.baskets(legs), measures.YEAR_SESSIONS, skip=measures.MONTH_SESSIONS)
        return Measure(lead)

    @override
    def title(self, legs: Legs) -> str:
        return f"lead of {self.pair(legs)} over 252 sessions without the last 21"


class ScaledLead(_Pair):
    """A lead in standard deviations of the daily leads before it began."""

    signal: Literal["scaled_lead"]
    lookback_sessions: int = Field(5, ge=1, description="how far back returns are compared")
    window_sessions: int = Field(63, ge=5, description="daily leads whose deviation it is measured in")
    unit: ClassVar[str] = "sd"
    default_limit = ("above", 2.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        baskets = self.baskets(legs)
        return Measure(measures.volatility_scaled_lead(market, *baskets, self.lookback_sessions, self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"volatility-scaled lead of {self.pair(legs)} over {self.lookback_sessions} sessions"


class Run(_Pair):
    """Persistence: sessions in a row in which a leg rose, or led."""

    signal: Literal["run"]
    counts: Literal["up", "leading"] = Field("up", description="sessions that rose, or that beat the other")
    unit: ClassVar[str] = "sessions"
    default_limit = ("above", 4.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        of, over = self.baskets(legs)
        daily = measures.basket_growth(market, of, 1) if self.counts == "up" else measures.lead(market, of, over, 1)
        return Measure(measures.run_length(daily))

    @override
    def title(self, legs: Legs) -> str:
        said = f"rises of {name_of(self.of, legs)}" if self.counts == "up" else f"daily leads of {self.pair(legs)}"
        return f"{said} in a row"


class RelativeStrength(Signal):
    """The price ratio of two tickers now and some sessions ago; regional banks against the market by default."""

    signal: Literal["relative_strength"]
    of: Ticker = Field("KRE", description="the ticker that should lead; KRE has prices since June 2006")
    over: Ticker = Field("SPY", description="the ticker it should lead")
    lookback_sessions: int = Field(63, ge=1, description="how far back the ratio is compared")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @property
    @override
    def needs(self) -> Needs:
        return Needs((self.of, self.over))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.ratio_growth(market, self.of, self.over, self.lookback_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"gain of {self.of}/{self.over} over {self.lookback_sessions} sessions"


class MovingAverage(Signal):
    """How far a leg or a ticker is above its own moving average."""

    signal: Literal["moving_average"]
    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    window_sessions: int = Field(200, ge=2, description="sessions of the average, this one included")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @property
    @override
    def needs(self) -> Needs:
        return Needs((self.of,))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.above_average(market, basket_of(self.of, legs), self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"distance of {name_of(self.of, legs)} from the mean of {self.window_sessions} sessions"


class Volatility(Signal):
    """Annualised volatility of a leg or a ticker."""

    signal: Literal["volatility"]
    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")
    unit: ClassVar[str] = "share"
    default_limit = ("below", 0.25)

    @property
    @override
    def needs(self) -> Needs:
        return Needs((self.of,))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.volatility(market, basket_of(self.of, legs), self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"volatility of {name_of(self.of, legs)} over {self.window_sessions} sessions"


class ValuationGap(Signal):
    """The z-score of ln(IVW/IWN): a ratio of total returns, not a valuation."""

    signal: Literal["valuation_gap"]
    of: Ticker = Field("IVW", description="the dear side")
    over: Ticker = Field("IWN", description="the cheap side")
    window_sessions: int = Field(1260, ge=0, description="sessions of mean and deviation; 0: all so far")
    unit: ClassVar[str] = "sd"
    default_limit = ("above", 1.5)

    @property
    @override
    def needs(self) -> Needs:
        return Needs((self.of, self.over))

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.ratio_score(market, self.of, self.over, self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        past = f"{self.window_sessions} sessions" if self.window_sessions else "all sessions so far"
        return f"total-return ratio {self.of}/{self.over} (not a valuation) against {past}"
