"""Running a stretch of a grid: decisions by the interpreter, accounts and metrics by compiled code on all cores.

Decisions -> a BATCH of variants of one setting, run together by one call -> a row of metrics each -> a chunk of ROWS.
A decision goes in as it is, a number a session, and becomes stretches of equal weights inside the call; one that says
more (weights within the legs, cash by session), or that several variants share, comes as stretches already.

A decision shared by several variants (other costs, another start) is made once. While threads run the accounts of one
chunk, the decisions of the next are made. One variant that fails is a row without figures and a line that says why.

Finished chunks are kept on disk, so that an interrupted sweep goes on where it was: one file per chunk in a folder
named by what was asked (question, code, data), written beside it and renamed into place, with a checksum, so that a
reader finds a whole chunk or none. Nothing is ever changed; a finished sweep removes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Semaphore
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from backtest.account.kernel import STATES
from backtest.account.plan import NO_BAND
from backtest.config import Config, Study
from backtest.config.nodes import printable
from backtest.decision import Decision, check_decision
from backtest.errors import BacktestError, RunError, WriteError
from backtest.market import CASH, Between, Floats
from backtest.metrics import METRIC_KEYS
from backtest.metrics.registry import EXPOSURES_AT
from backtest.study.settings import Encoded, Setting, Settings
from backtest.study.sweep_engine import runner

BATCH = 64
"""Variants of one setting in one call of compiled code."""

AHEAD = 2
"""Batches per thread that wait to be run: some 3 MB each."""

Told: TypeAlias = list[tuple[int, Exception]]
"""Variants that have no figures, and why."""


class Room:
    """The arrays that batches of one shape work in, one after the other: fresh memory costs as much as what is done."""

    def __init__(self, setting: Setting, variants: int) -> None:
        self.shape = shape_of(setting)
        sessions, tested, tickers, watches = self.shape
        self.parts = np.empty((variants, sessions))
        stretches = np.empty(sessions, dtype=np.int64), np.empty((sessions, tickers))
        cash = np.empty(tested if watches else 0)
        self.work = (*stretches, np.empty((STATES, tickers)), cash, np.empty(tested - 1), np.empty((2, tested)))
        self.curve = np.empty((1, tested))


def shape_of(setting: Setting) -> tuple[int, int, int, bool]:
    """Sessions of the market, sessions of the test, tickers, and whether drift is watched."""
    return len(setting.market.close), len(setting.plan.opens), len(setting.plan.tickers), setting.plan.band < NO_BAND


@dataclass(eq=False)
class VariantBatch:
    """Variants of one setting. numbers: theirs in the grid; decisions are in the room, or encoded.

    ends: the two portfolios as shares by leg between which those in the room move; None where they are encoded.
    """

    setting: Setting
    room: Room
    ends: tuple[Floats, Floats] | None = None
    encoded: list[Encoded] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Is there no room for another?"""
        return len(self.numbers) == len(self.room.parts)

    def add(self, decision: Between | Encoded, number: int) -> None:
        """Add a variant; a batch takes either encoded decisions or others, never both."""
        if isinstance(decision, Encoded):
            self.encoded.append(decision)
        else:
            self.room.parts[len(self.numbers)] = decision.part
        self.numbers.append(number)

    def run(self, start: int, table: Floats, columns: Sequence[int]) -> Told:
        """Fill the table's rows, whose first is that of variant `start`; returns the variants that cannot be run.

        columns: those of the table that the setting's figures stand in.
        """
        rows = np.empty((len(self.numbers), len(METRIC_KEYS) + len(self.setting.baskets)))
        wrong = np.flatnonzero(self.run_into(self.room.curve, rows)).tolist()
        if self.setting.legs.has_shared_tickers:
            exposures = np.array([self.setting.exposures(each) for each in self.encoded])
            rows = np.insert(rows, [EXPOSURES_AT] * exposures.shape[1], exposures, axis=1)
        rows[wrong] = np.nan
        table[(np.array(self.numbers) - start)[:, None], np.array(columns)] = rows
        return [(self.numbers[k], self._wrong(k)) for k in wrong]

    def run_into(self, equity: Floats, table: Floats) -> npt.NDArray[np.bool_]:
        """Fill the curves, (variants, sessions) or (1, sessions) when they are not wanted, and a row each of the table.

        Returns a mask of the invalid decisions, (variants,).
        """
        own, count = self.setting, len(self.numbers)
        ends = (own.legs.alone(CASH),) * 2 if self.ends is None else self.ends
        low, high = own.legs.weights(own.legs.tickers, np.array(ends))
        is_wrong = np.zeros(count, dtype=np.bool_)
        parts = self.room.parts[: 0 if self.encoded else count]
        runner()(
            stretches_of(self.encoded, own), parts, (low, high, own.unknown), own.scheduled, own.inputs, own.baskets,
            own.against, self.room.work, equity, table, is_wrong,
        )  # fmt: skip
        return is_wrong

    def _wrong(self, k: int) -> Exception:
        try:
            assert self.ends is not None
            decision = Decision(Between(self.room.parts[k], *self.ends))
            check_decision(decision, self.setting.market, self.setting.legs)
        except RunError as error:
            return error
        return RunError("the decision is none")


def stretches_of(decisions: Sequence[Encoded], setting: Setting) -> tuple[Any, Floats, Any]:
    """Rows and weights of all variants one after the other, and where each one's end."""
    if not decisions:
        return np.empty(0, dtype=np.int64), np.empty((0, len(setting.plan.tickers))), np.empty(0, dtype=np.int64)
    rows, weights = (np.concatenate([getattr(each, name) for each in decisions]) for name in ("rows", "weights"))
    return rows, weights, np.cumsum([len(each.rows) for each in decisions], dtype=np.int64)


def curves_of_decisions(setting: Setting, decisions: Sequence[Decision]) -> Floats:
    """Whole curves of variants of one setting, (variants, sessions)."""
    batch = VariantBatch(setting, Room(setting, 1))
    for number, decision in enumerate(decisions):
        batch.add(setting.encoded(decision), number)
    curves = np.empty((len(decisions), len(setting.plan.sessions)))
    batch.run_into(curves, np.empty((len(decisions), len(METRIC_KEYS) + len(setting.baskets))))
    return curves


class Crew:
    """Threads that run batches. Who hands them work waits while they are behind; what held a batch is used again."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._free = Semaphore((AHEAD + 1) * threads)
        self._rooms: SimpleQueue[Room] = SimpleQueue()

    def batch(self, setting: Setting, decision: Between | Encoded) -> VariantBatch:
        """An empty batch for decisions of this kind."""
        ends = None if isinstance(decision, Encoded) else (decision.low, decision.high)
        with suppress(Empty):
            room = self._rooms.get_nowait()
            if room.shape == shape_of(setting):
                return VariantBatch(setting, room, ends)
        return VariantBatch(setting, Room(setting, BATCH), ends)

    def run(self, batch: VariantBatch, start: int, table: Floats, columns: Sequence[int]) -> Future[Told]:
        """Run a batch on one of the threads."""

        def work() -> Told:
            told = batch.run(start, table, columns)
            self._rooms.put(batch.room)
            return told

        return self.submit(work)

    def submit(self, work: Callable[..., Told], *given: Any) -> Future[Told]:
        """Run `work` on one of the threads, as soon as there is room."""
        self._free.acquire()
        future = self._pool.submit(work, *given)
        future.add_done_callback(lambda _: self._free.release())
        return future

    def stop(self) -> None:
        """Wait for the batches that are running, and drop the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)


CHUNK = 2048
"""Variants that are finished, and kept, together."""

PARAMS = "strategy.params."


@dataclass(eq=False)
class Rows:
    """Figures of the variants start ... start + len(table): a row each, columns as `metric_keys`, NaN undefined.

    problems: number of a variant -> why it has no figures.
    """

    start: int
    table: Floats
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """Number of the first variant behind this chunk."""
        return self.start + len(self.table)


def run_chunks(settings: Settings, chunks: Iterable[tuple[int, int]], workers: int | None = None) -> Iterator[Rows]:
    """The rows of each chunk (start, stop) of variants, in order."""
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
    """Decide all variants of a chunk and hand their accounts to the crew."""
    rows = Rows(start, np.full((stop - start, len(settings.metric_keys)), np.nan))
    futures: list[Future[Told]] = []
    for points in _by_template(settings.study, rows):
        batches: dict[tuple[object, ...], VariantBatch] = {}  # by setting and kind
        for number, template, params in points:
            try:
                setting = settings.of(template, params)
                decision = _decided(settings, setting, params)
                ends = () if isinstance(decision, Encoded) else (decision.low.tobytes(), decision.high.tobytes())
                key = (id(setting), *ends)
                batch = batches.get(key)
                if batch is None:
                    batch = batches[key] = crew.batch(setting, decision)
                batch.add(decision, number)
            except Exception as error:
                rows.problems[number] = _told(error)
                continue
            if batch.is_full:
                futures.append(crew.run(batch, start, rows.table, settings.columns(setting.legs)))
                del batches[key]
        for batch in batches.values():
            futures.append(crew.run(batch, start, rows.table, settings.columns(batch.setting.legs)))
    return rows, futures


def _by_template(study: Study, rows: Rows) -> Iterator[list[tuple[int, Config, BaseModel]]]:
    """The variants of a chunk, those together that differ in parameters alone: a setting is made once for them.

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
    """The error as one printable line."""
    said = str(error.problems[0]) if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    return printable(" ".join(said.split()))


def _decided(settings: Settings, setting: Setting, params: BaseModel) -> Between | Encoded:
    """The decision; as stretches where it is not simple, or shared by all variants that decide on the same."""
    if not settings.shared_axes:
        decision = setting.decide(params)
        path = setting.simple(decision)
        return setting.encoded(decision) if path is None else path
    strategy = setting.config.strategy
    asked = (id(setting.market), strategy.name, strategy.initial, setting.legs.key, params.model_dump_json())
    return settings.decisions.get(asked, lambda: setting.encoded(setting.decide(params)))


FOLDER = ".sweep-{}"
NAME_LENGTH = 24
FORGOTTEN_SECONDS = 30 * 24 * 3600
"""Chunks of a sweep that nobody took up again, or whose code has changed since."""


class ChunkStore:
    """The chunks of one sweep; root: the folder of results."""

    def __init__(self, root: Path, fingerprint: str) -> None:
        self.folder = root / FOLDER.format(fingerprint[:NAME_LENGTH])

    def write(self, rows: Rows) -> None:
        """Keep a chunk; when this returns, killing the process does not lose it."""
        body = json.dumps({"start": rows.start, "stop": rows.stop, "problems": rows.problems}).encode() + b"\n"
        body += np.ascontiguousarray(rows.table, dtype="<f8").tobytes()
        path = self.folder / f"{rows.start}-{rows.stop}"
        temporary = self.folder / f"tmp-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(temporary, path)
        except OSError as error:
            raise WriteError(f"{path}: {error.strerror or error}: the sweep stopped") from None
        finally:  # also when interrupted
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def read(self) -> Iterator[Rows]:
        """Every whole chunk, by its first variant; a torn or foreign file is passed over and made again."""
        paths = sorted(self.folder.glob("*-*")) if self.folder.is_dir() else []
        found = [rows for path in paths if (rows := _read(path)) is not None]
        yield from sorted(found, key=lambda rows: rows.start)

    def remove(self) -> None:
        """Delete the chunks, once the result stands in its own folder, and those of sweeps forgotten for a month."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for other in self.folder.parent.glob(FOLDER.format("*")):
            with suppress(OSError):
                if time.time() - other.stat().st_mtime > FORGOTTEN_SECONDS:
                    shutil.rmtree(other, ignore_errors=True)


def _read(path: Path) -> Rows | None:
    try:
        digest, body = path.read_bytes().split(b"\n", 1)
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        head, numbers = body.split(b"\n", 1)
        about = json.loads(head)
        table = np.frombuffer(numbers, dtype="<f8").reshape(about["stop"] - about["start"], -1)
        problems = {int(number): str(why) for number, why in about["problems"].items()}
        return Rows(int(about["start"]), table, problems)
    except (OSError, ValueError, KeyError):
        return None
