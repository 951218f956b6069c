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
    from filelock import FileLock, Timeout

    path = root / "locks" / hashlib.sha256(what.encode()).hexdigest()[:16]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
            had_to_wait = False
        except Timeout:
            lock.acquire()
            had_to_wait = True
    except (OSError, NotImplementedError):
        yield False  # whether the folder can be written to is told by whoever writes
        return
    try:
        yield had_to_wait
    finally:
        lock.release()
