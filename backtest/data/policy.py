"""Policy decisions: what the Federal Reserve decided about its rate, when it said so, and which close may use it.

Reads:  `policy_decisions.csv` beside this module, or a user's file in the same layout.
Gives:  a frame of decisions, and the first session whose close comes after each announcement.

The shipped table was compiled by hand from the Fed's public record (meeting calendars and policy statements): every
decision since the first that was ever announced, 1994-02-04, holds included, to 2026-09-16. The decision of 2026-10-28
could not be established when the table was compiled (2026-11-23); it and later ones come from a user's file. The date
is that of the *announcement*; FRED's target series names the day a change took effect, since 2017 one day later.
Statements without a decision on the target (the discount rate in August 2007, purchases in March 2020) are not in it.

How exact the hours are: what matters here is on which side of the market's close they fall, and that is in no doubt.
The minute is known, give or take a few, from the time stamps of event studies and news wires for the meetings of 1994,
the moves between meetings and 1996-03-26. Else it is the hour that was usual, from which the release was off by
minutes: 14:15 from 1995 to January 2013 (12:30 on the eight days of 2011 and 2012 with a press conference), 14:00
since March 2013. Until May 1999 a hold was told by no statement, until February 2000 not always by one: only by the
word that the meeting had ended.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date as day_type
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import ConfigError, DataError

COLUMNS = ("date", "time_et", "scheduled", "lower", "upper", "change_bps")
"""The header of a table of decisions."""

REGULAR_CLOSE = pd.Timedelta(hours=16)
"""The New York Stock Exchange closes at 16:00 ET, but for a few half days."""

BPS_PER_POINT = 100
"""Basis points in a percentage point."""


class PolicyDecision(NamedTuple):
    """One row: the announcement in New York time, the new range in percent, the change of its upper bound."""

    announced_at: datetime
    scheduled: bool
    lower: float
    upper: float
    change_bps: int


def load_policy_decisions(path: Path | None = None) -> pd.DataFrame:
    """All decisions of a table, one row each, ascending, without NaN.

    path: a user's file in the layout of the shipped table (a line that starts with # is a comment); None: the shipped.
    Gives the columns announced_at (datetime64, New York time without a zone), date (its day), scheduled (bool), lower
    and upper (percent; equal until the target became a range) and change_bps (int64, of the upper bound; the first
    row's is taken as written, having nothing before it to check it by).
    Raises DataError, one line per problem: a file or value that cannot be read, days out of order or twice, and a
    change that does not lead from the range before to this one.
    """
    where, text = _read(path)
    decisions: list[PolicyDecision] = []
    problems: list[str] = []
    previous: PolicyDecision | None = None
    for line, cells in _rows(where, text):
        try:
            decision = _parse(cells)
        except ValueError as error:
            problems.append(f"{where}:{line}: {error}")
            previous = None
            continue
        if previous is not None and (problem := _step_problem(previous, decision)):
            problems.append(f"{where}:{line}: {problem}")
        decisions.append(decision)
        previous = decision
    if problems:
        raise DataError(*problems)
    return _frame(decisions)


def with_known_sessions(
    decisions: pd.DataFrame, exchange_sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None = None
) -> pd.DataFrame:
    """The decisions with a column `session`: the first whose close may use each; see `knowable_sessions`."""
    return decisions.assign(session=knowable_sessions(decisions, exchange_sessions, closes))


def knowable_sessions(
    decisions: pd.DataFrame, exchange_sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None = None
) -> npt.NDArray[np.datetime64]:
    """The first session whose close comes after each announcement; shape (decisions,), datetime64[ns].

    Announced before a session's close: that session. At the close or after it, on a weekend or holiday: the next.

    decisions: needs the column announced_at.
    exchange_sessions: the exchange's own days, ascending, without a zone. They should begin before the first decision
        that matters, even if prices do not: NaT is given for an announcement before the first day, whose session
        cannot be told, and for one after the last close.
    closes: the hour of each session's close, where half days count: with a zone, or New York time without. None:
        16:00 every day.
    """
    sessions = exchange_sessions.as_unit("ns")
    if not (sessions.is_unique and sessions.is_monotonic_increasing):
        raise ValueError("exchange_sessions must ascend, each day once")
    announced = pd.DatetimeIndex(decisions["announced_at"]).as_unit("ns")
    first = np.searchsorted(_close_times(sessions, closes), announced.to_numpy(), side="right")
    is_inside = (first < len(sessions)) & np.asarray(announced >= sessions.min())
    known = np.full(len(announced), np.datetime64("NaT", "ns"))
    known[is_inside] = sessions.to_numpy()[first[is_inside]]
    return known


def _close_times(sessions: pd.DatetimeIndex, closes: pd.DatetimeIndex | pd.Series | None) -> npt.NDArray[np.datetime64]:
    if closes is None:
        return (sessions + REGULAR_CLOSE).to_numpy()
    times = pd.DatetimeIndex(closes).as_unit("ns")
    if times.tz is not None:
        times = times.tz_convert("America/New_York").tz_localize(None)
    if not times.normalize().equals(sessions):
        raise ValueError("closes must hold one hour for each of exchange_sessions, on its day")
    return times.to_numpy()


def _read(path: Path | None) -> tuple[str, str]:
    """The table's name for messages, and its text."""
    if path is None:
        shipped = files(__package__).joinpath("policy_decisions.csv")
        return shipped.name, shipped.read_text(encoding="utf-8")
    try:
        return str(path), path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise DataError(f"{path}: {reason}; expected a table of policy decisions: {','.join(COLUMNS)}") from error


def _rows(where: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row below the header."""
    lines = [
        (number, [cell.strip() for cell in line.split(",")])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines or tuple(lines[0][1]) != COLUMNS:
        found = f"{where}:{lines[0][0]}: found {','.join(lines[0][1])[:80]!r}" if lines else f"{where}: found no header"
        raise DataError(f"{found}; expected {','.join(COLUMNS)}")
    if len(lines) == 1:
        raise DataError(f"{where}:{lines[0][0]}: no decisions below the header; expected one or more rows")
    yield from lines[1:]


def _parse(cells: list[str]) -> PolicyDecision:
    """One row; a ValueError says which cell is wrong."""
    if len(cells) != len(COLUMNS):
        raise ValueError(f"found {len(cells)} values, expected {len(COLUMNS)}: {','.join(COLUMNS)}")
    row = dict(zip(COLUMNS, cells, strict=True))
    if row["scheduled"].lower() not in ("true", "false"):
        raise ValueError(f"scheduled: found {row['scheduled']!r}, expected true or false")
    if not re.fullmatch(r"[+-]?\d{1,5}", row["change_bps"], re.ASCII):
        raise ValueError(f"change_bps: found {row['change_bps']!r}, expected a whole number of basis points")
    lower, upper = _percent("lower", row["lower"]), _percent("upper", row["upper"])
    if lower > upper:
        raise ValueError(f"lower: found {lower}, above upper {upper}; expected lower <= upper")
    return PolicyDecision(
        announced_at=_moment(row["date"], row["time_et"]),
        scheduled=row["scheduled"].lower() == "true",
        lower=lower,
        upper=upper,
        change_bps=int(row["change_bps"]),
    )


def _percent(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}: found {cell!r}, expected a rate in percent such as 5.25")
    return value


def _moment(date: str, time_et: str) -> datetime:
    day = _as_moment(r"\d{4}-\d\d-\d\d", date)
    if day is None:
        raise ValueError(f"date: found {date!r}, expected a day as YYYY-MM-DD")
    moment = _as_moment(r".{10}T\d\d:\d\d", f"{date}T{time_et}")
    if moment is None:
        raise ValueError(f"time_et: found {time_et!r}, expected an hour as HH:MM, New York time")
    return moment


def _as_moment(form: str, text: str) -> datetime | None:
    """A moment written in exactly this form; fromisoformat alone would take more, such as 20010103 or a zone."""
    if not re.fullmatch(form, text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _step_problem(previous: PolicyDecision, decision: PolicyDecision) -> str | None:
    """What is wrong between two rows that are each right; None when nothing is."""
    day, day_before = decision.announced_at.date(), previous.announced_at.date()
    if day == day_before:
        return f"date: {day} stands twice, expected one decision a day"
    if day < day_before:
        return f"date: found {day} below {day_before}, expected ascending days"
    step_bps = (decision.upper - previous.upper) * BPS_PER_POINT
    if not math.isclose(step_bps, decision.change_bps, abs_tol=1e-6):
        return (
            f"change_bps: found {decision.change_bps}, expected {step_bps:g}: upper goes from {previous.upper} "
            f"to {decision.upper}"
        )
    return None


def _frame(decisions: list[PolicyDecision]) -> pd.DataFrame:
    announced_at, scheduled, lower, upper, change_bps = zip(*decisions, strict=True)
    announced = pd.DatetimeIndex(announced_at).as_unit("ns")
    return pd.DataFrame(
        {
            "announced_at": announced,
            "date": announced.normalize(),
            "scheduled": np.array(scheduled, dtype=bool),
            "lower": np.array(lower, dtype=float),
            "upper": np.array(upper, dtype=float),
            "change_bps": np.array(change_bps, dtype=np.int64),
        }
    )


# Before 1994 the Federal Reserve announced what it did to its discount rate, and nothing about the federal funds rate.
Instrument = Literal["discount_rate", "funds_target"]
EARLY_COLUMNS = ("date", "instrument", "level", "change_bps", "known", "source")


def early_policy(instrument: Instrument) -> pd.DataFrame:
    """Changes of one rate from 1953 (the target: 1982) to 1993, ascending; the columns of the shipped table.

    date: the day it took effect. known: `announced` (the discount rate: by the Board, that day or the one before) or
    `reconstructed` (the target: from the Desk's records, years later; nobody could know it so exactly then).
    """
    shipped = files(__package__).joinpath("policy_before_1994.csv")
    with shipped.open(encoding="utf-8") as table:
        whole = pd.read_csv(table, comment="#", parse_dates=["date"])
    found = whole[whole["instrument"] == instrument].reset_index(drop=True)
    return found.assign(date=pd.DatetimeIndex(found["date"]).as_unit("ns"))


def policy_since_1953() -> pd.DataFrame:
    """What was announced: changes of the discount rate to 1993, then the decisions on the target, as one table.

    The levels before 1994 are those of the discount rate; at the seam both stood at 3%. Its changes are taken as known
    after the close of the day they took effect, since their hours are not on record.
    """
    early = early_policy("discount_rate")
    told = pd.DataFrame({
        "announced_at": pd.DatetimeIndex(early["date"] + UNKNOWN_HOUR).as_unit("ns"),
        "date": early["date"],
        "scheduled": False,
        "lower": early["level"].astype(float),
        "upper": early["level"].astype(float),
        "change_bps": early["change_bps"].round().astype(np.int64),
    })  # fmt: skip
    return pd.concat([told, load_policy_decisions()], ignore_index=True)


# The calendar of the scheduled meetings. The past is that of the table; these are the days to come, as the Federal
# Reserve has published them (2027: tentative), and the one meeting that was scheduled and not held. The calendar of a
# year is published in the summer before it, so that a signal may use it up to the end of the next year.
AHEAD = (
    "2026-10-28", "2026-12-09", "2027-01-27", "2027-03-17", "2027-04-28", "2027-06-09", "2027-07-28", "2027-09-15",
    "2027-10-27", "2027-12-08",
)  # fmt: skip

CANCELLED = ("2020-03-18",)
"""Given up on Sunday 2020-03-15 for a decision that day: until then futures were priced for it."""


def scheduled_meetings(decisions: pd.DataFrame) -> pd.DatetimeIndex:
    """Last days of all scheduled meetings, ascending, each once.

    decisions: the table of policy decisions, with the columns date and scheduled.
    """
    held = pd.DatetimeIndex(decisions.loc[decisions["scheduled"].astype(bool), "date"])
    return pd.DatetimeIndex(held.union(pd.DatetimeIndex([*AHEAD, *CANCELLED])), name="meeting").as_unit("ns")


def check_meetings(named: Sequence[day_type], scheduled: pd.DatetimeIndex) -> None:
    """Raise ConfigError with a line for each day that is not the last one of a scheduled meeting."""
    problems = []
    for day in named:
        if pd.Timestamp(day) not in scheduled:
            nearest = scheduled[int(np.argmin(np.abs((scheduled - pd.Timestamp(day)).to_numpy())))]
            problems.append(f"strategy.params: meeting: found {day}, which is not the last day of a scheduled meeting; "
                            f"the nearest is {nearest:%Y-%m-%d}")  # fmt: skip
    if problems:
        raise ConfigError(*problems)


# Decisions after the shipped table, read off FRED's target range, which has a value for every day and dates a change
# by the day it takes effect: since 2017 the day after its announcement. So a step on day D was announced on D - 1: at
# 14:00 when that is the last day of a scheduled meeting. Of any other the hour is not in the data, so that it is taken
# as after the close, which is never too early. A scheduled meeting after which the range goes on unchanged was a hold.
UPPER, LOWER = "DFEDTARU", "DFEDTARL"
USUAL_HOUR, UNKNOWN_HOUR = pd.Timedelta(hours=14), pd.Timedelta(hours=17)
DAY = pd.Timedelta(days=1)


RANGE_WIDTH, LARGEST_CHANGE = 0.25, 1.0
"""Percentage points: between the bounds since 2008, and the most that one decision has changed them by since 1994."""


def check_later_range(upper: pd.Series, lower: pd.Series, decisions: pd.DataFrame, where: str) -> None:
    """Raise DataError unless what comes after the table goes on from it, in steps and a range like the Fed's."""
    both = pd.DataFrame({"upper": upper, "lower": lower}).dropna()
    both = both[both.index > decisions["date"].iloc[-1] + DAY]
    step = both["upper"].diff().fillna(both["upper"] - float(decisions["upper"].iloc[-1])).abs()
    wrong = ((both["upper"] - both["lower"] - RANGE_WIDTH).abs() > 1e-6) | (step > LARGEST_CHANGE)
    for day in both.index[wrong][:1]:
        last = f"{decisions['lower'].iloc[-1]:g} to {decisions['upper'].iloc[-1]:g}"
        raise DataError(f"{where}: {day:%Y-%m-%d}: found a target of {both['lower'][day]:g} to {both['upper'][day]:g}; "
                        f"expected a range of {RANGE_WIDTH:g} that goes on from the last decision, {last}, in steps of "
                        f"{LARGEST_CHANGE:g} at most; get the files again")  # fmt: skip


def later_decisions(decisions: pd.DataFrame, upper: pd.Series, lower: pd.Series) -> pd.DataFrame:
    """The table and the decisions after its last one, same columns.

    decisions: as `load_policy_decisions` gives them. upper, lower: percent by ascending day, without NaN; a day that
    only one of them has says nothing.
    """
    known = decisions.iloc[-1]
    last = pd.Timestamp(known["date"])
    both = pd.DataFrame({"upper": upper, "lower": lower}).dropna()
    # The row of the last decision itself took effect a day after it: from there on a step is a new decision.
    both = both[both.index > last + DAY]
    rows = []
    before = float(known["upper"])
    for day, high, low in zip(both.index, both["upper"], both["lower"], strict=True):
        announced = day - DAY
        is_scheduled = f"{announced:%Y-%m-%d}" in AHEAD
        if high == before and not is_scheduled:
            continue
        hour = USUAL_HOUR if is_scheduled else UNKNOWN_HOUR
        change = round((high - before) * BPS_PER_POINT)
        rows.append((announced + hour, announced, is_scheduled, float(low), float(high), change))
        before = float(high)
    if not rows:
        return decisions
    later = pd.DataFrame(rows, columns=["announced_at", "date", "scheduled", "lower", "upper", "change_bps"])
    return pd.concat([decisions, later.astype(decisions.dtypes.to_dict())], ignore_index=True)
