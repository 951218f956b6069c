"""Legs of any number and name: both engines, the same figures under other names, nothing from a leg not held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_plain_simulator import check_world
from worlds import EXCHANGE, World, assert_same_books, market_of

from backtest.account import run_backtrader, run_kernel
from backtest.account.kernel import EXPOSURES, STATES, in_lists, inputs_of, simulate
from backtest.account.plan import Plan, Terms
from backtest.account.strategy import RotationStrategy
from backtest.config import Config, config_from_text
from backtest.decision import Decision, check_decision, target_weights
from backtest.errors import ConfigError
from backtest.market import Legs, Market
from backtest.pipeline import legs_of, run
from backtest.result import average_shares
from strategies import REGISTRY

TICKERS = tuple(f"T{i}" for i in range(6))
CALENDARS: tuple[Any, ...] = ("on_change", "daily", "weekly", "monthly", "quarterly", "annual", 5, 0.03)


def random_market(rng: np.random.Generator, sessions: int = 90) -> Market:
    begin = int(rng.integers(0, 1500))
    days = EXCHANGE[begin : begin + sessions]
    close = 50.0 * np.cumprod(1.0 + rng.normal(0.0, 0.02, (sessions, len(TICKERS))), axis=0)
    opens = close * (1.0 + rng.normal(0.0, 0.005, close.shape))
    return market_of(pd.DataFrame(opens, days, TICKERS), pd.DataFrame(close, days, TICKERS), exchange=EXCHANGE)


def random_legs(rng: np.random.Generator, count: int) -> Legs:
    """Baskets of one to three tickers, any of which may stand in several; some keep cash."""
    baskets: dict[str, dict[str, float]] = {}
    for i in range(count):
        chosen = rng.choice(TICKERS, size=rng.integers(1, 4), replace=False)
        parts = rng.random(len(chosen)) + 0.1
        whole = 1.0 if rng.random() < 0.6 else 0.8
        baskets[f"leg {i}"] = dict(zip(chosen.tolist(), (whole * parts / parts.sum()).tolist(), strict=True))
    return Legs(baskets)


def random_decision(rng: np.random.Generator, market: Market, legs: Legs) -> Decision:
    """Held for a few sessions each: one leg alone, or parts of several; not known at first."""
    sessions, count = len(market.sessions), len(legs.names)
    shares = np.full((sessions, count), np.nan)
    row = int(rng.integers(0, 5))
    while row < sessions:
        if rng.random() < 0.5:
            now = np.eye(count)[rng.integers(0, count)]
        else:
            parts = rng.random(count)
            now = parts / parts.sum() * rng.choice([1.0, 0.7])
        end = row + int(rng.integers(1, 12))
        shares[row:end] = now
        row = end
    return check_decision(Decision(shares), market, legs)


def kernel_exposures(plan: Plan, baskets: Any) -> list[float]:
    """Mean share of equity in each basket, (baskets, tickers), as a sweep has it."""
    sessions, tickers = len(plan.sessions), len(plan.tickers)
    equity, cash, fills = np.empty(sessions), np.empty(sessions), np.empty((sessions * tickers, 5))
    totals, state = [0.0] * (EXPOSURES + 2 * len(baskets)), [[0.0] * tickers for _ in range(STATES)]
    given = (in_lists(group) for group in inputs_of(plan))
    simulate(*given, baskets, state, memoryview(equity), memoryview(cash), fills, totals)  # type: ignore[arg-type]
    return totals[EXPOSURES : EXPOSURES + len(baskets)]


def check_exposures(plan: Plan, rng: np.random.Generator) -> None:
    """Of a run and of a sweep to the last bit, and by hand: the mean of each leg's worth by equity."""
    books, which = run_kernel(plan), rng.integers(0, 3, len(TICKERS))
    legs = Legs({f"leg {k}": {t: 0.1 for t, own in zip(TICKERS, which, strict=True) if own == k} for k in set(which)})
    found = average_shares(books, legs)
    assert kernel_exposures(plan, (legs.matrix(TICKERS) > 0.0).tolist()) == found.tolist()
    worth = books.shares() * books.closes / books.equity[:, None]
    plain = [worth[1:, legs.matrix(TICKERS)[k] > 0.0].sum(axis=1).mean() for k in range(len(legs.names))]
    assert found == pytest.approx(plain, abs=1e-6), "cash up to a millionth counts as invested"


def check_engines_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = random_market(rng)
    legs = random_legs(rng, int(rng.integers(1, 8)))
    decision = random_decision(rng, market, legs)
    initial = str(rng.choice([*legs.names, "cash"]))
    weights = target_weights(decision, legs, market.tickers, initial)
    fill: Any = rng.choice(["open", "close"])
    terms = Terms(
        cost_rate=float(rng.choice([0.0, 0.0005, 0.02])),
        whole_shares=bool(rng.random() < 0.3),
        rebalance=CALENDARS[rng.integers(0, len(CALENDARS))],
        fill=fill,
        delay_sessions=int(rng.integers(fill == "open", 4)),
        is_raw=bool(rng.random() < 0.3),
    )
    world = World(market, weights, terms, market.sessions[3], also_monthly=False)
    assert_same_books(run_backtrader(world.plan, RotationStrategy), run_kernel(world.plan))
    check_world(world)
    check_exposures(world.plan, rng)


@pytest.mark.parametrize("seed", range(20))
def test_engines_agree_to_the_bit_and_a_plain_simulator_with_them_on_one_to_seven_legs(seed: int) -> None:
    check_engines_agree(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 220))
def test_engines_agree_to_the_bit_on_two_hundred_worlds_of_legs(seed: int) -> None:
    check_engines_agree(seed)


def test_shares_become_weights_leg_by_leg() -> None:
    """Half of everything in a leg of 0.6 A and 0.2 B, a quarter in a leg of A: A 0.55, B 0.1, the rest is cash."""
    legs = Legs({"mixed": {"A": 0.6, "B": 0.2}, "plain": {"A": 1.0}})
    assert legs.tickers == ("A", "B")
    assert legs.weights(legs.tickers, np.array([[0.5, 0.25]])) == pytest.approx(np.array([[0.55, 0.1]]), abs=1e-15)


THREE = """\
name: three
data: {prices: {source: sample}, start: 2010-01-04, end: 2014-12-31}
legs: {LEGS}
strategy: {name: relative_momentum, params: {hold: HOLD, otherwise: OTHERWISE, lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
"""


def three(legs: str, hold: str = "small", otherwise: str = "growth") -> Config:
    text = THREE.replace("{LEGS}", legs).replace("HOLD", hold).replace("OTHERWISE", otherwise)
    return config_from_text(text, strategies=REGISTRY)


def test_a_leg_that_no_rule_holds_changes_no_figure() -> None:
    two = run(three("{growth: {QQQ: 1}, small: {IWM: 1}}"), REGISTRY)
    more = run(three("{growth: {QQQ: 1}, small: {IWM: 1}, idle: {SPY: 0.5, QQQ: 0.5}}"), REGISTRY)
    assert two.books.equity.tolist() == more.books.equity.tolist()
    assert two.metrics.items() <= more.metrics.items()


def test_other_names_are_the_same_figures_and_other_words() -> None:
    usual = run(three("{growth: {QQQ: 1}, small: {IWM: 1}}"), REGISTRY)
    renamed = run(three("{tech: {QQQ: 1}, minnows: {IWM: 1}}", "minnows", "tech"), REGISTRY)
    assert usual.books.equity.tolist() == renamed.books.equity.tolist()
    assert "minnows" in renamed.rule
    assert "small" not in renamed.rule + renamed.trades["reason"].str.cat()
    assert list(renamed.equity.columns[2:4]) == ["share_tech", "share_minnows"]


def test_a_ticker_in_two_legs_is_parted_as_it_was_decided() -> None:
    result = run(three("{growth: {QQQ: 0.5, SPY: 0.5}, small: {SPY: 0.2, IWM: 0.8}}"), REGISTRY)
    assert result.shares.sum(axis=1)[5:] == pytest.approx(1.0, abs=1e-6)
    decided = np.nan_to_num(result.in_force)
    settled = np.flatnonzero((decided[5:-1] == decided[6:]).all(axis=1)) + 6
    assert (result.shares[settled].argmax(axis=1) == decided[settled].argmax(axis=1)).all()


@pytest.mark.parametrize(
    ("legs", "hold", "words"),
    [
        (
            "{tech: {QQQ: 1}, minnows: {IWM: 1}}",
            "minnow",
            "found minnow, expected one of the legs (tech, minnows) or cash",
        ),
        ("{tech: {QQQ: 0.7, SPY: 0.7}, minnows: {IWM: 1}}", "minnows", "the weights sum to 1.4, expected at most 1"),
        ("[QQQ, IWM, QQQ]", "QQQ", "QQQ stands in the list twice"),
        ("{tech: {QQQ: 1}, Cash: {IWM: 1}}", "tech", "found 'Cash', expected a name such as bonds"),
    ],
)
def test_a_mistake_in_the_legs_is_one_line(legs: str, hold: str, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        three(legs, hold, hold)
    assert any(words in problem for problem in told.value.problems), told.value.problems


def test_a_list_of_tickers_is_a_leg_each() -> None:
    assert legs_of(three("[QQQ, IWM]", "IWM", "QQQ")).baskets == {"QQQ": {"QQQ": 1.0}, "IWM": {"IWM": 1.0}}


def test_legs_of_other_names_must_be_named_by_the_strategy() -> None:
    text = THREE.replace("{LEGS}", "[QQQ, IWM]").replace("hold: HOLD, otherwise: OTHERWISE, ", "")
    with pytest.raises(ConfigError) as told:
        config_from_text(text, strategies=REGISTRY)
    assert [problem.split(": ", 2)[1:] for problem in told.value.problems] == [
        ["strategy.params.hold", "must be given: found small, expected one of the legs (QQQ, IWM) or cash"],
        ["strategy.params.otherwise", "must be given: found growth, expected one of the legs (QQQ, IWM) or cash"],
    ]
