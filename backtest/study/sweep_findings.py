"""What a sweep found: finalists run again by backtrader, how much of the best is luck, what needs no timing.

SWEEP -> plateau -> finalists (backtrader, equal to the last bit) -> deflated Sharpe, overfitting -> page and files
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.config import Config
from backtest.data import content_hash
from backtest.errors import EnginesDisagree
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS
from backtest.pipeline import run
from backtest.result import Figures, Result
from backtest.statistics.assessment import SearchStatistics, search_statistics
from backtest.statistics.histories import FEWEST_SESSIONS
from backtest.statistics.sharpe import deflated_sharpe, moments
from backtest.store.trial_ledger import Trial, place_of
from backtest.study.curves import returns_of, table_of
from backtest.study.inputs import MOST_VARIANTS
from backtest.study.plateau import Plateau, is_ordered
from backtest.study.sweep import Sweep, curves_of
from backtest.study.trials import Questions, SearchSize, TrialCounter

TOP = 3
"""Best variants that are run again."""

MIXES = 11
"""Static mixes beside the variants: 0, 10, ... 100% small."""

TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Finalist:
    """A variant run again by backtrader: the same equity to the last bit, the same metrics; else it would not be here.

    why: "best", "second", "third" or "centre of the plateau". values: swept key -> value. curve: equity
    by the sweep, USD (sessions,). largest_difference: of a metric between both ways, as a fraction of it.
    """

    number: int
    why: str
    values: dict[str, object]
    result: Result
    curve: Floats
    largest_difference: float


@dataclass(frozen=True, eq=False)
class Findings:
    """plateau: None for a sample. is_ordered: of each swept key, whether its values are numbers.

    benchmarks, mixes: name -> figures, on the first point's terms.

    size: the trials known. search: what luck explains of the best one, as a comparison of the same variants says it;
    None without a benchmark, for more than MOST_VARIANTS variants and for points of unlike periods. deflated:
    confidence that the best one's active ratio is more than the luck of all trials (None without a benchmark). ahead:
    share of variants that grew more than the benchmark.
    """

    plateau: Plateau | None
    is_ordered: tuple[bool, ...]
    finalists: tuple[Finalist, ...]
    benchmarks: dict[str, Figures]
    mixes: dict[float, Figures]
    size: SearchSize
    search: SearchStatistics | None
    deflated: float | None
    ahead: float | None

    @property
    def overfitting(self) -> float | None:
        """Probability of backtest overfitting; None where it is not known."""
        over = self.search.overfitting if self.search else None
        return over.probability if over else None

    @property
    def looked_at(self) -> int:
        """Variants that the overfitting probability looked at."""
        over = self.search.overfitting if self.search else None
        return len(over.wins) if over else 0


def findings_of(result: Sweep, ledger: Path | None) -> Findings:
    """Everything the page tells beside the table. Records each point of the sweep as a trial.

    Raises EnginesDisagree when a finalist is not the same by backtrader.
    """
    plateau = result.plateau_of(result.scores)
    finalists = tuple(_finalists(result, plateau))
    size = recorded(result, ledger)
    benchmarks, mixes = _without_timing(result)
    search = _search(result, size)
    return Findings(
        plateau=plateau,
        is_ordered=tuple(is_ordered(axis) for axis in result.study.grid.values()),
        finalists=finalists,
        benchmarks=benchmarks,
        mixes=mixes,
        size=size,
        search=search,
        deflated=search.dsr if search else _deflated(result, finalists, size),
        ahead=share_ahead(result),
    )


def _search(result: Sweep, size: SearchSize) -> SearchStatistics | None:
    """What luck explains of the best point: the statistics of the curves of all points that could be run."""
    numbers = [number for number in range(result.study.size) if number not in result.problems]
    is_searched = result.benchmark is not None and result.is_on_common_sessions and len(numbers) <= MOST_VARIANTS
    if not is_searched or len(result.first.plan.sessions) <= FEWEST_SESSIONS:
        return None
    benchmarks = [result.benchmark_of(number) for number in numbers]
    first = result.first
    names = tuple(map(str, numbers))
    periods = first.calendar.periods_per_year
    table = table_of(names, curves_of(result, numbers), benchmarks, first.plan.sessions, first.tbill, periods)
    found = search_statistics(table, size.per_session(periods))
    return dataclasses.replace(found, best=numbers[found.best])


def _finalists(result: Sweep, plateau: Plateau | None) -> list[Finalist]:
    chosen = [(int(number), why) for number, why in zip(result.ranked[:TOP], ("best", "second", "third"), strict=False)]
    if plateau and plateau.centre is not None:
        chosen.append((plateau.centre, "centre of the plateau"))
    return [_checked(result, number, why) for number, why in chosen]


def _checked(result: Sweep, number: int, why: str) -> Finalist:
    """By backtrader, which `run` compares with the kernel; then with the row of the sweep."""
    config = result.config(number)
    once = run(config, result.settings.strategies, market=result.settings.market_of(config))
    what, curve, largest = f"point {number} of the sweep", curves_of(result, [number])[0], 0.0
    if not np.array_equal(once.books.equity, curve):
        raise EnginesDisagree(f"{what}: its curve is not that of its single run: please report this")
    for key, swept in zip(METRIC_KEYS, result.table[number].tolist(), strict=True):
        own = once.metrics[key]
        apart = 0.0 if own is None else abs(swept - own) / max(1.0, abs(own))
        if np.isnan(swept) != (own is None) or not apart <= TOLERANCE:
            raise EnginesDisagree(f"{what}: {key} is {swept!r}, {own!r} in its single run: please report this")
        largest = max(largest, apart)
    return Finalist(number, why, result.values(number), once, curve, largest)


def _without_timing(result: Sweep) -> tuple[dict[str, Figures], dict[float, Figures]]:
    """Figures of the benchmarks and of static mixes, on the terms and in the period of the first point."""
    from backtest.account.benchmarks import benchmark_plans, mix_plan, mix_weights
    from backtest.account.kernel import run_compiled
    from backtest.metrics import metrics
    from backtest.pipeline import activity_of
    from backtest.study.sweep_setting import with_first

    first = result.first
    config = with_first(first.config, result.study.benchmark)

    def figures(books: object, name: str | None) -> Figures:
        is_own = name is not None and name == result.benchmark
        return metrics(
            books.equity,  # type: ignore[attr-defined]
            calendar=first.calendar,
            tbill_returns=first.tbill,
            benchmark=None if is_own else first.benchmark,
            activity=activity_of(books, first.legs),  # type: ignore[arg-type]
        )[0]

    start = pd.Timestamp(config.data.start)
    terms = first.plan.terms
    plans = benchmark_plans(config, first.market, first.legs, terms)
    shares = np.round(np.linspace(0.0, 1.0, MIXES), 2).tolist()
    mixes = {s: run_compiled(mix_plan(first.market, mix_weights(first.legs, s), start, terms)) for s in shares}
    return (
        {name: figures(run_compiled(plan), name) for name, plan in plans.items()},
        {share: figures(one, None) for share, one in mixes.items()},
    )


def _deflated(result: Sweep, finalists: tuple[Finalist, ...], size: SearchSize) -> float | None:
    """Deflated Sharpe ratio of the best variant's active returns, for the spread of all trials known alone."""
    if result.benchmark is None or not finalists:
        return None
    best = finalists[0].result
    curve, benchmark = returns_of(np.array([best.books.equity, next(iter(best.benchmarks.values())).equity])).T
    own = moments(curve - benchmark)
    known = size.per_session(result.first.calendar.periods_per_year)
    return deflated_sharpe(own.sharpe, own.observations, own.skewness, own.kurtosis, known.variance, known.count)


def recorded(result: Sweep, path: Path | None) -> SearchSize:
    """Put each point of the sweep into the trial ledger; all trials known there and here."""
    counter = TrialCounter(path, result.benchmark)
    counter.record(_trials(result))
    return counter.size()


def _trials(result: Sweep) -> Iterator[Trial]:
    """A trial for each point that could be run."""
    scores, sharpe = result.scores.tolist(), result.metric("sharpe").tolist()
    known: dict[int, tuple[Config, Questions, dict[str, Any]]] = {}
    digests: dict[int, str] = {}
    for number in range(result.study.size):
        if number in result.problems:
            continue
        template, params = result.study.grid_parts(number)
        if id(template) not in known:
            setting = result.settings.of(template, params)
            market = setting.market
            if id(market) not in digests:
                digests[id(market)] = content_hash(market)
            shared: dict[str, Any] = {
                "place": place_of(template, market),
                "family": template.strategy.name,
                "data_sha256": digests[id(market)],
                "benchmark": result.benchmark,
                "sessions": len(setting.plan.sessions) - 1,
            }
            known[id(template)] = template, Questions(template), shared
        _, questions, shared = known[id(template)]
        yield Trial(
            question_sha256=questions.of(params),
            active_sharpe=None if result.benchmark is None or np.isnan(scores[number]) else scores[number],
            sharpe=None if np.isnan(sharpe[number]) else sharpe[number],
            **shared,
        )


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
