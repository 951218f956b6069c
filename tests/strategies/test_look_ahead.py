"""No strategy and no signal knows at a close what came after it: the future is cut off, and poisoned, to see.

Cuts are made at the sessions at which something is decided, which is where a leak would show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cheats
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import fills_of, first_difference, poisoned, rotation_market

from backtest.account import run_kernel
from backtest.account.plan import Terms, make_plan
from backtest.decision import Decision
from backtest.market import Floats, Legs, Market
from backtest.signals import (
    all_of,
    any_of,
    cut_evidence,
    cut_window,
    last_of_period,
    latch,
    lead_evidence,
    leg_return,
    relative_return,
)
from strategies import REGISTRY

LEGS = Legs()

RULES = (
    {"leg": "cash", "when": {"signal": "volatility", "above": 0.2}},
    {"leg": "small", "when": {"signal": "surge"}},
    {"leg": "growth"},
)
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "rate_cut": ("rate_cut", {"hold_sessions": 4}),
    "rate_cut, large cuts": ("rate_cut", {"hold_sessions": 3, "min_cut_bps": 50}),
    "relative_momentum": ("relative_momentum", {"lookback_sessions": 5}),
    "relative_momentum, threshold": ("relative_momentum", {"lookback_sessions": 10, "threshold": 0.01}),
    "relative_momentum, weekly": ("relative_momentum", {"lookback_sessions": 2, "decide": "weekly"}),
    "relative_momentum, monthly": ("relative_momentum", {"lookback_sessions": 5, "decide": "monthly"}),
    "relative_momentum, every": ("relative_momentum", {"lookback_sessions": 5, "decide": {"every_sessions": 3}}),
    "rate_cut_momentum, every": (
        "rate_cut_momentum",
        {"hold_sessions": 9, "lookback_sessions": 5, "combine": "any", "decide": {"every_sessions": 4}},
    ),
    "rank, every": ("rank", {"lookback_sessions": 5, "decide": {"every_sessions": 3}}),
    "relative_momentum, months": ("relative_momentum", {"lookback_months": 1}),
    "rate_cut_momentum, all": ("rate_cut_momentum", {"hold_sessions": 9, "lookback_sessions": 5}),
    "rate_cut_momentum, any": ("rate_cut_momentum", {"hold_sessions": 3, "lookback_sessions": 5, "combine": "any"}),
    "static_mix": ("static_mix", {"shares": {"growth": 0.7, "small": 0.3}}),
    "rules": ("rules", {"hold": RULES}),
    "rank": ("rank", {"lookback_sessions": 5, "decide": "daily"}),
    "rank, months": ("rank", {"lookback_months": (1, 2), "above": 0.0, "top": 2, "weights": "inverse_volatility"}),
    "rank, canary": (
        "rank",
        {
            "universe": "small",
            "score": "scaled",
            "above": "growth",
            "canary": "small",
            "defensive": "growth",
            "decide": "weekly",
            "lookback_months": 1,
        },
    ),
    "rank, tbill": ("rank", {"lookback_months": 1, "above": "tbill", "decide": "daily"}),
    "parts": (
        "parts",
        {
            "parts": (
                {"share": 0.5, "rank": {"lookback_sessions": 5, "decide": "daily"}},
                {"share": 0.3, "rank": {"lookback_sessions": 3, "above": 0.0, "decide": "daily"}},
                {"share": 0.2, "rules": {"hold": RULES}},
            )
        },
    ),
    "rank, several lengths": (
        "rank",
        {
            "lookback_sessions": (3, 8),
            "score_weights": (2.0, -0.5),
            "above": 0.0,
            "top": 2,
            "weights": "inverse_volatility",
            "volatility_sessions": 5,
            "decide": "daily",
        },
    ),
    "rank, hurdle is a ticker": ("rank", {"lookback_sessions": 4, "above": "IWM", "canary": "QQQ", "decide": "daily"}),
    "rank, average": ("rank", {"score": "moving_average", "lookback_months": 2, "above": 0.0, "decide": "daily"}),
}
"""Each registered strategy, with parameters under which it decides something new all the time."""

SELDOM = {
    "relative_momentum, weekly",
    "relative_momentum, monthly",
    "static_mix",
    "rules",
    "rank, months",
    "rank, canary",
}
"""Cannot decide something new often enough: cut at random sessions too."""


def test_every_registered_strategy_is_tried() -> None:
    assert {name for name, _ in QUESTIONS.values()} == set(REGISTRY)


def series_of(decision: Decision, market: Market) -> dict[str, Floats]:
    """Everything a decision says per session: shares, evidence and what that leans to."""
    series = {f"share_{name}": share for name, share in zip(LEGS.names, decision.by_leg.T, strict=True)}
    series |= {f"{ticker} in {leg}": w for leg, of in (decision.within or {}).items() for ticker, w in of.items()}
    for evidence in decision.evidence:
        series[evidence.name] = evidence.values
        if evidence.leans is not None:
            series[f"{evidence.name} leans"] = evidence.leans
    return series


def question_of(name: str) -> Callable[[Market], dict[str, Floats]]:
    key, given_params = QUESTIONS[name]
    strategy = REGISTRY[key]
    params = strategy.Params(**given_params)
    return lambda market: series_of(strategy.decide(market, LEGS, params), market)


def decision_rows(series: Mapping[str, Floats]) -> Any:
    """Rows at which something new is decided."""
    shares = np.nan_to_num(np.array([series[f"share_{name}"] for name in LEGS.names]), nan=-1.0)
    return np.flatnonzero((shares[:, 1:] != shares[:, :-1]).any(axis=0)) + 1


Ask = Callable[[Market], Mapping[str, Floats]]


def check_row(ask: Ask, market: Market, whole: Mapping[str, Floats], row: int) -> None:
    """Cut at `row` and poisoned after it, every series is the same up to there."""
    with np.errstate(over="ignore", invalid="ignore"):  # noise of thousands of sessions, compounded, is no number
        spoilt = ask(poisoned(market, row, seed=row))
    for told in (ask(market.until(market.sessions[row])), spoilt):
        assert told.keys() == whole.keys()
        for name, values in whole.items():
            at = first_difference(values[: row + 1], told[name][: row + 1])
            assert at is None, f"{name} of session {at} changes with what comes after session {row}"


def check_at(name: str, market: Market, seed: int, cuts: int) -> None:
    ask = question_of(name)
    whole = ask(market)
    rows = decision_rows(whole)
    if name in SELDOM:
        rows = np.union1d(rows, np.random.default_rng(seed).choice(len(market.sessions) - 1, cuts, replace=False))
    assert len(rows) >= cuts, f"{name} decides something new only {len(rows)} times"
    for row in np.random.default_rng(seed).choice(rows, cuts, replace=False):
        check_row(ask, market, whole, int(row))


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_future_changes_no_decision(name: str) -> None:
    check_at(name, rotation_market(7), seed=7, cuts=15)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_future_changes_no_decision_at_120_sessions(name: str, seed: int) -> None:
    check_at(name, rotation_market(seed, sessions=2000), seed, cuts=120)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("rebalance", ["on_change", "monthly", 0.02])
def test_the_future_changes_no_row_of_the_books(name: str, rebalance: str | float) -> None:
    """Fills too: a rebalance by the calendar must not depend on where the data end."""
    market = rotation_market(7, sessions=160)
    whole = books_rows(name, market, rebalance)
    for row in (20, 63, 64, 100, 158):
        cut = books_rows(name, market.until(market.sessions[row]), rebalance)
        assert cut == {key: told for key, told in whole.items() if day_of(key) <= market.sessions[row]}


def day_of(key: Any) -> pd.Timestamp:
    return pd.Timestamp(key[0] if isinstance(key, tuple) else key)


def books_rows(name: str, market: Market, rebalance: str | float) -> dict[Any, Any]:
    """Session -> equity and cash at its close; (session, ticker) -> shares traded at its open."""
    key, given_params = QUESTIONS[name]
    decision = REGISTRY[key].decide(market, LEGS, REGISTRY[key].Params(**given_params))
    weights = LEGS.weights(LEGS.tickers, decision.held(LEGS, "growth"))
    terms = Terms(cost_rate=0.0005, rebalance=rebalance, earns_tbill=True)
    books = run_kernel(make_plan(market, LEGS.tickers, weights, market.sessions[0], terms))
    rows = dict(zip(books.sessions, zip(books.equity, books.cash, strict=True), strict=True))
    return {**rows, **{(day, ticker): size for day, ticker, size, _ in fills_of(books)}}


SIGNALS: dict[str, Callable[[Market], Floats]] = {
    "leg_return": lambda m: leg_return(m, LEGS["small"], 5),
    "relative_return": lambda m: relative_return(m, LEGS["small"], LEGS["growth"], 21),
    "cut_window, left": lambda m: cut_window(m, hold_sessions=9, min_cut_bps=25).sessions_left.astype(float),
    "cut_window, is_open": lambda m: cut_window(m, hold_sessions=9, min_cut_bps=25).is_open,
    "cut_window, event": lambda m: cut_window(m, hold_sessions=9, min_cut_bps=25).last_event.astype(float),
    "last_of_period, weekly": lambda m: last_of_period(m, "weekly").astype(float),
    "last_of_period, monthly": lambda m: last_of_period(m, "monthly").astype(float),
    "cut_evidence": lambda m: cut_evidence(m, "small", 9, 25).values,
    "lead_evidence": lambda m: lead_evidence(m, LEGS, "small", "growth", 5, 0.0, "weekly").leans,  # type: ignore[dict-item,return-value]
    "latch": lambda m: latch(
        relative_return(m, LEGS["small"], LEGS["growth"], 5) > 0.01,
        relative_return(m, LEGS["small"], LEGS["growth"], 5) < -0.01,
    ),
    "all_of": lambda m: all_of(
        latch(leg_return(m, LEGS["small"], 5) > 0, leg_return(m, LEGS["small"], 5) < 0), leaning(m)
    ),
    "any_of": lambda m: any_of(
        latch(leg_return(m, LEGS["small"], 5) > 0, leg_return(m, LEGS["small"], 5) < 0), leaning(m)
    ),
}


def leaning(market: Market) -> Floats:
    return cut_window(market, hold_sessions=9, min_cut_bps=25).is_open


def test_every_public_signal_is_tried() -> None:
    import backtest.signals

    functions = {name for name in backtest.signals.__all__ if name.islower()}
    assert functions <= {name.split(",")[0] for name in SIGNALS}


SIGNAL_MARKET = rotation_market(3, sessions=300)


@pytest.mark.parametrize("name", SIGNALS)
@given(row=st.integers(0, 298))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_future_changes_no_signal(name: str, row: int) -> None:
    ask = SIGNALS[name]
    check_row(lambda m: {name: ask(m)}, SIGNAL_MARKET, {name: ask(SIGNAL_MARKET)}, row)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
@given(row=st.integers(0, 298))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_future_changes_no_signal_at_150_sessions(name: str, row: int) -> None:
    ask = SIGNALS[name]
    check_row(lambda m: {name: ask(m)}, SIGNAL_MARKET, {name: ask(SIGNAL_MARKET)}, row)


# --------------------------------------------------------------------------------- the test of the test

CHEATS = [
    cheats.ShiftedBack,
    cheats.FullSampleScore,
    cheats.WeekLabelledLeft,
    cheats.MonthAverageDatedFirst,
    cheats.KnowsTheLastDate,
]


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda c: c.__name__)
def test_a_planted_cheat_is_seen(cheat: Any) -> None:
    market = rotation_market(7, sessions=300)

    def ask(told: Market) -> dict[str, Floats]:
        return series_of(cheat.decide(told, LEGS, cheat.Params()), told)

    whole = ask(market)
    assert any(is_caught(ask, market, whole, int(row)) for row in decision_rows(whole))


def is_caught(ask: Ask, market: Market, whole: Mapping[str, Floats], row: int) -> bool:
    try:
        check_row(ask, market, whole, row)
    except AssertionError:
        return True
    return False


def test_the_poison_reaches_everything_that_is_known_later_and_nothing_else() -> None:
    market = rotation_market(7, sessions=100)
    spoilt = poisoned(market, 40, seed=1)
    for name in ("open", "close", "raw_open", "raw_close"):
        mine, theirs = getattr(market, name).to_numpy(), getattr(spoilt, name).to_numpy()
        assert (mine[:41] == theirs[:41]).all()
        assert (mine[41:] != theirs[41:]).all()
    assert market.tbill is not None
    assert spoilt.tbill is not None
    assert (market.tbill.to_numpy()[41:] != spoilt.tbill.to_numpy()[41:]).all()
    later = market.policy["session"] > market.sessions[40]
    assert (market.policy["change_bps"] != spoilt.policy["change_bps"].to_numpy())[later].any()
    assert (market.policy["change_bps"] == spoilt.policy["change_bps"].to_numpy())[~later].all()
