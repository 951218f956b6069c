"""Field: all variants, their mixes of equal exposure and the benchmarks as curves on the same sessions.

Between the common ground (what to run) and the statistics, which are given its `table`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from backtest.account import Books
from backtest.account.kernel import run_compiled
from backtest.market import Floats
from backtest.metrics import Activity, Calendar, calendar_and_tbill
from backtest.pipeline import activity_of, legs_of
from backtest.statistics.histories import Table
from backtest.study.frontier import Mixed, equal_exposure
from backtest.study.ground import Ground
from backtest.study.runs import Outcome, outcome_of, plan_of_benchmark, run_variant, years_between

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Benchmarks:
    """The benchmarks' books, the declared one first, and the riskless return per session (sessions,)."""

    books: tuple[Books, ...]
    activity: tuple[Activity, ...]
    tbill: Floats

    @property
    def declared(self) -> Floats:
        """Equity of the declared benchmark, (sessions,)."""
        return self.books[0].equity


@dataclass(frozen=True, eq=False)
class Field:
    """The variants in order with their mixes, beside the benchmarks; equity arrays are (curves x sessions)."""

    ground: Ground
    benchmarks: Benchmarks
    outcomes: tuple[Outcome, ...]
    mixes: tuple[Mixed, ...]

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the common period, the base row first."""
        return self.benchmarks.books[0].sessions

    @cached_property
    def equity(self) -> Floats:
        """Of the variants."""
        return np.array([outcome.equity for outcome in self.outcomes])

    @cached_property
    def benchmark_equity(self) -> Floats:
        """Of the benchmarks."""
        return np.array([books.equity for books in self.benchmarks.books])

    @cached_property
    def mix_equity(self) -> Floats:
        """Of the mixes of equal exposure."""
        return np.array([mixed.equity for mixed in self.mixes])

    @cached_property
    def calendar(self) -> Calendar:
        """For the metrics."""
        return calendar_and_tbill(self.ground.market, self.sessions)[0]

    @cached_property
    def table(self) -> Table:
        """For the statistics: returns without the base row."""
        return Table(
            names=tuple(outcome.name for outcome in self.outcomes),
            returns=_returns(self.equity),
            benchmark=_returns(self.benchmark_equity[:1])[:, 0],
            years=years_between(self.sessions),
            mixes=_returns(self.mix_equity),
            tbill=self.benchmarks.tbill[1:],
            periods_per_year=self.ground.market.periods_per_year,
        )


def run_benchmarks(ground: Ground) -> Benchmarks:
    """All benchmarks on the terms of the first variant."""
    books = tuple(run_compiled(plan_of_benchmark(ground, benchmark)) for benchmark in ground.benchmarks)
    legs = legs_of(ground.first)
    tbill = calendar_and_tbill(ground.market, books[0].sessions)[1]
    return Benchmarks(books, tuple(activity_of(one, legs) for one in books), tbill)


def run_field(
    ground: Ground, benchmarks: Benchmarks, strategies: Mapping[str, type], finished: Callable[[Outcome], None]
) -> Field:
    """Run all variants on all cores; `finished` is told of each, in order, as soon as it is done."""

    def one(name: str) -> tuple[Outcome, Mixed]:
        outcome = outcome_of(run_variant(ground, name, strategies))
        return outcome, equal_exposure(ground, outcome)

    outcomes, mixes = [], []
    for outcome, mixed in in_parallel(one, list(ground.configs)):
        finished(outcome)
        outcomes.append(outcome)
        mixes.append(mixed)
    return Field(ground, benchmarks, tuple(outcomes), tuple(mixes))


def in_parallel(function: Callable[[T], S], values: Sequence[T]) -> Iterator[S]:
    """`map` on a thread for each core (the kernel lets go of the interpreter), in order; raises the first error."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(function, value) for value in values]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _returns(equity: Floats) -> Floats:
    """Simple returns per session, (sessions - 1 x curves), of (curves x sessions)."""
    return np.ascontiguousarray((equity[:, 1:] / equity[:, :-1] - 1.0).T)


def activities(each: Iterable[Activity]) -> Activity:
    """Totals of several curves as one Activity of arrays."""
    every = list(each)
    return Activity(
        turnover=np.array([float(a.turnover) for a in every]),
        rebalances=np.array([int(a.rebalances) for a in every]),
        trades=np.array([int(a.trades) for a in every]),
        exposure_small=np.array([float(a.exposure_small) for a in every]),
        costs_usd=np.array([float(a.costs_usd) for a in every]),
    )
