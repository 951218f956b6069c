"""`backtest verify`: everything a result says is compared, not the strategy's curve alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from backtest.commands.run import run_configs
from backtest.commands.verify import verify_result
from backtest.errors import ResultDiffers

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run_configs([QUICKSTART], ["data.start=2020-01-02"], tmp_path, offline=True, as_json=False)
    (found,) = tmp_path.glob("quickstart-*")
    return found


def test_an_untouched_result_still_comes_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify_result(folder, offline=True, as_json=False)
    assert "the same to the last bit" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["equity.csv", "decisions.csv", "trades.csv"])
def test_a_missing_file_is_told_as_missing(folder: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / file).unlink()
    with pytest.raises(ResultDiffers):
        verify_result(folder, offline=True, as_json=False)
    said = capsys.readouterr().out
    assert f"{file} is missing" in said
    assert "same to the last bit" not in said


def test_another_benchmark_alone_is_another_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "equity.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[-1].split(",")
    lines[-1] = ",".join([*cells[:-1], "1.0"])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    manifest = json.loads(
        (folder / "manifest.json").read_text(encoding="utf-8")
    )  # as written: another answer, no damaged file
    manifest["files"]["equity.csv"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8", newline="\n")
    with pytest.raises(ResultDiffers):
        verify_result(folder, offline=True, as_json=False)
    said = capsys.readouterr().out
    assert "another equity.csv now: line " in said
    assert "strategy's equity curve differs" not in said
