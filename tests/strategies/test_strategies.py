"""What a strategy tells about itself, and what it refuses to be asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import rotation_market

from backtest.decision import check_decision, target_weights
from backtest.market import Legs
from backtest.signals.periods import PERIODS
from strategies import REGISTRY
from strategies.rules import Entry

OTHER_VALUES: dict[str, Any] = {
    "parts": ({"share": 0.5, "rank": {"lookback_sessions": 20}}, {"share": 0.4, "leg": "small"}),
    "hold_sessions": 17,
    "min_cut_bps": 31,
    "lookback_sessions": 19,
    "threshold": 0.037,
    "decide": "weekly",
    "combine": "any",
    "shares": {"growth": 0.77, "small": 0.23},
    "unknown": "no",
    "proportional": True,
    "volatility_target": {"annual": 0.07},
    "inverse_volatility": {"window_sessions": 21},
    "universe": ("small", "growth"),
    "score": "moving_average",
    "lookback_months": 5,
    "score_weights": (0.3,),
    "top": 1,
    "weights": "equal",
    "volatility_sessions": 21,
    "above": 0.05,
    "defensive": "bonds",
    "canary": "growth",
}
"""For each parameter one that is no default."""

LEADS = tuple({"signal": "lead", "lookback_sessions": n} for n in (5, 10, 20))
TREE = {"score": LEADS, "enter": 0.3}
NEEDED: dict[str, dict[str, Any]] = {
    "rules": {"hold": ({"leg": "small", "when": TREE}, {"leg": "growth"})},
    "rank": {"above": 0.02, "top": 2, "weights": "inverse_volatility"},
    "parts": {"parts": ({"share": 0.6, "rank": {"lookback_sessions": 20}}, {"share": 0.4, "leg": "small"})},
}
"""What a strategy cannot do without."""

OTHER_HOLDS = {
    "when": {"leg": "small", "when": {"signal": "run"}},
    "leg": {"leg": "cash", "when": TREE},
    "min_hold": {"leg": "small", "when": TREE, "min_hold_sessions": 7},
    "cooldown": {"leg": "small", "when": TREE, "cooldown_sessions": 6},
    "max_hold": {"leg": "small", "when": TREE, "max_hold_sessions": 5},
}

PARAMETERS = [(name, field) for name, strategy in REGISTRY.items() for field in strategy.Params.model_fields]
PARAMETERS += [("rules", each) for each in OTHER_HOLDS]
PARAMETERS.remove(("rules", "hold"))


def other(name: str, field: str, needed: dict[str, Any]) -> dict[str, Any]:
    """The parameters with another value of one."""
    if field in OTHER_HOLDS and name == "rules":
        return {**needed, "hold": (OTHER_HOLDS[field], {"leg": "growth"})}
    if field == "lookback_months":
        return {
            **{key: value for key, value in needed.items() if key != "lookback_sessions"},
            field: OTHER_VALUES[field],
        }
    if field in ("hold", "otherwise"):
        return {**needed, field: "bonds"}
    return {**needed, field: OTHER_VALUES[field]}


LEGS = Legs({**Legs().baskets, "bonds": {"IWM": 0.3, "QQQ": 0.2}})


@pytest.mark.parametrize(("name", "field"), PARAMETERS)
def test_the_rule_is_told_with_every_parameter_filled_in(name: str, field: str) -> None:
    """Two strategies that differ do not read the same."""
    strategy = REGISTRY[name]
    needed = NEEDED.get(name, {})
    usual = strategy.rule(LEGS, strategy.Params(**needed))
    another = strategy.rule(LEGS, strategy.Params(**other(name, field, needed)))
    assert another != usual


@pytest.mark.parametrize("name", REGISTRY)
def test_the_rule_is_one_sentence(name: str) -> None:
    strategy = REGISTRY[name]
    rule = strategy.rule(LEGS, strategy.Params(**NEEDED.get(name, {})))
    assert rule.endswith(".")
    assert rule[0].isupper()
    assert ". " not in rule
    assert "\n" not in rule


@pytest.mark.parametrize(("name", "field"), PARAMETERS)
def test_every_parameter_is_described_and_changes_what_is_decided(name: str, field: str) -> None:
    strategy = REGISTRY[name]
    fields = Entry.model_fields if field in OTHER_HOLDS else strategy.Params.model_fields
    assert all(each.description for each in fields.values())
    market = rotation_market(9, sessions=400)
    short = {"hold_sessions": 9, "lookback_sessions": 5}
    usual = {key: value for key, value in short.items() if key in strategy.Params.model_fields} | NEEDED.get(name, {})
    one, another = (
        strategy.decide(market, LEGS, strategy.Params(**params)) for params in (usual, other(name, field, usual))
    )
    tickers = LEGS.tickers
    weights = [target_weights(decision, LEGS, tickers, "cash") for decision in (one, another)]
    assert not np.array_equal(*weights)


@pytest.mark.parametrize("name", REGISTRY)
def test_a_decision_is_one_and_has_a_reason_for_every_row(name: str) -> None:
    strategy, market = REGISTRY[name], rotation_market(9, sessions=300)
    decision = check_decision(strategy.decide(market, Legs(), strategy.Params(**NEEDED.get(name, {}))), market, Legs())
    for row in range(300):
        assert len(decision.why(row, Legs())) > 5
    for evidence in decision.evidence:
        assert evidence.label
        assert evidence.unit


@pytest.mark.parametrize("name", REGISTRY)
def test_deciding_leaves_the_market_as_it_was(name: str) -> None:
    strategy, market = REGISTRY[name], rotation_market(9, sessions=100)
    before = (market.close.copy(), market.policy.copy())
    strategy.decide(market, Legs(), strategy.Params(**NEEDED.get(name, {})))
    assert before[0].equals(market.close)
    assert before[1].equals(market.policy)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("rate_cut", {"hold_sessions": 0}),
        ("rate_cut", {"min_cut_bps": 0}),
        ("rate_cut", {"hold_sessions": 252.5}),
        ("rate_cut", {"hold_sessions": True}),
        ("relative_momentum", {"lookback_sessions": 0}),
        ("relative_momentum", {"threshold": -0.01}),
        ("relative_momentum", {"threshold": float("inf")}),
        ("relative_momentum", {"decide": "yearly"}),
        ("rate_cut_momentum", {"combine": "both"}),
        ("static_mix", {"shares": {"small": 1.01}}),
        ("static_mix", {"shares": {"small": 0.7, "growth": 0.4}}),
    ],
)
def test_a_parameter_out_of_its_range_is_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        REGISTRY[name].Params(**params)


@pytest.mark.parametrize("name", [name for name, each in REGISTRY.items() if "decide" in each.Params.model_fields])
def test_every_period_is_told(name: str) -> None:
    strategy = REGISTRY[name]
    told = {strategy.rule(Legs(), strategy.Params(**NEEDED.get(name, {}), decide=period)) for period in PERIODS}
    assert len(told) == len(PERIODS)


@pytest.mark.parametrize("name", REGISTRY)
def test_parameters_cannot_be_changed(name: str) -> None:
    params = REGISTRY[name].Params(**NEEDED.get(name, {}))
    field = next(iter(type(params).model_fields))
    with pytest.raises(ValidationError):
        setattr(params, field, getattr(params, field))
