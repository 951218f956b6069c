"""The ledger: everything that was ever tried, one file per user, so that no search can hide its siblings.

    what a command tried -> a Batch, appended under a lock and forced to the disk -> known curves of every later command

A trial is known by its account and not by its spelling: same sessions, same first benchmark, daily active returns
within 1e-8 are the same trial, whichever command, name, study or folder asked. The file is append-only. A record is

    fixed head | description (JSON) | index: identities | block sums | daily returns in single precision

each part with a checksum, so that the null reads heads, identities and the block sums it needs and nothing else. A
record that a killed writer left torn, or a disk damaged, is passed over and told; those after it are found again by
the mark with which each begins. Nothing is ever removed: what the user forgets, and which studies he calls one group,
are records too, and are told on later pages.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import mmap
import os
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.errors import WriteError
from backtest.statistics.search import Curves, drawn
from backtest.store.trials import INDEX, Batch, alike, index_of, is_same, merged

VARIABLE = "BACKTEST_LEDGER"
FILE = "trials.ledger"
MARK = b"\nTRIALS1"
HEAD = struct.Struct("<8sBIiiIQQIQQQIII")
"""Mark, kind, trials, first, last, blocks, context, place, length of each part, checksum of the last three parts."""
CHECK = struct.Struct("<I")
"""Of the head and the description, behind the head."""

TRIED, FORGOTTEN, GROUPED = 0, 1, 2

MOST_DAILY = 2000
"""Variants of one search whose daily returns are kept; of more the block sums and the recipe are."""


@dataclass(frozen=True)
class Record:
    """One record as it stands in the file: where it is, and what its head says."""

    offset: int
    kind: int
    trials: int
    first: int
    last: int
    blocks: int
    context: int
    place: int
    lengths: tuple[int, int, int, int]
    checks: tuple[int, int, int]
    check: int

    @property
    def identity(self) -> str:
        """A record by its trials, so that it is the same one in a merged file and in a copy beside a result."""
        told = 0 if self.kind == TRIED else self.check
        return f"{self.kind}-{self.place:016x}{told:08x}{self.checks[0]:08x}{self.checks[1]:08x}"

    @property
    def size(self) -> int:
        """Bytes, from its mark to its end."""
        return HEAD.size + CHECK.size + sum(self.lengths)

    def part(self, number: int) -> slice:
        """Bytes of the description (0), the index (1), the block sums (2), the daily returns (3)."""
        begin = self.offset + HEAD.size + CHECK.size + sum(self.lengths[:number])
        return slice(begin, begin + self.lengths[number])


def default_ledger() -> Path:
    """The user's ledger: $BACKTEST_LEDGER, else in the user's data folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    from platformdirs import user_data_path

    return Path(user_data_path("backtest", appauthor=False)) / FILE


class Ledger:
    """The ledger as read so far, and the way to add to it; what others add meanwhile is read before each addition.

    damaged: places in the file that are no record, or whose parts do not fit their checksum; left out and told.
    Raises WriteError when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Record] = []
        self.damaged: list[str] = []
        self._read_to = 0
        self._torn_end = ""
        self._indices: dict[int, NDArray[Any]] = {}
        self._data: mmap.mmap | bytes = b""
        with _told(path):
            self._read()

    def __len__(self) -> int:
        """Distinct trials that were not forgotten."""
        return len(np.unique(self._keys(self.tried())))

    def tried(self, context: int | None = None, group: str = "") -> list[Record]:
        """The records of one context, or all, without what was forgotten; group: of its studies alone."""
        kept = [record for record in self._sorted_out()[0] if context in (None, record.context)]
        groups = self.groups if group else {}
        return [record for record in kept if not group or groups.get(self.describe(record)["study"]) == group]

    @property
    def groups(self) -> dict[str, str]:
        """Study -> the group that the user last put it into; a study without one is corrected for every trial."""
        groups: dict[str, str] = {}
        for record in self.records:
            if record.kind == GROUPED:
                content = self.describe(record)
                groups |= dict.fromkeys(content["studies"], content["group"])
        return {study: group for study, group in groups.items() if group}

    def group(self, name: str, studies: Iterable[str]) -> None:
        """Put studies, what they tried and what they will try, into a group; an empty name takes them out of theirs."""
        self._note(GROUPED, {"group": name, "studies": sorted(studies), "when": _now()})

    @property
    def forgotten(self) -> int:
        """Distinct trials that the user has made the ledger forget."""
        kept, gone = self._sorted_out()
        return len(np.setdiff1d(self._keys(gone), self._keys(kept))) if gone else 0

    def _keys(self, records: Iterable[Record]) -> NDArray[np.uint64]:
        return np.concatenate([np.zeros(0, "<u8"), *(self.index(record)["ahead"] for record in records)])

    def describe(self, record: Record) -> dict[str, Any]:
        """A record's description."""
        described: dict[str, Any] = json.loads(self._bytes(record, 0))
        return described

    def index(self, record: Record) -> NDArray[Any]:
        """A record's rows of INDEX; empty when they are damaged, which is told."""
        if record.offset not in self._indices:
            raw = self._checked(record, 1)
            self._indices[record.offset] = np.frombuffer(raw if raw is not None else b"", INDEX)
        return self._indices[record.offset]

    def curves(self, record: Record, family: int, rows: NDArray[np.intp] | None = None) -> Curves:
        """Block sums of a record's trials, `ahead` (0) or `timing` (1); of damaged ones, which is told, zeros."""
        index = self.index(record)
        rows = np.arange(len(index)) if rows is None else rows
        raw = self._checked(record, 2)
        count, blocks = record.trials, record.blocks
        if raw is None:
            raw = bytes(4 * blocks * (1 + 4 * count))
        counts = np.frombuffer(raw, "<i4", blocks).astype(np.int64)
        four = np.frombuffer(raw, "<f4", offset=4 * blocks).reshape(2, 2, count, blocks)
        keys = index["timing" if family else "ahead"][rows].astype(np.uint64)
        sums, squares = (np.ascontiguousarray(four[family, each][rows], dtype=np.float32) for each in range(2))
        return Curves(record.first, record.last, counts, sums, squares, keys)

    def daily(self, record: Record) -> NDArray[np.float32] | None:
        """(sessions x trials) daily active returns in single precision; None when they were not kept or are damaged."""
        raw = self._checked(record, 3) if record.lengths[3] else None
        return None if raw is None else np.frombuffer(raw, "<f4").reshape(-1, record.trials)

    def known(self, context: int, group: str = "") -> tuple[list[Remembered], list[Remembered]]:
        """Every curve of a context (of a group in it), not yet read: for being ahead and for timing."""
        places: dict[tuple[int, int, int], list[Record]] = defaultdict(list)
        for record in self.tried(context, group):
            if len(self.index(record)):
                places[record.first, record.last, record.blocks].append(record)
        groups = [Remembered(self, tuple(records), family) for family in (0, 1) for records in places.values()]
        return groups[: len(places)], groups[len(places) :]

    def record(self, batch: Batch) -> tuple[NDArray[np.uint64], int]:
        """Add what is new of a batch: each trial's identity, and how many were new.

        When this returns, they survive a crash. Equal accounts, inside the batch too, are one trial. What is known, but
        not in the group of its study, is recorded there again under the identity that it has.
        """
        with _told(self.path), _locked(self.path):
            self._read()
            index = index_of(batch)
            same = self._same_as_known(batch, index)
            group = self.groups.get(batch.study, "")
            if group:
                held = self._keys(self.tried(batch.context, group))
                fresh = (same < 0) | ~np.isin(index["ahead"], held)
            else:
                fresh = same < 0
            new = merged(batch, index, np.flatnonzero(fresh))
            if len(new):
                self._append(_encoded(batch, index, new))
        return index["ahead"].astype(np.uint64), int((same[new] < 0).sum())

    def forget(self, records: Iterable[Record]) -> int:
        """Leave records out of every later search; how many trials that makes fewer. The file keeps and tells them."""
        gone = [record.identity for record in records]
        if not gone:
            return 0
        before = len(self)
        self._note(FORGOTTEN, {"forgotten": gone, "when": _now()})
        return before - len(self)

    def merge(self, other: Ledger) -> int:
        """Add the records of another ledger that this one does not hold; how many were new."""
        known = {record.identity for record in self.records}
        new = [record for record in other.records if record.identity not in known]
        with _told(self.path), _locked(self.path):
            for record in new:
                self._append(bytes(other._data[record.offset : record.offset + record.size]))
        return len(new)

    def copy(self, context: int, group: str, first: int, last: int) -> bytes:
        """What was used for a curve of these sessions, as a ledger of its own: block sums, without daily returns.

        Of more trials than the null can use those that it draws. Nothing in it tells when a trial was made, so that it
        is the same for the same trials.
        """
        used = [each for each in self.tried(context, group) if each.first <= last and each.last >= first]
        keys = [drawn(np.concatenate([np.zeros(0, "<u8"), *(self.index(each)[name] for each in used)]))
                for name in ("ahead", "timing")]  # fmt: skip
        parts = []
        for record in used:
            index = self.index(record)
            rows = np.flatnonzero(np.isin(index["ahead"], keys[0]) | np.isin(index["timing"], keys[1]))
            raw = self._checked(record, 2)
            if len(rows) and raw is not None:
                parts.append(_copied(record, self.describe(record), index[rows], rows, raw))
        return b"".join(parts)

    def _note(self, kind: int, content: Mapping[str, Any]) -> None:
        """Append a record that holds no trials."""
        with _told(self.path), _locked(self.path):
            self._append(_framed(kind, 0, (0, 0, 0), (0, 0), [_json(content), b"", b"", b""]))

    def _sorted_out(self) -> tuple[list[Record], list[Record]]:
        """Records of trials that count, and those that were forgotten after they were recorded."""
        kept: dict[str, Record] = {}
        gone: list[Record] = []
        for record in self.records:
            if record.kind == TRIED:
                kept[record.identity] = record
            elif record.kind == FORGOTTEN:
                names = self.describe(record)["forgotten"]
                gone += [kept.pop(name) for name in names if name in kept]
        return list(kept.values()), gone

    def _bytes(self, record: Record, part: int) -> bytes:
        return bytes(self._data[record.part(part)])

    def _checked(self, record: Record, part: int) -> bytes | None:
        raw = self._bytes(record, part)
        if zlib.crc32(raw) == record.checks[part - 1]:
            return raw
        told = f"{self.path}: byte {record.offset}: {record.trials} trials are damaged and were left out"
        if told not in self.damaged:
            self.damaged.append(told)
        return None

    def _read(self) -> None:
        """Take in the records that were added since the last time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._read_to:
                raise OSError(0, "the ledger became shorter while it was in use")
            if size == 0:
                return
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._torn_end:
            self.damaged.remove(self._torn_end)
            self._torn_end = ""
        while self._read_to < size:
            record = _parsed(self._data, self._read_to, size)
            if record is None or _is_filled_up(self._data, record, size):
                following = self._data.find(MARK, self._read_to + 1)
                end = size if following < 0 else following
                self.damaged.append(f"{self.path}: bytes {self._read_to} to {end}: torn or damaged, left out")
                if following < 0:  # perhaps another process is writing it at this moment: the next reading looks again
                    self._torn_end = self.damaged[-1]
                    return
                self._read_to = end
                continue
            self.records.append(record)
            self._read_to += record.size

    def _append(self, record: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(record)
            file.flush()
            os.fsync(file.fileno())
        self._read()

    def _same_as_known(self, batch: Batch, index: NDArray[Any]) -> NDArray[np.intp]:
        """Which trials of the batch are known already (0, else -1); these take the known identity over."""
        same = np.full(len(index), -1, np.intp)
        for record in self.tried(batch.context):
            if record.place != batch.place:
                continue
            known = self.index(record)
            mine, theirs = alike(index["sketch"], known["sketch"], len(batch.active))
            if not len(mine):
                continue
            kept, curves = self.daily(record), self.curves(record, 0)
            for i, j in zip(mine.tolist(), theirs.tolist(), strict=True):
                if same[i] < 0 and is_same(batch, i, curves, j, None if kept is None else kept[:, j]):
                    same[i] = 0
                    index["ahead"][i], index["timing"][i] = known["ahead"][j], known["timing"][j]
        return same


@dataclass(frozen=True, eq=False)
class Remembered:
    """Curves of a ledger on the same sessions, whose block sums are read when they are taken."""

    ledger: Ledger
    records: tuple[Record, ...]
    family: int

    def __len__(self) -> int:
        return sum(len(self.ledger.index(record)) for record in self.records)

    @property
    def first(self) -> int:
        """Place of the first session in the exchange's calendar."""
        return self.records[0].first

    @property
    def last(self) -> int:
        """Place of the last one."""
        return self.records[0].last

    @property
    def keys(self) -> NDArray[np.uint64]:
        """Identities of the curves."""
        name = "timing" if self.family else "ahead"
        return np.concatenate([self.ledger.index(record)[name] for record in self.records]).astype(np.uint64)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Curves:
        """Some of the curves, read; from all records as one table."""
        rows = np.arange(len(self))[which]
        parts: list[Curves] = []
        begin = 0
        for record in self.records:
            count = len(self.ledger.index(record))
            own = rows[(rows >= begin) & (rows < begin + count)] - begin
            if len(own) or not parts:
                parts.append(self.ledger.curves(record, self.family, own))
            begin += count
        return replace(
            parts[0],
            sums=np.concatenate([part.sums for part in parts]),
            squares=np.concatenate([part.squares for part in parts]),
            keys=np.concatenate([part.keys for part in parts]),
        )


def _encoded(batch: Batch, index: NDArray[Any], new: NDArray[np.intp]) -> bytes:
    """A record of some of a batch's trials."""
    is_large = batch.is_large or len(new) > MOST_DAILY
    content: dict[str, Any] = {
        "prices": batch.prices,
        "command": batch.command,
        "study": batch.study,
        "benchmark": batch.benchmark,
        "begin": batch.begin,
        "end": batch.end,
        "periods_per_year": batch.periods_per_year,
        "when": _now(),
        "questions": hashlib.sha256("".join(batch.questions).encode()).hexdigest()
        if is_large
        else [batch.questions[i] for i in new],
        "names": None if is_large else [batch.names[i] for i in new],
    }
    four = [batch.ahead.sums[new], batch.ahead.squares[new], batch.timing.sums[new], batch.timing.squares[new]]
    sums = batch.ahead.counts.astype("<i4").tobytes() + np.stack(four).astype("<f4").tobytes()
    daily = b"" if is_large else np.ascontiguousarray(batch.active[:, new], "<f4").tobytes()
    span = batch.ahead.first, batch.ahead.last, len(batch.ahead.counts)
    parts = [_json(content), index[new].tobytes(), sums, daily]
    return _framed(TRIED, len(new), span, (batch.context, batch.place), parts)


def _copied(
    record: Record, described: dict[str, Any], index: NDArray[Any], rows: NDArray[np.intp], sums: bytes
) -> bytes:
    """Some trials of a record as a record of their own, without daily returns."""
    content = {key: value for key, value in described.items() if key not in ("when", "questions")}
    if content["names"]:
        content["names"] = [content["names"][row] for row in rows]
    counts = 4 * record.blocks
    four = np.frombuffer(sums, "<f4", offset=counts).reshape(4, record.trials, record.blocks)
    parts = [_json(content), index.tobytes(), sums[:counts] + four[:, rows].tobytes(), b""]
    span = record.first, record.last, record.blocks
    return _framed(TRIED, len(rows), span, (record.context, record.place), parts)


def _framed(kind: int, trials: int, span: tuple[int, int, int], where: tuple[int, int], parts: list[bytes]) -> bytes:
    lengths, checks = [len(part) for part in parts], [zlib.crc32(part) for part in parts[1:]]
    head = HEAD.pack(MARK, kind, trials, *span, *where, *lengths, *checks)
    return b"".join([head, CHECK.pack(zlib.crc32(head + parts[0])), *parts])


def _parsed(data: mmap.mmap | bytes, offset: int, size: int) -> Record | None:
    """The record that begins here; None when it is torn or damaged."""
    start = offset + HEAD.size + CHECK.size
    if start > size or data[offset : offset + len(MARK)] != MARK:
        return None
    _, kind, trials, first, last, blocks, context, place, *rest = HEAD.unpack_from(data, offset)
    lengths, checks = tuple(rest[:4]), tuple(rest[4:])
    if start + sum(lengths) > size:
        return None
    head = data[offset : offset + HEAD.size] + data[start : start + lengths[0]]
    check = zlib.crc32(head)
    if check != CHECK.unpack_from(data, offset + HEAD.size)[0]:
        return None
    return Record(offset, kind, trials, first, last, blocks, context, place, lengths, checks, check)


def _is_filled_up(data: mmap.mmap | bytes, record: Record, size: int) -> bool:
    """Was its writer killed, so that the records added since fill up the length that it should have had?"""
    end = record.offset + record.size
    if end == size or data[end : end + len(MARK)] == MARK:
        return False
    return data.find(MARK, record.offset + 1, end + len(MARK) - 1) >= 0


def listed(ledger: Ledger) -> Iterator[Mapping[str, Any]]:
    """What a listing shows of each record: the description, with its group and the number of trials."""
    groups = ledger.groups
    for record in ledger.tried():
        described = ledger.describe(record)
        told = {key: described[key] for key in described if key != "questions"}
        yield told | {"group": groups.get(described["study"], ""), "trials": record.trials}


def exported(ledger: Ledger) -> Iterator[Sequence[object]]:
    """Every trial as a row, under a row of names; t of the mean, session by session."""
    told = ("command", "when", "prices", "benchmark", "begin", "end")
    yield ("trial", "study", "name", *told, "active_sessions", "t_ahead", "t_timing")
    for record in ledger.tried():
        described, index = ledger.describe(record), ledger.index(record)
        about = [described.get(key, "") for key in told]
        t = [ledger.curves(record, family).t for family in (0, 1)]
        for i, row in enumerate(index):
            name = described["names"][i] if described["names"] else ""
            values = [f"{each[i]:.6g}" for each in t]
            yield [f"{int(row['ahead']):016x}", described["study"], name, *about, int(row["active"]), *values]


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time; the file is made, durably, when there is none."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            path.touch()
            if hasattr(os, "O_DIRECTORY"):
                folder = os.open(path.parent, os.O_DIRECTORY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        yield


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}: the trial was not counted") from None
