"""`backtest verify` of comparisons, sweeps and walks: the question is in the folder, and its tables come out again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backtest.commands.search import compare_paths, sweep_path, walk_path
from backtest.commands.verify import verify_result
from backtest.config import load_study, study_question
from backtest.errors import BacktestError, ConfigError, ResultDiffers
from strategies import REGISTRY

BASE = """
name: small
data: {prices: {source: sample}, start: 2004-06-01, end: 2009-12-31, tbill: irx}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
"""
STUDY = """
name: a-study
base: base.yaml
benchmark: IWM
grid:
  strategy.params.lookback_sessions: {from: 5, to: 20, step: 5}
  strategy.params.threshold: {from: 0.001, to: 0.03, count: 2, scale: log}
sample: {count: 7, seed: 3}
walk_forward: {train_years: 2}
"""
CONFIGS = {"one": "", "two": "benchmarks: [IWM, {static_mix: 0.5}]\n"}


def study(folder: Path) -> Path:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8", newline="\n")
    return folder / "study.yaml"


def compared(folder: Path) -> None:
    paths = []
    for name, more in CONFIGS.items():
        paths.append(folder / f"{name}.yaml")
        lookback = BASE.replace("lookback_sessions: 21", f"lookback_sessions: {len(more) + 9}")
        paths[-1].write_text(lookback.replace("name: small", f"name: {name}") + more, encoding="utf-8", newline="\n")
    compare_paths(paths, [], folder / "results", offline=True, as_json=False)


def swept(folder: Path) -> None:
    sweep_path(study(folder), [], folder / "results", curves=[], parquet=False, offline=True, as_json=False)


def walked(folder: Path) -> None:
    path = study(folder)
    path.write_text(STUDY.replace("sample: {count: 7, seed: 3}\n", ""), encoding="utf-8", newline="\n")
    walk_path(path, [], folder / "results", offline=True, as_json=False)


@pytest.fixture(scope="module", params=[compared, swept, walked], ids=["comparison", "sweep", "walk-forward"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    make: Callable[[Path], None] = request.param
    make(folder)
    (found,) = (path.parent for path in (folder / "results").glob("*/manifest.json"))
    return found


def table_of(folder: Path) -> Path:
    names = ("comparison.csv", "sweep.csv", "windows.csv")
    return next(folder / name for name in names if (folder / name).is_file())


def test_an_untouched_study_still_comes_out(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify_result(written, offline=True, as_json=True)
    finding = json.loads(capsys.readouterr().out)
    assert finding["changed"] == finding["last_bits"] == finding["damaged"] == []
    assert finding["apart"] == {}
    verify_result(written, offline=True, as_json=False)
    assert "the answer is the same to the last bit" in capsys.readouterr().out


def test_another_figure_is_another_answer_and_its_place_is_told(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, manifest = table_of(written), written / "manifest.json"
    before = table.read_bytes(), manifest.read_bytes()
    lines = table.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    place = next(i for i, cell in enumerate(cells) if "." in cell)
    cells[place] = "9.25"
    lines[1] = ",".join(cells)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["files"][table.name]["sha256"] = hashlib.sha256(table.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content), encoding="utf-8", newline="\n")
    try:
        with pytest.raises(ResultDiffers, match="another answer"):
            verify_result(written, offline=True, as_json=False)
    finally:
        table.write_bytes(before[0])
        manifest.write_bytes(before[1])
    assert f"another {table.name} now: line 2, {lines[0].split(',')[place]}: 9.25 then" in capsys.readouterr().out


def test_a_table_changed_by_hand_is_told(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = table_of(written)
    before = table.read_bytes()
    table.write_bytes(before + b"\n")
    try:
        with pytest.raises(ResultDiffers, match="changed by hand"):
            verify_result(written, offline=True, as_json=False)
    finally:
        table.write_bytes(before)
    assert f"{table.name} is not the file that was written" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff", b'{"variants": [], "benchmark": 7}'])
def test_a_question_that_is_missing_or_damaged_is_one_line(written: Path, content: bytes | None) -> None:
    path = next(written / name for name in ("variants.json", "study.yaml") if (written / name).is_file())
    before = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    try:
        with pytest.raises(BacktestError, match=path.name) as caught:
            verify_result(written, offline=True, as_json=False)
    finally:
        path.write_bytes(before)
    assert isinstance(caught.value, ConfigError) or content is not None


def test_the_study_in_the_folder_is_the_question_that_was_asked(tmp_path: Path) -> None:
    asked = load_study(study(tmp_path), strategies=REGISTRY)
    swept(tmp_path)
    (folder,) = (path.parent for path in (tmp_path / "results").glob("*/manifest.json"))
    kept = load_study(folder / "study.yaml", strategies=REGISTRY)
    assert study_question(kept) == study_question(asked)
    assert kept.walk_forward == asked.walk_forward
    assert list(kept.grid_points()) == list(asked.grid_points())
