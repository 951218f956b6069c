"""Compare variants honestly: which one is better, and is it luck?

    variants -> common ground -> runs -> trial ledger -> statistics -> frontier, luck -> COMPARISON

Every variant runs on the compiled kernel; the best one, and any that trades in its own `next`, by backtrader too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from backtest.config import Config
from backtest.market import Market
from backtest.statistics.assessment import Assessment, assess, evidence
from backtest.statistics.verdict import judge
from backtest.study.comparison import CommonPeriod, Comparison
from backtest.study.differences import differences_of, effect_of
from backtest.study.field import Field, in_parallel, run_benchmarks, run_field
from backtest.study.figures import benchmarks_of, measured, variants_of
from backtest.study.frontier import frontier_of
from backtest.study.ground import Benchmark, common_ground
from backtest.study.luck import Luck, Yardstick, luck_of
from backtest.study.recorder import Recorder
from backtest.study.runs import Outcome, check_by_backtrader, plan_of_benchmark, run_variant
from backtest.study.through_time import alike_order, calendar_years, correlation_of, walk_forward

SEED = 1
"""Of all resampling."""

MOST_WITH_LUCK = 40
"""Up to so many variants all have luck meters; beyond, the best BEST_WITH_LUCK."""

BEST_WITH_LUCK = 12

Progress = Callable[[int, int], None]


def compare(
    variants: Mapping[str, Config],
    *,
    name: str,
    strategies: Mapping[str, type],
    benchmark: Benchmark | None = None,
    ledger: Path | None = None,
    grid: Sequence[str] = (),
    seed: int = SEED,
    progress: Progress | None = None,
    market: Market | None = None,
    offline: bool = False,
) -> Comparison:
    """Run all variants on their common period and say what the table is worth.

    benchmark: what they are held against; by default the first one of the first variant.
    ledger: the file in which every variant is recorded as it finishes, and whose trials deflate the result; None: the
    variants alone count. grid: the keys that a grid varied.
    market: use this one instead of loading. progress: told (steps done, all steps).
    The same arguments, data, code and earlier trials give the same Comparison.

    Raises ConfigError when the variants cannot be compared, DataError and NetworkError as loading does, RunError with
    too few sessions, EnginesDisagree, and WriteError when the ledger cannot be kept.
    """
    steps = Steps(progress, 2 * len(variants) + 2)
    ground = common_ground(variants, benchmark, market=market, offline=offline)
    benchmarks = run_benchmarks(ground)
    recorder = Recorder(ground, ledger, benchmarks.declared, benchmarks.tbill)

    def finished(outcome: Outcome) -> None:
        recorder.record(outcome)
        steps.advance()

    field = run_field(ground, benchmarks, strategies, finished)
    size = recorder.size()
    assessment = assess(field.table, size.per_session(ground.market.periods_per_year), seed=seed)
    steps.advance()
    luck = luck_of_best(field, assessment, strategies, steps)
    check_by_backtrader(run_variant(ground, field.table.names[assessment.search.best], strategies))
    steps.finish()
    return assembled(name, field, assessment, luck, recorder, strategies, grid)


class Steps:
    """Counts what is done and tells it."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def advance(self) -> None:
        """One step more."""
        self.done += 1
        if self.progress:
            self.progress(min(self.done, self.total), self.total)

    def finish(self) -> None:
        """All done, also the steps that turned out not to be needed."""
        self.done = self.total - 1
        self.advance()


def luck_of_best(
    field: Field, assessment: Assessment, strategies: Mapping[str, type], steps: Steps
) -> dict[int, Luck | None]:
    """Luck meters by the variant's place: of all, or of the best by active Sharpe ratio; None where it has none."""
    ground, names = field.ground, field.table.names
    sharpe = np.array([statistics.sharpe.value for statistics in assessment.variants])
    count = len(sharpe) if len(sharpe) <= MOST_WITH_LUCK else BEST_WITH_LUCK
    places = sorted(np.argsort(-sharpe, kind="stable")[:count].tolist())
    yardstick = Yardstick(ground, plan_of_benchmark(ground, ground.benchmarks[0]))
    yardstick.prepare()

    def one(place: int) -> Luck | None:
        run = run_variant(ground, names[place], strategies)
        return luck_of(run, yardstick) if run.is_vectorised else None

    luck: dict[int, Luck | None] = {}
    for place, meters in zip(places, in_parallel(one, places), strict=True):
        luck[place] = meters
        steps.advance()
    return luck


def assembled(
    name: str,
    field: Field,
    assessment: Assessment,
    luck: Mapping[int, Luck | None],
    recorder: Recorder,
    strategies: Mapping[str, type],
    grid: Sequence[str],
) -> Comparison:
    """The parts put together."""
    ground, table, search, sessions = field.ground, field.table, assessment.search, field.sessions
    figures = measured(field)
    benchmarks = benchmarks_of(field, figures)
    differences = differences_of(list(ground.configs.values()))
    correlation = correlation_of(table.active)
    sharpe = np.array([statistics.sharpe.value for statistics in assessment.variants])
    proof = evidence(table, assessment, benchmarks[0].label, field.mixes[search.best].small_share)
    return Comparison(
        name=name,
        benchmark=benchmarks[0].name,
        terms_of=table.names[0],
        period=CommonPeriod(sessions[0], sessions[-1], len(sessions), table.years),
        sessions=sessions,
        is_simulated=ground.market.is_simulated,
        cautions=(*ground.cautions, *recorder.cautions()),
        notes=ground.market.notes,
        variants=variants_of(field, figures, assessment.variants, strategies, luck, best=search.best),
        benchmarks=benchmarks,
        best=search.best,
        equity=field.equity,
        benchmark_equity=field.benchmark_equity,
        search=search,
        whole=assessment.whole,
        size=recorder.size(),
        verdict=judge(proof),
        frontier=frontier_of(ground, field.calendar, field.benchmarks.tbill),
        correlation=correlation,
        order=alike_order(correlation),
        years=calendar_years(sessions, ground.market.exchange_sessions, field.equity, field.benchmark_equity),
        walk_forward=walk_forward(sessions, table.returns, table.benchmark, search.best),
        differences=differences,
        effect=effect_of(differences, sharpe, grid),
        luck_shown=tuple(luck),
        data_sha256=recorder.data_sha256,
        seed=search.seed,
        sources=ground.market.sources,
    )
