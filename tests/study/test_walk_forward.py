"""Walk-forward: a choice sees nothing later, the account is a real one, and the story of the real data is sobering."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_studies import TEXT, market
from worlds import poisoned

from backtest.config import Study, load_study, study_from_text
from backtest.config.study import WalkForwardTerms
from backtest.errors import ConfigError, RunError
from backtest.market import Market
from backtest.study.sweep import curves_of
from backtest.study.walk import windows_of
from backtest.study.walk_forward import WalkForward, walk_forward
from strategies import REGISTRY

ROOT = Path(__file__).parents[2]
GRID = """
grid:
  strategy.params.lookback_sessions: [5, 10, 21, 42, 63]
  strategy.params.threshold: [0.0, 0.01, 0.03]
"""


def study(tmp: Path, extra: str = "walk_forward: {train_years: 1}\n", grid: str = GRID) -> Study:
    (tmp / "base.yaml").write_text(TEXT, encoding="utf-8", newline="\n")
    text = f"name: small-walk\nbase: base.yaml\nbenchmark: QQQ\n{grid}{extra}"
    return study_from_text(text, str(tmp / "study.yaml"), strategies=REGISTRY)


def walked(tmp: Path, world: Market | None = None, extra: str = "walk_forward: {train_years: 1}\n") -> WalkForward:
    return walk_forward(study(tmp, extra), REGISTRY, market=world or market())


DAYS = pd.bdate_range("2001-07-31", "2006-12-29")


def test_windows_meet_and_look_back_only() -> None:
    windows = windows_of(DAYS, WalkForwardTerms(train_years=2))
    assert [f"{DAYS[w.begin]:%Y-%m-%d}" for w in windows] == ["2003-07-31", "2004-08-02", "2005-08-01", "2006-07-31"]
    assert [f"{DAYS[w.train]:%Y-%m-%d}" for w in windows] == ["2001-07-31", "2002-07-31", "2003-07-31", "2004-08-02"]
    for before, after in pairwise(windows):
        assert before.end == after.begin + 1
    assert all(w.known == w.begin + 1 for w in windows)
    assert windows[-1].end == len(DAYS)


def test_anchored_windows_begin_at_the_start() -> None:
    assert {w.train for w in windows_of(DAYS, WalkForwardTerms(train_years=2, anchored=True))} == {0}


def test_purge_and_embargo_keep_training_and_test_apart() -> None:
    for window in windows_of(DAYS, WalkForwardTerms(train_years=2, purge_sessions=20, embargo_sessions=5)):
        assert window.begin - (window.known - 1) == 25


def test_a_purge_of_everything_is_refused() -> None:
    with pytest.raises(RunError, match="purge_sessions: 500 leave nothing to look at"):
        windows_of(DAYS, WalkForwardTerms(train_years=2, purge_sessions=500))


def test_each_choice_is_the_best_of_its_past(tmp_path: Path) -> None:
    walk = walked(tmp_path)
    curves = curves_of(walk.sweep, list(range(15)))
    benchmark = walk.sweep.first.benchmark
    assert benchmark is not None
    for choice in walk.choices:
        seen = slice(choice.window.train, choice.window.known)
        active = np.diff(curves[:, seen]) / curves[:, seen][:, :-1] - np.diff(benchmark[seen]) / benchmark[seen][:-1]
        ratios = active.mean(axis=1) / active.std(axis=1, ddof=1) * 252**0.5
        assert choice.number == int(ratios.argmax())
        assert choice.inside == pytest.approx(ratios.max(), rel=1e-12)


@pytest.mark.parametrize(
    "terms",
    [
        "",
        "anchored: true",
        "purge_sessions: 21, embargo_sessions: 5",
        "anchored: true, purge_sessions: 21, embargo_sessions: 5",
        "select: sharpe, plateau: true",
        "anchored: true, plateau: true, purge_sessions: 10",
        "select: max_drawdown, embargo_sessions: 10",
    ],
)
def test_the_future_of_a_choice_changes_nothing_before_it(tmp_path: Path, terms: str) -> None:
    """Poisoned is everything behind the last close that the last choice looks at."""
    extra = f"walk_forward: {{train_years: 1, {terms}}}\n"
    whole = walked(tmp_path, extra=extra)
    assert len(whole.choices) >= 2
    last = whole.choices[-1].window
    row = whole.sweep.first.begin + last.known - 1
    other = walked(tmp_path, poisoned(market(), row, seed=3), extra)
    assert [(c.number, c.inside) for c in other.choices] == [(c.number, c.inside) for c in whole.choices]
    assert other.choices[-1].outside != whole.choices[-1].outside
    same = last.known - whole.choices[0].window.begin
    assert (other.equity[:same] == whole.equity[:same]).all()
    assert (other.equity[same:] != whole.equity[same:]).any()
    earlier = walked(tmp_path, poisoned(market(), row - 120, seed=3), extra)
    assert earlier.choices[-1].inside != whole.choices[-1].inside


def test_one_variant_walks_as_itself(tmp_path: Path) -> None:
    alone = study(tmp_path, grid="\ngrid: {strategy.params.lookback_sessions: [21]}\n")
    walk = walk_forward(alone, REGISTRY, market=market())
    begin = walk.choices[0].window.begin
    own = curves_of(walk.sweep, [0])[0][begin:]
    assert walk.equity == pytest.approx(own / own[0] * 100_000, rel=1e-12)
    assert walk.figures["walk-forward"] == walk.figures["best in hindsight"]


def test_costs_and_funds_are_not_chosen(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"grid.execution.slippage_bps: expected keys of the strategy alone"):
        walk_forward(study(tmp_path, grid="\ngrid: {execution.slippage_bps: [1, 2]}\n"), REGISTRY, market=market())


def test_a_metric_that_cannot_be_selected_by_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"walk_forward.select: found trades, expected one of total_return"):
        walked(tmp_path, extra="walk_forward: {train_years: 1, select: trades}\n")


def test_a_plateau_of_a_sample_is_refused(tmp_path: Path) -> None:
    extra = "sample: {count: 9}\nwalk_forward: {train_years: 1, plateau: true}\n"
    with pytest.raises(ConfigError, match=r"walk_forward.plateau: found true, expected false: a sample has no"):
        walk_forward(study(tmp_path, extra), REGISTRY, market=market())


@pytest.mark.parametrize("select", ["max_drawdown", "volatility", "sharpe"])
def test_any_metric_selects_and_less_risk_is_better(tmp_path: Path, select: str) -> None:
    walk = walked(tmp_path, extra=f"walk_forward: {{train_years: 1, select: {select}, plateau: true}}\n")
    assert all(0.0 <= choice.rank <= 1.0 for choice in walk.choices)


def test_on_the_real_data_choosing_does_worse_than_holding(real_data: Path) -> None:
    """research: the best of 28 rules, chosen each year by the last five, made 13.4 % where QQQ made 15.9 %."""
    over = [f"data.prices={{source: csv, folder: {real_data / 'prices'}}}", "data.end=2025-12-31", "data.tbill=null"]
    text = "name: w\nbase: iwm_qqq.yaml\nbenchmark: QQQ\ngrid:\n"
    text += "  strategy.params.lookback_sessions: [5, 21, 63, 126, 252]\n"
    text += "  strategy.params.threshold: [0.0, 0.03, 0.05]\n"
    asked = study_from_text(text, str(ROOT / "configs" / "w.yaml"), strategies=REGISTRY, overrides=over)
    walk = walk_forward(asked, REGISTRY)
    own, held = (walk.figures[name]["cagr"] for name in ("walk-forward", "QQQ"))
    assert own is not None
    assert held is not None
    assert 0.08 < own < held - 0.01 < 0.16


@pytest.mark.slow
@pytest.mark.parametrize("anchored", ["false", "true"])
def test_the_shipped_study_on_the_real_data_is_sobering(real_data: Path, anchored: str) -> None:
    """research: selection made less than QQQ; here of 1,000 variants, 2006-07-31 to 2025-12-31."""
    over = [f"data.prices={{source: csv, folder: {real_data / 'prices'}}}", "data.end=2025-12-31"]
    over += [f"walk_forward.anchored={anchored}"]
    over += ["walk_forward.combinatorial={groups: 8, test_groups: 2, purge_sessions: 21, embargo_sessions: 250}"]
    path = ROOT / "configs" / "study_momentum_grid.yaml"
    walk = walk_forward(load_study(path, strategies=REGISTRY, overrides=over), REGISTRY)
    own, held, best = (walk.figures[name]["cagr"] for name in ("walk-forward", "QQQ", "best in hindsight"))
    assert own is not None
    assert held is not None
    assert best is not None
    assert 0.10 < own < 0.12
    assert 0.16 < held < 0.17
    assert 0.14 < best < held
    assert 0.4 <= walk.above_median <= 0.55
    paths = walk.paths
    assert paths is not None
    spread = paths.spread("information_ratio")
    assert len(paths.figures) == 7
    assert -0.35 < spread["lowest"] < spread["median"] < spread["highest"] < 0.0
    assert 0.05 < float(paths.in_sample_figures["information_ratio"] or 0.0) < 0.12
    assert paths.ahead < 0.5
