"""Trees: conditions computed on a market, branch by branch, with what each says and how its children make it.

The flow: signals -> conditions -> TREE -> holding -> decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from backtest.decision import Branch
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals.conditions import NotOf, Score, Unknown
from backtest.signals.signal import Signal

Leans = Literal["small", "growth", "cash"]


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
