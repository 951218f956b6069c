"""What is looked for in prices before anything is computed from them.

Each check is one row of `CHECKS`: a function from a ticker's bars to the dates at fault, what to call them and what to
do. A check that stops refuses the data; one that does not becomes a note in the report. Nothing is ever repaired.
The limits were set on 17 real ETF histories of 1993-2026: no refusal, and no note but for one fund that truly had
no trades for a week in its first month.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import DataError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-6
"""Relative: sources round prices, so a high may lie a hair below a close."""

LARGEST_DAILY_LOG_RETURN = 0.20
"""The largest of the 17 funds is 0.179 (KRE); a 5:4 split that was not worked in is 0.223."""

LARGEST_OVERNIGHT_LOG_RETURN = 0.405
"""A price half as large again, or a third smaller; the largest of the 17 funds is 0.255 (KRE, 2023-03-13)."""

FACTOR_TOLERANCE = 1e-4
"""Relative, between the step of adj_close / close and the dividend of that day; real files differ by up to 1.3e-6."""

STALE_SESSIONS = 4
"""So many sessions in a row with the same four prices and no volume are no market."""

SHOWN_DATES = 5


@dataclass(frozen=True, slots=True)
class Bars:
    """One ticker's rows as arrays of one length; `dates` tz-naive."""

    dates: pd.DatetimeIndex
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    adj_close: Floats
    volume: Floats
    dividends: Floats
    splits: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Bars:
        """The rows of a source's frame."""
        columns = {str(name): frame[name].to_numpy(dtype=np.float64) for name in frame.columns}
        return cls(dates=pd.DatetimeIndex(frame.index), **columns)

    @property
    def prices(self) -> Floats:
        """Shape (5, rows): open, high, low, close, adj_close."""
        return np.stack([self.open, self.high, self.low, self.close, self.adj_close])


Dates = pd.DatetimeIndex
Find = Callable[[Bars, pd.DatetimeIndex], Dates]


class Check(NamedTuple):
    """One kind of fault. find: (bars, exchange sessions) -> dates at fault; found, remedy: halves of the message."""

    name: str
    stops: bool
    found: str
    remedy: str
    find: Find


class Finding(NamedTuple):
    """A fault of one ticker: complete sentence by `line`."""

    ticker: str
    check: Check
    dates: Dates

    @property
    def line(self) -> str:
        """`IWM: no row on 2024-07-16 (a session of the exchange); ...`: who, what, when, what to do."""
        return f"{self.ticker}: {self.check.found} on {listed(self.dates)}; {self.check.remedy}"


def check_prices(frames: Mapping[str, pd.DataFrame], sessions: pd.DatetimeIndex) -> tuple[str, ...]:
    """Notes on what was found but does not stop; DataError with a line for every fault of every ticker that does.

    frames: by ticker, as a source gives them, none empty. sessions: the exchange's, covering them all.
    """
    findings = [finding for ticker, frame in frames.items() for finding in find_faults(ticker, frame, sessions)]
    refused = [finding.line for finding in findings if finding.check.stops]
    if refused:
        raise DataError(*refused)
    return tuple(f"{finding.line}." for finding in findings)


def find_faults(ticker: str, frame: pd.DataFrame, sessions: pd.DatetimeIndex) -> list[Finding]:
    """Everything that `CHECKS` find in one ticker's frame, in the order of the table."""
    bars = Bars.of(frame)
    findings = _apply(DATE_CHECKS, ticker, bars, sessions)
    if not (bars.dates.is_monotonic_increasing and bars.dates.is_unique):
        # Reported above; from here on rows are compared with their neighbours, who must be the right ones.
        bars = Bars.of(frame[~bars.dates.duplicated()].sort_index())
    return findings + _apply(VALUE_CHECKS, ticker, bars, sessions)


def listed(dates: Dates) -> str:
    """`2024-07-16`, or the first five and how many there are."""
    shown = ", ".join(f"{day:%Y-%m-%d}" for day in dates[:SHOWN_DATES])
    return shown if len(dates) <= SHOWN_DATES else f"{shown}, ... ({len(dates)} in all)"


def _apply(checks: tuple[Check, ...], ticker: str, bars: Bars, sessions: pd.DatetimeIndex) -> list[Finding]:
    found = ((check, check.find(bars, sessions)) for check in checks)
    return [Finding(ticker, check, dates) for check, dates in found if len(dates)]


def _unordered(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[1:][bars.dates[1:] < bars.dates[:-1]]


def _duplicated(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[bars.dates.duplicated()].unique()


def _missing_sessions(bars: Bars, sessions: pd.DatetimeIndex) -> Dates:
    life = sessions[(sessions >= bars.dates.min()) & (sessions <= bars.dates.max())]
    return life[~life.isin(bars.dates)]


def _not_sessions(bars: Bars, sessions: pd.DatetimeIndex) -> Dates:
    return bars.dates[~bars.dates.isin(sessions)]


def _missing_values(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[_any(np.isnan(bars.prices)) | np.isnan(bars.dividends) | np.isnan(bars.splits)]


def _infinite(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[_any(np.isinf(bars.prices)) | np.isinf(bars.dividends) | np.isinf(bars.splits)]


def _not_positive(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[_any(bars.prices <= 0.0)]


def _negative_events(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[(bars.dividends < 0.0) | (bars.splits < 0.0)]


def _high_below_low(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[bars.high < bars.low * (1.0 - ROUNDING)]


def _outside_range(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    is_above = (bars.open > bars.high * (1.0 + ROUNDING)) | (bars.close > bars.high * (1.0 + ROUNDING))
    is_below = (bars.open < bars.low * (1.0 - ROUNDING)) | (bars.close < bars.low * (1.0 - ROUNDING))
    return bars.dates[is_above | is_below].difference(_high_below_low(bars, _))


def _jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    return bars.dates[1:][_log_distance(bars.adj_close[1:], bars.adj_close[:-1]) > LARGEST_DAILY_LOG_RETURN]


def _overnight_jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    # The raw open would show a jump on every unadjusted split; the total-return open is what fills are made at.
    opening = bars.open * bars.adj_close / np.where(bars.close == 0.0, np.nan, bars.close)
    return bars.dates[1:][_log_distance(opening[1:], bars.adj_close[:-1]) > LARGEST_OVERNIGHT_LOG_RETURN]


def _dividends_not_in_adjusted(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    # The first row's dividend went to whoever held the day before, so that it changes no price that is here.
    is_paid = bars.dividends[1:] > 0.0
    if not np.allclose(bars.adj_close, bars.close, rtol=ROUNDING, atol=0.0):
        return bars.dates[:0]
    return bars.dates[1:][is_paid]


def _factor_off(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days on which adj_close / close does not step by 1 - dividend / close before, Yahoo's rule."""
    if not (bars.dividends > 0.0).any() or len(_dividends_not_in_adjusted(bars, _)):
        return bars.dates[:0]  # a file without dividends has nothing to compare with
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = bars.adj_close / bars.close
        step = factor[:-1] / factor[1:]
        expected = 1.0 - bars.dividends[1:] / bars.close[:-1]
        return bars.dates[1:][np.abs(step - expected) > FACTOR_TOLERANCE]


def _stale(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    four = np.stack([bars.open, bars.high, bars.low, bars.close])
    is_still = np.zeros(len(bars.dates), dtype=np.bool_)
    is_still[1:] = (four[:, 1:] == four[:, :-1]).all(axis=0) & (bars.volume[1:] == 0.0)
    run_ends = np.flatnonzero(np.diff(is_still, append=False) & is_still)
    run_starts = np.flatnonzero(np.diff(is_still, prepend=False) & is_still)
    is_long = np.zeros(len(bars.dates), dtype=np.bool_)
    for first, last in zip(run_starts, run_ends, strict=True):
        is_long[first : last + 1] = last - first + 1 >= STALE_SESSIONS
    return bars.dates[is_long]


def _any(flags: Flags) -> Flags:
    """Where any of the prices of a row is at fault; (prices, rows) -> (rows,)."""
    return np.asarray(flags.any(axis=0), dtype=np.bool_)


def _log_distance(later: Floats, earlier: Floats) -> Floats:
    """|log(later / earlier)|; NaN, so never too large, where a price is missing or not positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.abs(np.log(later / earlier)), dtype=np.float64)


AGAIN = "get the prices again or correct them"

DATE_CHECKS = (
    Check("order", True, "dates go back", f"rows must ascend by date, {AGAIN}", _unordered),
    Check("duplicate", True, "more than one row", f"keep one row for a date, {AGAIN}", _duplicated),
    Check("missing session", True, "no row, though the exchange was open,", f"{AGAIN}", _missing_sessions),
    Check("no session", True, "a row, though the exchange was closed,",
          f"dates may be shifted, {AGAIN}", _not_sessions),
)  # fmt: skip
VALUE_CHECKS = (
    Check("missing value", True, "a price, dividend or split is missing", AGAIN, _missing_values),
    Check("infinite", True, "a value is infinite", AGAIN, _infinite),
    Check("not positive", True, "a price is zero or negative", AGAIN, _not_positive),
    Check("negative event", True, "a dividend or split is negative", AGAIN, _negative_events),
    Check("high below low", True, "the high is below the low", AGAIN, _high_below_low),
    Check("jump", True, "adj_close moves by more than 20 % in a day (log)",
          f"a split may not be worked into the prices before it, {AGAIN}", _jumps),
    Check("overnight jump", True, "the open is half as much again as the close before, or a third less,",
          AGAIN, _overnight_jumps),
    Check("unadjusted", True, "adj_close equals close everywhere in spite of dividends",
          "get a file whose adj_close is adjusted for them", _dividends_not_in_adjusted),
    Check("outside range", False, "open or close lies outside low and high", "used as it is", _outside_range),
    Check("adjustment", False, "adj_close moves against close by something else than the day's dividend",
          "adj_close is used as it is", _factor_off),
    Check("stale", False, "the same prices again and no volume",
          "fills on these days may not have been possible", _stale),
)  # fmt: skip
CHECKS = DATE_CHECKS + VALUE_CHECKS
"""All of them: those of the dates first, then those of the values."""
