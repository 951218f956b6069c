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

from backtest.config import Config, Study
from backtest.decision import check_decision, target_weights
from backtest.errors import BacktestError
from backtest.execution.account import TOTALS
from backtest.execution.compiled import run_compiled
from backtest.market import Floats
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
    for points in _by_template(settings.study, rows):
        batches: dict[int, Batch] = {}  # by setting
        for number, template, params in points:
            try:
                setting = settings.of(template, params)
                if setting.is_plain:
                    futures.append(pool.submit(_run_plain, setting, plan_with(setting, params), rows, number))
                    continue
                encoded = _decided(settings, setting, params)
            except Exception as error:
                rows.problems[number] = _told(error)
                continue
            batch = batches.get(id(setting))
            if batch is None:
                batch = batches[id(setting)] = Batch(setting)
            batch.add(encoded, number)
            if len(batch.numbers) == BATCH:
                futures.append(pool.submit(batch.run, rows))
                del batches[id(setting)]
        futures += [pool.submit(batch.run, rows) for batch in batches.values()]
    return rows, futures


def _by_template(study: Study, rows: Rows) -> Iterable[list[tuple[int, Config, BaseModel]]]:
    """The points of a chunk, those together that differ in parameters alone: a setting is made once for them."""
    groups: dict[int, list[tuple[int, Config, BaseModel]]] = {}
    for number in range(rows.start, rows.stop):
        try:
            template, params = study.grid_parts(number)
        except BacktestError as error:
            rows.problems[number] = _told(error)
            continue
        groups.setdefault(id(template), []).append((number, template, params))
    return groups.values()


def _told(error: Exception) -> str:
    if isinstance(error, BacktestError):
        return str(error.problems[0])
    return f"{type(error).__name__}: {error}"


def _decided(settings: Settings, setting: Setting, params: BaseModel) -> Encoded:
    """The encoded decision, shared by all points that decide on the same."""
    if not settings.shared_axes:
        return setting.encoded(params)
    strategy = setting.config.strategy
    asked = (id(setting.market), strategy.name, strategy.initial, setting.legs.key, params.model_dump_json())
    return settings.decisions.get(asked, lambda: setting.encoded(params))


@dataclass(eq=False)
class Batch:
    """Encoded variants of one setting, to be run in one call; numbers: their points."""

    setting: Setting
    decisions: list[Encoded] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, encoded: Encoded, number: int) -> None:
        """One variant more."""
        self.decisions.append(encoded)
        self.numbers.append(number)

    def run(self, rows: Rows) -> None:
        """Fill the variants' rows."""
        table = np.empty((len(self.numbers), rows.table.shape[1]))
        self.run_into(np.empty((1, len(self.setting.plan.opens))), table)
        rows.table[np.array(self.numbers) - rows.start] = table

    def run_into(self, equity: Floats, table: Floats) -> None:
        """equity: (variants, sessions) to be filled, or (1, sessions) when curves are not wanted."""
        runner()(*self.arguments(), self.setting.against, equity, table)

    def arguments(self) -> tuple[Any, ...]:
        """What an account needs: stretches of all variants one after the other, and where each one's end."""
        own = self.setting
        rows = np.concatenate([each.rows for each in self.decisions])
        weights = np.concatenate([each.weights for each in self.decisions])
        ends = np.cumsum([len(each.rows) for each in self.decisions])
        return rows, weights, ends, own.plan.first - own.begin, own.is_small, own.prices, own.numbers


def plan_with(setting: Setting, params: BaseModel) -> Plan:
    """The plan of a variant, as its single run makes it."""
    decision = check_decision(setting.decide(params), setting.market)
    tickers = setting.legs.tickers
    weights = target_weights(decision, setting.market, setting.legs, tickers, setting.config.strategy.initial)
    made = make_plan(setting.market, tickers, weights, setting.plan.sessions[0], setting.plan.terms)
    return dataclasses.replace(setting.plan, targets=made.targets)


def _run_plain(setting: Setting, plan: Plan, rows: Rows, number: int) -> None:
    """For what the account for sweeps cannot do."""
    books = run_compiled(plan)
    activity = activity_of(books, setting.legs)
    totals: list[Any] = [activity.turnover, activity.rebalances, activity.trades]
    totals += [activity.exposure_small, activity.costs_usd]
    table = np.empty((1, len(METRIC_KEYS)))
    measurer()(books.equity[None], np.array([totals], dtype=np.float64).reshape(1, TOTALS), setting.against, table)
    rows.table[number - rows.start] = table[0]
