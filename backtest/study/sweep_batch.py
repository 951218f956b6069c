"""Variants of one setting, run together by one call of compiled code; the threads that do it.

Decisions -> BATCH -> a row of metrics each. A decision goes in as it is, a number a session, and becomes stretches of
equal weights inside the call; one that says more (weights within the legs, cash by session), or that several points
share, comes as stretches already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Semaphore
from typing import Any, TypeAlias

import numpy as np

from backtest.decision import INITIAL_SHARES, Decision, check_decision
from backtest.errors import RunError
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS
from backtest.study.sweep_engine import runner
from backtest.study.sweep_setting import Encoded, Setting

BATCH = 128
"""Variants of one setting in one call of compiled code."""

AHEAD = 2
"""Batches per thread that wait to be run: some 7 MB each."""

Told: TypeAlias = list[tuple[int, Exception]]
"""Points that have no figures, and why."""


@dataclass(eq=False)
class Batch:
    """Variants of one setting. numbers: their points; small, cash: rows of decisions as they are; or encoded ones."""

    setting: Setting
    small: Floats
    cash: Floats = field(default_factory=lambda: np.zeros((BATCH, 1)))
    encoded: list[Encoded] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Is there no room for another?"""
        return len(self.numbers) == len(self.cash)

    def add(self, decision: Decision | Encoded, number: int) -> None:
        """One variant more; a batch takes one kind alone."""
        if isinstance(decision, Encoded):
            self.encoded.append(decision)
        else:
            self.small[len(self.numbers)] = decision.small_share
            self.cash[len(self.numbers)] = decision.cash_share
        self.numbers.append(number)

    def run(self, start: int, table: Floats) -> Told:
        """Fill rows of the table, whose first is that of the point `start`; gives back what cannot be run."""
        count = len(self.numbers)
        rows, is_wrong = np.empty((count, table.shape[1])), np.zeros(count, dtype=np.bool_)
        curve = np.empty((1, len(self.setting.plan.opens)))
        runner()(*self.arguments(), self.setting.against, curve, rows, is_wrong)
        rows[is_wrong] = np.nan
        table[np.array(self.numbers) - start] = rows
        return [(self.numbers[k], self._wrong(k)) for k in np.flatnonzero(is_wrong).tolist()]

    def arguments(self) -> tuple[Any, ...]:
        """What an account needs, as `run_many` takes it."""
        own, count = self.setting, len(self.numbers)
        shares = self.small[: 0 if self.encoded else count], self.cash, *INITIAL_SHARES[own.config.strategy.initial]
        shift = own.plan.first - own.begin
        return stretches_of(self.encoded, own), shares, own.weights, shift, own.is_small, own.prices, own.numbers

    def _wrong(self, k: int) -> Exception:
        try:
            check_decision(Decision(self.small[k], cash_share=float(self.cash[k, 0])), self.setting.market)
        except RunError as error:
            return error
        return RunError("the decision is none")


def stretches_of(decisions: Sequence[Encoded], setting: Setting) -> tuple[Any, Floats, Any]:
    """Rows and weights of all variants one after the other, and where each one's end."""
    rows = [np.empty(0, dtype=np.int64), *(each.rows for each in decisions)]
    weights = [np.empty((0, len(setting.is_small))), *(each.weights for each in decisions)]
    ends = np.cumsum([len(each.rows) for each in decisions], dtype=np.int64)
    return np.concatenate(rows), np.concatenate(weights), ends


def curve_of(setting: Setting, decision: Decision) -> Floats:
    """The whole curve of a variant, (sessions,)."""
    batch = Batch(setting, np.empty((0, len(setting.market.close))))
    batch.add(setting.encoded(decision), 0)
    curve = np.empty((1, len(setting.plan.opens)))
    runner()(*batch.arguments(), setting.against, curve, np.empty((1, len(METRIC_KEYS))), np.zeros(1, dtype=np.bool_))
    return np.asarray(curve[0])


class Crew:
    """Threads that run batches. Who hands them work waits while they are behind; what held a batch is used again."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._free = Semaphore((AHEAD + 1) * threads)
        self._rooms: SimpleQueue[Floats] = SimpleQueue()

    def batch(self, setting: Setting) -> Batch:
        """An empty one."""
        sessions = len(setting.market.close)
        try:
            room = self._rooms.get_nowait()
        except Empty:
            room = np.empty((0, 0))
        return Batch(setting, room if room.shape == (BATCH, sessions) else np.empty((BATCH, sessions)))

    def run(self, batch: Batch, start: int, table: Floats) -> Future[Told]:
        """Have a batch run."""

        def work() -> Told:
            told = batch.run(start, table)
            self._rooms.put(batch.small)
            return told

        return self.submit(work)

    def submit(self, work: Callable[..., Told], *given: Any) -> Future[Told]:
        """Have something done."""
        self._free.acquire()
        future = self._pool.submit(work, *given)
        future.add_done_callback(lambda _: self._free.release())
        return future

    def stop(self) -> None:
        """Wait for what is running, and leave the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)
