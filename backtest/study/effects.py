"""What differs between the variants' configs, what each swept parameter does, and is the best a plateau or a peak?

A variant of a grid has neighbours that differ by at most one step along every swept key whose values are numbers, in
the order of size; names are no neighbours of each other. A sample of a grid has no neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.config import Config, question
from backtest.market import Floats

LARGEST = 4_000_000
"""Variants of a grid up to which its neighbourhoods are looked at."""

Axes = Sequence[Sequence[object]]
Cells = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plateau:
    """Per variant (variants,): mean and worst of a figure over the neighbourhood; NaN where it has none.

    centre: the inner variant with the best mean; None where no variant is inside (an axis of two values has no inside).
    """

    mean: Floats
    worst: Floats
    centre: int | None


def is_ordered(axis: Sequence[object]) -> bool:
    """Are all values of a swept key numbers?"""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis)


def plateau_of(values: Floats, axes: Axes, cells: Cells) -> Plateau | None:
    """The plateau of a whole grid; None when no axis is ordered, or the variants are not the whole grid.

    values: (variants,), NaN where undefined; axes: the values of each swept key; cells: (variants, keys), which of them
    a variant has.
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
    """Mean and worst of each neighbourhood, and which variants are inside."""
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
    """Variants that are not at an end of an axis, where fewer neighbours win too easily."""
    inside = np.ones(lengths[axis], dtype=np.bool_)
    inside[[0, -1]] = False
    return inside.reshape([-1 if k == axis else 1 for k in range(len(lengths))])


Value = str | float | int | bool | None

NOT_COMPARED = ("name", "benchmarks")
"""Keys of a config that say nothing about what is traded."""


@dataclass(frozen=True, eq=False)
class Differences:
    """The keys of the resolved configs that differ, side by side.

    keys: dotted, in the order of a config; values: key -> one value per variant, None where a config has no such key;
    same: key -> the value that all have.
    """

    keys: tuple[str, ...]
    values: Mapping[str, tuple[Value, ...]]
    same: Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class Effect:
    """Variants that span a grid: what each parameter does to the annual active Sharpe ratio.

    keys: the swept ones; levels: key -> its values, ascending; means: key -> mean ratio over all variants with that
    value, (levels,); table: with two keys, the ratio at (first, second), else None; cells: for each variant, the place
    of its value among the levels of each key.
    """

    keys: tuple[str, ...]
    levels: Mapping[str, tuple[Value, ...]]
    means: Mapping[str, Floats]
    table: Floats | None
    cells: tuple[tuple[int, ...], ...]

    def plateau_of(self, values: Floats) -> Plateau | None:
        """The plateau of any figure of the variants, (variants,); None where all swept values are names."""
        return plateau_of(values, list(self.levels.values()), np.array(self.cells, dtype=np.int64))


def differences_of(configs: Sequence[Config]) -> Differences:
    """Compare the configs key by key; where prices lie is no difference."""
    flat = [dict(_flat(json.loads(question(config)))) for config in configs]
    keys = list(dict.fromkeys(key for values in flat for key in values if key.split(".")[0] not in NOT_COMPARED))
    columns = {key: tuple(values.get(key) for values in flat) for key in keys}
    differing = {key: column for key, column in columns.items() if len({_typed(value) for value in column}) > 1}
    same = {key: column[0] for key, column in columns.items() if key not in differing}
    return Differences(tuple(differing), differing, same)


def effect_of(differences: Differences, sharpe: Floats, swept: Sequence[str] = ()) -> Effect | None:
    """The effect of each key when the variants span a grid: one variant for each combination of values.

    sharpe: annual active ratios in the order of the variants. swept: the grid's keys; without them, all that differ.
    None when there is no such grid, or nothing differs.
    """
    keys = tuple(key for key in swept if key in differences.keys) if swept else differences.keys
    levels = {key: _ascending(differences.values[key]) for key in keys}
    variants = len(sharpe)
    cells = [tuple(levels[key].index(differences.values[key][i]) for key in keys) for i in range(variants)]
    if not keys or len(set(cells)) != variants or prod(len(values) for values in levels.values()) != variants:
        return None
    places = np.array(cells)
    means = {
        key: np.array([sharpe[places[:, k] == level].mean() for level in range(len(levels[key]))])
        for k, key in enumerate(keys)
    }
    table = None
    if len(keys) == 2:
        table = np.empty((len(levels[keys[0]]), len(levels[keys[1]])))
        table[places[:, 0], places[:, 1]] = sharpe
    return Effect(keys, levels, means, table, tuple(cells))


def _flat(content: Any, path: str = "") -> Iterator[tuple[str, Value]]:
    """Leaves of nested maps under their dotted paths; a list is one value, as text."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _flat(value, f"{path}.{key}" if path else key)
    elif isinstance(content, list):
        yield path, json.dumps(content)
    else:
        yield path, content


def _typed(value: Value) -> tuple[str, Value]:
    """Tells True from 1."""
    return type(value).__name__, value


def _ascending(values: Sequence[Value]) -> tuple[Value, ...]:
    """Each value once: numbers by size; words, and words among numbers, in the order of the variants."""
    once = list(dict.fromkeys(values))
    if is_ordered(once):
        once.sort(key=lambda value: float(value or 0))
    return tuple(once)
