"""`backtest sweep`: the folder it leaves, what it prints."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from backtest.cli import main
from backtest.data.tables import EXACT
from backtest.metrics import metric_keys

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


FILES = {
    "base.yaml", "curves.csv", "manifest.json", "study.yaml", "sweep.csv", "sweep.html", "sweep.json", "trials.ledger",
}  # fmt: skip


def prepared(folder: Path, text: str = STUDY) -> Path:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def swept(path: Path, out: Path, *options: str) -> Path:
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(path), "--out", str(out), *options])
    assert not end.value.code
    (folder,) = out.glob("small-grid-*")
    return folder


def test_a_sweep_leaves_a_table_a_page_and_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = swept(prepared(tmp_path), tmp_path / "results")
    said = capsys.readouterr().out
    assert "the same by backtrader" in said
    assert "SIMULATED DATA" in said
    assert {path.name for path in folder.iterdir()} == FILES
    table = pd.read_csv(folder / "sweep.csv", **EXACT)
    assert len(table) == 32
    assert tuple(table.columns[3:]) == metric_keys(["growth", "small"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["variants"], manifest["is_simulated"]) == ("sweep", 32, True)
    for name, known in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == known["sha256"]
    page = (folder / "sweep.html").read_text(encoding="utf-8")
    assert "Simulated data." in page
    assert len(page) < 7_000_000
    assert "https://" not in page.split("<script>")[0]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        ".index.html.lock",
        "index.html",
        folder.name,
    ]
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    assert swept(prepared(tmp_path), tmp_path / "results") == folder
    assert "unchanged" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"} == before


def test_curves_are_those_of_the_finalists_and_of_points_asked_for(tmp_path: Path) -> None:
    folder = swept(prepared(tmp_path), tmp_path / "results", "--curve", "30", "--curve", "3")
    told = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    curves = pd.read_csv(folder / "curves.csv", **EXACT)
    points = {f"point_{each['point']}" for each in told["finalists"]} | {"point_3", "point_30"}
    assert set(curves.columns) == {"date", "benchmark_QQQ", "benchmark_IWM", "benchmark_static_mix_0.5"} | points
    finals = pd.read_csv(folder / "sweep.csv", **EXACT)["final_equity_usd"]
    for name in points:
        assert curves[name].iloc[-1] == finals[int(name.removeprefix("point_"))]
    assert len(curves) == told["period"]["sessions"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert told["period"] == manifest["period"]
    assert (told["period"]["start"], told["period"]["end"]) == (curves["date"].iloc[0], curves["date"].iloc[-1])
    plain = [path for path in (swept(prepared(tmp_path), tmp_path / "plain")).iterdir() if path.name == "sweep.csv"]
    assert plain[0].read_bytes() == (folder / "sweep.csv").read_bytes()
    assert plain[0].parent.name != folder.name


def test_a_curve_of_no_point_is_a_mistake_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(prepared(tmp_path)), "--out", str(tmp_path / "results"), "--curve", "32"])
    assert end.value.code == 2
    assert capsys.readouterr().err == "--curve 32: found no such point, expected one of 0 to 31\n"
    assert not (tmp_path / "results").exists()


def test_parquet_is_the_csv_with_its_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", exc_type=ImportError, reason="the extra [parquet] is not installed"
    )
    text = STUDY.replace("grid:", "grid:\n  strategy.params.combine: [all, any]\n  execution.slippage_bps: [0, 4.5]")
    folder = swept(prepared(tmp_path, text), tmp_path / "results", "--parquet")
    table, csv = (
        parquet.read_table(folder / "sweep.parquet"),
        pd.read_csv(folder / "sweep.csv", **EXACT),
    )
    assert table.column_names == list(csv.columns)
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert [types[name] for name in list(csv.columns)[:5]] == ["string", "double", "int64", "int64", "double"]
    assert (types["trades"], types["cagr"], types["longest_drawdown_sessions"]) == ("int64", "double", "int64")
    for name in csv.columns:
        own = table.column(name).to_pylist()
        assert [None if pd.isna(cell) else cell for cell in csv[name].tolist()] == own, name
    known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]["sweep.parquet"]
    before = (folder / "sweep.parquet").read_bytes()
    assert hashlib.sha256(before).hexdigest() == known["sha256"]
    assert swept(prepared(tmp_path, text), tmp_path / "results", "--parquet") == folder
    assert "unchanged" in capsys.readouterr().out
    (folder / "sweep.parquet").write_bytes(before[:-1])
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "results"), "--parquet"])
    assert end.value.code == 5
    assert "sweep.parquet: this run gave other bytes" in capsys.readouterr().err


def test_parquet_without_pyarrow_is_one_line_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(prepared(tmp_path)), "--out", str(tmp_path / "results"), "--parquet"])
    assert end.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "pip install -e '.[parquet]'" in said[0]
    assert not (tmp_path / "results").exists()


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
