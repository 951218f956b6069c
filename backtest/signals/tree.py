"""Trees: conditions computed on a market, branch by branch, with what each says and how its children make it.

The flow: signals -> conditions -> TREE -> holding -> decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.decision import Branch
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals.conditions import NotOf, Score, Unknown
from backtest.signals.signal import Signal
from backtest.units import TIE

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
