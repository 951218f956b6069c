"""Charts: the parts that plotly's layouts are made of, as dicts; assets/charts.js draws them.

"@ink" is a colour of the page ("@ink/.3" thinned by transparency, "@ink*.3" mixed with paper), "#name" one of the
page's arrays. Margins and ranges are explicit: where a point stands is arithmetic, and nothing moves between redraws.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

Chart = dict[str, Any]
LEFT, TOP, BOTTOM = 46, 8, 26
LOG_UNIT = 1e-4
"""Of a logarithm of growth in a coded curve: a hundredth of a percent."""

BASE: Chart = {
    "font": {"family": "Inter, system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif",
             "size": 12, "color": "@muted"},
    "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "hovermode": "closest",
    "dragmode": False,
}  # fmt: skip
"""What every layout begins with."""

DATE_TICKS = [
    {"dtickrange": [None, "M1"], "value": "%-d %b"},
    {"dtickrange": ["M1", "M12"], "value": "%b %Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]
"""One line, which the margin has room for, in place of plotly's two."""

DASHES = {"mix": ("4px,2px", "1px,2px", "8px,3px", "2px,4px")}
"""Of the lines of one colour, in order; others begin with a whole line."""

OTHER_DASHES = ("solid", "1px,2px", "6px,2px")


def label(text: str) -> str:
    """Text of a config as plotly may read it: its texts are pseudo-HTML, and ours have colours by name."""
    return html.escape(text, quote=False).replace("@", "&#64;")  # plotly reads no &quot;


def short(text: str, most: int = 14) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def dash_of(tone: str, nth: int) -> str:
    """How the nth line of a colour is drawn."""
    own = DASHES.get(tone, OTHER_DASHES)
    return own[nth % len(own)]


def merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> Chart:
    """One dict out of two, maps within merged too."""
    both = dict(base)
    for key, value in extra.items():
        inner = both.get(key)
        is_map = isinstance(inner, Mapping) and isinstance(value, Mapping)
        both[key] = merge(inner, value) if is_map else value  # type: ignore[arg-type]
    return both


def axis(**own: Any) -> Chart:
    """A value axis. tickmode is given since an axis that overlays another takes that one's ticks otherwise."""
    basic = {"fixedrange": True, "tickmode": "auto", "gridcolor": "@grid", "zeroline": False, "automargin": False}
    return basic | {"nticks": 6, "tickangle": 0} | own


def unseen(domain: Sequence[float], **own: Any) -> Chart:
    """An axis from 0 to 1 for areas and marks."""
    return {"fixedrange": True, "domain": list(domain), "range": [0, 1], "visible": False} | own


def days_axis(**own: Any) -> Chart:
    """The axis of the page's days; its range is the period in view."""
    line = {"linecolor": "@faint", "ticks": "outside", "tickcolor": "@faint", "ticklen": 4}
    basic = {"type": "date", "showgrid": False, "nticks": 9, "tickformatstops": DATE_TICKS}
    return axis(**(basic | line | own))


def titled(text: str, standoff: int = 6) -> Chart:
    """The title of an axis."""
    return {"text": label(text), "font": {"size": 12}, "standoff": standoff}


def across(ends: Sequence[float] | None, words: str, **own: Any) -> Chart:
    """A value axis along the bottom, with its title."""
    title = {"title": titled(words)} if words else {}
    inner = {} if ends is None else {"range": list(ends)}
    return axis(**({"linecolor": "@faint", "nticks": 9, **title, **inner} | own))


def ticks(levels: Sequence[str], most: int, longest: int = 18) -> Chart:
    """Names at 0, 1, 2, ..., so many of them as fit."""
    every = math.ceil(len(levels) / max(1, most)) if levels else 1
    at = list(range(0, len(levels), every))
    return {"tickmode": "array", "tickvals": at, "ticktext": [label(short(levels[k], longest)) for k in at]}


def margins(left: int = LEFT, right: int = 12, top: int = TOP, bottom: int = BOTTOM) -> Chart:
    """Explicit, in px."""
    return {"l": left, "r": right, "t": top, "b": bottom}


def line(y: Any, tone: str, *, x: Any = "#days", width: float = 1.2, dash: str = "solid", **own: Any) -> Chart:
    """A curve."""
    basic = {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "connectgaps": False}
    return merge(basic | {"line": {"color": tone, "width": width, "dash": dash}}, own)


def dots(x: Any, y: Any, tone: Any, size: Any = 6, **own: Any) -> Chart:
    """Markers. With `customdata` of (variant or -1, words) each can be read and chosen."""
    basic = {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"color": tone, "size": size}}
    return merge(basic | {"hoverinfo": "none" if "customdata" in own else "skip"}, own)


def rule(
    x0: Any, y0: Any, x1: Any, y1: Any, tone: str = "@ink", *, width: float = 1, dash: str = "solid", **own: Any
) -> Chart:
    """A straight line between two points."""
    return {
        "type": "line",
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "line": {"color": tone, "width": width, "dash": dash},
    } | own


def level(yref: str, y: float, tone: str = "@ink", **own: Any) -> Chart:
    """A line across the whole plot."""
    return rule(0, y, 1, y, tone, xref="paper", yref=yref, **own)


def upright(x: Any, tone: str, **own: Any) -> Chart:
    """A line from bottom to top, below what is drawn."""
    return rule(x, 0, x, 1, tone, yref="paper", layer="below", **own)


def note(text: str, x: Any, y: Any, **own: Any) -> Chart:
    """Text at a point of the plot, escaped by the caller."""
    basic = {"text": text, "x": x, "y": y, "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
    return basic | {"font": {"size": 11, "color": "@muted"}} | own


def heading(text: str, y: float, **own: Any) -> Chart:
    """The name of a panel, above it."""
    return note(text, 0, y, xref="paper", yref="paper", **({"font": {"size": 12, "color": "@ink"}} | own))


def span(values: Sequence[float], pad: float = 0.06) -> list[float]:
    """The range that holds these values, with some room."""
    low, high = float(min(values)), float(max(values))
    room = (high - low or 1.0) * pad
    return [low - room, high + room]


def rounded(values: Floats | Sequence[float], digits: int) -> list[float | int | None]:
    """Rounded numbers, None where there is none; whole ones as integers."""
    own = np.asarray(values, dtype=np.float64)
    known = np.isfinite(own)
    near = np.round(np.where(known, own, 0.0), digits) + 0.0
    numbers = near.astype(np.int64).tolist() if not digits else near.tolist()
    return (
        list(numbers) if known.all() else [x if is_ else None for x, is_ in zip(numbers, known.tolist(), strict=True)]
    )


def coded(equity: Floats, rows: npt.NDArray[np.intp]) -> dict[str, list[int]]:
    """A curve at these rows as differences of rounded logarithms, so that nothing drifts; 1 at the first row."""
    steps = np.round(np.log(equity[rows] / equity[0]) / LOG_UNIT).astype(np.int64)
    return {"log": [int(step) for step in np.diff(steps, prepend=0)]}


def day_gaps(days: npt.NDArray[np.datetime64]) -> dict[str, Any]:
    """The page's days, which stand once."""
    whole = days.astype("datetime64[D]")
    return {"first": str(whole[0]), "gaps": np.diff(whole).astype(int).tolist()}
