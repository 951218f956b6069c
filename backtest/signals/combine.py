"""Combining signals: a latch with memory, and AND / OR that know what "not known" means.

A signal is a float array of shape (sessions,): 1.0 yes, 0.0 no, NaN not known yet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

Booleans = npt.NDArray[np.bool_]


def latch(enter: Booleans, leave: Booleans) -> Floats:
    """1.0 from a row of `enter` until one of `leave`, 0.0 from there until the next `enter`; NaN before the first.

    enter, leave: shape (sessions,). Where both are True the row changes nothing.
    """
    state = np.full(len(enter), np.nan)
    rows = np.flatnonzero(enter != leave)
    if len(rows):
        enters = enter[rows]
        turns = np.flatnonzero(enters[1:] != enters[:-1]) + 1
        bounds = np.empty(len(turns) + 2, dtype=np.intp)
        bounds[0], bounds[1:-1], bounds[-1] = rows[0], rows[turns], len(enter)
        sides = np.zeros(len(turns) + 1)
        sides[0 if enters[0] else 1 :: 2] = 1.0  # the two states take turns
        state[rows[0] :] = np.repeat(sides, bounds[1:] - bounds[:-1])
    return state


def all_of(*signals: Floats) -> Floats:
    """AND of signals: 0.0 where any is 0.0, else NaN where any is not known, else 1.0 (Kleene's three values)."""
    stacked = np.stack(signals)
    return np.where((stacked == 0.0).any(axis=0), 0.0, np.where(np.isnan(stacked).any(axis=0), np.nan, 1.0))


def any_of(*signals: Floats) -> Floats:
    """OR of signals: 1.0 where any is 1.0, else NaN where any is not known, else 0.0 (Kleene's three values)."""
    stacked = np.stack(signals)
    return np.where((stacked == 1.0).any(axis=0), 1.0, np.where(np.isnan(stacked).any(axis=0), np.nan, 0.0))
