"""Table: one row per variant, best first, and the benchmarks below them; every number settled and printed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.market import Floats
from backtest.metrics.registry import exposure_key
from backtest.pages.comparison.marks import Span, common_scale, interval_mark, share_mark, spark
from backtest.pages.legs import LegLook
from backtest.pages.shell import PrintedFigure
from backtest.result import Figures
from backtest.text import UNDEFINED, Number, number, points

if TYPE_CHECKING:
    from backtest.statistics.variants import Estimate
    from backtest.study.comparison import BenchmarkFigures, Comparison, Variant


JSON_FILE = "comparison.json"
TIMING = (JSON_FILE, "static_mix", "equal_exposure")


@dataclass(frozen=True, slots=True)
class Column:
    """head: as printed, lines parted by "|"; meaning: its title; is_rising: the first click sorts upwards."""

    key: str
    head: str
    meaning: str = ""
    is_rising: bool = False

    @property
    def is_picture(self) -> bool:
        """Nothing to sort by."""
        return not self.key


@dataclass(frozen=True, slots=True)
class TableCell:
    """text: as printed; sort: the full number as text, empty where there is none; picture: SVG before the text."""

    text: str = ""
    sort: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A variant or a benchmark: cells in the order of the columns, the name left out."""

    name: str
    cells: Sequence[TableCell]
    rule: str = ""


def columns(benchmark: str, trials: int, legs: Sequence[LegLook]) -> list[Column]:
    """The columns after the name: against the benchmark first, the absolute figures second."""
    interval = Column("", "95%|interval")
    step = "One-sided, corrected step by step for all variants of the study (Romano and Wolf)"
    return [
        Column("", f"Relative|to {benchmark}", f"Value of one dollar divided by {benchmark}’s"),
        Column("sharpe", "Active|Sharpe", f"Return minus {benchmark}’s per unit of its own risk, a year"),
        interval,
        Column("difference", f"On {benchmark},|points", f"Return a year minus {benchmark}’s"),
        interval,
        Column("timing", "Timing,|points", "Return a year minus that of a constant mix of its average exposure"),
        interval,
        Column("p", "p, cor-|rected", step, is_rising=True),
        Column("dsr", "Deflated|Sharpe", f"Corrected for {trials} trials; 0.95 would be convincing"),
        Column("cagr", "Return|a year %", "Compounded over calendar years"),
        Column("volatility", "Vola-|tility %", "Standard deviation of returns, a year", is_rising=True),
        Column("absolute", "Sharpe", "Over T-bills, without any benchmark"),
        Column("fall", "Worst|fall %", "Deepest loss from an earlier peak, on closing values"),
        *(
            Column(exposure_key(leg.name), f"In {leg.label}|%", f"Average share in {leg.label}")
            for leg in legs_told(legs)
        ),
        Column("turnover", "Turnover|a year", "One-sided: 1× is one full switch", is_rising=True),
    ]


def legs_told(legs: Sequence[LegLook]) -> Sequence[LegLook]:
    """Those whose share has a column: of two legs the second one says it all."""
    return legs[1:] if len(legs) == 2 else legs


def variant_rows(comparison: Comparison, places: Sequence[int], legs: Sequence[LegLook]) -> list[Row]:
    """Rows of the variants at these places."""
    variants = [comparison.variants[place] for place in places]
    statistics = [variant.statistics for variant in variants]
    scales = (
        common_scale([each.sharpe.interval for each in statistics]),
        common_scale([each.cagr_difference.interval for each in statistics]),
        common_scale([each.timing.difference.interval for each in statistics if each.timing] or [(0.0, 0.0)]),
    )
    relative = relative_wealth(comparison)
    wide = spark_scale(relative[list(places)])
    return [
        Row(
            variant.name,
            [
                TableCell(picture=spark(relative[place], wide)),
                *_active(variant, scales),
                *_figures(variant.metrics, legs, *metrics_of(variant.name)),
            ],
            variant.rule,
        )
        for place, variant in zip(places, variants, strict=True)
    ]


def benchmark_rows(comparison: Comparison, legs: Sequence[LegLook]) -> list[Row]:
    """Rows of the benchmarks, the declared one first; what is measured against it is empty there."""
    declared = comparison.benchmarks[0]
    return [
        Row(each.label, [*_unlike(each, declared), *_figures(each.metrics, legs, JSON_FILE, "benchmarks", each.name)])
        for each in comparison.benchmarks
    ]


def relative_wealth(comparison: Comparison) -> Floats:
    """Logarithm of each variant's wealth over the declared benchmark's, (variants x sessions), 0 in the first row."""
    ratio = comparison.equity / comparison.benchmark_equity[0]
    return np.asarray(np.log(ratio / ratio[:, :1]))


def spark_scale(relative: Floats) -> Span:
    """One scale for all sparklines: the few that fall out of it below are cut."""
    low, high = float(np.quantile(relative, 0.04)), float(np.quantile(relative, 0.995))
    return min(low, -0.1), max(high, 0.1)


def _active(variant: Variant, scales: tuple[Span, Span, Span]) -> list[TableCell]:
    """Against the benchmark, corrected for the search."""
    own, at = variant.statistics, (JSON_FILE, "variants", variant.name, "active")
    cells = [_plain(own.sharpe.value, *at, "sharpe"), _interval(own.sharpe, scales[0])]
    cells += [_points(own.cagr_difference.value, *at, "cagr_difference"), _interval(own.cagr_difference, scales[1])]
    timing = own.timing
    cells += (
        [TableCell(UNDEFINED), TableCell()]
        if timing is None
        else [
            _points(timing.difference.value, *TIMING, variant.name, "timing", "cagr_difference"),
            _interval(timing.difference, scales[2]),
        ]
    )
    return [*cells, _plain(own.p, *at, "p"), _plain(own.dsr, *at, "dsr")]


def metrics_of(variant: str) -> tuple[str, str, str, str]:
    """Where the metrics of a variant stand in its JSON."""
    return JSON_FILE, "variants", variant, "metrics"


def _figures(metrics: Figures, legs: Sequence[LegLook], *at: str) -> list[TableCell]:
    """What needs no benchmark; at: where it stands."""
    turnover = metrics["turnover_annual"]
    return [
        _percent(metrics["cagr"], *at, "cagr"),
        _percent(metrics["volatility"], *at, "volatility"),
        _plain(metrics["sharpe"], *at, "sharpe"),
        _percent(metrics["max_drawdown"], *at, "max_drawdown"),
        *(_share(metrics, leg, *at) for leg in legs_told(legs)),
        TableCell(UNDEFINED)
        if turnover is None
        else TableCell(PrintedFigure(f"{number(turnover, 1)}×", (*at, "turnover_annual")), repr(float(turnover))),
    ]


def _share(metrics: Figures, leg: LegLook, *at: str) -> TableCell:
    """The average share in a leg; a dash where there is no such leg."""
    key = exposure_key(leg.name)
    share = metrics.get(key)
    if share is None:
        return TableCell(UNDEFINED)
    shown = PrintedFigure(number(100 * share, 0), (*at, key), times=100)
    return TableCell(shown, repr(float(share)), share_mark(share, leg.tone))


def _unlike(benchmark: BenchmarkFigures, declared: BenchmarkFigures) -> list[TableCell]:
    """The columns against the declared benchmark, of another one: its growth difference alone."""
    own, other = benchmark.metrics["cagr"], declared.metrics["cagr"]
    is_known = benchmark is not declared and own is not None and other is not None
    places = [(JSON_FILE, "benchmarks", each.name, "cagr") for each in (benchmark, declared)]
    gap = float(own or 0) - float(other or 0)
    difference = TableCell(PrintedFigure(points(gap), *places, times=100), repr(gap)) if is_known else TableCell()
    return [TableCell(), TableCell(), TableCell(), difference, *[TableCell()] * 5]


def _interval(estimate: Estimate, scale: Span) -> TableCell:
    return TableCell(picture=interval_mark(estimate.value, estimate.interval, scale))


def _plain(value: Number, *at: str) -> TableCell:
    return TableCell(PrintedFigure(number(value), at), "" if value is None else repr(float(value)))


def _percent(value: Number, *at: str) -> TableCell:
    text = PrintedFigure(number(None if value is None else 100 * value, 1), at, times=100)
    return TableCell(text, "" if value is None else repr(float(value)))


def _points(value: float, *at: str) -> TableCell:
    return TableCell(PrintedFigure(points(value), at, times=100), repr(float(value)))
