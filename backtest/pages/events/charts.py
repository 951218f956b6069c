"""The charts of an event study: the path around each event, and where the shown mean stands among moved calendars."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.events.cells import EventCell
from backtest.events.study import Events, Paths
from backtest.market import Floats
from backtest.pages import charts
from backtest.pages.charts import Chart, across, axis, line, margins, rounded, rule, span, upright
from backtest.text import number, points

MOST_CHARTS = 6
LABELLED = 4
"""Paths named at their end on either side; the others are read by pointing at them."""

POINTS, FEW_POINTS, MANY = 160, 50, 60
"""Of a path; fewer of more than so many events, so that the page stays light."""

BINS = 48


def drawn(events: Events) -> list[tuple[str, str]]:
    """(list, pair) of each chart, that of the verdict first; empty lists have none."""
    best = events.best
    all_ = [(each.name, pair.key) for pair in events.pairs for each in events.lists if len(each)]
    first = (best.events.name, best.pair.key)
    return ([first] if first in all_ else []) + [each for each in all_ if each != first][: MOST_CHARTS - 1]


def chart_data(events: Events) -> dict[str, Any]:
    """Layouts by id."""
    own = {f"paths{k}": paths_chart(events.paths[each], events) for k, each in enumerate(drawn(events))}
    if len(events.best.placebo.shifted):
        own["placebo"] = placebo_chart(events.best)
    return {"base": charts.BASE, "arrays": {}, "charts": own}


def paths_chart(paths: Paths, events: Events) -> Chart:
    """Each event thin, the mean in front; day 0 itself is left out between the two halves."""
    before, after = paths.before.shape[1], paths.after.shape[1] - 1
    most = POINTS if len(paths.days) <= MANY else FEW_POINTS
    left, right = _thinned(np.arange(-before, 0), most // 4), _thinned(np.arange(0, after + 1), most)
    data, ends = [], _labelled(paths.after)
    values: list[float] = [0.0]
    for k, day in enumerate(paths.days):
        own = np.concatenate([paths.before[k, left + before] if before else [], paths.after[k, right]]) * 100
        values += own[np.isfinite(own)].tolist()
        trace = line(_with_gap(own, len(left)), "@ink/.28", x=_x(left, right), width=1)
        if k in ends:
            trace |= {"label": f"{day:%Y-%m}", "labelColor": "@muted"}
        data.append(trace)
    data.append(_ends(paths))
    mean = np.concatenate([_mean(paths.before)[left + before] if before else [], _mean(paths.after)[right]]) * 100
    data.append(line(_with_gap(mean, len(left)), "@sel", x=_x(left, right), width=2.4) | {"label": "mean"})
    unit = f"{events.market.row}s"
    return {
        "height": 360, "narrow": {"height": 300, "layout": {"xaxis": {"nticks": 5}}}, "paper": {"height": 260},
        "data": data, "ends": "yaxis", "says": "Point at the end of a path to read its day.",
        "layout": {
            "margin": margins(right=62, bottom=40),
            "xaxis": across([-before - 2, after + 2], f"{unit} from day 0"),
            "yaxis": axis(range=span(values), ticksuffix=""),
            "shapes": [upright(0, "@faint"), rule(0, 0, 1, 0, "@faint", xref="paper")],
        },
    }  # fmt: skip


def _thinned(rows: np.typing.NDArray[np.int64], most: int) -> np.typing.NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(np.intp))]


def _x(left: np.typing.NDArray[np.int64], right: np.typing.NDArray[np.int64]) -> list[int | None]:
    return [*left.tolist(), None, *right.tolist()]


def _with_gap(values: Floats, place: int) -> list[float | int | None]:
    own = rounded(values, 2)
    return [*own[:place], None, *own[place:]]


def _mean(paths: Floats) -> Floats:
    """Of the events known at each session; NaN where none is."""
    known = np.isfinite(paths)
    count = known.sum(axis=0)
    total = np.where(known, paths, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ends(paths: Paths) -> Chart:
    """A dot at the end of each path, which says its day."""
    at = [int(np.flatnonzero(np.isfinite(path))[-1]) if np.isfinite(path).any() else 0 for path in paths.after]
    ends = np.array([path[k] for path, k in zip(paths.after, at, strict=True)])
    told = [
        [-1, f"{day:%Y-%m-%d}: day 0 itself {points(float(own))}, then {points(float(end))}"]
        for day, own, end in zip(paths.days, paths.day0, ends, strict=True)
    ]
    return charts.dots(at, rounded(ends * 100, 2), "@ink/.45", 5, customdata=told)


def _labelled(after: Floats) -> set[int]:
    """The events that ended highest and lowest; all of a few."""
    if len(after) <= 2 * LABELLED:
        return set(range(len(after)))
    ends = np.array([path[np.isfinite(path)][-1] for path in after])
    order = np.argsort(ends, kind="stable")
    return {*order[:LABELLED].tolist(), *order[-LABELLED:].tolist()}


def placebo_chart(cell: EventCell) -> Chart:
    """How often a moved calendar gives which studentised mean; filled where it does as well as the real one."""
    assert cell.placebo.t is not None
    t, shifted = cell.placebo.t, cell.placebo.shifted
    low, high = min(float(shifted.min()), t), max(float(shifted.max()), t)
    width = (high - low) / BINS or 0.1
    edges = t + width * np.arange(np.floor((low - t) / width), np.ceil((high - t) / width) + 1)
    counts, _ = np.histogram(shifted, edges)
    middles = (edges[:-1] + edges[1:]) / 2
    tones = ["@sel" if middle > t else "@ink/.35" for middle in middles.tolist()]
    told = [
        [-1, f"a studentised mean of {number(m)}: {n} places"] for m, n in zip(middles.tolist(), counts, strict=True)
    ]
    bars = {"type": "bar", "x": rounded(middles, 3), "y": counts.tolist(), "width": width * 0.9,
            "marker": {"color": tones}, "hoverinfo": "none", "customdata": told}  # fmt: skip
    side = "right" if t > (low + high) / 2 else "left"
    words = f"where the events are: {number(t)}"
    return {
        "height": 260, "narrow": {"layout": {"xaxis": {"nticks": 5}}}, "data": [bars],
        "says": "Filled: places at which the calendar does as well as where it is.",
        "layout": {
            "margin": margins(top=24, bottom=40),
            "xaxis": across([low - width, high + width], "studentised mean inside the windows"),
            "yaxis": axis(rangemode="tozero"),
            "shapes": [rule(t, 0, t, 1, "@ink", width=2, yref="paper")],
            "annotations": [charts.note(words, t, 1, yref="paper", xanchor=side)],
        },
    }  # fmt: skip
