"""The trial ledger `results/trials.jsonl`: every variant ever run on a data set, abandoned ones too.

    a run or a comparison -> RECORD each variant as it finishes -> the deflated Sharpe ratio counts them all

Append-only, a line of JSON per trial: under a lock one write to the end of the file, then fsync. A writer killed in the
middle leaves a torn last line; the next one starts on a new line, and readers pass over what is no trial.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backtest.data import content_hash
from backtest.errors import WriteError
from backtest.result import Result
from backtest.store.trial import Entry, Place, Sweep, Trial, line_of, parsed, trial_of

LEDGER = "trials.jsonl"
LENGTH_KEY = "ledger_length"
"""Among the run fields of every manifest."""


class TrialLedger:
    """The ledger as read so far, and the way to add to it; what others add meanwhile is read before each addition.

    trials, sweeps: in the order of the file. unreadable: lines that are no trial (torn, or written by hand).
    Raises WriteError when the file can be neither read nor written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trials: list[Trial] = []
        self.sweeps: list[Sweep] = []
        self.unreadable = 0
        self._known: set[tuple[str | None, ...]] = set()
        self._read_to = 0
        with _told(path):
            if path.exists():
                with path.open("rb") as file:
                    self._read(file.fileno())

    @property
    def length(self) -> int:
        """Lines that are trials or sweeps; every manifest records it, so that a shortened ledger shows."""
        return len(self.trials) + len(self.sweeps)

    def record(self, *entries: Entry) -> None:
        """Add a line each, unless it stands there already. When this returns, the lines survive a crash."""
        with _told(self.path), _locked(self.path) as file:
            self._read(file)
            new = {entry.identity: entry for entry in entries if entry.identity not in self._known}
            if not new:
                return
            end = os.fstat(file).st_size
            is_torn = end > 0 and os.pread(file, 1, end - 1) != b"\n"
            lines = (b"\n" if is_torn else b"") + b"".join(map(line_of, new.values()))
            if os.write(file, lines) != len(lines):
                raise OSError(0, "the disk is full")
            os.fsync(file)
            self._read(file)

    def count(self, place: Place, family: str | None = None) -> int:
        """Distinct questions and the variants of distinct sweeps, of one family or of all."""

        def is_meant(entry: Entry) -> bool:
            return entry.place == place and family in (None, entry.family)

        sweeps = {sweep.sweep_sha256: sweep.variants for sweep in self.sweeps if is_meant(sweep)}
        return len({trial.question_sha256 for trial in self.trials if is_meant(trial)}) + sum(sweeps.values())

    def _read(self, file: int) -> None:
        """Take in the complete lines that were added since the last time."""
        size = os.fstat(file).st_size
        if size < self._read_to:
            raise OSError(0, "the ledger became shorter while it was in use")
        added = os.pread(file, size - self._read_to, self._read_to)
        *complete, _ = added.split(b"\n")
        self._read_to += sum(len(line) + 1 for line in complete)
        for line in filter(None, complete):
            entry = parsed(line)
            if entry is None:
                self.unreadable += 1
                continue
            self._known.add(entry.identity)
            if isinstance(entry, Trial):
                self.trials.append(entry)
            else:
                self.sweeps.append(entry)


def ledger_length(root: Path) -> int:
    """Trials and sweeps recorded in the ledger of a results folder."""
    return TrialLedger(root / LEDGER).length


def longest_recorded(root: Path) -> int:
    """The largest ledger length that any manifest of a results folder records; more than the ledger has: it was cut."""
    lengths = [0]
    for path in root.glob("*/manifest.json"):
        try:
            lengths.append(int(json.loads(path.read_text(encoding="utf-8"))["run"][LENGTH_KEY]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # older, or no manifest of ours
    return max(lengths)


def record_run(result: Result, root: Path) -> int:
    """Record a single run as a trial and return the ledger's new length, for the manifest.

    Call it before the result's folder is written: a run killed in between is then an abandoned trial, not a forgotten
    one.
    """
    config, first = result.config, next(iter(result.benchmarks), None)
    ledger = TrialLedger(root / LEDGER)
    ledger.record(
        trial_of(
            config,
            result.market,
            content_hash(result.market),
            benchmark=first,
            active_sharpe=result.metrics["information_ratio"],
            sharpe=result.metrics["sharpe"],
            sessions=len(result.sessions) - 1,
        )
    )
    return ledger.length


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file opened for appending, held by this process alone; made, durably, when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        yield file
    finally:
        os.close(file)  # which gives the lock back


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}: the trial was not counted") from None
