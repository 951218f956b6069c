"""Effect: what each swept parameter does, when the variants span a grid. Plateau or peak?

Each cell, the mean of it and its neighbours, and the worst of them, so that a lucky cell among bad ones shows. With two
keys a cell has eight neighbours, with one key two; a third and further keys part the grid into slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.pages.comparison.numbers import Fact
from backtest.statistics.compare import jobson_korkie_memmel
from backtest.statistics.findings import HOLDS
from backtest.text import number, points, setting, short_key

if TYPE_CHECKING:
    from backtest.study.comparison import Comparison
    from backtest.study.effects import Effect

FEWEST_LEVELS = 3

Cells = npt.NDArray[np.intp]
Cell = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Surface:
    """One figure over the grid, (slices x rows x columns): each cell, mean and worst of its neighbourhood.

    centre: the cell at the centre of the best plateau; the best cell where none is inside.
    """

    cell: Floats
    mean: Floats
    worst: Floats
    centre: Cell


@dataclass(frozen=True, eq=False)
class EffectGrid:
    """The variants on their grid.

    keys: of columns, of rows (if any), then those that part the slices; columns, rows, slices: levels as printed;
    means: for each key its name, its levels and the mean active ratio of all variants at each.
    places: (slices x rows x columns) of the variants; apart: cells that can be told from the best variant.
    """

    keys: tuple[str, ...]
    columns: list[str]
    rows: list[str]
    slices: list[str]
    places: Cells
    apart: npt.NDArray[np.bool_]
    points: Surface
    sharpe: Surface
    means: list[tuple[str, list[str], Floats]]


def grid_of(comparison: Comparison) -> EffectGrid | None:
    """The grid; None when the variants span none, or none with an inside: two values make no plateau."""
    effect = comparison.effect
    if effect is None or max(len(levels) for levels in effect.levels.values()) < FEWEST_LEVELS:
        return None
    by_size = sorted(range(len(effect.keys)), key=lambda k: -len(effect.levels[effect.keys[k]]))
    levels = [[setting(value) for value in effect.levels[effect.keys[k]]] for k in by_size]
    names = [short_key(effect.keys[k]) for k in by_size]
    places = _places(effect, by_size)
    statistics = [variant.statistics for variant in comparison.variants]
    return EffectGrid(
        keys=tuple(names),
        columns=levels[0],
        rows=levels[1] if len(levels) > 1 else [""],
        slices=[_slice_name(names[2:], values) for values in product(*levels[2:])],
        places=places,
        apart=_apart(comparison)[places],
        points=_surface(effect, np.array([each.cagr_difference.value for each in statistics]), places),
        sharpe=_surface(effect, np.array([each.sharpe.value for each in statistics]), places),
        means=[(names[j], levels[j], effect.means[effect.keys[k]]) for j, k in enumerate(by_size)],
    )


def _places(effect: Effect, by_size: Sequence[int]) -> Cells:
    """Variants' places as (slices x rows x columns)."""
    shape = [len(effect.levels[effect.keys[k]]) for k in by_size]
    places = np.empty(shape, dtype=np.intp)
    for place, cell in enumerate(effect.cells):
        places[tuple(cell[k] for k in by_size)] = place
    places = places if places.ndim > 1 else places[:, None]
    ordered = np.moveaxis(places, (0, 1), (-1, -2))
    return ordered.reshape(-1, *ordered.shape[-2:])


def _surface(effect: Effect, values: Floats, places: Cells) -> Surface:
    plateau = effect.plateau_of(values)
    if plateau is None:  # names alone: no cell has neighbours
        return Surface(values[places], values[places], values[places], _cell(places, int(values.argmax())))
    centre = int(values.argmax()) if plateau.centre is None else plateau.centre
    return Surface(values[places], plateau.mean[places], plateau.worst[places], _cell(places, centre))


def _cell(places: Cells, place: int) -> Cell:
    """Where a variant stands on the grid."""
    slice_, row, column = np.argwhere(places == place)[0].tolist()
    return slice_, row, column


def _apart(comparison: Comparison) -> npt.NDArray[np.bool_]:
    """Which variants' active ratios can be told from the best one's, each pair on its own (Jobson-Korkie-Memmel)."""
    year, best = comparison.periods_per_year**0.5, comparison.best
    ratios = [variant.statistics.sharpe.value / year for variant in comparison.variants]
    alike = np.nan_to_num(comparison.correlation[best])
    observations = comparison.period.sessions - 1
    p = [
        jobson_korkie_memmel(ratios[best], ratio, float(correlation), observations).p_value
        for ratio, correlation in zip(ratios, alike, strict=True)
    ]
    return np.array(p) < HOLDS


def grid_facts(comparison: Comparison, grid: EffectGrid, *, of_growth: bool) -> list[Fact]:
    """Peak and plateau in words. of_growth: points a year, else active Sharpe ratios."""
    surface = grid.points if of_growth else grid.sharpe

    def told(value: float) -> str:
        return f"{points(value)} pts" if of_growth else number(value, 2, "+")

    peak, plateau = _cell(grid.places, int(grid.places.ravel()[surface.cell.argmax()])), surface.centre
    alike, ahead = int((~grid.apart).sum()), int((grid.points.cell > 0).sum())
    cell = "cell" if len(grid.keys) > 1 else "value"
    return [
        Fact(
            told(surface.cell[peak]),
            f"best {cell}",
            f"{_where(grid, peak)}. It and its neighbours average {told(surface.mean[peak])}, the worst of them "
            f"{told(surface.worst[peak])}.",
        ),
        Fact(
            told(surface.mean[plateau]),
            "mean of the best plateau",
            f"around {_where(grid, plateau)}; its worst neighbour {told(surface.worst[plateau])}. Edges are left out: "
            "fewer neighbours win too easily.",
        ),
        Fact(
            f"{alike} of {grid.places.size}",
            f"{cell}s",
            "cannot be told from the one with the highest active Sharpe ratio (95%, each pair on its own).",
        ),
        Fact(f"{ahead} of {grid.places.size}", f"{cell}s", f"ended ahead of {comparison.benchmarks[0].label}."),
    ]


def _where(grid: EffectGrid, cell: Cell) -> str:
    parts = [f"{grid.keys[0]} {grid.columns[cell[2]]}"]
    if len(grid.keys) > 1:
        parts.append(f"{grid.keys[1]} {grid.rows[cell[1]]}")
    return ", ".join(filter(None, [*parts, grid.slices[cell[0]]]))


def _slice_name(keys: Sequence[str], values: Sequence[str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
