"""Every variant by itself: its active ratio, growth and timing, with intervals and corrected for the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, interval, no_skill_draws, step_down
from backtest.statistics.compare import ledoit_wolf
from backtest.statistics.histories import Histories, Table
from backtest.statistics.sharpe import Moments, minimum_track_record, moments, probabilistic_sharpe
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
    table: Table, drawn: Histories, hurdle: float, membership: Array
) -> tuple[VariantStatistics, ...]:
    """Statistics of each variant, in the table's order.

    hurdle: the deflated ratio's, per session; membership: confidence set p-values of the variants.
    """
    year = table.periods_per_year**0.5
    sharpe, absolute = _estimates(drawn.sharpe, year), _estimates(drawn.excess_sharpe, year)
    growth = _estimates(drawn.growth)
    absolute_gap = _estimates(_over_last(drawn.excess_sharpe), year)
    growth_gap = _estimates(_over_last(drawn.growth))
    p = step_down(drawn.sharpe.observed, no_skill_draws(drawn.sharpe))
    superior = superior_p_values(drawn.mean, mean_error(drawn.mean.draws), len(table.returns)) <= SIZE
    timings = _timings(drawn)
    active, excess = (np.ascontiguousarray(columns.T) for columns in (table.active, table.excess))
    tracking_error = table.active.std(axis=0, ddof=1) * year

    def one(i: int, name: str) -> VariantStatistics:
        shape = moments(active[i])
        return VariantStatistics(
            name=name,
            sharpe=sharpe[i],
            psr=_confidence(shape, 0.0),
            dsr=_confidence(shape, hurdle),
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


def _estimates(drawn: Drawn, scale: float = 1.0) -> list[Estimate]:
    lower, upper = interval(drawn.draws) * scale
    values = drawn.observed * scale
    return [Estimate(float(v), (float(a), float(b))) for v, a, b in zip(values, lower, upper, strict=True)]


def _over_last(drawn: Drawn) -> Drawn:
    """Differences from the last column, the benchmark, history by history."""
    return Drawn(drawn.observed[:-1] - drawn.observed[-1], drawn.draws[:, :-1] - drawn.draws[:, -1:])


def _timings(drawn: Histories) -> list[Timing]:
    if drawn.mix_growth is None or drawn.timing_sharpe is None:
        return []
    gain = Drawn(
        drawn.growth.observed[:-1] - drawn.mix_growth.observed, drawn.growth.draws[:, :-1] - drawn.mix_growth.draws
    )
    p = step_down(drawn.timing_sharpe.observed, no_skill_draws(drawn.timing_sharpe))
    return [Timing(estimate, float(chance)) for estimate, chance in zip(_estimates(gain), p, strict=True)]


def _confidence(shape: Moments, hurdle: float) -> float:
    return probabilistic_sharpe(shape.sharpe, hurdle, shape.observations, shape.skewness, shape.kurtosis)


def _years_needed(shape: Moments, periods_per_year: int) -> float | None:
    needed = minimum_track_record(shape.sharpe, shape.skewness, shape.kurtosis)
    return None if needed is None else needed / periods_per_year
