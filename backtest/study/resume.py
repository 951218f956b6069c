"""Finished chunks of a sweep on disk, so that an interrupted one goes on where it was.

One file per chunk in a folder named by what was asked (question, code, data): written beside it and renamed into place,
with a checksum, so that a reader finds a whole chunk or none. Nothing is ever changed; a finished sweep removes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from backtest.errors import WriteError
from backtest.study.chunks import Rows

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
        """Every whole chunk, by its first point; a torn or foreign file is passed over and made again."""
        paths = sorted(self.folder.glob("*-*")) if self.folder.is_dir() else []
        found = [rows for path in paths if (rows := _read(path)) is not None]
        yield from sorted(found, key=lambda rows: rows.start)

    def remove(self) -> None:
        """The result stands in its own folder: the chunks are not needed any more, nor are those long forgotten."""
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
