"""The table of metrics: every key in its order, for many curves or for one, and why a figure is missing.

Reads:  equity curves, their Calendar, T-bill returns, a benchmark, the books' totals.
Gives:  metrics_table: arrays for many curves; metrics: plain numbers and reasons for one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.metrics.calendar import Calendar
from backtest.metrics.formulas import Floats, Scratch, Table, measure_absolute, measure_relative
from backtest.metrics.registry import METRIC_KEYS, METRICS, MISSING, NO_BENCHMARK, Need

BLOCK_VALUES = 1 << 16
"""Values worked on at once: half a megabyte an array, so that the passes of a block stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """The books' totals of one curve (numbers) or of a table (arrays, one value per curve).

    turnover: sum over rebalances, the first purchase left out, of half the traded value / equity before the trade.
    rebalances: sessions with a fill, the first purchase included.
    trades: fills.
    exposure_small: mean over sessions, the base row left out, of the small leg's share of invested capital at the
        close; NaN when nothing was ever invested.
    costs_usd: commission and slippage.
    """

    turnover: float | Floats
    rebalances: int | npt.NDArray[np.integer]
    trades: int | npt.NDArray[np.integer]
    exposure_small: float | Floats
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
    table = metrics_table(
        np.asarray(equity, dtype=np.float64)[None],
        calendar=calendar,
        tbill_returns=tbill_returns,
        benchmark=benchmark,
        activity=activity,
    )
    numbers = {key: column[0].item() for key, column in table.items()}
    values = {key: number if math.isfinite(number) else None for key, number in numbers.items()}
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
    """Metrics of many curves, shape (curves, sessions), base row first: key -> array (curves,), in METRIC_KEYS' order.

    Undefined is NaN here; undefined_reasons has the reason of each. Counts are integers when they are known.
    calendar: of the curves' sessions.
    tbill_returns: simple return of T-bills per session, shape (sessions,); the base row's is not used.
    benchmark: one curve on the same sessions; without it the relative metrics are undefined.

    Works block by block; beside its result it needs a few megabytes, however many curves there are. Raises ValueError
    for a wrong shape and for an equity that is not positive and finite, naming curve and row.
    """
    curves = np.asarray(equity, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[1] != calendar.sessions:
        raise ValueError(f"equity has shape {curves.shape}, expected (curves, {calendar.sessions})")
    tbill = _row(tbill_returns, calendar, "tbill_returns")[:, 1:]
    if not np.isfinite(tbill).all():
        raise ValueError("tbill_returns must be finite")
    reference = None if benchmark is None else _checked(_row(benchmark, calendar, "benchmark"), "benchmark")

    step = min(max(1, BLOCK_VALUES // calendar.sessions), max(1, len(curves)))
    scratch = Scratch.allocate(step, calendar.sessions)
    starts = range(0, max(1, len(curves)), step)
    blocks = [_measure(curves[i : i + step], i, tbill, reference, calendar, scratch) for i in starts]
    columns: Table = {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}
    columns |= _activity_columns(activity, len(curves), calendar)
    unknown = np.full(len(curves), np.nan)
    return {key: columns.get(key, unknown) for key in METRIC_KEYS}


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


def _measure(
    curves: Floats, first: int, tbill: Floats, reference: Floats | None, calendar: Calendar, scratch: Scratch
) -> Table:
    """A block's columns; the books' are not among them."""
    block = _checked(np.ascontiguousarray(curves), "equity", first)
    room = scratch.resized(len(block))
    table = measure_absolute(block, tbill_returns=tbill, calendar=calendar, scratch=room)
    if reference is not None:
        table |= measure_relative(block, tbill_returns=tbill, benchmark=reference, calendar=calendar, scratch=room)
    return table


def _activity_columns(activity: Activity | None, curves: int, calendar: Calendar) -> Table:
    if activity is None:
        return {}
    per_year = 1 / calendar.years if calendar.years else np.nan
    columns = {
        "turnover_annual": np.asarray(activity.turnover, dtype=np.float64) * per_year,
        "rebalances": np.asarray(activity.rebalances, dtype=np.int64),
        "trades": np.asarray(activity.trades, dtype=np.int64),
        "exposure_small": np.asarray(activity.exposure_small, dtype=np.float64),
        "costs_usd": np.asarray(activity.costs_usd, dtype=np.float64),
    }
    return {key: np.broadcast_to(column, curves) for key, column in columns.items()}


def _row(values: npt.ArrayLike, calendar: Calendar, name: str) -> Floats:
    row = np.asarray(values, dtype=np.float64)
    if row.shape != (calendar.sessions,):
        raise ValueError(f"{name} has shape {row.shape}, expected ({calendar.sessions},)")
    return row[None, :]


def _checked(curves: Floats, name: str, first: int = 0) -> Floats:
    # NaN is neither: a minimum hands it on.
    if curves.size and not (curves.min() > 0 and curves.max() < np.inf):
        curve, row = np.argwhere(~((curves > 0) & (curves < np.inf)))[0]
        found = f"{name}, curve {first + curve}, row {row}: {curves[curve, row]}"
        raise ValueError(f"{found}, expected a positive, finite value")
    return curves
