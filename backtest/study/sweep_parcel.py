"""What is sent to other machines to run parts of a sweep there, and how it is run by whoever receives it.

    settings -> PARCEL -> a worker, which shows that it is the same -> rows

Data travel in the parcel: a worker loads nothing. Before its first points it has shown that it has this code, these
versions and, on some points of the sweep itself, these figures.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from backtest.errors import RunError
from backtest.store.provenance import code_hash
from backtest.study.sweep_chunk import Rows, run_chunks
from backtest.study.sweep_setting import Settings

REFERENCE_POINTS = 8
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
    """What must be the same wherever points are run: versions, and sha256 of the code."""
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
    """A checksum of the figures of some of the sweep's points: the last bit of a sum depends on the processor."""
    size = settings.study.size
    numbers = sorted({size * k // REFERENCE_POINTS for k in range(REFERENCE_POINTS)})
    tables = [rows.table for rows in run_chunks(settings, [(n, n + 1) for n in numbers], 1)]
    return hashlib.sha256(np.nan_to_num(np.concatenate(tables), nan=0.0).tobytes()).hexdigest()[:12]


_own = threading.local()
"""The settings of the sweep at hand, unpacked: one for each thread of a worker, as they are not made to be shared."""


def run_task(parcel: Parcel, start: int, stop: int) -> Rows:
    """On a worker: the rows of some points; RunError when it is not the same as the sender."""
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
