"""The T-bill rate: what idle cash earns and what a Sharpe ratio is measured against.

Rates are step series: a published value holds until the next one, for up to 7 calendar days. On a session without a
value of its own the last one is carried, counted, and reported. (Prices are never carried.)
All published rates here are 13-week bank discount rates in percent; they leave as fractions.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.config.fields import AnnualRate
from backtest.data.checks import listed
from backtest.data.clocks import DAILY, check_fits, known_series
from backtest.data.days import DATE
from backtest.data.layouts import Stated, oldest_first, read_layout, strict_layout, text_of
from backtest.data.macro_checks import check_rate
from backtest.data.sources import DataSource, Fetched, values_sha256
from backtest.errors import DataError
from backtest.market import Source
from backtest.units import BEY_DAYS, BILL_DAYS, DISCOUNT_DAYS

HOLDS_DAYS = 7
"""Calendar days for which a published value stands; the longest closure since 1933, of September 2001, took seven."""

PERCENT = 100.0


class Published(NamedTuple):
    """A published rate. is_known_next_session: it comes out after the close of the day it is dated."""

    rate_id: str
    name: str
    is_known_next_session: bool

    @property
    def clock(self) -> str:
        """When a day's rate is known, in words."""
        return f"daily, known at the close of the {'next session' if self.is_known_next_session else 'day itself'}"


PUBLISHED = {
    "irx": Published("IRX", "13-week T-bill discount rate (^IRX)", is_known_next_session=False),
    # The Federal Reserve's H.15 release gives a day's rate on the business day after it.
    "fred": Published("DTB3", "13-week T-bill discount rate (FRED DTB3)", is_known_next_session=True),
}


class TBill(NamedTuple):
    """values: discount rate as a fraction, known at the close of each session; name: for the report."""

    values: pd.Series
    source: Source
    name: str
    notes: tuple[str, ...] = ()


def read_rate_rows(data: bytes, where: str, rate_id: str) -> pd.DataFrame:
    """Every row of a rate's file by ascending day, column `value`: NaN where it has none (blank, or FRED's `.`).

    The value stands under `value`, `close` or the rate's own name, the day under `date` or `observation_date`.
    """
    text = text_of(data, where)
    headers = {"date": DATE, "observation_date": DATE, "value": "value", "close": "value", rate_id.lower(): "value"}
    layout = strict_layout(text, where, "a rate", headers, ("", "."))
    return oldest_first(read_layout(text, where, layout, Stated()))[0]


def read_rate(data: bytes, where: str, rate_id: str) -> pd.DataFrame:
    """A rate in percent by its day, without the days that have none; DataError when a daily rate is not daily."""
    table = read_rate_rows(data, where, rate_id)
    known = known_series().get(rate_id)
    if known is not None and known.clock.period in DAILY:
        check_fits(table.index.to_numpy().astype("datetime64[D]"), known.clock, rate_id, where)
    return table.dropna()


def tbill_series(asked: str | AnnualRate, source: DataSource, sessions: pd.DatetimeIndex, *, start: date) -> TBill:
    """The rate that `data.tbill` asks for (irx, fred, french, or one for ever), on the market's sessions.

    Before `start` a value may be missing (NaN). From the first session at or after it, DataError when there is none
    that was published within 7 days.
    """
    if not isinstance(asked, str):
        return constant_rate(asked.annual, sessions)
    if asked == "french":
        return bills_of_months(source.rate("RF"), sessions, start=start)
    published = PUBLISHED[asked]
    fetched = source.rate(published.rate_id)
    notes = check_rate(published.rate_id, fetched.values["value"], fetched.location)
    percent = fetched.values["value"][: sessions[-1]]  # what came out later must not change what is told of the run
    values, of_day = step_series(percent, sessions, is_known_next_session=published.is_known_next_session)
    used = sessions >= pd.Timestamp(start)
    bare = sessions[used & np.isnan(values)]
    if len(bare):
        raise DataError(f"{fetched.location}: no T-bill rate within {HOLDS_DAYS} days of {listed(bare)}; "
                        "bring the file up to date, or set data.tbill to {annual: ...}")  # fmt: skip
    carried = int((used & _is_carried(sessions, of_day, is_known_next_session=published.is_known_next_session)).sum())
    name = f"simulated {published.name}" if source.is_simulated else published.name
    rate = pd.Series(values / PERCENT, index=sessions, name="tbill")
    about = fetched.source(published.rate_id, percent.to_frame(), carried_sessions=carried, clock=published.clock)
    return TBill(rate, about, name, notes)


def constant_rate(annual: float, sessions: pd.DatetimeIndex) -> TBill:
    """The discount rate whose bond-equivalent yield is `annual`, so that cash accrues annual * days / 365.

    BEY = 365 d / (360 - 91 d), solved for d = 360 y / (365 + 91 y).
    """
    discount = DISCOUNT_DAYS * annual / (BEY_DAYS + BILL_DAYS * annual)
    first, last = (f"{sessions[place]:%Y-%m-%d}" for place in (0, -1))
    digest = hashlib.sha256(repr(float(annual)).encode()).hexdigest()
    source = Source("T-bill rate", "data.tbill", rows=1, first=first, last=last, sha256=digest)
    values = pd.Series(discount, index=sessions, name="tbill")
    return TBill(values, source, f"a constant {annual * PERCENT:.4g}% a year")


def bills_of_months(fetched: Fetched, sessions: pd.DatetimeIndex, *, start: date) -> TBill:
    """The discount rate at each month's close under which cash earns RF, the return of a one-month bill, in the next.

    A bill bought at a month's close is due a month later: what the next month's RF says was known when it was bought.
    The last month's is that of the month itself, since the next one's is not out yet; nothing earns it.
    """
    percent = fetched.values["value"]
    by_month = percent.set_axis(pd.DatetimeIndex(percent.index).to_period("M"))
    months = sessions.to_period("M")
    following = by_month.reindex(pd.PeriodIndex([*months[1:], months[-1]])).to_numpy(dtype=np.float64) / PERCENT
    bare = sessions[np.isnan(following) & (sessions >= pd.Timestamp(start))]
    if len(bare):
        raise DataError(f"{fetched.location}: no RF for the month after {listed(bare)}; set data.end, or data.tbill to "
                        "{annual: ...}")  # fmt: skip
    days = np.append(np.diff(sessions.to_numpy().astype("datetime64[D]")).astype(np.float64), DAYS_OF_A_MONTH)
    annual = following * BEY_DAYS / days
    values = DISCOUNT_DAYS * annual / (BEY_DAYS + BILL_DAYS * annual)
    used = percent[: sessions[-1] + pd.offsets.MonthEnd(0)]
    first, last = (f"{used.index[place]:%Y-%m}" for place in (0, -1))
    about = "by month, known at the close of the month before"
    digest = values_sha256(used.to_frame())
    source = Source("RF", fetched.location, len(used), first, last, digest, 0, fetched.sha256, about)
    return TBill(pd.Series(values, index=sessions, name="tbill"), source, "one-month T-bill (Ken French's RF)")


DAYS_OF_A_MONTH = 30.0


def step_series(
    published: pd.Series, sessions: pd.DatetimeIndex, *, is_known_next_session: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.datetime64]]:
    """The last published value known at each session's close, and the day it is dated; NaN and NaT where there is none.

    published: by ascending tz-naive day, without NaN. A value is known at the close of its own day, or not before the
    first session after it. It holds for 7 calendar days from its date.
    """
    days = published.index.to_numpy().astype("datetime64[D]")
    closes = sessions.to_numpy().astype("datetime64[D]")
    last = np.searchsorted(days, closes, side="left" if is_known_next_session else "right") - 1
    values = published.to_numpy(dtype=np.float64)[last]
    of_day = days[last]
    is_bare = (last < 0) | (closes - of_day > np.timedelta64(HOLDS_DAYS, "D"))
    values[is_bare], of_day[is_bare] = np.nan, np.datetime64("NaT")
    return values, of_day


def _is_carried(
    sessions: pd.DatetimeIndex, of_day: npt.NDArray[np.datetime64], *, is_known_next_session: bool
) -> npt.NDArray[np.bool_]:
    """True where the value is older than the newest there could have been."""
    newest = sessions.to_numpy().astype("datetime64[D]")
    if is_known_next_session:
        newest = np.concatenate([of_day[:1], newest[:-1]])
    return np.asarray(of_day < newest, dtype=np.bool_)
