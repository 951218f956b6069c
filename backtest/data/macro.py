"""Macro observations from a folder of files: rates as FRED gives them, releases, futures by contract, probabilities.

Where it stands: clocks, macro_checks -> MACRO -> macro_source -> assemble -> market. Reads, dates and judges.

    DGS2.csv and other series    date,value, with the clock of the id (known_series.csv) or one from the config
    any file                     date,value,known_at: with its own moments, `known: column`; two rows of one date with
                                 different moments: the second replaces the first from when it is known
    cpi   = cpi_releases.csv     release_date,reference_month,core_mom_actual,core_mom_consensus,cpi_mom_actual,...
    zq    = zq_daily.csv         date,contract_month,close: 30-day fed funds futures, settled at 15:00
    fedwatch = fedwatch_probabilities.csv  date,meeting_date,lower_bp,prob: probabilities of target bands, ready-made
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.data.clocks import (
    LENGTH_DAYS,
    RULES,
    Clock,
    Rule,
    check_fits,
    clock_of,
    frequency,
    known_at,
    known_series,
)
from backtest.data.macro_checks import (
    judge_futures,
    judge_probabilities,
    judge_rate,
    judge_releases,
    line_of,
)
from backtest.data.rates import read_rate_rows
from backtest.data.tables import days_of, moments_of, months_of, numbers, read_cells
from backtest.errors import DataError
from backtest.series import Days

TABLES = {"cpi": "cpi_releases.csv", "zq": "zq_daily.csv", "fedwatch": "fedwatch_probabilities.csv"}
"""Names of series that are tables, and their files."""

CPI_RELEASE = np.timedelta64(8 * 60 + 30, "m")
"""The Bureau of Labor Statistics publishes at 08:30 New York time."""

CPI_HOLDS_DAYS, TABLE_HOLDS_DAYS = 120, 7
"""For how long a release, and a day's table, stands: CPI is dated by its month, and one came out 73 days after it."""

RELEASES, SETTLED, TAKEN_DOWN = ("monthly, known at 08:30 of its release", "daily, known at 15:00 of its day",
                                 "daily, known at 18:00 of its day")  # fmt: skip

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Observed:
    """A file's rows before the exchange's calendar has given them a session; columns as in PointInTime.

    period: what one date stands for; clock: when its values are known, in words; rule: the same, unless each row has a
    moment of its own; notes: what a reader must be told.
    """

    happened: Days
    known_at: Days
    columns: Columns
    holds_days: int
    location: str
    sha256: str
    period: str = "day"
    clock: str = ""
    rule: Clock | None = None
    notes: tuple[str, ...] = ()


def read_observed(folder: Path, name: str, rule: Rule | None, holds_days: int | None = None) -> Observed:
    """One series of the folder by its name.

    rule: of publication, for a file of dates and values (see `clock_of`); None: the one known for this name.
    holds_days: None: until the next value is due.
    Raises DataError when the file is missing or cannot be read, with its line, when its values cannot be what they are
    called, or when no rule is known for it or the one given does not fit its dates.
    """
    path = folder / TABLES.get(name, f"{name}.csv")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; the strategy needs the series {name}, see data.macro") from error
    digest = hashlib.sha256(data).hexdigest()
    if name in TABLES:
        happened, known, columns, notes = {"cpi": _cpi, "zq": read_futures, "fedwatch": _probabilities}[name](
            data, str(path)
        )
        period, words = {"cpi": ("month", RELEASES), "zq": ("day", SETTLED), "fedwatch": ("day", TAKEN_DOWN)}[name]
        holds_days = CPI_HOLDS_DAYS if name == "cpi" else TABLE_HOLDS_DAYS
        return Observed(happened, known, columns, holds_days, str(path), digest, period, words, None, notes)
    clock = clock_of(name, rule, str(path))
    if clock is None:
        return _with_own_clock(data, str(path), name, holds_days, digest)
    rows = read_rate_rows(data, str(path), name)
    check_fits(rows.index.to_numpy().astype("datetime64[D]"), clock, name, str(path))
    return observed_rate(name, rows.dropna(), clock, str(path), digest, holds_days)


def observed_rate(
    name: str, table: Any, clock: Clock, where: str, digest: str, holds_days: int | None = None
) -> Observed:
    """A series of numbers by day (column `value`, without NaN) with the clock given, judged."""
    days = table.index.to_numpy().astype("datetime64[D]")
    if not len(days):
        raise DataError(f"{where}: has no values, expected a number by day")
    if (wrong := np.flatnonzero(days[1:] <= days[:-1])).size:
        raise DataError(
            f"{line_of(where, days)(int(wrong[0]) + 1)} stands below {days[wrong[0]]}: each date "
            "is expected once, in ascending order (two rows of one date need a column known_at, and known: column)"
        )
    values = table["value"].to_numpy(dtype=np.float64)
    notes = judge_rate(name, days, values, line_of(where, days))
    known = known_series().get(name)
    if known is not None and known.is_revised:
        revised = (f"{name} has been revised since it was first published, and this file has today's values; for those "
                   f"known at the time set data.macro.series.{name}.known: vintages, or column.")  # fmt: skip
        notes += (revised,)
    source = f" ({known.published})" if known is not None and clock == known.clock else ""
    holds = clock.holds_days if holds_days is None else holds_days
    return Observed(days, known_at(days, clock), {"value": values}, holds, where, digest, clock.period,
                    clock.words + source, clock, notes)  # fmt: skip


def _with_own_clock(data: bytes, where: str, name: str, holds_days: int | None, digest: str) -> Observed:
    """A file with its own moments; several of one date are revisions, which may stand in any order."""
    cells = read_cells(data, where, ("date", "known_at"), filled=("value", "close", name))
    column = next((one for one in ("value", "close", name.lower()) if one in cells), "value")
    days, known = days_of(cells, "date", where), moments_of(cells, "known_at", where)
    lines = cells.index.to_numpy()
    early = np.flatnonzero(known < days)
    if len(early):
        row = int(early[0])
        raise DataError(f"{where}:{lines[row]}: known_at: found {cells['known_at'].iloc[row]}, before its date "
                        f"{days[row]}; nothing is known before it happens")  # fmt: skip
    order = np.lexsort((known, days))
    twice = np.flatnonzero((days[order][1:] == days[order][:-1]) & (known[order][1:] == known[order][:-1]))
    if len(twice):
        raise DataError(f"{where}:{lines[order[twice[0] + 1]]}: the date {days[order[twice[0]]]} stands twice with one "
                        "known_at; a revision has a later one")  # fmt: skip
    return own_clocked(name, days[order], known[order], numbers(cells, column, where)[order], where, digest, holds_days)


def own_clocked(
    name: str, days: Days, known: Days, values: npt.NDArray[np.float64], where: str, digest: str, holds_days: int | None
) -> Observed:
    """Observations with moments of their own, by date, then by moment; the first prints are judged."""
    if not len(days):
        raise DataError(f"{where}: has no values, expected a number by day")
    is_first = np.concatenate([[True], days[1:] != days[:-1]])
    firsts = days[is_first]
    notes = judge_rate(name, firsts, values[is_first], line_of(where, firsts))
    period = frequency(days) or "day"
    holds = holds_days if holds_days is not None else 7 if period == "day" else 2 * LENGTH_DAYS[period] + 45
    revisions = len(days) - len(firsts)
    words = f"{Clock(period).words.partition(',')[0]}, known when its column known_at says"
    words += f", {revisions} revision{'' if revisions == 1 else 's'}" if revisions else ""
    return Observed(days, known, {"value": values}, holds, where, digest, period, words, None, notes)


def _cpi(data: bytes, where: str) -> tuple[Days, Days, Columns, tuple[str, ...]]:
    """Releases of the consumer price index, percent by month, first prints; `value` is the core index."""
    wanted = {"value": "core_mom_actual", "consensus": "core_mom_consensus", "headline": "cpi_mom_actual",
              "headline_consensus": "cpi_mom_consensus"}  # fmt: skip
    required = ("release_date", "reference_month", "core_mom_actual")
    cells = read_cells(data, where, required, optional=("known_at", *wanted.values()))
    month = months_of(cells, "reference_month", where)
    released = days_of(cells, "release_date", where)
    known = moments_of(cells, "known_at", where) if "known_at" in cells else released + CPI_RELEASE
    columns: Columns = {to: numbers(cells, source, where) for to, source in wanted.items()}
    notes = judge_releases(month, known, columns, lambda row: f"{where}:{cells.index[row]}")
    return month.astype("datetime64[D]"), known, columns, notes


def read_futures(data: bytes, where: str) -> tuple[Days, Days, Columns, tuple[str, ...]]:
    """Settlements of 30-day fed funds futures: `value` is the price, `contract` the first day of the delivery month.

    Where the file has a volume, a price that stood still for STILL settlements without a trade is no price: NaN.
    """
    cells = read_cells(data, where, ("date", "contract_month", "close"), optional=("volume",))
    day = days_of(cells, "date", where)
    month = months_of(cells, "contract_month", where)
    contract = month.astype("datetime64[ns]")
    price = numbers(cells, "close", where)
    if "volume" in cells:
        price = np.where(stood_still(day, contract, price, numbers(cells, "volume", where)), np.nan, price)
    notes = judge_futures(day, month, price, lambda row: f"{where}:{cells.index[row]}")
    columns: Columns = {"value": price, "contract": contract}
    return day, known_at(day, RULES["same_close"]), columns, notes


STILL = 10
"""Settlements in a row. Placeholders stand for months (93.425 for most of 2001's far contracts); a price that is one
moves or is traded within two weeks, even in the years of rates at zero."""


def stood_still(
    day: Days, contract: Days, price: npt.NDArray[np.float64], volume: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """True from the STILL-th settlement on that repeats its contract's one before without a trade, until it moves.

    Reads nothing later than the row itself. All arrays of shape (rows,), in any order; an unknown volume is a trade.
    """
    order = np.lexsort((day, contract))
    of, at = contract[order], price[order]
    repeats = np.zeros(len(order), dtype=np.bool_)
    repeats[1:] = (of[1:] == of[:-1]) & (at[1:] == at[:-1]) & (volume[order][1:] == 0)
    rows = np.arange(len(order))
    last_moved = np.maximum.accumulate(np.where(repeats, -1, rows)) if len(rows) else rows
    found = np.empty(len(order), dtype=np.bool_)
    found[order] = rows - last_moved >= STILL
    return found


def _probabilities(data: bytes, where: str) -> tuple[Days, Days, Columns, tuple[str, ...]]:
    """Ready-made probabilities: `value` in [0, 1] of the band from `lower` (percent) on, by `meeting`.

    They are dated by the day whose settlements they come from, but may have been taken down after its close: so they
    are used a session later.
    """
    cells = read_cells(data, where, ("date", "meeting_date", "lower_bp", "prob"))
    day, meeting = days_of(cells, "date", where), days_of(cells, "meeting_date", where)
    lower_bps, value = numbers(cells, "lower_bp", where), numbers(cells, "prob", where)
    notes = judge_probabilities(day, meeting, lower_bps, value, lambda row: f"{where}:{cells.index[row]}")
    columns: Columns = {"value": value, "lower": lower_bps / 100.0, "meeting": meeting.astype("datetime64[ns]")}
    return day, known_at(day, RULES["evening"]), columns, notes
