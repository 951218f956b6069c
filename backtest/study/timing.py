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

from backtest.account.plan import Plan
from backtest.config import Config
from backtest.market import Floats, Market
from backtest.result import Result
from backtest.statistics.cycles import ByCycle, by_cycle
from backtest.study.search import MONTH_PLACES, cycle_starts, is_cut_driven
from backtest.study.verdict import in_hundred
from backtest.text import number, p_equals, plural

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
    first = next(iter(result.benchmarks.values()), None)
    benchmark = None if first is None else first.equity
    return described(result.config, result.market, result.plan, result.books.equity, benchmark)


def described(
    config: Config, market: Market, plan: Plan, equity: Floats, benchmark: Floats | None
) -> TimingDescription:
    """Both descriptions of an account; equity, and the benchmark's on the same terms: (sessions,)."""
    by_cycles = None if benchmark is None else _by_cycle(config, market, plan, equity, benchmark)
    return TimingDescription(_rotated(config, market, plan), by_cycles)


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


def _rotated(config: Config, market: Market, plan: Plan) -> RandomTiming | None:
    """Share of rotations of the decided weights that do as well as they do where they are."""
    weights = plan.targets
    is_daily = not market.is_monthly
    g = memory_sessions(config.strategy.params) if is_daily else 0
    if not g or len(weights) < FEWEST_SPANS * g or (weights == weights[0]).all():
        return None
    shifts = np.unique(np.linspace(g, len(weights) - g, MOST_SHIFTS).astype(np.int64))
    t = rotated_t(weights - weights.mean(axis=0), *_moves(market, plan), plan.terms.delay_sessions)
    return RandomTiming(float((1 + (t[shifts] >= t[0]).sum()) / (1 + len(shifts))), len(shifts), g)


def rotated_t(weights: Floats, overnight: Floats, in_session: Floats, delay: int) -> Floats:
    """T of the mean return of weights (sessions x tickers, over their mean) decided 0, 1, ... sessions later.

    overnight, in_session: returns of each ticker from the close before to the session's fill, and from there to its
    close, (sessions x tickers). A decision is held from the fill of `delay` sessions later on; weights wrap around.
    The sums of the returns and of their squares over all shifts are correlations around a circle: products of Fourier
    transforms.
    """
    held = np.hstack([np.roll(weights, delay, axis=0), np.roll(weights, delay + 1, axis=0)]).T
    moves = np.hstack([in_session, overnight]).T.copy()
    moves[:, : delay + 1] = 0.0  # nothing has been filled yet
    used = moves.any(axis=1) & held.any(axis=1)
    held, moves, n, count = held[used], moves[used], len(weights), len(weights) - delay - 1
    total = (np.fft.rfft(held).conj() * np.fft.rfft(moves)).sum(axis=0)
    squares = np.zeros_like(total)
    for k in range(len(held)):
        both = np.fft.rfft(held[k] * held[k:]).conj() * np.fft.rfft(moves[k] * moves[k:])
        squares += 2 * both.sum(axis=0) - both[0]
    mean, square = np.fft.irfft(total, n) / count, np.fft.irfft(squares, n) / count
    spread = np.sqrt(np.maximum(square - mean**2, 0.0) * count / (count - 1))
    is_still = spread <= 1e-7 * np.sqrt(np.abs(square))
    return np.asarray(np.round(np.where(is_still, 0.0, mean / np.where(is_still, 1.0, spread) * math.sqrt(count)), 9))


def _moves(market: Market, plan: Plan) -> tuple[Floats, Floats]:
    begin, columns = len(market.sessions) - len(plan.sessions), list(plan.tickers)
    opens, closes = (frame[columns].to_numpy(dtype=np.float64)[begin:] for frame in (market.open, market.close))
    fills = closes if plan.terms.fill == "close" else opens
    before = np.vstack([closes[:1], closes[:-1]])
    return np.nan_to_num(fills / before - 1.0), np.nan_to_num(closes / fills - 1.0)


def _by_cycle(config: Config, market: Market, plan: Plan, equity: Floats, benchmark: Floats) -> ByCycle | None:
    """The active return of each easing cycle that began in the test."""
    if not is_cut_driven(config):
        return None
    starts = cycle_starts(market, plan.sessions)
    begins = plan.sessions.searchsorted(starts)
    if not len(begins):
        return None
    active = np.diff(equity) / equity[:-1] - np.diff(benchmark) / benchmark[:-1]
    sums = np.array([part.sum() for part in np.split(active, begins)[1:]])
    return by_cycle(sums, [f"{start:%Y-%m-%d}" for start in starts])
