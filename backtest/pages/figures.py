"""The tables of figures: one line a metric, a value for the strategy and each benchmark, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backtest.account.benchmarks import benchmark_label
from backtest.metrics import METRICS, metrics_on
from backtest.result import Result


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
    columns = [result.metrics, *(result.benchmark_metrics[name] for name in names[:most])]
    rows = []
    for metric in metrics_on("first screen", "final_equity_usd") if in_key else METRICS:
        if names or metric.group != "relative":
            write = metric.write_short if in_key else metric.write
            values = [write(column.get(metric.key), per_year) for column in columns]
            meaning = metric.define(first=first, rate=rate, per_year=per_year)
            rows.append(FigureRow(metric.label, values, meaning, result.undefined.get(metric.key, "")))
    return rows
