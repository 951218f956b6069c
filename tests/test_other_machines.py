"""The four commands where other people work: other processors, Windows, containers, consoles of another age.

Each world is one process that runs `run`, `compare`, `sweep` and `walk-forward` on the smallest study there is, so that
what it needs is there from the first import on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.account.kernel import machine_code, simulate
from backtest.store.sameness import is_unchanged

ROOT = Path(__file__).parents[1]

BASE = """name: base
data: {prices: {source: sample}, start: 2014-01-02, end: 2019-12-31, tbill: irx}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
"""
STUDY = """name: smallest
base: base.yaml
benchmark: QQQ
grid:
  strategy.params.lookback_sessions: [21, 63, 126]
  strategy.params.threshold: [0.0, 0.02]
walk_forward: {train_years: 2, test_years: 1, select: information_ratio}
"""

COMMANDS = """
import sys
from backtest.cli import main
out = ["--out", "results", "--offline"]
for name in ("run base", "compare study", "sweep study", "walk-forward study"):
    command = f"{name}.yaml".split()
    try:
        main([*command, *out])
    except SystemExit as end:
        if end.code:
            print("FAILED", command, end.code, file=sys.stderr)
            raise
"""

READ_ONLY = """
import numba.core.caching as caching
def refuse(locator):
    raise OSError(30, "Read-only file system", locator.get_cache_path())
caching._CacheLocator.ensure_cache_path = refuse
"""
"""As root, whom no permission stops: what numba does before it caches, as on a read-only file system."""

WINDOWS = """
import os, signal, sys
import subprocess, multiprocessing.context  # these choose their ways by what there is, and need it here
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "pread", "pwrite", "O_DIRECTORY", "O_NOFOLLOW", "getuid", "sched_getaffinity"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGCHLD", "SIGUSR1", "pthread_sigmask", "sigwait"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def answered(folder: Path, before: str = "", **environment: str) -> list[str]:
    """What the four commands end with, in a folder of their own: the last line of each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("base.yaml", BASE), ("study.yaml", STUDY)):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    done = subprocess.run(
        [sys.executable, "-c", before + COMMANDS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BACKTEST_LEDGER": str(folder / "trials"), **environment},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    ends = [line.strip() for line in done.stdout.splitlines() if ".html" in line]
    assert len(ends) == 4, done.stdout
    return ends


def states(ends: list[str]) -> set[str]:
    return {end.partition(" in ")[0] for end in ends}


PROCESSORS = [
    {"OPENBLAS_CORETYPE": "SkylakeX"},
    pytest.param({"OPENBLAS_CORETYPE": "Zen"}, marks=pytest.mark.slow),
    pytest.param({"NUMBA_CPU_NAME": "generic"}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda given: next(iter(given.values())))
def test_another_processor_gives_the_same_folders_with_the_same_figures(
    tmp_path: Path, processor: dict[str, str]
) -> None:
    """Equal bytes are promised on one processor; on another what a rerun finds is the same answer, within 1e-9.

    Each pass has a ledger of its own: with other trials known it would be another question.
    """
    passes = {"one": {"OPENBLAS_CORETYPE": "Haswell"}, "other": {"OPENBLAS_CORETYPE": "Haswell", **processor}}
    for name, environment in passes.items():
        assert states(answered(tmp_path / name, **environment)) == {"written"}
    one, other = (sorted((tmp_path / name / "results").glob("*-*/")) for name in passes)
    assert len(one) == 4
    assert [folder.name for folder in one] == [folder.name for folder in other]
    for mine, theirs in zip(one, other, strict=True):
        is_unchanged(mine, {path.name: path.read_bytes() for path in theirs.iterdir()})  # raises when it is not


def test_nothing_that_windows_lacks_is_needed(tmp_path: Path) -> None:
    place = tmp_path / "Meine Dateien" / "Übung & Größe"
    assert states(answered(place, WINDOWS, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")) == {"written"}


def test_a_console_that_knows_ascii_alone_gets_the_pages_too(tmp_path: Path) -> None:
    ascii_alone = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert states(answered(tmp_path / "a b", **ascii_alone)) == {"written"}


def test_code_that_cannot_be_kept_on_disk_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(locator: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("numba.core.caching._CacheLocator.ensure_cache_path", refuse)
    assert callable(machine_code(simulate))


@pytest.mark.slow
def test_a_read_only_installation_and_home_cost_nothing_but_the_cache(tmp_path: Path) -> None:
    nowhere = {"HOME": os.devnull, "XDG_CACHE_HOME": f"{os.devnull}/x", "XDG_DATA_HOME": f"{os.devnull}/x"}
    assert states(answered(tmp_path, READ_ONLY, PYTHONDONTWRITEBYTECODE="1", **nowhere)) == {"written"}


@pytest.mark.parametrize("command", [["list"], ["check", "base.yaml"]], ids=lambda given: given[0])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_output_is_one_line(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
    with open("/dev/full", "w", encoding="utf-8", newline="\n") as full:
        done = subprocess.run(
            [sys.executable, "-m", "backtest", *command],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE,
            encoding="utf-8", check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (6, "standard output: No space left on device\n")
