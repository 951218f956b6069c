"""Trees: conditions computed on a market, branch by branch, with what each says and how its children make it.

The flow: signals -> conditions -> TREE -> holding -> decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from backtest.decision import Branch
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals.conditions import NotOf, Score, Unknown
from backtest.signals.signal import Signal

Leans = Literal["small", "growth", "cash"]


@dataclass(frozen=True)
class Grower:
    """Grows branches from conditions on one market; what was grown before, for another variant too, is taken as it is.

    names: of each signal as evidence, by the signal and what a yes of it speaks for.
    """

    market: Market
    legs: Legs
    unknown: Unknown
    names: Mapping[tuple[Signal, Leans], str]

    def grow(self, condition: Any, leans: Leans) -> Branch:
        """The branch of a condition, with everything below it. leans: what a yes of it speaks for."""
        named = tuple(self.names[leaf] for leaf in signals_of(condition, leans))
        key = ("branch", condition, leans, self.unknown, named, self.legs.key)
        return self.market.memo.get(key, lambda: self._grown(condition, leans))

    def _grown(self, condition: Any, leans: Leans) -> Branch:
        if isinstance(condition, Signal):
            return self._leaf(condition, leans)
        children = tuple(self.grow(child, below(condition, leans)) for child in condition.children)
        states = np.stack([child.state for child in children])
        degrees = np.stack([child.degree for child in children])
        merged = condition.merge(states, self.unknown)
        state = condition.settle(merged) if isinstance(condition, Score) else merged
        merge = _merge_of(condition, self.unknown, state)
        return Branch(str(condition.words), state, condition.merge(degrees, self.unknown), children, None, merge)

    def _leaf(self, signal: Signal, leans: Leans) -> Branch:
        evidence = signal.evidence(self.market, self.legs, self.names[signal, leans], leans=leans)
        assert evidence.switch is not None
        state = evidence.switch(evidence.values)
        return Branch(signal.words, state, state, evidence=evidence)


def signals_of(condition: Any, leans: Leans) -> list[tuple[Signal, Leans]]:
    """The signals of a condition from left to right, with what a yes of each speaks for."""
    if isinstance(condition, Signal):
        return [(condition, leans)]
    return [leaf for child in condition.children for leaf in signals_of(child, below(condition, leans))]


def evidence_names(leaves: Iterable[tuple[Signal, Leans]]) -> dict[tuple[Signal, Leans], str]:
    """A name for each different signal: its own, then `lead_2`, `lead_3` for further ones of the same kind."""
    names: dict[tuple[Signal, Leans], str] = {}
    used: dict[str, int] = {}
    for leaf in leaves:
        if leaf not in names:
            name = str(getattr(leaf[0], "signal"))  # noqa: B009 - of every subclass, not of the base
            used[name] = used.get(name, 0) + 1
            names[leaf] = f"{name}_{used[name]}" if used[name] > 1 else name
    return names


def below(condition: Any, leans: Leans) -> Leans:
    """What a yes of a condition's children speaks for."""
    if not isinstance(condition, NotOf):
        return leans
    return {"small": "growth", "growth": "small", "cash": "cash"}[leans]  # type: ignore[return-value]


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
