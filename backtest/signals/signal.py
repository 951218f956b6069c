"""A signal as a config writes it: `{signal: lead, lookback_sessions: 63, above: 0.0}`, and what it says of a Market.

Every signal is a quantity (its subclass's business) and a limit (written here once): above or below what it says yes,
where it leaves again, on which sessions it looks, and for how long a yes lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from backtest.config.fields import Label as Label  # these three: strategies see the config through signals
from backtest.config.fields import LegOrTicker as LegOrTicker
from backtest.config.fields import mistake as mistake
from backtest.decision import Evidence
from backtest.market import Basket, Floats, Legs, Market, Needs
from backtest.signals.limits import WHOLE, Limit, answer, beyond, leaving
from backtest.signals.periods import Period, last_of_period
from backtest.signals.scores import TBILL, Unit
from backtest.text import capital, plural


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity per session. fresh: the sessions at which it is news; None: every one."""

    values: Floats
    fresh: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        self.values.setflags(write=False)  # all who ask the same of a market share it

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.values.nbytes + (0 if self.fresh is None else self.fresh.nbytes)


class LooksBack(BaseModel):
    """A signal, or the parameters of a strategy, that looks back over sessions, or over calendar months instead."""

    lengths: ClassVar[tuple[str, str]] = ("lookback_sessions", "lookback_months")
    """The fields of which one counts: sessions unless months are given."""

    @model_validator(mode="before")
    @classmethod
    def _one_length(cls, given: Any) -> Any:
        sessions, months = cls.lengths
        if not isinstance(given, Mapping) or given.get(months) is None:
            return given
        if given.get(sessions) is not None:
            raise mistake(f"found both {sessions} and {months}, expected one of them")
        return {key: value for key, value in given.items() if key != sessions}  # null takes back what a base says

    @model_serializer(mode="wrap")
    def _as_written(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        sessions, months = self.lengths
        written: dict[str, Any] = fields(self)
        del written[months if written[months] is None else sessions]
        return written

    @property
    def span(self) -> tuple[int, Unit]:
        """How far it looks back."""
        sessions, months = (getattr(self, name) for name in self.lengths)
        return (sessions, "session") if months is None else (months, "month")

    @property
    def span_words(self) -> str:
        """The same in words."""
        return plural(*self.span)


class Signal(BaseModel):
    """What all signals have in common; a subclass adds `signal`, fields, `measure`, `title(legs)` and `unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    above: float | None = Field(None, description="yes above this value; each signal has its own default")
    below: float | None = Field(None, description="yes below this value, instead of above")
    leave: float | None = Field(None, description="no again only beyond this value (hysteresis)")
    hold_sessions: int = Field(0, ge=0, description="a yes lasts for at least so many sessions; 0: as long as it is so")
    decide: Period = Field("daily", description="after which closes to look")
    label: Label | None = Field(None, description="what reports call it, instead of its rule")

    unit: ClassVar[str] = ""
    default_limit: ClassVar[tuple[Literal["above", "below"], float] | None] = None
    default_hold: ClassVar[int] = 0

    def measure(self, market: Market, legs: Legs) -> Measure:
        """The quantity on every session of the market."""
        raise NotImplementedError

    def measured(self, market: Market, legs: Legs) -> Measure:
        """The same, computed once per market for all signals of a kind that differ in their limit alone."""
        own = tuple(getattr(self, name) for name in type(self).model_fields if name not in Signal.model_fields)
        return market.memo.get(("measure", *own, legs.key), lambda: self.measure(market, legs))

    def title(self, legs: Legs) -> str:
        """The quantity in words."""
        raise NotImplementedError

    @property
    def needs(self) -> Needs:
        """What it reads beside the prices of the legs: the tickers it names, of which a leg's name is none."""
        named = [getattr(self, key, None) for key in ("among", "of", "over")]
        names = [name for one in named for name in (one if isinstance(one, tuple) else (one,))]
        return Needs(tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name != TBILL)))

    @property
    def event(self) -> tuple[str, Mapping[str, Any]]:
        """The list of events that it reads, of `backtest events`, and what defines it there; an empty name for none."""
        return "", {}

    @model_validator(mode="after")
    def _limits_agree(self) -> Signal:
        if self.above is not None and self.below is not None:
            raise mistake("found both above and below, expected one of them")
        if self.above is None and self.below is None and self.default_limit is None:
            raise mistake("missing above or below: the value at which it says yes")
        for key, value in (("above", self.above), ("below", self.below), ("leave", self.leave)):
            if self.unit == "probability" and value is not None and not 0 <= value <= 1:
                raise mistake(f"{key}: found {value:g}, expected a probability from 0 to 1")
        is_above, enter = self.limit
        if self.leave is not None and (self.leave > enter if is_above else self.leave < enter):
            side = "at most" if is_above else "at least"
            raise mistake(f"leave: found {self.leave:g}, expected {side} {enter:g}, the value it enters at")
        return self

    @property
    def limit(self) -> tuple[bool, float]:
        """Does it say yes above, and the value."""
        if self.above is not None:
            return True, self.above
        if self.below is not None:
            return False, self.below
        assert self.default_limit is not None
        return self.default_limit[0] == "above", self.default_limit[1]

    def words(self, legs: Legs) -> str:
        """The whole condition in words."""
        is_above, enter = self.limit
        text = self.label or f"{self.title(legs)} {beyond(enter, self.unit, is_above=is_above)}"
        text += f" (leaves {leaving(self.leave, self.unit, is_above=is_above)})" if self.leave is not None else ""
        held = self.hold_sessions or self.default_hold
        text += f", for {held} sessions" if held else ""
        return text + ("" if self.decide == "daily" else f", looked at {self.decide}")

    def evidence(self, market: Market, legs: Legs, name: str, *, leg: str, asks: bool) -> Evidence:
        """The quantity with its limit. leg: what it is asked about; asks: whether a yes speaks for it or against."""
        measured = self.measured(market, legs)
        is_above, enter = self.limit
        leave = enter if self.leave is None else self.leave
        if self.leave is not None and self.unit in WHOLE:  # of a count, leave is the first that is a no
            leave += 0.5 if is_above else -0.5
        looks = last_of_period(market, self.decide)
        held = self.hold_sessions or self.default_hold
        limit = Limit(enter, leave, is_above, looks, measured.fresh, held)
        state = limit(measured.values)
        values, sessions, title = measured.values, market.sessions, self.label or self.title(legs)
        return Evidence(
            name=name,
            values=measured.values,
            unit=self.unit,
            thresholds=tuple(dict.fromkeys((enter, enter if self.leave is None else self.leave))),
            label=capital(title),
            leans=state if asks else 1.0 - state,
            leg=leg,
            phrase=lambda row: f"{title} {answer(limit, values, self.unit, sessions, str(self.decide), row)}",
            switch=limit,
            event=self.event[0],
            event_terms=self.event[1],
        )


def basket_of(name: str, legs: Legs) -> Basket:
    """The leg of this name, else the ticker alone."""
    return legs[name] if name in legs.names else {name: 1.0}


def name_of(name: str, legs: Legs) -> str:
    """What to call a leg or a ticker."""
    return legs.label(name) if name in legs.names else name
