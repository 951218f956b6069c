"""Conditions: `all`, `any`, `not` and `score` over any signals, as a config writes them, and computed on a market.

The flow: signals -> CONDITIONS, branch by branch, with what each says and how its children make it -> holding.
A branch says yes, no, or abstains (NaN): a signal abstains while it is not known. `all`, `any` and `score` leave out
who abstains, and abstain themselves when everybody does; or, with `unknown: no`, count an abstention as a no. `not` of
an abstention abstains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from backtest.config.fields import mistake, unexpected
from backtest.decision import Branch
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals import macro_signals as macro
from backtest.signals import price_signals as price
from backtest.signals.combine import latch
from backtest.signals.signal import Signal
from backtest.units import TIE

AnySignal = Annotated[
    price.Lead | price.Surge | price.TwelveOne | price.ScaledLead | price.Run | price.RelativeStrength
    | price.MovingAverage | price.Volatility | price.ValuationGap | price.RankSignal | price.Momentum | price.Breadth
    | macro.CutWindow | macro.EasingCycle | macro.ImpliedCut | macro.ExpectedCuts | macro.CutProxy | macro.Yield
    | macro.CoolCpi | macro.Series,
    Field(discriminator="signal"),
]  # fmt: skip
"""Every signal a tree can name."""

Unknown = Literal["abstain", "no"]

COMBINATIONS = ("all", "any", "not", "score")


def which_form(value: object) -> str:
    """The tag of a condition: one of the combinations, or a signal."""
    fields = type(value).model_fields if isinstance(value, BaseModel) else {}
    names = value.keys() if isinstance(value, dict) else fields.keys()
    for name in COMBINATIONS:
        if name in names or f"{name}_" in names:
            return f"({name})"
    return "(signal)"


def _at_least_one(conditions: tuple[Any, ...]) -> tuple[Any, ...]:
    if not conditions:
        raise unexpected("a list with at least one condition")
    return conditions


class Combination(BaseModel):
    """A node that is no signal; its first field are the conditions below it, or the one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    @property
    def children(self) -> tuple[Any, ...]:
        """The conditions below it."""
        below = getattr(self, next(iter(type(self).model_fields)))
        return below if isinstance(below, tuple) else (below,)


class AllOf(Combination):
    """Yes when every condition says yes."""

    all: Conditions = Field(description="conditions that must all say yes")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The least of those that do not abstain."""
        return _reduced(states, unknown, np.minimum, 1.0)

    words: ClassVar[str] = "all of"


class AnyOf(Combination):
    """Yes when one condition says yes."""

    any: Conditions = Field(description="conditions of which one is enough")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The greatest of those that do not abstain."""
        return _reduced(states, unknown, np.maximum, 0.0)

    words: ClassVar[str] = "any of"


class NotOf(Combination):
    """Yes when the condition says no."""

    not_: Condition = Field(alias="not", description="a condition that must say no")

    def merge(self, states: Floats, unknown: Unknown) -> Floats:
        """The opposite; an abstention abstains."""
        return np.asarray(1.0 - states[0])

    words: ClassVar[str] = "not"

    @model_serializer(mode="wrap")
    def _as_written(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"not": fields(self)["not_"]}


class Score(Combination):
    """Yes when the weights of those that say yes reach a share of all weights."""

    score: Conditions = Field(description="conditions that are weighed")
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
        state = latch(enter=share >= self.enter - TIE, leave=share < leave - TIE)
        return np.where(np.isnan(share), np.nan, np.nan_to_num(state))

    @property
    def words(self) -> str:
        """What it asks."""
        again = "" if self.leave is None else f" (leaves below {self.leave:.0%})"
        return f"at least {self.enter:.0%} of the weight of{again}"


Condition: TypeAlias = Annotated[
    Annotated[AllOf, Tag("(all)")]
    | Annotated[AnyOf, Tag("(any)")]
    | Annotated[NotOf, Tag("(not)")]
    | Annotated[Score, Tag("(score)")]
    | Annotated[AnySignal, Tag("(signal)")],
    Discriminator(which_form),
]

Conditions: TypeAlias = Annotated[tuple[Condition, ...], AfterValidator(_at_least_one)]


def _reduced(states: Floats, unknown: Unknown, reduce: Any, neutral: float) -> Floats:
    if unknown == "no":
        return np.asarray(reduce.reduce(np.nan_to_num(states), axis=0))
    merged = reduce.reduce(np.where(np.isnan(states), neutral, states), axis=0)
    return np.where(np.isnan(states).all(axis=0), np.nan, merged)


Asked = tuple[str, bool]
"""The leg (or cash) that a condition is about, and whether a yes of it speaks for holding that or against."""


@dataclass(frozen=True)
class Grower:
    """Grows branches from conditions on one market; what was grown before, for another variant too, is taken as it is.

    names: of each signal as evidence, by the signal and what a yes of it speaks for.
    """

    market: Market
    legs: Legs
    unknown: Unknown
    names: Mapping[tuple[Signal, Asked], str]

    def grow(self, condition: Any, asked: Asked) -> Branch:
        """The branch of a condition, with everything below it. asked: what it is about."""
        named = tuple(self.names[leaf] for leaf in signals_of(condition, asked))
        key = ("branch", condition, asked, self.unknown, named, self.legs.key)
        return self.market.memo.get(key, lambda: self._grown(condition, asked))

    def _grown(self, condition: Any, asked: Asked) -> Branch:
        if isinstance(condition, Signal):
            return self._leaf(condition, asked)
        children = tuple(self.grow(child, below(condition, asked)) for child in condition.children)
        states = np.stack([child.state for child in children])
        degrees = np.stack([child.degree for child in children])
        merged = condition.merge(states, self.unknown)
        state = condition.settle(merged) if isinstance(condition, Score) else merged
        merge = _merge_of(condition, self.unknown, state)
        return Branch(str(condition.words), state, condition.merge(degrees, self.unknown), children, None, merge)

    def _leaf(self, signal: Signal, asked: Asked) -> Branch:
        evidence = signal.evidence(self.market, self.legs, self.names[signal, asked], leg=asked[0], asks=asked[1])
        assert evidence.switch is not None
        state = evidence.switch(evidence.values)
        return Branch(signal.words(self.legs), state, state, evidence=evidence)


def signals_of(condition: Any, asked: Asked) -> list[tuple[Signal, Asked]]:
    """The signals of a condition from left to right, with what a yes of each speaks for."""
    if isinstance(condition, Signal):
        return [(condition, asked)]
    return [leaf for child in condition.children for leaf in signals_of(child, below(condition, asked))]


def evidence_names(leaves: Iterable[tuple[Signal, Asked]]) -> dict[tuple[Signal, Asked], str]:
    """A name for each different signal: its own, then `lead_2`, `lead_3` for further ones of the same kind."""
    names: dict[tuple[Signal, Asked], str] = {}
    used: dict[str, int] = {}
    for leaf in leaves:
        if leaf not in names:
            name = str(getattr(leaf[0], "signal"))  # noqa: B009 - of every subclass, not of the base
            used[name] = used.get(name, 0) + 1
            names[leaf] = f"{name}_{used[name]}" if used[name] > 1 else name
    return names


def below(condition: Any, asked: Asked) -> Asked:
    """What a yes of a condition's children speaks for."""
    return (asked[0], not asked[1]) if isinstance(condition, NotOf) else asked


def _merge_of(condition: Any, unknown: Unknown, state: Floats) -> Callable[[Sequence[float], int], float]:
    """How the children's states at one row make the node's, for `why` to try others."""

    def merge(states: Sequence[float], row: int) -> float:
        merged = condition.merge(np.array(states, dtype=np.float64)[:, None], unknown)
        if not isinstance(condition, Score):
            return float(merged[0])
        before = state[row - 1] if row else np.nan
        leave = condition.enter if condition.leave is None else condition.leave
        limit = leave if before == 1.0 else condition.enter
        return float("nan") if np.isnan(merged[0]) else float(merged[0] >= limit - TIE)

    return merge


def needs_of(condition: Any) -> Needs:
    """What a condition's signals read beside the prices of the legs."""
    if isinstance(condition, Signal):
        return condition.needs
    needs = Needs()
    for child in condition.children:
        needs = needs | needs_of(child)
    return needs


def words_of(condition: Any, legs: Legs) -> str:
    """A condition in one line."""
    if isinstance(condition, Signal):
        return condition.words(legs)
    inside = "; ".join(words_of(child, legs) for child in condition.children)
    return f"{condition.words} ({inside})"


def leaves_of(branch: Branch) -> list[Branch]:
    """The signals of a branch, from left to right."""
    if not branch.children:
        return [branch]
    return [leaf for child in branch.children for leaf in leaves_of(child)]
