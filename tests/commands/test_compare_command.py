"""`backtest compare`: from paths to variants, what is printed, what is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backtest.commands.search import compare_paths, question_of
from backtest.errors import ConfigError
from backtest.store.ledger import Ledger, default_ledger
from backtest.study.question import joint_name

ROOT = Path(__file__).parents[2]
QUICKSTART, STUDY = ROOT / "configs" / "quickstart.yaml", ROOT / "configs" / "study_quickstart.yaml"


def write_study(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(f"name: s\nbase: {QUICKSTART}\n{text}", encoding="utf-8", newline="\n")
    return path


def test_configs_are_variants_under_their_names(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(f"extends: {QUICKSTART}\nname: other\n", encoding="utf-8", newline="\n")
    asked = question_of([QUICKSTART, other], ["execution.slippage_bps=9"])
    assert (asked.name, list(asked.variants), asked.benchmark) == ("quickstart-vs-other", ["quickstart", "other"], None)
    assert {config.execution.slippage_bps for config in asked.variants.values()} == {9.0}


def test_configs_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(f"extends: {QUICKSTART}\n", encoding="utf-8", newline="\n")
    assert list(question_of([QUICKSTART, other], []).variants) == ["quickstart", "other"]
    with pytest.raises(ConfigError, match="expected two names"):
        question_of([QUICKSTART, QUICKSTART], [])


def test_a_grid_is_spread_out(tmp_path: Path) -> None:
    grid = "grid: {strategy.params.lookback_sessions: [21, 63], strategy.params.threshold: [0.0, 0.01]}\n"
    asked = question_of([write_study(tmp_path, grid)], [])
    assert tuple(asked.grid) == ("strategy.params.lookback_sessions", "strategy.params.threshold")
    assert list(asked.variants) == [f"lookback_sessions {n}, threshold {t:g}" for n in (21, 63) for t in (0.0, 0.01)]


def test_too_large_a_grid_is_refused(tmp_path: Path) -> None:
    grid = "grid: {strategy.params.lookback_sessions: {from: 1, to: 2001, step: 1}}\n"
    with pytest.raises(ConfigError, match="found 2,001 variants, expected at most 2,000"):
        question_of([write_study(tmp_path, grid)], [])


def test_a_study_stands_alone() -> None:
    with pytest.raises(ConfigError, match="is a study"):
        question_of([STUDY, QUICKSTART], [])


def test_a_long_list_is_named_by_its_length() -> None:
    assert joint_name(["a", "b"]) == "a-vs-b"
    assert joint_name(["a-rather-long-name"] * 4) == "4-configs"


def test_the_shipped_study_is_compared_and_its_verdict_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare_paths([STUDY], ["data.start=2018-01-02"], tmp_path, offline=True, as_json=False)
    told = capsys.readouterr().out
    first, _, headline, *_ = told.splitlines()
    assert first == "quickstart-study, 2018-01-02 to 2025-12-31, against QQQ (SIMULATED DATA)"
    assert headline.startswith(("Nothing", "Not", "Suggestive", "“"))
    for name in ("cuts-only", "momentum-only", "both-half-year", "50/50 mix"):
        assert f"  {name}" in told
    compare_paths([STUDY], ["data.start=2018-01-02"], tmp_path, offline=True, as_json=True)
    again = json.loads(capsys.readouterr().out)
    assert again["folder"] in told
    assert again["verdict"].startswith(headline)
    assert len(Ledger(default_ledger())) == again["trials"] == 5


def test_a_start_before_the_data_is_told_with_its_file(tmp_path: Path) -> None:
    study = tmp_path / "s.yaml"
    study.write_text(
        f"name: s\nbase: {QUICKSTART}\nvariants:\n  a: {{data: {{start: 1990-01-01}}}}\n",
        encoding="utf-8",
        newline="\n",
    )
    with pytest.raises(ConfigError, match=r"s\.yaml:\d+: data\.start: found 1990-01-01"):
        compare_paths([study], [], tmp_path, offline=True, as_json=False)


def test_a_mistake_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--set: data\.start: found 1990-01-01, before the first price"):
        compare_paths([STUDY], ["data.start=1990-01-01"], tmp_path / "results", offline=True, as_json=False)
    assert list(tmp_path.iterdir()) == []
