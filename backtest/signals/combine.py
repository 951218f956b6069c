"""Combining signals: a latch with memory, and AND / OR that know what "not known" means.

A signal is a float array of shape (sessions,): 1.0 yes, 0.0 no, NaN not known yet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

Booleans = npt.NDArray[np.bool_]


def latch(enter: Booleans, leave: Booleans) -> Floats:
    """A switch with memory: 1.0 from a row of `enter` until one of `leave`, 0.0 from there until the next `enter`.

    Parameters
    ----------
    enter, leave : ndarray of bool, shape (sessions,)
        Where both are True the row changes nothing.

    Returns
    -------
    ndarray of float, shape (sessions,)
        NaN before the first row at which one of them is True alone.
    """
    asks = np.asarray(enter, dtype=np.bool_).view(np.int8) - np.asarray(leave, dtype=np.bool_).view(np.int8)
    rows = (asks[1:] != asks[:-1]).nonzero()[0]
    rows += 1
    if len(asks) and asks[0]:
        rows = np.concatenate(([0], rows))
    sides = asks[rows]
    rows, sides = rows[sides != 0], sides[sides != 0]
    if not len(rows):
        return np.full(len(asks), np.nan)
    turns = (sides[1:] != sides[:-1]).nonzero()[0]
    turns += 1
    bounds = np.empty(len(turns) + 3, dtype=np.intp)
    bounds[0], bounds[1], bounds[2:-1], bounds[-1] = 0, rows[0], rows[turns], len(asks)
    states = np.zeros(len(turns) + 2)
    states[0] = np.nan
    states[1 if sides[0] > 0 else 2 :: 2] = 1.0  # the two states take turns
    return states.repeat(bounds[1:] - bounds[:-1])


def all_of(*signals: Floats) -> Floats:
    """AND of signals.

    Parameters
    ----------
    *signals : ndarray of float, shape (sessions,)
        1.0 yes, 0.0 no, NaN not known.

    Returns
    -------
    ndarray of float, shape (sessions,)
        0.0 where any is 0.0, else NaN where any is not known, else 1.0.

    Notes
    -----
    Kleene's strong three-valued logic (Introduction to Metamathematics, 1952, section 64).
    """
    stacked = np.stack(signals)
    return np.where((stacked == 0.0).any(axis=0), 0.0, np.where(np.isnan(stacked).any(axis=0), np.nan, 1.0))


def any_of(*signals: Floats) -> Floats:
    """OR of signals.

    Parameters
    ----------
    *signals : ndarray of float, shape (sessions,)
        1.0 yes, 0.0 no, NaN not known.

    Returns
    -------
    ndarray of float, shape (sessions,)
        1.0 where any is 1.0, else NaN where any is not known, else 0.0.

    Notes
    -----
    Kleene's strong three-valued logic (Introduction to Metamathematics, 1952, section 64).
    """
    stacked = np.stack(signals)
    return np.where((stacked == 1.0).any(axis=0), 1.0, np.where(np.isnan(stacked).any(axis=0), np.nan, 0.0))
