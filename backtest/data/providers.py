"""The services behind the store, in one form: how to ask, what may be kept, and when a snapshot is new enough.

    yahoo/QQQ  yahoo/^IRX  yahoo/ZQF25.CBT    fred/DTB3  fred/CPILFESL@2024-07-11    french/6_Portfolios_2x3

What a service answers is kept only when nothing in it would stop a run: a fault never takes a good snapshot's place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

import pandas as pd

from backtest.data import clock
from backtest.data.calendar import exchange_sessions, session_closes, sessions_around
from backtest.data.checks import check_prices
from backtest.data.faults import LARGEST_DAILY_LOG_RETURN
from backtest.data.fred import fetch_fred, fetch_fred_revisions, fetch_fred_vintage
from backtest.data.french.library import check_french, fetch_french, french_location
from backtest.data.futures import check_futures, is_contract
from backtest.data.macro_checks import check_rate
from backtest.data.retry import Patience
from backtest.data.store import Snapshot
from backtest.data.update import OVERLAP
from backtest.data.yahoo import FIRST_DAY, SETTLES, fetch_history, yahoo_location
from backtest.errors import DataError

RECENT = pd.Timedelta(hours=6)
"""A service without a calendar of its own is not asked again for so long."""

LIBRARY_HOLDS = pd.Timedelta(days=20)
"""Ken French's library is brought up to date once a month."""

TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}")
VINTAGE = re.compile(r"([A-Z0-9_]{1,40})@(\d{4}-\d\d-\d\d)")
ALL_REVISIONS = "@all"


class Provider(Protocol):
    """A service, asked for one series by its name."""

    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        """All there is, and where it is from."""

    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        """The newest part, reaching back into the snapshot; None when this service is always asked for everything."""

    def check(self, name: str, frame: pd.DataFrame) -> None:
        """Raise DataError with all that would stop a run."""

    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        """Whether there can be nothing newer up to `end`, or it is too soon to ask."""


@dataclass(frozen=True)
class YahooProvider:
    """Tickers of all kinds: funds and shares, ^IRX and other indices, futures."""

    client_cache: Path
    patience: Patience = field(default_factory=Patience)
    largest_daily_move: float = LARGEST_DAILY_LOG_RETURN

    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        """Everything since FIRST_DAY."""
        return self._asked(name, FIRST_DAY), yahoo_location()

    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        """The last month of the snapshot and what came after it."""
        return self._asked(name, (pd.Timestamp(snapshot.last) - OVERLAP).date())

    def check(self, name: str, frame: pd.DataFrame) -> None:
        """Prices, rates and futures each by their own rules."""
        if is_contract(name):
            check_futures(name, frame)
        elif name.startswith("^"):
            if name == "^IRX":
                check_rate("IRX", frame["close"].dropna(), f"Yahoo {name}")
        else:
            check_prices({name: frame}, sessions_around(frame.index.min(), frame.index.max()), self.largest_daily_move)

    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        """Whether the last session that is finished (and not after `end`) is there."""
        return bool(snapshot.last) and pd.Timestamp(snapshot.last) >= last_finished(end)

    def _asked(self, name: str, first: date) -> pd.DataFrame:
        if not TICKER.fullmatch(name):
            raise DataError(f"{name[:40]!r}: expected a ticker such as QQQ, ^IRX or BRK-B (capital letters and digits)")
        ask = lambda: fetch_history(name, first=first, client_cache=self.client_cache)  # noqa: E731
        return self.patience.ask(ask, name, "Yahoo")


@dataclass(frozen=True)
class FredProvider:
    """Series as they are today (DTB3), as they were known on a day (CPILFESL@2024-07-11), or in all versions (@all)."""

    patience: Patience = field(default_factory=Patience)

    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        """The series, or its vintage."""
        vintage = VINTAGE.fullmatch(name)
        if name.endswith(ALL_REVISIONS):
            fetched = fetch_fred_revisions(name.removesuffix(ALL_REVISIONS), self.patience)
        elif vintage is None:
            fetched = fetch_fred(name, self.patience)
        else:
            fetched = fetch_fred_vintage(vintage[1], _day(vintage[2], name), self.patience)
        return fetched.values, fetched.location

    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        """FRED is asked for everything: a file is small and may be revised anywhere."""
        return None

    def check(self, name: str, frame: pd.DataFrame) -> None:
        """Ascending days, values that can be those of a series known here."""
        firsts = frame[~frame.index.duplicated()] if name.endswith(ALL_REVISIONS) else frame
        check_rate(name.partition("@")[0], firsts["value"], f"FRED {name}")

    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        """A vintage never changes; anything else is asked for again after some hours."""
        if VINTAGE.fullmatch(snapshot.series.partition("/")[2]):
            return True
        return _reaches(snapshot, end) or clock.now() - pd.Timestamp(snapshot.fetched_at) < RECENT


@dataclass(frozen=True)
class FrenchProvider:
    """Files of Kenneth French's data library."""

    patience: Patience = field(default_factory=Patience)

    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        """The first table of a file."""
        return fetch_french(name, self.patience), french_location(name)

    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        """A file is one piece."""
        return None

    def check(self, name: str, frame: pd.DataFrame) -> None:
        """Months in a row, returns that can be."""
        check_french(name, frame)

    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        """The library changes once a month."""
        return _reaches(snapshot, end) or clock.now() - pd.Timestamp(snapshot.fetched_at) < LIBRARY_HOLDS


def last_finished(end: date | None) -> pd.Timestamp:
    """The last session that has finished and settled by now and does not lie after `end`."""
    at = clock.now()
    first, last = (at - pd.Timedelta(days=20)).date(), at.date()
    closes = session_closes(first, last)
    finished = exchange_sessions(first, last)[closes + SETTLES <= at]
    newest = pd.Timestamp(finished[-1])
    if end is None or pd.Timestamp(end) >= newest:
        return newest
    before = exchange_sessions(pd.Timestamp(end) - pd.Timedelta(days=20), pd.Timestamp(end))
    return pd.Timestamp(before[-1])


def _reaches(snapshot: Snapshot, end: date | None) -> bool:
    return end is not None and bool(snapshot.last) and snapshot.last >= end.isoformat()


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(f"FRED {name}: found {text!r}, expected a day as YYYY-MM-DD") from None
