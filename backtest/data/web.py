"""One file by its address, its failures told apart: not there, too many requests, or something that may pass."""

from __future__ import annotations

from backtest.data.retry import RateLimited, Transient
from backtest.errors import DataError

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
