"""View: what the templates of the comparison page print, by name, top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.pages.comparison.effect import EffectGrid, grid_facts
from backtest.pages.comparison.marks import dot_picture
from backtest.pages.comparison.meters import FANS, absence, charged_bps, meter_notes
from backtest.pages.comparison.numbers import rate_of, search_facts, variant_lines
from backtest.pages.comparison.ranking import has_line, looks_of
from backtest.pages.comparison.score import answers
from backtest.pages.comparison.table import benchmark_rows, columns, variant_rows
from backtest.pages.comparison.through_years import year_columns, year_rows
from backtest.pages.legs import leg_looks
from backtest.result import mix_words
from backtest.statistics import readings
from backtest.statistics.assessment import BLOCKS
from backtest.statistics.findings import HOLDS
from backtest.text import (
    filled_dots,
    in_fifty,
    listed,
    number,
    percent,
    points,
    probability,
    setting,
    settings,
    short_key,
)

if TYPE_CHECKING:
    from backtest.study.comparison import Comparison

MOST_CHIPS = 60
"""Up to so many variants are named among those still standing; of more, those that are ruled out."""

MOST_STANDING_ROWS = 40
"""Longer tables scroll inside themselves."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A variant among those still standing; place: on the page, None for the benchmark."""

    name: str
    place: int | None
    is_out: bool


def view_of(comparison: Comparison, places: Sequence[int], grid: EffectGrid | None) -> dict[str, Any]:
    """All of them."""
    return {
        **_first_screen(comparison),
        **_luck(comparison, places),
        **_tables(comparison, places),
        **_timing(comparison),
        **_picking(comparison),
        **_selected(comparison),
        **_grid(comparison, grid),
        **_origin(comparison),
    }


def _first_screen(comparison: Comparison) -> dict[str, Any]:
    search, best = comparison.search, comparison.variants[comparison.best]
    filled = filled_dots(search.no_skill.p)
    simulated = "Simulated prices: " if comparison.is_simulated else ""
    return {
        "title": comparison.name,
        "is_simulated": comparison.is_simulated,
        "is_monthly": comparison.is_monthly,
        "benchmark": comparison.benchmarks[0].label,
        "n": len(comparison.variants),
        "trials": search.trials,
        "period": comparison.period,
        "costs": _costs(comparison),
        "headline": simulated + comparison.verdict.headline,
        "sentences": comparison.verdict.sentences,
        "cautions": [*comparison.cautions, *comparison.notes],
        "answers": answers(comparison),
        "dots": dot_picture(search.no_skill.dots, filled, best.statistics.sharpe.value, search.trials),
        "in_fifty": in_fifty(search.no_skill.p),
        "best": best,
    }


def _costs(comparison: Comparison) -> str:
    """What the variants pay, from the cheapest to the dearest."""
    charged = [charged_bps(variant) for variant in comparison.variants]
    return " to ".join(f"{bps:g}" for bps in dict.fromkeys((min(charged), max(charged))))


def _luck(comparison: Comparison, places: Sequence[int]) -> dict[str, Any]:
    absolute = comparison.whole.absolute
    every = [variant.statistics for variant in comparison.variants]
    standing = sum(each.confidence_set_p > HOLDS for each in every)
    return {
        "facts": search_facts(comparison),
        "flattering": f"{comparison.names[absolute.best]} has a Sharpe ratio of {number(absolute.sharpe)} over "
        f"{rate_of(comparison)} and a deflated one of {probability(absolute.dsr)}. That is mostly the equity premium, "
        f"which {comparison.benchmarks[0].label} earned too ({number(absolute.benchmark_sharpe)}).",
        "stepm": readings.read_stepm([each.name for each in every if each.is_superior], comparison.benchmarks[0].label),
        "confidence_set": readings.read_confidence_set(
            standing,
            len(every),
            comparison.benchmarks[0].label,
            comparison.whole.benchmark_confidence_set_p > HOLDS,
        ),
        "chips": _chips(comparison, places),
        "unnamed": standing if len(every) > MOST_CHIPS else 0,
    }


def _chips(comparison: Comparison, places: Sequence[int]) -> list[Chip]:
    benchmark_out = comparison.whole.benchmark_confidence_set_p <= HOLDS
    chips = [Chip(comparison.benchmarks[0].label, None, benchmark_out)]
    for k, place in enumerate(places):
        own = comparison.variants[place].statistics
        is_out = own.confidence_set_p <= HOLDS
        if is_out or len(comparison.variants) <= MOST_CHIPS:
            chips.append(Chip(own.name, k, is_out))
    return chips


def _tables(comparison: Comparison, places: Sequence[int]) -> dict[str, Any]:
    differences = comparison.differences
    return {
        "columns": columns(comparison.benchmarks[0].label, comparison.search.trials, looks_of(comparison)),
        "rows": variant_rows(comparison, places, looks_of(comparison)),
        "benchmark_rows": benchmark_rows(comparison, looks_of(comparison)),
        "is_long": len(places) > MOST_STANDING_ROWS,
        "years": year_columns(comparison),
        "year_rows": year_rows(comparison, places),
        "config_keys": [short_key(key) for key in differences.keys],
        "config_rows": [[setting(differences.values[key][place]) for key in differences.keys] for place in places],
        "same": settings(differences.same),
        "alike": readings.read_effective_variants(comparison.whole.effective_variants, len(comparison.variants)),
    }


def _timing(comparison: Comparison) -> dict[str, Any]:
    frontier, looks = comparison.frontier, looks_of(comparison)
    told = [
        (frontier.cagr, frontier.best_shares_by_cagr, "return"),
        (frontier.sharpe, frontier.best_shares, "Sharpe ratio"),
    ]
    line = has_line(comparison)
    best = listed(
        [
            f"{percent(shares[1], 0) if line else mix_words(frontier.legs, shares)} by {what}"
            for values, shares, what in told
            if np.isfinite(values).any()
        ]
    )
    funds = " and ".join("+".join(look.basket) for look in leg_looks(frontier.legs))
    of = f"constant share of {looks[1].label}, of {funds}," if line else "constant mix of those drawn"
    return {
        "hindsight": f"In hindsight the best {of} was {best}." if best else "",
        "parts": f"Where its {points(comparison.variants[comparison.best].parts.total)} points a year against "
        f"{comparison.benchmarks[0].label} come from",
        "second": looks[1].label if line else "",
        "timed": listed([look.label for look in looks]),
        "has_line": line,
    }


def _picking(comparison: Comparison) -> dict[str, Any]:
    over, walk = comparison.search.overfitting, comparison.walk_forward
    benchmark = comparison.benchmarks[0].label
    bars = []
    if walk is not None:
        growth = [
            ("last winner", walk.growth),
            (benchmark, walk.benchmark_growth),
            ("best in hindsight", walk.hindsight_growth),
        ]
        most = max((abs(value) for _, value in growth), default=0.0) or 1.0
        bars = [(name, percent(value), round(100 * max(value, 0.0) / most, 1)) for name, value in growth]
    return {
        "overfitting": over,
        "blocks": BLOCKS,
        "pbo": percent(over.probability, 0) if over else "",
        "pbo_reading": readings.read_overfitting(over.probability if over else None),
        "loss_reading": readings.read_overfitting_loss(over.loss_probability, benchmark) if over else "",
        "walk": walk,
        "walk_bars": bars,
        "picks": [(day, comparison.names[place]) for day, place in walk.picks] if walk else [],
    }


def _selected(comparison: Comparison) -> dict[str, Any]:
    """Of the best variant, which is selected until another one is."""
    best = comparison.variants[comparison.best]
    return {
        "lines": variant_lines(comparison, best),
        "fans": FANS,
        "meter_notes": meter_notes(comparison, best),
        "absence": absence(comparison, best),
        "has_meters": any(variant.luck for variant in comparison.variants),
    }


def _grid(comparison: Comparison, grid: EffectGrid | None) -> dict[str, Any]:
    if grid is None:
        return {"grid": None}
    return {
        "grid": grid,
        "growth_facts": grid_facts(comparison, grid, of_growth=True),
        "sharpe_facts": grid_facts(comparison, grid, of_growth=False),
    }


def _origin(comparison: Comparison) -> dict[str, Any]:
    checked = [variant.name for variant in comparison.variants if variant.is_checked]
    return {
        "size": comparison.size,
        "search": comparison.search,
        "sd": number(comparison.size.annual.variance**0.5),
        "hurdle": number(comparison.search.hurdle),
        "checked": checked,
        "sources": comparison.sources,
        "terms_of": comparison.terms_of,
        "is_raw": any(variant.config.execution.accounting == "raw" for variant in comparison.variants),
        "data_sha256": comparison.data_sha256,
    }
