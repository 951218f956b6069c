"""Numbers: every statistic of one variant, and those of the search, each with a sentence that says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.pages.comparison.table import JSON_FILE, TIMING
from backtest.pages.shell import PrintedFigure
from backtest.statistics import readings
from backtest.statistics.findings import HOLDS
from backtest.text import (
    in_fifty,
    number,
    p_equals,
    percent,
    points,
    probability,
    span,
    span_points,
    years_needed,
)

if TYPE_CHECKING:
    from backtest.statistics.variants import VariantStatistics
    from backtest.study.comparison import Comparison, Variant


@dataclass(frozen=True, slots=True)
class Line:
    """A statistic by its name, its value and 95% interval as printed (empty without one), and what it says."""

    name: str
    value: str
    ends: str
    reading: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the search in large print, its unit in small, and its sentence."""

    value: str
    unit: str
    reading: str


def variant_lines(comparison: Comparison, variant: Variant) -> list[Line]:
    """The statistics of one variant: against the benchmark, over its static mix, and the absolute ones last."""
    own = variant.statistics
    return [*_against(comparison, own), *_over_mix(comparison, variant), *_absolute(comparison, own)]


def _against(comparison: Comparison, own: VariantStatistics) -> list[Line]:
    benchmark, search = comparison.benchmarks[0].label, comparison.search
    at = (JSON_FILE, "variants", own.name, "active")
    difference, sharpe, needed = own.cagr_difference, own.sharpe, own.minimum_track_record_years
    available = comparison.period.years
    return [
        Line(
            "Active Sharpe ratio",
            PrintedFigure(number(sharpe.value), (*at, "sharpe")),
            span(sharpe.interval),
            readings.read_active_sharpe(sharpe.value, sharpe.interval, benchmark),
        ),
        Line(
            f"Return a year minus {benchmark}, points",
            PrintedFigure(points(difference.value), (*at, "cagr_difference"), times=100),
            span_points(difference.interval),
            readings.read_growth_difference(difference.value, difference.interval, benchmark),
        ),
        Line(
            "Probabilistic Sharpe ratio",
            PrintedFigure(probability(own.psr), (*at, "psr")),
            "",
            readings.read_probabilistic_sharpe(own.psr),
        ),
        Line(
            "Deflated Sharpe ratio",
            PrintedFigure(probability(own.dsr), (*at, "dsr")),
            "",
            readings.read_deflated_sharpe(own.dsr, search.trials, search.hurdle),
        ),
        Line(
            "p, corrected for the search",
            PrintedFigure(probability(own.p), (*at, "p")),
            "",
            _read_corrected(own.p, len(comparison.variants)),
        ),
        Line(
            "Minimum track record",
            "–" if needed is None else years_needed(needed).removeprefix("about "),
            "",
            readings.read_minimum_track_record(needed, available),
        ),
        Line("Stepwise test (StepM, 5%)", "in" if own.is_superior else "not in", "", _read_step(own, benchmark)),
        Line(
            "Model confidence set, p",
            PrintedFigure(probability(own.confidence_set_p), (*at, "confidence_set_p")),
            "",
            _read_membership(own),
        ),
    ]


def _over_mix(comparison: Comparison, variant: Variant) -> list[Line]:
    timing = variant.statistics.timing
    if timing is None:
        return []
    gain = timing.difference
    search = " corrected for the search" if len(comparison.variants) > 1 else ""
    reading = readings.read_timing(gain.value, gain.interval, variant.mix.words).rstrip(".")
    lines = [
        Line(
            "Timing, points a year",
            PrintedFigure(points(gain.value), (*TIMING, variant.name, "timing", "cagr_difference"), times=100),
            span_points(gain.interval),
            f"{reading}; {p_equals(timing.p)}{search}.",
        )
    ]
    if variant.timing and variant.timing.rotation:
        at = (JSON_FILE, "variants", variant.name, "timing_described", "random_timing", "p")
        figure = PrintedFigure(probability(variant.timing.rotation.p), at)
        lines.append(Line("The same decisions at other times, p", figure, "", variant.timing.sentences[0]))
    return lines


def _absolute(comparison: Comparison, own: VariantStatistics) -> list[Line]:
    """The flattering view, told as such."""
    benchmark, rate = comparison.benchmarks[0].label, rate_of(comparison)
    theirs = comparison.whole.absolute.benchmark_sharpe
    cagr, gap = own.cagr, own.sharpe_difference
    at = (JSON_FILE, "variants", own.name, "absolute")
    return [
        Line(
            "Return a year, %",
            PrintedFigure(number(100 * cagr.value, 1), (JSON_FILE, "variants", own.name, "metrics", "cagr"), times=100),
            f"{number(100 * cagr.interval[0], 1)} to {number(100 * cagr.interval[1], 1)}",
            "The width is mostly the market’s, which every variant and the benchmark share: compare differences.",
        ),
        Line(
            f"Sharpe ratio over {rate}",
            PrintedFigure(number(own.absolute_sharpe.value), (*at, "sharpe")),
            span(own.absolute_sharpe.interval),
            f"Mostly the equity premium: {benchmark} alone has {number(theirs)}.",
        ),
        Line(
            f"Sharpe ratio minus {benchmark}’s",
            PrintedFigure(number(gap.value, 2, "+"), (*at, "sharpe_difference")),
            f"{number(gap.interval[0], 2, '+')} to {number(gap.interval[1], 2, '+')}",
            "Resampled in pairs, the same sessions for both: what is left of that ratio against the benchmark’s.",
        ),
        Line(
            "Equal Sharpe ratios (Ledoit and Wolf), p",
            PrintedFigure(probability(own.ledoit_wolf_p), (*at, "ledoit_wolf_p")),
            "",
            readings.read_ledoit_wolf(own.ledoit_wolf_p, benchmark),
        ),
    ]


def rate_of(comparison: Comparison) -> str:
    """What the absolute ratios are over."""
    return "zero" if comparison.variants[0].config.data.tbill is None else "T-bills"


def search_facts(comparison: Comparison) -> list[Fact]:
    """The search as a whole, beside the picture of luck."""
    search, n, benchmark = comparison.search, len(comparison.variants), comparison.benchmarks[0].label
    best = comparison.variants[comparison.best].statistics
    spa, upper = search.spa, number(search.no_skill.upper)
    reach = f"the best of {n}" if n > 1 else "it"
    return [
        Fact(
            in_fifty(search.no_skill.p), "no-skill histories", readings.read_no_skill(search.no_skill.p, search.trials)
        ),
        Fact(
            PrintedFigure(upper, (JSON_FILE, "no_skill", "upper")),
            "active Sharpe",
            f"is what {reach} would have to reach before luck becomes unlikely (5%); {reach} has "
            f"{number(best.sharpe.value)}.",
        ),
        Fact(
            PrintedFigure(probability(best.dsr), (JSON_FILE, "variants", best.name, "active", "dsr")),
            "deflated Sharpe ratio",
            readings.read_deflated_sharpe(best.dsr, search.trials, search.hurdle),
        ),
        Fact(
            PrintedFigure(probability(spa.consistent), (JSON_FILE, "spa", "consistent")),
            f"SPA, p; bounds {probability(spa.lower)} and {probability(spa.upper)}",
            readings.read_spa(spa.consistent, benchmark, n),
        ),
        Fact(
            PrintedFigure(probability(comparison.whole.reality_check), (JSON_FILE, "reality_check")),
            "reality check, p",
            readings.read_reality_check(comparison.whole.reality_check),
        ),
        Fact(
            PrintedFigure(percent(search.smallest_edge), (JSON_FILE, "search", "smallest_edge")),
            "a year can be seen",
            readings.read_smallest_edge(search.smallest_edge, comparison.period.years),
        ),
    ]


def _read_corrected(p: float, variants: int) -> str:
    if variants == 1:
        return f"Where it has no skill, {in_fifty(p)} histories show at least this much."
    return f"Where nothing has any skill, the best of it and those ranked below is as good in {in_fifty(p)} histories."


def _read_step(own: VariantStatistics, benchmark: str) -> str:
    told = "can" if own.is_superior else "cannot"
    return f"After correcting for the search it {told} be told from {benchmark} at 5%."


def _read_membership(own: VariantStatistics) -> str:
    if own.confidence_set_p > HOLDS:
        return "It cannot be ruled out as the best of all variants and the benchmark."
    return "It is ruled out as the best of all variants and the benchmark (95%)."
