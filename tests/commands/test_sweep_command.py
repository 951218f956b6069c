"""`backtest sweep`: the folder it leaves, what it prints."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from backtest.cli import main
from backtest.metrics import METRIC_KEYS

ROOT = Path(__file__).parents[2]
BASE = (ROOT / "configs" / "quickstart.yaml").read_text(encoding="utf-8").replace("2001-07-31", "2019-01-02")
STUDY = """
name: small-grid
base: base.yaml
benchmark: QQQ
grid:
  strategy.params.lookback_sessions: [21, 42, 63, 84]
  strategy.params.hold_sessions: {from: 63, to: 252, step: 63}
  strategy.params.threshold: [0.0, 0.03]
"""


def prepared(folder: Path, text: str = STUDY) -> Path:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def swept(path: Path, out: Path) -> Path:
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(path), "--out", str(out)])
    assert not end.value.code
    (folder,) = out.glob("small-grid-*")
    return folder


def test_a_sweep_leaves_a_table_a_page_and_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = swept(prepared(tmp_path), tmp_path / "results")
    said = capsys.readouterr().out
    assert "the same by backtrader" in said
    assert "SIMULATED DATA" in said
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "sweep.csv", "sweep.html", "sweep.json"}
    table = pd.read_csv(folder / "sweep.csv")
    assert len(table) == 32
    assert tuple(table.columns[3:]) == METRIC_KEYS
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["variants"], manifest["is_simulated"]) == ("sweep", 32, True)
    for name, known in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == known["sha256"]
    page = (folder / "sweep.html").read_text(encoding="utf-8")
    assert "Simulated data." in page
    assert len(page) < 15_000_000
    assert "https://" not in page.split("<script>")[0]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["index.html", folder.name, "trials.jsonl"]
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    assert swept(prepared(tmp_path), tmp_path / "results") == folder
    assert "unchanged" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"} == before


def test_a_config_is_no_study_to_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(tmp_path / "base.yaml"), "--out", str(tmp_path / "results")])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_the_shipped_studies_are_right() -> None:
    from backtest.config import load_study
    from strategies import REGISTRY

    sizes = {name: load_study(ROOT / "configs" / name, strategies=REGISTRY).size for name in SHIPPED}
    assert sizes == SHIPPED


SHIPPED = {"study_momentum_grid.yaml": 1000, "study_cut_grid.yaml": 1728}
