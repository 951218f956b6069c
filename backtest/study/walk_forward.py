"""Walk-forward of a grid: `walk` among the variants of a sweep, and along every path of a cross-validation if asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import comb
from pathlib import Path

from backtest.account.benchmarks import benchmark_label, mix_plan
from backtest.account.kernel import run_compiled
from backtest.account.plan import Plan, make_plan
from backtest.config import Study, study_question
from backtest.config.study import WalkForwardTerms
from backtest.decision import check_decision, target_weights
from backtest.errors import ConfigError, RunError
from backtest.market import Market
from backtest.metrics import METRICS
from backtest.study.curves import returns_of
from backtest.study.findings import tried_by
from backtest.study.search import Search, Shown, cycles_seen, search
from backtest.study.sweep import Progress, Sweep, curves_of, sweep
from backtest.study.verdict import Subject, Verdict, verdict
from backtest.study.walk import Candidates, Walk, walk
from backtest.study.walk_paths import WalkPaths, paths_through
from backtest.text import count

MOST_WALKED = 4000
"""Whole curves are held: some 50 KB each for 25 years."""

MOST_SPLITS = 500
"""Of a combinatorial test; all curves are measured twice for each."""


@dataclass(frozen=True, eq=False)
class WalkForward(Walk):
    """A study's grid walked forward.

    Attributes
    ----------
    sweep : Sweep
        The variants that were chosen among.
    paths : WalkPaths or None
        Walks on recombined histories; None where none were asked for.
    size : Search
        The trials known, and what is said of the account that follows the choices.
    verdict : Verdict
        The same in words.
    """

    sweep: Sweep
    paths: WalkPaths | None
    size: Search
    verdict: Verdict


def walk_forward(
    study: Study,
    strategies: Mapping[str, type],
    *,
    market: Market | None = None,
    offline: bool = False,
    cluster: str | None = None,
    keep: Path | None = None,
    ledger: Path | None = None,
    recorded: int = 0,
    progress: Progress | None = None,
) -> WalkForward:
    """Walk a study's grid forward on the terms of its `walk_forward` section.

    Arguments and errors as for `sweep`; ConfigError also for a grid over anything but the strategy, since costs and
    funds are given and not chosen; RunError when the period has no test window.
    """
    terms = study.walk_forward
    _check(study, terms)
    result = sweep(
        study,
        strategies,
        market=market,
        offline=offline,
        cluster=cluster,
        keep=keep,
        ledger=ledger,
        progress=progress,
    )
    if result.first.benchmark is None:
        raise ConfigError(f"{study.path}: benchmark: found none, expected a ticker such as QQQ")
    if result.problems:
        number, why = next(iter(result.problems.items()))
        raise RunError(f"{study.path}: point {number} of the grid cannot be run: {why}")
    sessions = result.first.plan.sessions
    candidates = candidates_of(result)
    with _told_of(study):
        held = walk(candidates, terms)
    if held is None:
        raise RunError(
            f"{study.path}: {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d} has no test year after the "
            f"first {terms.train_years}: nothing to test on"
        )
    with _told_of(study):
        paths = paths_through(candidates, terms) if terms.combinatorial else None
    known = search(shown_walk(result, held), ledger, *tried_by(result, ledger), recorded)
    subject = Subject(
        name="choosing by the past",
        benchmark=benchmark_label(result.benchmark or ""),
        cagr_difference=held.growth - held.benchmark_growth,
        cycles=cycles_seen(result.first.config, result.first.market, held.sessions),
    )
    said = verdict(subject, known.findings[0], known)
    return WalkForward(**vars(held), sweep=result, paths=paths, size=known, verdict=said)


def shown_walk(result: Sweep, held: Walk) -> Shown:
    """The account that follows the choices, on the tested sessions: a trial of its own, each setting another one."""
    first, weights = result.first, dict(held.average)
    # Both hold something before the first choice: neither pays for a first purchase in the sessions that are judged.
    start = int(first.plan.sessions.searchsorted(held.sessions[0]))
    mix = run_compiled(mix_plan(first.market, weights, first.plan.sessions[0], first.plan.terms))
    template, params = result.study.grid_parts(held.choices[-1].number)
    setting = result.settings.of(template, params)  # the last choice speaks for all
    begin = int(setting.market.sessions.searchsorted(held.sessions[0]))
    asked = f"{study_question(result.study)} {held.terms.model_dump_json()}"
    return Shown(
        market=first.market,
        sessions=held.sessions,
        command="walk-forward",
        study=result.name,
        names=("walk-forward",),
        questions=(hashlib.sha256(asked.encode()).hexdigest(),),
        returns=returns_of(held.equity[None]),
        mixes=returns_of(mix.equity[None, start : start + len(held.equity)]),
        benchmark=returns_of(held.benchmark[None]),
        benchmark_name=result.benchmark,
        cycles=(cycles_seen(first.config, first.market, held.sessions),),
        known=(setting.decide(params).evidence_rows(begin),),
    )


def candidates_of(result: Sweep) -> Candidates:
    """The variants of a sweep as what a walk-forward chooses among."""

    @cache
    def plan_of(number: int) -> Plan:
        template, params = result.study.grid_parts(number)
        setting = result.settings.of(template, params)
        market, legs = setting.market, setting.legs
        decision = check_decision(setting.decide(params), market, legs)
        weights = target_weights(decision, legs, legs.tickers, template.strategy.initial)
        return make_plan(market, legs.tickers, weights, setting.plan.sessions[0], setting.plan.terms)

    return Candidates(
        setting=result.first,
        curves=curves_of(result, range(result.study.size)),
        plan_of=plan_of,
        values_of=result.values,
        plateau_of=result.plateau_of,
        where=str(result.study.path),
    )


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
    if study.size > MOST_WALKED:
        raise ConfigError(
            f"{study.path}: grid: found {count(study.size)} points, expected at most {count(MOST_WALKED)}"
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
