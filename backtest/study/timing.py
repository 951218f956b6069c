"""Descriptions of one rule's timing, not corrected for the search: the same decisions at other times, and by cycle.

    a Result -> its decisions rotated in time -> share of rotations that do as well
             -> its active return from cut cycle to cut cycle -> t of so few numbers, and how many were right

Neither is a verdict. A rotation by less than the rule looks back would look ahead, and one that wraps around so far
would undo itself: only shifts of at least the longest lookback and hold, from either end, are taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from backtest.market import Floats
from backtest.result import Result
from backtest.statistics.cycles import ByCycle, by_cycle
from backtest.study.search import MONTH_PLACES, cycle_starts, is_cut_driven
from backtest.study.verdict import in_hundred
from backtest.text import number, p_equals, plural
from backtest.units import MONTHS_PER_YEAR

FEWEST_SPANS = 15
"""The period must be so many times as long as the shortest shift: of fewer, the shifts are few and alike."""

MOST_SHIFTS = 499
"""At equal distances: neighbours are almost the same."""


@dataclass(frozen=True)
class RandomTiming:
    """p: share of the rotations, the true one among them, whose t reaches the true one. shortest: in sessions."""

    p: float
    shifts: int
    shortest: int


@dataclass(frozen=True)
class TimingDescription:
    """None: the period is too short for the rule's memory, or nothing was decided; no rule of cuts, no benchmark.

    by_cycle: the active return from the first cut of each easing cycle to that of the next, one number a cycle.
    """

    rotation: RandomTiming | None
    by_cycle: ByCycle | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words."""
        told = []
        if self.rotation:
            told.append(
                f"The same decisions, moved in time by {self.rotation.shortest} sessions or more, do as well in "
                f"{in_hundred(self.rotation.p)} of 100 shifts, before costs. This is a description of this rule alone, "
                "not corrected for the search."
            )
        own = self.by_cycle
        if own and own.p_signs is not None:
            n, student = len(own.values), ""
            if own.t is not None and own.p is not None:
                student = f"; t = {number(own.t)} with {plural(n - 1, 'degree')} of freedom, {p_equals(own.p)}"
            told.append(
                f"From one easing cycle to the next it was ahead in {own.positive} of {n}, which fair coins reach in "
                f"{in_hundred(own.p_signs)} of 100 cases{student}. Not corrected for the search."
            )
        return tuple(told)

    @property
    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "random_timing": None if self.rotation is None else vars(self.rotation),
            "by_cycle": None if self.by_cycle is None else vars(self.by_cycle),
        }


def describe_timing(result: Result) -> TimingDescription:
    """Both descriptions of a run."""
    return TimingDescription(_rotated(result), _by_cycle(result))


def memory_sessions(params: BaseModel) -> int:
    """The longest lookback and the longest hold among a rule's parameters, together; at least a month."""
    lengths: dict[bool, int] = {True: 0, False: 0}

    def look(key: str, value: object) -> None:
        if isinstance(value, dict):
            for name, own in value.items():
                look(str(name), own)
        elif isinstance(value, list | tuple):
            for own in value:
                look(key, own)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            unit = MONTH_PLACES if key.endswith("_months") else 1 if key.endswith("_sessions") else 0
            lengths["hold" in key] = max(lengths["hold" in key], math.ceil(value * unit))

    look("", params.model_dump())
    return max(sum(lengths.values()), MONTH_PLACES)


def _rotated(result: Result) -> RandomTiming | None:
    """Share of rotations of the decided weights that do as well as they do where they are."""
    weights = result.plan.targets
    is_daily = result.market.periods_per_year != MONTHS_PER_YEAR
    g = memory_sessions(result.config.strategy.params) if is_daily else 0
    if not g or len(weights) < FEWEST_SPANS * g or (weights == weights[0]).all():
        return None
    moves = _moves(result)
    shifts = np.unique(np.linspace(g, len(weights) - g, MOST_SHIFTS).astype(np.int64))
    centred = weights - weights.mean(axis=0)
    own = rotated_t(centred, *moves, 0)
    others = np.array([rotated_t(centred, *moves, shift) for shift in shifts.tolist()])
    return RandomTiming(float((1 + (others >= own).sum()) / (1 + len(others))), len(others), g)


def rotated_t(weights: Floats, overnight: Floats, in_session: Floats, delay: int, shift: int) -> float:
    """T of the mean return of weights (sessions x tickers, over their mean) decided `shift` sessions later.

    overnight, in_session: returns of each ticker from the close before to the session's fill, and from there to its
    close, (sessions x tickers). A decision is held from the fill of `delay` sessions later on; weights wrap around.
    """
    x = np.einsum("ij,ij->i", np.roll(weights, shift + delay, axis=0), in_session)
    x += np.einsum("ij,ij->i", np.roll(weights, shift + delay + 1, axis=0), overnight)
    x = x[delay + 1 :]
    spread = x.std(ddof=1)
    return float(x.mean() / spread * math.sqrt(len(x))) if spread > 0 else 0.0


def _moves(result: Result) -> tuple[Floats, Floats, int]:
    columns, terms = list(result.plan.tickers), result.plan.terms
    opens, closes = (
        frame[columns].to_numpy(dtype=np.float64)[result.begin :] for frame in (result.market.open, result.market.close)
    )
    fills = closes if terms.fill == "close" else opens
    before = np.vstack([closes[:1], closes[:-1]])
    return np.nan_to_num(fills / before - 1.0), np.nan_to_num(closes / fills - 1.0), terms.delay_sessions


def _by_cycle(result: Result) -> ByCycle | None:
    """The active return of each easing cycle that began in the test."""
    first = next(iter(result.benchmarks.values()), None)
    if first is None or not is_cut_driven(result.config):
        return None
    sessions = result.sessions
    starts = cycle_starts(result.market, sessions)
    begins = sessions.searchsorted(starts)
    if not len(begins):
        return None
    active = np.diff(result.books.equity) / result.books.equity[:-1] - np.diff(first.equity) / first.equity[:-1]
    sums = np.array([part.sum() for part in np.split(active, begins)[1:]])
    return by_cycle(sums, [f"{start:%Y-%m-%d}" for start in starts])
