"""The result folder: whole or not at all, never replaced, compared on a rerun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from backtest.errors import ResultDiffers, WriteError
from backtest.store.folder import replace_file, write_folder
from backtest.store.manifest import MANIFEST
from backtest.store.tables import json_text

FILES = {"a.csv": "x\n1\n", MANIFEST: json_text({"name": "n", "run": {"finished": "now"}})}


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if not path.name.startswith("."))


def test_a_new_folder_holds_exactly_the_files_given(tmp_path: Path) -> None:
    written = write_folder(tmp_path / "results", "run-1", FILES)
    assert written.is_new
    assert {path.name: path.read_text(encoding="utf-8") for path in written.folder.iterdir()} == FILES
    assert os.listdir(tmp_path / "results") == ["run-1"]


def test_the_same_answer_leaves_the_folder_untouched(tmp_path: Path) -> None:
    first = write_folder(tmp_path, "run-1", FILES)
    before = (first.folder / "a.csv").stat().st_mtime_ns
    again = {**FILES, MANIFEST: json_text({"name": "n", "run": {"finished": "later"}})}
    second = write_folder(tmp_path, "run-1", again)
    assert not second.is_new
    assert (first.folder / "a.csv").stat().st_mtime_ns == before
    assert json.loads((first.folder / MANIFEST).read_text(encoding="utf-8"))["run"] == {"finished": "now"}


@pytest.mark.parametrize("change", [{"a.csv": "x\n2\n"}, {MANIFEST: json_text({"name": "other"})}])
def test_another_answer_is_an_error_that_names_the_file_and_replaces_nothing(
    tmp_path: Path, change: dict[str, str]
) -> None:
    folder = write_folder(tmp_path, "run-1", FILES).folder
    with pytest.raises(ResultDiffers, match=next(iter(change))):
        write_folder(tmp_path, "run-1", {**FILES, **change})
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == FILES


def test_a_file_that_went_missing_is_an_error(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "run-1", FILES).folder
    (folder / "a.csv").unlink()
    with pytest.raises(ResultDiffers, match=r"a\.csv: missing"):
        write_folder(tmp_path, "run-1", FILES)


def test_the_place_of_the_data_on_this_machine_is_not_compared(tmp_path: Path) -> None:
    def files(place: str) -> dict[str, str]:
        manifest = {"sources": [{"name": "QQQ", "location": place}], "files": {"config.yaml": {"sha256": place}}}
        config = f"data:\n  prices: {{source: csv, folder: {place}}}\n"
        return {"config.yaml": config, MANIFEST: json_text(manifest)}

    write_folder(tmp_path, "run-1", files("/here"))
    assert not write_folder(tmp_path, "run-1", files("/there")).is_new


def test_a_file_where_the_results_should_be_is_a_write_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine", encoding="utf-8", newline="\n")
    with pytest.raises(WriteError, match="results"):
        write_folder(tmp_path / "results", "run-1", FILES)
    assert (tmp_path / "results").read_text(encoding="utf-8") == "mine"


def test_a_disk_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail_second(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail_second)
    with pytest.raises(WriteError, match="No space left"):
        write_folder(tmp_path, "run-1", FILES)
    assert os.listdir(tmp_path) == []


def test_of_eight_writers_at_once_one_wins_and_all_agree(tmp_path: Path) -> None:
    outcomes: list[bool] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(write_folder(tmp_path, "run-1", FILES).is_new))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]
    assert os.listdir(tmp_path) == ["run-1"]


KILLED_WRITER = """
import sys
from pathlib import Path
from backtest.store.folder import write_folder
print("ready", flush=True)
for i in range(1000):
    write_folder(Path(sys.argv[1]), f"run-{i}", {f"{n}.csv": "1\\n" * 20_000 for n in range(6)})
"""


@pytest.mark.parametrize("count", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_leaves_no_half_written_folder(tmp_path: Path, count: int) -> None:
    for kill in range(count):
        root = tmp_path / str(kill)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED_WRITER, str(root)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.001 + 0.05 * (kill % 17) / 17)
        process.kill()
        process.wait()
        process.stdout.close()
        for name in visible(root) if root.exists() else []:
            sizes = {path.stat().st_size for path in (root / name).iterdir()}
            assert len(list((root / name).iterdir())) == 6
            assert sizes == {40_000}


def test_replacing_a_file_shows_the_old_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    replace_file(path, "one")
    replace_file(path, "two")
    assert path.read_text(encoding="utf-8") == "two"
    assert os.listdir(tmp_path) == ["index.html"]
