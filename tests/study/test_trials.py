"""One account is one trial, whichever way it is tried; and more trials known never make what is shown look better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_studies import market
from test_luck_of_a_search import only, p_of, shown
from typer.testing import CliRunner

from backtest.cli import app
from backtest.config import Config, Study, config_from_text, study_from_text
from backtest.pipeline import run
from backtest.store.ledger import FILE, Ledger
from backtest.study.compare import compare
from backtest.study.findings import findings_of
from backtest.study.search import Search, Shown, search, shown_run
from backtest.study.sweep import sweep
from backtest.study.verdict import counting
from backtest.study.walk_forward import walk_forward
from strategies import REGISTRY

BASE = """
name: one
data: {prices: {source: sample}, start: 2004-06-01, tbill: irx}
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
strategy: {name: relative_momentum, initial: growth, params: {lookback_sessions: 21, hold: small, otherwise: growth}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ, IWM]
"""


def config(text: str = BASE, *overrides: str) -> Config:
    return config_from_text(text, "one.yaml", strategies=REGISTRY, overrides=overrides)


def ran(own: Config, ledger: Path) -> Search:
    return search(shown_run(run(own, REGISTRY, market=market())), ledger)


def compared(own: Config, ledger: Path) -> Search:
    return compare({"it": own}, name="other", strategies=REGISTRY, market=market(), ledger=ledger).size


AGAIN: dict[str, Callable[[Path], Search]] = {
    "by the same command": lambda ledger: ran(config(), ledger),
    "by another command": lambda ledger: compared(config(), ledger),
    "under another name": lambda ledger: ran(config(BASE.replace("name: one", "name: two")), ledger),
    "with legs renamed": lambda ledger: ran(config(BASE.replace("growth", "big").replace("small", "tiny")), ledger),
    "with legs respelt": lambda ledger: ran(config(BASE.replace("small: {IWM: 1}", "small: {IWM: 1.0}")), ledger),
    "with a leg more that is never held": lambda ledger: ran(
        config(BASE.replace("small: {IWM: 1}", "small: {IWM: 1}, idle: {IWN: 1}")), ledger
    ),
    "with other benchmarks shown beside": lambda ledger: ran(config(BASE.replace("[QQQ, IWM]", "[QQQ]")), ledger),
}


@pytest.mark.parametrize("how", AGAIN)
def test_the_same_account_tried_again_is_no_new_trial(tmp_path: Path, how: str) -> None:
    ledger = tmp_path / FILE
    first = ran(config(), ledger)
    again = AGAIN[how](ledger)
    assert again.trials == len(Ledger(ledger)) == 1
    assert again.findings[0].level == first.findings[0].level
    assert p_of(again) == p_of(first)


def test_another_first_benchmark_is_a_trial_of_being_ahead_and_none_of_timing(tmp_path: Path) -> None:
    first = ran(config(), tmp_path / FILE)
    shopped = ran(config(BASE.replace("[QQQ, IWM]", "[IWM, QQQ]")), tmp_path / FILE)
    assert (first.trials, shopped.trials) == (1, 2)
    assert p_of(shopped)[1] == p_of(first)[1]
    assert p_of(ran(config(), tmp_path / FILE))[0] >= p_of(first)[0]


# -------------------------------------------------------------------------------- more known, never a lower p


def tables(seed: int) -> list[Shown]:
    """Searches of every kind: other rules, parts of the period, other benchmarks, the same rules renamed."""
    sizes = np.random.default_rng(seed).integers(1, 12, 4)
    every = shown(seed=seed + 1, curves=int(sizes[0]))
    part = shown(seed=seed + 2, curves=int(sizes[1]), sessions=330)
    other = replace(shown(seed=seed + 3, curves=int(sizes[2])), benchmark_name="IWM", command="sweep")
    renamed = replace(every, study="renamed", command="run", names=tuple(f"n{i}" for i in range(len(every.names))))
    return [every, part, other, renamed]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(4)), seed=st.integers(0, 50), edge=st.sampled_from([0.0, 0.001, 0.003]))
def test_more_trials_known_never_lower_a_p_in_any_order_by_any_command(
    tmp_path_factory: pytest.TempPathFactory, order: Sequence[int], seed: int, edge: float
) -> None:
    ledger = tmp_path_factory.mktemp("ledger") / FILE
    asked = shown(seed=999, curves=3, edge=edge)
    before = search(asked, ledger)
    for place in order:
        search(tables(seed)[place], ledger)
        after = search(asked, ledger)
        for i in range(3):
            alone = search(replace(only(asked, i), command="run"), ledger)
            assert p_of(after, i)[0] >= p_of(before, i)[0]
            assert p_of(after, i)[1] >= p_of(before, i)[1]
            assert alone.findings[0] == after.findings[i]
        before = after
    other = tmp_path_factory.mktemp("other") / FILE
    for place in reversed(order):
        search(tables(seed)[place], other)
    assert search(asked, other).findings == before.findings


# ------------------------------------------------------------------------------------------ groups, and the copy


def test_a_group_is_corrected_for_itself_alone_and_says_so(tmp_path: Path) -> None:
    ledger, cli = tmp_path / FILE, CliRunner()
    mine, others = shown(curves=4), replace(shown(seed=2, curves=40), study="others")
    alone = search(mine, ledger)
    search(others, ledger)
    wide = search(mine, ledger)
    done = cli.invoke(app, ["trials", "group", "gold", "--study", "three ideas", "--ledger", str(ledger)])
    assert done.exit_code == 0, done.output
    narrow = search(mine, ledger)
    assert (wide.trials, narrow.trials, narrow.outside, narrow.group) == (44, 4, 40, "gold")
    assert narrow.findings == alone.findings
    assert narrow.used != alone.used  # another result: its page tells the group
    assert any("the group “gold”" in said and "40 more" in said for said in counting(narrow))
    # Whoever is in no group knows everything, and what is tried again inside the group counts there too.
    assert search(others, ledger).trials == 44
    again = search(replace(others, study="three ideas"), ledger)
    assert (again.trials, len(Ledger(ledger))) == (44, 44)
    assert "gold" in cli.invoke(app, ["trials", "list", "--ledger", str(ledger)]).output
    cli.invoke(app, ["trials", "group", "", "--study", "three ideas", "--ledger", str(ledger)])
    assert search(mine, ledger).group == ""
    refused = cli.invoke(app, ["trials", "group", "gold", "--study", "nobody", "--ledger", str(ledger)])
    assert refused.exit_code != 0


def test_the_copy_beside_a_result_gives_the_same_answer_and_brings_a_lost_ledger_back(tmp_path: Path) -> None:
    ledger = tmp_path / FILE
    search(shown(seed=2, curves=20), ledger)
    search(replace(shown(seed=3), study="another"), ledger)
    asked = search(shown(), ledger)
    (tmp_path / "copy").write_bytes(asked.copy)
    assert search(shown(), tmp_path / "copy").findings == asked.findings
    assert {record.lengths[3] for record in Ledger(tmp_path / "copy").records} == {0}
    lost = tmp_path / "new" / FILE
    assert search(shown(), lost, recorded=asked.length).lost == 24
    Ledger(lost).merge(Ledger(tmp_path / "copy"))
    back = search(shown(), lost, recorded=asked.length)
    assert (back.lost, back.trials, back.findings) == (0, 28, asked.findings)
    before = len(Ledger(ledger).records)
    Ledger(ledger).merge(Ledger(tmp_path / "copy"))
    assert len(Ledger(ledger).records) == before  # a copy is the same records


GRID = "grid: {strategy.params.lookback_sessions: [20, 21, 22, 23, 24, 25]}\nwalk_forward: {train_years: 1}\n"


def study(tmp: Path) -> Study:
    (tmp / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
    return study_from_text(f"name: s\nbase: base.yaml\nbenchmark: QQQ\n{GRID}", f"{tmp}/s.yaml", strategies=REGISTRY)


@pytest.mark.parametrize("ask", [sweep, walk_forward])
def test_a_sweep_or_walk_that_is_stopped_has_tried_its_finished_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., object]
) -> None:
    monkeypatch.setattr("backtest.study.sweep.CHUNK", 2)

    def stop(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(study(tmp_path), REGISTRY, market=market(), ledger=tmp_path / FILE, progress=stop)
    assert len(Ledger(tmp_path / FILE)) == 4
    assert ran(config(BASE.replace("lookback_sessions: 21", "lookback_sessions: 22")), tmp_path / FILE).trials == 4
    whole = sweep(study(tmp_path), REGISTRY, market=market(), ledger=tmp_path / FILE)
    found, calm = findings_of(whole, tmp_path / FILE).size, findings_of(whole, tmp_path / "calm").size
    assert (found.trials, found.here) == (calm.trials, calm.here) == (6, 6)
    assert found.findings == calm.findings


def test_a_sweep_of_a_rule_of_cuts_tells_how_few_cycles_it_has_seen(tmp_path: Path) -> None:
    policy = market().policy
    falling = replace(market(), policy=policy[policy["change_bps"] < 0])  # one cut after the other: a single cycle
    cuts = BASE.replace("relative_momentum", "rate_cut").replace("lookback_sessions", "hold_sessions")
    (tmp_path / "base.yaml").write_text(
        cuts.replace("benchmarks: [QQQ, IWM]", "benchmarks: [QQQ]"), encoding="utf-8", newline="\n"
    )
    text = "name: s\nbase: base.yaml\nbenchmark: QQQ\ngrid: {strategy.params.hold_sessions: [5, 10, 20]}\n"
    asked = study_from_text(text, f"{tmp_path}/s.yaml", strategies=REGISTRY)
    found = findings_of(sweep(asked, REGISTRY, market=falling), None)
    assert any("easing cycle" in sentence for sentence in found.verdict.sentences)
    momentum = findings_of(sweep(study(tmp_path), REGISTRY, market=falling), None)
    assert not any("easing cycle" in sentence for sentence in momentum.verdict.sentences)


def test_a_large_sweep_keeps_block_sums_and_no_daily_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.study.tried.MOST_DAILY", 5)
    whole = sweep(study(tmp_path), REGISTRY, market=market(), ledger=tmp_path / FILE)
    assert [(record.trials, record.lengths[3]) for record in Ledger(tmp_path / FILE).records] == [(6, 0)]
    assert findings_of(whole, tmp_path / FILE).size.trials == len(Ledger(tmp_path / FILE)) == 6


def test_a_comparison_that_is_stopped_has_tried_what_it_has_done(tmp_path: Path) -> None:
    every = {f"m{i}": config(BASE.replace("lookback_sessions: 21", f"lookback_sessions: {20 + i}")) for i in range(6)}

    def stop(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(every, name="stopped", strategies=REGISTRY, market=market(), ledger=tmp_path / FILE, progress=stop)
    assert len(Ledger(tmp_path / FILE)) == 4
    whole = compare(every, name="whole", strategies=REGISTRY, market=market(), ledger=tmp_path / FILE)
    assert len(Ledger(tmp_path / FILE)) == whole.size.trials == 6
    again = compare(every, name="whole", strategies=REGISTRY, market=market(), ledger=tmp_path / FILE)
    assert again.size.findings == whole.size.findings
