"""What an equity curve was worth: returns, risk, drawdowns, and all of it against a benchmark.

Reads:  equity curves as arrays, base row first; the dates they stand on; the books' totals.
Gives:  one value per metric and curve, and the reason wherever a metric is not defined.

    calendar = calendar_of(sessions)
    values, undefined = metrics(equity, calendar=calendar, tbill_returns=tbill, benchmark=benchmark, activity=activity)

`metrics` measures one curve, `metrics_table` many by the same lines compiled: the figures are the same to the last bit.
What each metric means stands in `registry.py`.
"""

from backtest.metrics.calendar import Calendar, Spans, calendar_and_tbill, calendar_of
from backtest.metrics.formulas import drawdown
from backtest.metrics.registry import (
    METRIC_KEYS,
    METRICS,
    NO_BENCHMARK,
    Metric,
    exposures_in,
    metric_keys,
    metric_of,
    metrics_of,
    metrics_on,
)
from backtest.metrics.table import Activity, metrics, metrics_table, undefined_reasons

__all__ = [
    "METRICS",
    "METRIC_KEYS",
    "NO_BENCHMARK",
    "Activity",
    "Calendar",
    "Metric",
    "Spans",
    "calendar_and_tbill",
    "calendar_of",
    "drawdown",
    "exposures_in",
    "metric_keys",
    "metric_of",
    "metrics",
    "metrics_of",
    "metrics_on",
    "metrics_table",
    "undefined_reasons",
]
