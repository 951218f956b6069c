"""One question, one answer: whichever command is asked, every figure that two of them give is the same."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from small_studies import market

from backtest.config import Study, study_from_text
from backtest.pipeline import run
from backtest.statistics.assessment import SearchStatistics
from backtest.store.ledger import FILE as LEDGER
from backtest.store.ledger import Ledger
from backtest.study.compare import compare
from backtest.study.comparison import Comparison
from backtest.study.findings import Findings, findings_of
from backtest.study.question import Questions, of_study, trial_hash
from backtest.study.sweep import Sweep, sweep
from backtest.study.walk_forward import WalkForward, walk_forward
from strategies import REGISTRY

BASE = """
name: one
data: {prices: {source: sample}, start: 2004-06-01, tbill: irx}
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
strategy: {name: relative_momentum, initial: growth, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ, {static_mix: 0.5}]
"""
LOOKBACK = "strategy.params.lookback_sessions"
THRESHOLD = "strategy.params.threshold"
GRIDS: dict[str, dict[str, Any]] = {
    "two variants": {LOOKBACK: [21, 63]},
    "five variants": {LOOKBACK: [5, 10, 21, 42, 63]},
    "twelve variants of two keys": {LOOKBACK: [5, 10, 21, 42], THRESHOLD: [0.0, 0.01, 0.02]},
    "a key of names": {LOOKBACK: [10, 21, 63], "strategy.params.decide": ["daily", "weekly", "monthly"]},
    "keys in no order": {LOOKBACK: [63, 5, 21, 10]},
    "legs": {"legs.small": [{"IWM": 1.0}, {"IWN": 1.0}], LOOKBACK: [10, 21, 63]},
    "costs": {"execution.slippage_bps": [0, 50], LOOKBACK: [10, 21, 63]},
    "one is its benchmark": {LOOKBACK: [21, 63], THRESHOLD: [0.0, 0.02, 5.0]},
    "ties": {LOOKBACK: [10, 21, 63], THRESHOLD: [0.0, 5.0, 6.0]},
    "one never trades": {"strategy.initial": ["cash", "growth"], THRESHOLD: [0.0, 5.0]},
    "all are the benchmark": {THRESHOLD: [5.0, 6.0, 7.0]},
}
TERMS = "walk_forward: {train_years: 1, test_years: 1}\n"


@dataclass(frozen=True)
class Answers:
    study: Study
    comparison: Comparison
    sweep: Sweep
    findings: Findings
    walk: WalkForward | None


def study_of(grid: Mapping[str, Any], name: str = "one-question", benchmark: str = "QQQ") -> Study:
    with TemporaryDirectory() as folder:
        (Path(folder) / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
        keys = "".join(f"  {key}: {json.dumps(values)}\n" for key, values in grid.items())
        text = f"name: {name}\nbase: base.yaml\nbenchmark: {benchmark}\ngrid:\n{keys}{TERMS}"
        return study_from_text(text, f"{folder}/study.yaml", strategies=REGISTRY)


def compared(study: Study, ledger: Path | None = None) -> Comparison:
    asked = of_study(study)
    return compare(
        asked.variants, name=asked.name, strategies=REGISTRY, benchmark=asked.benchmark, grid=asked.grid,
        walk_forward=asked.walk_forward, ledger=ledger, market=market(),
    )  # fmt: skip


def swept(study: Study, ledger: Path | None = None) -> Findings:
    return findings_of(sweep(study, REGISTRY, market=market()), ledger)


@cache
def answers(name: str) -> Answers:
    study = study_of(GRIDS[name])
    result = sweep(study, REGISTRY, market=market())
    is_walked = all(key.startswith("strategy.") for key in GRIDS[name])
    walk = walk_forward(study, REGISTRY, market=market()) if is_walked else None
    return Answers(study, compared(study), result, findings_of(result, None), walk)


def figures_of(search: SearchStatistics) -> Iterator[tuple[str, float]]:
    for name in ("best", "sharpe", "dsr", "trials", "hurdle", "block", "smallest_edge"):
        yield name, getattr(search, name)
    for name in ("p", "mean", "upper"):
        yield f"no-skill {name}", getattr(search.no_skill, name)
    for name in ("lower", "consistent", "upper"):
        yield f"spa {name}", getattr(search.spa, name)
    yield "pbo", -1.0 if search.overfitting is None else search.overfitting.probability


@pytest.mark.parametrize("name", GRIDS)
def test_a_comparison_and_a_sweep_say_the_same_of_luck(name: str) -> None:
    both = answers(name)
    assert both.findings.search is not None
    theirs = dict(figures_of(both.comparison.search))
    assert dict(figures_of(both.findings.search)) == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    distinct = len(np.unique(np.round([v.statistics.sharpe.value for v in both.comparison.variants], 9)))
    assert both.findings.size.trials == both.comparison.size.trials == distinct  # equal accounts are one trial
    assert both.findings.verdict.level == both.comparison.verdict.level
    assert both.findings.size.findings[0] == both.comparison.size.findings[both.comparison.best]
    assert both.findings.size.used == both.comparison.size.used
    assert both.findings.deflated == pytest.approx(both.comparison.variants[both.comparison.best].statistics.dsr)
    assert both.sweep.ranked[0] == both.comparison.best


@pytest.mark.parametrize("name", GRIDS)
def test_every_variant_has_one_active_ratio(name: str) -> None:
    both = answers(name)
    ratios = [variant.statistics.sharpe.value for variant in both.comparison.variants]
    assert both.sweep.scores == pytest.approx(np.array(ratios), rel=1e-9, abs=1e-12)
    table = both.sweep.frame
    for number in (0, both.study.size - 1):
        single = run(both.study.grid_config(number), REGISTRY, market=market()).metrics
        shown = both.comparison.variants[number].metrics
        for key in ("information_ratio", "tracking_error", "cagr", "sharpe", "beta"):
            values = [np.nan if x is None else float(x) for x in (single[key], shown[key], table[key][number])]  # type: ignore[arg-type]
            assert values[1:] == pytest.approx([values[0]] * 2, rel=1e-9, abs=1e-12, nan_ok=True), key
        assert ratios[number] == pytest.approx(single["information_ratio"] or 0.0, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", GRIDS)
def test_there_is_one_plateau(name: str) -> None:
    both = answers(name)
    own, other = both.findings.plateau, both.comparison.plateau
    if own is None or other is None:
        assert own is other is None
        return
    assert own.centre == other.centre
    assert own.mean == pytest.approx(other.mean, rel=1e-9, abs=1e-12)
    assert own.worst == pytest.approx(other.worst, rel=1e-9, abs=1e-12)


def test_names_are_no_neighbours_of_each_other() -> None:
    plateau = answers("a key of names").findings.plateau
    scores = answers("a key of names").sweep.scores.reshape(3, 3)
    assert plateau is not None
    assert plateau.mean.reshape(3, 3)[1] == pytest.approx(scores.mean(axis=0))


@pytest.mark.parametrize("name", [name for name, grid in GRIDS.items() if all(k.startswith("strategy.") for k in grid)])
def test_there_is_one_walk_forward(name: str) -> None:
    both = answers(name)
    walk, other = both.walk, both.comparison.walk_forward
    assert walk is not None
    assert other is not None
    assert [choice.number for choice in walk.choices] == [choice.number for choice in other.choices]
    for curve in ("equity", "benchmark", "hindsight"):
        assert getattr(walk, curve).tolist() == getattr(other, curve).tolist()
    for choice, same in zip(walk.choices, other.choices, strict=True):
        assert (choice.inside, choice.outside, choice.rank) == (same.inside, same.outside, same.rank)
    assert walk.figures == other.figures
    assert walk.size.trials == both.comparison.size.trials + 1  # the account that follows the choices


def test_who_is_the_benchmark_scores_zero_and_stays_in() -> None:
    both = answers("one is its benchmark")
    assert [both.sweep.scores[k] for k in (2, 5)] == [0.0, 0.0]
    assert len(both.sweep.ranked) == 6
    idle = answers("all are the benchmark")
    assert idle.sweep.scores.tolist() == [0.0, 0.0, 0.0]
    assert idle.walk is not None
    assert all(choice.inside == choice.outside == 0.0 for choice in idle.walk.choices)
    assert "no edge to look for" in idle.comparison.verdict.sentences[0]
    assert idle.walk.size.findings[0].timing.t == 0  # its own mix pays for no first purchase in the tested sessions


# ------------------------------------------------------------------------------------------------- what was tried

FOUR = {LOOKBACK: [10, 21, 42, 63]}


@pytest.mark.parametrize("asked_first", ["compare", "sweep"])
def test_earlier_trials_against_another_benchmark_deflate_both_alike(tmp_path: Path, asked_first: str) -> None:
    ledger = tmp_path / LEDGER
    compared(study_of({LOOKBACK: [5, 12, 30]}, benchmark="IWM"), ledger)
    order = [lambda: compared(study_of(FOUR), ledger).search.dsr, lambda: swept(study_of(FOUR), ledger).deflated]
    first, second = (ask() for ask in (order if asked_first == "compare" else order[::-1]))
    assert first == pytest.approx(second, rel=1e-9)
    alone = swept(study_of(FOUR)).deflated
    assert first is not None
    assert alone is not None
    assert first < alone


def test_the_same_variants_count_once_whoever_tries_them(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    counts = [
        swept(study_of(FOUR), ledger).size.trials,
        compared(study_of(FOUR), ledger).size.trials,
        swept(study_of(FOUR), ledger).size.trials,
        swept(study_of(FOUR, name="called-otherwise"), ledger).size.trials,
        walk_forward(study_of(FOUR), REGISTRY, market=market(), ledger=ledger).size.trials,
    ]
    assert counts == [4, 4, 4, 4, 5]  # the account that follows the choices is one more
    assert len(Ledger(ledger)) == 5


def test_a_refined_grid_adds_its_new_points_alone(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    swept(study_of({LOOKBACK: [10, 20, 30, 40, 50]}), ledger)
    assert swept(study_of({LOOKBACK: {"from": 10, "to": 50, "step": 5}}), ledger).size.trials == 9


def test_a_points_hash_is_that_of_its_config() -> None:
    study = study_of(GRIDS["one never trades"])
    for number in range(study.size):
        template, params = study.grid_parts(number)
        assert Questions(template).of(params) == trial_hash(study.grid_config(number))


# ----------------------------------------------------------------------------------------------- the commands

SHORT = ["--set", "data.start=2016-01-04", "--offline", "--json"]


def asked(command: str, path: Path, out: Path) -> dict[str, Any]:
    from backtest.cli import app

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        app([command, str(path), "--out", str(out), *SHORT], standalone_mode=False)
    return dict(json.loads(printed.getvalue()))


def test_the_commands_print_the_same_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base.yaml").write_text(BASE + "\n", encoding="utf-8", newline="\n")
    study = tmp_path / "study.yaml"
    keys = f"  {LOOKBACK}: [21, 63, 126]\n  {THRESHOLD}: [0.0, 0.01, 0.02]\n"
    study.write_text(f"name: printed\nbase: base.yaml\nbenchmark: QQQ\ngrid:\n{keys}", encoding="utf-8", newline="\n")
    comparison, swept, walk = (asked(each, study, tmp_path / each) for each in ("compare", "sweep", "walk-forward"))
    best = comparison["variants"][comparison["best"]]
    assert swept["trials"] == comparison["trials"] == 9
    for name, other in (
        ("deflated_sharpe", best["active"]["dsr"]),
        ("hurdle", comparison["search"]["hurdle"]),
        ("no_skill", comparison["no_skill"]),
        ("spa", comparison["spa"]),
        ("overfitting_probability", comparison["pbo"]),
    ):
        assert swept[name] == pytest.approx(other, rel=1e-9), name
    assert swept["plateau"]["mean"] == pytest.approx(comparison["plateau"]["mean"], rel=1e-9)
    assert swept["plateau"]["worst"] == pytest.approx(comparison["plateau"]["worst"], rel=1e-9)
    assert walk["figures"] == comparison["walk_forward"]["figures"]

    # The best alone, in another folder, under another name, its legs too, is the trial that it was.
    elsewhere = tmp_path / "another" / "folder"
    elsewhere.mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    params = ", ".join(f"{key.rsplit('.', 1)[1]}: {value}" for key, value in swept["finalists"][0]["values"].items())
    alone = BASE.replace("name: one", "name: alone").replace("growth", "large").replace("small", "tiny")
    alone = alone.replace("lookback_sessions: 21", f"{params}, hold: tiny, otherwise: large")
    Path("alone.yaml").write_text(alone, encoding="utf-8", newline="\n")
    ran, one = (asked(each, Path("alone.yaml"), Path("out")) for each in ("run", "compare"))
    assert ran["metrics"]["cagr"] == best["metrics"]["cagr"]
    searches = [ran["search"], one["variants"]["alone"]["search"], walk["search"]]
    assert [each["trials"]["known"] for each in searches] == [10, 10, 10]
    assert ran["timing_described"]["random_timing"] is not None
    assert ran["timing_described"] == one["variants"]["alone"]["timing_described"]
    assert ran["verdict_level"] in ("no_better_than_luck", "not_distinguishable")  # the sample's prices know nothing
    assert ran["verdict_level"] == one["verdict_level"] == searches[1]["verdict_level"]
    for test in ("ahead", "timing"):
        mine, other = ran["search"][test], searches[1][test]
        assert [other["p"], *other["interval"]] == pytest.approx([mine["p"], *mine["interval"]], rel=1e-9)
        assert mine["p"] >= best["search"][test]["p"]
    assert swept["finalists"][0]["metrics"] == pytest.approx(best["metrics"], rel=1e-9, abs=1e-9)
