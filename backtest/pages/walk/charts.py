"""The charts of a walk-forward: the accounts, what was chosen and where it then stood; where asked for, the paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats
from backtest.metrics import metric_of
from backtest.pages import charts
from backtest.pages.charts import Chart, axis, dots, heading, label, level, line, margins, rounded, rule, upright
from backtest.study.walk_forward import WalkForward
from backtest.study.walk_paths import WalkPaths
from backtest.text import percent, setting, short_key

MOST_DRAWN = 60
"""WalkPaths; of more, as many from the least to the most grown."""

SHOWN = ("information_ratio", "sharpe", "cagr")
STRIDE = 13
TIMES = ["", 2, "×"]


def chart_data(walk: WalkForward) -> dict[str, Any]:
    """About every fifth session, the first tested one among them."""
    start, sessions = walk.choices[0].window.begin, walk.sweep.first.plan.sessions
    end = len(sessions) if walk.paths else start + len(walk.sessions)
    before = np.arange(start, -1, -5)[::-1] if walk.paths else np.array([start])
    first = [0] if walk.paths else []
    rows = np.unique(np.concatenate([first, before, np.arange(start, end, 5), [end - 1]])).astype(np.intp)
    days = sessions.to_numpy().astype("datetime64[D]")
    tested = rows[rows >= start] - start
    unknown = [None] * (len(rows) - len(tested))
    named = ("walk-forward", walk.equity), (benchmark_label(walk.sweep.benchmark or ""), walk.benchmark)
    curves = [*named, ("best in hindsight", walk.hindsight)]
    data: dict[str, Any] = {
        **charts.day_gaps(days[rows]),
        "from": len(unknown),
        "base": charts.BASE,
        "arrays": {f"curve{k}": unknown + _grown(equity, tested) for k, (_, equity) in enumerate(curves)},
        "charts": {
            "curve": _growth_chart(
                [(f"curve{k}", name) for k, (name, _) in enumerate(curves)],
                [upright(str(days[choice.window.begin]), "@grid") for choice in walk.choices],
            ),
            "drift": _drift_chart(walk, days),
        },
    }
    if walk.paths:
        _add_paths(data, walk, walk.paths, rows)
    return data


def _grown(equity: Floats, rows: npt.NDArray[np.intp]) -> list[float | int | None]:
    return rounded(equity[rows] / equity[0], 4)


STYLES: tuple[tuple[str, float, str], ...] = (("sel", 2.2, "solid"), ("ink", 1.4, "solid"), ("mix", 1.3, "5px,3px"))


def _growth_chart(curves: list[tuple[str, str]], shapes: list[Chart]) -> Chart:
    """Multiples of the start; the first curve in front."""
    data: list[Chart] = []
    readout: list[Chart] = [{"date": 1}]
    for (array, name), (tone, width, dash) in zip(curves, STYLES[-len(curves) :], strict=True):
        data.insert(0, line(f"#{array}", f"@{tone}", width=width, dash=dash))
        readout.append({"value": array, "name": name, "tone": f"stroke {tone}", "format": TIMES})
    return {
        "height": 400, "narrow": {"height": 300, "layout": {"xaxis": {"nticks": 5}}}, "paper": {"height": 280},
        "data": data, "stride": STRIDE, "readout": readout, "fit": {"yaxis": {}},
        "layout": {
            "margin": margins(), "xaxis": charts.days_axis(), "shapes": shapes,
            "yaxis": axis(type="log", nticks=4, ticksuffix="×", tickformat="~r"),
        },
    }  # fmt: skip


def _drift_chart(walk: WalkForward, days: npt.NDArray[np.datetime64]) -> Chart:
    """A panel for each swept key with the value chosen, and one for the rank that it then had."""
    begins = [str(days[choice.window.begin]) for choice in walk.choices]
    ends = [*begins[1:], str(days[walk.choices[-1].window.end - 1])]
    middle = [str(a + (b - a) // 2) for a, b in zip(np.array(begins, "M8[D]"), np.array(ends, "M8[D]"), strict=True)]
    ranks = [round(choice.rank, 4) if np.isfinite(choice.rank) else None for choice in walk.choices]
    keys = [(key, values) for key, values in walk.sweep.study.grid.items() if len(values) > 1]
    n = len(keys) + 1
    layout: Chart = {"margin": margins(left=60), "shapes": [], "annotations": []}
    data = []
    for k in range(n):
        name, low, top = f"y{k + 1 if k else ''}", 1 - (k + 1) / n + 0.03, 1 - k / n - 0.05
        own: Chart = {"domain": [low, top]}
        if k < len(keys):
            key, values = keys[k]
            chosen = [values.index(choice.values[key]) for choice in walk.choices]
            told = [f"from {day}: {short_key(key)} {setting(values[v])}" for day, v in zip(begins, chosen, strict=True)]
            own |= {"range": [-0.5, len(values) - 0.5], **charts.ticks([setting(v) for v in values], 5, 7)}
            steps = line([*chosen, chosen[-1]], "@sel", x=[*begins, ends[-1]], yaxis=name, width=2)
            data.append(steps | {"line": {"color": "@sel", "width": 2, "shape": "hv"}, "hoverinfo": "none",
                                 "customdata": [*([-1, text] for text in told), [-1, told[-1]]]})  # fmt: skip
            title = short_key(key)
        else:
            told = [f"from {day}: above {percent(rank, 0)} of all" for day, rank in zip(begins, ranks, strict=True)]
            own |= {"range": [-0.08, 1.08], "tickvals": [0, 0.5, 1], "tickmode": "array", "tickformat": ".0%"}
            tones = ["@ink" if rank is not None and rank > 0.5 else "@faint" for rank in ranks]
            data.append(dots(middle, ranks, tones, 8, yaxis=name, customdata=[[-1, text] for text in told]))
            layout["shapes"].append(level(name, 0.5))
            title = "rank among all"
        layout[name.replace("y", "yaxis")] = axis(**own)
        layout["annotations"].append(heading(label(title), top + 0.005))
    layout["xaxis"] = charts.days_axis(anchor=f"y{n}", range=[begins[0], ends[-1]])
    narrow = {"layout": {"xaxis": {"nticks": 5}}}
    return {
        "height": 150 * n,
        "narrow": narrow,
        "data": data,
        "layout": layout,
        "says": "Point at a choice to read it.",
    }


def _add_paths(data: dict[str, Any], walk: WalkForward, paths: WalkPaths, rows: npt.NDArray[np.intp]) -> None:
    """All of them thin, the benchmark in front; below, where each one's figures stand."""
    order = np.argsort(paths.equity[:, -1], kind="stable")
    drawn = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_DRAWN)).round().astype(np.intp))]
    grown = paths.equity[:, rows] / paths.equity[:, :1]
    low, median, high = (rounded(each, 4) for each in np.quantile(grown, [0.0, 0.5, 1.0], axis=0))
    held = [("held0", benchmark_label(walk.sweep.benchmark or "")), ("held1", "best in sample")]
    data["arrays"] |= {"low": low, "median": median, "high": high}
    data["arrays"] |= {"held0": _grown(paths.benchmark, rows), "held1": _grown(paths.in_sample, rows)}
    data["arrays"] |= {f"path{k}": _grown(paths.equity[place], rows) for k, place in enumerate(drawn)}
    chart = _growth_chart(held, [])
    thin = [line(f"#path{k}", "@sel/.35" if len(drawn) > 20 else "@sel/.6", width=1) for k in range(len(drawn))]
    spread = [("low", "lowest path", "stroke sel"), ("median", "median", ""), ("high", "highest", "")]
    told = [{"value": array, "name": name, "tone": tone, "format": TIMES} for array, name, tone in spread]
    date, *rest = chart["readout"]
    data["charts"]["paths"] = chart | {
        "begin": 0, "height": 340, "data": [*thin, *chart["data"]], "readout": [date, *told, *rest]
    }  # fmt: skip
    data["charts"]["strips"] = _strips_chart(walk, paths)


def _strips_chart(walk: WalkForward, paths: WalkPaths) -> Chart:
    """One line for each figure, on its own scale: a dot is a path, the stroke the benchmark, the diamond the best."""
    n = len(SHOWN)
    layout: Chart = {"margin": margins(left=12, top=4), "shapes": [], "annotations": []}
    data = []
    for k, key in enumerate(SHOWN):
        metric, name, top = metric_of(key), str(k + 1) if k else "", 1 - k / n - 0.08
        factor = 100 if metric.unit == "fraction" else 1
        values = [float(each[key]) * factor for each in paths.figures if each[key] is not None]  # type: ignore[arg-type]
        zero = 0.0 if key == "information_ratio" else paths.benchmark_figures[key]
        best, marks = paths.in_sample_figures[key], {"xaxis": f"x{name}", "yaxis": f"y{name}", "cliponaxis": False}
        ends = [*values, *(float(each) * factor for each in (zero, best) if each is not None)]
        up = [0.5 + (0.5 if len(values) > 12 else 0.0) * (j * 0.618034 % 1 - 0.5) for j in range(len(values))]
        told = [[-1, f"a path: {metric.head} {metric.write(value / factor)}"] for value in values]
        if values:
            data.append(dots(rounded(values, 5), rounded(up, 4), "@sel/.55", 9, customdata=told, **marks))
        if best is not None:
            words = [[-1, f"best in sample: {metric.head} {metric.write(best)}"]]
            sign = {"symbol": "diamond", "line": {"color": "@paper", "width": 1}}
            data.append(dots([best * factor], [0.5], "@mix", 12, customdata=words, marker=sign, **marks))
        suffix = "%" if factor == 100 else ""
        edge: Chart = {
            "linecolor": "@faint",
            "ticks": "outside",
            "tickcolor": "@faint",
            "ticklen": 4,
            "showgrid": False,
        }
        layout[f"xaxis{name}"] = axis(anchor=f"y{name}", range=charts.span(ends or [0.0]), ticksuffix=suffix, **edge)
        domain = [1 - (k + 1) / n + 0.11, top]
        layout[f"yaxis{name}"] = charts.unseen(domain, anchor=f"x{name}")
        if zero is not None:
            x = zero * factor
            layout["shapes"].append(rule(x, 0, x, 1, width=2, xref=f"x{name}", yref=f"y{name}"))
        layout["annotations"].append(heading(label(metric.head), top))
    says = "Dots: paths; stroke: the benchmark; diamond: the best in sample. Point at one to read it."
    return {"height": 100 * n, "data": data, "layout": layout, "says": says}
