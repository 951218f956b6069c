"""Figures of every curve of a comparison, measured in one call, and put beside what the statistics say."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from backtest.account.benchmarks import benchmark_label, benchmark_name
from backtest.config import StaticMix
from backtest.market import Floats, Legs
from backtest.metrics import metrics, metrics_table, undefined_reasons
from backtest.pipeline import is_rotation, legs_of, rule_of
from backtest.result import Figures
from backtest.statistics.variants import VariantStatistics
from backtest.study.comparison import BenchmarkFigures, Variant
from backtest.study.field import Field, activities
from backtest.study.frontier import EqualExposure, parts_of
from backtest.study.ground import Benchmark
from backtest.study.luck import Luck
from backtest.study.runs import annual_growth

ITSELF = "it is the benchmark itself"


def measured(field: Field) -> list[Figures]:
    """Figures of the variants, then of the benchmarks, then of the mixes, against the declared benchmark."""
    each = [outcome.activity for outcome in field.outcomes]
    each += [*field.benchmarks.activity, *(mixed.activity for mixed in field.mixes)]
    table = metrics_table(
        np.concatenate([field.equity, field.benchmark_equity, field.mix_equity]),
        calendar=field.calendar,
        tbill_returns=field.benchmarks.tbill,
        benchmark=field.benchmarks.declared,
        activity=activities(each),
    )
    columns = {key: column.tolist() for key, column in table.items()}
    return [
        {key: values[i] if math.isfinite(values[i]) else None for key, values in columns.items()}
        for i in range(len(each))
    ]


def variants_of(
    field: Field,
    figures: list[Figures],
    statistics: tuple[VariantStatistics, ...],
    strategies: Mapping[str, type],
    luck: Mapping[int, Luck | None],
    best: int,
) -> tuple[Variant, ...]:
    """The variants with all that is known of each; figures: as `measured` gives them."""
    reasons = undefined_reasons(field.calendar, has_benchmark=True)
    first_mix = len(field.outcomes) + len(field.benchmarks.books)
    benchmark_growth = _growth(field, field.benchmarks.declared)

    def one(i: int) -> Variant:
        outcome, mixed = field.outcomes[i], field.mixes[i]
        config = field.ground.configs[outcome.name]
        own = _growth(field, outcome.equity)
        return Variant(
            name=outcome.name,
            config=config,
            rule=rule_of(strategies[config.strategy.name], legs_of(config), config.strategy.params),
            metrics=figures[i],
            undefined={key: reasons[key] for key, value in figures[i].items() if value is None},
            statistics=statistics[i],
            mix=EqualExposure(mixed.small_share, mixed.cash_share, figures[first_mix + i]),
            parts=parts_of(outcome, own, mixed, benchmark_growth),
            luck=luck.get(i),
            is_checked=i == best or not is_rotation(strategies[config.strategy.name]),
        )

    return tuple(one(i) for i in range(len(field.outcomes)))


def benchmarks_of(field: Field, figures: list[Figures]) -> tuple[BenchmarkFigures, ...]:
    """The benchmarks, the declared one first; figures: as `measured` gives them."""
    reasons = undefined_reasons(field.calendar, has_benchmark=True)
    legs = legs_of(field.ground.first)
    declared, undefined = metrics(
        field.benchmarks.declared,
        calendar=field.calendar,
        tbill_returns=field.benchmarks.tbill,
        no_benchmark=ITSELF,
        activity=field.benchmarks.activity[0],
    )
    every = [declared, *figures[len(field.outcomes) + 1 : len(field.outcomes) + len(field.benchmarks.books)]]

    def one(benchmark: Benchmark, own: Figures) -> BenchmarkFigures:
        name = benchmark_name(benchmark)
        why = {key: reasons.get(key, "") for key, value in own.items() if value is None}
        return BenchmarkFigures(
            name=name,
            label=benchmark_label(name),
            small_share=_small_share(legs, benchmark),
            metrics=own,
            undefined=dict(undefined) if own is declared else why,
        )

    return tuple(one(benchmark, own) for benchmark, own in zip(field.ground.benchmarks, every, strict=True))


def _small_share(legs: Legs, benchmark: Benchmark) -> float | None:
    if isinstance(benchmark, StaticMix):
        return benchmark.static_mix
    is_held = isinstance(benchmark, str) and benchmark in legs.tickers and len(legs.names) > 1
    return float(benchmark in legs[legs.names[1]]) if is_held else None


def _growth(field: Field, equity: Floats) -> float:
    return annual_growth(equity[-1] / equity[0], field.table.years)
