"""What is said about luck, case by case: unlike spans, few sessions, settings of a walk, no difference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_studies import market
from test_luck_of_a_search import only, p_of, shown

from backtest.config import Study, study_from_text
from backtest.store.ledger import FILE, Ledger
from backtest.study.findings import findings_of
from backtest.study.search import search
from backtest.study.sweep import sweep
from backtest.study.verdict import Subject, verdict
from backtest.study.walk_forward import walk_forward
from strategies import REGISTRY

BASE = """
name: one
data: {prices: {source: sample}, start: 2004-06-01}
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
strategy: {name: relative_momentum, initial: growth, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
"""


def study(tmp: Path, rest: str, base: str = BASE) -> Study:
    (tmp / "base.yaml").write_text(base, encoding="utf-8", newline="\n")
    return study_from_text(f"name: s\nbase: base.yaml\n{rest}", f"{tmp}/s.yaml", strategies=REGISTRY)


@pytest.mark.parametrize("sessions", [12, 23, 599])
def test_ratios_of_unlike_spans_are_not_pooled(tmp_path: Path, sessions: int) -> None:
    asked = shown(curves=6)
    before = search(asked, tmp_path / FILE).annual
    debug = shown(seed=9, curves=1, sessions=sessions, edge=0.02)  # an active Sharpe ratio beyond ten
    search(replace(debug, study="debug"), tmp_path / FILE)
    after = search(asked, tmp_path / FILE).annual
    assert (after.mean, after.variance) == (before.mean, before.variance)
    assert after.count == before.count + 1


def test_the_ratio_of_another_rule_on_the_same_sessions_is_pooled(tmp_path: Path) -> None:
    asked = shown(curves=6)
    before = search(asked, tmp_path / FILE).annual
    search(shown(seed=9, curves=1, edge=0.02), tmp_path / FILE)
    assert search(asked, tmp_path / FILE).annual.variance > before.variance


@pytest.mark.parametrize("sessions", [5, 22, 62])
def test_of_few_sessions_nothing_is_said_but_that_they_are_few(sessions: int) -> None:
    given = only(shown(sessions=sessions, edge=0.02), 0)
    found = search(replace(given, returns=given.returns + 0.01), None)  # ahead on every session
    assert found.findings[0].level == "too_few_bets"
    said = verdict(Subject("july", "QQQ", 3.0), found.findings[0], found)
    assert said.headline.startswith("Too few bets")
    text = " ".join(said.sentences)
    assert f"{sessions} sessions" in text
    assert " t = " not in text
    assert "p = " not in text


def test_every_choice_of_a_walk_forwards_settings_is_a_trial(tmp_path: Path) -> None:
    grid = "benchmark: QQQ\ngrid: {strategy.params.lookback_sessions: [5, 10, 21]}\nwalk_forward: {train_years: 1%s}\n"
    sizes = []
    for more in ("", ", embargo_sessions: 10", ", select: volatility", ""):
        asked = study(tmp_path, grid % more)
        sizes.append(walk_forward(asked, REGISTRY, market=market(), ledger=tmp_path / FILE).size.trials)
    assert sizes == [4, 5, 6, 6]  # three variants and an account for each setting; the first one again is known
    assert len(Ledger(tmp_path / FILE)) == 6


def test_a_sweep_without_a_benchmark_says_that_nothing_was_tested(tmp_path: Path) -> None:
    grid = "grid: {strategy.params.lookback_sessions: [5, 10, 21]}\n"
    without = study(tmp_path, grid, BASE.replace("benchmarks: [QQQ]", "benchmarks: []"))
    found = findings_of(sweep(without, REGISTRY, market=market()), None)
    assert found.verdict.level == "nothing_tested"
    assert "luck" not in found.verdict.headline
    with_one = findings_of(sweep(study(tmp_path, f"benchmark: QQQ\n{grid}"), REGISTRY, market=market()), None)
    assert with_one.verdict.level != "nothing_tested"


@pytest.mark.parametrize("threshold", [5.0, 9.0])
def test_who_is_the_benchmark_is_not_said_to_show_an_edge_of_nothing(tmp_path: Path, threshold: float) -> None:
    asked = study(tmp_path, f"benchmark: QQQ\ngrid: {{strategy.params.threshold: [{threshold}, {threshold + 0.5}]}}\n")
    found = findings_of(sweep(asked, REGISTRY, market=market()), None)
    assert found.verdict.level == "too_few_bets"
    assert not any("can show" in sentence for sentence in found.verdict.sentences)


def test_variants_that_never_trade_do_not_make_the_best_look_better(tmp_path: Path) -> None:
    asked = shown(curves=24)
    before = search(asked, tmp_path / FILE)
    idle = replace(asked, returns=np.repeat(asked.benchmark, 24, axis=1), mixes=np.repeat(asked.benchmark, 24, axis=1))
    search(replace(idle, study="idle"), tmp_path / FILE)
    after = search(asked, tmp_path / FILE)
    assert after.trials == before.trials + 1
    assert all(p_of(after, i) >= p_of(before, i) for i in range(24))


def test_a_choice_that_is_the_benchmark_scores_nothing_on_real_prices(real_data: Path, tmp_path: Path) -> None:
    """`rate_cut` held for 63, 126, 252 sessions: in most windows what is chosen is QQQ itself, to the rounding."""
    prices = f"{{source: csv, folder: {json.dumps(str(real_data / 'prices'))}}}"
    base = BASE.replace("{source: sample}, start: 2004-06-01", f"{prices}, start: 2001-07-31, end: 2025-12-31")
    base = base.replace("name: relative_momentum", "name: rate_cut").replace(
        "lookback_sessions: 21", "hold_sessions: 63"
    )
    grid = "benchmark: QQQ\ngrid: {strategy.params.hold_sessions: [63, 126, 252]}\nwalk_forward: {train_years: 5}\n"
    walk = walk_forward(study(tmp_path, grid, base), REGISTRY, offline=True)
    same = [c for c in walk.choices if abs(c.growth - c.benchmark_growth) < 1e-9]
    assert (len(walk.choices), len(same)) == (20, 15)
    assert {c.outside for c in same} == {0.0}
