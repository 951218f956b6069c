"""The folder of all results: the index heals, writers at once and writers that are killed harm nothing."""

from __future__ import annotations

import multiprocessing
import os
import random
import select
import time
from pathlib import Path

import pytest
from made_up_results import result

from backtest.pages.index import PAGE, write_index
from backtest.pages.write import write_pages
from backtest.store.folder import Identity, Written, write
from backtest.store.manifest import finished
from backtest.store.provenance import Provenance

ABOUT = {"page": "report.html", "headline": "It was.", "is_simulated": False}


def written(root: Path, name: str, *, with_index: bool = True) -> Written:
    """A result as commands write it; without its index, as by a command that was killed in between."""
    hashes = dict.fromkeys(("question", "data", "code"), "0" * 64)
    files = {"report.html": "<!doctype html>\n" + "x" * 100_000, "table.csv": "a\n1\n"}
    maker = write_pages if with_index else write
    return maker(root, Identity("comparison", name, hashes), files, ABOUT, Provenance(command="made up"))


def test_a_rerun_lists_what_was_written_by_a_command_that_was_killed_before_the_index(tmp_path: Path) -> None:
    folder = written(tmp_path, "one", with_index=False).folder
    assert not (tmp_path / PAGE).exists()
    assert not written(tmp_path, "one").is_new
    assert f'href="{folder.name}/report.html"' in (tmp_path / PAGE).read_text(encoding="utf-8")
    other = written(tmp_path, "two", with_index=False).folder
    written(tmp_path, "one")
    assert f'href="{other.name}/report.html"' in (tmp_path / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", [b"", b"<html>half", b"\xff\xfe\x00"])
def test_a_rerun_writes_a_damaged_index_again(tmp_path: Path, damage: bytes) -> None:
    written(tmp_path, "one")
    right = (tmp_path / PAGE).read_bytes()
    (tmp_path / PAGE).write_bytes(damage)
    written(tmp_path, "one")
    assert (tmp_path / PAGE).read_bytes() == right


def test_an_index_that_is_right_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path, "one")
    before = (tmp_path / PAGE).stat().st_mtime_ns
    written(tmp_path, "one")
    assert (tmp_path / PAGE).stat().st_mtime_ns == before


def write_some(root: Path, names: list[str]) -> None:
    for name in names:
        written(root, name)


@pytest.mark.posix
def test_after_writers_at_the_same_time_the_index_lists_all(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    names = [[f"n{(k * 3 + j) % 9}" for j in range(6)] for k in range(4)]
    writers = [fork.Process(target=write_some, args=(tmp_path, some)) for some in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    found, damaged = finished(tmp_path)
    assert (len(found), damaged) == (9, [])
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert all(f'href="{stored.folder.name}/report.html"' in page for stored in found)


def write_until_killed(root: Path, attempt: int, report: int) -> None:
    os.write(report, b"begun\n")
    for number in range(10_000):
        written(root, f"k{attempt}-{number}")


def kill_writers(root: Path, times: int) -> None:
    fork, rng = multiprocessing.get_context("fork"), random.Random(5)
    for attempt in range(times):
        reading, writing = os.pipe()
        writer = fork.Process(target=write_until_killed, args=(root, attempt, writing))
        writer.start()
        os.close(writing)
        select.select([reading], [], [])
        time.sleep(rng.uniform(0.0, 0.2))
        writer.kill()
        writer.join()
        os.close(reading)
        found, damaged = finished(root)
        assert damaged == []
        for stored in found:
            sizes = {path.name: path.stat().st_size for path in stored.folder.iterdir()}
            assert {name: digest.bytes for name, digest in stored.manifest.files.items()}.items() <= sizes.items()
    written(root, "last")
    page = (root / PAGE).read_text(encoding="utf-8")
    assert all(f'href="{stored.folder.name}/report.html"' in page for stored in finished(root)[0])


@pytest.mark.posix
def test_a_kill_at_any_moment_leaves_whole_results_and_the_next_one_heals_the_index(tmp_path: Path) -> None:
    kill_writers(tmp_path, 12)


@pytest.mark.posix
@pytest.mark.slow
def test_two_hundred_kills_leave_whole_results(tmp_path: Path) -> None:
    kill_writers(tmp_path, 200)


def test_what_dead_commands_left_is_swept_after_a_day(tmp_path: Path) -> None:
    for name in (".tmp-old-1-a", ".tmp-new-1-a"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.html").write_text("half", encoding="utf-8", newline="\n")
    for name in (".tmp-old-1-a", ".tmp-old-1-a.html"):
        os.utime(tmp_path / name, (1, 1))
    result(tmp_path)
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".tmp")}
    assert left == {".tmp-new-1-a", ".tmp-new-1-a.html"}


@pytest.mark.posix
def test_a_link_to_the_same_answer_is_that_answer(tmp_path: Path) -> None:
    folder = written(tmp_path, "one").folder
    moved = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(moved)
    assert written(tmp_path, "one").state == "unchanged"


def test_the_index_is_of_the_folder_and_not_of_what_is_around_it(tmp_path: Path) -> None:
    written(tmp_path / "a", "one")
    assert "report.html" not in write_index(tmp_path).read_text(encoding="utf-8")
