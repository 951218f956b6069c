"""Rules in YAML: what trees say, what is refused and where, sizes beyond all or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import worlds

from backtest.config import config_from_text, dump_yaml, resolved
from backtest.decision import check_decision, target_weights
from backtest.errors import ConfigError
from backtest.market import Legs, Market
from strategies import REGISTRY
from strategies.rules import Rules

LEGS = Legs()
HEAD = (
    "name: x\ndata:\n  prices: {source: sample}\n  start: 2005-01-03\nexecution: {commission_bps: 1, slippage_bps: 4}\n"
)
LEAD = {"signal": "lead", "lookback_sessions": 5}
LATE = {"signal": "lead", "lookback_sessions": 200}
"""Not known for 200 sessions."""


@pytest.fixture(scope="module")
def market() -> Market:
    return worlds.rotation_market(11, sessions=400)


def decided(market: Market, **params: Any) -> Any:
    return check_decision(Rules.decide(market, LEGS, Rules.Params(**params)), market, LEGS)


def held_when(condition: Any, **holds: Any) -> tuple[dict[str, Any], ...]:
    return ({"leg": "small", "when": condition, **holds}, {"leg": "growth"})


def state(market: Market, condition: Any, **params: Any) -> Any:
    return decided(market, hold=held_when(condition), **params).rules["small caps"].state


def test_trees_of_known_signals_are_logic(market: Market) -> None:
    one, other = state(market, LEAD)[10:], state(market, {"signal": "run"})[10:]
    pair = (LEAD, {"signal": "run"})
    assert (state(market, {"all": pair})[10:] == np.minimum(one, other)).all()
    assert (state(market, {"any": pair})[10:] == np.maximum(one, other)).all()
    assert (state(market, {"not": LEAD})[10:] == 1 - one).all()
    assert (state(market, {"score": pair, "enter": 0.5})[10:] == np.maximum(one, other)).all()
    assert (state(market, {"score": pair, "enter": 1.0})[10:] == np.minimum(one, other)).all()
    assert (state(market, {"score": pair, "weights": (3.0, 1.0), "enter": 0.7})[10:] == one).all()


def test_an_abstaining_signal_is_left_out_or_counts_as_no(market: Market) -> None:
    early = slice(10, 190)
    known = state(market, LEAD)[early]
    assert (state(market, {"all": (LEAD, LATE)})[early] == known).all()
    assert (state(market, {"all": (LEAD, LATE)}, unknown="no")[early] == 0).all()
    assert (state(market, {"any": (LEAD, LATE)}, unknown="no")[early] == known).all()
    assert (state(market, {"score": (LEAD, LATE), "enter": 1.0})[early] == known).all()
    assert (state(market, {"score": (LEAD, LATE), "enter": 1.0}, unknown="no")[early] == 0).all()
    assert np.isnan(state(market, {"not": LATE})[early]).all()
    assert np.isnan(state(market, {"all": (LATE, {"not": LATE})})[early]).all(), "everybody abstains"


def test_a_score_has_hysteresis(market: Market) -> None:
    conditions = tuple({"signal": "lead", "lookback_sessions": n} for n in (2, 3, 5, 8))
    plain = state(market, {"score": conditions, "enter": 0.75})
    sticky = state(market, {"score": conditions, "enter": 0.75, "leave": 0.25})
    assert np.nansum(np.abs(np.diff(sticky))) < np.nansum(np.abs(np.diff(plain)))
    assert (sticky[10:] >= plain[10:]).all()


def test_cash_overrides_and_the_reason_says_so(market: Market) -> None:
    told = decided(market, hold=({"leg": "cash", "when": {"signal": "surge", "below": -0.02}}, *held_when(LEAD)))
    row = int(np.flatnonzero(told.by_leg.sum(axis=1) == 0.0)[3])
    assert told.why(row, LEGS).startswith("Cash: surge")
    weights = target_weights(told, LEGS, LEGS.tickers, "growth")
    assert (weights[row] == 0).all()


def test_a_proportional_share_is_the_degree_of_the_score(market: Market) -> None:
    conditions = tuple({"signal": "lead", "lookback_sessions": n} for n in (2, 5, 10, 20))
    told = decided(market, hold=held_when({"score": conditions, "enter": 0.5}), proportional=True)
    assert set(np.unique(told.by_leg[30:, 1])) == {0.0, 0.25, 0.5, 0.75, 1.0}


@pytest.mark.parametrize(("enter", "unknown"), [(0.1, "abstain"), (0.5, "no"), (1.0, "abstain")])
def test_proportional_holds_as_much_as_is_fulfilled_below_enter_too(market: Market, enter: float, unknown: str) -> None:
    """`enter` is when a score says yes; how much is held does not ask it."""
    conditions = tuple({"signal": "lead", "lookback_sessions": n} for n in (2, 5, 10, 20))
    told = decided(market, hold=held_when({"score": conditions, "enter": enter}), proportional=True, unknown=unknown)
    small, growth = ({t: market.close[t] for t in LEGS[leg]} for leg in ("small", "growth"))
    leads = [
        sum(p.pct_change(n) for p in small.values()) > sum(p.pct_change(n) for p in growth.values())
        for n in (2, 5, 10, 20)
    ]
    assert told.by_leg[30:, 1].tolist() == pytest.approx(np.mean(leads, axis=0)[30:].tolist())


@pytest.mark.parametrize("row", [250, 300, 350])
def test_a_volatility_target_measures_what_inverse_volatility_holds(row: int) -> None:
    """IWM with 4 times the deviation of IWN: the leg's own halves would be measured at nearly twice what is held."""
    market = worlds.rotation_market(1, sessions=400)
    close, rng = market.close.copy(), np.random.default_rng(3)
    close["IWM"] = 100 * np.cumprod(1 + rng.normal(0, 0.02, 400))
    close["IWN"] = 100 * np.cumprod(1 + rng.normal(0, 0.005, 400))
    market = worlds.dataclasses.replace(market, close=close)
    target = {"annual": 0.05, "window_sessions": 20, "step": 0.0001}
    told = decided(market, hold=held_when(LEAD), volatility_target=target, inverse_volatility={"window_sessions": 20})
    leg = "small" if told.by_leg[row, 1] > 0.0 else "growth"
    held = {ticker: weights[row] for ticker, weights in told.within[leg].items()}
    daily = sum(weight * close[ticker].pct_change() for ticker, weight in held.items())
    realised = float(daily.iloc[row - 19 : row + 1].std(ddof=1)) * np.sqrt(252)  # type: ignore[union-attr]
    assert told.by_leg[row].sum() == pytest.approx(min(1.0, 0.05 / realised), abs=0.0001)
    assert set(held.values()) != set(LEGS[leg].values())


def test_half_is_invested_when_volatility_is_twice_the_target(market: Market) -> None:
    told = decided(
        market, hold=held_when(LEAD), volatility_target={"annual": 0.10, "window_sessions": 20, "step": 0.001}
    )
    row = 300
    leg = LEGS["small"] if told.by_leg[row, 1] > 0.0 else LEGS["growth"]
    daily = sum(w * market.close[t].pct_change() for t, w in leg.items())
    realised = float(daily.iloc[row - 19 : row + 1].std(ddof=1)) * np.sqrt(252)  # type: ignore[union-attr]
    assert told.by_leg[row].sum() == pytest.approx(min(1.0, 0.10 / realised), abs=0.001)


def test_twenty_and_ten_percent_volatility_get_a_third_and_two_thirds() -> None:
    rng = np.random.default_rng(1)
    market = worlds.rotation_market(1, sessions=300)
    close = market.close.copy()
    shock = rng.normal(0, 0.01, 300)
    close["IWM"], close["IWN"] = 100 * np.cumprod(1 + 2 * shock), 100 * np.cumprod(1 + shock)
    told = decided(worlds.dataclasses.replace(market, close=close), hold=held_when(LEAD), inverse_volatility={})
    assert told.within["small"]["IWM"][-1] == pytest.approx(1 / 3, abs=1e-9)
    assert told.within["small"]["IWN"][-1] == pytest.approx(2 / 3, abs=1e-9)
    assert told.within["small"]["IWM"][0] == 0.5, "the leg's own weights until it is known"


def config(rules: str) -> Any:
    return config_from_text(f"{HEAD}strategy:\n  name: rules\n  params:\n{rules}", "r.yaml", strategies=REGISTRY)


def test_a_config_of_rules_reads_back_as_it_was_resolved() -> None:
    rules = """    hold:
      - leg: small
        when:
          all:
            - {signal: implied_cut, meeting: 2024-09-18, above: 0.6}
            - not: {signal: cool_cpi}
            - score: [{signal: lead}, {signal: surge}]
              weights: [2, 1]
      - {leg: growth}
"""
    first = config(rules)
    again = config_from_text(dump_yaml(resolved(first)), strategies=REGISTRY)
    assert resolved(again) == resolved(first)
    assert again.strategy.params == first.strategy.params


SMALL_WHEN = "    hold:\n      - leg: small\n        when: "


@pytest.mark.parametrize(
    ("rules", "line", "words"),
    [
        (SMALL_WHEN + "{signal: laed}\n", 11, "did you mean lead?"),
        (SMALL_WHEN + "{signal: lead, lookbak_sessions: 5}\n", 11, "did you mean lookback_sessions?"),
        (SMALL_WHEN + "\n          all:\n            - {signal: lead, above: high}\n", 13, "above: found 'high'"),
        (
            SMALL_WHEN + "\n          all:\n            - {signal: lead, above: 0, below: 1}\n",
            13,
            "both above and below",
        ),
        (SMALL_WHEN + "\n          all: []\n", 12, "all"),
        (SMALL_WHEN + "{signal: series, name: X}\n", 11, "missing above or below"),
        ("    hold: [{leg: growth}]\n", 8, "no entry with when"),
        (
            SMALL_WHEN + "{signal: lead}\n        min_hold_sessions: 5\n        max_hold_sessions: 2\n",
            10,
            "at least min",
        ),
        (SMALL_WHEN + "{score: [{signal: lead}], weights: [1, 2]}\n", 11, "expected 1 numbers above 0"),
        (SMALL_WHEN + "{signal: lead, above: 0, leave: 1}\n", 11, "leave: found 1, expected at most 0"),
        (SMALL_WHEN + "{signal: lead}\n    unknown: maybe\n", 12, "abstain or no"),
        (SMALL_WHEN + "{signal: lead}\n        max_hold_sessions: 9\n", 8, "max_hold_sessions needs a last entry"),
        ("    hold: [{leg: growth}, {leg: small, when: {signal: lead}}]\n", 8, "hold[0]: missing when"),
        (
            SMALL_WHEN.replace("small", "smal") + "{signal: lead}\n",
            10,
            "found smal, expected one of the legs (growth, small)",
        ),
        ("    small_when: {signal: lead}\n", 8, "hold: [{leg: small, when: {signal: lead}}, {leg: growth}]"),
    ],
)
def test_a_mistake_is_told_with_its_line(rules: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        config(rules)
    assert len(told.value.problems) == 1, told.value.problems
    assert told.value.problems[0].startswith(f"r.yaml:{line}: strategy.params"), told.value.problems
    assert words in told.value.problems[0]
