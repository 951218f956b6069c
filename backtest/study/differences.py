"""What differs between the variants' configs, and what each swept parameter does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from backtest.config import Config, question
from backtest.market import Floats
from backtest.study.plateau import Plateau, is_ordered, plateau_of

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
