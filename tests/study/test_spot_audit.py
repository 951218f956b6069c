"""Every run of a `decide` strategy looks for a look-ahead of its own, at some ten decisions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import cheats
import numpy as np
import pandas as pd
import pytest
import worlds
from study.test_audit import VARIANTS, audited, config_of

from backtest import api
from backtest.account.strategy import RotationStrategy
from backtest.audit.poison import detours
from backtest.audit.spot import SPOTS, run_audited, spot_audit, spot_rows
from backtest.commands import common
from backtest.commands.run import run_configs
from backtest.config import load_config
from backtest.data import load_market
from backtest.decision import Decision
from backtest.errors import RunError
from backtest.market import Legs, Market
from backtest.pipeline import decide
from backtest.series import PointInTime, observations
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
DECIDE = REGISTRY["relative_momentum"].decide
LEAST_FOUND = 8
"""Of the ten cheats, by a plain run."""


@pytest.fixture(scope="module")
def market() -> Market:
    return worlds.rotation_market(7)


def found(name: str, strategies: dict[str, Any], market: Market, **params: Any) -> str:
    """What the spot audit says of a strategy; empty: nothing."""
    config = config_of(strategies, name, market, **params)
    strategy = strategies[name]
    try:
        assert spot_audit(config, market, strategy, decide(config, market, strategy)) == SPOTS
    except RunError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_a_plain_run_finds_at_least_eight_of_ten_cheats(seed: int) -> None:
    market = worlds.rotation_market(seed)
    assert len(cheats.SPOT_CHEATS) == 10
    told = {name: found(name, cheats.SPOT_CHEATS, market) for name in cheats.SPOT_CHEATS}
    assert sum(map(bool, told.values())) >= LEAST_FOUND, told
    for name, text in told.items():
        if text:
            assert text.startswith(f"{name}: ")
            assert "is the first session that changes with what comes after it" in text
            assert text.endswith("`backtest audit` looks at every decision")


def test_each_spot_has_another_future_of_a_month(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the spot the same prices, after it 21 sessions of others, and then nothing."""
    seen: list[Market] = []
    strategy, params = REGISTRY["relative_momentum"], {"lookback_sessions": 10}
    config = config_of(REGISTRY, "relative_momentum", market, **params)
    whole = decide(config, market, strategy)
    monkeypatch.setattr(strategy, "decide", lambda other, legs, p: (seen.append(other), DECIDE(other, legs, p))[1])
    assert spot_audit(config, market, strategy, whole) == len(seen) == SPOTS
    for other in seen:
        rows = len(other.sessions)
        same = (other.close.to_numpy() == market.close.to_numpy()[:rows]).all(axis=1)
        row = int(same.argmin()) - 1
        assert same[: row + 1].all()
        assert not same[row + 1 :].any()
        assert rows == min(row + 1 + 21, len(market.sessions))


@pytest.fixture(scope="module")
def decades() -> Market:
    """The sample, in which spots are far enough apart to share a market."""
    return load_market(load_config(QUICKSTART, strategies=REGISTRY))


def ahead(sessions: int) -> type:
    """A cheat that looks so far ahead."""

    class Ahead(RotationStrategy):
        @staticmethod
        def decide(market: Market, legs: Legs, p: Any) -> Decision:
            return cheats.small_while(cheats.lead_of(market, legs).shift(-sessions))

    return Ahead


def test_one_market_for_several_spots_finds_as_much_and_however_far_ahead(decades: Market) -> None:
    far = {f"ahead_{sessions}": ahead(sessions) for sessions in (1, 21, 22, 63, 120, 250)}
    strategies = {**cheats.SPOT_CHEATS, **far}
    told = {name: found(name, strategies, decades) for name in strategies}
    assert all(told[name] for name in far)
    assert sum(bool(told[name]) for name in cheats.SPOT_CHEATS) >= LEAST_FOUND, told


def test_spots_share_markets_and_what_remembers_longer_is_asked_again_alone(
    decades: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Remembers(RotationStrategy):
        """Honest, but what it saw in its first year counts for ever."""

        @staticmethod
        def decide(market: Market, legs: Legs, p: Any) -> Decision:
            lead = cheats.lead_of(market, legs)
            return cheats.small_while(lead - lead.expanding(250).mean())

    asked: list[int] = []

    def counted(strategy: Any) -> Any:
        own = strategy.decide
        monkeypatch.setattr(strategy, "decide", lambda other, legs, p: (asked.append(1), own(other, legs, p))[1])
        return strategy

    assert found("relative_momentum", {"relative_momentum": counted(REGISTRY["relative_momentum"])}, decades) == ""
    assert len(asked) == 1 + 2, "the run's own, and one for each half of the spots"
    asked.clear()
    assert found("remembers", {"remembers": counted(Remembers)}, decades) == ""
    assert 1 + 2 < len(asked) <= 1 + 2 + SPOTS - 2, "the first of each half has no detour before it"


def test_a_detour_is_noise_for_a_month_in_every_field_and_then_the_real_prices_go_on(decades: Market) -> None:
    market = dataclasses.replace(decades, series={"macro": observed_daily(decades)})
    rows = [1000, 2000]
    other = detours(market, rows, 21, seed=1)
    sessions = market.sessions
    assert other.sessions.equals(sessions[: 2000 + 22])
    is_noise = np.zeros(len(other.sessions), dtype=bool)
    for row in rows:
        is_noise[row + 1 : row + 22] = True
    for name in ("open", "close", "raw_open", "raw_close", "tbill"):
        same = getattr(other, name).to_numpy() == getattr(market, name).to_numpy()[: len(is_noise)]
        assert (same == ~is_noise if same.ndim == 1 else same == ~is_noise[:, None]).all(), name
    for was, became in ((market.policy, other.policy), (market.series["macro"].frame, other.series["macro"].frame)):
        until = was[was["session"] <= other.sessions[-1]]
        real = [
            frame[~frame["session"].isin(other.sessions[is_noise])].reset_index(drop=True) for frame in (until, became)
        ]
        pd.testing.assert_frame_equal(*real)
        assert became["session"].is_monotonic_increasing
        noisy = [frame[frame["session"].isin(other.sessions[is_noise])] for frame in (until, became)]
        assert len(noisy[1]) > 0
        assert not noisy[0].equals(noisy[1])


def observed_daily(market: Market) -> PointInTime:
    days = market.sessions.to_numpy()
    return observations(days, days, days, {"value": np.arange(len(days), dtype=np.float64)})


@pytest.mark.parametrize("name", cheats.SPOT_CHEATS)
def test_the_audit_of_all_decisions_finds_every_one(name: str, market: Market) -> None:
    assert not audited(cheats.SPOT_CHEATS, name, market, sessions=30, last=250).ok


@pytest.mark.parametrize(("name", "params"), VARIANTS)
def test_shipped_strategies_are_clean(name: str, params: dict[str, Any], market: Market) -> None:
    assert found(name, REGISTRY, market, **params) == ""


def test_a_strategy_that_trades_in_its_own_next_is_not_audited_and_says_so(market: Market) -> None:
    result = run_audited(config_of(cheats.HONEST, "honest_next", market, last=60), cheats.HONEST, market=market)
    assert result.audited is None
    assert result.audit_words == "not audited: use `backtest audit`"


@pytest.mark.parametrize(
    ("decided", "rows"),
    [
        (range(20, 80, 3), {20, 26, 32, 38, 44, 53, 59, 65, 71, 77}),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50, 90], {1, 2, 3, 5, 6, 8, 9, 10, 50, 90}),  # the far ones all
        ([50], {0, 12, 25, 37, 49, 50, 62, 74, 87, 99}),
        ([], {0, 11, 22, 33, 44, 55, 66, 77, 88, 99}),
        ([3, 200], {0, 3, 12, 25, 37, 49, 62, 74, 87, 99}),
    ],
)
def test_decisions_come_first_and_are_spread_over_the_run(decided: Any, rows: set[int]) -> None:
    chosen = spot_rows(np.array(list(decided), dtype=np.int64), 0, 100, 10)
    assert set(chosen.tolist()) == rows


def test_a_run_of_few_sessions_is_looked_at_on_each() -> None:
    assert spot_rows(np.array([3]), 0, 4, 10).tolist() == [0, 1, 2, 3]


def test_the_command_stops_at_a_look_ahead_and_leaves_no_result(tmp_path: Path, monkeypatch: Any) -> None:
    from backtest.commands import run as module

    for each in (common, module):
        monkeypatch.setattr(each, "registry", lambda: cheats.SPOT_CHEATS)
    path = tmp_path / "cheat.yaml"
    path.write_text(
        "name: cheat\ndata: {prices: {source: sample}, start: 2023-01-03, end: 2024-12-31}\n"
        "strategy: {name: shifted_back}\nexecution: {commission_bps: 1, slippage_bps: 4}\n",
        encoding="utf-8",
        newline="\n",
    )
    with pytest.raises(RunError, match=r"shifted_back: 202.-..-.. is the first session that changes") as raised:
        run_configs([path], [], tmp_path / "out", offline=True, as_json=False, ledger=tmp_path / "ledger.db")
    assert raised.value.exit_code == 5
    assert not list((tmp_path / "out").glob("cheat-*"))


def test_terminal_metrics_and_manifest_say_at_how_many_decisions(tmp_path: Path, capsys: Any) -> None:
    short = ["data.start=2023-01-03"]
    ledger = tmp_path / "ledger.db"
    run_configs([QUICKSTART], short, tmp_path / "out", offline=True, as_json=False, ledger=ledger)
    assert "\n  Audited at 10 decisions\n" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").glob("quickstart-*")
    for file in ("metrics.json", "manifest.json"):
        assert json.loads((folder / file).read_text(encoding="utf-8"))["audited_decisions"] == 10
    assert "Look-ahead: audited at 10 decisions" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_from_python_is_audited_too() -> None:
    config = load_config(QUICKSTART, strategies=REGISTRY, overrides=["data.start=2024-01-02"])
    assert api.run(config, market=load_market(config)).audited == 10
