"""Which variants grew more than the benchmark, each held against it on its own terms and in its own period."""

from __future__ import annotations

import numpy as np

from backtest.market import Floats
from backtest.study.sweep import Sweep


def benchmark_growth(result: Sweep) -> Floats:
    """Total return of each point's own benchmark, (points,); NaN for a point that could not be run."""
    growth = np.full(result.study.size, np.nan)
    known: dict[int, tuple[object, float]] = {}  # by template, held so that its id stays its own
    for number in range(result.study.size):
        if number in result.problems:
            continue
        template, params = result.study.grid_parts(number)
        if id(template) not in known:
            curve = result.settings.of(template, params).benchmark
            known[id(template)] = (template, np.nan if curve is None else float(curve[-1] / curve[0] - 1.0))
        growth[number] = known[id(template)][1]
    return growth


def share_ahead(result: Sweep) -> float | None:
    """Share of the variants that grew more than their benchmark; None without a benchmark."""
    if result.benchmark is None:
        return None
    grown, held = result.metric("total_return"), benchmark_growth(result)
    is_known = ~(np.isnan(grown) | np.isnan(held))
    return float((grown[is_known] > held[is_known]).mean()) if is_known.any() else None
