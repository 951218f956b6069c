"""Every variant by itself: its active ratio, growth and timing, with intervals and corrected for the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, interval, no_skill_draws, step_down
from backtest.statistics.compare import ledoit_wolf
from backtest.statistics.histories import Histories, Resampled, ReturnsTable
from backtest.statistics.sharpe import NO_RISK, Moments, minimum_track_record, moments, probabilistic_sharpe
from backtest.statistics.superiority import mean_error, superior_p_values

Array = NDArray[np.float64]
Interval = tuple[float, float]

SIZE = 0.05


@dataclass(frozen=True)
class Estimate:
    """An observed number with its 95% percentile interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Timing:
    """Growth a year over the static mix of the same average exposure; p one-sided, corrected for all variants."""

    difference: Estimate
    p: float


@dataclass(frozen=True)
class VariantStatistics:
    """One variant; ratios annual, growth and tracking error fractions a year."""

    name: str
    sharpe: Estimate
    """Of the active returns; the absolute one over T-bills is `absolute_sharpe`."""
    psr: float
    dsr: float
    minimum_track_record_years: float | None
    p: float
    """One-sided, stepwise corrected for all variants, from the no-skill histories."""
    is_superior: bool
    """Member of the superior set of the stepwise SPA test at 5%."""
    confidence_set_p: float
    tracking_error: float
    cagr: Estimate
    cagr_difference: Estimate
    absolute_sharpe: Estimate
    sharpe_difference: Estimate
    """Absolute ratio minus the benchmark's; `ledoit_wolf_p` tests the same difference."""
    ledoit_wolf_p: float
    timing: Timing | None


def variant_statistics(
    table: ReturnsTable, active: Resampled, drawn: Histories, hurdle: float, membership: Array
) -> tuple[VariantStatistics, ...]:
    """Statistics of each variant, in the table's order.

    hurdle: the deflated ratio's, per session; membership: confidence set p-values of the variants.
    """
    year = table.periods_per_year**0.5
    sharpe, absolute = _estimates(active.sharpe, year), _estimates(drawn.excess_sharpe, year)
    growth, growth_gap = _estimates(drawn.growth), _estimates(drawn.growth_gap)
    absolute_gap = _estimates(_over_last(drawn.excess_sharpe), year)
    p = step_down(active.sharpe.observed, no_skill_draws(active.sharpe))
    superior = superior_p_values(active.mean, mean_error(active.mean.draws), len(table.returns)) <= SIZE
    timings = _timings(drawn)
    excess, tracking_error = np.ascontiguousarray(table.excess.T), tracking_errors(table)

    def one(i: int, name: str) -> VariantStatistics:
        shape = shape_of(table.active, i)
        return VariantStatistics(
            name=name,
            sharpe=sharpe[i],
            psr=confidence(shape, 0.0),
            dsr=confidence(shape, hurdle),
            minimum_track_record_years=_years_needed(shape, table.periods_per_year),
            p=float(p[i]),
            is_superior=bool(superior[i]),
            confidence_set_p=float(membership[i]),
            tracking_error=float(tracking_error[i]),
            cagr=growth[i],
            cagr_difference=growth_gap[i],
            absolute_sharpe=absolute[i],
            sharpe_difference=absolute_gap[i],
            ledoit_wolf_p=ledoit_wolf(excess[i], excess[-1]).p_value,
            timing=timings[i] if timings else None,
        )

    return tuple(one(i, name) for i, name in enumerate(table.names))


def shape_of(columns: Array, place: int) -> Moments:
    """Moments of one column, copied first: a sum over a strided column may round otherwise."""
    return moments(np.ascontiguousarray(columns[:, place]))


def tracking_errors(table: ReturnsTable) -> Array:
    """Annual deviation of each variant's active returns; exactly 0 for one that only rounding tells apart."""
    deviation = table.active.std(axis=0, ddof=1)
    return np.asarray(np.where(deviation > NO_RISK, deviation, 0.0) * table.periods_per_year**0.5)


def _estimates(drawn: Drawn, scale: float = 1.0) -> list[Estimate]:
    lower, upper = interval(drawn.draws) * scale
    values = drawn.observed * scale
    return [Estimate(float(v), (float(a), float(b))) for v, a, b in zip(values, lower, upper, strict=True)]


def _over_last(drawn: Drawn) -> Drawn:
    """Differences from the last column, the benchmark, history by history."""
    return Drawn(drawn.observed[:-1] - drawn.observed[-1], drawn.draws[:, :-1] - drawn.draws[:, -1:])


def _timings(drawn: Histories) -> list[Timing]:
    if drawn.timing is None or drawn.timing_sharpe is None:
        return []
    p = step_down(drawn.timing_sharpe.observed, no_skill_draws(drawn.timing_sharpe))
    return [Timing(estimate, float(chance)) for estimate, chance in zip(_estimates(drawn.timing), p, strict=True)]


def confidence(shape: Moments, hurdle: float) -> float:
    """Confidence that the true ratio of such returns is above a hurdle, both per session."""
    return probabilistic_sharpe(shape.sharpe, hurdle, shape.observations, shape.skewness, shape.kurtosis)


def _years_needed(shape: Moments, periods_per_year: int) -> float | None:
    needed = minimum_track_record(shape.sharpe, shape.skewness, shape.kurtosis)
    return None if needed is None else needed / periods_per_year
