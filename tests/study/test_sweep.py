"""Sweep: every point is its single run; what fails is told; what was interrupted goes on; the way does not matter."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import Field
from small_studies import TEXT, market
from worlds import small_in

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.config import Study, study_from_text
from backtest.decision import Decision, Evidence
from backtest.errors import ConfigError, RunError
from backtest.market import Legs, Market
from backtest.metrics import metric_keys
from backtest.pages.prose import caveats
from backtest.pipeline import run
from backtest.store.ledger import Ledger
from backtest.study import chunks
from backtest.study.chunks import ChunkStore
from backtest.study.effects import plateau_of, whole_grid
from backtest.study.findings import benchmark_growth, findings_of, share_ahead
from backtest.study.settings import Settings
from backtest.study.sweep import Sweep, sweep
from strategies import REGISTRY


class Moody(RotationStrategy):
    """Breaks off where it is asked to, and holds a share that never repeats."""

    class Params(StrategyParams):
        """What goes wrong."""

        level: int = Field(0, ge=0, description="0 and 3 are sound, 4 is vast")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        rows = np.arange(len(market.sessions))
        if p.level == 1:
            raise ZeroDivisionError("nothing to divide by")
        if p.level == 4:
            np.empty(1 << 55)
        if p.level == 10:
            raise MemoryError
        share = {0: rows // 50 % 2 * 1.0, 2: rows * 1.0}.get(p.level, (rows // 7 * 7) / len(rows))
        if p.level == 9:
            return small_in(share, within={"growth": dict.fromkeys(legs["growth"], share * np.nan)})
        if p.level == 5:
            return small_in(share, within={"growth": dict.fromkeys(legs["growth"], share * 0.0 + 2.0)})
        if p.level == 6:
            return small_in(np.array(["x"] * len(rows)))
        if p.level == 7:
            return small_in(share, evidence=[Evidence("short", share[:5])])
        return small_in(share) if p.level != 8 else None  # type: ignore[return-value]

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        return f"It is in mood {p.level}."


STRATEGIES: dict[str, type] = {**REGISTRY, "moody": Moody}


def study(tmp: Path, grid: str, *overrides: str) -> Study:
    (tmp / "base.yaml").write_text(TEXT, encoding="utf-8", newline="\n")
    text = f"name: small-sweep\nbase: base.yaml\nbenchmark: QQQ\n{grid}"
    return study_from_text(text, str(tmp / "study.yaml"), strategies=STRATEGIES, overrides=overrides)


MIXED = """
grid:
  strategy.params.lookback_sessions: [5, 21, 63]
  strategy.params.threshold: [0.0, 0.02]
  execution.slippage_bps: [0, 20]
  execution.rebalance: [on_change, monthly, {drift: 0.03}]
  execution.shares: [fractional, whole]
  execution.delay_sessions: [1, 2]
  execution.idle_cash: [none, tbill]
"""
PERIODS = """
grid:
  data.start: [2004-06-01, 2005-02-14]
  legs.small: [{IWM: 1}, {IWM: 0.3, IWN: 0.7}]
  strategy.initial: [small, cash]
  strategy.name: [relative_momentum, rate_cut_momentum]
"""


def assert_is_its_single_run(result: Sweep, number: int) -> None:
    config = result.config(number)
    one = run(config, STRATEGIES, market=result.settings.market_of(config))
    curve = result.equity(number)
    assert curve.index.equals(one.sessions)
    assert (curve.to_numpy() == one.books.equity).all()
    for key, swept in zip(result.metric_keys, result.table[number].tolist(), strict=True):
        own = one.metrics[key]
        assert np.isnan(swept) if own is None else abs(swept - own) <= 1e-12 * max(1.0, abs(own)), key


@cache
def mixed(tmp: Path) -> Sweep:
    return sweep(study(tmp, MIXED), STRATEGIES, market=market())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


def test_every_variant_is_its_single_run(folder: Path) -> None:
    result = mixed(folder)
    assert len(result.table) == 3 * 2 * 2 * 3 * 2 * 2 * 2
    for number in np.random.default_rng(7).choice(len(result.table), 8, replace=False).tolist():
        assert_is_its_single_run(result, number)


@pytest.mark.slow
def test_a_hundred_of_a_thousand_variants_are_their_single_runs(tmp_path: Path) -> None:
    grid = "grid:\n  strategy.params.lookback_sessions: {from: 1, to: 100, step: 2}\n"
    grid += "  strategy.params.threshold: {from: 0.0, to: 0.095, count: 20}\n"
    result = sweep(study(tmp_path, grid), STRATEGIES, market=market())
    assert len(result.table) == 1000
    for number in np.random.default_rng(1).choice(1000, 100, replace=False).tolist():
        assert_is_its_single_run(result, number)


GRID = "grid:\n  strategy.params.hold[0].min_hold_sessions: [0, 5]\n"
RAW = "grid:\n  execution.accounting: [raw, total_return]\n  strategy.params.lookback_sessions: [5, 21]\n"


def test_raw_accounts_may_be_swept(tmp_path: Path) -> None:
    paid, split = market().dividends.copy(), market().splits.copy()
    paid.iloc[200::60] = 0.4
    split.iloc[400, 0] = 2.0
    world = dataclasses.replace(market(), dividends=paid, splits=split)
    result = sweep(study(tmp_path, RAW), STRATEGIES, market=world)
    for number in range(4):
        assert_is_its_single_run(result, number)
    assert abs(result.metric("total_return")[0] - result.metric("total_return")[2]) > 1e-4


def test_raw_accounts_load_data_that_are_checked_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def load(config: Any, offline: bool) -> Market:
        asked.append(config.execution.accounting)
        return market()

    monkeypatch.setattr("backtest.study.settings.load_market", load)
    sweep(study(tmp_path, RAW), STRATEGIES)
    assert sorted(asked) == ["raw", "total_return"]


@pytest.mark.parametrize("initial", ["small", "cash"])
def test_before_anything_is_known_the_initial_holding_is_held(tmp_path: Path, initial: str) -> None:
    grid = "grid: {strategy.params.lookback_sessions: [126, 252]}"
    result = sweep(study(tmp_path, grid, f"strategy.initial={initial}"), STRATEGIES, market=market())
    for number in range(2):
        assert_is_its_single_run(result, number)


def test_a_lack_of_memory_that_says_nothing_more_stops_the_sweep(tmp_path: Path) -> None:
    asked = study(tmp_path, GRID_OF_MOODS.replace("[0, 1, 2, 3]", "[0, 10]"), "strategy.params={}")
    with pytest.raises(RunError, match="point 1 of the grid: MemoryError: the sweep stopped"):
        sweep(asked, STRATEGIES, market=market())


RULES = """
grid:
  strategy.params.hold[0].when.any[1].above: [0.0, 0.02]
  strategy.params.volatility_target.annual: [0.1, 0.3]
  strategy.params.hold[0].min_hold_sessions: [0, 5]
"""
RULE = (
    "strategy={name: rules, params: {hold: [{leg: small, when: {any: [{signal: surge}, {signal: lead,"
    " lookback_sessions: 21}]}}, {leg: growth}],"
    " volatility_target: {annual: 0.2}, inverse_volatility: {window_sessions: 21}}}"
)


def test_a_key_reaches_into_the_trees_of_rules(tmp_path: Path) -> None:
    result = sweep(study(tmp_path, RULES, RULE), STRATEGIES, market=market())
    for number in range(8):
        assert_is_its_single_run(result, number)
    assert len(np.unique(result.metric("final_equity_usd"))) == 8
    limits = [result.config(number).strategy.params.hold[0].when.any[1].above for number in (0, 4)]
    assert limits == [0.0, 0.02]


def test_a_list_set_first_is_the_one_that_is_reached_into(tmp_path: Path) -> None:
    ours = "strategy.params.hold[0].when.any=[{signal: surge, lookback_sessions: 9}, {signal: twelve_one}]"
    made = study(tmp_path, GRID, RULE, ours, "strategy.params.hold[0].when.any[1].above=0.25").grid_config(0)
    first, second = made.strategy.params.hold[0].when.any
    assert (first.lookback_sessions, second.above) == (9, 0.25)


@pytest.mark.parametrize("key", ["legs.small[0]", "name[0]", "strategy.params.hold[0].when.all[0].above"])
def test_a_place_in_what_is_no_list_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="found no such entry, expected an entry of a list"):
        study(tmp_path, GRID, RULE, f"{key}=1")


def test_an_entry_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"when\.any\[2\]: found no such entry, expected \[0\] to \[1\]"):
        study(tmp_path, RULES.replace("any[1]", "any[2]"), RULE)


def test_start_and_legs_and_strategy_may_be_swept(tmp_path: Path) -> None:
    result = sweep(study(tmp_path, PERIODS), STRATEGIES, market=market())
    for number in (0, 3, 6, 9, 13):
        assert_is_its_single_run(result, number)


def test_the_table_has_swept_keys_then_metrics(folder: Path) -> None:
    frame = mixed(folder).frame
    assert tuple(frame.columns) == (*mixed(folder).study.grid, *metric_keys(["growth", "small"]))
    assert frame["strategy.params.lookback_sessions"].unique().tolist() == [5, 21, 63]
    assert frame["execution.rebalance"].unique().tolist() == ["on_change", "monthly", "{drift: 0.03}"]
    assert frame["trades"].dtype == np.int64


def test_neither_threads_nor_chunks_change_a_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mixed(folder)
    monkeypatch.setattr(chunks, "BATCH", 5)
    monkeypatch.setattr("backtest.study.sweep.CHUNK", 37)
    parts = sweep(whole.study, STRATEGIES, market=market(), workers=1)
    assert parts.table.tobytes() == whole.table.tobytes()


GRID_OF_MOODS = "grid:\n  strategy.name: [moody]\n  strategy.params.level: [0, 1, 2, 3]\n"


def test_a_variant_that_fails_is_a_row_with_a_reason(tmp_path: Path) -> None:
    result = sweep(study(tmp_path, GRID_OF_MOODS, "strategy.params={}"), STRATEGIES, market=market())
    assert result.problems[1] == "ZeroDivisionError: nothing to divide by"
    assert "the share is 2.0 on" in result.problems[2]
    assert list(result.problems) == [1, 2]
    assert np.isnan(result.table[1:3]).all()
    for number in (0, 3):  # the last one holds more shares than a byte's table has room for
        assert_is_its_single_run(result, number)


def test_whatever_a_decision_is_the_others_are_run(tmp_path: Path) -> None:
    grid = GRID_OF_MOODS.replace("[0, 1, 2, 3]", "[0, 3, 9, 5, 6, 7, 8]")
    result = sweep(study(tmp_path, grid, "strategy.params={}"), STRATEGIES, market=market())
    assert list(result.problems) == [2, 3, 4, 5, 6]
    assert "within: IVW is nan on" in result.problems[2]
    assert "within: IVW is 2.0 on" in result.problems[3]
    assert "could not convert string" in result.problems[4]
    assert "evidence short has 5 rows, not 700" in result.problems[5]
    assert result.problems[6] == "moody: decide returned NoneType, expected a Decision"
    for number in (0, 1):
        assert_is_its_single_run(result, number)


def test_an_account_that_costs_have_eaten_is_a_row_of_minus_one_beside_the_others(tmp_path: Path) -> None:
    """Momentum of one session at 2,000 bps, at 1,005 and at 10: ruined, and sound; no row is lost."""
    grid = "grid:\n  execution.slippage_bps: [1000, 5]\n  execution.commission_bps: [1000, 5]\n"
    base = "strategy.params={lookback_sessions: 1}"
    result = sweep(study(tmp_path, grid, base), STRATEGIES, market=market())
    assert not result.problems
    total = result.metric("total_return")
    assert total[0] == pytest.approx(-1.0, abs=1e-6)
    assert total[1] < -0.9999
    assert total[3] > -0.9
    for number in range(4):
        assert_is_its_single_run(result, number)
    alone = run(result.config(0), STRATEGIES, market=market())
    assert alone.books.ruined_row is not None
    said = "; ".join(caveats(alone))
    assert f"Ruined on {alone.sessions[alone.books.ruined_row]:%Y-%m-%d}: less than a millionth" in said


def test_a_sweep_of_which_nothing_can_be_run_says_why(tmp_path: Path) -> None:
    asked = study(tmp_path, GRID_OF_MOODS.replace("[0, 1, 2, 3]", "[1]"), "strategy.params={}")
    with pytest.raises(RunError, match="no point of the grid can be run: ZeroDivisionError"):
        sweep(asked, STRATEGIES, market=market())


def test_a_point_for_which_memory_is_lacking_is_neither_shown_nor_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtest.study.sweep.CHUNK", 2)
    asked = study(tmp_path, GRID_OF_MOODS.replace("3]", "3, 4]"), "strategy.params={}")
    with pytest.raises(RunError, match=r"point 4 of the grid: .*MemoryError: Unable to allocate .* is kept"):
        sweep(asked, STRATEGIES, market=market(), keep=tmp_path)
    assert sorted(path.name for path in tmp_path.glob(".sweep-*/*")) == ["0-2", "2-4"]


def test_a_study_without_a_grid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="grid: found none"):
        sweep(study(tmp_path, "variants: {a: {}}"), STRATEGIES, market=market())


class Stop(Exception):
    """Raised in the middle of a sweep."""


def test_an_interrupted_sweep_goes_on_where_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mixed(folder)
    monkeypatch.setattr("backtest.study.sweep.CHUNK", 50)

    def interrupt(done: int, size: int) -> None:
        if done >= 150:
            raise Stop

    with pytest.raises(Stop):
        sweep(whole.study, STRATEGIES, market=market(), keep=tmp_path, progress=interrupt)
    kept = next(tmp_path.glob(".sweep-*"))
    assert len(list(kept.iterdir())) >= 3
    (kept / "0-50").write_bytes(b"torn")
    decided: list[int] = []
    start = chunks._start
    monkeypatch.setattr(chunks, "_start", lambda s, a, *rest: decided.append(a) or start(s, a, *rest))
    again = sweep(whole.study, STRATEGIES, market=market(), keep=tmp_path)
    assert again.table.tobytes() == whole.table.tobytes()
    assert decided[:2] == [0, 150]
    assert 50 not in decided
    ChunkStore(tmp_path, again.fingerprint).remove()
    assert not list(tmp_path.glob(".sweep-*"))


def test_other_data_or_another_question_do_not_find_the_chunks(tmp_path: Path) -> None:
    grid = "grid: {strategy.params.lookback_sessions: [5, 21]}"
    one = sweep(study(tmp_path, grid), STRATEGIES, market=market())
    assert sweep(study(tmp_path, grid), STRATEGIES, market=market()).fingerprint == one.fingerprint
    assert sweep(study(tmp_path, grid), STRATEGIES, market=market(6)).fingerprint != one.fingerprint
    other = study(tmp_path, grid.replace("21", "22"))
    assert sweep(other, STRATEGIES, market=market()).fingerprint != one.fingerprint


def test_data_count_even_when_the_first_point_is_wrong(tmp_path: Path) -> None:
    grid = (
        "grid:\n  strategy.params.hold[0].min_hold_sessions: [0, 9]\n"
        "  strategy.params.hold[0].max_hold_sessions: [20, 5]\n"
    )
    asked = study(tmp_path, grid + "sample: {count: 2, seed: 0}", RULE)
    with pytest.raises(ConfigError, match="max_hold_sessions: expected at least min_hold_sessions"):
        asked.grid_parts(1)
    swapped = dataclasses.replace(asked, _points=dataclasses.replace(asked._points, chosen=(3, 0)))  # type: ignore[type-var]
    prints = {Settings(swapped, STRATEGIES, market(seed)).fingerprint() for seed in (5, 6)}
    assert len(prints) == 2


def test_a_plateau_is_found_beside_a_peak() -> None:
    values = np.zeros((7, 7))
    values[1, 1] = 9.0
    values[3:6, 3:6] = 3.0
    found = whole_grid(values.ravel(), {"one": range(7), "other": range(7)})
    assert found is not None
    assert found.centre == 4 * 7 + 4
    assert found.mean[found.centre] == found.worst[found.centre] == 3.0
    assert found.mean[8] == pytest.approx(1.0)
    assert whole_grid(np.arange(3.0), {"names": ["a", "b", "c"]}) is None
    assert whole_grid(np.arange(2.0), {"a part of it": range(3)}) is None


def test_neighbours_are_next_in_size_in_whatever_order_they_are_listed() -> None:
    listed, sizes = [30, 10, 40, 20], {"size": [10, 20, 30, 40]}
    values = np.array([3.0, 1.0, 4.0, 2.0])
    found, ordered = plateau_of(values, [listed], np.arange(4)[:, None]), whole_grid(np.arange(1.0, 5.0), sizes)
    assert found is not None
    assert ordered is not None
    assert found.mean.tolist() == ordered.mean[[2, 0, 3, 1]].tolist()
    assert listed[found.centre or 0] == sizes["size"][ordered.centre or 0] == 30


def test_names_are_no_neighbours_and_edges_no_centres() -> None:
    values = np.array([[9.0, 1.0, 1.0], [0.0, 2.0, 0.0]])
    found = whole_grid(values.ravel(), {"name": ["a", "b"], "number": [1, 2, 3]})
    assert found is not None
    assert found.mean.tolist() == [5.0, 11 / 3, 1.0, 1.0, 2 / 3, 1.0]
    assert found.centre == 1


def test_findings_and_a_trial_for_each_point(tmp_path: Path) -> None:
    grid = "grid:\n  strategy.params.lookback_sessions: [5, 21, 42, 63]\n"
    grid += "  strategy.params.threshold: [0.0, 0.01, 0.02]\n"
    result = sweep(study(tmp_path, grid), STRATEGIES, market=market())
    found = findings_of(result, tmp_path / "trials.jsonl")
    again = findings_of(result, tmp_path / "trials.jsonl")
    assert len(Ledger(tmp_path / "trials.jsonl")) == 12
    assert found.size.trials == again.size.trials == 12
    best = int(np.nanargmax(result.metric("information_ratio")))
    assert found.finalists[0].number == best
    assert found.finalists[0].values == {key: result.frame[key][best] for key in result.keys}
    assert found.finalists[-1].why == "centre of the plateau"
    assert 0.0 <= found.overfitting <= 1.0  # type: ignore[operator]
    shares, figures = found.mixes[5]
    assert shares.tolist() == [0.5, 0.5]
    assert figures == found.benchmarks["static_mix_0.5"]


def test_each_variant_is_held_against_the_benchmark_of_its_own_period(tmp_path: Path) -> None:
    grid = "grid: {data.start: [2004-06-01, 2005-02-14, 2005-08-01], strategy.initial: [small, growth]}"
    result = sweep(study(tmp_path, grid), STRATEGIES, market=market())
    ahead = []
    for number in range(6):
        one = run(result.config(number), STRATEGIES, market=market())
        ahead.append(one.metrics["total_return"] > one.benchmark_metrics["QQQ"]["total_return"])  # type: ignore[operator]
    assert share_ahead(result) == np.mean(ahead)
    assert len({round(growth, 9) for growth in benchmark_growth(result).tolist()}) == 3


def test_what_the_grid_sweeps_is_not_set_beside_it(tmp_path: Path) -> None:
    grid = "grid: {strategy.params.lookback_sessions: [5, 21]}"
    with pytest.raises(ConfigError, match=r"--set: strategy.params.lookback_sessions: swept by the grid"):
        study(tmp_path, grid, "strategy.params.lookback_sessions=9")


def test_a_sample_of_a_grid_is_the_same_rows(folder: Path, tmp_path: Path) -> None:
    whole = mixed(folder)
    some = sweep(study(tmp_path, MIXED + "sample: {count: 20, seed: 3}"), STRATEGIES, market=market())
    keys: list[Any] = list(whole.study.grid)
    joined = some.frame.merge(whole.frame, on=keys, suffixes=("", "_whole"))
    assert len(joined) == 20
    pd.testing.assert_series_equal(joined["cagr"], joined["cagr_whole"], check_names=False, check_exact=True)
