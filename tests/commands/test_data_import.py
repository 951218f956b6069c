"""`backtest data import`: what a file is, in words, and the same numbers in the project's own layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.data.calendar import exchange_sessions
from backtest.data.csv_folder import CsvFolder
from backtest.data.tables import EXACT

DAYS = exchange_sessions(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-06-28"))


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(["data", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def stooq(folder: Path, jump: float = 1.0) -> Path:
    close = np.round(100 * np.exp(np.random.default_rng(1).normal(0, 0.01, len(DAYS)).cumsum()), 2)
    close[60:] *= jump
    table = pd.DataFrame(
        {"Date": DAYS.strftime("%Y-%m-%d"), "Open": close, "High": close, "Low": close, "Close": close, "Volume": 9}
    )
    path = folder / "iwm_us_d.csv"
    table[::-1].to_csv(path, index=False)
    return path


def test_a_file_is_named_asked_about_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stooq(tmp_path)
    code, _, err = call(capsys, "import", str(path))
    assert (code, "say --adjusted (in a config: data.prices.adjusted): total_return" in err) == (3, True)
    code, out, _ = call(capsys, "import", str(path), "--adjusted", "total_return")
    assert code == 0
    assert (
        "IWM: columns Date,Open,High,Low,Close,Volume, newest first, daily, 124 rows, 2024-01-02 to 2024-06-28" in out
    )
    assert "prices to 2 decimals" in out
    assert "nothing was written" in out
    code, _, _ = call(capsys, "import", str(path), "--adjusted", "total_return", "--to", str(tmp_path / "own"))
    assert code == 0
    own = CsvFolder(tmp_path / "own").prices(["IWM"])["IWM"].values
    assert own["close"].to_numpy().tolist() == pd.read_csv(path, **EXACT)["Close"].tolist()[::-1]
    (tmp_path / "own" / "IWM.csv").write_text("date\n", encoding="utf-8", newline="\n")
    code, _, err = call(capsys, "import", str(path), "--adjusted", "total_return", "--to", str(tmp_path / "own"))
    assert (code, "is there with other prices" in err) == (6, True)


def test_a_fault_is_told_and_nothing_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(
        capsys, "import", str(stooq(tmp_path, 4.0)), "--adjusted", "tape", "--to", str(tmp_path / "own")
    )
    assert (code, "adj_close moves by more than" in err, (tmp_path / "own").exists()) == (3, True, False)
    code, _, err = call(capsys, "import", str(stooq(tmp_path)), "--adjusted", "nonsense")
    assert (code, err.startswith("--adjusted: found 'nonsense'")) == (2, True)


def test_an_empty_store_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_CACHE", str(tmp_path / "nothing"))
    code, out, _ = call(capsys, "check")
    assert (code, "is empty: nothing was checked" in out) == (0, True)
