"""Scores through time: all that a rank scores in one panel with the hurdle, and below it a strip for each leg held."""

from __future__ import annotations

import numpy as np

from backtest.pages import charts
from backtest.pages.charts import Chart, axis, dash_of, heading, label, level, line, margins, short, unseen
from backtest.pages.legs import NEUTRAL, TONES, leg_looks
from backtest.pages.periods import Days
from backtest.result import Result
from backtest.text import unit_of

STRIP, PANEL = 20, 300
"""Heights in pixels."""


def scores_chart(result: Result, days: Days) -> Chart:
    """The chart; its curves are the arrays `evidence0`, `evidence1`, ... of the report."""
    looks, evidence = leg_looks(result.legs), result.decision.evidence
    tone_of = {look.name: (look.tone, k) for k, look in enumerate(looks)}
    label_of = {look.name: look.label for look in looks}
    unit, _, digits = unit_of(evidence[0].unit)
    held = result.decision.held(result.legs, result.config.strategy.initial)[result.begin :]
    rows = [k for k in range(len(looks)) if held[:, k].any()]
    height = PANEL + STRIP * len(rows) + 40
    inner = height - charts.TOP - charts.BOTTOM
    low = (STRIP * len(rows) + 14) / inner
    data: list[Chart] = []
    readout: list[Chart] = [{"date": 1}]
    for k, own in enumerate(evidence):
        name = own.name.removeprefix("score_")
        tone, nth = tone_of.get(name, (NEUTRAL, k))
        is_hurdle = own.name == "hurdle"
        title = "hurdle" if is_hurdle else label_of.get(name, name)
        dash = "4px,3px" if is_hurdle else dash_of(tone, nth // TONES)
        data.append(line(f"#evidence{k}", "@ink" if is_hurdle else f"@{tone}", dash=dash))
        form = ["", digits, unit, "+"]
        readout.append({"value": f"evidence{k}", "name": title, "tone": tone, "format": form, "none": "not known"})
    layout: Chart = {
        "margin": margins(), "xaxis": charts.days_axis(anchor=f"y{1 + len(rows)}"),
        "yaxis": axis(domain=[low, 1 - 20 / inner], nticks=6, ticksuffix=unit if unit == "%" else ""),
        "annotations": [heading(label(f"Scores{f', {unit.strip()}' if unit else ''}"), 1 - 18 / inner)],
        "shapes": [level("y", threshold * unit_of(evidence[0].unit)[1]) for threshold in evidence[0].thresholds],
    }  # fmt: skip
    for place, k in enumerate(rows):
        top = STRIP * (len(rows) - place) / inner
        tone = tone_of[looks[k].name][0]
        at = f"y{2 + place}"
        layout[f"yaxis{2 + place}"] = unseen((top - (STRIP - 4) / inner, top))
        changes = np.flatnonzero(np.diff(held[:, k], prepend=np.nan, append=np.nan)).tolist()
        x = [str(days[min(row, len(days) - 1)]) for row in changes]
        y = [round(float(held[min(row, len(days) - 1), k]), 4) for row in changes]
        own_style = {"fill": "tozeroy", "fillcolor": f"@{tone}", "yaxis": at}
        data.append(line(y, f"@{tone}", x=x, width=0, **own_style) | {"line": {"width": 0, "shape": "hv"}})
        style = {"font": {"size": 11, "color": "@muted"}, "xanchor": "right", "yanchor": "top"}
        layout["annotations"].append(heading(label(short(looks[k].label, 7)), top, **style))
    return {
        "height": height, "narrow": {"layout": {"xaxis": {"nticks": 5}}}, "paper": {"height": height // 2},
        "data": data, "layout": layout, "fit": {"yaxis": {"include": [0]}},
        "readout": [*readout, {"runs": "held", "before": "holds ", "isShort": 1}],
    }  # fmt: skip
