"""The store between the services and a run: what is asked again, what is kept, what is told; the real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from replay_worlds import LAST, NOW, TICKERS, Client, append_sessions
from work import wait_until

from backtest.config import load_config
from backtest.data import content_hash, load_market
from backtest.data.store import Store
from strategies import REGISTRY

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).parents[2]
DAY = pd.Timedelta(days=1)


def test_what_is_there_is_not_asked_for_again(filled: Client) -> None:
    told = filled.run()
    assert told.code == 0
    assert "unchanged" in told.text
    assert filled.replay.log() == []


def test_offline_says_how_old_it_is_and_asks_nothing(filled: Client) -> None:
    filled.at(NOW + 3 * DAY)
    told = filled.run("--offline")
    assert told.code == 0
    assert "offline: yahoo/QQQ, yahoo/IWM from the store, fetched 3 days ago (2025-01-02T12:00:00Z)" in told.text
    assert filled.replay.log() == []


def test_offline_with_an_empty_store_says_what_to_do(client: Client) -> None:
    told = client.run("--offline")
    assert told.code == 4
    assert "run backtest data fetch yahoo/QQQ, or the same without --offline" in told.text
    assert client.replay.log() == []
    assert not client.results.exists()


def test_an_update_is_the_whole_history_to_the_last_bit(filled: Client, world: Path, tmp_path: Path) -> None:
    filled.replay.serve(append_sessions(world, tmp_path / "longer", "2025-01-07"))
    filled.at(NOW + 6 * DAY)
    assert filled.run().code == 0
    assert Store().snapshots("yahoo/QQQ")[0].change == "extended by 4, to 2025-01-07"
    updated = Store().newest("yahoo/QQQ")
    assert filled.call("data", "fetch", "--whole", "QQQ").code == 0
    whole = Store().newest("yahoo/QQQ")
    assert updated is not None
    assert whole is not None
    assert updated[0].sha256 == whole[0].sha256
    assert whole[0].change == "unchanged"


def test_a_session_that_has_not_finished_is_never_kept(filled: Client, world: Path, tmp_path: Path) -> None:
    filled.replay.serve(append_sessions(world, tmp_path / "longer", "2025-01-07"))
    filled.at(pd.Timestamp("2025-01-07 20:00", tz="UTC"))  # three in the afternoon in New York
    assert filled.run().code == 0
    assert Store().snapshots("yahoo/QQQ")[0].last == "2025-01-06"
    filled.at(pd.Timestamp("2025-01-07 22:00", tz="UTC"))
    assert filled.run().code == 0
    assert Store().snapshots("yahoo/QQQ")[0].last == "2025-01-07"


CHANGES = {
    "another price in the past": ("another_past", 0, "yahoo/IWM: history changed on 2 days (20"),
    "a new dividend rescales all adjusted prices": ("rescaled", 0, "unchanged"),
    "most of the history gone": ("lost_decade", 3, "it is only a part, try again later"),
    "prices times 100": ("x100", 3, "yahoo/IWM: was not kept; the snapshot of 2025-01-02T12:00:00Z stands"),
    "a row of nulls": ("null_bar", 3, "yahoo/IWM: was not kept"),
    "no dividends any more": ("no_dividends", 0, "yahoo/IWM: history changed on"),
    "a service that refuses": ("429", 0, "the snapshot of 2025-01-02T12:00:00Z is used, it ends on 2024-12-31"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_answer_that_is_not_what_it_was(name: str, filled: Client) -> None:
    fault, code, said = CHANGES[name]
    filled.replay.go_wrong({"IWM": [fault]})
    old = Store().snapshots("yahoo/IWM")[0]
    told = filled.call("data", "fetch", "--whole", "IWM")
    assert told.code == code, told.text
    if fault != "rescaled":
        assert said in told.text
    assert Store().load(old.sha256) is not None
    assert Store().snapshots("yahoo/IWM")[-1] == old
    if code:
        assert Store().snapshots("yahoo/IWM")[0] == old
        assert filled.run("--offline").code == 0
    if fault == "another_past":
        told = filled.call("data", "diff", "IWM")
        assert told.code == 0
        assert "history changed on 2 days" in told.text
        assert json.loads(filled.call("data", "diff", "IWM", "--json").text)["largest"] == pytest.approx(0.002, rel=0.1)


def test_a_refusing_service_and_an_old_snapshot_is_no_silent_answer(filled: Client) -> None:
    filled.replay.go_wrong({"*": ["429"], "tz:QQQ": ["429"]})
    filled.at(NOW + 4 * DAY)
    assert filled.run().code == 0  # a few days: used, and said
    filled.at(NOW + 30 * DAY)
    told = filled.run()
    assert told.code == 4
    assert "(there is a snapshot that ends on 2024-12-31: --offline uses it)" in told.text


def test_a_fixed_end_that_is_there_needs_no_service(filled: Client) -> None:
    filled.replay.go_wrong({"*": ["429"]})
    filled.at(NOW + 300 * DAY)
    assert filled.run(end="2024-12-31").code == 0
    assert filled.replay.log() == []


def damage(client: Client, what: str) -> None:
    """Flip a bit in every object, or in the newest record of every series."""
    pattern = {"objects": "objects/*", "records": "series/yahoo/*/*.json"}[what]
    for path in client.cache.glob(pattern):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))


@pytest.mark.parametrize("what", ["objects", "records"])
def test_a_damaged_store_is_put_aside_and_fetched_again(filled: Client, what: str) -> None:
    config = load_config(filled.config(), strategies=REGISTRY)
    right = content_hash(load_market(config))
    damage(filled, what)
    told = filled.run()
    assert told.code == 0
    assert "was put aside" in told.text
    assert content_hash(load_market(config, offline=True)) == right
    assert len(filled.asked(name="QQQ", dated=True)) == 1


@pytest.mark.parametrize("what", ["objects", "records"])
def test_a_damaged_store_offline_is_an_error(filled: Client, what: str) -> None:
    damage(filled, what)
    told = filled.run("--offline")
    assert told.code == 4
    assert "there is no sound snapshot" in told.text


def test_check_finds_damage_in_the_store(filled: Client) -> None:
    told = filled.call("data", "check")
    assert told.code == 0, told.text
    damage(filled, "objects")
    told = filled.call("data", "check")
    assert told.code == 3
    assert "yahoo/QQQ: the snapshot of 2025-01-02T12:00:00Z is damaged or missing; fetch it again" in told.text


def test_a_damaged_file_of_yfinances_own_does_no_harm(client: Client) -> None:
    folder = client.cache / "yfinance"
    folder.mkdir(parents=True)
    for name in ("tkr-tz.db", "cookies.db", "isin-tkr.db"):
        (folder / name).write_bytes(b"no database at all" * 100)
    assert client.run().code == 0


def test_a_store_that_cannot_be_written_is_exit_code_6(client: Client) -> None:
    client.cache.write_text("a file in its place", encoding="utf-8", newline="\n")
    told = client.run()
    assert told.code == 6
    assert "choose another folder with --cache or BACKTEST_CACHE" in told.text


FETCH = "from backtest.cli import main; main()"


def fetching(client: Client) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **client.replay.env, "PYTHONPATH": str(ROOT), "BACKTEST_CACHE": str(client.cache)}
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, "data", "fetch", "QQQ", "IVW", "IWM", "IWN"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_a_fetch_killed_at_any_moment_does_not_hinder_the_next(client: Client, kills: int) -> None:
    rng = np.random.default_rng(1)
    with fetching(client) as first:
        assert first.wait(timeout=60) == 0
    for _ in range(kills):
        for path in client.cache.glob("series/yahoo/*/*.json"):
            path.unlink()
        before, asked = len(client.replay.log()), int(rng.integers(1, 8))
        with fetching(client) as process:
            wait_until(lambda: len(client.replay.log()) >= before + asked or process.poll() is not None)  # noqa: B023
            time.sleep(float(rng.uniform(0.0, 0.1)))
            process.kill()
            process.wait()
        store = Store(client.cache)
        for series in store.series():
            kept = store.newest(series)
            assert kept is None or f"{kept[1].index[-1]:%Y-%m-%d}" == f"{LAST:%Y-%m-%d}"
        assert not (client.cache / "damaged").exists()
    assert client.run().code == 0


def test_two_processes_at_once_wait_for_each_other(client: Client) -> None:
    client.replay.go_wrong({TICKERS[-1]: ["slow"]})  # so that the other is there before one is done
    with fetching(client) as one, fetching(client) as two:
        assert [one.wait(timeout=60), two.wait(timeout=60)] == [0, 0]
    # The world ends long before today, so that each process would ask again were it not for the other.
    assert sum(len(client.asked(name=ticker, dated=True)) for ticker in TICKERS) < 8
