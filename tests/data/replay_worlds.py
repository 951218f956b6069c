"""Clean worlds for the replay server, and the command line run against them in this process."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame, write_prices
from replay import Replay

from backtest.cli import main
from backtest.data import clock, web
from backtest.data.tables import EXACT

FIRST, LAST = date(2019, 1, 1), date(2024, 12, 31)
NOW = pd.Timestamp("2025-01-02 12:00", tz="UTC")
"""Before the open of the first session after the world's last: everything in it is finished."""

TICKERS = ("QQQ", "IVW", "IWM", "IWN")

CONFIG = """\
name: replayed
data:
  prices: {{source: yahoo}}
  start: 2023-01-03
  {end}
  tbill: {tbill}
legs: {legs}
strategy:
  name: relative_momentum
  params: {{lookback_sessions: 63}}
execution: {{commission_bps: 1, slippage_bps: 4, idle_cash: tbill}}
benchmarks: [QQQ]
"""


PAIR = "{growth: {QQQ: 1.0}, small: {IWM: 1.0}}"
FOUR = "{growth: {QQQ: 0.5, IVW: 0.5}, small: {IWM: 0.5, IWN: 0.5}}"


def write_world(folder: Path, last: date = LAST, tickers: tuple[str, ...] = TICKERS, first: date = FIRST) -> Path:
    """Prices of four tickers and ^IRX, DTB3 and the target range, without a fault."""
    frames = {ticker: clean_frame(seed, first, last) for seed, ticker in enumerate(tickers, start=1)}
    write_prices(folder / "prices", **frames)
    index = next(iter(frames.values())).index
    rate = np.full(len(index), 5.2)
    rates = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "adj_close"), rate), index=index)
    write_prices(folder / "prices", **{"^IRX": rates.assign(volume=0.0, dividends=0.0, splits=0.0)})
    (folder / "macro").mkdir(parents=True, exist_ok=True)
    days = pd.date_range("2023-06-01", last)
    for name, values, at in (("DTB3", 5.2, index), ("DFEDTARU", 5.5, days), ("DFEDTARL", 5.25, days)):
        lines = [f"{day:%Y-%m-%d},{values}" for day in at]
        (folder / "macro" / f"{name}.csv").write_text(
            "\n".join([f"observation_date,{name}", *lines, ""]), encoding="utf-8", newline="\n"
        )
    return folder


def append_sessions(source: Path, target: Path, last: str) -> Path:
    """A world that goes on for a few sessions, its past untouched."""
    for path in (source / "prices").glob("*.csv"):
        frame = pd.read_csv(path, index_col="date", parse_dates=True, **EXACT)
        for day in pd.bdate_range(frame.index[-1] + pd.Timedelta(days=1), last):
            if f"{day:%m-%d}" not in ("01-01", "01-09"):
                frame.loc[day] = frame.iloc[-1].to_numpy() * (1.0 if path.stem == "^IRX" else 1.001)
                frame.loc[day, ["dividends", "splits"]] = 0.0
        (target / "prices").mkdir(parents=True, exist_ok=True)
        frame.to_csv(target / "prices" / path.name)
    (target / "macro").mkdir(exist_ok=True)
    for path in (source / "macro").glob("*.csv"):
        (target / "macro" / path.name).write_bytes(path.read_bytes())
    return target


@dataclass
class Told:
    """What a command ended with: its exit code, and all that it said, warnings of the log included."""

    code: int
    text: str


class Client:
    """The command line in this process, against the server, with a store and a clock of its own."""

    def __init__(self, replay: Replay, folder: Path, patch: pytest.MonkeyPatch, capsys: Any, caplog: Any) -> None:
        self.replay, self.folder, self.patch, self.capsys, self.caplog = replay, folder, patch, capsys, caplog
        for name, value in {**replay.env, "BACKTEST_CACHE": str(self.cache)}.items():
            patch.setenv(name, value)
        patch.setattr(web, "PACE", 0.001)
        self.at(NOW)

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def at(self, moment: pd.Timestamp) -> None:
        """Set the clock."""
        self.patch.setattr(clock, "now", lambda: moment)

    def config(self, *, tbill: str = "irx", end: str | None = None, legs: str = PAIR) -> str:
        path = self.folder / "replayed.yaml"
        path.write_text(
            CONFIG.format(tbill=tbill, end=f"end: {end}" if end else "", legs=legs), encoding="utf-8", newline="\n"
        )
        return str(path)

    def call(self, *arguments: str) -> Told:
        """Run a command; a traceback is an error of the test."""
        self.caplog.clear()
        code = 0
        with self.caplog.at_level(logging.WARNING, logger="backtest.data"):
            try:
                main(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
        out, err = self.capsys.readouterr()
        return Told(code, out + err + "\n".join(record.getMessage() for record in self.caplog.records))

    def run(self, *arguments: str, **config: Any) -> Told:
        """`backtest run` of the config of this world."""
        return self.call("run", self.config(**config), "--out", str(self.results), *arguments)

    def asked(self, kind: str = "chart", **about: Any) -> list[dict[str, Any]]:
        """Requests of a kind in the server's log."""
        log = [entry for entry in self.replay.log() if entry["kind"] == kind]
        return [entry for entry in log if all(entry.get(name) == value for name, value in about.items())]
