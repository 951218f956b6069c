"""A second implementation of every metric: one curve, loops and textbook numpy, no care for speed or rounding.

Assumes that every figure it gives is defined; a month is complete when a later month follows or the row is given as
the last of its month.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def plain_metrics(
    days: npt.NDArray[np.datetime64], equity: Array, tbill: Array, benchmark: Array, *, ends_month: bool, periods: int
) -> dict[str, float]:
    r, b = np.diff(equity) / equity[:-1], np.diff(benchmark) / benchmark[:-1]
    x, bx, active = r - tbill[1:], b - tbill[1:], r - b
    closes = [i for i in range(len(days) - 1) if str(days[i])[:-3] != str(days[i + 1])[:-3]]
    closes += [len(days) - 1] if ends_month else []
    decembers = [i for i in closes if str(days[i])[-5:-3] == "12"]
    years = [equity[j] / equity[i] - 1 for i, j in pairwise(decembers)]
    months = [(equity[j] / equity[i], benchmark[j] / benchmark[i]) for i, j in pairwise(closes)]
    up, down = (np.array([m for m in months if sign * (m[1] - 1) > 0]) for sign in (1, -1))
    falls = plain_drawdown(equity)
    cagr = (equity[-1] / equity[0]) ** (365.25 / int((days[-1] - days[0]).astype(int))) - 1
    slope = np.cov(x, bx)[0, 1] / np.var(bx, ddof=1) if len(x) > 1 else np.nan
    return {
        "total_return": equity[-1] / equity[0] - 1,
        "cagr": cagr,
        "volatility": _sd(r) * periods**0.5,
        "sharpe": np.mean(x) / _sd(x) * periods**0.5,
        "sortino": np.mean(x) / np.sqrt(np.mean(np.where(x < 0, x, 0) ** 2)) * periods**0.5,
        "max_drawdown": min(falls),
        "longest_drawdown_sessions": plain_longest_fall(equity),
        "calmar": cagr / -min(falls),
        "ulcer_index": np.sqrt(np.sum(falls**2) / len(r)),
        "cvar_95": np.mean(r[r <= np.quantile(r, 0.05)]),
        "best_year": max(years, default=np.nan),
        "worst_year": min(years, default=np.nan),
        "beta": slope,
        "alpha": (np.mean(x) - slope * np.mean(bx)) * periods,
        "tracking_error": _sd(active) * periods**0.5,
        "information_ratio": np.mean(active) / _sd(active) * periods**0.5,
        "up_capture": _capture(up),
        "down_capture": _capture(down),
        "hit_rate": sum(r > 0) / (sum(r > 0) + sum(r < 0)),
        "final_equity_usd": equity[-1],
    }


def plain_drawdown(equity: Array) -> Array:
    peak, falls = equity[0], []
    for value in equity.tolist():
        peak = max(peak, value)
        falls.append(value / peak - 1)
    return np.array(falls)


def plain_longest_fall(equity: Array) -> int:
    peak_value, peak, longest = equity[0], 0, 0
    for row, value in enumerate(equity.tolist()):
        if value < peak_value:
            longest = max(longest, row - peak)
        else:
            longest = max(longest, row - peak if row - peak > 1 else 0)
            peak_value, peak = value, row
    return longest


def _sd(values: Array) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan


def _capture(months: Array) -> float:
    if not len(months):
        return np.nan
    own, other = np.exp(np.mean(np.log(months), axis=0)) - 1
    return float(own / other)
