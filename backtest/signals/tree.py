"""Trees of conditions: `all`, `any`, `not` and `score` over any signals, as a config writes them.

The flow: signals -> TREE -> holding -> decision.
A branch says yes, no, or abstains (NaN): a signal abstains while it is not known. `all`, `any` and `score` leave out
who abstains, and abstain themselves when everybody does; or, with `unknown: no`, count an abstention as a no. `not` of
an abstention abstains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_serializer, model_validator

from backtest.config.fields import mistake
from backtest.decision import Branch
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals.combine import latch
from backtest.signals.macro_signals import (
    CoolCpi,
    CutProxy,
    CutWindow,
    EasingCycle,
    ExpectedCuts,
    ImpliedCut,
    Series,
    Yield,
)
from backtest.signals.price_signals import (
    Lead,
    MovingAverage,
    RelativeStrength,
    Run,
    ScaledLead,
    Surge,
    TwelveOne,
    ValuationGap,
    Volatility,
)
from backtest.signals.signal import Signal

AnySignal = Annotated[
    Lead | Surge | TwelveOne | ScaledLead | Run | RelativeStrength | MovingAverage | Volatility | ValuationGap
    | CutWindow | EasingCycle | ImpliedCut | ExpectedCuts | CutProxy | Yield | CoolCpi | Series,
    Field(discriminator="signal"),
]  # fmt: skip
"""Every signal a tree can name."""

SIGNALS: tuple[type[Signal], ...] = (
    Lead, Surge, TwelveOne, ScaledLead, Run, RelativeStrength, MovingAverage, Volatility, ValuationGap,
    CutWindow, EasingCycle, ImpliedCut, ExpectedCuts, CutProxy, Yield, CoolCpi, Series,
)  # fmt: skip

Unknown = Literal["abstain", "no"]
Leans = Literal["small", "growth", "cash"]

COMBINATIONS = ("all", "any", "not", "score")


def which_form(value: object) -> str:
    """The tag of a condition: one of the combinations, or a signal."""
    fields = type(value).model_fields if isinstance(value, BaseModel) else {}
    names = value.keys() if isinstance(value, dict) else fields.keys()
    for name in COMBINATIONS:
        if name in names or f"{name}_" in names:
            return f"({name})"
    return "(signal)"


class Combination(BaseModel):
    """A node that is no signal."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class AllOf(Combination):
    """Yes when every condition says yes."""

    all: tuple[Condition, ...] = Field(min_length=1, description="conditions that must all say yes")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The least of those that do not abstain."""
        return _reduced(states, unknown, np.minimum, 1.0)

    words: ClassVar[str] = "all of"

    @property
    def children(self) -> tuple[Any, ...]:
        """The conditions."""
        return self.all


class AnyOf(Combination):
    """Yes when one condition says yes."""

    any: tuple[Condition, ...] = Field(min_length=1, description="conditions of which one is enough")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The greatest of those that do not abstain."""
        return _reduced(states, unknown, np.maximum, 0.0)

    words: ClassVar[str] = "any of"

    @property
    def children(self) -> tuple[Any, ...]:
        """The conditions."""
        return self.any


class NotOf(Combination):
    """Yes when the condition says no."""

    not_: Condition = Field(alias="not", description="a condition that must say no")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The opposite; an abstention abstains."""
        return np.asarray(1.0 - states[0])

    words: ClassVar[str] = "not"

    @property
    def children(self) -> tuple[Any, ...]:
        """The one condition."""
        return (self.not_,)

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {"not": self.not_}


class Score(Combination):
    """Yes when the weights of those that say yes reach a share of all weights."""

    score: tuple[Condition, ...] = Field(min_length=1, description="conditions that are weighed")
    weights: tuple[float, ...] | None = Field(None, description="one for each condition; without them all weigh 1")
    enter: float = Field(0.5, gt=0, le=1, description="yes from this share of the weights on")
    leave: float | None = Field(None, gt=0, le=1, description="no again only below this share; without it, as enter")

    @model_validator(mode="after")
    def _agrees(self) -> Score:
        if self.weights is not None and (len(self.weights) != len(self.score) or min(self.weights) <= 0):
            raise mistake(f"weights: expected {len(self.score)} numbers above 0, one for each condition")
        if self.leave is not None and self.leave > self.enter:
            raise mistake(f"leave: found {self.leave:g}, expected at most enter ({self.enter:g})")
        return self

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The share of the weights that say yes, of those that do not abstain."""
        weights = np.array(self.weights or (1.0,) * len(self.score))[:, None]
        known = np.ones_like(states) if unknown == "no" else (~np.isnan(states)).astype(np.float64)
        total = (weights * known).sum(axis=0)
        yes = (weights * np.nan_to_num(states)).sum(axis=0)
        return np.where(total > 0, yes / np.where(total > 0, total, 1.0), np.nan)

    def settle(self, share: Floats) -> Floats:
        """Yes from `enter` on until below `leave`."""
        leave = self.enter if self.leave is None else self.leave
        rounding = 1e-12
        state = latch(enter=share >= self.enter - rounding, leave=share < leave - rounding)
        return np.where(np.isnan(share), np.nan, np.nan_to_num(state))

    @property
    def words(self) -> str:
        """What it asks."""
        again = "" if self.leave is None else f" (leaves below {self.leave:.0%})"
        return f"at least {self.enter:.0%} of the weight of{again}"

    @property
    def children(self) -> tuple[Any, ...]:
        """The conditions."""
        return self.score


Condition: TypeAlias = Annotated[
    Annotated[AllOf, Tag("(all)")]
    | Annotated[AnyOf, Tag("(any)")]
    | Annotated[NotOf, Tag("(not)")]
    | Annotated[Score, Tag("(score)")]
    | Annotated[AnySignal, Tag("(signal)")],
    Discriminator(which_form),
]

for _model in (AllOf, AnyOf, NotOf, Score):
    _model.model_rebuild()


def _reduced(states: Floats, unknown: Unknown, reduce: Any, neutral: float) -> Floats:
    if unknown == "no":
        return np.asarray(reduce.reduce(np.nan_to_num(states), axis=0))
    merged = reduce.reduce(np.where(np.isnan(states), neutral, states), axis=0)
    return np.where(np.isnan(states).all(axis=0), np.nan, merged)


@dataclass
class Grower:
    """Grows branches from conditions on one market; a signal that stands in several places is computed once."""

    market: Market
    legs: Legs
    unknown: Unknown = "abstain"
    grown: dict[tuple[str, str], Branch] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def grow(self, condition: Any, leans: Leans) -> Branch:
        """The branch of a condition, with everything below it. leans: what a yes of it speaks for."""
        if isinstance(condition, Signal):
            return self._leaf(condition, leans)
        below = _opposite(leans) if isinstance(condition, NotOf) else leans
        children = tuple(self.grow(child, below) for child in condition.children)
        states = np.stack([child.state for child in children])
        degrees = np.stack([child.degree for child in children])
        merged = condition.merge(states, self.unknown)
        state = condition.settle(merged) if isinstance(condition, Score) else merged
        merge = _merge_of(condition, self.unknown, state)
        return Branch(str(condition.words), state, condition.merge(degrees, self.unknown), children, None, merge)

    def _leaf(self, signal: Signal, leans: Leans) -> Branch:
        key = (signal.model_dump_json(), leans)
        if key not in self.grown:
            name = str(getattr(signal, "signal"))  # noqa: B009 - of every subclass, not of the base
            nth = sum(each == name for each in self.names)
            self.names.append(name)
            evidence = signal.evidence(self.market, self.legs, f"{name}_{nth + 1}" if nth else name, leans=leans)
            assert evidence.switch is not None
            state = evidence.switch(evidence.values)
            self.grown[key] = Branch(signal.words, state, state, evidence=evidence)
        return self.grown[key]


def _merge_of(condition: Any, unknown: Unknown, state: Floats) -> Callable[[Sequence[float], int], float]:
    """How the children's states at one row make the node's, for `why` to try others."""

    def merge(states: Sequence[float], row: int) -> float:
        merged = condition.merge(np.array(states, dtype=np.float64)[:, None], unknown)
        if not isinstance(condition, Score):
            return float(merged[0])
        before = state[row - 1] if row else np.nan
        leave = condition.enter if condition.leave is None else condition.leave
        limit = leave if before == 1.0 else condition.enter
        return float("nan") if np.isnan(merged[0]) else float(merged[0] >= limit - 1e-12)

    return merge


def _opposite(leans: Leans) -> Leans:
    return {"small": "growth", "growth": "small", "cash": "cash"}[leans]  # type: ignore[return-value]


def needs_of(condition: Any) -> Needs:
    """What a condition's signals read beside the prices of the legs."""
    if isinstance(condition, Signal):
        return condition.needs
    needs = Needs()
    for child in condition.children:
        needs = needs | needs_of(child)
    return needs


def words_of(condition: Any) -> str:
    """A condition in one line."""
    if isinstance(condition, Signal):
        return condition.words
    inside = "; ".join(words_of(child) for child in condition.children)
    return f"{condition.words} ({inside})"


def leaves_of(branch: Branch) -> list[Branch]:
    """The signals of a branch, from left to right."""
    if not branch.children:
        return [branch]
    return [leaf for child in branch.children for leaf in leaves_of(child)]
