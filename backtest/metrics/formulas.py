"""The formulas, over a block of curves at once: one row per curve, in the rows of a block that fits the cache.

Reads:  equity (curves, sessions), positive and finite, base row first; T-bill returns and benchmark as single rows.
Gives:  one array (curves,) per metric; NaN where a metric is not defined.

Every figure of a row is computed from that row alone and in the same order, whatever stands beside it, and with
operations that every processor rounds alike (no BLAS, no numpy power, logarithm or exponential): a curve has the same
metrics, to the bit, alone and in a table, and on another machine as far as the C library's pow agrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.metrics.calendar import Calendar

Floats = npt.NDArray[np.float64]
Table = dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]

ROUNDING = 1e-10
"""Returns and deviations up to here are rounding: the account keeps as much of its equity in reserve against it."""

TAIL_SHARE = 0.05
"""The share of returns that the conditional value at risk at 95% averages."""


@dataclass(frozen=True, slots=True, eq=False)
class Scratch:
    """The arrays a block works in, used again by the next: fresh memory costs as much as what is computed in it."""

    falls: Floats
    returns: Floats
    excess: Floats
    spare: Floats

    @classmethod
    def allocate(cls, curves: int, sessions: int) -> Scratch:
        """For blocks of at most so many curves."""
        return cls(np.empty((curves, sessions)), *np.empty((3, curves, sessions - 1)))

    def resized(self, curves: int) -> Scratch:
        """For a block of fewer curves."""
        return Scratch(self.falls[:curves], self.returns[:curves], self.excess[:curves], self.spare[:curves])


def drawdown(equity: Floats, *, out: Floats | None = None) -> Floats:
    """Fall from the running peak, as fractions in [-1, 0], along the last axis; the base row is a peak too."""
    falls = np.maximum.accumulate(equity, axis=-1, out=out)
    np.divide(equity, falls, out=falls)
    falls -= 1
    return falls


def measure_absolute(equity: Floats, *, tbill_returns: Floats, calendar: Calendar, scratch: Scratch) -> Table:
    """What a curve is by itself: growth, risk, drawdowns, complete years, hit rate."""
    spare = scratch.spare
    periods = calendar.periods_per_year
    growth = equity[:, -1] / equity[:, 0]
    cagr = _power(growth, 1 / calendar.years) - 1 if calendar.is_one_year else _undefined(growth)
    returns = simple_returns(equity, out=scratch.returns)
    excess = np.subtract(returns, tbill_returns, out=scratch.excess)
    mean_excess, excess_deviation = _mean(excess), _deviation(excess, spare)
    shortfall = np.minimum(excess, 0, out=excess)
    falls = drawdown(equity, out=scratch.falls)
    deepest = falls.min(axis=1)
    by_year = calendar.calendar_years.growth(equity) - 1
    return {
        "total_return": growth - 1,
        "cagr": cagr,
        "volatility": _deviation(returns, spare) * periods**0.5,
        "sharpe": _ratio(mean_excess, excess_deviation) * periods**0.5,
        # Over all N returns, the good ones as zeros: Sortino's target semi-deviation.
        "sortino": _ratio(mean_excess, _root_mean_square(shortfall, spare)) * periods**0.5,
        "max_drawdown": deepest,
        "max_drawdown_sessions": _longest_fall(falls),
        "calmar": _ratio(cagr, -deepest),
        # The base row, which cannot be below a peak, is not one of the N.
        "ulcer_index": _root_mean_square(falls[:, 1:], spare),
        "cvar_95": _tail_mean(returns, spare),
        "best_year": by_year.max(axis=1) if by_year.size else _undefined(growth),
        "worst_year": by_year.min(axis=1) if by_year.size else _undefined(growth),
        "hit_rate": _ratio(_count(returns > 0), _count(returns != 0)),
        "final_equity_usd": equity[:, -1].copy(),
    }


def measure_relative(
    equity: Floats, *, tbill_returns: Floats, benchmark: Floats, calendar: Calendar, scratch: Scratch
) -> Table:
    """What a curve is beside the benchmark, a single curve (1, sessions) on the same sessions.

    beta and alpha: least squares on returns over T-bills; alpha = (mean - beta x benchmark's mean) x periods a year.
    """
    periods = calendar.periods_per_year
    returns = simple_returns(equity, out=scratch.returns)
    benchmark_returns = simple_returns(benchmark)
    active = np.subtract(returns, benchmark_returns, out=scratch.excess)
    mean_active, active_deviation = _mean(active), _deviation(active, scratch.spare)
    premium = benchmark_returns - tbill_returns
    mean_premium, spread = _mean(premium), _deviation(premium, np.empty_like(premium))
    excess = np.subtract(returns, tbill_returns, out=scratch.excess)
    covariance = _covariance(excess, premium - mean_premium[:, None], scratch.spare)
    beta = _ratio(_ratio(covariance, spread), spread)
    up, down = _captures(equity, benchmark, calendar)
    return {
        "beta": beta,
        "alpha": (_mean(excess) - beta * mean_premium) * periods,
        "tracking_error": active_deviation * periods**0.5,
        "information_ratio": _ratio(mean_active, active_deviation) * periods**0.5,
        "up_capture": up,
        "down_capture": down,
    }


def simple_returns(equity: Floats, *, out: Floats | None = None) -> Floats:
    """Return of each session after the base row: (curves, sessions) -> (curves, sessions - 1)."""
    returns = np.divide(equity[:, 1:], equity[:, :-1], out=out)
    returns -= 1
    return returns


def _captures(equity: Floats, benchmark: Floats, calendar: Calendar) -> tuple[Floats, Floats]:
    """Geometric mean monthly return in the benchmark's rising (falling) months, over the benchmark's own."""
    own, other = calendar.months.growth(equity), calendar.months.growth(benchmark)

    def capture(is_counted: npt.NDArray[np.bool_]) -> Floats:
        months = np.flatnonzero(is_counted)
        if not len(months):
            return _undefined(equity[:, 0])
        means = [_power(np.take(g, months, axis=1).prod(axis=1), 1 / len(months)) - 1 for g in (own, other)]
        return means[0] / means[1]

    return capture(other[0] > 1 + ROUNDING), capture(other[0] < 1 - ROUNDING)


def _longest_fall(falls: Floats) -> npt.NDArray[np.int64]:
    """Sessions of the longest way from a peak back to its level, or to the last row."""
    curves, sessions = falls.shape
    peaks = np.flatnonzero(falls == 0)
    first_peaks = np.searchsorted(peaks, np.arange(curves) * sessions)  # each base row is a peak
    spans = np.diff(peaks, append=curves * sessions)
    spans[spans == 1] = 0  # from one peak to the next: nothing was lost
    last_peaks = np.append(first_peaks[1:], len(peaks))[:curves] - 1
    spans[last_peaks] = sessions - 1 - peaks[last_peaks] % sessions
    return np.maximum.reduceat(spans, first_peaks).astype(np.int64)


def _tail_mean(returns: Floats, spare: Floats) -> Floats:
    """Historical expected shortfall: mean of the worst floor(0.05 (N - 1)) + 1 returns.

    These are the returns at or below the 5% quantile; where several tie at the quantile, as zeros in cash do, only as
    many count as stand in the tail (empyrical's definition).
    """
    count = returns.shape[1]
    if not count:
        return _undefined(returns)
    tail = int(TAIL_SHARE * (count - 1)) + 1
    np.copyto(spare, returns)
    spare.partition(tail - 1, axis=1)
    # A partition's order depends on the processor's instructions, and with it the last bit of a sum.
    return _mean(np.sort(spare[:, :tail], axis=1))


def _mean(values: Floats) -> Floats:
    return values.sum(axis=1) / values.shape[1] if values.shape[1] else _undefined(values)


def _deviation(values: Floats, spare: Floats) -> Floats:
    """Sample standard deviation (N - 1); exactly 0 when only rounding varies, NaN for fewer than two values."""
    if values.shape[1] < 2:
        return _undefined(values)
    centred = np.subtract(values, _mean(values)[:, None], out=spare)
    deviation = np.sqrt(np.multiply(centred, centred, out=spare).sum(axis=1) / (values.shape[1] - 1))
    return np.where(deviation > ROUNDING, deviation, 0.0)


def _covariance(values: Floats, centred: Floats, spare: Floats) -> Floats:
    """Sample covariance (N - 1) with a row whose mean is zero; NaN for fewer than two values."""
    count = values.shape[1]
    return np.multiply(values, centred, out=spare).sum(axis=1) / (count - 1) if count > 1 else _undefined(values)


def _root_mean_square(values: Floats, spare: Floats) -> Floats:
    root: Floats = np.sqrt(_mean(np.multiply(values, values, out=spare)))
    return root


def _count(is_counted: npt.NDArray[np.bool_]) -> Floats:
    return np.array([np.count_nonzero(row) for row in is_counted], dtype=np.float64)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; NaN where the denominator is no more than the noise of rounding."""
    return np.divide(numerator, denominator, out=_undefined(numerator), where=denominator > ROUNDING)


def _power(base: Floats, exponent: float) -> Floats:
    """Power by the C library: numpy's own differs in the last bit between processors."""
    return np.array([value**exponent for value in base.tolist()], dtype=np.float64)


def _undefined(like: Floats) -> Floats:
    return np.full(len(like), np.nan)
