"""Prices and rates through the store: what is there is used, what is missing is asked for, what is kept is checked.

    is there a sound snapshot that is new enough?      use it; nothing is asked, not even whether there is more
    offline?                                           use the newest, say how old it is
    else ask: the newest part if it fits to the snapshot, otherwise the whole history
    the service does not answer?                       use the snapshot if it is a few days old, say so, else stop

A history that has changed is reported and kept beside the old one: `backtest data diff` shows both.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd

from backtest.data import clock
from backtest.data.checks import LARGEST_DAILY_LOG_RETURN
from backtest.data.providers import FredProvider, FrenchProvider, Provider, YahooProvider
from backtest.data.sources import DataSource, Fetched, of_each
from backtest.data.store import Snapshot, Store
from backtest.data.update import difference, extended
from backtest.data.web import Patience
from backtest.errors import DataError, NetworkError

STALE = pd.Timedelta(days=7)
"""A snapshot that ends at most so long before what is wanted is used when its service does not answer."""

WHOLE_AGAIN = pd.Timedelta(days=90)
"""A history is asked for whole at least this often, so that a change far back is found."""

RATE_SERIES = {"IRX": ("yahoo/^IRX", "close")}
"""Rates that are not series of FRED: where they are, and which column is the rate."""

log = logging.getLogger("backtest.data")

Kept = tuple[Snapshot, pd.DataFrame]


class Snapshots(DataSource):
    """Yahoo, FRED and Ken French's library as a DataSource, through the store.

    end: the last day wanted, None for all there is. pins: series -> sha256 of the object to use, whatever is newest.
    """

    has_target_range = True

    def __init__(
        self,
        *,
        end: date | None = None,
        offline: bool = False,
        store: Store | None = None,
        largest_daily_move: float = LARGEST_DAILY_LOG_RETURN,
        pins: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.end, self.offline, self.pins = end, offline, pins or {}
        self.store = store or Store()
        # One patience for each service: one that is down must not use up the other's.
        waits = [patience or Patience() for _ in range(3)]
        self.providers: dict[str, Provider] = {
            "yahoo": YahooProvider(waits[0], self.store.root / "yfinance", largest_daily_move),
            "fred": FredProvider(waits[1]),
            "french": FrenchProvider(waits[2]),
        }

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Each ticker's history; DataError names the faults of all tickers, NetworkError the first failure."""
        found = of_each(tickers, lambda ticker: self.series(f"yahoo/{ticker}"))
        self._tell_age([snapshot for snapshot, _ in found.values()])
        return {ticker: _fetched(*kept) for ticker, kept in found.items()}

    def rate(self, rate_id: str) -> Fetched:
        """A rate in percent, column `value`: IRX from Yahoo, any other from FRED."""
        series, column = RATE_SERIES.get(rate_id, (f"fred/{rate_id}", "value"))
        snapshot, frame = self.series(series)
        self._tell_age([snapshot])
        return _fetched(snapshot, frame[[column]].set_axis(["value"], axis=1).dropna())

    def series(self, series: str, *, again: bool = False) -> Kept:
        """The snapshot to use of `provider/name` and its numbers; again: ask for the whole history now."""
        if series in self.pins:
            return self._pinned(series)
        kept = self.store.newest(series)
        if self.offline:
            if kept is None:
                raise NetworkError(f"{series}: there is no sound snapshot of it, and offline nothing is fetched; run "
                                   f"backtest data fetch {series}, or the same without --offline")  # fmt: skip
            return kept
        provider = self.provider_of(series)
        if kept and not again and provider.is_current(kept[0], self.end):
            return kept
        began = clock.stamp(clock.now())
        with alone(self.store.root, series) as has_waited:
            newer = self.store.newest(series)
            if newer and has_waited and newer[0].fetched_at >= began:
                return newer  # another process has asked meanwhile
            try:
                return self._updated(series, newer, again=again)
            except NetworkError as error:
                return self._fallback(newer, error)

    def provider_of(self, series: str) -> Provider:
        """The service of a series; DataError when there is no such service."""
        name = series.partition("/")[0]
        if name not in self.providers:
            raise DataError(f"{series[:60]!r}: expected a series such as yahoo/QQQ, fred/DTB3, french/6_Portfolios_2x3")
        return self.providers[name]

    def _updated(self, series: str, kept: Kept | None, *, again: bool) -> Kept:
        """Ask, compare, check, keep."""
        provider = self.provider_of(series)
        name = series.partition("/")[2]
        if kept and not again and clock.now() - pd.Timestamp(kept[0].whole_at) < WHOLE_AGAIN:
            tail = provider.tail(name, kept[0])
            frame = None if tail is None else extended(kept[1], tail)
            if frame is not None:
                stamp = clock.stamp(clock.now())
                return self._keep(series, frame, kept, kept[0].location, stamp, kept[0].whole_at)
        frame, location = provider.whole(name)
        stamp = clock.stamp(clock.now())
        return self._keep(series, frame, kept, location, stamp, stamp)

    def _keep(self, series: str, frame: pd.DataFrame, kept: Kept | None, location: str, at: str, whole: str) -> Kept:
        provider = self.provider_of(series)
        try:
            provider.check(series.partition("/")[2], frame)
            change = "first fetch"
            if kept:
                found = difference(kept[1], frame)
                change = found.words()
                _check_not_shorter(series, kept[1], frame)
                if found.is_another_past:
                    log.warning("%s: %s since the snapshot of %s, which is kept; backtest data diff %s shows it",
                                series, change, kept[0].fetched_at, series)  # fmt: skip
        except DataError as error:
            if kept is None:
                raise
            hint = f"{series}: was not kept; the snapshot of {kept[0].fetched_at} stands, --offline uses it"
            raise DataError(*error.problems, hint) from error
        about = {"location": location, "fetched_at": at, "whole_at": whole, "change": change}
        return self.store.put(series, frame, **about), frame

    def _fallback(self, kept: Kept | None, error: NetworkError) -> Kept:
        """A snapshot that is a few days old is better than nothing; an older one must be asked for by --offline."""
        if kept is None:
            raise error
        wanted = pd.Timestamp(self.end) if self.end else clock.now().tz_localize(None)
        snapshot = kept[0]
        if wanted - pd.Timestamp(snapshot.last) <= STALE:
            log.warning("%s; the snapshot of %s is used, it ends on %s", error, snapshot.fetched_at, snapshot.last)
            return kept
        raise NetworkError(f"{error} (there is a snapshot that ends on {snapshot.last}: --offline uses it)") from error

    def _pinned(self, series: str) -> Kept:
        frame = self.store.load(self.pins[series])
        recorded = [each for each in self.store.snapshots(series) if each.sha256 == self.pins[series]]
        if frame is None or not recorded:
            raise DataError(f"{series}: the snapshot {self.pins[series][:12]} is not in the store")
        return recorded[0], frame

    def _tell_age(self, snapshots: Sequence[Snapshot]) -> None:
        if self.offline and snapshots:
            oldest = min(snapshots, key=lambda snapshot: snapshot.fetched_at)
            names = ", ".join(snapshot.series for snapshot in snapshots)
            log.warning("offline: %s from the store, fetched %s ago (%s)",
                        names, clock.age(oldest.fetched_at, clock.now()), oldest.fetched_at)  # fmt: skip


def _check_not_shorter(series: str, old: pd.DataFrame, new: pd.DataFrame) -> None:
    """Raise DataError when an answer lacks more than one percent of the known days: it is incomplete."""
    lost = old.index.difference(new.index)
    if len(lost) > 0.01 * len(old):
        raise DataError(f"{series}: the answer lacks {len(lost)} of {len(old)} days of the snapshot, from "
                        f"{lost[0]:%Y-%m-%d} on; it is only a part, try again later")  # fmt: skip


def _fetched(snapshot: Snapshot, frame: pd.DataFrame) -> Fetched:
    return Fetched(frame, snapshot.location, snapshot.sha256)


@contextmanager
def alone(root: Path, what: str) -> Iterator[bool]:
    """Wait until no other process is in here for `what`, so that eight runs started together ask once; gives whether
    there was one. A lock ends with its process. The store needs none: where the system has no locks, all go ahead.
    """
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
