"""Payload: the arrays that the charts draw and the sentences that follow the selection, as one block of JSON.

Dates stand once. A curve is the logarithm of its growth at weekly points, in whole 1e-4, coded as differences of the
rounded values, so that nothing drifts. No number of a table is here: those are printed by the template.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.pages.comparison.effect import Grid, Surface
from backtest.pages.comparison.meters import absence, circumstances, fans_of, meter_notes
from backtest.pages.comparison.numbers import variant_lines
from backtest.pages.comparison.ranking import short_labels, tone_of
from backtest.text import filled_dots, number, p_equals, percent, points, span, span_points

if TYPE_CHECKING:
    from backtest.statistics.overfitting import Overfitting
    from backtest.study.comparison import Comparison, Variant

UNIT = 1e-4
"""Of a logarithm of growth in a curve: a hundredth of a percent."""

WEEK_DAYS = 7
FIRST_MONDAY = 4
"""1970-01-05 was a Monday."""

LOGIT_EDGE, LOGIT_BINS = 5.5, 44
MOST_SPLITS = 1200
"""Splits drawn in the scatter, out of 12,870."""


def payload_of(comparison: Comparison, places: Sequence[int], grid: Grid | None) -> str:
    """JSON that may stand inside a script element; variants in the page's order."""
    weekly = weekly_rows(comparison)
    days = comparison.sessions.to_numpy().astype("datetime64[D]")[weekly]
    labels = short_labels([comparison.names[place] for place in places])
    search, lucky = comparison.search, next((v.luck for v in comparison.variants if v.luck), None)
    data = {
        "benchmark": comparison.benchmarks[0].label,
        "count": len(comparison.variants),
        "first": str(days[0]),
        "gaps": np.diff(days).astype(int).tolist(),
        "variants": [
            _variant(comparison, place, label, weekly, is_best=place == comparison.best)
            for place, label in zip(places, labels, strict=True)
        ],
        "benchmarks": _benchmarks(comparison, weekly),
        "dots": _short(search.no_skill.dots, 4),
        "upper": round(search.no_skill.upper, 4),
        "overfitting": _splits(comparison, search.overfitting),
        "frontier": {"share": _short(comparison.frontier.shares, 4), "growth": _short(comparison.frontier.cagr, 6)},
        "alike": _alike(comparison, places),
        "circumstances": circumstances(lucky) if lucky else None,
        "grid": _grid(grid, places) if grid else None,
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c")


def weekly_rows(comparison: Comparison) -> npt.NDArray[np.intp]:
    """The base row and the last session of each week."""
    days = comparison.sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    weeks = (days - FIRST_MONDAY) // WEEK_DAYS
    return np.unique(np.concatenate([[0], np.flatnonzero(np.diff(weeks)), [len(days) - 1]])).astype(np.intp)


def coded(equity: Floats, rows: npt.NDArray[np.intp]) -> list[int]:
    """A curve at these rows as differences of rounded logarithms, the first of them 0."""
    steps = np.round(np.log(equity[rows] / equity[0]) / UNIT).astype(np.int64)
    return [int(step) for step in np.diff(steps, prepend=0)]


def _variant(
    comparison: Comparison, place: int, label: str, weekly: npt.NDArray[np.intp], *, is_best: bool
) -> dict[str, Any]:
    variant = comparison.variants[place]
    own, timing = variant.statistics, variant.statistics.timing
    return {
        "name": variant.name,
        "label": label,
        "sharpe": [round(x, 4) for x in (own.sharpe.value, *own.sharpe.interval)],
        "difference": [round(x, 6) for x in (own.cagr_difference.value, *own.cagr_difference.interval)],
        "error": round(own.tracking_error, 5),
        "share": round(variant.mix.small_share, 4),
        "growth": round(own.cagr.value, 6),
        "timing": [round(x, 6) for x in (timing.difference.value, *timing.difference.interval)] if timing else None,
        "parts": _parts(variant),
        "curve": coded(comparison.equity[place], weekly),
        "filled": _filled(comparison, own.sharpe.value, is_best=is_best),
        "words": _words(comparison, variant),
        "fans": fans_of(variant),
    }


def _filled(comparison: Comparison, sharpe: float, *, is_best: bool) -> int:
    """How many of the lucky bests reach this ratio; for the best variant, as many as its p stands for."""
    no_skill = comparison.search.no_skill
    of_best = filled_dots(no_skill.p)
    return of_best if is_best else max(of_best, int((no_skill.dots >= sharpe).sum()))


def _parts(variant: Variant) -> list[list[Any]]:
    """[what, points as printed, whole basis points] of the waterfall; a growth leg that is the benchmark is no part."""
    parts = variant.parts
    rows = [
        ("choice of growth leg", parts.legs),
        ("holding small caps", parts.exposure),
        ("timing, before costs", parts.timing),
        ("costs", parts.costs),
        ("together", parts.total),
    ]
    drawn = rows if abs(parts.legs) >= UNIT / 2 else rows[1:]
    return [[what, points(value), round(value, 6)] for what, value in drawn]


def _words(comparison: Comparison, variant: Variant) -> dict[str, Any]:
    """What the page says of the selected variant, as text."""
    own, timing, n = variant.statistics, variant.statistics.timing, len(comparison.variants)
    benchmark, small = comparison.benchmarks[0].label, percent(variant.mix.small_share, 0)
    gain = "" if timing is None else f"{points(timing.difference.value)} ({span_points(timing.difference.interval)})"
    looks = _looks(timing.p, n) if timing else ""
    return {
        "rule": variant.rule,
        "luck": f"{variant.name}: active Sharpe {number(own.sharpe.value)} ({span(own.sharpe.interval)})",
        "frontier": f"{variant.name}: {percent(own.cagr.value)} a year with {small} small on average",
        "parts": f"Where its {points(variant.parts.total)} points a year against {benchmark} come from",
        "timing": f"Timing after costs: {gain}{looks}." if gain else "",
        "absence": absence(comparison, variant),
        "lines": [[line.value, line.ends, line.reading] for line in variant_lines(comparison, variant)],
        **{f"meter-{name}": note for name, note in meter_notes(comparison, variant).items()},
    }


def _looks(p: float, variants: int) -> str:
    return f"; {p_equals(p)}" + (f" corrected for {variants} looks" if variants > 1 else "")


def _benchmarks(comparison: Comparison, weekly: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
    """With the colour of their leg; `nth` counts those of the same colour, which are drawn with other dashes."""
    rows: list[dict[str, Any]] = []
    for benchmark, equity in zip(comparison.benchmarks, comparison.benchmark_equity, strict=True):
        tone = tone_of(benchmark)
        nth = sum(row["tone"] == tone for row in rows)
        rows.append({"label": benchmark.label, "tone": tone, "nth": nth, "curve": coded(equity, weekly)})
    return rows


def _splits(comparison: Comparison, over: Overfitting | None) -> dict[str, Any] | None:
    """Histogram of the logits, 0 in the lower half as it counts, and a sample of the splits as annual ratios."""
    if over is None:
        return None
    inside = np.clip(over.logits - UNIT, -LOGIT_EDGE, LOGIT_EDGE)
    counts, _ = np.histogram(inside, np.linspace(-LOGIT_EDGE, LOGIT_EDGE, LOGIT_BINS + 1))
    size = min(MOST_SPLITS, len(over.logits))
    drawn = np.sort(np.random.default_rng(comparison.seed).choice(len(over.logits), size, replace=False))
    year = comparison.periods_per_year**0.5
    return {
        "edge": LOGIT_EDGE,
        "shares": [round(100 * int(count) / len(over.logits), 3) for count in counts],
        "inside": _short(over.inside[drawn] * year, 3),
        "outside": _short(over.outside[drawn] * year, 3),
    }


def _alike(comparison: Comparison, places: Sequence[int]) -> dict[str, Any]:
    """Correlations in percent, the lower triangle row by row, with alike variants beside each other."""
    rank = {place: k for k, place in enumerate(places)}
    order = [place for place in comparison.order if place in rank]
    table = comparison.correlation[np.ix_(order, order)].tolist()
    whole = [[round(100 * x) if math.isfinite(x) else None for x in row[: k + 1]] for k, row in enumerate(table)]
    return {"order": [rank[place] for place in order], "percent": whole}


def _grid(grid: Grid, places: Sequence[int]) -> dict[str, Any]:
    """Surfaces in whole basis points and whole hundredths; `at`: each cell's variant by its place on the page or -1."""
    rank = {place: k for k, place in enumerate(places)}
    at = [[[rank.get(int(place), -1) for place in row] for row in slice_] for slice_ in grid.places]
    return {
        "keys": list(grid.keys),
        "means": [[name, labels, _short(means, 4)] for name, labels, means in grid.means],
        "columns": grid.columns,
        "rows": grid.rows,
        "at": at,
        "apart": grid.apart.astype(int).tolist(),
        "growth": _surface(grid.growth, UNIT),
        "sharpe": _surface(grid.sharpe, UNIT * 10),
    }


def _surface(surface: Surface, unit: float) -> dict[str, Any]:
    def whole(values: Floats) -> Any:
        return np.round(values / unit).astype(np.int64).tolist()

    drawn = {name: whole(getattr(surface, name)) for name in ("cell", "mean", "worst")}
    return drawn | {"plateau": list(surface.centre)}


def _short(values: Floats, digits: int) -> list[float | None]:
    """Rounded; None for what is not defined."""
    return [round(float(x), digits) + 0.0 if math.isfinite(x) else None for x in values.tolist()]
