"""What a user meets beside the main job: options alike on all commands, honest checks, messages for likely mistakes."""

from __future__ import annotations

import importlib
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import backtest
from backtest import cli
from backtest.account.kernel import is_kept
from backtest.commands.common import compiling

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
STUDY = ROOT / "configs" / "study_quickstart.yaml"

FAILING = """
import numpy as np

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision


class Failing(RotationStrategy):
    \"\"\"Divides by nothing.\"\"\"

    class Params(StrategyParams):
        pass

    @staticmethod
    def decide(market, legs, p):
        return 1 / 0
"""


def answer(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(list(map(str, arguments)))
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out, captured.err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "--version")
    assert (code, out.split(",")[0]) == (0, f"backtest {backtest.__version__}")


WRITES_RESULTS = ("run", "compare", "sweep", "walk-forward", "events")
READS_A_MARKET = (*WRITES_RESULTS, "check", "audit", "signal", "why", "surges", "cycles")


def test_options_are_alike_on_every_command_that_can_use_them() -> None:
    given = {
        command.name or (command.callback.__name__ if command.callback else ""): inspect.signature(
            command.callback  # type: ignore[arg-type]
        ).parameters
        for command in cli.app.registered_commands
    }
    for name in READS_A_MARKET:
        assert {"overrides", "offline", "cache", "as_json"} <= given[name].keys(), name
    for name in WRITES_RESULTS:
        assert "out" in given[name], name
    assert {"offline", "cache", "as_json"} <= given["verify"].keys()


def test_results_cannot_go_where_a_file_is_and_nothing_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results"
    file.write_text("mine", encoding="utf-8", newline="\n")
    for command in WRITES_RESULTS:
        code, out, err = answer(capsys, command, QUICKSTART, "--out", file)
        assert (code, out, err) == (6, "", f"--out: {file} is a file, expected a folder\n")
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", ["sweep", "walk-forward"])
def test_a_command_for_grids_names_the_command_for_what_it_was_given(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = answer(capsys, command, QUICKSTART, "--out", tmp_path / "r")
    assert code == 2
    assert err.endswith(f"for one config: backtest run {QUICKSTART}\n")
    variants = tmp_path / "variants.yaml"
    variants.write_text(f"name: v\nbase: {QUICKSTART}\nvariants: {{a: {{}}}}\n", encoding="utf-8", newline="\n")
    code, _, err = answer(capsys, command, variants, "--out", tmp_path / "r")
    assert code == 2
    assert err.endswith(f"backtest compare {variants}\n")
    assert not (tmp_path / "r").exists()


def test_check_asks_the_strategy_too_and_says_what_it_cannot_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = answer(capsys, "check", QUICKSTART, STUDY, ROOT / "configs" / "rate_cut.yaml", "--json")
    documents = json.loads(out)
    assert code == 0
    assert [each["ok"] for each in documents] == [True, True, True]
    assert documents[0]["about"].startswith("right; 6,")
    assert documents[2]["about"].startswith("the config is right; yahoo data, and what the strategy makes of them")


def own_folder(folder: Path, source: str, registry: str) -> Path:
    """A folder outside the clone with a strategy of one's own and a config that asks for it."""
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "own.py").write_text(source, encoding="utf-8", newline="\n")
    (folder / "strategies" / "__init__.py").write_text(registry, encoding="utf-8", newline="\n")
    config = QUICKSTART.read_text(encoding="utf-8").partition("strategy:")[0]
    config += "strategy: {name: own}\nexecution: {commission_bps: 1, slippage_bps: 4}\n"
    (folder / "own.yaml").write_text(config, encoding="utf-8", newline="\n")
    return folder


def process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from backtest.cli import main; main()", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_strategies_of_the_current_folder_are_used_and_check_runs_their_decide(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, FAILING, "from strategies.own import Failing\n\nREGISTRY = {'own': Failing}\n")
    assert process(folder, "list").stdout.startswith("own: Divides by nothing.")
    done = process(folder, "check", "own.yaml")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "strategies/own.py:16: own failed: ZeroDivisionError: division by zero\n"


@pytest.mark.parametrize(
    ("source", "registry", "said"),
    [
        ("def", "from strategies.own import Failing", "own.py:1: "),
        (
            FAILING,
            "import strategies.missing",
            "__init__.py:1: ModuleNotFoundError: ",
        ),
        (FAILING, "", "REGISTRY: found None, expected a dict from names to classes"),
        (FAILING, "REGISTRY = {'own': 3}", "REGISTRY: found {'own': 3}, expected a dict from names to classes"),
    ],
)
def test_a_folder_of_strategies_that_cannot_be_used_is_one_line(
    tmp_path: Path, source: str, registry: str, said: str
) -> None:
    done = process(own_folder(tmp_path, source, registry), "list")
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_fedwatch_draws_the_chart_of_a_day_beside_the_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "chart.html"
    cli.app(["fedwatch", "2024-07-16", "--score", "--chart", str(chart)], standalone_mode=False)
    assert "Brier" in capsys.readouterr().out
    assert chart.stat().st_size > 100_000


def test_without_a_network_there_is_one_line_that_says_what_works_without(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    config = str(ROOT / "configs" / "static_mix.yaml")
    done = process(tmp_path, "run", config, "--cache", "cache", **nowhere)
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 1
    assert "curl.se" not in done.stderr
    assert "; try again later; without a network: " in done.stderr
    assert "--offline" in done.stderr
    assert not (tmp_path / "results").exists()


def test_what_one_reason_kept_from_being_read_is_one_line() -> None:
    down = "Yahoo did not answer properly (asked {}: no route); try again later"
    lines = [f"IVW: {down.format('3 times')}", f"QQQ: {down.format('once')}", f"^IRX: {down.format('once')}"]
    (line,) = cli.without_network(lines)
    assert line.startswith(f"IVW, QQQ and ^IRX: {down.format('3 times')}; without a network: ")
    two = cli.without_network([lines[0], "FRED DGS10: FRED answered with a page"])
    assert [each.partition(": ")[0] for each in two] == ["IVW", "FRED DGS10"]
    assert cli.without_network(lines[:1])[0].startswith("IVW: Yahoo did not answer properly (asked 3 times: no route)")


def test_the_main_script_and_the_command_leave_the_same_folder(tmp_path: Path) -> None:
    shutil.copy(QUICKSTART, tmp_path / "c.yaml")
    by_script = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), "c.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert "written in" in by_script.stdout, by_script.stderr
    assert "unchanged in" in process(tmp_path, "run", "c.yaml").stdout


def test_machine_code_that_must_be_made_first_is_known_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.py").write_text(
        "from numba import njit\n\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n",
        encoding="utf-8",
        newline="\n",
    )
    monkeypatch.syspath_prepend(tmp_path)
    twice = importlib.import_module("small").twice
    assert not is_kept(twice)
    monkeypatch.setattr("backtest.study.sweep_engine.runner", lambda: twice)
    assert compiling() == ": compiling, once on this machine, about half a minute"
    assert twice(2) == 4
    assert is_kept(twice)
    assert compiling() == ""
