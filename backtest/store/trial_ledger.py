"""The ledger of trials `results/trials.jsonl`: every variant ever run on a data set, abandoned ones too.

    a run or a comparison -> RECORD each variant as it finishes -> the deflated Sharpe ratio counts them all

Append-only, a line of JSON per trial (many trials of one family for a sweep): under a lock one write to the end of the
file, then fsync. A writer killed in the middle leaves a torn last line; the next one starts on a new line, and readers
count and pass over what is no trial.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from backtest.config import Config, question
from backtest.data import content_hash
from backtest.errors import WriteError
from backtest.market import Market
from backtest.result import Result
from backtest.store.locks import locked

LEDGER = "trials.jsonl"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search happens: the tickers rotated between (sorted), and the kind of prices, "real total_return"."""

    tickers: tuple[str, ...]
    prices: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One question asked of one data set; Sharpe ratios are annual, None where undefined.

    question_sha256: of the config without name and benchmarks, so that a renamed variant is the same trial.
    active_sharpe: of the returns over `benchmark` (None without one); sharpe: of those over T-bills.
    """

    place: Place
    family: str
    question_sha256: str
    data_sha256: str
    benchmark: str | None
    active_sharpe: float | None
    sharpe: float | None
    sessions: int

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What makes it another line; what makes it another trial is `question_sha256` alone."""
        return ("trial", self.question_sha256, self.data_sha256, self.benchmark)


@dataclass(frozen=True, slots=True)
class SweptTrials:
    """Many variants of one family as one line: their number, and mean and variance of their annual active ratios."""

    place: Place
    family: str
    sweep_sha256: str
    data_sha256: str
    benchmark: str | None
    variants: int
    mean: float
    variance: float
    sessions: int

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What makes it another line; what makes it another sweep is `sweep_sha256` alone."""
        return ("sweep", self.sweep_sha256, self.data_sha256, self.benchmark)


Entry = Trial | SweptTrials


class TrialLedger:
    """The ledger as read so far, and the way to add to it; what others add meanwhile is read before each addition.

    trials, sweeps: in the order of the file. unreadable: lines that are no trial (torn, or written by hand).
    Raises WriteError when the file can be neither read nor written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trials: list[Trial] = []
        self.sweeps: list[SweptTrials] = []
        self.unreadable = 0
        self._known: set[tuple[str | None, ...]] = set()
        self._read_to = 0
        with _told(path):
            if path.exists():
                with path.open("rb") as file:
                    self._read(file)

    @property
    def length(self) -> int:
        """Lines that are trials or sweeps; every manifest records it, so that a shortened ledger shows."""
        return len(self.trials) + len(self.sweeps)

    def record(self, *entries: Entry) -> None:
        """Add a line each, unless it stands there already. When this returns, the lines survive a crash."""
        with _told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path), self.path.open("a+b") as file:
                self._read(file)
                new = {entry.identity: entry for entry in entries if entry.identity not in self._known}
                if not new:
                    return
                file.write((b"\n" if self._is_torn(file) else b"") + b"".join(map(line_of, new.values())))
                file.flush()
                os.fsync(file.fileno())
                self._read(file)

    def count(self, place: Place, family: str | None = None) -> int:
        """Distinct questions and the variants of distinct sweeps, of one family or of all."""

        def is_meant(entry: Entry) -> bool:
            return entry.place == place and family in (None, entry.family)

        sweeps = {sweep.sweep_sha256: sweep.variants for sweep in self.sweeps if is_meant(sweep)}
        return len({trial.question_sha256 for trial in self.trials if is_meant(trial)}) + sum(sweeps.values())

    def _read(self, file: BinaryIO) -> None:
        """Take in the complete lines that were added since the last time."""
        if file.seek(0, os.SEEK_END) < self._read_to:
            raise OSError(0, "the ledger became shorter while it was in use")
        file.seek(self._read_to)
        *complete, _ = file.read().split(b"\n")
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

    def _is_torn(self, file: BinaryIO) -> bool:
        """Does something stand behind the last complete line?"""
        return file.seek(0, os.SEEK_END) > self._read_to


def ledger_length(root: Path) -> int:
    """Trials and sweeps recorded in the ledger of a results folder."""
    return TrialLedger(root / LEDGER).length


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


def trial_of(config: Config, market: Market, data_sha256: str, **measured: Any) -> Trial:
    """The trial that a config is; measured: the fields `benchmark`, `active_sharpe`, `sharpe` and `sessions`."""
    return Trial(
        place=place_of(config, market),
        family=config.strategy.name,
        question_sha256=trial_hash(config),
        data_sha256=data_sha256,
        **measured,
    )


def place_of(config: Config, market: Market) -> Place:
    """Where a config searches."""
    kind = "simulated" if market.is_simulated else "real"
    tickers = set(config.tickers)
    return Place(tuple(sorted(tickers)), f"{kind} {config.execution.accounting}")


def trial_hash(config: Config) -> str:
    """sha256 (hex) of what is asked of the data, whatever it is called and held against."""
    asked = question(config.model_copy(update={"name": "trial", "benchmarks": ()}))
    return hashlib.sha256(asked.encode()).hexdigest()


def line_of(entry: Entry) -> bytes:
    """The entry as a line of JSON, with the time of writing."""
    content = asdict(entry)
    place = content.pop("place")
    key = {"tickers": place["tickers"], "prices": place["prices"], "family": content.pop("family")}
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    document = {"schema": SCHEMA, "key": key, **content, "when": when}
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def parsed(line: bytes) -> Entry | None:
    """The trial or sweep of a line; None when it is neither."""
    try:
        document = json.loads(line)
        key = document["key"]
        if document["schema"] != SCHEMA or not all(isinstance(ticker, str) for ticker in key["tickers"]):
            return None
        place = Place(tuple(key["tickers"]), _checked("prices", key["prices"]))
        kind = SweptTrials if "sweep_sha256" in document else Trial
        values = {name: _checked(name, document[name]) for name in kind.__slots__ if name not in ("place", "family")}
        return kind(place=place, family=_checked("family", key["family"]), **values)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None


COUNTS, NUMBERS = ("sessions", "variants"), ("mean", "variance", "sharpe", "active_sharpe")
OPTIONAL = ("sharpe", "active_sharpe", "benchmark")


def _checked(name: str, value: Any) -> Any:
    """The value of a field, or TypeError for one that nothing could be computed with."""
    if value is None and name in OPTIONAL:
        return None
    if name in COUNTS:
        is_right = isinstance(value, int) and value >= 0
    elif name in NUMBERS:
        is_right = isinstance(value, int | float) and math.isfinite(value)
    else:
        is_right = isinstance(value, str)
    if isinstance(value, bool) or not is_right:
        raise TypeError(name)
    return value


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}: the trial was not counted") from None
