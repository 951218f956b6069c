"""Plateau or peak: each point of a grid with its neighbours, their mean and their worst.

Neighbours differ by at most one step along every swept key (of a number: the next values; of a name: none). A sample of
a grid has no neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

LARGEST = 4_000_000
"""Points of a grid up to which its neighbourhoods are looked at."""


@dataclass(frozen=True, eq=False)
class Plateau:
    """Per point (points,): mean and worst of the headline metric over the neighbourhood; NaN where it has none.

    centre: the inner point with the best mean; None where no point is inside (an axis of two values has no inside).
    """

    mean: Floats
    worst: Floats
    centre: int | None


def plateau_of(values: Floats, lengths: tuple[int, ...], is_ordered: tuple[bool, ...]) -> Plateau | None:
    """The plateau of a whole grid; values (points,) with the last axis turning fastest, NaN where undefined.

    is_ordered: axes of numbers, along which a next value is a neighbour. None when no axis is ordered.
    """
    if not any(is_ordered) or len(values) > LARGEST:
        return None
    grid = values.reshape(lengths)
    known = ~np.isnan(grid)
    total, count = np.where(known, grid, 0.0), known.astype(np.float64)
    worst = np.where(known, grid, np.inf)
    inner = known
    for axis in np.flatnonzero(is_ordered).tolist():
        total, count = _box(total, axis, 0.0, np.add), _box(count, axis, 0.0, np.add)
        worst = _box(worst, axis, np.inf, np.minimum)
        if lengths[axis] > 2:
            inner = inner & _inside(lengths, axis)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, total / np.where(count > 0, count, np.nan), np.nan)
    worst = np.where(known, worst, np.nan)
    looked = np.where(inner, mean, -np.inf).ravel()
    centre = int(looked.argmax()) if np.isfinite(looked.max()) else None
    return Plateau(mean.ravel(), worst.ravel(), centre)


def _box(values: Floats, axis: int, beyond: float, join: np.ufunc) -> Floats:
    """Each value joined with the one before and the one after it along an axis."""
    pad = [(1, 1) if k == axis else (0, 0) for k in range(values.ndim)]
    padded = np.moveaxis(np.pad(values, pad, constant_values=beyond), axis, 0)
    return np.asarray(np.moveaxis(join(join(padded[:-2], padded[1:-1]), padded[2:]), 0, axis))


def _inside(lengths: tuple[int, ...], axis: int) -> npt.NDArray[np.bool_]:
    """Points that are not at an end of an axis, where fewer neighbours win too easily."""
    inside = np.ones(lengths[axis], dtype=np.bool_)
    inside[[0, -1]] = False
    return inside.reshape([-1 if k == axis else 1 for k in range(len(lengths))])
