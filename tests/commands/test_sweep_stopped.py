"""A sweep that is stopped, in whatever way, loses nothing and leaves nobody behind; the next one ends with the same."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from work import wait_until

from backtest.cli import main
from backtest.store.ledger import Ledger, default_ledger
from backtest.study.chunks import ChunkStore

pytestmark = pytest.mark.posix

ROOT = Path(__file__).parents[2]
BASE = (ROOT / "configs" / "quickstart.yaml").read_text(encoding="utf-8").replace("2001-07-31", "2019-01-02")
STUDY = """
name: stopped
base: base.yaml
benchmark: QQQ
grid:
  strategy.params.lookback_sessions: {lookbacks}
  strategy.params.hold_sessions: {from: 63, to: 252, step: 63}
  strategy.params.threshold: {thresholds}
"""
SMALL = STUDY.replace("{lookbacks}", "[21, 42, 63, 84]").replace("{thresholds}", "[0.0, 0.03]")
LARGE = STUDY.replace("{lookbacks}", "{from: 5, to: 250, step: 5}").replace(
    "{thresholds}", "{from: 0.0, to: 0.2, count: 60}"
)

UNHURRIED = """
import time
from backtest.study import sweep
from backtest.study.chunks import ChunkStore
sweep.CHUNK, write = 4, ChunkStore.write
def write_and_wait(store, rows):
    write(store, rows)
    time.sleep(0.2)
ChunkStore.write = write_and_wait
"""
"""Small chunks with time between them, so that a signal meets the middle."""


def prepared(folder: Path, text: str = SMALL) -> Path:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def started(path: Path, out: Path, before: str = "", command: str = "sweep") -> subprocess.Popen[str]:
    """A search in a process group of its own, that hears of Ctrl-C even where the tests run in the background."""
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{before}\n"
    code += f"from backtest.cli import main\nmain([{command!r}, {str(path)!r}, '--out', {str(out)!r}])"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run_here(path: Path, out: Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(path), "--out", str(out)])
    return int(end.value.code or 0)


def table_of(out: Path) -> bytes:
    return next(out.glob("stopped-*/sweep.csv")).read_bytes()


def chunks_of(out: Path) -> list[Path]:
    return sorted(out.glob(".sweep-*/[0-9]*-*"))


def temporary_files(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if path.name.startswith(("tmp-", ".tmp-"))]


def alive(group: int) -> bool:
    """Is anybody of a process group still there?"""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


def assert_nobody_is_left(group: int) -> None:
    wait_until(lambda: not alive(group), tries=100)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of a sweep that nobody disturbs."""
    folder = tmp_path_factory.mktemp("calm")
    assert run_here(prepared(folder), folder / "results") == 0
    return table_of(folder / "results")


@pytest.mark.parametrize("name", ["SIGTERM", pytest.param("SIGINT", marks=pytest.mark.slow), "SIGKILL"])
def test_a_sweep_stopped_midway_goes_on_and_comes_to_the_same(tmp_path: Path, calm: bytes, name: str) -> None:
    how = signal.Signals[name]
    path, out = prepared(tmp_path), tmp_path / "results"
    process = started(path, out, UNHURRIED)
    wait_until(lambda: len(chunks_of(out)) >= 2 or process.poll() is not None)
    process.send_signal(how)
    _, said = process.communicate(timeout=20)
    assert_nobody_is_left(process.pid)
    kept = chunks_of(out)
    assert 2 <= len(kept) < 8
    if how == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert said == "interrupted: nothing was written that is not whole\n"
        assert not temporary_files(out)
    times = [each.stat().st_mtime_ns for each in kept]
    tried = Ledger(default_ledger())
    assert 4 * len(kept) <= sum(record.trials for record in tried.records) <= 4 * len(kept) + 4
    again = started(path, out, UNHURRIED + "ChunkStore.remove = lambda store: None")
    assert again.wait(timeout=60) == 0
    assert again.stderr is not None
    again.stderr.close()
    assert table_of(out) == calm
    assert [each.stat().st_mtime_ns for each in kept] == times  # not written again
    assert len(chunks_of(out)) == 8
    assert len(Ledger(default_ledger())) >= len(tried)


UNHURRIED_COMPARISON = """
import time
from backtest.store.ledger import Ledger
from backtest.study import compare
compare.REMEMBERED_TOGETHER, record = 4, Ledger.record
def record_and_wait(ledger, batch):
    found = record(ledger, batch)
    time.sleep(0.2)
    return found
Ledger.record = record_and_wait
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "sweep", "walk-forward"])
def test_what_a_killed_search_has_finished_was_tried(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ledger = prepared(tmp_path), default_ledger()
    before = UNHURRIED_COMPARISON if command == "compare" else UNHURRIED
    process = started(path, tmp_path / "rough", before, command)
    wait_until(lambda: (ledger.exists() and len(Ledger(ledger)) >= 8) or process.poll() is not None)
    process.kill()
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    assert not list((tmp_path / "rough").glob("stopped-*"))
    stopped = Ledger(ledger)
    known = len(stopped)
    assert 8 <= known < 32
    assert stopped.damaged == []
    again = started(path, tmp_path / "rough", "", command)
    again.communicate(timeout=300)
    assert again.returncode == 0
    own = 1 if command == "walk-forward" else 0  # the account that follows the choices
    assert len(Ledger(ledger)) - own > known
    monkeypatch.setenv("BACKTEST_LEDGER", str(tmp_path / "calm.ledger"))
    calm = started(path, tmp_path / "calm", "", command)
    calm.communicate(timeout=300)
    assert len(Ledger(tmp_path / "calm.ledger")) == len(Ledger(ledger))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_twenty_random_moments(tmp_path: Path, name: str) -> None:
    how = signal.Signals[name]
    path = prepared(tmp_path, LARGE)
    started(path, tmp_path / "cold").communicate(timeout=300)  # may compile, which the others need not
    _, said = started(path, tmp_path / "calm").communicate(timeout=300)
    assert said == ""
    kept, codes, rng = [], [], np.random.default_rng(4)
    for more in rng.integers(0, 3, 20).tolist():
        enough = len(chunks_of(tmp_path / "rough")) + more
        process = started(path, tmp_path / "rough")
        wait_until(lambda: len(chunks_of(tmp_path / "rough")) >= enough or process.poll() is not None)  # noqa: B023
        time.sleep(rng.uniform(0.0, 1.0))
        process.send_signal(how)
        process.communicate(timeout=20)
        codes.append(process.returncode)
        assert_nobody_is_left(process.pid)
        kept.append(len(chunks_of(tmp_path / "rough")))
        if how != signal.SIGKILL:
            assert not temporary_files(tmp_path / "rough")
    assert set(codes) <= {-how, 130, 0}
    started(path, tmp_path / "rough").communicate(timeout=300)
    assert table_of(tmp_path / "rough") == table_of(tmp_path / "calm")
    assert max(kept) > 0, "no kill hit the middle: nothing was tested"
    assert not list((tmp_path / "rough").glob(".sweep-*"))


def test_a_full_disk_is_one_line_and_what_was_finished_is_used(
    tmp_path: Path, calm: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = prepared(tmp_path), tmp_path / "results"
    monkeypatch.setattr("backtest.study.sweep.CHUNK", 8)
    write, written = Path.write_bytes, []

    def fill(place: Path, body: bytes) -> int:
        if len(written) == 2:
            write(place, body[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
        written.append(place)
        return write(place, body)

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert run_here(path, out) == 6
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("/16-24: No space left on device: the sweep stopped")
    assert [each.name for each in chunks_of(out)] == ["0-8", "8-16"]
    assert not temporary_files(out)
    monkeypatch.setattr(Path, "write_bytes", write)
    stored: list[int] = []
    keep = ChunkStore.write
    monkeypatch.setattr(ChunkStore, "write", lambda store, rows: stored.append(rows.start) or keep(store, rows))
    assert run_here(path, out) == 0
    assert stored == [16, 24]
    assert table_of(out) == calm


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = prepared(tmp_path), tmp_path / "results"
    out.write_text("a file", encoding="utf-8", newline="\n")
    assert run_here(path, out) == 6
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"--out: {out} is a file, expected a folder"
    assert out.read_text(encoding="utf-8") == "a file"


def test_a_lack_of_memory_is_one_line_and_what_was_finished_is_used(
    tmp_path: Path, calm: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = prepared(tmp_path), tmp_path / "results"
    keep = ChunkStore.write

    def exhaust(store: ChunkStore, rows: object) -> None:
        if chunks_of(out):
            raise MemoryError
        keep(store, rows)  # type: ignore[arg-type]

    monkeypatch.setattr("backtest.study.sweep.CHUNK", 8)
    monkeypatch.setattr(ChunkStore, "write", exhaust)
    assert run_here(path, out) == 5
    assert capsys.readouterr().err == "not enough memory: nothing was written that is not whole\n"
    monkeypatch.setattr(ChunkStore, "write", keep)
    assert run_here(path, out) == 0
    assert table_of(out) == calm


LIMITED = """
import resource
from pathlib import Path
from backtest.study import sweep, sweep_engine
sweep.CHUNK = 4
before = sweep.run_chunks
def within_a_limit(*arguments):
    sweep_engine.runner()
    for rows in before(*arguments):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
        yield rows
sweep.run_chunks = within_a_limit
"""
"""No more memory than there is when the first chunk is finished."""


@pytest.mark.slow
def test_under_a_limit_of_memory_no_point_is_shown_without_figures(tmp_path: Path, calm: bytes) -> None:
    path, out = prepared(tmp_path), tmp_path / "results"
    process = started(path, out, LIMITED)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 5, said
    (line,) = said.splitlines()
    assert "MemoryError" in line
    assert line.endswith("the sweep stopped, what is finished is kept")
    assert chunks_of(out)
    assert run_here(path, out) == 0
    assert table_of(out) == calm
