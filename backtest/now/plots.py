"""Charts that stand alone: the surges of a ticker, and how priced-in cuts moved. One self-contained page each.

In the report's palette; the chart library is plotly's own, and put into the page so that it can be read offline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.market import Floats
from backtest.now.fedwatch import Table
from backtest.now.surges import SurgeFound
from backtest.store.folder import write_text

INK, SMALL, GRID = "#1d2733", "#c2571a", "#e4e7eb"
LAYOUT: dict[str, Any] = {"template": "plotly_white", "font": {"color": INK}, "hovermode": "x unified"}


def surge_chart(path: Path, days: pd.DatetimeIndex, values: Floats, found: Sequence[SurgeFound], *, title: str) -> None:
    """The gain at each session, the surges marked."""
    import plotly.graph_objects as go

    known = ~np.isnan(values)
    figure = go.Figure(layout={**LAYOUT, "title": title, "yaxis": {"title": "points", "gridcolor": GRID}})
    figure.add_scatter(x=days[known], y=100 * values[known], mode="lines", line={"color": INK, "width": 1}, name="gain")
    label = [f"{each.day:%Y-%m-%d}" for each in found]
    figure.add_scatter(
        x=[each.day for each in found], y=[100 * each.gain for each in found], mode="markers+text", text=label,
        textposition="top center", marker={"color": SMALL, "size": 8}, name="surges",
    )  # fmt: skip
    _write(path, figure, "surges")


def fedwatch_chart(
    path: Path, history: Sequence[tuple[pd.Timestamp, Mapping[pd.Timestamp, float]]], table: Table
) -> None:
    """The probability of a lower target after each meeting of the table, over the weeks before."""
    import plotly.graph_objects as go

    title = f"Probability of a lower target after each meeting, to {table.day:%Y-%m-%d}"
    figure = go.Figure(layout={**LAYOUT, "title": title, "yaxis": {"title": "%", "range": [0, 101], "gridcolor": GRID}})
    for meeting in table.meetings:
        seen = [(day, 100 * odds.get(meeting, np.nan)) for day, odds in history]
        points = [(day, chance) for day, chance in seen if not np.isnan(chance)]
        if points:
            x, y = zip(*points, strict=True)
            figure.add_scatter(x=list(x), y=list(y), mode="lines+markers", name=f"{meeting:%Y-%m-%d}")
    _write(path, figure, "fedwatch")


def _write(path: Path, figure: Any, name: str) -> None:
    page = figure.to_html(include_plotlyjs=True, full_html=True, div_id=name)
    write_text(path, page)
