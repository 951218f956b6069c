"""The store of snapshots: whole or not at all, every byte checked, any number of processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame
from work import wait_until

from backtest.data.store import Store, default_cache, packed, unpacked
from backtest.errors import WriteError

ABOUT = {"location": "here", "fetched_at": "2025-01-02T12:00:00Z", "whole_at": "2025-01-02T12:00:00Z", "change": "x"}
SERIES = "yahoo/QQQ"
ROOT = Path(__file__).parents[2]


def frame_of(rows: int, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, 3))
    return pd.DataFrame(values, pd.bdate_range("2020-01-01", periods=rows, name="date").as_unit("ns"), ["a", "b", "c"])


def test_numbers_come_back_to_the_last_bit() -> None:
    frame = clean_frame().rename_axis("date")
    frame.iloc[3, 2], frame.iloc[4, 1], frame.iloc[5, 0] = np.nan, -0.0, np.inf
    back = unpacked(packed(frame))
    pd.testing.assert_frame_equal(back, frame, check_freq=False, check_index_type=False)
    assert packed(back) == packed(frame)


def test_the_same_content_has_one_name_and_is_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two = store.put(SERIES, frame_of(9), **ABOUT), store.put("fred/DTB3", frame_of(9), **ABOUT)
    assert one.sha256 == two.sha256
    assert [path.name for path in (tmp_path / "objects").iterdir()] == [one.sha256]


def test_the_newest_is_used_and_the_older_ones_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for rows in (9, 10, 11):
        store.put(SERIES, frame_of(rows), **ABOUT)
    kept = store.newest(SERIES)
    assert kept is not None
    assert len(kept[1]) == 11
    assert [snapshot.rows for snapshot in store.snapshots(SERIES)] == [11, 10, 9]
    assert all(store.load(snapshot.sha256) is not None for snapshot in store.snapshots(SERIES))


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "CON", "QQQ", "qqq", "^IRX", "ZQF25.CBT", "6_Port 2x3", "ü"])
def test_no_name_leads_out_of_the_store_and_each_has_its_own_folder(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "store")
    store.put(f"yahoo/{name}", frame_of(9), **ABOUT)
    store.put("yahoo/OTHER", frame_of(8), **ABOUT)
    assert sorted(store.series()) == sorted([f"yahoo/{name}", "yahoo/OTHER"])
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert store.newest(f"yahoo/{name}") is not None
    folders = [path.name for path in (tmp_path / "store" / "series" / "yahoo").iterdir()]
    assert len({folder.casefold() for folder in folders}) == 2


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BACKTEST_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("BACKTEST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().name == "rotation-backtest"


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8", newline="\n")
    with pytest.raises(WriteError, match="the snapshot of yahoo/QQQ was not kept; choose another folder with --cache"):
        Store(tmp_path / "file").put(SERIES, frame_of(9), **ABOUT)


def corrupted(path: Path, how: str, rng: np.random.Generator, others: list[Path]) -> None:
    """Change a file of the store so that it is not what it was."""
    data = bytearray(path.read_bytes())
    place = int(rng.integers(len(data)))
    if how == "flip":
        data[place] ^= 1 << int(rng.integers(8))
    elif how == "cut":
        del data[place:]
    elif how == "empty":
        data.clear()
    elif how == "longer":
        data += rng.bytes(int(rng.integers(1, 50)))
    elif how == "noise":
        data[:] = rng.bytes(len(data))
    elif how == "foreign":
        data[:] = others[int(rng.integers(len(others)))].read_bytes()
    path.unlink() if how == "gone" else path.write_bytes(bytes(data))


WAYS = ("flip", "flip", "flip", "cut", "empty", "longer", "noise", "foreign", "gone")


@pytest.mark.parametrize("seeds", [range(200), pytest.param(range(200, 2000), marks=pytest.mark.slow)])
def test_every_corruption_is_found_and_put_aside(tmp_path: Path, seeds: range, caplog: Any) -> None:
    """Of an object or of a record; what is served afterwards is the snapshot before, or nothing, and never damaged."""
    for rows in (30, 31):
        Store(tmp_path / "sound").put(SERIES, frame_of(rows, seed=rows), **ABOUT)
    Store(tmp_path / "sound").put("yahoo/IWM", frame_of(32), **ABOUT)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        root = tmp_path / str(seed)
        shutil.copytree(tmp_path / "sound", root)
        store = Store(root)
        newest = store.snapshots(SERIES)[0]
        record = max((root / "series" / "yahoo" / "QQQ").iterdir())
        other = next((root / "series" / "yahoo" / "IWM").iterdir())
        objects = sorted(path for path in (root / "objects").iterdir() if path.name != newest.sha256)
        is_record = bool(rng.integers(2))
        how = str(rng.choice(WAYS))
        caplog.clear()
        target = record if is_record else root / "objects" / newest.sha256
        corrupted(target, how, rng, [other] if is_record else objects)
        kept = store.newest(SERIES)
        assert kept is not None, (seed, how)
        assert kept[0].rows == 30, (seed, how, is_record)
        pd.testing.assert_frame_equal(kept[1], frame_of(30, seed=30), check_freq=False)
        if not (is_record and how == "gone"):
            assert "put aside" in caplog.text, (seed, how)
        if seed % 10 == 0:
            again = store.put(SERIES, frame_of(31, seed=31), **ABOUT)
            assert store.newest(SERIES)[0] == again  # type: ignore[index]


def write_many(root: Path, times: int, seed: int) -> None:
    store = Store(root)
    for rows in range(200 + seed, 200 + seed + 4 * times, 4):
        store.put(SERIES, frame_of(rows, seed=rows), **ABOUT)


def read_until(is_over: Any, root: Path, counts: Any) -> None:
    store = Store(root)
    while not is_over.is_set():
        kept = store.newest(SERIES)
        if kept is not None:
            frame = kept[1]
            assert len(frame) == kept[0].rows
            np.testing.assert_array_equal(frame.to_numpy(), frame_of(len(frame), seed=len(frame)).to_numpy())
            with counts:
                counts.value += 1


@pytest.mark.posix
@pytest.mark.parametrize("times", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_four_writers_and_four_readers_never_see_a_part(tmp_path: Path, times: int) -> None:
    context = multiprocessing.get_context("fork")
    is_over, counts = context.Event(), context.Value("i", 0)
    readers = [context.Process(target=read_until, args=(is_over, tmp_path, counts)) for _ in range(4)]
    writers = [context.Process(target=write_many, args=(tmp_path, times, seed)) for seed in range(4)]
    for process in (*writers, *readers):
        process.start()
    for process in writers:
        process.join()
    wait_until(lambda: counts.value >= 10)
    is_over.set()
    for process in readers:
        process.join()
    assert [process.exitcode for process in (*writers, *readers)] == [0] * 8
    assert not (tmp_path / "damaged").exists()
    assert not list((tmp_path / "tmp").iterdir())


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_store import write_many
print("ready", flush=True)
write_many(Path(sys.argv[1]), 10**6, 0)
"""


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_a_writer_killed_at_any_moment_leaves_the_store_whole(tmp_path: Path, kills: int) -> None:
    rng = np.random.default_rng(3)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    for _ in range(kills):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(float(rng.uniform(0.0, 0.05)))
        writer.kill()
        writer.wait()
        writer.stdout.close()
        store = Store(tmp_path)
        for snapshot in store.snapshots(SERIES):
            frame = store.load(snapshot.sha256)
            assert frame is not None
            assert len(frame) == snapshot.rows
    assert not (tmp_path / "damaged").exists()
