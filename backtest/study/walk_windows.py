"""The windows of a walk-forward: what a choice looks at, and how long it is held."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError

FEWEST_SESSIONS = 63
"""A quarter of a year: neither a choice nor a test is made on less."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of the test: chosen on curves from `train` up to `known`, held from `begin` up to `end` (closes)."""

    train: int
    known: int
    begin: int
    end: int


def windows_of(sessions: pd.DatetimeIndex, terms: WalkForwardTerms) -> list[Window]:
    """The windows of a period, in order; each choice is made at the close that begins a test year.

    Test windows meet in a row: the close that ends one begins the next. The last one may be shorter, but for one of
    less than a quarter of a year.
    """
    first = sessions[0]
    windows: list[Window] = []
    years = terms.train_years
    while True:
        known = int(sessions.searchsorted(first + pd.DateOffset(years=years)))
        until = int(sessions.searchsorted(first + pd.DateOffset(years=years + terms.test_years)))
        end = min(until + terms.embargo_sessions, len(sessions) - 1)
        begin = known + terms.embargo_sessions
        if end - begin < FEWEST_SESSIONS:
            return windows
        back = 0 if terms.anchored else years - terms.train_years
        train = int(sessions.searchsorted(first + pd.DateOffset(years=back)))
        windows.append(Window(train, known - terms.purge_sessions + 1, begin, end + 1))
        if windows[-1].known - train < FEWEST_SESSIONS:
            raise RunError(f"walk_forward.purge_sessions: {terms.purge_sessions} leave nothing to look at")
        years += terms.test_years
