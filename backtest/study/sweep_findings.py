"""What a sweep found: finalists run again by backtrader, how much of the best is luck, what needs no timing.

SWEEP -> plateau -> finalists (backtrader, equal to the last bit) -> deflated Sharpe, overfitting -> page and files
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.config import Config, study_question
from backtest.data import content_hash
from backtest.errors import EnginesDisagree
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS
from backtest.pipeline import run
from backtest.result import Figures, Result
from backtest.statistics.overfitting import overfitting
from backtest.statistics.sharpe import Trials, deflated_sharpe, moments, pooled_trials, trials_of
from backtest.store.trial_ledger import Place, SweptTrials, TrialLedger, place_of
from backtest.study.sweep import Sweep, curves_of
from backtest.study.sweep_ahead import share_ahead
from backtest.study.sweep_plateau import Plateau, plateau_of
from backtest.study.sweep_setting import Setting

TOP = 3
"""Best variants that are run again."""

MIXES = 11
"""Static mixes beside the variants: 0, 10, ... 100% small."""

MOST_FOR_OVERFITTING = 250
"""Variants whose whole curves the overfitting probability looks at: all, or as many at equal distances."""

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

    overfitting: probability of backtest overfitting over `looked_at` variants; deflated: confidence that the best one's
    active ratio is more than the luck of `trials` (None without a benchmark). ahead: share of variants that grew more
    than the benchmark.
    """

    plateau: Plateau | None
    is_ordered: tuple[bool, ...]
    finalists: tuple[Finalist, ...]
    benchmarks: dict[str, Figures]
    mixes: dict[float, Figures]
    overfitting: float | None
    looked_at: int
    deflated: float | None
    trials: Trials
    ahead: float | None


def findings_of(result: Sweep, ledger: Path | None) -> Findings:
    """Everything the page tells beside the table. Records the sweep as one line per place and family of strategies.

    Raises EnginesDisagree when a finalist is not the same by backtrader.
    """
    plateau = _plateau(result)
    finalists = tuple(_finalists(result, plateau))
    trials = recorded(result, ledger)
    benchmarks, mixes = _without_timing(result)
    probability, looked_at = _overfitting(result)
    return Findings(
        plateau=plateau,
        is_ordered=lengths_and_order(result)[1],
        finalists=finalists,
        benchmarks=benchmarks,
        mixes=mixes,
        overfitting=probability,
        looked_at=looked_at,
        deflated=_deflated(result, finalists, trials),
        trials=trials,
        ahead=share_ahead(result),
    )


def _plateau(result: Sweep) -> Plateau | None:
    if result.study.sample is not None:
        return None
    return plateau_of(result.metric(result.headline), *lengths_and_order(result))


def lengths_and_order(result: Sweep) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Of each axis of the grid: how many values, and whether they are numbers."""
    axes = list(result.study.grid.values())
    ordered = tuple(all(isinstance(v, int | float) and not isinstance(v, bool) for v in axis) for axis in axes)
    return tuple(len(axis) for axis in axes), ordered


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


def _overfitting(result: Sweep) -> tuple[float | None, int]:
    """Probability of backtest overfitting of the variants' active returns; None where curves differ in length."""
    usable = np.sort(result.ranked)
    step = max(1, -(-len(usable) // MOST_FOR_OVERFITTING))
    numbers = usable[::step].tolist()
    if len(numbers) < 2 or "data.start" in result.keys or "data.end" in result.keys or len(result.first.tbill) < 64:
        return None, 0
    curves = curves_of(result, numbers)
    against = result.first.benchmark if result.first.benchmark is not None else np.ones(curves.shape[1])
    active = _returns(curves) - _returns(against[None])
    return overfitting(np.ascontiguousarray(active.T)).probability, len(numbers)


def _returns(equity: Floats) -> Floats:
    return np.asarray(equity[:, 1:] / equity[:, :-1] - 1.0)


def _deflated(result: Sweep, finalists: tuple[Finalist, ...], trials: Trials) -> float | None:
    """Deflated Sharpe ratio of the best variant's active returns, for all trials known."""
    if result.first.benchmark is None or not finalists:
        return None
    books, benchmarks = finalists[0].result.books, finalists[0].result.benchmarks
    own = moments(_returns(books.equity[None])[0] - _returns(next(iter(benchmarks.values())).equity[None])[0])
    per_session = trials.variance / result.first.calendar.periods_per_year
    return deflated_sharpe(own.sharpe, own.observations, own.skewness, own.kurtosis, per_session, trials.count)


def recorded(result: Sweep, path: Path | None) -> Trials:
    """Put the sweep into the trial ledger, one line per place and family; all trials known there and here, annual."""
    lines = _lines(result)
    groups = [Trials(line.variants, line.mean, line.variance) for line in lines]
    if path is None:
        return pooled_trials(groups)
    ledger = TrialLedger(path)
    for line in lines:
        ledger.record(line)
    places, own = {line.place for line in lines}, {line.sweep_sha256 for line in lines}
    sweeps = {s.sweep_sha256: s for s in ledger.sweeps if s.place in places and s.sweep_sha256 not in own}
    groups += [Trials(s.variants, s.mean, s.variance) for _, s in sorted(sweeps.items())]
    singles = {t.question_sha256: t.active_sharpe or 0.0 for t in ledger.trials if t.place in places}
    if singles:
        groups.append(trials_of(np.array([singles[question] for question in sorted(singles)])))
    return pooled_trials(groups)


def _lines(result: Sweep) -> list[SweptTrials]:
    """One line for each place and family; variants without a ratio count with none."""
    ratios = np.nan_to_num(result.metric(result.headline))
    groups: dict[tuple[Place, str], list[int]] = {}
    settings: dict[tuple[Place, str], Setting] = {}
    seen: dict[int, tuple[Config, tuple[Place, str]]] = {}
    for number in range(result.study.size):
        if number in result.problems:
            continue
        template, params = result.study.grid_parts(number)
        if seen.get(id(template), (None, None))[0] is not template:
            setting = result.settings.of(template, params)
            group = (place_of(template, setting.market), template.strategy.name)
            seen[id(template)] = (template, group)
            settings.setdefault(group, setting)
        groups.setdefault(seen[id(template)][1], []).append(number)
    lines = []
    for (place, family), numbers in groups.items():
        known = trials_of(ratios[numbers])
        asked = f"{study_question(result.study)}\n{place}\n{family}"
        lines.append(
            SweptTrials(
                place=place,
                family=family,
                sweep_sha256=hashlib.sha256(asked.encode()).hexdigest(),
                data_sha256=content_hash(settings[place, family].market),
                benchmark=result.benchmark,
                variants=known.count,
                mean=known.mean,
                variance=known.variance,
                sessions=len(settings[place, family].plan.sessions) - 1,
            )
        )
    return lines
