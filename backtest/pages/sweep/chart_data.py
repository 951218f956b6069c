"""Chart data: the figures of the points as packed whole numbers, the swept values, where benchmarks and mixes stand.

A page holds as many points as fit: of a larger grid every second, fourth, ... value of its longest keys, of a larger
sample every second, fourth, ... point. What it holds is told by `Carried`, and the page says so.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats, Legs
from backtest.metrics import Metric, metric_of
from backtest.pages import charts
from backtest.pages.charts import Chart, axis, line, margins
from backtest.pages.shell import script_json
from backtest.result import mix_words
from backtest.study.findings import Finalist, Findings
from backtest.study.sweep import Sweep
from backtest.text import setting, short_key

MOST_BYTES = 1_900_000
"""Of the chart data: with plotly's 4.8 million and the text a page stays below 7 million."""

UNITS = {"h": np.int16, "i": np.int32}
MOST = {"h": 2**15 - 1, "i": 2**31 - 1}
"""The largest number of a kind; the least one stands for an undefined figure."""

SCALES = {"fraction": 100_00, "ratio": 1000, "times": 100}
"""Whole numbers per one, by the unit of a metric."""

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Carried:
    """The points a page holds: their numbers, and of a grid the first value and the step of each key."""

    numbers: Whole
    every: tuple[tuple[int, int], ...]
    is_whole_grid: bool
    size: int

    @property
    def is_all(self) -> bool:
        """Nothing was left out."""
        return len(self.numbers) == self.size


DRAWN = ("plane", "slices", "distribution")
"""Charts whose data assets/sweep.js computes."""

CHARTED = ("cagr", "sharpe", "max_drawdown", "turnover_annual")
"""Metrics the charts can show, beside the one that ranks."""


def figures_shown(sweep: Sweep) -> list[Metric]:
    """What the charts can show; the figure that ranks comes first."""
    return [metric_of(key) for key in dict.fromkeys((sweep.headline, *CHARTED))]


def chart_json(sweep: Sweep, findings: Findings) -> tuple[str, Carried]:
    """JSON that may stand inside a script element, and which points it holds."""
    carried = all_points(sweep)
    while len(text := _text(sweep, findings, carried)) > MOST_BYTES and len(carried.numbers) > 1:
        carried = fewer(sweep, carried)
    return text, carried


def all_points(sweep: Sweep) -> Carried:
    """Every point of the sweep."""
    size = len(sweep.table)
    every = tuple((0, 1) for _ in sweep.keys)
    return Carried(np.arange(size), every, sweep.study.sample is None, size)


def fewer(sweep: Sweep, carried: Carried) -> Carried:
    """About half of them, in equal steps: of the longest key's values, or of a sample's points; with the best one."""
    best = int(sweep.ranked[0]) if len(sweep.ranked) else 0
    if not carried.is_whole_grid:
        step = 2 * (carried.every[0][1] if carried.every else 1)
        numbers = np.arange(best % step, carried.size, step)
        return Carried(numbers, ((int(numbers[0]), step), *carried.every[1:]), False, carried.size)
    axes = zip(sweep.study.grid.values(), carried.every, strict=True)
    lengths = [len(_kept(values, every)) for values, every in axes]
    longest = int(np.argmax(lengths))
    step = 2 * carried.every[longest][1]
    first = int(sweep.digits[best, longest]) % step
    every = tuple((first, step) if k == longest else own for k, own in enumerate(carried.every))
    digits = sweep.digits[carried.numbers, longest]
    return Carried(carried.numbers[digits % step == first], every, True, carried.size)


def _kept(values: tuple[object, ...], every: tuple[int, int]) -> tuple[object, ...]:
    return values[every[0] :: every[1]]


def _text(sweep: Sweep, findings: Findings, carried: Carried) -> str:
    numbers, is_grid = carried.numbers, carried.is_whole_grid
    levels = [_kept(v, e) if is_grid else v for v, e in zip(sweep.study.grid.values(), carried.every, strict=True)]
    plateau = findings.plateau
    data: dict[str, Any] = {
        "keys": [
            {"name": short_key(key), "levels": [setting(value) for value in own], "isOrdered": is_ordered}
            for key, own, is_ordered in zip(sweep.keys, levels, findings.is_ordered, strict=True)
        ],
        "points": len(numbers),
        "size": carried.size,
        "digits": None if is_grid else [packed(sweep.digits[numbers, k]) for k in range(len(sweep.keys))],
        "numbers": None if carried.is_all else packed(numbers),
        "figures": [
            {
                "name": each.head,
                "unit": "%" if each.unit == "fraction" else "",
                "better": each.direction,
                **_packed_figure(sweep.metric(each.key)[numbers], SCALES[each.unit]),
                "lines": _lines(findings, each.key, sweep.first.legs),
            }
            for each in figures_shown(sweep)
        ],
        "best": _place(numbers, int(sweep.ranked[0]) if len(sweep.ranked) else None),
        "centre": _place(numbers, plateau.centre if plateau else None),
        "base": charts.BASE,
        "axis": axis(),
        "charts": {name: {"height": 300, "isHeard": 1, "layout": {"margin": margins(bottom=46)}} for name in DRAWN},
    }
    return script_json(data | _curves(data["charts"], findings))


def _place(numbers: Whole, point: int | None) -> int:
    """Where a point stands among those carried; -1 where it does not."""
    found = np.flatnonzero(numbers == point) if point is not None else numbers[:0]
    return int(found[0]) if len(found) else -1


def packed(values: Whole) -> list[str]:
    """[kind, base64] of whole numbers as 2 or 4 bytes each, little endian."""
    kind = "h" if not len(values) or np.abs(values).max() < MOST["h"] else "i"
    data = values.astype(np.dtype(UNITS[kind]).newbyteorder("<"))
    return [kind, base64.b64encode(data.tobytes()).decode()]


def _packed_figure(values: Floats, scale: int) -> dict[str, Any]:
    """In whole numbers of 1 / scale; a coarser scale where two bytes would not do; the least number is undefined."""
    known = np.isfinite(values)
    largest = float(np.abs(values[known]).max()) if known.any() else 0.0
    while scale > 1 and largest * scale >= MOST["h"]:
        scale //= 10
    rounded = np.where(known, np.round(np.where(known, values, 0.0) * scale), 0.0)
    kind = "h" if largest * scale < MOST["h"] else "i"
    whole = np.where(known, np.clip(rounded, -MOST[kind], MOST[kind]), -MOST[kind] - 1)
    data = whole.astype(np.dtype(UNITS[kind]).newbyteorder("<"))
    return {"scale": scale, "values": [kind, base64.b64encode(data.tobytes()).decode()]}


def _lines(findings: Findings, key: str, legs: Legs) -> list[list[Any]]:
    """[label, kind, value] of each benchmark and each static mix that has the figure."""
    held = findings.benchmarks.items()
    rows: list[list[Any]] = [[benchmark_label(name), "benchmark", own[key]] for name, own in held]
    rows += [[mix_words(legs, shares), "mix", own[key]] for shares, own in findings.mixes]
    return [[label, kind, round(float(value), 6)] for label, kind, value in rows if value is not None]


MOST_ROWS = 1300
"""Dates of the finalists' chart: about one a week in 25 years."""

CURVES = (("sel", "solid", 2.0), ("ink", "solid", 1.2), ("kept-1", "6px,3px", 1.2), ("kept-3", "1px,3px", 1.8))


def _curves(drawn: dict[str, Chart], findings: Findings) -> dict[str, Any]:
    """Days and curves: each finalist's equity over the first benchmark's, 1 at its start.

    Without a benchmark: over its own starting cash. A finalist that starts later has null before; a point that is a
    finalist twice is drawn once.
    """
    own = {each.number: each for each in reversed(findings.finalists)}
    finalists = [each for each in findings.finalists if own[each.number] is each]
    if not finalists:
        return {}
    sessions = max((each.result.sessions for each in finalists), key=len)
    rows = np.unique(np.linspace(0, len(sessions) - 1, min(MOST_ROWS, len(sessions))).round().astype(np.int64))
    days, readout, data = sessions[rows].to_numpy(), [{"date": 1}], []
    for k, each in enumerate(finalists):
        tone, dash, width = CURVES[k % len(CURVES)]
        part = {
            "value": f"curve{k}",
            "name": each.why,
            "tone": f"stroke {tone}",
            "format": ["", 3],
            "none": "not begun",
        }
        readout.append(part)  # type: ignore[arg-type]
        data.append(line(f"#curve{k}", f"@{tone}", width=width, dash=dash))
    drawn["curves"] = {
        "height": 320, "narrow": {"height": 260, "layout": {"xaxis": {"nticks": 5}}}, "data": data, "readout": readout,
        "layout": {
            "margin": margins(), "xaxis": charts.days_axis(), "yaxis": axis(type="log", nticks=4, tickformat="~r"),
            "shapes": [charts.level("y", 1)],
        },
        "fit": {"yaxis": {"include": [1]}},
    }  # fmt: skip
    return {**charts.day_gaps(days), "arrays": {f"curve{k}": _at(each, days) for k, each in enumerate(finalists)}}


def _at(finalist: Finalist, days: np.ndarray[Any, Any]) -> list[float | int | None]:
    """The relative curve on some days; null before its first session."""
    benchmarks, sessions = list(finalist.result.benchmarks.values()), finalist.result.sessions.to_numpy()
    against = benchmarks[0].equity if benchmarks else np.full(len(finalist.curve), finalist.curve[0])
    last = np.searchsorted(sessions, days, side="right") - 1
    return charts.rounded(np.where(last >= 0, (finalist.curve / against)[np.maximum(last, 0)], np.nan), 4)
