"""The table of metrics: every key in its order, for many curves or for one, and why a figure is missing.

Reads:  equity curves, their Calendar, T-bill returns, a benchmark, the books' totals.
Gives:  metrics_table: arrays for many curves; metrics: plain numbers and reasons for one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.account.kernel import COSTS_USD, EXPOSURES, REBALANCES, TRADES, TURNOVER, in_lists
from backtest.market import Floats
from backtest.metrics.calendar import Calendar
from backtest.metrics.formulas import measure, measured_against, measurer
from backtest.metrics.registry import COUNTED_KEYS, METRICS, MISSING, NO_BENCHMARK, Need, metric_keys

Table = dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """The books' totals of one curve (numbers) or of a table (arrays, one value per curve).

    turnover: sum over rebalances, the first purchase left out, of half the traded value / equity before the trade.
    rebalances: sessions with a fill, the first purchase included.
    trades: fills.
    exposures: leg -> mean over sessions, the base row left out, of its share of equity at the close.
    costs_usd: commission and slippage.
    """

    turnover: float | Floats
    rebalances: int | npt.NDArray[np.integer]
    trades: int | npt.NDArray[np.integer]
    exposures: Mapping[str, float | Floats]
    costs_usd: float | Floats


def metrics(
    equity: npt.ArrayLike,
    *,
    calendar: Calendar,
    tbill_returns: npt.ArrayLike,
    benchmark: npt.ArrayLike | None = None,
    no_benchmark: str = NO_BENCHMARK,
    activity: Activity | None = None,
) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """Metrics of one curve, shape (sessions,), base row first: (key -> value or None, key -> why it is None).

    Arguments and errors as for metrics_table. no_benchmark: the reason to give where `benchmark` is None, such as
    "this is the benchmark". Fractions, not percent; never NaN or infinite.
    """
    curves, totals, against = _prepared(
        np.asarray(equity, dtype=np.float64)[None], calendar, tbill_returns, benchmark, activity
    )
    curve, sessions = curves[0].tolist(), calendar.sessions
    keys = metric_keys(activity.exposures if activity else ())
    column = [math.nan] * len(keys)
    room = [[0.0] * sessions for _ in range(2)]
    measure(curve, totals[0].tolist(), *in_lists(against), [0.0] * (sessions - 1), room, column)
    values: dict[str, float | int | None] = {}
    for key, number in zip(keys, column, strict=True):
        is_whole = key in COUNTED_KEYS
        values[key] = None if not math.isfinite(number) else int(number) if is_whole else float(number)
    reasons = undefined_reasons(
        calendar, has_benchmark=benchmark is not None, no_benchmark=no_benchmark, has_activity=activity is not None
    )
    return values, {key: reasons[key] for key, value in values.items() if value is None}


def metrics_table(
    equity: Floats,
    *,
    calendar: Calendar,
    tbill_returns: npt.ArrayLike,
    benchmark: npt.ArrayLike | None = None,
    activity: Activity | None = None,
) -> Table:
    """Metrics of many curves, shape (curves, sessions), base row first: key -> array (curves,), as `metric_keys`.

    Undefined is NaN here; undefined_reasons has the reason of each. Counts are integers when they are known.
    calendar: of the curves' sessions.
    tbill_returns: simple return of T-bills per session, shape (sessions,); the base row's is not used.
    benchmark: one curve on the same sessions; without it the relative metrics are undefined.

    Raises ValueError for a wrong shape and for an equity that is not positive and finite, naming curve and row.
    """
    curves, totals, against = _prepared(equity, calendar, tbill_returns, benchmark, activity)
    keys = metric_keys(activity.exposures if activity else ())
    table = np.empty((len(curves), len(keys)))
    measurer()(curves, totals, against, table)
    columns: Table = dict(zip(keys, np.ascontiguousarray(table.T), strict=True))
    for key in COUNTED_KEYS:
        if np.isfinite(columns[key]).all():
            columns[key] = columns[key].astype(np.int64)
    return columns


def undefined_reasons(
    calendar: Calendar, *, has_benchmark: bool, no_benchmark: str = NO_BENCHMARK, has_activity: bool = True
) -> dict[str, str]:
    """For each metric that can be undefined: why it is, wherever it is; the same for all curves of a table."""
    returns = calendar.sessions - 1
    has: dict[Need, bool] = {
        "a return": returns > 0,
        "two returns": returns > 1,
        "a year": calendar.is_one_year,
        "a whole year": False,  # where there is one, best and worst are defined
        "a whole month": len(calendar.months) > 0,
        "a benchmark": has_benchmark,
        "books": has_activity,
    }
    missing = {**MISSING, "a benchmark": no_benchmark}
    reasons = {
        metric.key: next((missing[need] for need in metric.needs if not has[need]), metric.undefined)
        for metric in METRICS
    }
    return {key: reason for key, reason in reasons.items() if reason}


def _prepared(
    equity: npt.ArrayLike,
    calendar: Calendar,
    tbill_returns: npt.ArrayLike,
    benchmark: npt.ArrayLike | None,
    activity: Activity | None,
) -> tuple[Floats, Floats, tuple[Any, ...]]:
    """Curves (curves, sessions), their totals and what they are measured against, checked."""
    curves = np.ascontiguousarray(equity, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[1] != calendar.sessions:
        raise ValueError(f"equity has shape {curves.shape}, expected (curves, {calendar.sessions})")
    tbill = _row(tbill_returns, calendar, "tbill_returns")
    if not np.isfinite(tbill[1:]).all():
        raise ValueError("tbill_returns must be finite")
    reference = None if benchmark is None else _checked(_row(benchmark, calendar, "benchmark")[None], "benchmark")[0]
    exposures = list(activity.exposures.values()) if activity else []
    totals = np.full((len(curves), EXPOSURES + len(exposures)), np.nan)
    if activity is not None:
        totals[:, TURNOVER], totals[:, COSTS_USD] = activity.turnover, activity.costs_usd
        totals[:, REBALANCES], totals[:, TRADES] = activity.rebalances, activity.trades
        for k, exposure in enumerate(exposures, start=EXPOSURES):
            totals[:, k] = exposure
    return _checked(curves, "equity"), totals, measured_against(calendar, tbill[1:], reference)


def _row(values: npt.ArrayLike, calendar: Calendar, name: str) -> Floats:
    row = np.asarray(values, dtype=np.float64)
    if row.shape != (calendar.sessions,):
        raise ValueError(f"{name} has shape {row.shape}, expected ({calendar.sessions},)")
    return row


def _checked(curves: Floats, name: str) -> Floats:
    # NaN is neither: a minimum hands it on.
    if curves.size and not (curves.min() > 0 and curves.max() < np.inf):
        curve, row = np.argwhere(~((curves > 0) & (curves < np.inf)))[0]
        found = f"{name}, curve {curve}, row {row}: {curves[curve, row]}"
        raise ValueError(f"{found}, expected a positive, finite value")
    return curves
