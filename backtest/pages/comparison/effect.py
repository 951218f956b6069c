"""Effect: what each swept parameter does, when the variants span a grid. Plateau or peak?

Each cell, the mean of it and its neighbours, and the worst of them, so that a lucky cell among bad ones shows. With two
keys a cell has eight neighbours, with one key two; a third and further keys part the grid into slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.pages.charts import (
    Chart,
    across,
    axis,
    dots,
    level,
    line,
    margins,
    note,
    rounded,
    rule,
    span,
    ticks,
    titled,
)
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


def grid_charts(grid: EffectGrid, variants: Sequence[Mapping[str, Any]], at: Sequence[Any]) -> dict[str, Chart]:
    """The swept parameters: a plane or a line; with two keys also each by itself. at: places on the page by cell."""
    plane = len(grid.keys) > 1
    own = {"grid": _plane_chart(grid, at) if plane else _line_chart(grid, variants, at)}
    return own | ({"means": _means_chart(grid)} if plane else {})


FIGURES = {"points": 100.0, "sharpe": 1.0}
SURFACES = ("cell", "mean", "worst")


def _told(figure: str, value: float) -> str:
    return f"{points(value)} pts" if figure == "points" else number(value, 2, "+")


def _cell_words(grid: EffectGrid, row: int, column: int) -> str:
    second = f", {grid.keys[1]} {grid.rows[row]}" if len(grid.keys) > 1 else ""
    return f"{grid.keys[0]} {grid.columns[column]}{second}"


def _plane_chart(grid: EffectGrid, at: Sequence[Any]) -> Chart:
    rows, columns = len(grid.rows), len(grid.columns)
    height, views = min(460, max(220, rows * 40 + 60)), {}
    for figure, factor in FIGURES.items():
        surface: Surface = getattr(grid, figure)
        top = float(np.quantile(np.abs(surface.cell), 0.9)) * factor or 1.0
        for part in SURFACES:
            for k in range(len(grid.slices)):
                values = getattr(surface, part)[k]
                told = [
                    [
                        [at[k][r][c], f"{_cell_words(grid, r, c)}: {_told(figure, float(values[r, c]))}"]
                        for c in range(columns)
                    ]
                    for r in range(rows)
                ]
                peak = np.unravel_index(int(surface.cell[k].argmax()), (rows, columns))
                ringed = np.argwhere(grid.apart[k]).tolist()
                centre = surface.centre[1:] if surface.centre[0] == k else None
                ends = [_told(figure, end / factor) for end in (-top, 0.0, top)]
                bar = {"thickness": 8, "len": 0.9, "outlinewidth": 0, "tickvals": [-top, 0, top], "ticktext": ends,
                       "tickfont": {"size": 10}, "xpad": 4}  # fmt: skip
                heat = {
                    "type": "heatmap", "z": [rounded(row * factor, 4) for row in values], "zmin": -top, "zmax": top,
                    "xgap": 1, "ygap": 1, "hoverinfo": "none", "customdata": told, "colorbar": bar,
                    "colorscale": [[0, "@loss*.6"], [0.5, "@paper"], [1, "@gain*.6"]],
                }  # fmt: skip
                views[f"{part}|{figure}|{k}"] = {
                    "data": [heat, *_plane_marks(ringed, centre, peak, at[k], height / rows)]
                }
    names = {
        "xaxis": across([-0.5, columns - 0.5], grid.keys[0], showgrid=False, **ticks(grid.columns, 13, 10)),
        "yaxis": axis(
            range=[-0.5, rows - 0.5], showgrid=False, title=titled(grid.keys[1], 4), **ticks(grid.rows, 12, 8)
        ),
    }
    return {
        "height": height, "says": "Point at a cell to read it; a click selects its variant.", "data": [],
        "view": "cell|points|0", "views": views,
        "narrow": {"layout": {"margin": {"l": 56}, "xaxis": ticks(grid.columns, 6, 10)}},
        "layout": {"margin": margins(68, 76, bottom=42), **names},
    }  # fmt: skip


def _plane_marks(ringed: list[Any], centre: Any, peak: Any, at: Any, tall: float) -> list[Chart]:
    """Rings, the centre of the best plateau, the best cell, and the selected variant's cell where it is in view."""
    found = {place: (c, r) for r, row in enumerate(at) for c, place in enumerate(row) if place >= 0}
    most = max(found, default=-1) + 1
    cells = {"x": [[found[k][0]] if k in found else [] for k in range(most)],
             "y": [[found[k][1]] if k in found else [] for k in range(most)]}  # fmt: skip
    inside = {"symbol": "diamond", "line": {"color": "@paper", "width": 1.5}}
    square = {"symbol": "square-open", "line": {"width": 2.2}}
    cross = {"symbol": "x-thin-open", "size": 9, "color": "@sel", "line": {"width": 2.4}}
    marks = [
        dots([c for _, c in ringed], [r for r, _ in ringed], "@muted", 6, marker={"symbol": "circle-open"}),
        dots([centre[1]] if centre else [], [centre[0]] if centre else [], "@ink", 12, marker=inside),
        dots([int(peak[1])], [int(peak[0])], "@ink", min(18, max(10, tall * 0.6)), marker=square),
    ]
    chosen = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "cells": cells, "front": {"marker": cross}}
    return [*marks, chosen]


def _line_chart(grid: EffectGrid, variants: Sequence[Mapping[str, Any]], at: Sequence[Any]) -> Chart:
    """Of one key: dots with their intervals, mean and worst of three."""
    x, views, places = list(range(len(grid.columns))), {}, at[0][0]
    for figure, factor in FIGURES.items():
        surface: Surface = getattr(grid, figure)
        cell, mean, worst = (getattr(surface, part)[0][0] * factor for part in SURFACES)
        key = "sharpe" if figure == "sharpe" else "difference"
        bars = [[factor * v for v in variants[p][key][1:]] if p >= 0 else [None, None] for p in places]
        told = [
            [places[k], (f"{_cell_words(grid, 0, k)}: {_told(figure, cell[k] / factor)}; mean with its neighbours "
             f"{_told(figure, mean[k] / factor)}, worst {_told(figure, worst[k] / factor)}")] for k in x
        ]  # fmt: skip
        known = [end for bar in bars for end in bar if end is not None]
        spread = line(
            [y for bar in bars for y in (*bar, None)], "@rule", x=[v for k in x for v in (k, k, None)], width=3
        )
        views[f"cell|{figure}|0"] = {
            "data": [
                spread, line(rounded(worst, 4), "@faint", x=x, width=1.4, dash="2px,2px"),
                line(rounded(mean, 4), "@muted", x=x, width=2.4),
                dots(x, rounded(cell, 4), "@ink", 8, customdata=told),
                {"type": "scatter", "mode": "markers", "hoverinfo": "skip",
                 "front": {"marker": {"color": "@role", "size": 12}},
                 "cells": {"x": [[places.index(k)] if k in places else [] for k in range(len(variants))],
                           "y": [[round(float(cell[places.index(k)]), 4)] if k in places else []
                                 for k in range(len(variants))]}},
            ],
            "layout": {"yaxis": {"range": span([*cell, *worst, 0.0, *known])}},
        }  # fmt: skip
    text = note("thick: mean of three; dotted: worst of three", 1, 1, xref="paper", yref="paper", xanchor="right")
    return {
        "height": 340, "says": "Point at a dot to read it; a click selects its variant.", "data": [],
        "view": "cell|points|0", "views": views, "narrow": {"layout": {"xaxis": ticks(grid.columns, 6, 10)}},
        "layout": {
            "margin": margins(top=22, bottom=42), "annotations": [text], "shapes": [level("y", 0)],
            "xaxis": across([-0.5, len(x) - 0.5], grid.keys[0], **ticks(grid.columns, 14, 10)), "yaxis": axis(),
        },
    }  # fmt: skip


def _means_chart(grid: EffectGrid) -> Chart:
    """Mean active Sharpe ratio by the value of each swept parameter."""
    n, data = len(grid.means), []
    layout: Chart = {"margin": margins(bottom=42), "shapes": []}
    stacked: Chart = {}
    low, high = span([0.0, *(value for *_, means in grid.means for value in means)], 0.1)
    for k, (name, levels, means) in enumerate(grid.means):
        key = str(k + 1) if k else ""
        domain = [k / n + (0.045 if k else 0), (k + 1) / n - (0.045 if k < n - 1 else 0)]
        own: Chart = {
            "xaxis": f"x{key}",
            "yaxis": f"y{key}",
            "mode": "lines+markers",
            "marker": {"size": 6, "color": "@ink"},
        }
        data.append(line(rounded(means, 4), "@muted", x=list(range(len(levels))), width=1.6, **own))
        edges = [-0.5, len(levels) - 0.5]
        layout[f"xaxis{key}"] = across(
            edges, name, anchor=f"y{key}", domain=domain, showgrid=False, **ticks(levels, 16 // n, 8)
        )
        layout[f"yaxis{key}"] = axis(range=[low, high], anchor=f"x{key}", nticks=5)
        layout["shapes"].append(rule(edges[0], 0, edges[1], 0, xref=f"x{key}", yref=f"y{key}"))
        stacked[f"xaxis{key}"] = {"domain": [0, 1], **ticks(levels, 7, 8)}
        stacked[f"yaxis{key}"] = {"domain": [1 - (k + 1) / n + 0.14, 1 - k / n]}
    return {"height": 220, "narrow": {"height": 190 * n, "layout": stacked}, "data": data, "layout": layout}
