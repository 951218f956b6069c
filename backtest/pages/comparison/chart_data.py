"""Chart data: the arrays that the charts draw and the sentences that follow the selection, as one block of JSON.

Dates stand once. A curve is the logarithm of its growth at weekly points, in whole 1e-4, coded as differences of the
rounded values, so that nothing drifts. No number of a table is here: those are printed by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.pages.charts import BASE, LOG_UNIT, coded, dash_of, day_gaps
from backtest.pages.comparison.charts import (
    alike_chart,
    frontier_chart,
    luck_chart,
    meter_charts,
    parts_chart,
    picking_charts,
    time_chart,
)
from backtest.pages.comparison.effect import EffectGrid, grid_charts
from backtest.pages.comparison.meters import absence, circumstances, fans_of, meter_notes
from backtest.pages.comparison.numbers import variant_lines
from backtest.pages.comparison.ranking import has_line, looks_of, short_labels, tone_of
from backtest.pages.legs import leg_looks
from backtest.study.comparison import Comparison, Variant
from backtest.text import filled_dots, number, p_equals, percent, points, span, span_points

WEEK_DAYS = 7
FIRST_MONDAY = 4
"""1970-01-05 was a Monday."""

FEWEST_ALIKE = 3
"""Of so many variants or fewer nothing is said about how alike they are."""


def chart_data(comparison: Comparison, places: Sequence[int], grid: EffectGrid | None) -> dict[str, Any]:
    """What the scripts draw, and the words that follow the selection; variants in the page's order."""
    weekly = weekly_rows(comparison)
    days = comparison.sessions.to_numpy().astype("datetime64[D]")[weekly]
    labels = short_labels([comparison.names[place] for place in places])
    variants = [
        _variant(comparison, place, label, is_best=place == comparison.best)
        for place, label in zip(places, labels, strict=True)
    ]
    benchmarks = _benchmarks(comparison)
    arrays: dict[str, Any] = {f"curve{k}": coded(comparison.equity[place], weekly) for k, place in enumerate(places)}
    arrays |= {f"bench{k}": coded(equity, weekly) for k, equity in enumerate(comparison.benchmark_equity)}
    lucky = next((each.luck for each in comparison.variants if each.luck), None)
    if lucky:
        arrays |= {name: values for name, values in circumstances(lucky).items() if name != "delays"}
    return {
        **day_gaps(days),
        "base": BASE,
        "isLazy": True,
        "names": [each["name"] for each in variants],
        "errors": [each["error"] for each in variants],
        "words": [each["words"] for each in variants],
        "arrays": arrays,
        "charts": _charts(comparison, places, grid, variants, benchmarks),
    }


def _charts(
    comparison: Comparison,
    places: Sequence[int],
    grid: EffectGrid | None,
    variants: list[dict[str, Any]],
    benchmarks: list[dict[str, Any]],
) -> dict[str, Any]:
    search, over = comparison.search, comparison.search.overfitting
    lucky = next((each.luck for each in comparison.variants if each.luck), None)
    rank = {place: k for k, place in enumerate(places)}
    drawn = {
        "luck": luck_chart(variants, search.no_skill.dots.tolist(), search.no_skill.upper, benchmarks[0]["label"]),
        "time": time_chart(variants, benchmarks),
        "frontier": frontier_chart(variants, comparison.frontier, looks_of(comparison), has_line=has_line(comparison)),
        "parts": parts_chart(variants),
    }
    if over is not None:
        drawn |= picking_charts(over, comparison.seed, comparison.periods_per_year)
    if len(comparison.variants) > FEWEST_ALIKE:
        order = [place for place in comparison.order if place in rank]
        table = comparison.correlation[np.ix_(order, order)].tolist()
        drawn["alike"] = alike_chart(variants, [rank[place] for place in order], table)
    if lucky is not None:
        drawn |= meter_charts(variants, circumstances(lucky))
    if grid is not None:
        at = [[[rank.get(int(place), -1) for place in row] for row in slice_] for slice_ in grid.places]
        drawn |= grid_charts(grid, variants, at)
    return drawn


def weekly_rows(comparison: Comparison) -> npt.NDArray[np.intp]:
    """The base row and the last session of each week."""
    days = comparison.sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    weeks = (days - FIRST_MONDAY) // WEEK_DAYS
    return np.unique(np.concatenate([[0], np.flatnonzero(np.diff(weeks)), [len(days) - 1]])).astype(np.intp)


def _variant(comparison: Comparison, place: int, label: str, *, is_best: bool) -> dict[str, Any]:
    variant = comparison.variants[place]
    own, timing = variant.statistics, variant.statistics.timing
    return {
        "name": variant.name,
        "label": label,
        "sharpe": [round(x, 4) for x in (own.sharpe.value, *own.sharpe.interval)],
        "difference": [round(x, 6) for x in (own.cagr_difference.value, *own.cagr_difference.interval)],
        "error": round(own.tracking_error, 5),
        "place": round(
            float(variant.mix.shares[1]) if has_line(comparison) else variant.metrics["volatility"] or 0.0, 4
        ),
        "mix_place": round(
            float(variant.mix.shares[1]) if has_line(comparison) else variant.mix.metrics["volatility"] or 0.0, 4
        ),
        "growth": round(own.cagr.value, 6),
        "timing": [round(x, 6) for x in (timing.difference.value, *timing.difference.interval)] if timing else None,
        "parts": _parts(variant),
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
    parts, first = variant.parts, leg_looks(variant.config)[0].label
    rows = [
        (f"choosing {first}", parts.legs),
        ("holding its average", parts.exposure),
        ("timing, before costs", parts.timing),
        ("costs", parts.costs),
        ("together", parts.total),
    ]
    drawn = rows if abs(parts.legs) >= LOG_UNIT / 2 else rows[1:]
    return [[what, points(value), round(value, 6)] for what, value in drawn]


def _words(comparison: Comparison, variant: Variant) -> dict[str, Any]:
    """What the page says of the selected variant, as text."""
    own, timing = variant.statistics, variant.statistics.timing
    benchmark = comparison.benchmarks[0].label
    gain = "" if timing is None else f"{points(timing.difference.value)} ({span_points(timing.difference.interval)})"
    return {
        "rule": variant.rule,
        "luck": f"{variant.name}: active Sharpe {number(own.sharpe.value)} ({span(own.sharpe.interval)})",
        "frontier": f"{variant.name}: {percent(own.cagr.value)} a year with {variant.mix.words} on average",
        "parts": f"Where its {points(variant.parts.total)} points a year against {benchmark} come from",
        "timing": f"Timing after costs: {gain}; {p_equals(timing.p)} corrected for the search." if timing else "",
        "absence": absence(comparison, variant),
        "lines": [[line.value, line.ends, line.reading] for line in variant_lines(comparison, variant)],
        **{f"meter-{name}": note for name, note in meter_notes(comparison, variant).items()},
    }


def _benchmarks(comparison: Comparison) -> list[dict[str, Any]]:
    """With the colour of their leg; those of one colour are drawn with other dashes."""
    rows: list[dict[str, Any]] = []
    looks = looks_of(comparison)
    for benchmark in comparison.benchmarks:
        tone = tone_of(benchmark, looks)
        nth = sum(row["tone"] == tone for row in rows)
        rows.append({"label": benchmark.label, "tone": tone, "dash": dash_of(tone, nth)})
    return rows
