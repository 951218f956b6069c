"""The signals that read prices: momentum in all its forms, confirmation, filters, the price-ratio gap."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import override

from backtest.config.fields import LegOrTicker, Ticker, unexpected
from backtest.market import Basket, Legs, Market
from backtest.signals import measures, scores
from backtest.signals.scores import relative_return
from backtest.signals.signal import LooksBack, Measure, Signal, basket_of, mistake, name_of
from backtest.text import listed

SMALL, GROWTH = LegOrTicker("small"), LegOrTicker("growth")
"""What the shipped question is about; with legs of other names, `of` and `over` must be given."""


class _Pair(Signal):
    """A signal about one leg or ticker against another."""

    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    over: LegOrTicker = Field(GROWTH, description="the leg or ticker it is compared with")

    def pair(self, legs: Legs) -> str:
        """Who leads whom, in words."""
        return f"{name_of(self.of, legs)} over {name_of(self.over, legs)}"

    def baskets(self, legs: Legs) -> tuple[Basket, Basket]:
        """What leads, and what it leads."""
        return basket_of(self.of, legs), basket_of(self.over, legs)


class Lead(LooksBack, _Pair):
    """Return of one leg minus that of another over some sessions or months."""

    signal: Literal["lead"]
    lookback_sessions: int = Field(63, ge=1, description="how far back returns are compared")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(relative_return(market, *self.baskets(legs), *self.span))

    @override
    def title(self, legs: Legs) -> str:
        return f"lead of {self.pair(legs)} over {self.span_words}"


class Momentum(LooksBack, Signal):
    """The return of a leg or a ticker itself, or what it is beyond that of T-bills."""

    signal: Literal["momentum"]
    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    over: Literal["tbill"] | LegOrTicker | None = Field(
        None,
        union_mode="left_to_right",
        description="what its return is taken beyond: T-bills (tbill), a leg or a ticker; without it, nothing",
    )
    lookback_sessions: int = Field(252, ge=1, description="how far back the return reaches")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        earned = scores.span_return(market, basket_of(self.of, legs), *self.span)
        if self.over is None:
            return Measure(earned.copy())
        beyond = {scores.TBILL: 1.0} if self.over == scores.TBILL else basket_of(self.over, legs)
        return Measure(earned - scores.span_return(market, beyond, *self.span))

    @override
    def title(self, legs: Legs) -> str:
        over = "T-bills" if self.over == scores.TBILL else self.over and name_of(self.over, legs)
        return f"return of {name_of(self.of, legs)}{f' beyond {over}' if over else ''} over {self.span_words}"


def _at_least_one(names: object) -> object:
    if not names:
        raise unexpected("a list with at least one leg or ticker")
    return tuple(names) if isinstance(names, list) else names


class Breadth(LooksBack, Signal):
    """How many of a list of legs or tickers have risen by more than a level."""

    signal: Literal["breadth"]
    of: Annotated[tuple[LegOrTicker, ...], BeforeValidator(_at_least_one)] = Field(description="legs or tickers")
    level: float = Field(0.0, description="the return that counts as risen when it is exceeded, a fraction")
    lookback_sessions: int = Field(252, ge=1, description="how far back returns reach")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    unit: ClassVar[str] = "risen"

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        returns = np.stack([scores.span_return(market, basket_of(name, legs), *self.span) for name in self.of])
        risen = scores.exceeds(returns, np.array(self.level)).sum(axis=0).astype(np.float64)
        return Measure(np.where(np.isnan(returns).any(axis=0), np.nan, risen))

    @override
    def title(self, legs: Legs) -> str:
        names = listed([name_of(name, legs) for name in self.of])
        beyond = f" by more than {100 * self.level:g}%" if self.level else ""
        return f"how many of {names} rose{beyond} over {self.span_words}"


class RankSignal(LooksBack, Signal):
    """The place of a leg or a ticker among several by return, 1 being the best: is it one of the top?"""

    signal: Literal["rank"]
    of: LegOrTicker = Field(description="a leg or a ticker, one of those in `among`")
    among: Annotated[tuple[LegOrTicker, ...], BeforeValidator(_at_least_one)] = Field(
        description="legs or tickers; of equal ones the first counts as better"
    )
    top: int = Field(1, ge=1, description="yes when it is among the first so many")
    lookback_sessions: int = Field(252, ge=1, description="how far back returns reach")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    unit: ClassVar[str] = "place"
    default_limit = ("below", 2.0)

    @model_validator(mode="after")
    def _agrees(self) -> RankSignal:
        if self.above is not None or self.below is not None:
            raise mistake("rank: found above or below, expected top: how many places say yes")
        if self.of not in self.among:
            raise mistake(f"of: found {self.of}, expected one of those in among ({', '.join(self.among)})")
        if len(set(self.among)) < len(self.among):
            raise mistake(f"among: found {', '.join(self.among)}, expected each once")
        if self.top >= len(self.among):
            raise mistake(f"top: found {self.top}, expected less than the {len(self.among)} in among")
        return self

    @property
    @override
    def limit(self) -> tuple[bool, float]:
        return False, self.top + 1.0

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        returns = [scores.span_return(market, basket_of(name, legs), *self.span) for name in self.among]
        places = scores.best(np.stack(returns, axis=1), len(self.among))
        is_mine = places == self.among.index(self.of)
        return Measure(np.where(is_mine.any(axis=1), is_mine.argmax(axis=1) + 1.0, np.nan))

    @override
    def title(self, legs: Legs) -> str:
        names = listed([name_of(name, legs) for name in self.among])
        return f"rank of {name_of(self.of, legs)} among {names} by return over {self.span_words}"


class Surge(Lead):
    """The story's burst: a lead of many points within a week."""

    signal: Literal["surge"]  # type: ignore[assignment]
    lookback_sessions: int = Field(5, ge=1, description="how long the burst is")
    default_limit = ("above", 0.05)

    @override
    def title(self, legs: Legs) -> str:
        return f"surge of {self.pair(legs)} over {self.span_words}"


class TwelveOne(_Pair):
    """The lead over a year but for its last month (12-1 momentum)."""

    signal: Literal["twelve_one"]
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        year, month = measures.year_of(market), measures.month_of(market)
        of, over = (scores.span_return(market, each, year, "session", skip=month) for each in self.baskets(legs))
        return Measure(of - over)

    @override
    def title(self, legs: Legs) -> str:
        return f"lead of {self.pair(legs)} over a year without its last month"


class ScaledLead(LooksBack, _Pair):
    """A lead in standard deviations of the daily leads before it began."""

    signal: Literal["scaled_lead"]
    lookback_sessions: int = Field(5, ge=1, description="how far back returns are compared")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    window_sessions: int = Field(63, ge=5, description="daily leads whose deviation it is measured in")
    unit: ClassVar[str] = "sd"
    default_limit = ("above", 2.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(scores.scaled_lead(market, *self.baskets(legs), *self.span, self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        return f"volatility-scaled lead of {self.pair(legs)} over {self.span_words}"


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


class RelativeStrength(LooksBack, Signal):
    """The price ratio of two tickers now and some sessions ago; regional banks against the market by default."""

    signal: Literal["relative_strength"]
    of: Ticker = Field("KRE", description="the ticker that should lead; KRE has prices since June 2006")
    over: Ticker = Field("SPY", description="the ticker it should lead")
    lookback_sessions: int = Field(63, ge=1, description="how far back the ratio is compared")
    lookback_months: int | None = Field(None, ge=1, description="the same in calendar months, instead of sessions")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(scores.ratio_return(market, self.of, self.over, *self.span))

    @override
    def title(self, legs: Legs) -> str:
        return f"gain of {self.of}/{self.over} over {self.span_words}"


class MovingAverage(LooksBack, Signal):
    """How far a leg or a ticker is above its own moving average."""

    lengths = ("window_sessions", "window_months")

    signal: Literal["moving_average"]
    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    window_sessions: int = Field(200, ge=2, description="sessions of the average, this one included")
    window_months: int | None = Field(None, ge=2, description="closes a month apart instead, this one included")
    unit: ClassVar[str] = "return"
    default_limit = ("above", 0.0)

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(scores.above_mean(market, basket_of(self.of, legs), *self.span))

    @override
    def title(self, legs: Legs) -> str:
        return f"distance of {name_of(self.of, legs)} from the mean of {self.span_words}"


class Volatility(Signal):
    """Annualised volatility of a leg or a ticker."""

    signal: Literal["volatility"]
    of: LegOrTicker = Field(SMALL, description="a leg or a ticker")
    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")
    unit: ClassVar[str] = "share"
    default_limit = ("below", 0.25)

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

    @override
    def measure(self, market: Market, legs: Legs) -> Measure:
        return Measure(measures.ratio_score(market, self.of, self.over, self.window_sessions))

    @override
    def title(self, legs: Legs) -> str:
        past = f"{self.window_sessions} sessions" if self.window_sessions else "all sessions so far"
        return f"total-return ratio {self.of}/{self.over} (not a valuation) against {past}"
