"""Plateau or peak: each point of a grid with its neighbours, their mean and their worst.

Neighbours differ by at most one step along every swept key whose values are numbers, in the order of size; names are no
neighbours of each other. A sample of a grid has no neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

LARGEST = 4_000_000
"""Points of a grid up to which its neighbourhoods are looked at."""

Axes = Sequence[Sequence[object]]
Cells = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plateau:
    """Per point (points,): mean and worst of a figure over the neighbourhood; NaN where it has none.

    centre: the inner point with the best mean; None where no point is inside (an axis of two values has no inside).
    """

    mean: Floats
    worst: Floats
    centre: int | None


def is_ordered(axis: Sequence[object]) -> bool:
    """Are all values of a swept key numbers?"""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis)


def plateau_of(values: Floats, axes: Axes, cells: Cells) -> Plateau | None:
    """The plateau of a whole grid; None when no axis is ordered, or the points are not the whole grid.

    values: (points,), NaN where undefined; axes: the values of each swept key; cells: (points, keys), which of them a
    point has.
    """
    lengths = tuple(len(axis) for axis in axes)
    ordered = [k for k, axis in enumerate(axes) if is_ordered(axis)]
    if not ordered or len(values) > LARGEST or len(values) != np.prod(lengths):
        return None
    places = cells.copy()
    for k in ordered:
        places[:, k] = np.argsort(np.argsort(np.array(axes[k], dtype=np.float64), kind="stable"))[cells[:, k]]
    flat = np.ravel_multi_index(tuple(places.T), lengths)
    grid = np.empty(len(values))
    grid[flat] = values
    mean, worst, inner = _smoothed(grid.reshape(lengths), ordered)
    looked = np.where(inner, mean, -np.inf).ravel()[flat]
    centre = int(looked.argmax()) if np.isfinite(looked.max()) else None
    return Plateau(mean.ravel()[flat], worst.ravel()[flat], centre)


def whole_grid(values: Floats, grid: Mapping[str, Sequence[object]]) -> Plateau | None:
    """The plateau of figures in the order of a grid, the last key's values changing fastest."""
    axes = list(grid.values())
    lengths = [len(axis) for axis in axes]
    return plateau_of(values, axes, np.indices(lengths).reshape(len(lengths), -1).T[: len(values)])


def _smoothed(grid: Floats, ordered: Sequence[int]) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Mean and worst of each neighbourhood, and which points are inside."""
    known = ~np.isnan(grid)
    total, count = np.where(known, grid, 0.0), known.astype(np.float64)
    worst = np.where(known, grid, np.inf)
    inner = known
    for axis in ordered:
        total, count = _box(total, axis, 0.0, np.add), _box(count, axis, 0.0, np.add)
        worst = _box(worst, axis, np.inf, np.minimum)
        if grid.shape[axis] > 2:
            inner = inner & _inside(grid.shape, axis)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, total / np.where(count > 0, count, np.nan), np.nan)
    return mean, np.where(known, worst, np.nan), inner


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
