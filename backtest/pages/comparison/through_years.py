"""Calendar years as a heatmap of plain cells: each variant's return minus the declared benchmark's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from backtest.text import number

if TYPE_CHECKING:
    from backtest.study.comparison import Comparison

TINT_STEP = 0.04
"""A step of the tint; the sixth is full, above 20 points."""

TINTS = 6
SAME = 1e-9
"""A smaller difference is none: the variant held the benchmark all year, and its cell stays empty."""


@dataclass(frozen=True, slots=True)
class Year:
    """One column: the year, whether only a part of it was tested, and what the declared benchmark returned, %."""

    year: int
    is_part: bool
    benchmark: str


@dataclass(frozen=True, slots=True)
class YearCell:
    """Points against the benchmark as printed, and the class of the tint."""

    text: str
    tint: str


def year_columns(comparison: Comparison) -> list[Year]:
    """Years from the first to the last."""
    years = comparison.years
    return [
        Year(year, not whole, number(100 * value, 0))
        for year, whole, value in zip(years.years, years.is_complete, years.benchmarks[0].tolist(), strict=True)
    ]


def year_rows(comparison: Comparison, places: Sequence[int]) -> list[list[YearCell]]:
    """A row of cells for each of these variants."""
    active = comparison.years.returns - comparison.years.benchmarks[0]
    return [[_cell(value) for value in active[place].tolist()] for place in places]


def _cell(value: float) -> YearCell:
    if abs(value) < SAME:
        return YearCell("", "")
    text = number(100 * value, 1 if abs(value) < 0.0995 else 0)
    return YearCell(text, f"{'g' if value > 0 else 'l'}{min(TINTS, ceil(abs(value) / TINT_STEP))}")
