"""The ways in which files write a day, each read as what it is: ISO, by day or month first, in words, as seconds."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.series import Days

Order = Literal["day_first", "month_first"]

DATE = "date"
"""The name every table's column of days gets."""

FIRST_DAY, LAST_DAY = np.datetime64("1850-01-01"), np.datetime64("2199-12-31")
"""A date beyond these is a typing error, and past 2262 would silently become another one in nanoseconds."""

ZONED = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)", re.ASCII)
WRITTEN = ("%b %d, %Y", "%d-%b-%Y", "%d %b %Y", "%B %d, %Y", "%d %B %Y", "%d-%b-%y")


def days_in(cells: pd.Series, stated: Order | None = None) -> pd.DatetimeIndex:
    """The days of a column of dates, tz-naive, in New York; ValueError with what is wrong.

    stated: the order of day and month, where the dates do not tell it. Midnight in any zone is the day that is written;
    any other moment is the day that it is in New York.
    """
    text = cells.astype(str).str.strip().to_numpy(dtype=str) if cells.dtype != object else np.char.strip(
        cells.to_numpy(dtype=str))  # fmt: skip
    if not len(text):
        return pd.DatetimeIndex([], name=DATE)
    text = _without_hour(text)
    first = str(text[0])
    if re.match(r"\d{4}-\d\d-\d\d", first):
        days = _iso_days(text)
    elif re.fullmatch(r"\d{8}", first):
        days = _parsed(text, "%Y%m%d")
    elif re.fullmatch(r"\d{9,13}(\.0)?", first):
        days = _epoch_days(text)
    elif re.fullmatch(r"\d{4}/\d\d?/\d\d?", first):
        days = _parsed(text, "%Y/%m/%d")
    elif re.fullmatch(r"\d\d?[./-]\d\d?[./-]\d{4}", first):
        days = _parsed(text, _order(text, stated))
    else:
        found = [tried for form in WRITTEN if (tried := _tried(text, form)) is not None]
        if not found:
            raise ValueError(f"found {first[:40]!r}, expected a day such as 2024-07-16")
        days = found[0]
    if not ((days >= FIRST_DAY) & (days <= LAST_DAY)).all():
        raise ValueError("a date is before 1850 or after 2199")
    return pd.DatetimeIndex(days.astype("datetime64[ns]"), name=DATE)


HOUR = re.compile(r"(\d{1,4}[./]\d\d?[./]\d{1,4}) \d\d?:\d\d(?::\d\d)?(?: ?[AP]M)?", re.ASCII)


def _without_hour(text: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Dates such as 7/16/2024 16:00:00, of Google's sheets, without their hour, which is the exchange's own."""
    if HOUR.fullmatch(str(text[0])) is None:
        return text
    found = [HOUR.fullmatch(cell) for cell in text.tolist()]
    return np.array([match[1] if match else cell for match, cell in zip(found, text.tolist(), strict=True)])


def _order(text: npt.NDArray[np.str_], stated: Order | None) -> str:
    sign = next(char for char in str(text[0]) if char in "./-")
    parts: list[list[str]] = [cell.split(sign) for cell in np.unique(_without_year(text)).tolist()]
    if any(len(part) < 2 for part in parts):
        raise ValueError("the dates are written in more than one way")
    firsts, seconds = (max((int(part[at]) for part in parts if part[at].isdigit()), default=0) for at in (0, 1))
    if firsts > 12 and seconds > 12:
        raise ValueError("some dates have the day first and some the month")
    is_day_first = firsts > 12 or (seconds <= 12 and (sign == "." or stated == "day_first"))
    if firsts <= 12 and seconds <= 12 and sign != "." and stated is None:
        raise ValueError(f"found {text[0]!r}, and no day above 12 that tells which is the month; say "
                         "data.prices.dates: day_first or month_first")  # fmt: skip
    return f"%d{sign}%m{sign}%Y" if is_day_first else f"%m{sign}%d{sign}%Y"


def _without_year(text: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Day and month of each date: there are few different ones."""
    if text.dtype.itemsize == 40 and bool((text.astype("U10").view("U1").reshape(len(text), 10) != "").all()):
        return text.astype("U5")
    return np.array([cell[:-5] for cell in text.tolist()])


def _parsed(text: npt.NDArray[np.str_], form: str) -> Days:
    chars = np.ascontiguousarray(text).view("U1").reshape(len(text), -1)
    if form[:2] in ("%d", "%m") and chars.shape[1] == 10 and (chars[:, [2, 5]] == form[2]).all():
        # As ISO text, by its digits: pandas takes ten times as long.
        dashes = np.full((len(text), 1), "-")
        first, second = (chars[:, 3:5], chars[:, 0:2]) if form[:2] == "%d" else (chars[:, 0:2], chars[:, 3:5])
        iso = np.concatenate([chars[:, 6:10], dashes, first, dashes, second], axis=1).view("U10").ravel()
        with suppress(ValueError):
            return iso.astype("datetime64[D]")
    return np.asarray(pd.to_datetime(pd.Series(text), format=form).to_numpy().astype("datetime64[D]"))


def _tried(text: npt.NDArray[np.str_], form: str) -> Days | None:
    try:
        return _parsed(text, form)
    except ValueError:
        return None


def _iso_days(text: npt.NDArray[np.str_]) -> Days:
    days: Days = text.astype("U10").astype("datetime64[D]")
    if not (np.datetime_as_string(days) == text.astype("U10")).all():
        raise ValueError("a date is not written as YYYY-MM-DD")
    if text.dtype.itemsize // 4 <= 10:
        return days
    width = text.dtype.itemsize // 4
    rest = np.ascontiguousarray(text.view("U1").reshape(len(text), width)[:, 10:]).view(f"U{width - 10}").ravel()
    for cell in sorted(set(rest.tolist())):
        zoned = ZONED.fullmatch(f"2024-07-16{cell}")
        if zoned is None and not re.fullmatch(r"([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?", cell):
            raise ValueError(f"found {cell[:30]!r} behind a date, expected a time of day")
        if zoned is not None and zoned[2] != "00:00":
            which = rest == cell
            there = pd.DatetimeIndex([pd.Timestamp(one) for one in text[which].tolist()]).tz_convert("America/New_York")
            days[which] = there.tz_localize(None).to_numpy().astype("datetime64[D]")
    return days


def _epoch_days(text: npt.NDArray[np.str_]) -> Days:
    numbers = text.astype(np.float64).astype(np.int64)
    seconds = numbers // 1000 if numbers.max() > 10**11 else numbers
    is_midnight = seconds % 86400 == 0
    moments = seconds.astype("datetime64[s]")
    there = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert("America/New_York").tz_localize(None)
    return np.where(is_midnight, moments.astype("datetime64[D]"), there.to_numpy().astype("datetime64[D]"))
