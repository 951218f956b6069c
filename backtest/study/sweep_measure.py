"""What compiled metrics are measured against: calendar, T-bills and benchmark, as the arguments of `fused`."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.market import Floats
from backtest.metrics import Calendar
from backtest.metrics.formulas import ROUNDING


def measured_against(calendar: Calendar, tbill: Floats, benchmark: Floats | None) -> tuple[Any, ...]:
    """The arguments of `fused.measure_one` that are the same for all curves on the same sessions.

    tbill: (sessions - 1,); benchmark: equity (sessions,).
    """
    curve = np.ones(calendar.sessions) if benchmark is None else benchmark
    returns = curve[1:] / curve[:-1] - 1
    premium = returns - tbill
    mean = float(premium.mean())
    spread = float(premium.std(ddof=1)) if len(premium) > 1 else np.nan
    months = calendar.months.growth(curve[None])[0]
    sides = [np.flatnonzero(months > 1 + ROUNDING), np.flatnonzero(months < 1 - ROUNDING)]
    own = [float(months[side].prod()) ** (1 / len(side)) - 1 if len(side) else np.nan for side in sides]
    spans = (calendar.calendar_years, calendar.months)
    rows = [np.array([each.before, each.last], dtype=np.int64) for each in spans]
    return (
        np.ascontiguousarray(tbill),
        returns,
        premium - mean,
        np.array([mean, spread if not spread <= ROUNDING else 0.0]),
        benchmark is not None,
        calendar.is_one_year,
        calendar.years,
        calendar.periods_per_year,
        rows[0],
        rows[1],
        sides[0].astype(np.int64),
        sides[1].astype(np.int64),
        np.array(own),
    )
