"""Work counted instead of timed, and waiting that ends: what a test may say of speed on any machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import FrameType


def calls_of(act: Callable[[], object]) -> int:
    """Calls of functions that an act makes, those of C code included: its work, the same on every machine."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def wait_until(happened: Callable[[], object], tries: int = 3000) -> None:
    """Look every 20 ms until something has happened; an error after so many tries, so that nothing hangs."""
    for _ in range(tries):
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def killed_at(call: int, act: Callable[..., object], *arguments: object) -> None:
    """Act, and end this process without a word, as `kill -9` does, at its call of this number."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")
        if count > call:
            os._exit(9)

    sys.setprofile(seen)
    act(*arguments)
    sys.setprofile(None)
