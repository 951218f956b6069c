"""What is looked for in prices before anything is computed from them.

Each check is one row of `CHECKS`: a function from a ticker's bars to the dates at fault, what to call them and what to
do. A check that stops refuses the data; one that does not becomes a note in the report. Nothing is ever repaired.
The limits were set on 17 real ETF histories of 1993-2026: no refusal, and no note but for one fund that truly had
no trades for a week in its first month.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.calendar import library
from backtest.errors import DataError
from backtest.series import Floats

SHOWN_DATES = 5

Dates = pd.DatetimeIndex

ROUNDING = 1e-6
"""Relative: sources round prices, so a high may lie a hair below a close."""

LARGEST_DAILY_LOG_RETURN = 0.20
"""The largest of the 17 funds is 0.179 (KRE); a 5:4 split that was not worked in is 0.223. A single share may
move more: `data.largest_daily_move` says how much is believed."""

OVERNIGHT_TO_DAILY = 2.025
"""An open may be twice as far from the close before as a close: 0.405, a price half as large again or a third smaller.
The largest of the 17 funds is 0.255 (KRE, 2023-03-13)."""

FACTOR_TOLERANCE = 1e-4
"""Relative, between the step of adj_close / close and the dividend of that day; real files differ by up to 1.3e-6."""

RHYTHM_DIVIDENDS = 8
"""So many dividends tell a payer's rhythm."""

MISSED_PAYMENTS = 3.0
"""A gap so many times the payer's usual one, and longer than LONGEST_GAP, is a missing dividend."""

YEAR = np.timedelta64(365, "D")

LONGEST_GAP = pd.Timedelta(days=400)
"""No gap up to this length is one: payers skip a quarter and move dates."""

MATERIAL_YIELD = 0.002
"""A year; who pays less misses nothing when it stops: bill funds do, when rates are zero (BIL, 2009-2022)."""

NEVER_PAID = pd.Timedelta(days=5 * 366)
"""A history so long without one dividend is worth a word: most funds pay."""

STALE_SESSIONS = 4
"""So many sessions in a row with the same four prices and no volume are no market."""


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
    largest_move: float = LARGEST_DAILY_LOG_RETURN

    @classmethod
    def of(cls, frame: pd.DataFrame, largest_move: float = LARGEST_DAILY_LOG_RETURN) -> Bars:
        """The rows of a source's frame; largest_move: the daily log return up to which a move is believed."""
        columns = {str(name): frame[name].to_numpy(dtype=np.float64) for name in frame.columns}
        return cls(dates=pd.DatetimeIndex(frame.index), largest_move=largest_move, **columns)

    @property
    def values(self) -> Floats:
        """Shape (7, rows): open, high, low, close, adj_close, dividends, splits."""
        return np.stack([self.open, self.high, self.low, self.close, self.adj_close, self.dividends, self.splits])

    def where(self, wrong: npt.NDArray[np.bool_]) -> Dates:
        """Days of the rows in which any value is wrong; wrong: (columns, rows)."""
        return self.dates[np.asarray(wrong.any(axis=0), dtype=np.bool_)]


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
        if not (finding.check.name == "no dividend" and ticker in total_return)
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


def missing_sessions(bars: Bars, sessions: pd.DatetimeIndex) -> Dates:
    """Sessions of the exchange without a row, inside the ticker's life."""
    life = sessions[(sessions >= bars.dates.min()) & (sessions <= bars.dates.max())]
    return life[~life.isin(bars.dates)]


def high_below_low(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows whose high lies below their low."""
    return bars.dates[bars.high < bars.low * (1.0 - ROUNDING)]


def outside_range(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows whose open or close lies outside low and high."""
    is_above = (bars.open > bars.high * (1.0 + ROUNDING)) | (bars.close > bars.high * (1.0 + ROUNDING))
    is_below = (bars.open < bars.low * (1.0 - ROUNDING)) | (bars.close < bars.low * (1.0 - ROUNDING))
    return bars.dates[is_above | is_below].difference(high_below_low(bars, _))


def jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days on which the adjusted close moves by more than `largest_move`."""
    return bars.dates[1:][_log_distance(bars.adj_close[1:], bars.adj_close[:-1]) > bars.largest_move]


def overnight_jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days whose open is too far from the close before."""
    # The raw open would show a jump on every unadjusted split; the total-return open is what fills are made at.
    opening = bars.open * bars.adj_close / np.where(bars.close == 0.0, np.nan, bars.close)
    return bars.dates[1:][_log_distance(opening[1:], bars.adj_close[:-1]) > bars.largest_move * OVERNIGHT_TO_DAILY]


def dividends_not_in_adjusted(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days with a dividend, when the adjusted close is the close everywhere."""
    # The first row's dividend went to whoever held the day before, so that it changes no price that is here.
    is_paid = bars.dividends[1:] > 0.0
    if not np.allclose(bars.adj_close, bars.close, rtol=ROUNDING, atol=0.0):
        return bars.dates[:0]
    return bars.dates[1:][is_paid]


def factor_off(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days on which adj_close / close does not step by 1 - dividend / close before, Yahoo's rule."""
    if not (bars.dividends > 0.0).any() or len(dividends_not_in_adjusted(bars, _)):
        return bars.dates[:0]  # a file without dividends has nothing to compare with
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = bars.adj_close / bars.close
        step = factor[:-1] / factor[1:]
        expected = 1.0 - bars.dividends[1:] / bars.close[:-1]
        return bars.dates[1:][np.abs(step - expected) > FACTOR_TOLERANCE]


def stale(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days of a run of equal prices without volume."""
    return _still(bars, bars.volume[1:] == 0.0)


def copied(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days of a run of equal prices and volumes, as of rows that were carried forward."""
    return _still(bars, (bars.volume[1:] > 0.0) & (bars.volume[1:] == bars.volume[:-1]))


def _still(bars: Bars, also: npt.NDArray[np.bool_]) -> Dates:
    """Days of a run of equal prices, of STALE_SESSIONS at least; also: from the second row on, what holds too."""
    four = np.stack([bars.open, bars.high, bars.low, bars.close])
    is_still = np.zeros(len(bars.dates), dtype=np.bool_)
    is_still[1:] = (four[:, 1:] == four[:, :-1]).all(axis=0) & also
    run_ends = np.flatnonzero(np.diff(is_still, append=False) & is_still)
    run_starts = np.flatnonzero(np.diff(is_still, prepend=False) & is_still)
    is_long = np.zeros(len(bars.dates), dtype=np.bool_)
    for first, last in zip(run_starts, run_ends, strict=True):
        is_long[first : last + 1] = last - first + 1 >= STALE_SESSIONS
    return bars.dates[is_long]


def missed_dividends(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """The last payment before each gap that is too long for the payer's rhythm; the end of the data ends a gap too."""
    paid = bars.dates[bars.dividends > 0.0]
    if len(paid) < RHYTHM_DIVIDENDS:
        return bars.dates[:0]
    gaps = np.diff(paid.append(bars.dates[-1:]))
    usual = np.median(gaps[:-1])
    is_long = (gaps > usual * MISSED_PAYMENTS) & (gaps > LONGEST_GAP)
    with np.errstate(divide="ignore", invalid="ignore"):  # a price of zero is told elsewhere
        yields = (bars.dividends / bars.close)[bars.dividends > 0.0] * (YEAR / usual)
    return paid[np.asarray(is_long & (yields > MATERIAL_YIELD), dtype=np.bool_)]


def never_paid(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """The last row of a long history without a dividend."""
    is_long = len(bars.dates) > 0 and bars.dates[-1] - bars.dates[0] > NEVER_PAID
    # Adjusted prices that differ tell that dividends were paid, though the file has no column of them.
    is_price_return = bool(np.allclose(bars.adj_close, bars.close, rtol=ROUNDING, atol=0.0))
    return bars.dates[-1:] if is_long and is_price_return and not (bars.dividends > 0.0).any() else bars.dates[:0]


def no_volume(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows without a volume, of a ticker that has any."""
    missing = np.isnan(bars.volume)
    return bars.dates[:0] if missing.all() else bars.dates[missing]


def _log_distance(later: Floats, earlier: Floats) -> Floats:
    """|log(later / earlier)|; NaN, so never too large, where a price is missing or not positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.abs(np.log(later / earlier)), dtype=np.float64)


AGAIN = "get the prices again or correct them"

DATE_CHECKS = (
    Check("order", True, "dates go back", f"rows must ascend by date, {AGAIN}",
          lambda bars, _: bars.dates[1:][bars.dates[1:] < bars.dates[:-1]]),
    Check("duplicate", True, "more than one row", f"keep one row for a date, {AGAIN}",
          lambda bars, _: bars.dates[bars.dates.duplicated()].unique()),
    Check("missing session", True, "no row, though the exchange was open,", AGAIN, missing_sessions),
    Check("no session", True, "a row, though the exchange was closed,", f"dates may be shifted, {AGAIN}",
          lambda bars, sessions: bars.dates[~bars.dates.isin(sessions)]),
)  # fmt: skip
VALUE_CHECKS = (
    Check("missing value", True, "a price, dividend or split is missing", AGAIN,
          lambda bars, _: bars.where(np.isnan(bars.values))),
    Check("infinite", True, "a value is infinite", AGAIN,
          lambda bars, _: bars.where(np.isinf(bars.values))),
    Check("not positive", True, "a price is zero or negative", AGAIN,
          lambda bars, _: bars.where(bars.values[:5] <= 0.0)),
    Check("negative event", True, "a dividend or split is negative", AGAIN,
          lambda bars, _: bars.where(bars.values[5:] < 0.0)),
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
    Check("copied", False, "the same prices and volume again", "rows may have been carried forward", copied),
)  # fmt: skip
CHECKS = DATE_CHECKS + VALUE_CHECKS
"""All of them: those of the dates first, then those of the values."""
