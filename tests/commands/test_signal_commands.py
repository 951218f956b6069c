"""`signal`, `why`, `fedwatch`, `surges`: what they print, and with which exit code they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.commands import today as signal
from backtest.config import load_config
from backtest.data import load_market
from backtest.data.calendar import exchange_sessions
from backtest.pipeline import decide
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[2] / "configs"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit code and output; JSON as data."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    text = captured.out + captured.err
    return int(ended.value.code or 0), json.loads(text) if "--json" in arguments and captured.out else text


@pytest.mark.parametrize(("delay", "evening"), [(1, 0), (1, 1), (3, 0), (3, 2), (3, 3)])
def test_signal_ends_with_ten_on_the_evening_before_a_trade_and_on_no_other(
    delay: int, evening: int, capsys: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    changed = changes("cool_cpi")
    days = exchange_sessions(pd.Timestamp(changed), pd.Timestamp(changed) + pd.Timedelta(days=14))
    on = [f"--set=execution.delay_sessions={delay}", "--csv", str(tmp_path / "orders.csv")]

    def to_that_day(config: Any, *, offline: bool, overrides: Any) -> Any:
        return config, load_market(config, offline=offline).until(days[evening])

    monkeypatch.setattr(signal, "market_to_now", to_that_day)
    ended, found = told(capsys, "signal", str(CONFIGS / "cool_cpi.yaml"), *on, "--json")
    is_eve = evening == delay - 1
    assert (ended, found["trades_next"], found["as_of"]) == (10 if is_eve else 0, is_eve, f"{days[evening]:%Y-%m-%d}")
    due = found["due"]
    assert [(each["date"], each["decided"]) for each in due] == (
        [(f"{days[delay]:%Y-%m-%d}", changed)] if evening < delay else []
    )
    head, *orders = (tmp_path / "orders.csv").read_text(encoding="utf-8").splitlines()
    assert head == "ticker,side,shares,type"
    if not is_eve:
        assert orders == []
        return
    tape = load_market(load_config(CONFIGS / "cool_cpi.yaml", strategies=REGISTRY)).raw_close.loc[days[evening]]
    told_orders = [
        (o["ticker"], o["side"].upper(), pytest.approx(o["value_usd"] / float(tape[o["ticker"]])))
        for o in due[0]["orders"]
    ]
    rows = [order.split(",") for order in orders]
    assert [(ticker, side, float(shares)) for ticker, side, shares, _ in rows] == told_orders
    assert {kind for *_, kind in rows} == {"MKT"}


def test_a_holding_of_ones_own_does_not_change_the_exit_code(capsys: Any) -> None:
    path = str(CONFIGS / "cool_cpi.yaml")
    code, _ = told(capsys, "signal", path)
    assert told(capsys, "signal", path, "--holding", "cash=5000")[0] == code == 0


def test_an_orders_file_that_cannot_be_written_is_one_line_and_exit_code_six(capsys: Any, tmp_path: Path) -> None:
    code, text = told(capsys, "signal", str(CONFIGS / "cool_cpi.yaml"), "--csv", str(tmp_path))
    assert code == 6
    assert text.startswith(f"{tmp_path}: ")
    assert text.count("\n") == 1


def changes(name: str) -> str:
    """The last session at which the config's decision changed."""
    config = load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY)
    market = load_market(config)
    share = decide(config, market, REGISTRY["rules"]).by_leg[:, 1]
    return f"{market.sessions[int(np.flatnonzero(np.diff(share))[-1]) + 1]:%Y-%m-%d}"


def test_signal_works_out_orders_from_a_holding(capsys: Any) -> None:
    path = str(CONFIGS / "surge_2024.yaml")
    _, found = told(capsys, "signal", path, "--holding", "QQQ=120,IVW=40,cash=5000", "--json")
    assert set(found) == {
        "schema", "name", "strategy", "as_of", "data_age_days", "next_fill", "trades_next", "shares", "target_weights",
        "reason", "account", "due", "holding",
    }  # fmt: skip
    assert found["strategy"] == "rules"
    assert sum(found["target_weights"].values()) == pytest.approx(1.0)
    orders = found["holding"]["orders"]
    assert [order["side"] for order in orders] == sorted((o["side"] for o in orders), reverse=True)
    sold = sum(order["value_usd"] for order in orders if order["side"] == "sell")
    bought = sum(order["value_usd"] for order in orders if order["side"] == "buy")
    assert bought == pytest.approx(5000 + sold - 0.0005 * (sold + bought), abs=0.01), "net of costs, nothing left"
    assert found["holding"]["cash_usd"] == pytest.approx(0.0, abs=0.01)


def test_who_holds_what_the_tested_account_holds_has_nothing_to_trade(capsys: Any) -> None:
    path = str(CONFIGS / "surge_2024.yaml")
    _, found = told(capsys, "signal", path, "--json")
    account = found["account"]
    held = ",".join(f"{t}={n!r}" for t, n in account["shares"].items() if n) + f",cash={account['cash_usd']!r}"
    _, text = told(capsys, "signal", path, "--holding", held)
    assert "    nothing to trade\n" in text


@pytest.mark.parametrize(
    ("holding", "words"),
    [("SPY=1", "expected IVW, QQQ, IWM, IWN or cash"), ("QQQ", "expected TICKER=SHARES"), ("QQQ=-1", "from 0 on"),
     ("QQQ=1,QQQ=2", "stands twice"), ("cash=0", "nothing is held")],
)  # fmt: skip
def test_a_holding_that_is_none_is_one_line_and_exit_code_two(holding: str, words: str, capsys: Any) -> None:
    code, text = told(capsys, "signal", str(CONFIGS / "surge_2024.yaml"), "--holding", holding)
    assert code == 2
    assert text.count("\n") == 1
    assert words in text


def test_why_tells_the_tree_with_values_thresholds_and_distances(capsys: Any) -> None:
    code, found = told(capsys, "why", str(CONFIGS / "implied_cut.yaml"), "2024-07-16", "--json")
    assert code == 0
    assert found["date"] == "2024-07-16"
    cut, lead = found["rules"]["small caps"]["of"]
    assert cut["unit"] == "probability"
    assert lead["flips_at"] == 0.0
    assert lead["distance"] == pytest.approx(-lead["value"])
    assert {each["name"] for each in found["known"]} == {"policy decision", "zq"}
    code, text = told(capsys, "why", str(CONFIGS / "implied_cut.yaml"), "2024-07-14")
    assert "2024-07-12" in text, "a Sunday: the last session before"
    assert "(SIMULATED DATA)" in text
    code, text = told(capsys, "why", str(CONFIGS / "implied_cut.yaml"), "14.07.2024")
    assert (code, text) == (2, "DATE: found '14.07.2024', expected a day as YYYY-MM-DD\n")


def test_fedwatch_shows_bands_that_sum_to_one(capsys: Any) -> None:
    code, found = told(capsys, "fedwatch", "2024-07-16", "--json")
    assert code == 0
    assert (found["date"], found["target"], found["simulated"]) == ("2024-07-16", [5.25, 5.5], True)
    assert list(found["meetings"])[:2] == ["2024-07-31", "2024-09-18"]
    for odds in found["meetings"].values():
        assert sum(odds["bands"].values()) == pytest.approx(1.0)
        assert odds["p_cut"] + odds["p_hold"] + odds["p_hike"] == pytest.approx(1.0)
        mean = sum(p * (sum(map(int, band.split("-"))) / 200) for band, p in odds["bands"].items())
        assert mean == pytest.approx(odds["expected_rate"])


def test_fedwatch_meets_cmes_table_and_gives_reasons(real_data: Path, capsys: Any, tmp_path: Path) -> None:
    prices = str(real_data / "macro" / "zq_daily.csv")
    _, found = told(capsys, "fedwatch", "2026-07-14", "--prices", prices, "--json")
    assert found["meetings"]["2026-09-16"]["bands"]["375-400"] == pytest.approx(0.519, abs=0.0006)
    _, found = told(capsys, "fedwatch", "2024-07-16", "--prices", prices, "--json")
    assert "no settlement of ZQN24" in found["meetings"]["2024-07-31"]["reason"]
    assert found["meetings"]["2024-09-18"]["p_cut_alone"] == pytest.approx(1.0)
    chart = tmp_path / "chart.html"
    _, text = told(capsys, "fedwatch", "2026-07-14", "--prices", prices, "--chart", str(chart))
    assert "63.1%" in text
    assert chart.stat().st_size > 1_000_000
    code, text = told(capsys, "fedwatch", "1960-07-14", "--prices", prices)
    assert code == 3
    assert text.count("\n") == 1


def test_surges_are_different_weeks_with_what_followed(real_data: Path, capsys: Any, tmp_path: Path) -> None:
    config = tmp_path / "real.yaml"
    config.write_text(
        f"extends: {CONFIGS / 'surge_2024.yaml'}\n"
        f"data: {{prices: {{source: csv, folder: {real_data / 'prices'}}}, end: 2026-05-01}}\n",
        encoding="utf-8",
        newline="\n",
    )
    _, found = told(capsys, "surges", str(config), "--day", "2024-07-16", "--json")
    assert found["day"]["gain"] == pytest.approx(0.115, abs=0.0006)
    assert found["day"]["best_since"] == "2020-04-29"
    assert found["surges"][0]["day"] == "2008-11-28"
    assert list(found["surges"][0]["after"]) == ["5", "21", "63", "126", "252"]
    code, text = told(capsys, "surges", str(config), "--ticker", "DIA")
    assert code == 2
    assert "expected a ticker of this config" in text
