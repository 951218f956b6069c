"""Walk-forward: choose by the past alone, hold the choice for a while, choose again; what would that have been worth?

    sweep -> curves of all points -> windows -> choices -> one account that follows them -> WALK FORWARD

The account is a real one: what was decided by the variant chosen at each time, run by the kernel and by backtrader,
so that changing from one variant to another costs what its trades cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.config import Study
from backtest.config.study import WalkForwardTerms
from backtest.decision import target_weights
from backtest.errors import ConfigError, RunError
from backtest.execution import Books, check_same_books, run_backtrader
from backtest.execution.compiled import run_compiled
from backtest.market import Floats, Market
from backtest.metrics import METRIC_KEYS, calendar_of, metrics
from backtest.metrics.table import ACTIVITY_KEYS
from backtest.plan import make_plan
from backtest.result import Figures
from backtest.statistics.sharpe import Trials
from backtest.study.sweep import Progress, Sweep, curves_of, sweep
from backtest.study.sweep_engine import measurer
from backtest.study.sweep_findings import lengths_and_order, recorded
from backtest.study.sweep_measure import measured_against
from backtest.study.sweep_plateau import plateau_of
from backtest.study.sweep_setting import Setting
from backtest.study.walk_windows import Window, windows_of

MOST_POINTS = 4000
"""Whole curves are held: some 50 KB each for 25 years."""

LESS_IS_BETTER = ("volatility", "ulcer_index", "tracking_error", "max_drawdown_sessions", "down_capture")


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen for a window and how it did.

    inside: the metric in training; outside: in the test window; rank: share of all variants whose metric in the test
    window is below the chosen one's (ties half); growth and benchmark_growth: over the test window, as fractions.
    """

    window: Window
    number: int
    values: Mapping[str, object]
    inside: float
    outside: float
    rank: float
    growth: float
    benchmark_growth: float


@dataclass(frozen=True, eq=False)
class WalkForward:
    """The stitched account beside the benchmark and the best in hindsight, all from the first test session on.

    equity, benchmark, hindsight: (sessions,) USD from the same starting cash. figures: by name, METRIC_KEYS. best: the
    point that was best over the same sessions, known only afterwards.
    """

    sweep: Sweep
    terms: WalkForwardTerms
    choices: tuple[Choice, ...]
    sessions: pd.DatetimeIndex
    equity: Floats
    benchmark: Floats
    hindsight: Floats
    best: int
    figures: Mapping[str, Figures]
    trials: Trials

    @property
    def above_median(self) -> float:
        """Share of windows in which the chosen variant did better than the median of all, by the same metric."""
        return float(np.mean([choice.rank > 0.5 for choice in self.choices]))


def walk_forward(
    study: Study,
    strategies: Mapping[str, type],
    *,
    market: Market | None = None,
    offline: bool = False,
    cluster: str | None = None,
    keep: Path | None = None,
    ledger: Path | None = None,
    progress: Progress | None = None,
) -> WalkForward:
    """Walk a study's grid forward on the terms of its `walk_forward` section.

    Arguments and errors as for `sweep`; ConfigError also for a grid over anything but the strategy, since costs and
    funds are given and not chosen; RunError when the period has no test window.
    """
    terms = study.walk_forward
    _check(study, terms)
    result = sweep(study, strategies, market=market, offline=offline, cluster=cluster, keep=keep, progress=progress)
    if result.first.benchmark is None:
        raise ConfigError(f"{study.path}: benchmark: found none, expected a ticker such as QQQ")
    if result.problems:
        number, why = next(iter(result.problems.items()))
        raise RunError(f"{study.path}: point {number} of the grid cannot be run: {why}")
    sessions, first = result.first.plan.sessions, result.first
    windows = windows_of(sessions, terms)
    if not windows:
        raise RunError(
            f"{study.path}: {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d} has no {terms.test_years} year after the "
            f"first {terms.train_years}: nothing to test on"
        )
    curves = curves_of(result, list(range(study.size)))
    choices = tuple(_chosen(result, terms, curves, window) for window in windows)
    books = stitched(result, choices)
    begin, end = windows[0].begin, windows[-1].end
    held = {"walk-forward": books.equity[begin:end], result.benchmark or "": first.benchmark[begin:end]}  # type: ignore[index]
    over_all = _measured(curves[:, begin:end], first, begin, end)
    best = int(np.nanargmax(over_all[:, METRIC_KEYS.index("information_ratio")]))
    held["best in hindsight"] = curves[best, begin:end]
    figures = {name: _figures(first, curve, begin, end, name == result.benchmark) for name, curve in held.items()}
    own, benchmark, hindsight = (curve / curve[0] * first.plan.terms.cash for curve in held.values())
    return WalkForward(
        sweep=result,
        terms=terms,
        choices=choices,
        sessions=sessions[begin:end],
        equity=own,
        benchmark=benchmark,
        hindsight=hindsight,
        best=best,
        figures=figures,
        trials=recorded(result, ledger),
    )


def _check(study: Study, terms: WalkForwardTerms) -> None:
    others = [key for key in study.grid if not key.startswith("strategy.")]
    if others:
        raise ConfigError(
            f"{study.path}: grid.{others[0]}: expected keys of the strategy alone: funds, costs and periods are given, "
            "not chosen"
        )
    if study.size > MOST_POINTS:
        raise ConfigError(f"{study.path}: grid: found {study.size:,} points, expected at most {MOST_POINTS:,}")
    choices = [key for key in METRIC_KEYS if key not in ACTIVITY_KEYS]
    if terms.select not in choices:
        expected = ", ".join(choices)
        raise ConfigError(f"{study.path}: walk_forward.select: found {terms.select}, expected one of {expected}")


def _chosen(result: Sweep, terms: WalkForwardTerms, curves: Floats, window: Window) -> Choice:
    """The variant that the past of a window recommends, and how it then did."""
    first, column = result.first, METRIC_KEYS.index(terms.select)
    sign = -1.0 if terms.select in LESS_IS_BETTER else 1.0
    inside = sign * _measured(curves[:, window.train : window.known], first, window.train, window.known)[:, column]
    outside = sign * _measured(curves[:, window.begin : window.end], first, window.begin, window.end)[:, column]
    looked = inside
    if terms.plateau and result.study.sample is None:
        plateau = plateau_of(inside, *lengths_and_order(result))
        looked = inside if plateau is None else plateau.mean
    if np.isnan(looked).all():
        raise RunError(f"{result.study.path}: walk_forward.select: no variant has {terms.select} in a training window")
    number = int(np.nanargmax(looked))
    benchmark = first.benchmark
    assert benchmark is not None
    return Choice(
        window=window,
        number=number,
        values=result.values(number),
        inside=float(sign * inside[number]),
        outside=float(sign * outside[number]),
        rank=_rank(outside, number),
        growth=float(curves[number, window.end - 1] / curves[number, window.begin] - 1),
        benchmark_growth=float(benchmark[window.end - 1] / benchmark[window.begin] - 1),
    )


def _rank(values: Floats, number: int) -> float:
    """Share of the known values below that of `number`, equal ones counting half; NaN where it is not known itself."""
    known, own = values[~np.isnan(values)], values[number]
    return float("nan") if np.isnan(own) else float(((known < own).sum() + 0.5 * (known == own).sum()) / len(known))


def _measured(curves: Floats, first: Setting, begin: int, end: int) -> Floats:
    """METRIC_KEYS of curves on the rows begin ... end - 1, the first of which is their base; no activity."""
    market = first.market
    calendar = calendar_of(
        first.plan.sessions[begin:end],
        periods_per_year=market.periods_per_year,
        exchange_sessions=market.exchange_sessions,
    )
    benchmark = None if first.benchmark is None else first.benchmark[begin:end]
    table = np.empty((len(curves), len(METRIC_KEYS)))
    against = measured_against(calendar, first.tbill[begin + 1 : end], benchmark)
    measurer()(np.ascontiguousarray(curves), np.zeros((len(curves), 5)), against, table)
    return table


def stitched(result: Sweep, choices: tuple[Choice, ...]) -> Books:
    """The account that always follows the variant last chosen; before the first choice, the first one's.

    By the kernel and by backtrader, equal to the last bit.
    """
    first, study = result.first, result.study
    market, offset = first.market, first.begin
    weights: Floats | None = None
    params = None
    for choice in choices:
        template, params = study.grid_parts(choice.number)
        setting = result.settings.of(template, params)
        own = target_weights(
            setting.decide(params), market, setting.legs, setting.legs.tickers, template.strategy.initial
        )
        weights = own if weights is None else weights
        weights[offset + choice.window.begin :] = own[offset + choice.window.begin :]
    assert weights is not None
    assert params is not None
    made = make_plan(market, first.legs.tickers, weights, first.plan.sessions[0], first.plan.terms)
    plan = dataclasses.replace(first.plan, targets=made.targets)
    books = run_compiled(plan)
    check_same_books(run_backtrader(plan, first.strategy, **first.config.strategy.params.model_dump()), books)
    return books


def _figures(first: Setting, curve: Floats, begin: int, end: int, is_benchmark: bool) -> Figures:
    """Metrics of one curve on the tested rows; what was traded is not among them."""
    market = first.market
    assert first.benchmark is not None
    calendar = calendar_of(
        first.plan.sessions[begin:end],
        periods_per_year=market.periods_per_year,
        exchange_sessions=market.exchange_sessions,
    )
    benchmark = None if is_benchmark else first.benchmark[begin:end]
    return metrics(curve, calendar=calendar, tbill_returns=first.tbill[begin:end], benchmark=benchmark)[0]
