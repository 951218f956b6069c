"""Where a result comes from: the code and the programs that made it, and the occasion: command, time, machine."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import os
import platform
import shlex
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import backtest
from backtest.registry import source_of

LIBRARIES = ("backtrader", "numpy", "pandas", "pydantic", "plotly", "exchange_calendars", "numba", "scipy")
KERNEL_VARIABLES = ("OPENBLAS_CORETYPE", "NUMBA_CPU_NAME")
"""Of the environment: they choose the machine code that sums are made with, and so the last bits of figures."""


def sha256_text(text: str) -> str:
    """sha256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def code_hash(strategy: type) -> str:
    """sha256 (hex) of every file of the library, by relative path, and of the file or cell that defines the strategy.

    Raises RunError when that cannot be read.
    """
    own = hashlib.sha256(source_of(strategy).content).digest()
    return hashlib.sha256(_library_digest() + b"strategy\0" + own).hexdigest()


def library_hash() -> str:
    """sha256 (hex) of the library alone, for an answer that no strategy has a part in."""
    return hashlib.sha256(_library_digest()).hexdigest()


@cache
def _library_digest() -> bytes:
    """Read once: what runs is what was loaded."""
    package = Path(backtest.__file__).parent
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(package).as_posix(), path) for path in files):
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def versions() -> dict[str, str]:
    """Version of Python, of this project and of the libraries that a figure or a page depends on."""
    found = {"python": platform.python_version()}
    return found | {name: _version(name) for name in ("rotation-backtest", *LIBRARIES)}


def _version(name: str) -> str:
    """Of a package; "unknown" for what is not installed, as this project when it is run from its folder."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


@cache
def machine() -> str:
    """System, processor and what was asked of it: figures may differ in their last bits where this differs."""
    asked = [f"{name}={os.environ[name]}" for name in KERNEL_VARIABLES if name in os.environ]
    return ", ".join([platform.system(), platform.machine(), _processor(), *asked])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []  # not Linux
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or "unknown processor")


def command_line() -> str:
    """The command as typed, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass(slots=True)
class Provenance:
    """What a manifest keeps of one run of a command, and what a rerun may differ in. Begins when it is made.

    ledger_length: lines of the ledger of trials when the result was written; None where none were counted.
    """

    command: str = field(default_factory=command_line)
    started: str = field(default_factory=_now)
    ledger_length: int | None = None
    _began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._began

    def fields(self) -> dict[str, Any]:
        """For the manifest, at the moment of writing; times are UTC."""
        return {
            "command": self.command,
            "started": self.started,
            "finished": _now(),
            "seconds": round(self.seconds, 3),
            "machine": machine(),
            "ledger_length": self.ledger_length,
        }
