"""One process at a time for one thing, so that eight runs started together ask a service once and not eight times.

Only for politeness: the store needs no lock. Where the system has none, everybody goes ahead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(root: Path, what: str) -> Iterator[bool]:
    """Wait until no other process is in here for `what`; gives whether there was one. A lock ends with its process."""
    try:
        import fcntl
    except ImportError:
        yield False
        return
    folder = root / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / hashlib.sha256(what.encode()).hexdigest()[:16]).open("ab")
    except OSError:
        yield False  # whether the folder can be written to is told by whoever writes
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield True
        else:
            yield False
