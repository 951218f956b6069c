"""Walk-forward: choose by the past alone, hold the choice for a while, choose again; what would that have been worth?

    sweep -> curves of all points -> windows -> choices -> one account that follows them -> WALK FORWARD

The account is a real one: what was decided by the variant chosen at each time, run by the kernel and by backtrader,
so that changing from one variant to another costs what its trades cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.account import Books, check_same_books, run_backtrader
from backtest.account.kernel import run_compiled
from backtest.config import Study
from backtest.config.study import WalkForwardTerms
from backtest.errors import ConfigError, RunError
from backtest.market import Floats, Market
from backtest.metrics import METRIC_KEYS, METRICS
from backtest.result import Figures
from backtest.statistics.sharpe import Trials
from backtest.study.sweep import Progress, Sweep, curves_of, sweep
from backtest.study.sweep_findings import recorded
from backtest.study.walk_account import follower
from backtest.study.walk_measure import figures_of, measured, rank_of, recommended, selected, sign_of
from backtest.study.walk_paths import Paths, paths_through
from backtest.study.walk_windows import Window, windows_of
from backtest.text import count

"""Undefined in a test window that is no calendar year."""

MOST_POINTS = 4000
"""Whole curves are held: some 50 KB each for 25 years."""

MOST_SPLITS = 500
"""Of a combinatorial test; all curves are measured twice for each."""


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
    paths: Paths | None

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
    sessions = result.first.plan.sessions
    with _told_of(study):
        windows = windows_of(sessions, terms)
    if not windows:
        raise RunError(
            f"{study.path}: {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d} has no {terms.test_years} year after the "
            f"first {terms.train_years}: nothing to test on"
        )
    curves = curves_of(result, list(range(study.size)))
    choices = tuple(_chosen(result, terms, curves, window) for window in windows)
    held = _held(result, choices, curves, windows[0].begin, windows[-1].end)
    with _told_of(study):
        paths = paths_through(result, terms, curves) if terms.combinatorial else None
    return WalkForward(
        sweep=result,
        terms=terms,
        choices=choices,
        **held,
        paths=paths,
        trials=recorded(result, ledger),
    )


def _held(result: Sweep, choices: tuple[Choice, ...], curves: Floats, begin: int, end: int) -> dict[str, Any]:
    """The three curves on the tested rows, and their figures: what of a WalkForward follows from the choices."""
    first = result.first
    assert first.benchmark is not None
    over_all = measured(curves, first, [(begin, end)])
    best = int(np.nanargmax(over_all[:, METRIC_KEYS.index("information_ratio")]))
    held = {
        "walk-forward": stitched(result, choices).equity[begin:end],
        result.benchmark or "": first.benchmark[begin:end],
        "best in hindsight": curves[best, begin:end],
    }
    own, benchmark, hindsight = (curve / curve[0] * first.plan.terms.cash for curve in held.values())
    figures = {
        name: figures_of(first, curve, begin, end, is_benchmark=name == result.benchmark)
        for name, curve in held.items()
    }
    sessions = first.plan.sessions[begin:end]
    curves_held = {"equity": own, "benchmark": benchmark, "hindsight": hindsight}
    return {"sessions": sessions, "best": best, "figures": figures, **curves_held}


@contextmanager
def _told_of(study: Study) -> Iterator[None]:
    """What cannot be walked is told with the study's file."""
    try:
        yield
    except RunError as error:
        if str(error).startswith(str(study.path)):
            raise
        raise RunError(f"{study.path}: {error}") from None


def _check(study: Study, terms: WalkForwardTerms) -> None:
    others = [key for key in study.grid if not key.startswith("strategy.")]
    if others:
        raise ConfigError(
            f"{study.path}: grid.{others[0]}: expected keys of the strategy alone: funds, costs and periods are given, "
            "not chosen"
        )
    if study.size > MOST_POINTS:
        raise ConfigError(
            f"{study.path}: grid: found {count(study.size)} points, expected at most {count(MOST_POINTS)}"
        )
    if terms.plateau and study.sample is not None:
        raise ConfigError(
            f"{study.path}: walk_forward.plateau: found true, expected false: a sample has no neighbourhoods"
        )
    choices = [each.key for each in METRICS if each.group != "activity" and "a whole year" not in each.needs]
    if terms.select not in choices:
        expected = ", ".join(choices)
        raise ConfigError(f"{study.path}: walk_forward.select: found {terms.select}, expected one of {expected}")
    asked = terms.combinatorial
    if asked and not asked.test_groups < asked.groups:
        raise ConfigError(
            f"{study.path}: walk_forward.combinatorial.test_groups: found {asked.test_groups}, "
            f"expected fewer than the {asked.groups} groups"
        )
    if asked and comb(asked.groups, asked.test_groups) > MOST_SPLITS:
        raise ConfigError(
            f"{study.path}: walk_forward.combinatorial: found {count(comb(asked.groups, asked.test_groups))} splits, "
            f"expected at most {count(MOST_SPLITS)}"
        )


def _chosen(result: Sweep, terms: WalkForwardTerms, curves: Floats, window: Window) -> Choice:
    """The variant that the past of a window recommends, and how it then did."""
    first, benchmark, sign = result.first, result.first.benchmark, sign_of(terms)
    assert benchmark is not None
    inside = selected(measured(curves, first, [(window.train, window.known)]), terms)
    outside = selected(measured(curves, first, [(window.begin, window.end)]), terms)
    number = recommended(result, terms, inside)
    return Choice(
        window=window,
        number=number,
        values=result.values(number),
        inside=float(sign * inside[number]),
        outside=float(sign * outside[number]),
        rank=rank_of(outside, number),
        growth=float(curves[number, window.end - 1] / curves[number, window.begin] - 1),
        benchmark_growth=float(benchmark[window.end - 1] / benchmark[window.begin] - 1),
    )


def stitched(result: Sweep, choices: tuple[Choice, ...]) -> Books:
    """The account that always follows the variant last chosen; before the first choice, the first one's.

    By the kernel and by backtrader, equal to the last bit.
    """
    first = result.first
    plan = follower(result)([(choice.window.begin, choice.number) for choice in choices])
    books = run_compiled(plan)
    # Any parameters of the class will do: backtrader is told what to hold by the plan.
    check_same_books(run_backtrader(plan, first.strategy, **first.config.strategy.params.model_dump()), books)
    return books
