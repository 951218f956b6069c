"""Surges: the best gains over N sessions of a ticker, or of one over another, and what followed each.

Reads:  total-return closes. Windows of N sessions overlap; those that end within N sessions of a better one belong to
        the same surge and are left out, so that a list of ten is ten different weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.market import Floats
from backtest.signals.measures import growth

AFTER, AFTER_MONTHS = (5, 21, 63, 126, 252), (1, 3, 6, 12, 24)


@dataclass(frozen=True, slots=True)
class SurgeFound:
    """One surge. day: its last session; gain: a fraction; best_since: the last session before with a greater gain
    (None: the best on record until then); after: sessions -> what followed, None where the data end first.
    """

    day: pd.Timestamp
    gain: float
    best_since: pd.Timestamp | None
    after: dict[int, float | None]


def gains(of: Floats, over: Floats | None, sessions: int) -> Floats:
    """Return over N sessions, minus that of the other, shape (sessions,)."""
    own = growth(of, sessions)
    return own if over is None else own - growth(over, sessions)


def surges(
    days: pd.DatetimeIndex, of: Floats, over: Floats | None, *, sessions: int, top: int, after: Sequence[int] = AFTER
) -> list[SurgeFound]:
    """The `top` surges, best first. of, over: total-return closes, NaN before the first price."""
    values = gains(of, over, sessions)
    ranked = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    chosen: list[int] = []
    for row in ranked.tolist():
        if np.isnan(values[row]) or len(chosen) == top:
            break
        if all(abs(row - other) >= sessions for other in chosen):
            chosen.append(row)
    return [surge_at(days, of, over, values, row, after) for row in chosen]


def surge_at(
    days: pd.DatetimeIndex, of: Floats, over: Floats | None, values: Floats, row: int, after: Sequence[int]
) -> SurgeFound:
    """The surge that ends on a row, whatever its rank."""
    greater = np.flatnonzero(values[:row] > values[row])
    since = days[int(greater[-1])] if len(greater) else None
    followed: dict[int, float | None] = {}
    for count in after:
        end = row + count
        if end >= len(days):
            followed[count] = None
            continue
        own = of[end] / of[row] - 1.0
        followed[count] = float(own if over is None else own - (over[end] / over[row] - 1.0))
    return SurgeFound(days[row], float(values[row]), since, followed)
