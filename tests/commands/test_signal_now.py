"""`signal` and `why` look at the data up to now: at an older day only when asked to, and never without saying so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cheats
import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.commands import common, today
from backtest.data.calendar import exchange_sessions

DAYS = exchange_sessions(pd.Timestamp("2023-01-03"), pd.Timestamp("2024-07-16"))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def config_of(folder: Path, *, short: int = 0, broken: bool = False) -> str:
    """A config that ends before its prices do. short: sessions that IWM lacks; broken: its last price is below zero."""
    (folder / "prices").mkdir()
    for place, ticker in enumerate(("IVW", "QQQ", "IWM", "IWN")):
        close = 100.0 + place + np.sin(np.arange(len(DAYS)) / 9 + place)
        frame = pd.DataFrame({"date": DAYS, **dict.fromkeys(("open", "high", "low", "close", "adj_close"), close)})
        frame["volume"] = 1000
        if ticker == "IWM":
            frame = frame.iloc[: len(frame) - short]
            if broken:
                frame.iloc[-1, 1:6] = -5.0
        frame.to_csv(folder / "prices" / f"{ticker}.csv", index=False)
    path = folder / "config.yaml"
    path.write_text(
        "name: now\ndata: {prices: {source: csv, folder: prices}, start: 2023-06-01, end: 2024-06-28}\n"
        "strategy: {name: relative_momentum, params: {lookback_sessions: 63}}\n"
        "execution: {commission_bps: 1, slippage_bps: 4}\n",
        encoding="utf-8",
        newline="\n",
    )
    return str(path)


def test_signal_looks_past_the_end_of_the_backtest_unless_told_to_end(tmp_path: Path, capsys: Any) -> None:
    path = config_of(tmp_path)
    _, text, warned = told(capsys, "signal", path)
    assert "after the close of 2024-07-16" in text
    assert not warned
    _, text, _ = told(capsys, "signal", path, "--set", "data.end=2024-07-11")
    assert "after the close of 2024-07-11" in text


def test_prices_that_end_on_different_sessions_are_cut_to_the_last_common_one_aloud(
    tmp_path: Path, capsys: Any
) -> None:
    _, text, warned = told(capsys, "signal", config_of(tmp_path, short=2))
    assert "after the close of 2024-07-12" in text
    assert warned.startswith("warning: prices end on different sessions (IVW 2024-07-16")
    assert "this is for 2024-07-12" in warned


def test_a_broken_price_after_the_configs_end_is_no_reason_to_answer_for_an_older_day(
    tmp_path: Path, capsys: Any
) -> None:
    code, text, error = told(capsys, "signal", config_of(tmp_path, broken=True))
    assert (code, text) == (3, "")
    assert "IWM: a price is zero or negative on 2024-07-16" in error


def test_signal_and_why_of_a_strategy_that_trades_in_its_own_next_are_of_its_books(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    class MostlySmall(cheats.Rotation):
        """Buys the last feed once, for nine tenths."""

        def next(self) -> None:
            if len(self) == 5:
                self.order_target_percent(self.datas[-1], 0.9)

    for module in (today, common):
        monkeypatch.setattr(module, "registry", lambda: {"mostly_small": MostlySmall})
    path = Path(config_of(tmp_path))
    text = path.read_text(encoding="utf-8").replace(
        "relative_momentum, params: {lookback_sessions: 63}", "mostly_small"
    )
    path.write_text(text, encoding="utf-8", newline="\n")

    code, said, _ = told(capsys, "signal", str(path), "--json")
    found = json.loads(said)
    assert (code, found["due"], found["target_weights"]["QQQ"]) == (0, [], 0.0)
    assert found["target_weights"]["IWN"] == pytest.approx(0.9, abs=0.02)
    code, said, _ = told(capsys, "why", str(path))
    assert code == 0
    assert "90% small caps" in said
    assert "10% cash" in said
    code, said, _ = told(capsys, "signal", str(path), "--set", "data.end=2023-06-07")
    assert code == 10, "the evening of its one order"
    assert "ORDERS for the open of 2023-06-08, decided at the close of 2023-06-07" in said


def test_why_says_which_session_it_answers_for_and_refuses_a_day_long_after_the_last(
    tmp_path: Path, capsys: Any
) -> None:
    path = config_of(tmp_path)
    code, text, warned = told(capsys, "why", path, "2024-07-20")
    assert code == 0
    assert "2024-07-16:" in text
    assert warned == "warning: 2024-07-20 is after the last session with prices, 2024-07-16: this is for that session\n"
    code, text, error = told(capsys, "why", path, "2024-08-20")
    assert (code, text) == (3, "")
    assert "2024-08-20 is after the last session" in error


@pytest.mark.parametrize("lacking", [0, 6])
def test_signal_tells_the_age_of_a_series_and_warns_when_it_is_too_old(
    lacking: int, tmp_path: Path, capsys: Any
) -> None:
    path = Path(config_of(tmp_path))
    days = DAYS[: len(DAYS) - lacking]
    (tmp_path / "macro").mkdir()
    pd.DataFrame({"date": days, "DGS10": 4.0}).to_csv(tmp_path / "macro" / "DGS10.csv", index=False)
    rule = (
        "strategy: {name: rules, params: {hold: [{leg: small, when: {signal: yield, change_sessions: 0, below: 5.0}},"
        " {leg: growth}]}}"
    )
    path.write_text(
        "\n".join(rule if "strategy" in line else line for line in path.read_text(encoding="utf-8").splitlines()),
        encoding="utf-8",
        newline="\n",
    )
    _, text, warned = told(capsys, "signal", str(path))
    if lacking:
        age = "series DGS10: last observation of 2024-07-08, 8 days before: too old to stand for today"
        assert warned == f"warning: {age}\n"
        assert f"  {age}\n" in text
    else:
        assert not warned
        assert "  series DGS10: last observation of 2024-07-15, 1 day before\n" in text


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("above: 60", "above: found 60, expected a probability from 0 to 1"),
        ("below: -0.1", "below: found -0.1, expected a probability from 0 to 1"),
        ("meeting: 2024-09-19", "found 2024-09-19, which is not the last day of a scheduled meeting; the nearest"),
    ],
)  # fmt: skip
def test_a_probability_above_one_and_a_meeting_that_is_none_are_refused(
    override: str, words: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "name: odds\ndata: {prices: {source: sample}, start: 2001-07-31}\n"
        "strategy:\n  name: rules\n  params:\n    hold: [{leg: small, when: {signal: implied_cut, "
        + override
        + "}}, {leg: growth}]\n"
        "execution: {commission_bps: 1, slippage_bps: 4}\n",
        encoding="utf-8",
        newline="\n",
    )
    code, _, error = told(capsys, "check", str(path))
    assert code == 2
    assert error.startswith(f"{path}:")
    assert words in error
    assert error.count("\n") == 1
