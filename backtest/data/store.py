"""The store of snapshots: every answer of a data service is kept, under the sha256 of its content, and never changed.

    CACHE/objects/<sha256>                                  the numbers; the name is their checksum
    CACHE/series/yahoo/QQQ/00000012-<random>.json           a record: when, from where, which object, what had changed
    CACHE/damaged/                                          what failed its checksum, put aside
    CACHE/tmp/                                              files while they are written

The newest record of a series is the one in use. Both kinds of file appear by one rename and are never written again, so
that any number of processes can read and write at once without a lock, and a process killed at any moment leaves the
store as it was. A reader checks every byte that it uses.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from backtest.errors import WriteError

CACHE_VARIABLE = "BACKTEST_CACHE"
APPLICATION = "rotation-backtest"
ABANDONED_SECONDS = 24 * 3600

log = logging.getLogger("backtest.data")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A record of the store.

    series: `provider/name`. sha256: the object. fetched_at: when it was last found to be this, whole_at: when its whole
    history was; both UTC. change: what was new against the snapshot before, in words.
    """

    series: str
    sha256: str
    fetched_at: str
    whole_at: str
    location: str
    rows: int
    first: str
    last: str
    change: str


def default_cache() -> Path:
    """BACKTEST_CACHE, else the user's own cache folder on this system."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path(APPLICATION, appauthor=False)


class Store:
    """A folder of snapshots; made when the first one is kept."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_cache()

    def put(self, series: str, frame: pd.DataFrame, **about: str) -> Snapshot:
        """Keep a frame as the newest snapshot of a series; about: location, fetched_at, whole_at, change."""
        data = packed(frame)
        digest = hashlib.sha256(data).hexdigest()
        days = [f"{frame.index[place]:%Y-%m-%d}" for place in (0, -1)] if len(frame) else ["", ""]
        snapshot = Snapshot(series, digest, rows=len(frame), first=days[0], last=days[1], **about)
        records = self._folder(series)
        try:
            for folder in (self._objects, records, self._temporary):
                folder.mkdir(parents=True, exist_ok=True)
            if not self._is_sound(digest):
                self._write(self._objects / digest, data)
            number = max((_number(path) for path in records.glob("*.json")), default=0) + 1
            self._write(records / f"{number:08d}-{secrets.token_hex(4)}.json", _record_text(snapshot).encode())
            self._sweep()
        except OSError as error:
            raise WriteError(f"{error.filename or self.root}: {error.strerror or error}: the snapshot of {series} was "
                             "not kept; choose another folder with --cache or BACKTEST_CACHE") from error  # fmt: skip
        return snapshot

    def snapshots(self, series: str) -> list[Snapshot]:
        """All records of a series, newest first. Damaged records are moved aside and logged."""
        return [snapshot for _, snapshot in self._records(series)]

    def newest(self, series: str) -> tuple[Snapshot, pd.DataFrame] | None:
        """The newest snapshot whose record and numbers are sound; damaged ones are moved aside and logged."""
        for path, snapshot in self._records(series):
            frame = self.load(snapshot.sha256)
            if frame is not None:
                return snapshot, frame
            self._put_aside(path, f"the snapshot of {series} of {snapshot.fetched_at}: its numbers are not there")
        return None

    def load(self, sha256: str) -> pd.DataFrame | None:
        """The numbers of an object; None, and the file put aside, when it is missing or not what its name says."""
        path = self._objects / sha256
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            if hashlib.sha256(data).hexdigest() == sha256:
                return unpacked(data)
        except ValueError:
            pass
        self._put_aside(path, "a stored object does not have the checksum that is its name")
        return None

    def series(self) -> list[str]:
        """Names of all series, sorted."""
        folders = sorted((self.root / "series").glob("*/*"))
        return [f"{folder.parent.name}/{unquote(folder.name)}" for folder in folders if folder.is_dir()]

    @property
    def _objects(self) -> Path:
        return self.root / "objects"

    @property
    def _temporary(self) -> Path:
        return self.root / "tmp"

    def _folder(self, series: str) -> Path:
        provider, _, name = series.partition("/")
        # Nothing of a name can lead out of the folder, and two names that differ in case get two folders.
        safe = quote(name, safe="^=").replace(".", "%2E")
        return self.root / "series" / provider / "".join(f"%{ord(c):02X}" if c.islower() else c for c in safe)

    def _is_sound(self, digest: str) -> bool:
        return (self._objects / digest).exists() and self.load(digest) is not None

    def _records(self, series: str) -> Iterator[tuple[Path, Snapshot]]:
        for path in sorted(self._folder(series).glob("*.json"), reverse=True):
            try:
                snapshot = _read_record(path.read_bytes())
            except FileNotFoundError:
                continue  # put aside by another process
            except (OSError, ValueError, TypeError, KeyError):
                snapshot = None
            if snapshot is not None and snapshot.series == series:
                yield path, snapshot
            else:
                self._put_aside(path, f"a record of {series} is damaged")

    def _put_aside(self, path: Path, what: str) -> None:
        damaged = self.root / "damaged"
        log.warning("%s (%s); it was put aside", what, path.name)
        try:
            damaged.mkdir(parents=True, exist_ok=True)
            os.replace(path, damaged / f"{path.name}.{secrets.token_hex(4)}.bad")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise WriteError(f"{path}: {error.strerror}: is damaged and could not be put aside; delete it") from error

    def _write(self, path: Path, data: bytes) -> None:
        """The whole file or none: written beside, flushed to the disk, moved into place by one rename."""
        temporary = self._temporary / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        """Remove what a killed process left more than a day ago."""
        for path in self._temporary.iterdir():
            try:
                if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
            except OSError:
                continue


def _record_text(snapshot: Snapshot) -> str:
    content = dataclasses.asdict(snapshot)
    text = json.dumps(content, sort_keys=True)
    return json.dumps({**content, "checksum": hashlib.sha256(text.encode()).hexdigest()}, indent=1, sort_keys=True)


def _read_record(data: bytes) -> Snapshot | None:
    content = json.loads(data)
    checksum = content.pop("checksum")
    text = json.dumps(content, sort_keys=True)
    if hashlib.sha256(text.encode()).hexdigest() != checksum:
        return None
    snapshot = Snapshot(**content)
    return snapshot if _record_text(snapshot).encode() == data else None


def _number(path: Path) -> int:
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


# A frame of numbers by day as bytes: one line of JSON (columns, rows), the days as little-endian int32 since 1970, each
# column as little-endian float64. The same content always gives the same bytes, so that it has one name; reading 26
# years of a ticker takes half a millisecond, forty times less than CSV.
FORMAT = 1


def packed(frame: pd.DataFrame) -> bytes:
    """The bytes of a frame of numbers by tz-naive day; NaN and zero have one bit pattern each."""
    head = {"format": FORMAT, "columns": [str(name) for name in frame.columns], "rows": len(frame)}
    values = frame.to_numpy(dtype=np.float64)
    values = np.where(np.isnan(values), np.nan, values + 0.0)
    days = frame.index.to_numpy().astype("datetime64[D]").astype("<i4")
    return json.dumps(head).encode() + b"\n" + days.tobytes() + values.T.astype("<f8").tobytes()


def unpacked(data: bytes) -> pd.DataFrame:
    """The frame of such bytes, float64 columns by tz-naive day; ValueError when they are not of that form."""
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    if head.get("format") != FORMAT:
        raise ValueError(f"format {head.get('format')}, expected {FORMAT}")
    rows, columns = int(head["rows"]), list(head["columns"])
    if len(body) != rows * (4 + 8 * len(columns)):
        raise ValueError("not as long as its first line says")
    days = np.frombuffer(body, "<i4", rows).astype("datetime64[D]").astype("datetime64[ns]")
    values = np.frombuffer(body, "<f8", rows * len(columns), 4 * rows).reshape(len(columns), rows)
    # Column by column in memory and of its own: pandas takes it as it is.
    return pd.DataFrame(values.T.copy(order="F"), index=pd.DatetimeIndex(days, name="date"), columns=columns)
