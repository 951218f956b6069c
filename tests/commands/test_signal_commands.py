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


@pytest.mark.parametrize("code", [10, 0])
def test_signal_ends_with_ten_when_the_target_changed_with_the_last_session(
    code: int, capsys: Any, monkeypatch: Any
) -> None:
    changed = changes("cool_cpi")
    day = changed if code else next_session(changed)

    def to_that_day(config: Any, *, offline: bool, overrides: Any) -> Any:
        return config, load_market(config, offline=offline).until(pd.Timestamp(day))

    monkeypatch.setattr(signal, "market_to_now", to_that_day)
    ended, found = told(capsys, "signal", str(CONFIGS / "cool_cpi.yaml"), "--json")
    assert (ended, found["changed"], found["as_of"]) == (code, bool(code), day)


def changes(name: str) -> str:
    """The last session at which the config's decision changed."""
    config = load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY)
    market = load_market(config)
    share = decide(config, market, REGISTRY["rules"]).by_leg[:, 1]
    return f"{market.sessions[int(np.flatnonzero(np.diff(share))[-1]) + 1]:%Y-%m-%d}"


def next_session(day: str) -> str:
    start = pd.Timestamp(day)
    return f"{exchange_sessions(start, start + pd.Timedelta(days=7))[1]:%Y-%m-%d}"


def test_signal_works_out_orders_from_a_holding(capsys: Any) -> None:
    path = str(CONFIGS / "surge_2024.yaml")
    _, found = told(capsys, "signal", path, "--holding", "QQQ=120,IVW=40,cash=5000", "--json")
    assert set(found) == {
        "schema", "strategy", "as_of", "shares", "target_weights", "changed", "orders", "reason", "data_age_days",
    }  # fmt: skip
    assert found["strategy"] == "rules"
    assert sum(found["target_weights"].values()) == pytest.approx(1.0)
    assert [order["side"] for order in found["orders"]] == sorted((o["side"] for o in found["orders"]), reverse=True)
    sold = sum(order["value_usd"] for order in found["orders"] if order["side"] == "sell")
    bought = sum(order["value_usd"] for order in found["orders"] if order["side"] == "buy")
    assert bought == pytest.approx(5000 + sold - 0.0005 * (sold + bought), abs=0.01), "net of costs, nothing left"


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
