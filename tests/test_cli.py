"""The command line as a user meets it: real processes, real files, exit codes and one line per mistake."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUICKSTART = ROOT / "configs" / "quickstart.yaml"


def command(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        encoding="utf-8",
    )


def tool(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = "from backtest.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        encoding="utf-8",
    )


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    root = tmp_path_factory.mktemp("results")
    own = tmp_path_factory.mktemp("ledger") / "trials.ledger"  # other modules' trials are no part of the question
    return root, command(QUICKSTART, "--out", root, BACKTEST_LEDGER=str(own))


def folder_of(root: Path) -> Path:
    (folder,) = (path for path in root.iterdir() if path.is_dir())
    return folder


def test_the_main_command_leaves_the_documented_folder_and_an_index(
    quickstart: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    root, done = quickstart
    assert done.returncode == 0, done.stderr
    folder = folder_of(root)
    assert folder.name.startswith("quickstart-")
    assert sorted(digests(folder)) == [
        "config.yaml", "decisions.csv", "equity.csv", "manifest.json", "metrics.json", "report.html", "trades.csv",
        "trials.ledger",
    ]  # fmt: skip
    assert f'href="{folder.name}/report.html"' in (root / "index.html").read_text(encoding="utf-8")
    assert "SIMULATED" in done.stdout
    assert str(folder / "report.html") in done.stdout


def test_every_file_is_the_one_that_the_manifest_names(
    quickstart: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder = folder_of(quickstart[0])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = digests(folder)
    found.pop("manifest.json")
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == found


def test_a_rerun_elsewhere_in_another_timezone_gives_the_same_bytes(
    quickstart: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = command(QUICKSTART, "--out", tmp_path / "r", cwd=tmp_path, TZ="Asia/Tokyo", PYTHONHASHSEED="7", LANG="C")
    assert done.returncode == 0, done.stderr
    first, second = digests(folder_of(quickstart[0])), digests(folder_of(tmp_path / "r"))
    first.pop("manifest.json")
    second.pop("manifest.json")
    assert first == second


def test_a_rerun_in_place_says_unchanged(quickstart: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    done = command(QUICKSTART, "--out", quickstart[0])
    assert done.returncode == 0
    assert "unchanged" in done.stdout


def test_the_resolved_config_runs_again_as_it_is(
    quickstart: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    resolved = folder_of(quickstart[0]) / "config.yaml"
    done = command(resolved, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert Path(answer["folder"]).name == folder_of(quickstart[0]).name


def test_a_result_changed_by_hand_stops_the_rerun_with_exit_code_5(tmp_path: Path) -> None:
    assert command(QUICKSTART, "--out", tmp_path).returncode == 0
    equity = folder_of(tmp_path) / "equity.csv"
    equity.write_text(equity.read_text(encoding="utf-8").replace("2001", "2002", 1), encoding="utf-8", newline="\n")
    done = command(QUICKSTART, "--out", tmp_path)
    assert done.returncode == 5
    assert "equity.csv" in done.stderr
    assert "Traceback" not in done.stderr


TEN_MISTAKES = """\
name: ../escape
data:
  prices: {source: sampel}
  start: 2025-13-01
  end: soon
legs:
  growth: {QQQ: 0.7, IVW: 0.5}
strategy:
  name: rate_cuts
  params: {hold_session: 252}
execution:
  commission_bps: -1
  slippage_bps: .nan
  shares: half
  rebalance: NO
benchmark: [QQQ]
"""


def test_a_config_with_ten_mistakes_and_more_names_each_with_its_line_and_creates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(TEN_MISTAKES, encoding="utf-8", newline="\n")
    done = command("bad.yaml", cwd=tmp_path)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert all(line.startswith("bad.yaml:") for line in lines)
    named = {int(line.split(":")[1]) for line in lines}
    assert named >= {1, 3, 4, 5, 7, 9, 10, 12, 13, 14, 15, 16}
    assert sorted(os.listdir(tmp_path)) == ["bad.yaml"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["no-such.yaml"], 2, "no-such.yaml"),
        (["configs/quickstart.yaml", "--set", "strategy.params.hold_sesions=10"], 2, "hold_sessions"),
        (["configs/quickstart.yaml", "--set", "data.start=1990-01-02"], 2, "start"),
        (["configs/quickstart.yaml", "--no-such-option"], 2, "no-such-option"),
        (["configs/rate_cut.yaml", "--offline"], 4, "offline"),
        ([], 2, "CONFIG"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = command(*arguments, "--out", tmp_path / "r")
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


def test_list_names_every_strategy_with_its_parameters(tmp_path: Path) -> None:
    done = tool("list", "--json")
    assert done.returncode == 0, done.stderr
    listing = json.loads(done.stdout)
    assert [s["name"] for s in listing["strategies"]] == [
        "rate_cut",
        "relative_momentum",
        "rate_cut_momentum",
        "static_mix",
        "rules",
        "rank",
        "parts",
    ]
    assert all(p["description"] for s in listing["strategies"] for p in s["parameters"])
    assert not [c for c in listing["configs"] if c["about"].startswith("not right")]


def test_check_says_that_every_shipped_config_is_right() -> None:
    done = tool("check", *sorted((ROOT / "configs").glob("*.yaml")))
    assert done.returncode == 0, done.stderr


def test_check_prints_a_json_schema_that_names_every_strategy() -> None:
    done = tool("check", "--schema")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("rate_cut", "relative_momentum", "static_mix", "hold_sessions"))
    json.loads(done.stdout)


def test_audit_of_the_quickstart_finds_no_look_ahead() -> None:
    done = tool("audit", "configs/quickstart.yaml")
    assert done.returncode == 0, done.stderr
