from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.data.fred import fetch_fred
from backtest.data.sources import PRICE_COLUMNS
from backtest.data.yahoo import COLUMNS, Yahoo, as_prices, without_unfinished
from backtest.errors import DataError, NetworkError

ROOT = Path(__file__).parents[2]

# Server and client share one process of their own: the client reads its proxy from the environment, and neither its
# warnings nor the server's sockets are those of the tests.
REPLAYED = """
import importlib.util, json, os, sys
from datetime import date
from pathlib import Path

tool, folder, scratch = (Path(text) for text in sys.argv[1:4])
spec = importlib.util.spec_from_file_location("yahoo_replay", tool)
replay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(replay)

from backtest.data.csv_folder import CsvFolder
from backtest.data.sources import values_sha256
from backtest.data import yahoo
from backtest.errors import BacktestError

frame = CsvFolder(folder).prices(["IWM"])["IWM"].values.assign(splits=0.0)  # the server sends no splits
days = [day.date() for day in frame.index]
columns = (frame[name].tolist() for name in ("open", "high", "low", "close", "volume"))
bars = [[*row[:-1], int(row[-1])] for row in zip(days, *columns)]
paid = {day: amount for day, amount in zip(days, frame["dividends"].tolist()) if amount}

world = replay.World(symbols=("QQQ", "IVW", "IWN", "SPY"))
world.data["IWM"] = (bars, frame["adj_close"].tolist(), paid, {})
world.fred["DTB3"] = None
# After an answer of 400 and more the client asks once more by itself.
world.script = {
    "QQQ": ["429"], "IVW": ["html200", "ok"], "tz:IWN": ["500"], "SPY": ["reset"],
    "fred:DTB3": ["ok", "html200", "truncated"],
}
server, environment = replay.start(cadir=str(scratch / "ca"), world=world)
os.environ.update(environment, XDG_CACHE_HOME=str(scratch))

yahoo.PAUSE_SECONDS = 0.0
source = yahoo.Yahoo(end=date(2024, 12, 31))
told = {"expected": values_sha256(frame[: "2024-12-31"])}
for what in ("IWM", "QQQ", "IVW", "NOPE", "IWN", "SPY", "DTB3 whole", "DTB3 down", "DTB3 cut"):
    try:
        is_rate = what.startswith("DTB3")
        told[what] = source.rate("DTB3").values["value"].iloc[-1] if is_rate else source.prices([what])[what].sha256
    except BacktestError as error:
        told[what] = [error.exit_code, str(error)]
told["blocked"] = [entry for entry in world.log if entry["kind"] == "BLOCKED"]
print(json.dumps(told))
"""


def history(*days: str, zone: str = "America/New_York") -> pd.DataFrame:
    index = pd.DatetimeIndex([f"{day} 00:00" for day in days]).tz_localize(zone)
    return pd.DataFrame({name: np.arange(1, len(days) + 1) for name in COLUMNS}, index=index)


def at(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="America/New_York")


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
def test_an_answer_becomes_a_frame_of_the_exchanges_days(zone: str) -> None:
    answer = history("2024-07-15", "2024-07-16", zone=zone).assign(**{"Capital Gains": 0.0})
    prices = as_prices(answer, "QQQ")
    assert tuple(prices.columns) == PRICE_COLUMNS
    assert list(prices.index) == [pd.Timestamp("2024-07-15"), pd.Timestamp("2024-07-16")]
    assert set(prices.dtypes) == {np.dtype("float64")}


def test_an_answer_without_prices_or_columns_is_refused() -> None:
    with pytest.raises(DataError, match="QQQ: Yahoo's answer has no prices"):
        as_prices(history(), "QQQ")
    with pytest.raises(DataError, match="QQQ: Yahoo's answer has no column Adj Close"):
        as_prices(history("2024-07-16").drop(columns="Adj Close"), "QQQ")


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ("2024-07-03 11:00", 1),  # in the middle of the session
        ("2024-07-03 13:29", 1),  # a half day: closed at one, but not yet settled
        ("2024-07-03 13:30", 2),
        ("2024-07-02 20:00", 1),
        ("2024-07-04 11:00", 2),
        ("2026-01-01 00:00", 2),
    ],
)
def test_a_session_that_has_not_finished_is_no_day(now: str, kept: int) -> None:
    prices = as_prices(history("2024-07-02", "2024-07-03"), "QQQ")
    assert len(without_unfinished(prices, now=at(now))) == kept


def test_offline_nothing_is_asked() -> None:
    for ask in (lambda: Yahoo(offline=True).prices(["QQQ"]), lambda: Yahoo(offline=True).rate("DTB3")):
        with pytest.raises(NetworkError, match="not available offline yet"):
            ask()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"observation_date,DGS10\n2024-07-15,5.2\n", "answered with something else than this series"),
        (b"", "answered with something else"),
        (b"observation_date,DTB3\n2024-07-15,5", "the answer is cut off"),
    ],
)
def test_fred_must_answer_with_the_whole_series(monkeypatch: pytest.MonkeyPatch, answer: bytes, problem: str) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(answer))
    with pytest.raises(NetworkError, match=f"FRED DTB3: {problem}"):
        fetch_fred("DTB3")


def test_a_fred_that_cannot_be_reached_is_a_network_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(NetworkError, match=r"FRED DTB3: could not be reached \(timed out\)"):
        fetch_fred("DTB3")


def test_the_real_client_against_a_replay_server(real_data: Path, tmp_path: Path) -> None:
    tool = real_data.parent / "tools" / "yahoo_replay.py"
    if not tool.exists() or shutil.which("openssl") is None:
        pytest.skip("no replay server beside the real data, or no openssl")
    client = subprocess.run(
        [sys.executable, "-c", REPLAYED, str(tool), str(real_data / "prices"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert client.stderr == ""
    told = json.loads(client.stdout)
    assert told["IWM"] == told["expected"]
    assert told["QQQ"] == [4, "QQQ: Yahoo takes no more requests for now (HTTP 429); try again in some minutes"]
    assert isinstance(told["IVW"], str)  # down at first, there at the second try
    assert told["NOPE"] == [3, "NOPE: Yahoo has no such ticker; it may be misspelt, renamed or delisted"]
    assert told["IWN"] == [4, "IWN: Yahoo did not answer properly (boom); try again later"]
    assert told["SPY"][0] == 4
    assert "delisted" not in told["SPY"][1]
    assert told["DTB3 whole"] == 5.0
    assert told["DTB3 down"] == [4, "FRED DTB3: answered with something else than this series; try again later"]
    assert told["DTB3 cut"] == [4, "FRED DTB3: the answer is cut off; try again"]
    assert told["blocked"] == []
