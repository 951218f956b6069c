"""One process at a time for one file; a lock ends with its process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.005


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file for this process alone. Raises OSError where no lock can be made beside it."""
    from filelock import FileLock

    try:
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        lock.acquire(poll_interval=POLL_SECONDS)
    except NotImplementedError as error:  # a file system without locks
        raise OSError(0, str(error)) from None
    try:
        yield
    finally:
        lock.release()
