"""What the dates of a curve say: how many years, and which months and years are complete.

Computed once for all curves that stand on the same sessions; the formulas see row numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats, Market, overnight_interest
from backtest.units import DAYS_PER_YEAR, MONTHS_PER_YEAR, SESSIONS_PER_YEAR

Days = npt.NDArray[np.datetime64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Complete periods as pairs of rows: the close before each period, and its own last close."""

    before: Rows
    last: Rows

    def __len__(self) -> int:
        return len(self.last)

    def growth(self, equity: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Factor by which each curve grew in each period: (curves, sessions) -> (curves, periods)."""
        # np.take keeps rows contiguous; equity[:, rows] does not, and sums would depend on the layout.
        return np.take(equity, self.last, axis=1) / np.take(equity, self.before, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The dates of a curve, base row first, reduced to what metrics need.

    sessions: rows of the curve, the base row included.
    years: calendar days between the base row and the last / 365.25.
    is_one_year: the last row stands on or after the base date's anniversary.
    months, calendar_years: the complete ones.
    periods_per_year: returns in a year, by convention; annualises means and deviations.
    """

    sessions: int
    years: float
    is_one_year: bool
    months: Spans
    calendar_years: Spans
    periods_per_year: int


def calendar_of(
    sessions: npt.ArrayLike,
    *,
    periods_per_year: int = SESSIONS_PER_YEAR,
    exchange_sessions: npt.ArrayLike | None = None,
) -> Calendar:
    """Calendar of the sessions of a curve (DatetimeIndex or datetime64, tz-naive, increasing), base row first.

    A month is complete when the last sessions of the month before and of the month itself are both rows; a year
    likewise. The base row may be that session before. Which sessions are last is read from `exchange_sessions`, which
    must cover the curve and best reach a month further. Without it, a month's last row is its last session when a later
    month follows; the final row, only when no weekday of its month is left.

    Raises ValueError for no sessions, sessions out of order, or an exchange calendar that does not cover them.
    """
    days = _days(sessions, "sessions")
    if exchange_sessions is None:
        closes = _month_closes(days)
    else:
        exchange = _days(exchange_sessions, "exchange_sessions")
        if exchange[0] > days[0] or exchange[-1] < days[-1]:
            raise ValueError(
                f"exchange_sessions cover {exchange[0]} to {exchange[-1]}, the curve {days[0]} to {days[-1]}"
            )
        closes = np.flatnonzero(np.isin(days, exchange[_month_closes(exchange)]))
    month = days[closes].astype("datetime64[M]").astype(np.intp)
    is_december = month % MONTHS_PER_YEAR == MONTHS_PER_YEAR - 1
    return Calendar(
        sessions=len(days),
        years=float((days[-1] - days[0]).astype(np.intp) / DAYS_PER_YEAR),
        is_one_year=bool(days[-1] >= _anniversary(days[:1])[0]),
        months=_spans(closes, month),
        calendar_years=_spans(closes[is_december], month[is_december] // MONTHS_PER_YEAR),
        periods_per_year=periods_per_year,
    )


def calendar_and_tbill(market: Market, sessions: pd.DatetimeIndex) -> tuple[Calendar, Floats]:
    """What curves on the last `sessions` of a market are measured with: calendar, and T-bill return per session."""
    calendar = calendar_of(
        sessions, periods_per_year=market.periods_per_year, exchange_sessions=market.exchange_sessions
    )
    return calendar, overnight_interest(market)[len(market.sessions) - len(sessions) :]


def _days(dates: npt.ArrayLike, name: str) -> Days:
    days = np.asarray(dates).astype("datetime64[D]")
    if days.ndim != 1 or not len(days):
        raise ValueError(f"{name} must be a row of at least one date, got shape {days.shape}")
    if not np.all(days[1:] > days[:-1]):
        raise ValueError(f"{name} must increase")
    return days


def _month_closes(days: Days) -> Rows:
    """Rows that end their month, as far as the dates themselves can tell."""
    month = days.astype("datetime64[M]")
    closes = np.flatnonzero(month[1:] != month[:-1])
    weekdays_left = np.busday_count(days[-1:] + 1, (month[-1:] + 1).astype("datetime64[D]"))
    return closes if weekdays_left[0] else np.append(closes, len(days) - 1)


def _anniversary(days: Days) -> Days:
    """The same day a year later; 28 February for the 29th."""
    month = days.astype("datetime64[M]")
    same_day = (month + MONTHS_PER_YEAR).astype("datetime64[D]") + (days - month.astype("datetime64[D]"))
    month_end = (month + MONTHS_PER_YEAR + 1).astype("datetime64[D]") - 1
    return np.where(same_day < month_end, same_day, month_end)


def _spans(closes: Rows, period: Rows) -> Spans:
    """Pairs of closes of neighbouring periods; a period that is missing breaks the chain."""
    is_next = np.diff(period) == 1
    return Spans(before=closes[:-1][is_next], last=closes[1:][is_next])
