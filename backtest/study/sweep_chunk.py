"""Running a stretch of a grid: decisions by the interpreter, accounts and metrics by compiled code on all cores.

A decision shared by several points (other costs, another start) is made once. While threads run the accounts of one
chunk, the decisions of the next are made. One variant that fails is a row without figures and a line that says why.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel

from backtest.config import Config, Study
from backtest.config.problems import printable
from backtest.decision import Decision
from backtest.errors import BacktestError
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS
from backtest.study.sweep_batch import BATCH, Batch, Crew, Told
from backtest.study.sweep_setting import Encoded, Setting, Settings

CHUNK = 2048
"""Points that are finished, and kept, together."""

PARAMS = "strategy.params."


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
    crew = Crew(workers or os.cpu_count() or 1)
    waiting: tuple[Rows, list[Future[Told]]] | None = None
    try:
        for start, stop in chunks:
            started = _start(settings, start, stop, crew)
            if waiting:
                yield _finished(*waiting)
            waiting = started
        if waiting:
            yield _finished(*waiting)
    finally:
        crew.stop()


def _finished(rows: Rows, futures: list[Future[Told]]) -> Rows:
    for future in futures:
        rows.problems |= {number: _told(error) for number, error in future.result()}
    return rows


def _start(settings: Settings, start: int, stop: int, crew: Crew) -> tuple[Rows, list[Future[Told]]]:
    """Decide all points of a chunk and hand their accounts to the crew."""
    rows = Rows(start, np.full((stop - start, len(METRIC_KEYS)), np.nan))
    futures: list[Future[Told]] = []
    for points in _by_template(settings.study, rows):
        batches: dict[tuple[int, bool], Batch] = {}  # by setting and kind
        for number, template, params in points:
            try:
                setting = settings.of(template, params)
                decision = _decided(settings, setting, params)
                key = (id(setting), isinstance(decision, Encoded))
                batch = batches.get(key)
                if batch is None:
                    batch = batches[key] = crew.batch(setting)
                batch.add(decision, number)
            except Exception as error:
                rows.problems[number] = _told(error)
                continue
            if batch.is_full:
                futures.append(crew.run(batch, start, rows.table))
                del batches[key]
        futures += [crew.run(batch, start, rows.table) for batch in batches.values()]
    return rows, futures


def _by_template(study: Study, rows: Rows) -> Iterator[list[tuple[int, Config, BaseModel]]]:
    """The points of a chunk, those together that differ in parameters alone: a setting is made once for them.

    Where all do, a batch at a time, so that accounts begin early.
    """
    step = BATCH if all(key.startswith(PARAMS) for key in study.grid) else len(rows.table)
    for begin in range(rows.start, rows.stop, step):
        groups: dict[int, list[tuple[int, Config, BaseModel]]] = {}
        for number in range(begin, min(begin + step, rows.stop)):
            try:
                template, params = study.grid_parts(number)
            except BacktestError as error:
                rows.problems[number] = _told(error)
                continue
            groups.setdefault(id(template), []).append((number, template, params))
        yield from groups.values()


def _told(error: Exception) -> str:
    """In one printable line."""
    said = str(error.problems[0]) if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    return printable(" ".join(said.split()))


def _decided(settings: Settings, setting: Setting, params: BaseModel) -> Decision | Encoded:
    """The decision; as stretches where it is not simple, or shared by all points that decide on the same."""
    if not settings.shared_axes:
        decision = setting.decide(params)
        return decision if setting.is_simple(decision) else setting.encoded(decision)
    strategy = setting.config.strategy
    asked = (id(setting.market), strategy.name, strategy.initial, setting.legs.key, params.model_dump_json())
    return settings.decisions.get(asked, lambda: setting.encoded(setting.decide(params)))
