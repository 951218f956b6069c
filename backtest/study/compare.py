"""Compare variants honestly: which one is better, and is it luck?

    variants -> common inputs -> runs -> trial ledger -> statistics -> frontier, luck -> COMPARISON

Every variant runs on the compiled kernel; the best one, and any that trades in its own `next`, by backtrader too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_name
from backtest.account.plan import Plan, Terms, make_plan
from backtest.config import Config
from backtest.config.study import WalkForwardTerms
from backtest.data import content_hash
from backtest.decision import target_weights
from backtest.market import Market
from backtest.pipeline import decide, is_rotation, legs_of
from backtest.statistics.assessment import SEED, Assessment, NoSkill, SearchStatistics, assess
from backtest.statistics.findings import Finding
from backtest.store.ledger import Ledger
from backtest.study.comparison import (
    CommonPeriod,
    Comparison,
    alike_order,
    benchmarks_of,
    calendar_years,
    correlation_of,
    measured,
    variants_of,
)
from backtest.study.curves import (
    BenchmarkCurves,
    MixCurve,
    StudyCurves,
    VariantCurve,
    check_by_backtrader,
    frontier_of,
    in_parallel,
    plan_of_benchmark,
    run_benchmarks,
    run_curves,
    run_variant,
    with_bought,
)
from backtest.study.effects import differences_of, effect_of, whole_grid
from backtest.study.inputs import Benchmark, StudyInputs, common_inputs
from backtest.study.luck import Luck, Yardstick, luck_of
from backtest.study.question import trial_hash
from backtest.study.search import Search, Shown, batch_of, cycles_seen, search
from backtest.study.settings import setting_of, with_first
from backtest.study.timing import TimingDescription, described
from backtest.study.verdict import Subject, verdict
from backtest.study.walk import Candidates, Walk, walk
from backtest.text import HISTORIES_SHOWN

MOST_WITH_LUCK = 40
"""Up to so many variants all have luck meters; beyond, the best BEST_WITH_LUCK."""

BEST_WITH_LUCK = 12

REMEMBERED_TOGETHER = 25
"""Variants of a comparison that go to the ledger at a time, before all of it is done."""

Progress = Callable[[int, int], None]


def compare(
    variants: Mapping[str, Config],
    *,
    name: str,
    strategies: Mapping[str, type],
    benchmark: Benchmark | None = None,
    ledger: Path | None = None,
    recorded: int = 0,
    grid: Mapping[str, Sequence[object]] | None = None,
    walk_forward: WalkForwardTerms | None = None,
    seed: int = SEED,
    progress: Progress | None = None,
    market: Market | None = None,
    offline: bool = False,
) -> Comparison:
    """Run all variants on their common period and say what the table is worth.

    benchmark: what they are held against; by default the first one of the first variant.
    ledger: the file in which every variant is recorded, and beside whose trials they are judged; None: the variants
    alone count. recorded: the most trials that a result says its ledger had. grid: each key that a grid varied with its
    values, the last one's changing fastest from variant to variant. walk_forward: how the variants are walked forward,
    by default as a study that says nothing.
    market: use this one instead of loading. progress: told (steps done, all steps).
    The same arguments, data, code and earlier trials give the same Comparison.

    Raises ConfigError when the variants cannot be compared, DataError and NetworkError as loading does, RunError with
    too few sessions, EnginesDisagree, and WriteError when the ledger cannot be kept.
    """
    steps = Steps(progress, 2 * len(variants) + 2)
    inputs = with_bought(common_inputs(variants, benchmark, market=market, offline=offline))
    benchmarks = run_benchmarks(inputs)
    with _remembered(name, inputs, benchmarks, ledger) as remember:

        def finished(curve: VariantCurve, mix: MixCurve) -> None:
            remember(curve, mix)
            steps.advance()

        curves = run_curves(inputs, benchmarks, strategies, finished)
    known = search(shown_curves(name, curves), ledger, recorded=recorded)
    plain = assess(curves.table, known.per_session(inputs.market.periods_per_year), seed=seed)
    assessment = judged(plain, known)
    steps.advance()
    luck, timing = luck_of_best(curves, assessment, strategies, steps)
    check_by_backtrader(run_variant(inputs, curves.table.names[assessment.search.best], strategies))
    walked = walk_of(curves, strategies, walk_forward or WalkForwardTerms())
    steps.finish()
    parts = assembled(curves, assessment, known, luck, timing, strategies, grid or {})
    digest = content_hash(inputs.market)
    return Comparison(name=name, cautions=inputs.cautions, size=known, walk_forward=walked, data_sha256=digest, **parts)


@contextmanager
def _remembered(
    name: str, inputs: StudyInputs, benchmarks: BenchmarkCurves, path: Path | None
) -> Iterator[Callable[[VariantCurve, MixCurve], None]]:
    """What a stopped comparison has done was tried: it is recorded REMEMBERED_TOGETHER at a time, and when it stops."""
    done: list[tuple[VariantCurve, MixCurve]] = []

    def record() -> None:
        if done and path is not None:
            curves = tuple(curve for curve, _ in done)
            some = dataclasses.replace(inputs, configs={own.name: inputs.configs[own.name] for own in curves})
            mixes = tuple(mix for _, mix in done)
            Ledger(path).record(batch_of(shown_curves(name, StudyCurves(some, benchmarks, curves, mixes))))
        done.clear()

    def remember(curve: VariantCurve, mix: MixCurve) -> None:
        done.append((curve, mix))
        if len(done) >= REMEMBERED_TOGETHER:
            record()

    try:
        yield remember
    except BaseException:  # a key that interrupts, too
        record()
        raise


def shown_curves(name: str, curves: StudyCurves) -> Shown:
    """The variants as they are shown."""
    inputs, table = curves.inputs, curves.table
    assert table.mixes is not None
    return Shown(
        market=inputs.market,
        sessions=curves.sessions,
        command="compare",
        study=name,
        names=table.names,
        questions=tuple(trial_hash(config) for config in inputs.configs.values()),
        returns=table.returns,
        mixes=table.mixes,
        benchmark=table.benchmark[:, None] if table.own_benchmarks is None else table.own_benchmarks,
        benchmark_name=benchmark_name(inputs.benchmarks[0]),
        cycles=tuple(cycles_seen(config, inputs.market, curves.sessions) for config in inputs.configs.values()),
        known=tuple(curve.known for curve in curves.variants),
    )


def judged(assessment: Assessment, known: Search) -> Assessment:
    """The statistics with what the search says in place of what the table alone would: p-values, luck, edge."""
    variants = tuple(
        dataclasses.replace(
            own,
            p=found.ahead.p if found.ahead else 1.0,
            timing=dataclasses.replace(own.timing, p=found.timing.p) if own.timing else None,
        )
        for own, found in zip(assessment.variants, known.findings, strict=True)
    )
    best = known.findings[assessment.search.best]
    return dataclasses.replace(assessment, variants=variants, search=lucky(assessment.search, best))


def lucky(statistics: SearchStatistics, best: Finding) -> SearchStatistics:
    """The statistics of a search with the luck of all that was tried."""
    test = best.ahead
    if test is None:
        return statistics
    root = (best.whole_years or best.years) ** 0.5
    dots = np.array(test.bests).reshape(HISTORIES_SHOWN, -1).mean(axis=1)
    no_skill = NoSkill(p=test.p, mean=test.middle / root, upper=test.upper / root, dots=dots)
    edge = best.edge_seen if best.tracking_error and best.edge_seen is not None else statistics.smallest_edge
    return dataclasses.replace(statistics, no_skill=no_skill, smallest_edge=edge)


def walk_of(curves: StudyCurves, strategies: Mapping[str, type], terms: WalkForwardTerms) -> Walk | None:
    """The walk-forward among the variants.

    None for a single variant, without a test window, and where no account can follow the choices: where variants differ
    in costs or cash, or trade in their own `next`.
    """
    inputs, market = curves.inputs, curves.inputs.market
    configs = list(inputs.configs.values())
    given = {dataclasses.replace(own, rebalance="on_change") for own in map(Terms.of, configs)}
    has_band = any(not isinstance(Terms.of(config).rebalance, str) for config in configs)
    if (
        len(configs) < 2
        or len(given) > 1
        or has_band
        or any(not is_rotation(strategies[c.strategy.name]) for c in configs)
    ):
        return None
    tickers = tuple(dict.fromkeys(ticker for config in configs for ticker in legs_of(config).tickers))

    @cache
    def plan_of(place: int) -> Plan:
        config = configs[place]
        decision = decide(config, market, strategies[config.strategy.name])
        weights = target_weights(decision, legs_of(config), legs_of(config).tickers, config.strategy.initial)
        every = np.zeros((len(weights), len(tickers)))
        every[:, [tickers.index(ticker) for ticker in legs_of(config).tickers]] = weights
        return make_plan(market, tickers, every, inputs.start, Terms.of(config))

    first = with_first(inputs.first, inputs.benchmarks[0])
    candidates = Candidates(
        setting=setting_of(first, first, market, strategies[first.strategy.name]),
        curves=curves.equity,
        plan_of=plan_of,
        values_of=lambda place: {},
        plateau_of=lambda scores: None,
        where="compare",
    )
    return walk(candidates, terms)


class Steps:
    """Counts finished steps and reports them."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def advance(self) -> None:
        """Count one more step."""
        self.done += 1
        if self.progress:
            self.progress(min(self.done, self.total), self.total)

    def finish(self) -> None:
        """All done, also the steps that turned out not to be needed."""
        self.done = self.total - 1
        self.advance()


def luck_of_best(
    curves: StudyCurves, assessment: Assessment, strategies: Mapping[str, type], steps: Steps
) -> tuple[dict[int, Luck | None], dict[int, TimingDescription]]:
    """Luck meters by the variant's place: of all, or of the best by active Sharpe ratio; None where it has none.

    And of the same ones their timing described.
    """
    inputs, names = curves.inputs, curves.table.names
    sharpe = np.array([statistics.sharpe.value for statistics in assessment.variants])
    count = len(sharpe) if len(sharpe) <= MOST_WITH_LUCK else BEST_WITH_LUCK
    places = sorted(np.argsort(-sharpe, kind="stable")[:count].tolist())
    yardstick = Yardstick(inputs, plan_of_benchmark(inputs, inputs.benchmarks[0]))
    yardstick.prepare()

    def one(place: int) -> tuple[Luck | None, TimingDescription]:
        run = run_variant(inputs, names[place], strategies)
        own = described(run.config, inputs.market, run.plan, run.books.equity, curves.variants[place].benchmark)
        return luck_of(run, yardstick) if run.is_vectorised else None, own

    luck: dict[int, Luck | None] = {}
    timing: dict[int, TimingDescription] = {}
    for place, told in zip(places, in_parallel(one, places), strict=True):
        luck[place], timing[place] = told
        steps.advance()
    return luck, timing


def assembled(
    curves: StudyCurves,
    assessment: Assessment,
    known: Search,
    luck: Mapping[int, Luck | None],
    timing: Mapping[int, TimingDescription],
    strategies: Mapping[str, type],
    grid: Mapping[str, Sequence[object]],
) -> dict[str, Any]:
    """The parts of a Comparison that follow from the curves and their statistics."""
    inputs, table, search, sessions = curves.inputs, curves.table, assessment.search, curves.sessions
    figures = measured(curves)
    benchmarks = benchmarks_of(curves, figures)
    differences = differences_of(list(inputs.configs.values()))
    correlation = correlation_of(table.active)
    sharpe = np.array([statistics.sharpe.value for statistics in assessment.variants])
    effect = effect_of(differences, sharpe, tuple(grid))
    best = assessment.variants[search.best]
    subject = Subject(
        name=best.name,
        benchmark=benchmarks[0].label,
        cagr_difference=best.cagr_difference.value,
        cycles=cycles_seen(inputs.configs[best.name], inputs.market, sessions),
    )
    return {
        "benchmark": benchmarks[0].name,
        "terms_of": table.names[0],
        "period": CommonPeriod(sessions[0], sessions[-1], len(sessions), table.years),
        "sessions": sessions,
        "is_simulated": inputs.market.is_simulated,
        "notes": inputs.market.notes,
        "variants": variants_of(curves, figures, assessment.variants, strategies, luck, timing, best=search.best),
        "benchmarks": benchmarks,
        "best": search.best,
        "equity": curves.equity,
        "benchmark_equity": curves.benchmark_equity,
        "search": search,
        "whole": assessment.whole,
        "verdict": verdict(subject, known.findings[search.best], known),
        "frontier": frontier_of(inputs, curves.calendar, curves.benchmarks.tbill),
        "correlation": correlation,
        "order": alike_order(correlation),
        "years": calendar_years(sessions, inputs.market.exchange_sessions, curves.equity, curves.benchmark_equity),
        "plateau": whole_grid(sharpe, grid) if grid else effect.plateau_of(sharpe) if effect else None,
        "differences": differences,
        "effect": effect,
        "luck_shown": tuple(luck),
        "seed": search.seed,
        "periods_per_year": inputs.market.periods_per_year,
        "sources": inputs.market.sources,
    }
