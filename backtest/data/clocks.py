"""When an observation could first be known: the rules, the ids whose publication is known here, and what fits a file.

Where it stands: CLOCKS -> macro -> assemble -> market.

    same_close          15:00 on the day itself: settlements of futures, quotes of a market
    evening             18:00 on the day itself: the Treasury's yields, so that one is used at the next session's close
    next_business_day   09:00 on the Federal Reserve's next working day: the effective federal funds rate
    after_period        so many business days after the week, month, quarter or year that the date names, at 09:00
    target              the target that FRED dates by its announcement until 2016 (14:15), and since 2017 by the day it
                        takes effect, which is the day after it (so 14:00 of the calendar day before); what is dated
                        before February 1994, when nothing was announced, follows next_business_day
    column              the file has a column `known_at`: a moment with its zone, or New York time; a day alone is after
                        the close. Rows of one date with several of them are revisions
    vintages            the same from the archive of FRED: every value when it was first there

Hours are New York time. On a half day what is known at 15:00 is used at the next session's close, which is late, never
early. `known_series.csv` has the ids: how many business days after its period the latest usual release came.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import DataError
from backtest.series import Days

Period = Literal["day", "week", "week_ending", "month", "quarter", "year", "target"]
"""What one date of a file stands for; a week is dated by its first day or, `week_ending`, by its last."""

MONTHS = {"month": 1, "quarter": 3, "year": 12}
EACH = {"day": "daily", "week": "weekly", "week_ending": "weekly", "month": "monthly", "quarter": "quarterly",
        "year": "yearly", "target": "daily"}  # fmt: skip
LENGTH_DAYS = {"day": 1, "week": 7, "week_ending": 7, "month": 31, "quarter": 92, "year": 366, "target": 1}

DAILY = ("day", "target")

LONGEST_DAILY_GAP = np.timedelta64(7, "D")
"""Between two rows of a daily file, those without a value included; the longest closure since 1933 took so long."""

MORNING = np.timedelta64(9 * 60, "m")
ANNOUNCED_UNTIL_2016, ANNOUNCED_SINCE_2017 = np.timedelta64(14 * 60 + 15, "m"), np.timedelta64(14 * 60, "m")
FIRST_ANNOUNCED = np.datetime64("1994-02-04")
FIRST_EFFECTIVE = np.datetime64("2017-01-01")
"""From here on FRED's target series name the day a change takes effect."""

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Clock:
    """A rule: so many business days after the period has ended, at `minutes` after midnight in New York."""

    period: Period
    lag_business_days: int = 0
    minutes: int = 9 * 60

    @property
    def words(self) -> str:
        """`monthly, known 1 business day after its month at 16:15`."""
        if self.period == "target":
            return "daily, known when it was announced"
        hour = f"{self.minutes // 60:02d}:{self.minutes % 60:02d}"
        unit = self.period.removesuffix("_ending")
        days = f"{self.lag_business_days} business day{'' if self.lag_business_days == 1 else 's'} after "
        return f"{EACH[self.period]}, known {days if self.lag_business_days else 'on '}its {unit} at {hour}"

    @property
    def holds_days(self) -> int:
        """Calendar days from its date for which a value stands unless the config says otherwise: until the next one."""
        if self.period in DAILY:
            return 7 + max(self.lag_business_days - 1, 0) * 7 // 5
        return 2 * LENGTH_DAYS[self.period] + self.lag_business_days * 3 // 2 + 7


Rule = str | tuple[str, int] | tuple[str, int, int]
"""A rule by its name, or (period, lag in business days[, minutes after midnight]); without an hour it is 09:00."""


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """A series of FRED whose publication is known here; bounds in its own unit, `published`: by whom, when."""

    clock: Clock
    lowest: float
    highest: float
    largest_step: float
    decimals: int | None
    beside_policy: str
    is_revised: bool
    published: str


RULES = {"same_close": Clock("day", 0, 15 * 60), "evening": Clock("day", 0, 18 * 60),
         "next_business_day": Clock("day", 1, 9 * 60), "target": Clock("target")}  # fmt: skip
OWN_CLOCKS = ("column", "vintages")


@lru_cache(maxsize=1)
def known_series() -> dict[str, KnownSeries]:
    """The shipped table by id."""
    with files("backtest.data").joinpath("known_series.csv").open(encoding="utf-8") as file:
        return {row["id"]: _known(row) for row in csv.DictReader(file)}


def _known(row: dict[str, str]) -> KnownSeries:
    hour, _, minute = row["time_et"].partition(":")
    clock = Clock(row["period"], int(row["lag_business_days"]), int(hour or 9) * 60 + int(minute or 0))  # type: ignore[arg-type]
    low, high, step = (float(row[name]) for name in ("lowest", "highest", "largest_step"))
    decimals = int(row["decimals"]) if row["decimals"] else None
    return KnownSeries(
        clock, low, high, step, decimals, row["beside_policy"], row["revised"] == "yes", row["published"]
    )


def clock_of(name: str, asked: Rule | None, where: str) -> Clock | None:
    """The clock of a series: the config's rule, or that of the id's publication; None where the file has its own.

    asked: a rule, or None. DataError when none is known, or when the one asked for is earlier than the publication of
    a known id.
    """
    known = known_series().get(name)
    key = f"data.macro.series.{name}.known"
    if asked in OWN_CLOCKS:
        return None
    if asked is None:
        if known is None:
            raise DataError(f"{where}: when its values are published is not known; give {key}: for one value a month "
                            "{after_period: month, lag_business_days: 5}, for a rate of the day next_business_day, for "
                            "a file with moments of its own column")  # fmt: skip
        return known.clock
    clock = RULES[asked] if isinstance(asked, str) else Clock(*asked)
    if known is None:
        return clock
    if clock.period == known.clock.period != "target" and clock.lag_business_days < known.clock.lag_business_days:
        raise DataError(f"{key}: found {clock.lag_business_days} business days, but {name} is known no sooner than "
                        f"{known.clock.lag_business_days} after its {clock.period} ({known.published}); leave known "
                        "out, or give the moments in a column known_at")  # fmt: skip
    if clock.period == known.clock.period and clock.lag_business_days == known.clock.lag_business_days:
        return Clock(clock.period, clock.lag_business_days, max(clock.minutes, known.clock.minutes))
    return clock


def known_at(days: npt.ArrayLike, rule: Clock | str) -> Days:
    """The moment, datetime64[m] in New York time, at which what is dated `days` was first public."""
    clock = RULES[rule] if isinstance(rule, str) else rule
    dated: Days = np.asarray(days).astype("datetime64[D]")
    if clock.period == "target":
        announced = np.where(dated < FIRST_EFFECTIVE, dated + ANNOUNCED_UNTIL_2016, dated - DAY + ANNOUNCED_SINCE_2017)
        return np.where(dated < FIRST_ANNOUNCED, business_day(dated, 1) + MORNING, announced)
    hour = np.timedelta64(clock.minutes, "m")
    ended = period_end(dated, clock.period)
    if clock.period == "day" and not clock.lag_business_days:
        return ended + hour
    return business_day(ended, clock.lag_business_days) + hour


def period_end(days: npt.ArrayLike, period: str) -> Days:
    """The last day of the period that each date names."""
    dated: Days = np.asarray(days).astype("datetime64[D]")
    if period == "week":
        return dated + 6 * DAY
    if period not in MONTHS:
        return dated
    months = dated.astype("datetime64[M]").astype(np.int64)
    length = MONTHS[period]
    return np.asarray((months // length * length + length).astype("datetime64[M]").astype("datetime64[D]") - DAY)


def business_day(days: Days, count: int) -> Days:
    """The Federal Reserve's count-th working day after each day; 0: the day itself, or the next one that is."""
    if not len(days):
        return days
    roll: Any = "backward" if count else "forward"
    return np.asarray(np.busday_offset(days, count, roll=roll, holidays=_holidays(days, count)))


def _holidays(days: Days, count: int) -> Any:
    last = int(days.max().astype("datetime64[Y]").astype(np.int64)) + 1970 + 1 + count // 250
    return _federal_holidays(int(days.min().astype("datetime64[Y]").astype(np.int64)) + 1970 - 1, last)


@lru_cache(maxsize=16)
def _federal_holidays(first: int, last: int) -> Any:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    found = USFederalHolidayCalendar().holidays(pd.Timestamp(first, 1, 1), pd.Timestamp(last, 12, 31))
    return found.to_numpy().astype("datetime64[D]")


def frequency(days: Days) -> Period | None:
    """What the dates of a file name, by the gaps between them; None where they are too few or keep no rhythm.

    A month or quarter is only taken for one when it is dated by its first or last days; a week dated by a Sunday or
    Monday may be dated by its beginning.
    """
    dated = np.unique(np.asarray(days).astype("datetime64[D]"))
    if len(dated) < 3:
        return None
    gaps = np.diff(dated).astype(np.int64)
    usual = float(np.median(gaps))
    if usual <= 4:
        return "day"
    if 6 <= usual <= 8:
        weekday = (dated.astype(np.int64) + 3) % 7
        return "week" if np.mean((weekday == 6) | (weekday == 0)) > 0.5 else "week_ending"
    of_month = (dated - dated.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    if np.mean(of_month < 3) < 0.9 and np.mean(of_month > 24) < 0.9:
        return None
    rhythms: tuple[tuple[Period, int, int], ...] = (("month", 26, 35), ("quarter", 85, 95), ("year", 355, 375))
    return next((name for name, low, high in rhythms if low <= usual <= high), None)


def check_fits(days: Days, clock: Clock, name: str, where: str) -> None:
    """Raise DataError, which names the right rule, unless the clock fits dates like these.

    days: of all rows, those without a value included.
    """
    found = frequency(days)
    dated = np.unique(np.asarray(days).astype("datetime64[D]"))
    gaps = np.diff(dated)
    is_daily = clock.period in DAILY
    if (is_daily and len(gaps) and gaps.max() > LONGEST_DAILY_GAP) or (is_daily and found in ("week", "week_ending")):
        place = int(np.argmax(gaps))
        lacks = f"no row between {dated[place]} and {dated[place + 1]}"
        if found in (None, "day"):
            known = known_series().get(name)
            remedy = "the daily file" if known is not None else "the rows that lack, or column and a column known_at"
            raise DataError(f"{where}: lacks days ({lacks}), and a daily rule is no rule for them; expected {remedy}")
        says = f"has one value a {_unit(found)} ({lacks}), and a daily rule would use it before its {_unit(found)} ends"
    elif is_daily or found is None or found == clock.period or {found, clock.period} == {"week", "week_ending"}:
        return
    else:
        says = f"has one value a {_unit(found)}, not one a {_unit(clock.period)}"
    raise DataError(f"{where}: {says}; expected {_rule_for(found, name)}")


def _rule_for(found: str | None, name: str) -> str:
    """What to write for a series of this frequency."""
    known = known_series().get(name)
    key = f"data.macro.series.{name}.known"
    if known is not None and known.clock.period == found:
        rule = f"{{after_period: {found}, lag_business_days: {known.clock.lag_business_days}}}"
        return f"{key}: {rule}, which is its own when nothing is given ({known.published})"
    if known is not None:
        return f"the {EACH[known.clock.period]} file of {name}, or another name and its own rule"
    rule = f"{{after_period: {found}, lag_business_days: {5 if found in MONTHS else 1}}}"
    return f"{key}: {'next_business_day' if found == 'day' else rule} (as it is published)"


def lacking(days: Days, clock: Clock, sessions: Days) -> Days:
    """Days or first days of periods for which a series has no row between its first and its last.

    sessions: the exchange's; a daily series is expected on those that are no federal holiday, and real ones keep that.
    """
    if not len(days):
        return days
    if clock.period in MONTHS:
        length = MONTHS[clock.period]
        number = days.astype("datetime64[M]").astype(np.int64) // length
        missing = np.setdiff1d(np.arange(number[0], number[-1] + 1), number)
        return np.asarray((missing * length).astype("datetime64[M]").astype("datetime64[D]"))
    if clock.period != "day":
        return days[:0]
    expected = sessions[(sessions >= days[0]) & (sessions <= days[-1])]
    return np.setdiff1d(np.setdiff1d(expected, _holidays(days, 0)), days)


def _unit(period: str | None) -> str:
    return str(period).removesuffix("_ending")


MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d(?:\.\d{1,9})?)?(?: ?(Z|[+-]\d\d:?\d\d))?)?", re.ASCII)


def moment(cell: str) -> np.datetime64 | None:
    """A day or a moment in ISO form as New York time, datetime64[m]; None when it is neither.

    A day alone, and midnight, which is how programs write a day, is after the close. Without a zone it is New York.
    """
    match = MOMENT.fullmatch(cell.strip())
    if match is None:
        return None
    day, hour, zone = match.groups()
    try:
        if hour in (None, "00:00"):
            return np.datetime64(f"{day}T18:00", "m")
        if zone is None:
            return np.datetime64(f"{day}T{hour}", "m")
        there = pd.Timestamp(f"{day}T{hour}{zone}").tz_convert("America/New_York")
        return np.datetime64(f"{there:%Y-%m-%dT%H:%M}", "m")
    except ValueError:
        return None
