"""The services behind the store, in one form: how to ask, what may be kept, and when a snapshot is new enough.

    yahoo/QQQ  yahoo/^IRX  yahoo/ZQF25.CBT    fred/DTB3  fred/CPILFESL@2024-07-11    french/6_Portfolios_2x3

What a service answers is kept only when nothing in it would stop a run: a fault never takes a good snapshot's place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import pandas as pd
from typing_extensions import override

from backtest.data import clock
from backtest.data.calendar import exchange_sessions, session_closes, sessions_around
from backtest.data.checks import check_prices
from backtest.data.fred import fetch_fred, fetch_fred_revisions, fetch_fred_vintage
from backtest.data.french.library import check_french, fetch_french, french_location
from backtest.data.futures import check_futures, is_contract
from backtest.data.macro_checks import check_rate
from backtest.data.store import Snapshot
from backtest.data.update import OVERLAP
from backtest.data.web import Patience
from backtest.data.yahoo import FIRST_DAY, SETTLES, fetch_history, yahoo_location
from backtest.errors import DataError

TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}")
VINTAGE = re.compile(r"([A-Z0-9_]{1,40})@(\d{4}-\d\d-\d\d)")
ALL_REVISIONS = "@all"


@dataclass(frozen=True)
class Provider:
    """A service, asked for one series by its name; `holds`: it is not asked again for so long."""

    patience: Patience
    holds: ClassVar[pd.Timedelta] = pd.Timedelta(hours=6)

    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        """All there is, and where it is from."""
        raise NotImplementedError

    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        """The newest part, reaching back into the snapshot; None when this service is always asked for everything."""
        return None

    def check(self, name: str, frame: pd.DataFrame) -> None:
        """Raise DataError with all that would stop a run."""
        raise NotImplementedError

    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        """Whether there can be nothing newer up to `end`, or it is too soon to ask."""
        reaches = end is not None and bool(snapshot.last) and snapshot.last >= end.isoformat()
        return reaches or clock.now() - pd.Timestamp(snapshot.fetched_at) < self.holds


@dataclass(frozen=True)
class YahooProvider(Provider):
    """Tickers of all kinds: funds and shares, ^IRX and other indices, futures."""

    client_cache: Path
    largest_daily_move: float

    @override
    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        return self._asked(name, FIRST_DAY), yahoo_location()

    @override
    def tail(self, name: str, snapshot: Snapshot) -> pd.DataFrame | None:
        return self._asked(name, (pd.Timestamp(snapshot.last) - OVERLAP).date())

    @override
    def check(self, name: str, frame: pd.DataFrame) -> None:
        if is_contract(name):
            check_futures(name, frame)
        elif name.startswith("^"):
            if name == "^IRX":
                check_rate("IRX", frame["close"].dropna(), f"Yahoo {name}")
        else:
            check_prices({name: frame}, sessions_around(frame.index.min(), frame.index.max()), self.largest_daily_move)

    @override
    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        return bool(snapshot.last) and pd.Timestamp(snapshot.last) >= last_finished(end)

    def _asked(self, name: str, first: date) -> pd.DataFrame:
        if not TICKER.fullmatch(name):
            raise DataError(f"{name[:40]!r}: expected a ticker such as QQQ, ^IRX or BRK-B (capital letters and digits)")
        ask = lambda: fetch_history(name, first=first, client_cache=self.client_cache)  # noqa: E731
        return self.patience.ask(ask, name, "Yahoo")


class FredProvider(Provider):
    """Series as they are today (DTB3), as they were known on a day (CPILFESL@2024-07-11), or in all versions (@all)."""

    @override
    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        vintage = VINTAGE.fullmatch(name)
        if name.endswith(ALL_REVISIONS):
            fetched = fetch_fred_revisions(name.removesuffix(ALL_REVISIONS), self.patience)
        elif vintage is None:
            fetched = fetch_fred(name, self.patience)
        else:
            fetched = fetch_fred_vintage(vintage[1], _day(vintage[2], name), self.patience)
        return fetched.values, fetched.location

    @override
    def check(self, name: str, frame: pd.DataFrame) -> None:
        firsts = frame[~frame.index.duplicated()] if name.endswith(ALL_REVISIONS) else frame
        check_rate(name.partition("@")[0], firsts["value"], f"FRED {name}")

    @override
    def is_current(self, snapshot: Snapshot, end: date | None) -> bool:
        never_changes = VINTAGE.fullmatch(snapshot.series.partition("/")[2]) is not None
        return never_changes or super().is_current(snapshot, end)


class FrenchProvider(Provider):
    """Files of Kenneth French's data library, which is brought up to date once a month."""

    holds = pd.Timedelta(days=20)

    @override
    def whole(self, name: str) -> tuple[pd.DataFrame, str]:
        return fetch_french(name, self.patience), french_location(name)

    @override
    def check(self, name: str, frame: pd.DataFrame) -> None:
        check_french(name, frame)


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


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(f"FRED {name}: found {text!r}, expected a day as YYYY-MM-DD") from None
