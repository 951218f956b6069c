"""A sweep on other machines: chunks of variants as tasks of a dask cluster, the same table to the last bit.

    settings -> parcel, sent once -> workers, which show that they are the same; (start, stop) -> a task -> ROWS

Data travel in the parcel: a worker loads nothing. Before its first variants it has shown that it has this code, these
versions and, on some variants of the sweep itself, these figures. A lost worker's tasks are run by the others, by the
scheduler's doing; here it is told who is missing, and for how long that is waited for. `distributed` is loaded when a
cluster is asked for.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import platform
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from backtest.errors import BacktestError, ConfigError, NetworkError, RunError
from backtest.store.provenance import code_hash
from backtest.study.chunks import CHUNK, Rows, run_chunks
from backtest.study.settings import Settings

REFERENCE_VARIANTS = 8
PACKAGES = ("numpy", "numba", "llvmlite", "pandas", "pydantic")
"""Those that figures, or the way of settings between processes, depend on."""

Identity = dict[str, str]


@dataclass(frozen=True)
class Parcel:
    """What is sent once. body: the pickled Settings; identity and figures: what a worker must have and come to."""

    fingerprint: str
    body: bytes
    identity: Identity
    figures: str


def parcel_of(settings: Settings) -> Parcel:
    """A sweep ready for the way; RunError for strategies that no other process could import."""
    for name, strategy in settings.strategies.items():
        if strategy.__module__ == "__main__":
            raise RunError(f"strategy {name} is defined in __main__, which no worker can import: put it into a module")
    fingerprint = settings.fingerprint()  # loads all markets
    body = pickle.dumps(settings, protocol=5)
    return Parcel(fingerprint, body, identity_of(settings.strategies), figures_of(settings))


def identity_of(strategies: Mapping[str, type]) -> Identity:
    """What must be the same wherever variants are run: versions, and sha256 of the code."""
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "none"
    return versions | {f"code of {name}": _code(strategy) for name, strategy in strategies.items()}


@cache
def _code(strategy: type) -> str:
    """Read once: what runs is what was loaded, whatever has been changed on disk since."""
    return code_hash(strategy)[:12]


def check_same(worker: str, found: Identity, own: Identity) -> None:
    """Raise RunError naming the worker and both values of the first thing that differs."""
    for what, value in own.items():
        other = found.get(what)
        if other != value:
            raise RunError(
                f"worker {worker}: {what} is {other}, here {value}: start it with the same, then sweep again"
            )


def figures_of(settings: Settings) -> str:
    """A checksum of the figures of some of the sweep's variants: the last bit of a sum depends on the processor."""
    size = settings.study.size
    numbers = sorted({size * k // REFERENCE_VARIANTS for k in range(REFERENCE_VARIANTS)})
    tables = [rows.table for rows in run_chunks(settings, [(n, n + 1) for n in numbers], 1)]
    return hashlib.sha256(np.nan_to_num(np.concatenate(tables), nan=0.0).tobytes()).hexdigest()[:12]


_own = threading.local()
"""The settings of the sweep at hand, unpacked: one for each thread of a worker, as they are not made to be shared."""


def run_task(parcel: Parcel, start: int, stop: int) -> Rows:
    """On a worker: the rows of some variants; RunError when it is not the same as the sender."""
    asked = (parcel.fingerprint, parcel.figures)
    if getattr(_own, "asked", None) != asked:
        _own.settings, _own.asked = _unpacked(parcel), asked
    (rows,) = run_chunks(_own.settings, [(start, stop)], 1)
    return rows


def _unpacked(parcel: Parcel) -> Settings:
    from distributed import get_worker

    worker = str(get_worker().address)
    settings: Settings = pickle.loads(parcel.body)
    check_same(worker, identity_of(settings.strategies), parcel.identity)
    found = figures_of(settings)
    if found != parcel.figures:
        raise RunError(
            f"worker {worker}: figures differ in the last bits (checksum {found}, here {parcel.figures}), as those of "
            "another processor do: set NUMBA_CPU_NAME=generic for all workers and here"
        )
    return settings


log = logging.getLogger("backtest.cluster")

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
LONGEST_GREETING = 1 << 16
"""Bytes that a scheduler says it will send."""

PATIENCE_SECONDS = 60.0
"""How long to wait for a worker when there is none."""

LOOK_SECONDS = 1.0
"""Between looks at who is there."""

TASKS_PER_THREAD = 8
"""Of a whole sweep, so that all workers end at about the same time."""

SMALLEST_TASK = 256
WAITING_PER_THREAD = 3
"""Tasks handed out before they can be run, so that no worker waits for the next."""

START = "start one in the project's environment: dask worker {}"


def cluster_rows(settings: Settings, gaps: Sequence[tuple[int, int]], address: str) -> Iterator[Rows]:
    """The rows of the variants of all gaps (start, stop) by the workers of a scheduler, in any order.

    Raises ConfigError for an invalid address and without `distributed`; NetworkError when no scheduler answers,
    or there has been no worker for PATIENCE_SECONDS; RunError when a worker is not the same as this process.
    """
    check_address(address)
    with _connected(address) as client:
        crew = _Crew(client, address)
        parcel = parcel_of(settings)
        _check_workers(client, settings.strategies, parcel.identity)
        size = task_size(sum(stop - start for start, stop in gaps), crew.threads)
        yield from _gathered(crew, client.submit(_as_it_is, parcel, pure=False), list(cut(gaps, size)))


def cut(gaps: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """The gaps in pieces of at most `size` variants."""
    for start, stop in gaps:
        yield from ((at, min(at + size, stop)) for at in range(start, stop, size))


def task_size(points: int, threads: int) -> int:
    """Variants of a task: small enough that all threads have work, large enough that it outweighs its way."""
    return min(max(points // (threads * TASKS_PER_THREAD), SMALLEST_TASK), CHUNK)


def check_address(address: str) -> None:
    """Raise ConfigError for what cannot be a scheduler's address."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return
    except ValueError:
        pass
    raise ConfigError(f"--cluster: found {address!r}, expected a scheduler's address such as tcp://127.0.0.1:8786")


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the scheduler; its own log is silenced, and a lost connection is reported in one line."""
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError("--cluster needs dask.distributed: pip install -e '.[cluster]'") from None
    _check_answers(address)
    with _quiet():
        try:
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ImportError) as error:
            raise NetworkError(f"{address}: no scheduler can be talked to: {_line(error)}") from None
        try:
            yield client
        finally:
            client.close(timeout=CONNECT_SECONDS)


def _check_answers(address: str) -> None:
    """A scheduler speaks first; distributed itself would wait for ever for the first word of anything else."""
    place = urlsplit(address)
    try:
        with socket.create_connection((place.hostname, place.port or 0), timeout=CONNECT_SECONDS) as connection:
            greets = place.scheme == "tls" or _greets(connection)
    except OSError as error:
        text = f"{address}: no scheduler answers ({error}); start one in the project's environment: dask scheduler"
        raise NetworkError(text) from None
    if not greets:
        raise NetworkError(f"{address}: what answers is no scheduler")


def _greets(connection: socket.socket) -> bool:
    """Does the other side begin with the length of a short message?"""
    head = connection.recv(8, socket.MSG_WAITALL)
    return len(head) == 8 and int.from_bytes(head, "little") <= LONGEST_GREETING


@contextmanager
def _quiet() -> Iterator[None]:
    known = logging.root.manager.loggerDict
    loggers = [each for name, each in known.items() if name.split(".")[0] == "distributed"]
    levels = {each: each.level for each in loggers if isinstance(each, logging.Logger)}
    for logger in levels:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


class _Crew:
    """Counts the workers' threads; waits for the first worker, but not for ever."""

    def __init__(self, client: Any, address: str) -> None:
        self.client, self.address = client, address
        self.threads, self._looked, self._alone = 0, 0.0, 0.0
        while not self.threads:
            self.look()
            if not self.threads:
                time.sleep(LOOK_SECONDS / 4)

    def look(self) -> None:
        """Count the workers' threads; NetworkError when the scheduler is gone, or there was no worker for too long."""
        now = time.monotonic()
        if self.threads and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self.threads = sum(self.client.sync(self.client.scheduler.ncores, callback_timeout=ANSWER_SECONDS).values())
        except Exception:  # of many kinds, as the connection breaks here or there
            self.threads = 0
            raise self.gone() from None
        if self.threads:
            self._alone = 0.0
        elif not self._alone:
            self._alone = now
            start = START.format(self.address)
            log.warning("%s: no workers, waiting %.0f s for one; %s", self.address, PATIENCE_SECONDS, start)
        elif now - self._alone > PATIENCE_SECONDS:
            start = START.format(self.address)
            raise NetworkError(f"{self.address}: no workers for {PATIENCE_SECONDS:.0f} s; {start}")

    def gone(self) -> NetworkError:
        """The error for a scheduler that has gone."""
        return NetworkError(f"{self.address}: the scheduler is gone; the same sweep goes on from what is finished")


def _check_workers(client: Any, strategies: Mapping[str, type], own: Identity) -> None:
    """Refuse a worker with other code or other versions before anything is sent to it."""
    found = client.run(identity_of, dict(strategies), on_error="return")
    for worker, identity in found.items():
        if isinstance(identity, Exception):
            raise RunError(f"worker {worker} cannot run this project: {_line(identity)}")
        check_same(worker, identity, own)


def _gathered(crew: _Crew, parcel: Any, spans: list[tuple[int, int]]) -> Iterator[Rows]:
    """Hand out the spans, a few ahead of the workers, and give back what is finished, in any order."""
    from distributed import wait

    waiting: dict[Any, tuple[int, int]] = {}
    spans = spans[::-1]
    while spans or waiting:
        crew.look()
        while spans and len(waiting) < WAITING_PER_THREAD * max(crew.threads, 1):
            span = spans.pop()
            waiting[crew.client.submit(run_task, parcel, *span, pure=False)] = span
        with crew.client.as_current(), suppress(TimeoutError, CancelledError):
            wait(list(waiting), timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED")
        for future in [each for each in waiting if each.status != "pending"]:
            rows = _result(crew, future, waiting[future])
            if rows is not None:
                del waiting[future]
                yield rows


def _result(crew: _Crew, future: Any, span: tuple[int, int]) -> Rows | None:
    """The rows of a finished task; None when they were lost with their worker and are made again."""
    from distributed.scheduler import KilledWorker

    points = f"points {span[0]} to {span[1] - 1}"
    try:
        rows: Rows = future.result(timeout=LOOK_SECONDS)
    except TimeoutError:
        return None
    except CancelledError:
        raise crew.gone() from None
    except BacktestError:
        raise
    except KilledWorker as error:
        text = f"{points}: {error.allowed_failures + 1} workers died running them, the last {error.last_worker.address}"
        raise RunError(text) from None
    except Exception as error:
        raise RunError(f"{crew.address}: {points} could not be run there: {_line(error)}") from None
    return rows


def _line(error: BaseException) -> str:
    """An error in one line, with what is behind it."""
    while error.__cause__ is not None:
        error = error.__cause__
    kind = "" if type(error) is Exception else f"{type(error).__name__}: "  # dask's own words of what was no such thing
    return " ".join(f"{kind}{error}".split())


def _as_it_is(parcel: Parcel) -> Parcel:
    """The parcel as the result of a task: if its last copy is lost with a worker, the scheduler has it made again."""
    return parcel
