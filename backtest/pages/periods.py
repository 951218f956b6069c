"""Periods: months and years of equity curves, their worst drawdowns, the easing cycles within a test.

A period's return is between the last closes of the period before and of its own. The first and the last one may be
parts; they are marked, and are no part of the metrics `best_year` and `worst_year`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats
from backtest.metrics import Calendar, drawdown
from backtest.result import Result
from backtest.units import MONTHS_PER_YEAR

HEAT_STEP = 0.02
"""A step of the heatmap's tint; the sixth is full, above 10%."""

HEAT_STEPS = 6
SMALLEST_SHOWN = 0.0005
"""Below this a return prints as 0.0% and takes no colour."""

MOST_FALLS = 8
SMALLEST_CUT_BPS = 25
LEAD_IN = 60 / 252
"""Of a year, shown before the first cut of a cycle; a whole one is shown after the last."""

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class MonthCell:
    """One month: its return, the class of its tint, and whether only a part of it was in the test."""

    value: float
    tint: str
    is_part: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A year of months, None where the test does not reach, and their product."""

    year: int
    cells: Sequence[MonthCell | None]
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
        int(months[row]): MonthCell(float(value), tint(float(value)), row not in whole)
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


@dataclass(frozen=True, slots=True)
class Fall:
    """Rows of the peak, of the trough and of the first close back at the peak's level (None: not yet).

    depth: a fraction, negative. last: last row of the test. benchmark: its return from peak to trough.
    shares: mean share of the account in each leg meanwhile.
    """

    peak: int
    trough: int
    back: int | None
    depth: float
    last: int
    benchmark: float | None
    shares: tuple[float, ...]

    @property
    def sessions(self) -> int:
        """From the peak until it was regained, or to the end."""
        return (self.last if self.back is None else self.back) - self.peak


def worst_falls(equity: Floats, shares: Floats, benchmark: Floats | None, count: int = MOST_FALLS) -> list[Fall]:
    """The deepest falls, deepest first; each from its own peak, so that none is counted twice.

    shares: of the account in each leg at each close, (sessions, legs).
    """
    falls = drawdown(equity)
    below = np.concatenate([[False], falls < 0, [False]])
    edges = np.flatnonzero(below[1:] != below[:-1])
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    found = [(first - 1, first + int(falls[first:end].argmin()), end) for first, end in spans]
    worst = sorted(found, key=lambda fall: falls[fall[1]])[:count]
    return [_fall(peak, trough, end, falls, shares, benchmark) for peak, trough, end in worst]


def _fall(peak: int, trough: int, end: int, falls: Floats, shares: Floats, benchmark: Floats | None) -> Fall:
    last = len(falls) - 1
    return Fall(
        peak=peak,
        trough=trough,
        back=end if end <= last else None,
        depth=float(falls[trough]),
        last=last,
        benchmark=None if benchmark is None else float(benchmark[trough] / benchmark[peak] - 1),
        shares=tuple(shares[peak:trough].mean(axis=0).tolist()),
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """row: session of the test at whose close it is known; target: the new range in percent; cycle: hikes before it."""

    row: int
    bps: int
    target: str
    cycle: int


def cuts_of(result: Result) -> list[Cut]:
    """The cuts known at a session of the test, in order."""
    policy = result.market.policy
    known = policy[policy["session"].notna()]
    hikes = np.sort(known.loc[known["change_bps"] > 0, "session"].to_numpy())
    sessions = result.sessions
    within = (known["session"] >= sessions[0]) & (known["session"] <= sessions[-1])
    cuts = known[within & (known["change_bps"] <= -SMALLEST_CUT_BPS)]
    rows = sessions.searchsorted(pd.DatetimeIndex(cuts["session"]))
    cycles = np.searchsorted(hikes, cuts["session"].to_numpy())
    facts = zip(rows, cuts["change_bps"], cuts["lower"], cuts["upper"], cycles, strict=True)
    return [Cut(int(row), int(bps), _range(low, high), int(cycle)) for row, bps, low, high, cycle in facts]


def cycles_of(cuts: list[Cut], sessions: pd.DatetimeIndex, year: int) -> list[tuple[str, int, int]]:
    """Easing cycles (cuts without a hike between them) to look at: name, first and last row. year: rows in one."""
    periods = []
    for cycle in dict.fromkeys(cut.cycle for cut in cuts):
        rows = [cut.row for cut in cuts if cut.cycle == cycle]
        first, last = sessions[rows[0]].year, sessions[rows[-1]].year
        name = f"{first}" if first == last else f"{first}–{last % 100:02d}"
        begin, end = max(rows[0] - round(LEAD_IN * year), 0), min(rows[-1] + year, len(sessions) - 1)
        periods.append((name, begin, end))
    return periods


def follows_cuts(result: Result) -> bool:
    """Is a window after rate cuts part of the strategy's evidence?"""
    return any(evidence.name == "cut_window" for evidence in result.decision.evidence)


def cut_before_start(result: Result) -> np.datetime64 | None:
    """Day of the cut whose window was already open when the test began; None when there is none."""
    window = next((e for e in result.decision.evidence if e.name == "cut_window"), None)
    if window is None or not window.values[result.begin] > 0:
        return None
    policy = result.market.policy
    known = policy[(policy["change_bps"] < 0) & (policy["session"] <= result.sessions[0])]
    if known.empty or known["session"].iloc[-1] == result.sessions[0]:
        return None
    return np.datetime64(known["date"].iloc[-1], "D")


def _range(low: float, high: float) -> str:
    return f"{high:.2f}%" if low == high else f"{low:.2f}–{high:.2f}%"


def mood(value: float | None) -> str:
    """Class of a figure's colour: `up`, `down`, or neither for what prints as zero."""
    if value is None or abs(value) < SMALLEST_SHOWN:
        return ""
    return "up" if value > 0 else "down"
