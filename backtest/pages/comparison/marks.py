"""Marks: the small pictures that stand in text and tables, as SVG made here, so that they need no script.

Only numbers enter them, never a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backtest.market import Floats
from backtest.text import number

MARK_WIDTH, MARK_HEIGHT = 62, 16
SPARK_WIDTH, SPARK_HEIGHT, SPARK_POINTS = 58, 20, 44
SHARE_WIDTH = 40
DOT, DOTS_WIDTH, DOTS_MARGIN = 13, 350, 14
"""Diameter of a dot with its gap, width of the picture and what stays free on both sides, px."""

Span = tuple[float, float]


def interval_mark(value: float, ends: Span, scale: Span) -> str:
    """A dot on its interval, on the scale of its column; what goes beyond is cut at the edge."""

    def x(at: float) -> float:
        return _on(at, scale, 3.0, MARK_WIDTH - 3.0)

    return (
        f'<svg class="mark" width="{MARK_WIDTH}" height="{MARK_HEIGHT}" aria-hidden="true">'
        f'<line class="zero" x1="{x(0.0)}" x2="{x(0.0)}" y1="0" y2="{MARK_HEIGHT}"/>'
        f'<line class="ends" x1="{x(ends[0])}" x2="{x(ends[1])}" y1="8" y2="8"/>'
        f'<circle cx="{x(value)}" cy="8" r="3.2"/></svg>'
    )


def common_scale(intervals: Sequence[Span]) -> Span:
    """One scale for a column, with 0 in it; one outlier among many does not flatten the rest."""
    low = float(np.quantile([low for low, _ in intervals], 0.02))
    high = float(np.quantile([high for _, high in intervals], 0.98))
    low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high > low else (-1.0, 1.0)


def share_mark(share: float, tone: str) -> str:
    """A bar with the share of a leg in it; tone: the leg's colour."""
    width = round(SHARE_WIDTH * min(max(share, 0.0), 1.0), 1)
    return (
        f'<svg class="share" width="{SHARE_WIDTH}" height="9" aria-hidden="true">'
        f'<rect class="g" width="{SHARE_WIDTH}" height="9"/><rect class="s {tone}" width="{width}" height="9"/></svg>'
    )


def spark(relative: Floats, scale: Span) -> str:
    """Wealth relative to the benchmark (logarithms, one per session) as a line, with the level it started from."""
    rows = np.linspace(0, len(relative) - 1, min(SPARK_POINTS, len(relative))).astype(np.intp)
    step = (SPARK_WIDTH - 2) / max(len(rows) - 1, 1)
    points = " ".join(
        f"{1 + k * step:.0f},{_on(-float(value), (-scale[1], -scale[0]), 1.0, SPARK_HEIGHT - 1.0)}"
        for k, value in enumerate(relative[rows])
    )
    zero = _on(0.0, (-scale[1], -scale[0]), 1.0, SPARK_HEIGHT - 1.0)
    return (
        f'<svg class="mark" width="{SPARK_WIDTH}" height="{SPARK_HEIGHT}" aria-hidden="true">'
        f'<line class="zero" x1="0" x2="{SPARK_WIDTH}" y1="{zero}" y2="{zero}"/><polyline points="{points}"/></svg>'
    )


def dot_picture(dots: Floats, filled: int, best: float, variants: int) -> str:
    """Equally likely lucky bests, one a dot; the last `filled` of them reach the best that happened.

    dots: rising. The edges of the bins start at the best's line, so that every filled dot stands right of it.
    """
    scale = (min(float(dots[0]), best) - 0.02, max(float(dots[-1]), best) + 0.02)
    at = _on(best, scale, DOTS_MARGIN, DOTS_WIDTH - DOTS_MARGIN)
    stacked = list(_stacked(dots, filled, at, scale))
    rows = max(height for _, height, _ in stacked) + 1
    base = rows * DOT + 18
    circles = "".join(
        f'<circle class="{"full" if full else "empty"}" cx="{x}" cy="{base - (row + 0.5) * DOT:.1f}" r="5.2"/>'
        for x, row, full in stacked
    )
    side = "end" if at > DOTS_WIDTH * 0.6 else "start" if at < DOTS_WIDTH * 0.4 else "middle"
    what = f"{filled} of {len(dots)} no-skill bests of {variants} reach the best that happened, {number(best)}"
    return (
        f'<svg class="dots" viewBox="0 0 {DOTS_WIDTH} {base + 28}" role="img" aria-label="{what}">'
        f'<line class="floor" x1="0" x2="{DOTS_WIDTH}" y1="{base + 1}" y2="{base + 1}"/>{circles}'
        f'<line class="best" x1="{at}" x2="{at}" y1="4" y2="{base + 8}"/>'
        f'<text x="{at}" y="{base + 23}" text-anchor="{side}">the best here: {number(best)}</text></svg>'
    )


def _stacked(dots: Floats, filled: int, at: float, scale: Span) -> Iterator[tuple[float, int, bool]]:
    """(x, dots below it, is it filled) of each dot."""
    heights: dict[int, int] = {}
    for k, value in enumerate(dots.tolist()):
        is_full = k >= len(dots) - filled
        away = int((_on(value, scale, DOTS_MARGIN, DOTS_WIDTH - DOTS_MARGIN) - at) // DOT)
        bin_ = max(away, 0) if is_full else min(away, -1)
        yield round(at + (bin_ + 0.5) * DOT, 1), heights.get(bin_, 0), is_full
        heights[bin_] = heights.get(bin_, 0) + 1


def _on(value: float, scale: Span, low: float, high: float) -> float:
    """Where a value stands between two ends, in px with one digit; beyond the scale, at its end."""
    share = (min(max(value, scale[0]), scale[1]) - scale[0]) / (scale[1] - scale[0])
    return round(low + share * (high - low), 1)
