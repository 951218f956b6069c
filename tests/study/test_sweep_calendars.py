"""When to look, when to trade, how late and at what price, swept together: each is its single run, to the bit."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from small_studies import market

from backtest.account.kernel import run_compiled
from backtest.config import config_from_text, study_from_text
from backtest.errors import ConfigError
from backtest.pages.sweep import files as sweep_files
from backtest.pages.sweep import view as sweep_view
from backtest.pages.walk import files as walk_files
from backtest.pages.walk import page as walk_page
from backtest.pipeline import decide, plan_of, run
from backtest.study import as_json as study_json
from backtest.study.compare import compare
from backtest.study.findings import findings_of
from backtest.study.sweep import Sweep, sweep
from backtest.study.walk_forward import walk_forward
from strategies import REGISTRY

BASE: dict[str, Any] = {
    "name": "calendars",
    "data": {"prices": {"source": "sample"}, "start": "2004-06-01", "tbill": "irx"},
    "strategy": {"name": "rate_cut_momentum", "params": {"lookback_sessions": 10, "combine": "any"}},
    "execution": {"commission_bps": 1, "slippage_bps": 4, "idle_cash": "tbill"},
    "benchmarks": ["QQQ"],
}
PERIODS = ["daily", "weekly", "monthly", "quarterly", "annual"]
LOOKS = [*PERIODS, {"every_sessions": 5}, {"every_sessions": 21}]
GRID: dict[str, list[Any]] = {
    "strategy.params.decide": LOOKS,
    "execution.rebalance": ["on_change", *LOOKS, {"drift": 0.02}],
    "execution.fill": ["close", "open"],
    "execution.delay_sessions": [0, 1, 3],
}


@cache
def swept() -> Sweep:
    with TemporaryDirectory() as folder:
        (Path(folder) / "base.yaml").write_text(json.dumps(BASE), encoding="utf-8", newline="\n")
        text = json.dumps({"name": "calendars", "base": "base.yaml", "grid": GRID})
        study = study_from_text(text, f"{folder}/study.yaml", strategies=REGISTRY)
    return sweep(study, REGISTRY, market=market())


def points() -> list[int]:
    return [n for n in range(swept().study.size) if n not in swept().problems]


def test_a_fill_at_the_open_without_delay_is_told_and_everything_else_runs() -> None:
    result = swept()
    for number, text in result.problems.items():
        values = result.values(number)
        assert (values["execution.fill"], values["execution.delay_sessions"]) == ("open", 0)
        assert "found 0 with fills at the open, expected 1 or more, or fill: close" in text
    assert len(result.problems) == 7 * 9
    assert len(points()) == 7 * 9 * 5


def test_every_variant_is_its_own_plan_by_the_kernel() -> None:
    for number in np.random.default_rng(3).choice(points(), 60, replace=False).tolist():
        config = swept().config(number)
        plan = plan_of(config, market(), decide(config, market(), REGISTRY[config.strategy.name]))
        assert swept().equity(number).tolist() == run_compiled(plan).equity.tolist(), swept().label(number)


def test_variants_are_what_a_single_run_says_of_them() -> None:
    for number in np.random.default_rng(5).choice(points(), 6, replace=False).tolist():
        single = run(swept().config(number), REGISTRY, market=market())
        assert swept().equity(number).tolist() == single.books.equity.tolist()
        for key in ("cagr", "sharpe", "turnover_annual", "rebalances", "trades", "costs_usd"):
            mine, theirs = float(swept().metric(key)[number]), single.metrics[key]
            assert mine == pytest.approx(float("nan") if theirs is None else theirs, rel=1e-12, nan_ok=True), key


def test_other_settings_are_other_accounts() -> None:
    """No axis is without effect: of the accounts at least as many differ as the axes that move trades can make."""
    curves = {tuple(swept().equity(number).tolist()) for number in points()}
    assert len(curves) > 0.9 * len(points())


def test_a_point_says_its_calendar_in_words() -> None:
    number = next(n for n in points() if swept().values(n)["strategy.params.decide"] == {"every_sessions": 5})
    assert "decide every_sessions 5" in swept().label(number)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("rebalance", {"every_sessions": 0}, "found 0, expected a whole number from 1 to 2520"),
        ("rebalance", {"every_sessions": 2.5}, "found 2.5, expected a whole number from 1 to 2520"),
        ("rebalance", {"every_session": 5}, "unknown key, did you mean every_sessions?"),
        ("rebalance", {"every_sessions": 5, "drift": 0.1}, "execution.rebalance.drift: cannot stand here"),
        ("rebalance", "fortnightly", "expected on_change, daily, weekly, monthly, quarterly, annual, {every_sessions"),
        ("decide", {"every_sessions": 0}, "found 0, expected a whole number from 1 to 2520"),
        ("decide", {"every_session": 5}, "unknown key, did you mean every_sessions?"),
        ("decide", "fortnightly", "expected daily, weekly, monthly, quarterly, annual or {every_sessions: 5}"),
        ("decide", 5, "expected daily, weekly, monthly, quarterly, annual or {every_sessions: 5}"),
    ],
)
def test_a_calendar_that_is_none_is_one_line(key: str, value: Any, words: str) -> None:
    strategy: Any = BASE["strategy"]
    changed = {**BASE, "execution": {**BASE["execution"], key: value}}
    if key == "decide":
        changed = {**BASE, "strategy": {**strategy, "params": {**strategy["params"], key: value}}}
    with pytest.raises(ConfigError) as told:
        config_from_text(json.dumps(changed), strategies=REGISTRY)
    assert any(words in problem for problem in told.value.problems), told.value.problems


def test_fills_at_the_deciding_close_are_marked_optimistic_everywhere(tmp_path: Path) -> None:
    """In a comparison, a sweep and a walk: on the first screen, in the terminal's lines and in the JSON."""
    words = "at the very close that decides them, which nobody can do"
    keys: dict[str, list[Any]] = {"strategy.params.lookback_sessions": [5, 10], "execution.delay_sessions": [0, 1]}
    base = {**BASE, "execution": {**BASE["execution"], "fill": "close", "delay_sessions": 0}}
    (tmp_path / "base.yaml").write_text(json.dumps(base), encoding="utf-8", newline="\n")

    def study_of(grid: dict[str, list[Any]]) -> Any:
        given = {
            "name": "close",
            "base": "base.yaml",
            "grid": grid,
            "walk_forward": {"train_years": 1, "test_years": 1},
        }
        return study_from_text(json.dumps(given), f"{tmp_path}/study.yaml", strategies=REGISTRY)

    result = sweep(study_of(keys), REGISTRY, market=market())
    assert result.cautions == [f"2 of 4 points trade {words}: their figures are optimistic."]
    found = findings_of(result, None)
    assert result.cautions[0] in " ".join(sweep_view.lede(result, found))
    assert sweep_files.sweep_json(result, found)["cautions"] == result.cautions
    walk = walk_forward(study_of({"strategy.params.lookback_sessions": [5, 10]}), REGISTRY, market=market())
    alone = [f"Trades are made {words}: the figures are optimistic."]
    assert walk.sweep.cautions == alone
    assert alone[0] in " ".join(walk_page.lede(walk))
    assert walk_files.walk_json(walk)["cautions"] == alone
    table = compare({str(n): result.config(n) for n in (0, 1)}, name="x", strategies=REGISTRY, market=market())
    assert [line for line in table.cautions if words in line] == [f"0 trades {words}: its figures are optimistic."]
    assert study_json.comparison_json(table)["cautions"] == list(table.cautions)
    assert not sweep(study_of({"execution.delay_sessions": [1, 2]}), REGISTRY, market=market()).cautions
