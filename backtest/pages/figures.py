"""The tables of figures: one line a metric, a value for the strategy and each benchmark, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.decision import Evidence
from backtest.market import Legs
from backtest.metrics import metrics_of, metrics_on
from backtest.pages.legs import leg_looks
from backtest.pages.shell import PrintedFigure
from backtest.result import Figures, Result
from backtest.text import UNDEFINED, number, quantity


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A printed line: one value for the strategy and each benchmark; why: the reason of the strategy's dash."""

    name: str
    values: Sequence[str]
    meaning: str
    why: str


def figure_rows(result: Result, *, in_key: bool, most: int | None = None) -> list[FigureRow]:
    """The short table (in_key) or the full one, with at most so many benchmarks."""
    names, per_year = list(result.benchmarks), result.market.periods_per_year
    first = benchmark_label(names[0]) if names else ""
    rate = "zero" if result.market.tbill is None else "T-bills"
    legs = result.legs.labelled
    columns: dict[tuple[str, ...], Figures] = {("strategy",): result.metrics}
    columns |= {("benchmarks", name): result.benchmark_metrics[name] for name in names[:most]}
    rows = []
    for metric in metrics_on("first screen", legs, "final_equity_usd") if in_key else metrics_of(legs):
        if names or metric.group != "relative":
            write = metric.write_short if in_key else metric.write
            values = [
                PrintedFigure(write(column.get(metric.key), per_year), ("metrics.json", *place, metric.key))
                for place, column in columns.items()
            ]
            meaning = metric.define(first=first, rate=rate, per_year=per_year)
            rows.append(FigureRow(metric.label, values, meaning, result.undefined.get(metric.key, "")))
    return rows


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One series at the last close, in words: its value, what it says by itself, at which level it would turn."""

    label: str
    value: str
    says: str
    turns_at: str


@dataclass(frozen=True, slots=True)
class LateSeries:
    """A series of the evidence that is known for a part of the test only; first, last: its rows of the test."""

    label: str
    first: int
    last: int


def late_series(result: Result) -> list[LateSeries]:
    """The series that begin after the start or end before the end; one that is never known has last below first."""
    end, found = len(result.sessions) - 1, []
    for each in result.decision.evidence:
        first, last = each.known_span(result.begin)
        if first > 0 or last < end:
            found.append(LateSeries(each.label or each.name, first, last))
    return found


def evidence_rows(result: Result) -> Sequence[EvidenceRow]:
    """A line per series of the strategy's evidence."""
    return [_row(evidence, result.legs) for evidence in result.decision.evidence]


def _row(evidence: Evidence, legs: Legs) -> EvidenceRow:
    lean = np.nan if evidence.leans is None else float(evidence.leans[-1])
    name = evidence.leg or legs.names[:2][-1]
    asked = legs.label(name)
    others = [leg.label for leg in leg_looks(legs) if leg.name != name]
    no = others[0] if len(others) == 1 else f"not {asked}"
    says = UNDEFINED if np.isnan(lean) else {1.0: asked, 0.0: no}.get(lean, f"{number(100 * lean, 0)}% {asked}")
    value = quantity(evidence.values[-1], evidence.unit)
    return EvidenceRow(evidence.label or evidence.name, value, says, _turn(evidence, lean))


def _turn(evidence: Evidence, lean: float) -> str:
    """The level at which what it says would change: the lower line where it says yes, the upper one where no."""
    lines = sorted(evidence.thresholds)
    if not lines:
        return UNDEFINED
    if np.isnan(lean):
        return " or ".join(quantity(line, evidence.unit) for line in dict.fromkeys(lines))
    return quantity(lines[0] if lean >= 1 else lines[-1], evidence.unit)
