"""What can be wrong with a ticker's rows, each as a function from its bars to the dates at fault.

Where it stands: FAULTS -> checks (what each is called, whether it stops, what to do) -> assemble.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Dates = pd.DatetimeIndex
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

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
    def prices(self) -> Floats:
        """Shape (5, rows): open, high, low, close, adj_close."""
        return np.stack([self.open, self.high, self.low, self.close, self.adj_close])


def unordered(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows that lie before the row above them."""
    return bars.dates[1:][bars.dates[1:] < bars.dates[:-1]]


def duplicated(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days with more than one row."""
    return bars.dates[bars.dates.duplicated()].unique()


def missing_sessions(bars: Bars, sessions: pd.DatetimeIndex) -> Dates:
    """Sessions of the exchange without a row, inside the ticker's life."""
    life = sessions[(sessions >= bars.dates.min()) & (sessions <= bars.dates.max())]
    return life[~life.isin(bars.dates)]


def not_sessions(bars: Bars, sessions: pd.DatetimeIndex) -> Dates:
    """Rows on days without a session."""
    return bars.dates[~bars.dates.isin(sessions)]


def missing_values(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows without one of the prices, or the dividend, or the split."""
    return bars.dates[_any(np.isnan(bars.prices)) | np.isnan(bars.dividends) | np.isnan(bars.splits)]


def infinite(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows with an infinite value."""
    return bars.dates[_any(np.isinf(bars.prices)) | np.isinf(bars.dividends) | np.isinf(bars.splits)]


def not_positive(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows with a price of zero or less."""
    return bars.dates[_any(bars.prices <= 0.0)]


def negative_events(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows with a negative dividend or split."""
    return bars.dates[(bars.dividends < 0.0) | (bars.splits < 0.0)]


def high_below_low(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows whose high lies below their low."""
    return bars.dates[bars.high < bars.low * (1.0 - ROUNDING)]


def outside_range(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Rows whose open or close lies outside low and high."""
    is_above = (bars.open > bars.high * (1.0 + ROUNDING)) | (bars.close > bars.high * (1.0 + ROUNDING))
    is_below = (bars.open < bars.low * (1.0 - ROUNDING)) | (bars.close < bars.low * (1.0 - ROUNDING))
    return bars.dates[is_above | is_below].difference(high_below_low(bars, _))


def jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days on which the adjusted close moves further than is believed."""
    return bars.dates[1:][_log_distance(bars.adj_close[1:], bars.adj_close[:-1]) > bars.largest_move]


def overnight_jumps(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """Days whose open lies further from the close before than is believed."""
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
    four = np.stack([bars.open, bars.high, bars.low, bars.close])
    is_still = np.zeros(len(bars.dates), dtype=np.bool_)
    is_still[1:] = (four[:, 1:] == four[:, :-1]).all(axis=0) & (bars.volume[1:] == 0.0)
    run_ends = np.flatnonzero(np.diff(is_still, append=False) & is_still)
    run_starts = np.flatnonzero(np.diff(is_still, prepend=False) & is_still)
    is_long = np.zeros(len(bars.dates), dtype=np.bool_)
    for first, last in zip(run_starts, run_ends, strict=True):
        is_long[first : last + 1] = last - first + 1 >= STALE_SESSIONS
    return bars.dates[is_long]


def missed_dividends(bars: Bars, _: pd.DatetimeIndex) -> Dates:
    """The last payment before each gap that is long by the payer's own rhythm, the one up to the last row included."""
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


def _any(flags: Flags) -> Flags:
    """Where any of the prices of a row is at fault; (prices, rows) -> (rows,)."""
    return np.asarray(flags.any(axis=0), dtype=np.bool_)


def _log_distance(later: Floats, earlier: Floats) -> Floats:
    """|log(later / earlier)|; NaN, so never too large, where a price is missing or not positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.abs(np.log(later / earlier)), dtype=np.float64)
