"""Months and years of equity curves, for the heatmap and the table of calendar years.

A period's return is between the last closes of the period before and of its own. The first and the last one may be
parts; they are marked, and are no part of the metrics `best_year` and `worst_year`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.metrics import Calendar
from backtest.units import MONTHS_PER_YEAR

HEAT_STEP = 0.02
"""A step of the heatmap's tint; the sixth is full, above 10%."""

HEAT_STEPS = 6
SMALLEST_SHOWN = 0.0005
"""Below this a return prints as 0.0% and takes no colour."""

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Cell:
    """One month: its return, the class of its tint, and whether only a part of it was in the test."""

    value: float
    tint: str
    is_part: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A year of months, None where the test does not reach, and their product."""

    year: int
    cells: Sequence[Cell | None]
    total: float
    is_part: bool


@dataclass(frozen=True, slots=True)
class YearRow:
    """Returns of the strategy and its benchmarks in a calendar year.

    active: strategy minus the first benchmark, None without one; bar: its size relative to the largest, in percent.
    """

    year: int
    values: Sequence[float]
    active: float | None
    bar: float
    is_part: bool

    @property
    def mood(self) -> str:
        """The class of its colour."""
        return mood(self.active)


def heat_rows(equity: Floats, days: Days, calendar: Calendar) -> list[HeatRow]:
    """The heatmap, newest year first."""
    months = days.astype("datetime64[M]").astype(np.int64)
    before, last = period_ends(months)
    returns = equity[last] / equity[before] - 1
    whole = set(calendar.months.last.tolist())
    cells = {
        int(months[row]): Cell(float(value), tint(float(value)), row not in whole)
        for row, value in zip(last.tolist(), returns, strict=True)
    }
    rows = []
    for year, keys in groupby(sorted(cells), key=lambda key: key // MONTHS_PER_YEAR):
        own = [cells[key] for key in keys]
        all_twelve = [cells.get(year * MONTHS_PER_YEAR + m) for m in range(MONTHS_PER_YEAR)]
        total = float(np.prod([1 + cell.value for cell in own]) - 1)
        is_part = len(own) < MONTHS_PER_YEAR or any(cell.is_part for cell in own)
        rows.append(HeatRow(year + 1970, all_twelve, total, is_part))
    return rows[::-1]


def year_rows(curves: Mapping[str, Floats], days: Days, calendar: Calendar) -> list[YearRow]:
    """Calendar years, newest first. curves: the strategy's, then each benchmark's."""
    years = days.astype("datetime64[Y]").astype(np.int64)
    before, last = period_ends(years)
    returns = np.array([curve[last] / curve[before] - 1 for curve in curves.values()])
    active = returns[0] - returns[1] if len(returns) > 1 else None
    largest = 0.0 if active is None else float(np.abs(active).max(initial=0.0))
    whole = set(calendar.calendar_years.last.tolist())
    rows = []
    for k, row in enumerate(last.tolist()):
        own = None if active is None else float(active[k])
        bar = round(100 * abs(own) / largest, 1) if own and largest else 0.0
        rows.append(YearRow(int(years[row]) + 1970, returns[:, k].tolist(), own, bar, row not in whole))
    return rows[::-1]


def period_ends(periods: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of the last close before each period and of its own; the base row is the close before the first one."""
    last = np.append(np.flatnonzero(np.diff(periods)), len(periods) - 1)
    before = np.append(0, last[:-1])
    return before[last > before], last[last > before]


def tint(value: float) -> str:
    """`g1` to `g6` for gains, `l1` to `l6` for losses, `z` for nothing."""
    if abs(value) < SMALLEST_SHOWN:
        return "z"
    return f"{'g' if value > 0 else 'l'}{min(HEAT_STEPS, int(np.ceil(abs(value) / HEAT_STEP)))}"


def mood(value: float | None) -> str:
    """`up`, `down`, or neither for what prints as zero."""
    if value is None or abs(value) < SMALLEST_SHOWN:
        return ""
    return "up" if value > 0 else "down"
