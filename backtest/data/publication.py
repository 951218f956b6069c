"""When an observation could first be known: rules of publication, for tables that carry a date alone.

Where it stands: PUBLICATION -> macro -> assemble -> market.

    same_close          15:00 on the day itself: settlements of futures, quotes of a market
    evening             18:00 on the day itself: the Treasury's yields, which the H.15 release repeats a day later; so a
                        yield is used at the next session's close
    next_business_day   09:00 on the Federal Reserve's next working day: the effective federal funds rate
    target              the target that FRED dates by its announcement until 2016 (14:15), and since 2017 by the day it
                        takes effect, which is the day after it (so 14:00 of the calendar day before); what is dated
                        before February 1994, when nothing was announced, follows next_business_day

Hours are New York time. On a half day what is known at 15:00 is used at the next session's close, which is late, never
early.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.series import Days

Rule = Literal["same_close", "evening", "next_business_day", "target"]
RULES: tuple[Rule, ...] = get_args(Rule)

SETTLEMENT, EVENING, MORNING = (np.timedelta64(hour, "h") for hour in (15, 18, 9))
ANNOUNCED_UNTIL_2016, ANNOUNCED_SINCE_2017 = np.timedelta64(14 * 60 + 15, "m"), np.timedelta64(14 * 60, "m")

FIRST_ANNOUNCED = np.datetime64("1994-02-04")
FIRST_EFFECTIVE = np.datetime64("2017-01-01")
"""From here on FRED's target series name the day a change takes effect."""


def known_at(days: npt.ArrayLike, rule: Rule) -> Days:
    """The moment, datetime64[m] in New York time, at which what is dated `days` was first public."""
    dated: Days = np.asarray(days).astype("datetime64[D]")
    if rule == "same_close":
        return dated + SETTLEMENT
    if rule == "evening":
        return dated + EVENING
    working = next_working_day(dated) + MORNING
    if rule == "next_business_day":
        return working
    announced = np.where(
        dated < FIRST_EFFECTIVE, dated + ANNOUNCED_UNTIL_2016, dated - np.timedelta64(1, "D") + ANNOUNCED_SINCE_2017
    )
    return np.where(dated < FIRST_ANNOUNCED, working, announced)


def next_working_day(days: Days) -> Days:
    """The Federal Reserve's first working day after each day: no weekend and no federal holiday."""
    if not len(days):
        return days
    return np.asarray(np.busday_offset(days + np.timedelta64(1, "D"), 0, roll="forward", holidays=_holidays(days)))


def _holidays(days: Days) -> Any:
    """Federal holidays of the years around `days`, datetime64[D]."""
    from pandas.tseries.holiday import USFederalHolidayCalendar

    first, last = pd.Timestamp(days.min()), pd.Timestamp(days.max()) + pd.Timedelta(days=14)
    return USFederalHolidayCalendar().holidays(first, last).to_numpy().astype("datetime64[D]")
