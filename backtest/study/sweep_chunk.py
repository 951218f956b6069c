"""Running a stretch of a grid: decisions by the interpreter, accounts and metrics by compiled code on all cores.

A decision shared by several points (other costs, another start) is made once. While threads run the accounts of one
chunk, the decisions of the next are made. One variant that fails is a row without figures and a line that says why.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel

from backtest.decision import check_decision, target_weights
from backtest.errors import BacktestError
from backtest.execution.account import MOST_CODES, TOTALS
from backtest.execution.compiled import run_compiled
from backtest.market import Floats, Memo
from backtest.metrics import METRIC_KEYS
from backtest.pipeline import activity_of
from backtest.plan import Plan, make_plan
from backtest.study.sweep_engine import measurer, runner
from backtest.study.sweep_setting import Encoded, Setting, Settings

CHUNK = 2048
"""Points that are finished, and kept, together."""

BATCH = 128
"""Variants of one setting in one call of compiled code."""


@dataclass(eq=False)
class Rows:
    """Figures of the points start ... start + len(table): a row each, columns in METRIC_KEYS' order, NaN undefined.

    problems: number of a point -> why it has no figures.
    """

    start: int
    table: Floats
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """The first point after."""
        return self.start + len(self.table)


def run_chunks(settings: Settings, chunks: Iterable[tuple[int, int]], workers: int | None = None) -> Iterator[Rows]:
    """The rows of each chunk (start, stop) of points, in order."""
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    waiting: tuple[Rows, list[Future[None]]] | None = None
    try:
        for start, stop in chunks:
            started = _start(settings, start, stop, pool)
            if waiting:
                yield _finished(*waiting)
            waiting = started
        if waiting:
            yield _finished(*waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(rows: Rows, futures: list[Future[None]]) -> Rows:
    for future in futures:
        future.result()
    return rows


def _start(settings: Settings, start: int, stop: int, pool: ThreadPoolExecutor) -> tuple[Rows, list[Future[None]]]:
    """Decide all points of a chunk and hand their accounts to the pool."""
    rows = Rows(start, np.full((stop - start, len(METRIC_KEYS)), np.nan))
    futures: list[Future[None]] = []
    batches: dict[int, Batch] = {}  # by setting
    is_shared = len(settings.shared_axes) > 0
    for number in range(start, stop):
        try:
            template, params = settings.study.grid_parts(number)
            setting = settings.of(template, params)
            encoded = _decided(settings.decisions, setting, params) if is_shared else setting.encoded(params)
        except BacktestError as error:
            rows.problems[number] = str(error.problems[0])
            continue
        except Exception as error:
            rows.problems[number] = f"{type(error).__name__}: {error}"
            continue
        if not encoded.count or setting.plan.band < 1.0:
            futures.append(pool.submit(_run_plain, setting, params, rows, number))
            continue
        batch = batches.get(id(setting))
        if batch is None:
            batch = batches[id(setting)] = Batch.of(setting)
        batch.add(encoded, number)
        if batch.count == BATCH:
            futures.append(pool.submit(batch.run, rows))
            del batches[id(setting)]
    futures += [pool.submit(batch.run, rows) for batch in batches.values()]
    return rows, futures


def _decided(decisions: Memo, setting: Setting, params: BaseModel) -> Encoded:
    """The encoded decision, shared by all points that decide on the same."""
    config = setting.config
    legs = (*setting.legs.growth.items(), "|", *setting.legs.small.items())
    asked = (id(setting.market), config.strategy.name, config.strategy.initial, legs, params.model_dump_json())
    return decisions.get(asked, lambda: setting.encoded(params))


@dataclass(eq=False)
class Batch:
    """Encoded variants of one setting, to be run in one call."""

    setting: Setting
    codes: np.typing.NDArray[np.uint8]
    tables: Floats
    counts: np.typing.NDArray[np.int64]
    numbers: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, setting: Setting, size: int = BATCH) -> Batch:
        """An empty one."""
        codes = np.zeros((size, len(setting.plan.sessions)), dtype=np.uint8)
        return cls(setting, codes, np.zeros((size, MOST_CODES, 2)), np.zeros(size, dtype=np.int64))

    @property
    def count(self) -> int:
        """Variants in it."""
        return len(self.numbers)

    def add(self, encoded: Encoded, number: int) -> None:
        """One variant more; a longer delay is shifted in, as in a Plan."""
        k, first, begin = self.count, self.setting.plan.first, self.setting.begin
        self.codes[k, first:] = encoded.codes[begin : len(encoded.codes) - first]
        self.tables[k, : encoded.count] = encoded.table[: encoded.count]
        self.counts[k] = encoded.count
        self.numbers.append(number)

    def run(self, rows: Rows) -> None:
        """Fill the variants' rows."""
        table = np.empty((self.count, rows.table.shape[1]))
        self.run_into(np.empty((1, self.codes.shape[1])), table)
        rows.table[np.array(self.numbers) - rows.start] = table

    def run_into(self, equity: Floats, table: Floats) -> None:
        """equity: (variants, sessions) to be filled, or (1, sessions) when curves are not wanted."""
        n, own = self.count, self.setting
        runner()(
            self.codes[:n], self.tables[:n], self.counts[:n], *own.weights, own.prices, own.numbers, own.against,
            equity, table,
        )  # fmt: skip


def plan_with(setting: Setting, params: BaseModel) -> Plan:
    """The plan of a variant, as its single run makes it."""
    decision = check_decision(setting.decide(params), setting.market)
    tickers = setting.legs.tickers
    weights = target_weights(decision, setting.market, setting.legs, tickers, setting.config.strategy.initial)
    made = make_plan(setting.market, tickers, weights, setting.plan.sessions[0], setting.plan.terms)
    return dataclasses.replace(setting.plan, targets=made.targets)


def _run_plain(setting: Setting, params: BaseModel, rows: Rows, number: int) -> None:
    """For what the fast account cannot do: a drift rule, or shares of more than MOST_CODES sizes."""
    books = run_compiled(plan_with(setting, params))
    activity = activity_of(books, setting.legs)
    totals: list[Any] = [activity.turnover, activity.rebalances, activity.trades]
    totals += [activity.exposure_small, activity.costs_usd]
    table = np.empty((1, len(METRIC_KEYS)))
    measurer()(books.equity[None], np.array([totals], dtype=np.float64).reshape(1, TOTALS), setting.against, table)
    rows.table[number - rows.start] = table[0]
