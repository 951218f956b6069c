"""Curves: every variant, its mix of equal exposure, the benchmarks and all static mixes, on the same sessions.

    inputs -> decide, plan, the compiled kernel's books -> CURVES -> `table` for the statistics, rows for the metrics

Everything a study does again and again (other costs, other starting months) is a Plan changed in one place and run by
`growth`, in a tenth of a millisecond. What needs no timing stands beside: fixed shares of the legs, rebalanced monthly
at the same costs. A rotation that does not beat the mix of its own exposure has shown exposure, not timing.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.account import Books, check_same_books, run_backtrader
from backtest.account.benchmarks import (
    benchmark_name,
    benchmark_plan,
    check_bought,
    check_whole,
    legs_plan,
    plain_shares,
    weights_by_ticker,
)
from backtest.account.books import check_identities
from backtest.account.kernel import compiled_books, run_compiled
from backtest.account.plan import NO_BAND, Plan, Terms, begun_at, constant_targets
from backtest.config import Config
from backtest.decision import Decision, target_weights
from backtest.market import Floats, Legs
from backtest.metrics import Activity, Calendar, calendar_and_tbill, metrics_table
from backtest.pipeline import activity_of, decide, is_rotation, legs_of, plan_of
from backtest.result import Figures, cash_beside, holding_words, in_force
from backtest.statistics.histories import ReturnsTable
from backtest.study.inputs import Benchmark, StudyInputs
from backtest.units import DAYS_PER_YEAR

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class VariantRun:
    """One variant with all there is to it; a strategy that trades in its own `next` has decided nothing beforehand."""

    name: str
    config: Config
    strategy: Any
    legs: Legs
    decision: Decision
    plan: Plan
    books: Books

    @property
    def is_vectorised(self) -> bool:
        """Can it be run again by the kernel on other terms?"""
        return is_rotation(self.strategy)


@dataclass(frozen=True, eq=False)
class VariantCurve:
    """What is kept of each variant: the curve and its totals.

    equity: (sessions,) USD, base row first; benchmark: the declared one's on the variant's own terms, likewise;
    gross_growth: growth a year had trading cost nothing. known: sessions with all its evidence, None for all.
    """

    name: str
    equity: Floats
    benchmark: Floats
    activity: Activity
    gross_growth: float
    known: slice | None

    @property
    def shares(self) -> Floats:
        """Mean share of equity in each leg at the close, (legs,)."""
        return np.array(list(self.activity.exposures.values()), dtype=np.float64)


def run_variant(inputs: StudyInputs, name: str, strategies: Mapping[str, type]) -> VariantRun:
    """Decide and run one variant: by the compiled kernel, a `next`-style one by backtrader."""
    config = inputs.configs[name]
    strategy = strategies[config.strategy.name]
    decision = decide(config, inputs.market, strategy)
    plan = plan_of(config, inputs.market, decision)
    books = run_compiled(plan) if is_rotation(strategy) else _by_backtrader(config, strategy, plan)
    return VariantRun(name, config, strategy, legs_of(config), decision, plan, books)


def curve_of_run(run: VariantRun, benchmark: Floats) -> VariantCurve:
    """The part of a run that a comparison keeps."""
    books, plan = run.books, run.plan
    if run.is_vectorised:
        gross = growth(plan, cost_rate=0.0)
    else:
        free = dataclasses.replace(plan, terms=dataclasses.replace(plan.terms, cost_rate=0.0))
        equity = _by_backtrader(run.config, run.strategy, free).equity
        gross = annual_growth(equity[-1] / equity[0], years_between(plan.sessions))
    decided = in_force(run.decision, run.legs, run.config.strategy.initial, plan)
    return VariantCurve(
        name=run.name,
        equity=books.equity,
        benchmark=benchmark,
        activity=activity_of(books, run.legs, decided),
        gross_growth=gross,
        known=run.decision.evidence_rows(len(run.decision.is_known) - len(plan.sessions)),
    )


def check_by_backtrader(run: VariantRun) -> None:
    """Raise EnginesDisagree unless backtrader keeps the same books to the last bit."""
    if run.is_vectorised:
        check_same_books(_by_backtrader(run.config, run.strategy, run.plan), run.books)


def _by_backtrader(config: Config, strategy: Any, plan: Plan) -> Books:
    books = run_backtrader(plan, strategy, **config.strategy.params.model_dump())
    check_identities(books, plan.terms.cash, plan.overnight)
    return books


def plan_of_benchmark(inputs: StudyInputs, benchmark: Benchmark) -> Plan:
    """The plan of a benchmark on the first variant's terms."""
    return benchmark_plan(inputs.market, legs_of(inputs.first), benchmark, inputs.start, Terms.of(inputs.first))


def with_shares(plan: Plan, legs: Legs, shares: Floats) -> Plan:
    """The plan of constant shares of the legs with others, (legs,)."""
    weights = list(weights_by_ticker(legs, shares).values())
    return dataclasses.replace(plan, targets=constant_targets(weights, len(plan.sessions), plan.begins))


def with_decision(run: VariantRun, decision: Decision) -> Plan:
    """The variant's plan with another decision, on all of the market's sessions."""
    plan = run.plan
    weights = target_weights(decision, run.legs, plan.tickers, run.config.strategy.initial)
    targets = weights[len(weights) - len(plan.targets) :].copy()
    return dataclasses.replace(plan, targets=targets)


def growth(plan: Plan, *, begin: int = 0, cost_rate: float | None = None) -> float:
    """Compound growth a year of a plan begun at row `begin`, by the compiled kernel.

    cost_rate: another one than the plan's, as a fraction of traded value. Calendar years of 365.25 days.
    """
    if begin:
        plan = begun_at(plan, begin)
    if cost_rate is not None:
        plan = dataclasses.replace(plan, terms=dataclasses.replace(plan.terms, cost_rate=float(cost_rate)))
    equity = np.empty(len(plan.sessions))
    cash = np.empty(len(equity) if plan.band < NO_BAND else 0)
    compiled_books(plan, equity, cash, np.empty((0, 5)))
    return annual_growth(equity[-1] / equity[0], years_between(plan.sessions))


def annual_growth(factor: float, years: float) -> float:
    """Compound growth a year of what grew by `factor`."""
    return float(factor ** (1.0 / years) - 1.0)


def years_between(sessions: pd.DatetimeIndex) -> float:
    """Calendar days from the first to the last / 365.25."""
    return float((sessions[-1] - sessions[0]).days / DAYS_PER_YEAR)


ON_THE_LINE = 51
"""Mixes of two legs on the frontier: 0, 0.02, ... 1 of the second."""

FRONTIER_FIGURES = ("cagr", "volatility", "sharpe", "max_drawdown")


@dataclass(frozen=True, eq=False)
class Frontier:
    """What needs no timing, on the first variant's terms: the line of all mixes of two legs, else each leg and all.

    legs: the first variant's. shares: (mixes, legs), as `plain_shares`. cagr, volatility, sharpe, max_drawdown:
    (mixes,) as metrics are; NaN where undefined.
    """

    legs: Legs
    shares: Floats
    cagr: Floats
    volatility: Floats
    sharpe: Floats
    max_drawdown: Floats

    @property
    def best_shares(self) -> Floats:
        """The shares with the highest Sharpe ratio, (legs,); the first of equal ones."""
        return np.asarray(self.shares[_highest(self.sharpe)])

    @property
    def best_shares_by_cagr(self) -> Floats:
        """The shares that grew most."""
        return np.asarray(self.shares[_highest(self.cagr)])


@dataclass(frozen=True, eq=False)
class EqualExposure:
    """The static mix of a variant's own legs, terms and average shares, (legs,); metrics as for variants.

    words: the average holdings by leg, for people.
    """

    shares: Floats
    words: str
    metrics: Figures

    @property
    def cash_share(self) -> float:
        """What the legs leave."""
        return cash_beside(self.shares)


@dataclass(frozen=True, slots=True)
class MixParts:
    """What the difference of a variant's growth a year from the benchmark's is made of; they add up to it.

    legs: holding the first leg instead of the benchmark; exposure: the average shares of the other legs and of cash;
    timing: when which was held, before costs; costs: what trading cost more than the mix's rebalancing.
    """

    legs: float
    exposure: float
    timing: float
    costs: float

    @property
    def total(self) -> float:
        """The difference in growth a year."""
        return self.legs + self.exposure + self.timing + self.costs


@dataclass(frozen=True, eq=False)
class MixCurve:
    """The mix of equal exposure as run: equity (sessions,), and what the parts are made of (growth a year).

    shares: by leg, (legs,).
    """

    shares: Floats
    words: str
    equity: Floats
    activity: Activity
    growth: float
    gross_growth: float
    growth_leg: float


def frontier_of(inputs: StudyInputs, calendar: Calendar, tbill: Floats) -> Frontier:
    """The frontier; tbill: riskless return per session, (sessions,)."""
    legs, terms = legs_of(inputs.first), Terms.of(inputs.first)
    shares = plain_shares(legs, ON_THE_LINE)
    plan = legs_plan(inputs.market, legs, shares[0], inputs.start, terms)
    curves = np.array([run_compiled(with_shares(plan, legs, each)).equity for each in shares])
    table = metrics_table(curves, calendar=calendar, tbill_returns=tbill)
    return Frontier(legs, shares, *(np.asarray(table[key], dtype=np.float64) for key in FRONTIER_FIGURES))


def equal_exposure(inputs: StudyInputs, curve: VariantCurve) -> MixCurve:
    """The mix with the variant's average exposure, run at its costs and at none."""
    config = inputs.configs[curve.name]
    legs, shares = legs_of(config), curve.shares
    leg = legs_plan(inputs.market, legs, legs.alone(legs.names[0]), inputs.start, Terms.of(config))
    plan = with_shares(leg, legs, shares)
    books = run_compiled(plan)
    return MixCurve(
        shares=shares,
        words=holding_words(legs, shares),
        equity=books.equity,
        activity=activity_of(books, legs, np.tile(shares, (len(books.sessions), 1))),
        growth=growth(plan),
        gross_growth=growth(plan, cost_rate=0.0),
        growth_leg=growth(leg),
    )


def parts_of(curve: VariantCurve, own_growth: float, mixed: MixCurve, benchmark_growth: float) -> MixParts:
    """The parts of a variant's difference in growth a year."""
    timing = curve.gross_growth - mixed.gross_growth
    return MixParts(
        legs=mixed.growth_leg - benchmark_growth,
        exposure=mixed.growth - mixed.growth_leg,
        timing=timing,
        costs=own_growth - mixed.growth - timing,
    )


def _highest(values: npt.NDArray[np.float64]) -> int:
    return 0 if np.isnan(values).all() else int(np.nanargmax(values))


@dataclass(frozen=True, eq=False)
class BenchmarkCurves:
    """The benchmarks' books, the declared one first, and the riskless return per session (sessions,)."""

    books: tuple[Books, ...]
    activity: tuple[Activity, ...]
    tbill: Floats

    @property
    def declared(self) -> Floats:
        """Equity of the declared benchmark on the terms of the first variant, (sessions,)."""
        return self.books[0].equity


@dataclass(frozen=True, eq=False)
class StudyCurves:
    """The variants in order with their mixes, beside the benchmarks; equity arrays are (curves x sessions)."""

    inputs: StudyInputs
    benchmarks: BenchmarkCurves
    variants: tuple[VariantCurve, ...]
    mixes: tuple[MixCurve, ...]

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the common period, the base row first."""
        return self.benchmarks.books[0].sessions

    @cached_property
    def equity(self) -> Floats:
        """Of the variants."""
        return np.array([variant.equity for variant in self.variants])

    @cached_property
    def benchmark_equity(self) -> Floats:
        """Of the benchmarks."""
        return np.array([books.equity for books in self.benchmarks.books])

    @cached_property
    def mix_equity(self) -> Floats:
        """Of the mixes of equal exposure."""
        return np.array([mixed.equity for mixed in self.mixes])

    @cached_property
    def calendar(self) -> Calendar:
        """For the metrics."""
        return calendar_and_tbill(self.inputs.market, self.sessions)[0]

    @cached_property
    def table(self) -> ReturnsTable:
        """For the statistics."""
        return table_of(
            tuple(variant.name for variant in self.variants),
            self.equity,
            [variant.benchmark for variant in self.variants],
            self.sessions,
            self.benchmarks.tbill,
            self.inputs.market.periods_per_year,
            mixes=self.mix_equity,
        )


def table_of(
    names: tuple[str, ...],
    equity: Floats,
    benchmarks: Sequence[Floats],
    sessions: pd.DatetimeIndex,
    tbill: Floats,
    periods_per_year: int,
    mixes: Floats | None = None,
) -> ReturnsTable:
    """Curves as the table that all statistics of a search are made of: returns, without the base row.

    equity, mixes: (variants x sessions); benchmarks: of each variant, on its own terms; tbill: (sessions,).
    """
    first = benchmarks[0]
    is_shared = all(each is first or np.array_equal(each, first) for each in benchmarks)
    return ReturnsTable(
        names=names,
        returns=returns_of(equity),
        benchmark=returns_of(first[None])[:, 0],
        years=years_between(sessions),
        mixes=None if mixes is None else returns_of(mixes),
        tbill=tbill[1:],
        periods_per_year=periods_per_year,
        own_benchmarks=None if is_shared else returns_of(np.array(benchmarks)),
    )


def with_bought(inputs: StudyInputs) -> StudyInputs:
    """Without the benchmarks that never bought anything: cash is no yardstick. The declared one must have."""
    plans = [plan_of_benchmark(inputs, benchmark) for benchmark in inputs.benchmarks]
    declared = benchmark_name(inputs.benchmarks[0])
    check_whole(declared, plans[0])
    books = [run_compiled(plan) for plan in plans]
    check_bought(declared, books[0])
    bought = [each for each, own in zip(inputs.benchmarks, books, strict=True) if len(own.fills.row)]
    return dataclasses.replace(inputs, benchmarks=tuple(bought))


def run_benchmarks(inputs: StudyInputs) -> BenchmarkCurves:
    """All benchmarks on the terms of the first variant."""
    books = tuple(run_compiled(plan_of_benchmark(inputs, benchmark)) for benchmark in inputs.benchmarks)
    legs = legs_of(inputs.first)
    tbill = calendar_and_tbill(inputs.market, books[0].sessions)[1]
    return BenchmarkCurves(books, tuple(activity_of(one, legs) for one in books), tbill)


def run_curves(
    inputs: StudyInputs,
    benchmarks: BenchmarkCurves,
    strategies: Mapping[str, type],
    finished: Callable[[VariantCurve, MixCurve], None],
) -> StudyCurves:
    """VariantRun all variants on all cores; `finished` is told of each, in order, as soon as it is done."""
    own_benchmark = _own_benchmarks(inputs, benchmarks)

    def one(name: str) -> tuple[VariantCurve, MixCurve]:
        curve = curve_of_run(run_variant(inputs, name, strategies), own_benchmark[name])
        return curve, equal_exposure(inputs, curve)

    variants, mixes = [], []
    for curve, mixed in in_parallel(one, list(inputs.configs)):
        finished(curve, mixed)
        variants.append(curve)
        mixes.append(mixed)
    return StudyCurves(inputs, benchmarks, tuple(variants), tuple(mixes))


def _own_benchmarks(inputs: StudyInputs, benchmarks: BenchmarkCurves) -> dict[str, Floats]:
    """Equity of the declared benchmark on each variant's own terms, as its single run has it; shared where equal."""
    known: dict[tuple[Terms, str], Floats] = {(Terms.of(inputs.first), str(inputs.first.legs)): benchmarks.declared}
    for config in inputs.configs.values():
        terms, legs = Terms.of(config), legs_of(config)
        if (terms, str(config.legs)) not in known:
            plan = benchmark_plan(inputs.market, legs, inputs.benchmarks[0], inputs.start, terms)
            equity = run_compiled(plan).equity
            same = next((other for other in known.values() if np.array_equal(other, equity)), equity)
            known[terms, str(config.legs)] = same
    return {name: known[Terms.of(config), str(config.legs)] for name, config in inputs.configs.items()}


def in_parallel(function: Callable[[T], S], values: Sequence[T]) -> Iterator[S]:
    """`map` on a thread for each core (the kernel lets go of the interpreter), in order; raises the first error."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(function, value) for value in values]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def returns_of(equity: Floats) -> Floats:
    """Simple returns per session, (sessions - 1 x curves), of (curves x sessions)."""
    return np.ascontiguousarray((equity[:, 1:] / equity[:, :-1] - 1.0).T)


def activities(each: Iterable[Activity]) -> Activity:
    """Totals of several curves as one Activity of arrays; NaN for a leg that a curve does not have."""
    every = list(each)
    legs = dict.fromkeys(leg for a in every for leg in a.exposures)
    return Activity(
        turnover=np.array([float(a.turnover) for a in every]),
        rebalances=np.array([int(a.rebalances) for a in every]),
        trades=np.array([int(a.trades) for a in every]),
        exposures={leg: np.array([float(a.exposures.get(leg, np.nan)) for a in every]) for leg in legs},
        costs_usd=np.array([float(a.costs_usd) for a in every]),
    )
