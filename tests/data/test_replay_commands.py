"""`backtest data ...` and `backtest verify` against the replay server, and real histories through the real client."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from replay_worlds import FOUR, PAIR, TICKERS, Client, append_sessions, write_world

from backtest.config import load_config
from backtest.data import content_hash, load_market
from backtest.data.calendar import session_closes, sessions_around
from backtest.data.macro_source import choose_macro, with_sessions
from backtest.data.snapshots import Snapshots
from strategies import REGISTRY

pytestmark = pytest.mark.filterwarnings("ignore")


def test_cache_option_and_status(client: Client, tmp_path: Path) -> None:
    other = tmp_path / "other"
    client.patch.setenv("BACKTEST_CACHE", str(client.cache))  # so that it is put back afterwards
    assert client.call("data", "fetch", "QQQ", "fred:DTB3", "--cache", str(other)).code == 0
    assert not client.cache.exists()
    told = client.call("data", "status")
    assert str(other) in told.text
    assert [line.split()[0] for line in told.text.splitlines()[2:4]] == ["fred/DTB3", "yahoo/QQQ"]
    assert len(json.loads(client.call("data", "status", "--json").text)["series"]["yahoo/QQQ"]) == 1


def test_an_export_is_read_back_to_the_last_bit(filled: Client, tmp_path: Path) -> None:
    assert filled.call("data", "fetch", "futures:2025-03..2025-03").code == 3
    assert filled.call("data", "export", str(tmp_path / "out"), "QQQ", "IWM", "^IRX").code == 0
    folder = tmp_path / "out" / "prices"
    text = (
        Path(filled.config())
        .read_text(encoding="utf-8")
        .replace("{source: yahoo}", f"{{source: csv, folder: {folder}}}")
    )
    (filled.folder / "csv.yaml").write_text(text, encoding="utf-8", newline="\n")
    one, other = (load_config(path, strategies=REGISTRY) for path in (filled.config(), filled.folder / "csv.yaml"))
    (tmp_path / "out" / "macro" / "IRX.csv").parent.mkdir(exist_ok=True)
    assert content_hash(load_market(one, offline=True)) == content_hash(load_market(other))


def result_of(client: Client) -> Path:
    (folder,) = (path for path in client.results.iterdir() if path.is_dir())
    return folder


def test_verify_says_that_nothing_changed(filled: Client) -> None:
    told = filled.call("verify", str(result_of(filled)), "--offline")
    assert told.code == 0, told.text
    assert "the answer is the same to the last bit" in told.text


def test_verify_says_how_much_changed_data_move_the_answer(filled: Client) -> None:
    filled.replay.go_wrong({"IWM": ["another_past"]})
    assert filled.call("data", "fetch", "--whole", "IWM").code == 0
    told = filled.call("verify", str(result_of(filled)), "--offline", "--json")
    assert told.code == 5
    found = json.loads(told.text[: told.text.rindex("}") + 1])
    assert found["changed"] == ["data"]
    assert found["damaged"] == []
    assert found["moved"]
    assert all(found["by_data"][name] == pytest.approx(now - then, abs=1e-12)
               for name, (then, now) in found["moved"].items() if then is not None)  # fmt: skip


def test_verify_finds_a_file_changed_by_hand(filled: Client) -> None:
    path = result_of(filled) / "trades.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("buy", "bye", 1), encoding="utf-8", newline="\n")
    told = filled.call("verify", str(result_of(filled)), "--offline")
    assert told.code == 5
    assert "trades.csv is not the file that was written" in told.text


def test_with_real_histories_a_run_through_yfinance_is_the_csv_run_to_the_last_bit(
    client: Client, real_data: Path, tmp_path: Path
) -> None:
    client.at(pd.Timestamp("2026-09-01", tz="UTC"))
    for ticker in (*TICKERS, "IRX"):
        name = "^IRX" if ticker == "IRX" else ticker
        frame = pd.read_csv(real_data / "prices" / f"{ticker}.csv")
        if "open" not in frame:
            frame = frame.rename(columns={"value": "close"})
            frame = frame.assign(open=frame["close"], high=frame["close"], low=frame["close"])
        for column in ("adj_close", "volume", "dividends", "splits"):
            if column not in frame:
                frame[column] = frame["close"] if column == "adj_close" else 0.0
        (tmp_path / "real" / "prices").mkdir(parents=True, exist_ok=True)
        frame.fillna({"volume": 0.0}).to_csv(tmp_path / "real" / "prices" / f"{name}.csv", index=False)
    client.replay.serve(tmp_path / "real")
    text = Path(client.config(end="2025-12-31", legs=PAIR)).read_text(encoding="utf-8")
    text = text.replace("2023-01-03", "2001-07-31").replace(PAIR, FOUR)
    (client.folder / "yahoo.yaml").write_text(text, encoding="utf-8", newline="\n")
    (client.folder / "csv.yaml").write_text(
        text.replace("{source: yahoo}", f"{{source: csv, folder: {real_data / 'prices'}}}"),
        encoding="utf-8",
        newline="\n",
    )
    for name in ("yahoo", "csv"):
        told = client.call("run", str(client.folder / f"{name}.yaml"), "--out", str(tmp_path / name))
        assert told.code == 0, told.text
    (one,), (other,) = ([p for p in (tmp_path / name).iterdir() if p.is_dir()] for name in ("yahoo", "csv"))
    for file in ("equity.csv", "trades.csv", "decisions.csv", "metrics.json"):
        assert (one / file).read_bytes() == (other / file).read_bytes()
    manifests = [json.loads((folder / "manifest.json").read_text(encoding="utf-8")) for folder in (one, other)]
    assert manifests[0]["data_sha256"] == manifests[1]["data_sha256"]
    assert all(len(source["snapshot"]) == 64 for source in manifests[0]["sources"] if source["name"] in TICKERS)


def test_a_key_for_vintages_is_said_nowhere(client: Client, world: Path, tmp_path: Path) -> None:
    folder = append_sessions(world, tmp_path / "vintages", "2024-12-31")
    (folder / "vintages").mkdir()
    of_day = dict.fromkeys(("realtime_start", "realtime_end"), "2024-07-11")
    rows = [{"date": f"2024-0{m}-01", "value": str(300 + m), **of_day} for m in (5, 6)]
    (folder / "vintages" / "CPILFESL@2024-07-11.json").write_text(
        json.dumps({"observations": rows}), encoding="utf-8", newline="\n"
    )
    client.replay.serve(folder)
    target = "fred:CPILFESL@2024-07-11"
    client.patch.delenv("FRED_API_KEY", raising=False)
    told = client.call("data", "fetch", target)
    assert told.code == 3
    assert "put it into the environment variable FRED_API_KEY" in told.text
    client.patch.setenv("FRED_API_KEY", "secret-key-1")
    client.replay.go_wrong({"fred:CPILFESL@2024-07-11": ["500", "notfound", "ok"]})
    said = [client.call("data", "fetch", target) for _ in range(3)]
    assert [told.code for told in said] == [3, 0, 0]
    assert client.asked("fred")[-1]["key"] == "secret-key-1"
    stored = b"".join(path.read_bytes() for path in client.cache.rglob("*") if path.is_file())
    assert "secret-key-1" not in "".join(told.text for told in said)
    assert b"secret-key-1" not in stored
    kept = Snapshots(offline=True).series("fred/CPILFESL@2024-07-11")
    assert kept[1]["value"].tolist() == [305.0, 306.0]


def test_revisions_come_from_the_archive_and_count_from_when_they_were_known(
    client: Client, world: Path, tmp_path: Path
) -> None:
    folder = append_sessions(world, tmp_path / "archive", "2024-12-31")
    (folder / "vintages").mkdir()
    rows = [
        {"date": date, "value": value, "realtime_start": start, "realtime_end": "9999-12-31"}
        for date, start, value in (
            ("2024-05-01", "2024-06-12", "318.0"),
            ("2024-05-01", "2024-07-11", "318.1"),
            ("2024-06-01", "2024-07-11", "."),
            ("2024-06-01", "2024-08-14", "318.5"),
            ("2024-07-01", "2024-08-14", "319.0"),
        )
    ]
    (folder / "vintages" / "CPILFESL@1776-07-04.json").write_text(
        json.dumps({"observations": rows}), encoding="utf-8", newline="\n"
    )
    client.replay.serve(folder)
    client.patch.setenv("FRED_API_KEY", "secret-key-1")
    told = client.call("data", "fetch", "fred:CPILFESL@all", "--whole")
    assert (told.code, "secret" in told.text) == (0, False)
    assert client.call("data", "fetch", "fred:CPILFESL@all", "--whole").code == 0, "the same archive again"
    config = load_config(
        client.config(), strategies=REGISTRY, overrides=["data.macro={series: {CPILFESL: {known: vintages}}}"]
    )
    observed = choose_macro(config.data, offline=True)("CPILFESL")
    exchange = sessions_around(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-12-31"))
    series = with_sessions(observed, exchange, session_closes(exchange[0], exchange[-1]))
    days = pd.DatetimeIndex(["2024-06-12", "2024-06-13", "2024-07-11", "2024-07-12", "2024-08-14", "2024-08-15"])
    found = [f"{value:.1f}" for value in series.latest(days)]
    assert found == ["nan", "318.0", "318.0", "318.1", "318.1", "319.0"]
    assert "2 revisions" not in observed.clock
    assert "1 revision" in observed.clock


def test_a_published_config_runs_on_prices_from_yahoo(client: Client, tmp_path: Path) -> None:
    """Dual momentum: the prices of its three funds, and the T-bill rate that is its hurdle, come over the wire."""
    client.replay.serve(write_world(tmp_path / "funds", tickers=("SPY", "EFA", "AGG")))
    config = Path(__file__).parents[2] / "configs" / "published" / "dual_momentum.yaml"
    dates = ("--set", "data.start=2020-06-01", "--set", "data.end=2024-12-30")
    told = client.call("run", str(config), *dates, "--out", str(client.results), "--json")
    assert told.code == 0, told.text
    assert {entry["name"] for entry in client.asked()} >= {"SPY", "EFA", "AGG", "^IRX"}
    decisions = pd.read_csv(result_of(client) / "decisions.csv", index_col="date", parse_dates=True)
    at_looks = decisions.groupby(decisions.index.strftime("%Y-%m")).tail(1).iloc[12:-1]
    is_on = at_looks["score_SPY"] > at_looks["hurdle"]
    better = at_looks["score_SPY"] >= at_looks["score_EFA"]
    assert (at_looks["share_AGG"] == ~is_on).all()
    assert (at_looks["share_SPY"] == (is_on & better)).all()
    assert (at_looks["share_EFA"] == (is_on & ~better)).all()
    assert is_on.sum() > 10 < (~is_on).sum()
