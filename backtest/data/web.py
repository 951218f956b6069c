"""One file by its address, its failures told apart; and asking again: how long to wait, how often, when to give up.

A service that refuses for too many requests is asked again after 2, 4, 8 and 16 seconds and a random part of that
(so that many clients do not come back together); one that fails in another way after 1 and 2. All waiting of one
command comes out of one budget, so that eight tickers do not wait eight times for a service that is down.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from backtest.errors import DataError, NetworkError

T = TypeVar("T")

PACE = 1.0
"""Stretches every pause; tests make it small."""


class Transient(Exception):
    """A failure that may pass; its text is one line."""

    tries = 3
    first_pause_seconds = 1.0


class RateLimited(Transient):
    """The service takes no more requests for now."""

    tries = 5
    first_pause_seconds = 2.0


@dataclass
class Patience:
    """How long one command waits for a service in all."""

    budget_seconds: float = 120.0
    longest_pause_seconds: float = 60.0
    jitter: float = 0.25
    waited_seconds: float = field(default=0.0, init=False)
    is_over: bool = field(default=False, init=False)

    def ask(self, ask: Callable[[], T], what: str, service: str) -> T:
        """The answer of the first try that has one; NetworkError with the last cause when patience is over."""
        tries = 0
        while True:
            try:
                return ask()
            except Transient as error:
                tries += 1
                pause = min(error.first_pause_seconds * 2 ** (tries - 1), self.longest_pause_seconds)
                pause *= 1.0 + self.jitter * random.random()
                left = self.budget_seconds - self.waited_seconds
                if self.is_over or tries >= error.tries or pause > left:
                    self.is_over = True
                    raise NetworkError(_given_up(error, what, service, tries)) from error
                self.waited_seconds += pause
                time.sleep(pause * PACE)


def _given_up(error: Transient, what: str, service: str, tries: int) -> str:
    times = "once" if tries == 1 else f"{tries} times"
    if isinstance(error, RateLimited):
        return f"{what}: {service} takes no more requests for now (HTTP 429, asked {times}); try again in some minutes"
    return f"{what}: {service} did not answer properly (asked {times}: {error}); try again later"


TIMEOUT_SECONDS = 20
TOO_MANY_REQUESTS = 429
NOT_THERE = (400, 404, 410)


def get(address: str, *, absent: str) -> bytes:
    """The body of the answer. absent: the message (DataError) when the service says that there is no such thing.

    Raises Transient or RateLimited for a failure that may pass; its text never has the address, which may hold a key.
    """
    # Here, not above: a run from the store has no use for them, and they take longer to load than all its data.
    import http.client
    import urllib.error
    import urllib.request

    try:
        # An opener of its own: the global one remembers the proxies of the first request of the process.
        with urllib.request.build_opener().open(address, timeout=TIMEOUT_SECONDS) as answer:
            data: bytes = answer.read()
            return data
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == TOO_MANY_REQUESTS:
            raise RateLimited("HTTP 429") from None
        if error.code in NOT_THERE:
            raise DataError(f"{absent} (HTTP {error.code})") from None
        raise Transient(f"HTTP {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or (error if isinstance(error, OSError) else type(error).__name__)
        raise Transient(f"could not be reached: {str(reason)[:100]}") from None
