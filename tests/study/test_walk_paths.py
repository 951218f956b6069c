"""Combinatorial paths: all splits and paths, training kept apart from the test, real accounts, nothing out of noise."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import Field
from small_studies import TEXT, market
from test_walk_groups import terms
from worlds import rotation_market, small_in

from backtest.account.kernel import run_compiled
from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.config import study_from_text
from backtest.data.tables import EXACT
from backtest.decision import Decision
from backtest.errors import ConfigError, RunError
from backtest.market import PRICE_FRAMES, Floats, Legs, Market
from backtest.metrics import METRIC_KEYS
from backtest.pages.walk.files import walk_json, write_walk
from backtest.pages.walk.page import lede
from backtest.pages.walk.paths import sentences
from backtest.store.provenance import Provenance
from backtest.study.sweep import curves_of
from backtest.study.walk import followed, measured
from backtest.study.walk_forward import WalkForward, candidates_of, walk_forward
from backtest.study.walk_paths import WalkPaths, paths_through
from backtest.text import span_percent
from strategies import REGISTRY


class Noise(RotationStrategy):
    """Turns a coin every twenty sessions."""

    class Params(StrategyParams):
        """Which coin."""

        coin: int = Field(0, ge=0, description="the seed")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        turns = np.random.default_rng(p.coin).integers(0, 2, len(market.sessions) // 20 + 1)
        return small_in(np.repeat(turns, 20)[: len(market.sessions)].astype(np.float64))

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        return f"It turns coin {p.coin}."


STRATEGIES: dict[str, type] = {**REGISTRY, "noise": Noise}
GRID = "{strategy.params.lookback_sessions: [5, 10, 21], strategy.params.threshold: [0.0]}"
ONE_TICKER_A_LEG = ("legs.growth={QQQ: 1}", "legs.small={IWM: 1}")


def walked(
    tmp: Path,
    world: Market | None = None,
    *,
    own: str = "groups: 5, test_groups: 2",
    rest: str = "",
    grid: str = GRID,
    benchmark: str = "QQQ",
    overrides: tuple[str, ...] = (),
) -> WalkForward:
    (tmp / "base.yaml").write_text(TEXT, encoding="utf-8", newline="\n")
    text = f"name: small-paths\nbase: base.yaml\nbenchmark: {benchmark}\ngrid: {grid}\n"
    text += f"walk_forward: {{train_years: 1, combinatorial: {{{own}}}{rest}}}\n"
    study = study_from_text(text, str(tmp / "study.yaml"), strategies=STRATEGIES, overrides=overrides)
    return walk_forward(study, STRATEGIES, market=world or market())


@cache
def common(tmp: Path) -> WalkForward:
    return walked(tmp, overrides=ONE_TICKER_A_LEG)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> WalkForward:
    return common(tmp_path_factory.mktemp("paths"))


def paths(walk: WalkForward) -> WalkPaths:
    assert walk.paths is not None
    return walk.paths


def curves(walk: WalkForward) -> Floats:
    return curves_of(walk.sweep, list(range(walk.sweep.study.size)))


@pytest.mark.parametrize(
    ("own", "error", "words"),
    [
        ("groups: 4, test_groups: 4", ConfigError, "test_groups: found 4, expected fewer than the 4 groups"),
        ("groups: 16, test_groups: 8", ConfigError, "combinatorial: found 12,870 splits, expected at most 500"),
        ("groups: 12, test_groups: 1", RunError, "12 groups of [0-9]+ sessions, expected at least 63 in each"),
        ("groups: 4, test_groups: 2, embargo_sessions: 400", RunError, "embargo of 400 sessions leave nothing"),
    ],
)
def test_what_cannot_be_tested_is_refused(tmp_path: Path, own: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        walked(tmp_path, own=own)


# ---- measuring


def test_the_best_in_sample_is_that_of_all_sessions_the_first_return_included(walk: WalkForward) -> None:
    candidates, terms = candidates_of(walk.sweep), walk.terms.model_copy(update={"select": "total_return"})
    own = candidates.curves.copy()
    worst = int(own[:, -1].argmin())
    own[worst, 0] *= 0.01
    assert paths_through(dataclasses.replace(candidates, curves=own), terms).best == worst


def test_metrics_of_joined_stretches_are_those_of_their_returns(walk: WalkForward) -> None:
    first, stretches = walk.sweep.first, [(10, 120), (200, 280), (330, 500)]
    own = curves(walk)
    table = measured(own, first, stretches)
    assert first.benchmark is not None

    def returns(curve: Floats) -> Floats:
        return np.concatenate([np.diff(curve[begin:end]) / curve[begin : end - 1] for begin, end in stretches])

    days = sum((first.plan.sessions[end - 1] - first.plan.sessions[begin]).days for begin, end in stretches)
    for curve, row in zip(own, table, strict=True):
        active = returns(curve) - returns(first.benchmark)
        growth = np.cumprod(np.append(1.0, 1 + returns(curve)))
        figures = dict(zip(METRIC_KEYS, row.tolist(), strict=True))
        assert figures["information_ratio"] == pytest.approx(active.mean() / active.std(ddof=1) * 252**0.5, rel=1e-9)
        assert figures["total_return"] == pytest.approx(growth[-1] - 1, rel=1e-9)
        assert figures["cagr"] == pytest.approx(growth[-1] ** (365.25 / days) - 1, rel=1e-9)
        assert figures["max_drawdown"] == pytest.approx((growth / np.maximum.accumulate(growth) - 1).min(), rel=1e-9)


def test_months_of_joined_stretches_are_complete_inside_one(walk: WalkForward) -> None:
    """July and August are cut by a hole: no capture may see a month across it."""
    first = walk.sweep.first
    assert first.benchmark is not None
    sessions = first.plan.sessions
    at = [int(sessions.searchsorted(pd.Timestamp(day))) for day in ("2004-12-31", "2005-07-15", "2005-08-15")]
    end = len(sessions)
    table = measured(curves(walk), first, [(at[0], at[1] + 1), (at[2], end)])
    months = pd.Series(first.benchmark, sessions)
    ends = months.groupby([sessions.year, sessions.month]).tail(1)
    growth = (ends / ends.shift()).loc[lambda each: each.index > sessions[at[0]]]
    whole = growth[~growth.index.strftime("%Y-%m").isin(["2005-07", "2005-08", f"{sessions[-1]:%Y-%m}"])]
    own = pd.Series(curves(walk)[0], sessions).loc[ends.index]
    rising = whole.index[whole > 1]
    ours = (own / own.shift()).loc[rising].prod() ** (1 / len(rising)) - 1
    theirs = whole[rising].prod() ** (1 / len(rising)) - 1
    assert table[0, METRIC_KEYS.index("up_capture")] == pytest.approx(ours / theirs, rel=1e-9)


# ---- choices


def test_each_split_takes_the_best_of_its_training(walk: WalkForward) -> None:
    own, benchmark = curves(walk), walk.sweep.first.benchmark
    assert benchmark is not None
    active = np.diff(own) / own[:, :-1] - np.diff(benchmark) / benchmark[:-1]
    for choice in paths(walk).choices:
        rows = np.concatenate([np.arange(begin, end - 1) for begin, end in choice.split.training])
        ratios = active[:, rows].mean(axis=1) / active[:, rows].std(axis=1, ddof=1) * 252**0.5
        assert choice.number == int(ratios.argmax())
        assert choice.inside == pytest.approx(ratios.max(), rel=1e-9)


def test_other_curves_where_nothing_is_looked_at_change_no_choice(walk: WalkForward) -> None:
    asked = terms(5, 2, purge_sessions=10, embargo_sessions=30)
    own = curves(walk)
    whole = paths_through(dataclasses.replace(candidates_of(walk.sweep), curves=own), asked)
    rng = np.random.default_rng(4)
    changed = 0
    for number in (0, 4, 9):
        choice = whole.choices[number]
        rows = np.ones(own.shape[1] - 1, dtype=np.bool_)
        for begin, end in choice.split.training:
            rows[begin : end - 1] = False
        growth = own[:, 1:] / own[:, :-1]
        growth[:, rows] *= np.exp(rng.normal(0.0, 0.02, (len(own), int(rows.sum()))))
        moved = np.cumprod(np.hstack([own[:, :1], growth]), axis=1)
        other = paths_through(dataclasses.replace(candidates_of(walk.sweep), curves=moved), asked).choices
        assert other[number].number == choice.number
        assert other[number].inside == pytest.approx(choice.inside, rel=1e-9)
        assert other[number].outside != pytest.approx(choice.outside, rel=1e-3)
        changed += sum(a.number != b.number for a, b in zip(other, whole.choices, strict=True))
    assert changed > 0


def shaken(world: Market, first: int, behind: int) -> Market:
    """Other prices from row `first` up to `behind`, at another level but with the same returns from there on."""
    rng = np.random.default_rng(8)
    factor = np.ones(world.close.shape)
    factor[first:behind] = np.exp(np.cumsum(rng.normal(0.0, 0.03, factor[first:behind].shape), axis=0))
    factor[behind:] = factor[behind - 1]
    return dataclasses.replace(world, **{name: getattr(world, name) * factor for name in PRICE_FRAMES})


@pytest.mark.parametrize("select", ["information_ratio", "sharpe, plateau: true", "volatility"])
def test_other_prices_in_the_test_change_no_choice_when_the_embargo_is_as_long_as_memory(
    tmp_path: Path, select: str
) -> None:
    """22 sessions: a lookback of 21, and a session until the order is filled. With none, the rules still remember."""
    rest = f", select: {select}"

    def choices(world: Market, embargo: int) -> Any:
        own = f"groups: 5, test_groups: 1, embargo_sessions: {embargo}"
        return walked(tmp_path, world, own=own, rest=rest, overrides=ONE_TICKER_A_LEG)

    whole = {embargo: choices(market(), embargo) for embargo in (0, 22)}
    remembered = 0
    for group in (1, 2):
        begin, end = (whole[0].sweep.first.begin + row for row in paths(whole[0]).groups[group])
        world = shaken(market(), begin + 1, end)
        kept, leaked = (paths(choices(world, embargo)).choices[group] for embargo in (22, 0))
        own, bare = (paths(whole[embargo]).choices[group] for embargo in (22, 0))
        assert kept.split.tested == (group,)
        assert kept.number == own.number
        assert kept.inside == pytest.approx(own.inside, rel=1e-9)
        assert kept.outside != pytest.approx(own.outside, rel=1e-3)
        remembered += leaked.inside != pytest.approx(bare.inside, rel=1e-6)
    assert remembered > 0


# ---- accounts


def test_one_variant_makes_every_path_its_own_curve(tmp_path: Path) -> None:
    walk = walked(tmp_path, grid="{strategy.params.lookback_sessions: [21]}")
    own = curves(walk)[0]
    assert paths(walk).equity.shape == (4, len(own))
    assert (paths(walk).equity == own).all()
    assert paths(walk).spread("cagr")["lowest"] == paths(walk).in_sample_figures["cagr"]


def test_a_path_holds_in_each_group_what_was_chosen_for_it(walk: WalkForward) -> None:
    """One ticker a leg: once the order of the change is filled, its returns are those of the variant."""
    own, found = curves(walk), paths(walk)
    returns = own[:, 1:] / own[:, :-1]
    seen = set()
    for equity, splits in zip(found.equity, found.splits, strict=True):
        for (begin, end), split in zip(found.groups, splits, strict=True):
            number = found.choices[split].number
            seen.add(number)
            rows = slice(begin + 1, end - 1)
            assert (equity[1:] / equity[:-1])[rows] == pytest.approx(returns[number, rows], rel=1e-9)
    assert len(seen) > 1


def test_an_account_changes_its_variant_at_the_open_after_the_choice(tmp_path: Path) -> None:
    """Two coins that show other sides at the close of row 100: the same money to there, another open after it."""
    grid = "{strategy.name: [noise], strategy.params.coin: [0, 1, 2, 3, 4, 5]}"
    walk = walked(tmp_path, grid=grid, overrides=("strategy.params={}", *ONE_TICKER_A_LEG))
    result, own = walk.sweep, curves(walk)
    sides = [result.first.decide(Noise.Params(coin=coin)).by_leg[result.first.begin + 100, 1] for coin in range(6)]
    before, after = sides.index(0.0), sides.index(1.0)
    equity = run_compiled(followed(candidates_of(result), [(0, before), (100, after)])).equity
    assert (equity[:101] == own[before, :101]).all()
    opens, closes = (getattr(result.market, name).loc[result.first.plan.sessions] for name in ("open", "close"))
    overnight, day = opens["QQQ"].iloc[101] / closes["QQQ"].iloc[100], closes["IWM"].iloc[101] / opens["IWM"].iloc[101]
    cost = 0.0005
    assert equity[101] / equity[100] == pytest.approx(overnight * (1 - cost) / (1 + cost) * day, rel=1e-9)


def test_choosing_among_coins_is_worth_nothing_on_the_median_path(tmp_path: Path) -> None:
    """In sample the luckiest of forty coins beats the mix by far; out of sample it pays for its trades."""
    grid = f"{{strategy.name: [noise], strategy.params.coin: {list(range(40))}}}"
    given = {"own": "groups: 6, test_groups: 2", "grid": grid, "benchmark": "{static_mix: 0.5}"}
    medians = []
    for seed in range(1, 7):
        found = paths(walked(tmp_path, rotation_market(seed, 900), overrides=("strategy.params={}",), **given))
        spread = found.spread("information_ratio")
        assert float(found.in_sample_figures["information_ratio"] or 0.0) > max(0.5, spread["highest"])
        medians.append(spread["median"])
    assert np.mean(medians) < 0.0
    assert sum(median < 0.0 for median in medians) >= 5


# ---- files


def test_the_files_carry_splits_and_paths(walk: WalkForward, tmp_path: Path) -> None:
    written = write_walk(walk, tmp_path, Provenance(command="test", ledger_length=0))
    found = paths(walk)
    table = pd.read_csv(written.folder / "paths.csv", index_col="date", **EXACT)
    assert list(table.columns) == ["path_1", "path_2", "path_3", "path_4", "benchmark", "best_in_sample"]
    assert (found.equity[[0, 3]] == table[["path_1", "path_4"]].to_numpy().T).all()
    splits = pd.read_csv(written.folder / "splits.csv", **EXACT)
    assert splits["tested"].tolist()[:3] == ["1 2", "1 3", "1 4"]
    assert splits["inside"].tolist() == [choice.inside for choice in found.choices]
    told = json.loads((written.folder / "walk_forward.json").read_text(encoding="utf-8"))["combinatorial"]
    assert [path["splits"][0] for path in told["paths"]] == [1, 2, 3, 4]
    assert told["spread"]["cagr"]["median"] == np.median([path["figures"]["cagr"] for path in told["paths"]])
    assert not write_walk(walk, tmp_path, Provenance(command="test", ledger_length=0)).is_new


def test_without_paths_nothing_is_said_of_them(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TEXT, encoding="utf-8", newline="\n")
    text = f"name: w\nbase: base.yaml\nbenchmark: QQQ\ngrid: {GRID}\nwalk_forward: {{train_years: 1}}\n"
    study = study_from_text(text, str(tmp_path / "study.yaml"), strategies=REGISTRY)
    walk = walk_forward(study, REGISTRY, market=market())
    assert walk_json(walk)["combinatorial"] is None
    written = write_walk(walk, tmp_path / "results", Provenance(command="test", ledger_length=0))
    assert not (written.folder / "paths.csv").exists()
    assert "chart-paths" not in (written.folder / "walk_forward.html").read_text(encoding="utf-8").split("<script")[0]


def test_counts_carry_intervals_that_know_what_they_share(walk: WalkForward, tmp_path: Path) -> None:
    found = paths(walk)
    low, high = found.ahead_interval
    assert 1 <= found.independent_paths < len(found.splits)
    assert low <= found.ahead <= high
    assert high - low > 0.5  # paths through the same sessions
    told = walk_json(walk)
    assert told["above_median_interval"] == pytest.approx(walk.above_median_interval)
    assert told["combinatorial"]["ahead_interval"] == pytest.approx(found.ahead_interval)
    assert told["combinatorial"]["independent_paths"] == pytest.approx(found.independent_paths)
    said = " ".join([*lede(walk), *sentences(walk, found)])
    for ends in (walk.above_median_interval, found.ahead_interval, found.above_median_interval):
        assert span_percent(ends) in said
