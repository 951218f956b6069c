"""Occasion: what a manifest keeps about this very run, and what a rerun may differ in: command, time, ledger."""

from __future__ import annotations

import datetime
import shlex
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def command_line() -> str:
    """The command as typed, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


@dataclass(slots=True)
class Occasion:
    """Begins when it is made. ledger_length: trials counted when the result was written; None: none were counted."""

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
            "ledger_length": self.ledger_length,
        }
