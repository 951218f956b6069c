"""comparison.json: what a script may want to know of a comparison; fractions and not percent, null if undefined."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from backtest.config import question
from backtest.market import Floats, Legs
from backtest.pipeline import legs_of
from backtest.statistics.variants import Estimate, VariantStatistics
from backtest.store.manifest import SCHEMA
from backtest.study.comparison import Comparison, Variant
from backtest.study.luck import Fan, Luck
from backtest.study.verdict import finding_json

DIGITS = 12
"""Significant digits of what resampling gives: sums of matrix products differ in the last ones between machines."""

SIZE = 0.05


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The content of comparison.json."""
    search, period, size = comparison.search, comparison.period, comparison.size
    statistics = [variant.statistics for variant in comparison.variants]
    verdict = comparison.verdict
    return {
        "schema": SCHEMA,
        "name": comparison.name,
        "benchmark": comparison.benchmark,
        "period": {
            "start": f"{period.start:%Y-%m-%d}",
            "end": f"{period.end:%Y-%m-%d}",
            "sessions": period.sessions,
            "years": period.years,
        },
        "is_simulated": comparison.is_simulated,
        "cautions": list(comparison.cautions),
        "trials": size.trials,
        "trials_from": {"here": size.here, "ledger": size.elsewhere, "forgotten": size.forgotten},
        "variants": {
            variant.name: _variant(variant) | {"search": plain(finding_json(found, size))}
            for variant, found in zip(comparison.variants, size.findings, strict=True)
        },
        "benchmarks": {benchmark.name: dict(benchmark.metrics) for benchmark in comparison.benchmarks},
        "best": comparison.names[comparison.best],
        "spa": plain({key: getattr(search.spa, key) for key in ("lower", "consistent", "upper")}),
        "reality_check": plain(comparison.whole.reality_check),
        "stepm": [each.name for each in statistics if each.is_superior],
        "model_confidence_set": [each.name for each in statistics if each.confidence_set_p > SIZE],
        "benchmark_in_confidence_set": comparison.whole.benchmark_confidence_set_p > SIZE,
        "pbo": plain(search.overfitting.probability) if search.overfitting else None,
        "no_skill": plain({key: getattr(search.no_skill, key) for key in ("p", "mean", "upper")}),
        "search": plain(_search(comparison)),
        "static_mix": _static_mix(comparison),
        "plateau": plain(_plateau(comparison)),
        "walk_forward": plain(_walk_forward(comparison)),
        "verdict_level": verdict.level,
        "verdict": " ".join((verdict.headline, *verdict.sentences)),
    }


def _variant(variant: Variant) -> dict[str, Any]:
    own = variant.statistics
    return {
        "metrics": dict(variant.metrics),
        "undefined": dict(variant.undefined),
        "active": plain(_active(own)),
        "absolute": plain(
            {
                "sharpe": own.absolute_sharpe.value,
                "sharpe_ci": own.absolute_sharpe.interval,
                "sharpe_difference": own.sharpe_difference.value,
                "sharpe_difference_ci": own.sharpe_difference.interval,
                "ledoit_wolf_p": own.ledoit_wolf_p,
                "cagr_ci": own.cagr.interval,
            }
        ),
        "parts": plain({key: getattr(variant.parts, key) for key in variant.parts.__slots__}),
        "luck": plain(_luck(variant.luck)) if variant.luck else None,
        "timing_described": variant.timing.as_json if variant.timing else None,
        "checked_by_backtrader": variant.is_checked,
        "config": json.loads(question(variant.config)),
    }


def _active(own: VariantStatistics) -> dict[str, Any]:
    """Against the declared benchmark; ratios annual."""
    return {
        "sharpe": own.sharpe.value,
        "psr": own.psr,
        "dsr": own.dsr,
        "sharpe_ci": own.sharpe.interval,
        "cagr_difference": own.cagr_difference.value,
        "cagr_difference_ci": own.cagr_difference.interval,
        "p": own.p,
        "confidence_set_p": own.confidence_set_p,
        "tracking_error": own.tracking_error,
        "minimum_track_record_years": own.minimum_track_record_years,
    }


def _search(comparison: Comparison) -> dict[str, Any]:
    search = comparison.search
    return {
        "hurdle": search.hurdle,
        "effective_variants": comparison.whole.effective_variants,
        "smallest_edge": search.smallest_edge,
        "block_sessions": search.block,
        "histories": search.histories,
        "seed": search.seed,
        "absolute_best": comparison.names[comparison.whole.absolute.best],
        "absolute_dsr": comparison.whole.absolute.dsr,
    }


def _static_mix(comparison: Comparison) -> dict[str, Any]:
    frontier = comparison.frontier
    return {
        "best_shares": by_leg(frontier.legs, frontier.best_shares),
        "best_shares_by_cagr": by_leg(frontier.legs, frontier.best_shares_by_cagr),
        "equal_exposure": {variant.name: _mix(variant) for variant in comparison.variants},
    }


def _mix(variant: Variant) -> dict[str, Any]:
    timing = variant.statistics.timing
    return {
        "shares": by_leg(legs_of(variant.config), variant.mix.shares),
        "cash_share": variant.mix.cash_share,
        "cagr": variant.mix.metrics["cagr"],
        "sharpe": variant.mix.metrics["sharpe"],
        "timing": plain(_estimate(timing.difference) | {"p": timing.p}) if timing else None,
    }


def by_leg(legs: Legs, shares: Floats) -> dict[str, float]:
    """Shares, (legs,), by the legs' names."""
    return dict(zip(legs.names, shares.tolist(), strict=True))


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"cagr_difference": estimate.value, "cagr_difference_ci": estimate.interval}


def _walk_forward(comparison: Comparison) -> dict[str, Any] | None:
    walk = comparison.walk_forward
    if walk is None:
        return None
    return {
        "terms": walk.terms.model_dump(mode="json"),
        "start": f"{walk.sessions[0]:%Y-%m-%d}",
        "figures": {name: dict(figures) for name, figures in walk.figures.items()},
        "best_in_hindsight": comparison.names[walk.best],
        "picks": {f"{day:%Y-%m-%d}": comparison.names[place] for day, place in walk.picks},
    }


def _plateau(comparison: Comparison) -> dict[str, Any] | None:
    plateau = comparison.plateau
    if plateau is None or plateau.centre is None:
        return None
    mean, worst = plateau.mean[plateau.centre], plateau.worst[plateau.centre]
    return {"centre": comparison.names[plateau.centre], "mean": mean, "worst": worst}


def _luck(luck: Luck) -> dict[str, Any]:
    fans = ("starts", "decision_days", "delays", "costs", "neighbours")
    return {"breakeven_bps": luck.breakeven_bps, **{name: _fan(getattr(luck, name)) for name in fans}}


def _fan(fan: Fan) -> dict[str, Any]:
    """Each figure is growth a year over the benchmark's."""
    own = {"own": fan.own, "percentile": fan.percentile, "ahead": fan.ahead}
    return {**own, "at": fan.at, "cagr_difference": fan.values}


def plain(content: Any) -> Any:
    """Plain JSON values of numpy's and of tuples; floats to DIGITS significant digits, NaN as null."""
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple | np.ndarray):
        return [plain(value) for value in content]
    if isinstance(content, bool | np.bool_):
        return bool(content)
    if isinstance(content, int | np.integer):
        return int(content)
    if isinstance(content, float | np.floating):
        return float(f"{content:.{DIGITS}g}") if math.isfinite(content) else None
    return content
