"""What is looked for in prices before anything is computed from them.

Each check is one row of `CHECKS`: a function from a ticker's bars to the dates at fault, what to call them and what to
do. A check that stops refuses the data; one that does not becomes a note in the report. Nothing is ever repaired.
The limits were set on 17 real ETF histories of 1993-2026: no refusal, and no note but for one fund that truly had
no trades for a week in its first month.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

import pandas as pd

from backtest.data.calendar import library
from backtest.data.faults import (
    LARGEST_DAILY_LOG_RETURN,
    Bars,
    Dates,
    dividends_not_in_adjusted,
    duplicated,
    factor_off,
    high_below_low,
    infinite,
    jumps,
    missed_dividends,
    missing_sessions,
    missing_values,
    negative_events,
    never_paid,
    no_volume,
    not_positive,
    not_sessions,
    outside_range,
    overnight_jumps,
    stale,
    unordered,
)
from backtest.errors import DataError

SHOWN_DATES = 5

Find = Callable[[Bars, pd.DatetimeIndex], Dates]


class Check(NamedTuple):
    """One kind of fault. find: (bars, exchange sessions) -> dates at fault; found, remedy: halves of the message."""

    name: str
    stops: bool
    found: str
    remedy: str
    find: Find


class Fault(NamedTuple):
    """A fault of one ticker: complete sentence by `line`."""

    ticker: str
    check: Check
    dates: Dates

    @property
    def line(self) -> str:
        """`IWM: no row on 2024-07-16 (a session of the exchange); ...`: who, what, when, what to do."""
        return f"{self.ticker}: {self.check.found} on {listed(self.dates)}; {self.check.remedy}"


def check_prices(
    frames: Mapping[str, pd.DataFrame],
    sessions: pd.DatetimeIndex,
    largest_move: float = LARGEST_DAILY_LOG_RETURN,
    total_return: Container[str] = (),
) -> tuple[str, ...]:
    """Notes on what was found but does not stop; DataError with a line for every fault of every ticker that does.

    frames: by ticker, as a source gives them, none empty. sessions: the exchange's, covering them all. total_return:
    those whose prices include dividends, so that the lack of them says nothing.
    """
    findings = [
        finding
        for ticker, frame in frames.items()
        for finding in find_faults(ticker, frame, sessions, largest_move)
        if not (finding.check.find is never_paid and ticker in total_return)
    ]
    refused = _refused([finding for finding in findings if finding.check.stops], frames)
    if refused:
        raise DataError(*refused)
    return tuple(f"{finding.line}." for finding in findings)


def _refused(findings: list[Fault], frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """A line for each; a session that no ticker has is told once, since the calendar may be what is wrong."""
    lacking = {finding.ticker: set(finding.dates) for finding in findings if finding.check.find is missing_sessions}

    def lives(day: pd.Timestamp) -> list[str]:
        return [ticker for ticker, frame in frames.items() if frame.index.min() <= day <= frame.index.max()]

    days = sorted(set().union(*lacking.values()))
    nobody = pd.DatetimeIndex(
        [day for day in days if len(lives(day)) > 1 and all(day in lacking.get(ticker, ()) for ticker in lives(day))]
    )
    lines = []
    if len(nobody):
        stated = ", ".join(f"{day:%Y-%m-%d}" for day in nobody[:SHOWN_DATES])
        lines.append(
            f"no ticker has a row on {listed(nobody)}, a session of the exchange for {library()}: {AGAIN}, or where "
            f"the exchange was closed that day, state it: data.closed: [{stated}]"
        )
    for finding in findings:
        is_missing = finding.check.find is missing_sessions
        own = finding._replace(dates=finding.dates.difference(nobody)) if is_missing else finding
        hint = (
            ", or where it was closed that day, name the day in data.closed" if is_missing and len(frames) == 1 else ""
        )
        lines += [f"{own.line}{hint}"] if len(own.dates) else []
    return lines


def find_faults(
    ticker: str, frame: pd.DataFrame, sessions: pd.DatetimeIndex, largest_move: float = LARGEST_DAILY_LOG_RETURN
) -> list[Fault]:
    """Everything that `CHECKS` find in one ticker's frame, in the order of the table."""
    bars = Bars.of(frame, largest_move)
    findings = _apply(DATE_CHECKS, ticker, bars, sessions)
    if not (bars.dates.is_monotonic_increasing and bars.dates.is_unique):
        # Reported above; from here on rows are compared with their neighbours, who must be the right ones.
        bars = Bars.of(frame[~bars.dates.duplicated()].sort_index(), largest_move)
    return findings + _apply(VALUE_CHECKS, ticker, bars, sessions)


def listed(dates: Dates) -> str:
    """`2024-07-16`, or the first five and how many there are."""
    shown = ", ".join(f"{day:%Y-%m-%d}" for day in dates[:SHOWN_DATES])
    return shown if len(dates) <= SHOWN_DATES else f"{shown}, ... ({len(dates)} in all)"


def _apply(checks: tuple[Check, ...], ticker: str, bars: Bars, sessions: pd.DatetimeIndex) -> list[Fault]:
    found = ((check, check.find(bars, sessions)) for check in checks)
    return [Fault(ticker, check, dates) for check, dates in found if len(dates)]


AGAIN = "get the prices again or correct them"

DATE_CHECKS = (
    Check("order", True, "dates go back", f"rows must ascend by date, {AGAIN}", unordered),
    Check("duplicate", True, "more than one row", f"keep one row for a date, {AGAIN}", duplicated),
    Check("missing session", True, "no row, though the exchange was open,",
          AGAIN, missing_sessions),
    Check("no session", True, "a row, though the exchange was closed,",
          f"dates may be shifted, {AGAIN}", not_sessions),
)  # fmt: skip
VALUE_CHECKS = (
    Check("missing value", True, "a price, dividend or split is missing", AGAIN, missing_values),
    Check("infinite", True, "a value is infinite", AGAIN, infinite),
    Check("not positive", True, "a price is zero or negative", AGAIN, not_positive),
    Check("negative event", True, "a dividend or split is negative", AGAIN, negative_events),
    Check("high below low", True, "the high is below the low", AGAIN, high_below_low),
    Check("jump", True, "adj_close moves by more than data.largest_daily_move (as a log return; 0.2 unless given)",
          f"a split may not be worked into the prices before it: {AGAIN}, or for a share that does move so much set "
          "data.largest_daily_move: 0.5", jumps),
    Check("overnight jump", True, "the open is further from the close before than twice data.largest_daily_move",
          f"{AGAIN}, or for a share that does move so much set data.largest_daily_move: 0.5", overnight_jumps),
    Check("unadjusted", True, "adj_close equals close everywhere in spite of dividends",
          "get a file whose adj_close is adjusted for them", dividends_not_in_adjusted),
    Check("outside range", False, "open or close lies outside low and high", "used as it is", outside_range),
    Check("adjustment", False, "adj_close moves against close by something else than the day's dividend",
          "adj_close is used as it is", factor_off),
    Check("missing dividend", False, "the payer's own rhythm had a dividend long due",
          "its total return may be too small; compare with another source (data.cross_check)", missed_dividends),
    Check("no dividend", False, "five years and no dividend at all, counted up to the last row,",
          "right for a fund that pays none, else its total return is too small", never_paid),
    Check("no volume", False, "the volume is missing", "no run reads it; prices are used as they are", no_volume),
    Check("stale", False, "the same prices again and no volume",
          "fills on these days may not have been possible", stale),
)  # fmt: skip
CHECKS = DATE_CHECKS + VALUE_CHECKS
"""All of them: those of the dates first, then those of the values."""
