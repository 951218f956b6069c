"""The shipped configs of the signals: no look-ahead, delays when observations come later, distances that are right."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from worlds import first_difference, poisoned, rotation_market

from backtest.audit.audit import audit
from backtest.config import Config, load_config
from backtest.data import load_market
from backtest.decision import Branch, Decision, Evidence
from backtest.market import Legs, Market
from backtest.now.why import explain, lines, turns_root
from backtest.pipeline import decide, legs_of
from backtest.signals.conditions import AnySignal, leaves_of
from backtest.signals.limits import nearest_flip
from backtest.signals.signal import Signal
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[2] / "configs"
OF_RULES = ("implied_cut", "cool_cpi", "easing_cycle", "valuation_catch_up", "surge_2024", "rules_example")
OTHERS = ("rate_cut", "relative_momentum", "rate_cut_momentum", "quickstart")
ON_SAMPLE = ("data.prices={source: sample}", "data.end=2025-12-31")

markets: dict[str, tuple[Config, Market]] = {}


def sample(name: str) -> tuple[Config, Market]:
    """A shipped config and its market on the sample, loaded once."""
    if name not in markets:
        config = load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY, overrides=ON_SAMPLE)
        markets[name] = config, load_market(config)
    return markets[name]


def decided(name: str, market: Market | None = None) -> Decision:
    config, whole = sample(name)
    return decide(config, market or whole, REGISTRY[config.strategy.name])


@pytest.mark.parametrize("name", OF_RULES)
def test_a_shipped_config_reads_nothing_that_comes_later(name: str) -> None:
    config, market = sample(name)
    late = config.model_copy(update={"data": config.data.model_copy(update={"start": "2011-10-03"})})
    report = audit(late, REGISTRY, market=market.until(pd.Timestamp("2011-12-30")), sessions=8)
    assert report.ok, report.lines()
    assert report.sessions_checked >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_RULES)
def test_a_shipped_config_reads_nothing_that_comes_later_on_all_its_sessions(name: str) -> None:
    config, market = sample(name)
    report = audit(config, REGISTRY, market=market, sessions=120)
    assert report.ok, report.lines()


PAIR: dict[str, Any] = {"of": "IWM", "over": "QQQ"}
SIGNALS: dict[str, dict[str, Any]] = {
    "lead": {},
    "surge": {},
    "twelve_one": {},
    "scaled_lead": {"window_sessions": 20},
    "run": {"counts": "leading"},
    "relative_strength": PAIR,
    "moving_average": {"window_sessions": 50},
    "volatility": {"window_sessions": 20},
    "valuation_gap": {**PAIR, "window_sessions": 100},
    "cut_window": {"for_sessions": 9},
    "easing_cycle": {"kind": "insurance", "gap_days": 30},
    "implied_cut": {"meeting": 2},
    "expected_cuts": {"months": 6},
    "cut_proxy": {},
    "yield": {"change_sessions": 10},
    "cool_cpi": {"against": "own_mean"},
    "cool_cpi, consensus": {},
    "cool_cpi, two_year": {"against": "two_year"},
    "series": {"name": "DGS10", "score_sessions": 60, "above": 0.5},
    "lead, months": {"lookback_months": 2},
    "momentum": {"of": "small", "over": "tbill", "lookback_sessions": 40},
    "momentum, months": {"of": "QQQ", "over": "growth", "lookback_months": 3},
    "breadth": {"of": ("IWM", "QQQ", "small"), "lookback_months": 1, "above": 1},
    "moving_average, months": {"window_months": 4},
    "rank": {"of": "IWM", "among": ("QQQ", "IWM", "growth"), "top": 2, "leave": 4.0, "lookback_sessions": 20},
    "rank, months": {"of": "small", "among": ("growth", "small"), "lookback_months": 1},
    "surge, months": {"lookback_months": 1},
    "scaled_lead, months": {"lookback_months": 1, "window_sessions": 20},
    "relative_strength, months": {**PAIR, "lookback_months": 3},
}


def signal_of(name: str) -> Signal:
    Params = REGISTRY["rules"].Params
    written = {"signal": name.split(",")[0], **SIGNALS[name]}
    return Params(hold=({"leg": "small", "when": written}, {"leg": "growth"})).hold[0].when  # type: ignore[no-any-return]


def all_signals() -> Iterator[str]:
    for each in get_args(get_args(AnySignal)[0]):
        yield str(each.model_fields["signal"].annotation.__args__[0])


def test_every_signal_is_tried() -> None:
    assert {name.split(",")[0] for name in SIGNALS} == set(all_signals())


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_reads_nothing_that_comes_later(name: str) -> None:
    market, signal = rotation_market(5, sessions=420), signal_of(name)

    def told(other: Market) -> Evidence:
        return signal.evidence(other, Legs(), "it", leg="small", asks=True)

    whole = told(market)
    assert np.isfinite(whole.values[300:]).any(), "it says something"
    assert whole.leans is not None
    for row in (150, 290, 301, 350, 418):
        for other in (market.until(market.sessions[row]), poisoned(market, row, seed=row)):
            again = told(other)
            assert again.leans is not None
            assert first_difference(whole.values[: row + 1], again.values[: row + 1]) is None
            assert first_difference(whole.leans[: row + 1], again.leans[: row + 1]) is None


def later(market: Market, name: str) -> Market:
    """The market with one series known a session later."""
    series = market.series[name]
    calendar = market.exchange_sessions
    place = calendar.get_indexer(pd.DatetimeIndex(series.frame["session"])) + 1
    moved = dataclasses.replace(series, frame=series.frame.assign(session=calendar[place]))
    return dataclasses.replace(market, series={**market.series, name: moved})


def test_an_observation_that_comes_a_day_later_delays_the_decision_by_a_day() -> None:
    _, market = sample("cool_cpi")
    now, then = decided("cool_cpi"), decided("cool_cpi", later(market, "cpi"))
    known = slice(300, None)
    assert (then.by_leg[known] == np.roll(now.by_leg, 1, axis=0)[known]).all()
    assert (then.by_leg[known] != now.by_leg[known]).any()


@pytest.mark.parametrize(
    ("name", "series"), [("implied_cut", "zq"), ("easing_cycle", "DGS10"), ("rules_example", "cpi")]
)
def test_every_series_a_config_reads_moves_it_when_it_comes_later(name: str, series: str) -> None:
    _, market = sample(name)
    now, then = decided(name), decided(name, later(market, series))
    assert any(
        first_difference(one.values, other.values) is not None
        for one, other in zip(now.evidence, then.evidence, strict=True)
    )


@pytest.mark.parametrize("name", [*OF_RULES, *OTHERS])
@pytest.mark.parametrize("day", ["2024-07-16", "2025-12-31"])
def test_every_distance_to_a_flip_flips_and_a_little_less_does_not(name: str, day: str) -> None:
    config, market = sample(name)
    decision = decided(name)
    row = int(market.sessions.get_loc(pd.Timestamp(day)))
    tried = 0
    for evidence in decision.evidence:
        assert evidence.switch is not None
        values = np.asarray(evidence.values)
        flip = nearest_flip(evidence.switch, values, evidence.thresholds, row)
        if flip is None:
            continue
        tried += 1
        before = evidence.switch(values)[row]
        almost = values[row] + (1 - 1e-9) * flip.distance(values[row])
        assert with_value(evidence, row, flip.value) == 1.0 - before
        assert with_value(evidence, row, almost) == before or abs(flip.distance(values[row])) < 1e-9
    assert tried or name in ("cool_cpi", "valuation_catch_up", "surge_2024")
    told = "\n".join(lines(explain(decision, market, legs_of(config), config.strategy.initial, row)))
    assert told.startswith(day)
    assert "nan" not in told
    assert decision.why(row, legs_of(config)) in told


def with_value(evidence: Evidence, row: int, value: float) -> float:
    values = np.array(evidence.values, dtype=np.float64)
    values[row] = value
    assert evidence.switch is not None
    return float(evidence.switch(values)[row])


@pytest.mark.parametrize("name", OF_RULES)
def test_a_leaf_said_to_turn_its_rule_does(name: str) -> None:
    _, market = sample(name)
    decision = decided(name)
    for row in (2000, 4000, len(market.sessions) - 1):
        for root in decision.rules.values():
            for path in paths_of(root):
                if np.isnan(path[-1].state[row]):
                    continue
                assert turns_root(path, row) == (merged(root, path[-1], row) == 1.0 - root.state[row])


def paths_of(branch: Branch) -> list[list[Branch]]:
    below = [[branch, *path] for child in branch.children for path in paths_of(child)]
    return below or [[branch]]


def merged(branch: Branch, flipped: Branch, row: int) -> float:
    """The state of a branch with one leaf's answer turned, by plain recursion."""
    if branch is flipped:
        return 1.0 - float(branch.state[row])
    if branch.merge is None:
        return float(branch.state[row])
    return branch.merge([merged(child, flipped, row) for child in branch.children], row)


def test_moving_prices_by_the_distance_moves_the_decision() -> None:
    """End to end: the last closes of small caps moved so that the lead crosses zero."""
    config, market = sample("relative_momentum")
    decision = decided("relative_momentum")
    row = len(market.sessions) - 1
    evidence = decision.evidence[0]
    assert evidence.switch is not None
    flip = nearest_flip(evidence.switch, np.asarray(evidence.values), evidence.thresholds, row)
    assert flip is not None
    lookback = config.strategy.params.lookback_sessions  # type: ignore[attr-defined]

    def share(distance: float) -> float:
        close = market.close.copy()
        for ticker in ("IWM", "IWN"):  # each leg return moves by the distance, so does their mean
            close.iloc[row, close.columns.get_loc(ticker)] += distance * close[ticker].iloc[row - lookback]
        return float(decided("relative_momentum", dataclasses.replace(market, close=close)).by_leg[row, 1])

    distance = flip.distance(float(evidence.values[row]))
    assert share(1.0001 * distance) == 1.0 - decision.by_leg[row, 1]
    assert share(0.9999 * distance) == decision.by_leg[row, 1]


def test_leaves_stand_from_left_to_right() -> None:
    root = decided("rules_example").rules["small caps on a cut"]
    assert [leaf.evidence.name for leaf in leaves_of(root) if leaf.evidence] == [
        "lead_2", "implied_cut", "cut_proxy", "cut_window", "cool_cpi", "relative_strength",
    ]  # fmt: skip
