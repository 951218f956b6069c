"""A test may begin before its youngest ticker when the rule can do without it: nothing is held before its price."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, assert_same_books, fills_of, hand_market, market_of, play, rotation_market

from backtest.account import run_backtrader, run_kernel
from backtest.account.benchmarks import hold_plan, mix_plan
from backtest.account.kernel import run_compiled
from backtest.account.plan import Terms, begun_at, constant_targets, make_plan
from backtest.account.strategy import RotationStrategy
from backtest.audit import audit as auditing
from backtest.config import Config, config_from_text, study_from_text
from backtest.errors import ConfigError
from backtest.market import PRICE_FRAMES, Market
from backtest.pages.prose import caveats
from backtest.pipeline import run
from backtest.study.compare import compare
from backtest.study.sweep import sweep
from strategies import REGISTRY

NAN = float("nan")


def late(market: Market, ticker: str, row: int) -> Market:
    """The market where a ticker has its first price at `row`."""
    frames = {name: getattr(market, name).copy() for name in PRICE_FRAMES}
    for name, frame in frames.items():
        frame.iloc[:row, list(frame.columns).index(ticker)] = 0.0 if name in ("dividends", "splits") else NAN
    return dataclasses.replace(market, **frames)


def without(market: Market, ticker: str) -> Market:
    return dataclasses.replace(market, **{name: getattr(market, name).drop(columns=ticker) for name in PRICE_FRAMES})


# Worked out by hand: S begins on the third session at 10; G doubles from 10 to 20 on the second.
HAND: dict[str, Any] = {"G": [10, 20, 20, 20, 20, 40], "S": [NAN, NAN, 10, 10, 20, 20]}


def test_a_benchmark_that_begins_late_waits_in_cash_and_buys_after_its_first_close() -> None:
    """First close on row 2, bought at the open of row 3 at 10 (10 shares of 100 dollars), worth 200 from row 4."""
    market = hand_market("2024-09-16", **HAND)
    books = run_kernel(hold_plan(market, "S", market.sessions[0], Terms(cash=100.0)))
    assert books.equity == pytest.approx([100, 100, 100, 100, 200, 200], rel=1e-9)
    assert [(day, ticker, price) for day, ticker, _, price in fills_of(books)] == [("2024-09-19", "S", 10.0)]


def test_in_a_mix_the_weight_of_what_has_not_begun_goes_to_the_others() -> None:
    """100 buy 10 G on row 1 at their open of 10, which are 200; on row 3 half of them goes to S, which doubles: 300."""
    market = hand_market("2024-09-16", G_open=[10, 10, 20, 20, 20, 40], S_open=HAND["S"], **HAND)
    books = run_kernel(mix_plan(market, {"G": 0.5, "S": 0.5}, market.sessions[0], Terms(cash=100.0)))
    assert books.equity == pytest.approx([100, 200, 200, 200, 300, 400], rel=1e-9)
    assert [(day, t) for day, t, _, _ in fills_of(books)] == [
        ("2024-09-17", "G"),
        ("2024-09-19", "G"),
        ("2024-09-19", "S"),
    ]


def test_a_momentum_waits_for_the_younger_leg_and_holds_the_initial_one() -> None:
    """Lookback 1: known on row 3 (S has a close on 2 and 3), S leads on row 4 and is bought on row 5."""
    market = hand_market("2024-09-16", **HAND)
    books = play(market, REGISTRY["relative_momentum"], params={"lookback_sessions": 1}, cash=100.0)
    assert [fill[:2] for fill in fills_of(books)] == [("2024-09-17", "G"), ("2024-09-23", "G"), ("2024-09-23", "S")]
    assert not (books.shares()[:4, 1] != 0.0).any()


def test_what_is_to_be_held_too_early_is_told_with_ticker_and_day() -> None:
    market = hand_market("2024-09-16", **HAND)
    with pytest.raises(ConfigError) as told:
        play(market, REGISTRY["static_mix"], legs=PAIR)
    (line,) = told.value.problems
    assert line == (
        "data.start: found 2024-09-16, but S begins on 2024-09-18 and is to be held after the close of 2024-09-16; "
        "expected 2024-09-18 or later, or a rule (and strategy.initial) that does without it until then"
    )
    assert len(play(market, REGISTRY["static_mix"], start="2024-09-18").equity) == 4


@pytest.mark.parametrize(("first", "is_right"), [(2, True), (3, True), (4, False)])
def test_the_close_of_the_first_session_is_the_first_at_which_it_can_be_decided_for(first: int, is_right: bool) -> None:
    """Decided for at row 3: right with the first price on 2 or 3, wrong on 4, though the fill at row 4 has a price."""
    market = late(hand_market("2024-09-16", G=[10.0] * 6, S=[10.0] * 6), "S", first)
    weights = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3)
    if not is_right:
        with pytest.raises(ConfigError, match="S begins on 2024-09-20 and is to be held after the close of 2024-09-19"):
            make_plan(market, PAIR.tickers, weights, market.sessions[0], Terms())
        return
    plan = make_plan(market, PAIR.tickers, weights, market.sessions[0], Terms())
    assert fills_of(run_kernel(plan))[-1][0] == "2024-09-20"


def test_what_was_held_before_the_test_is_no_matter() -> None:
    market = late(hand_market("2024-09-16", G=[10.0] * 6, S=[10.0] * 6), "S", 2)
    weights = np.array([[0.0, 1.0]] * 6)
    plan = make_plan(market, PAIR.tickers, weights, market.sessions[2], Terms())
    assert plan.begins == ()


def random_plan(seed: int, **terms: Any) -> tuple[Market, Market, Any, Any]:
    """A market of three tickers, the third of which begins late and is not held; the same without it."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-02", periods=120)
    close = 50.0 * np.cumprod(1.0 + rng.normal(0.0, 0.02, (120, 3)), axis=0)
    opens = close * (1.0 + rng.normal(0.0, 0.005, close.shape))
    frame = lambda values: pd.DataFrame(values, days, ["A", "B", "C"])  # noqa: E731
    whole = market_of(frame(opens), frame(close), exchange=pd.bdate_range("2019-01-02", periods=160))
    market = late(whole, "C", 40)
    weights = np.repeat(rng.dirichlet(np.ones(3), 24), 5, axis=0)
    weights[:42, 2] = 0.0
    return whole, market, weights, Terms(**terms)


TERMS: list[dict[str, Any]] = [
    {},
    {"rebalance": "monthly", "cost_rate": 0.001},
    {"rebalance": 0.03, "delay_sessions": 2},
    {"rebalance": 5, "fill": "close", "delay_sessions": 0},
    {"rebalance": 0.02, "fill": "close", "delay_sessions": 0, "whole_shares": True},
    {"whole_shares": True, "is_raw": True, "delay_sessions": 3},
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("terms", TERMS)
def test_both_engines_agree_and_prices_before_the_first_one_change_nothing(seed: int, terms: dict[str, Any]) -> None:
    """The same weights on a market on which the third had prices all along are the same account, to the bit."""
    whole, market, weights, term = random_plan(seed, **terms)
    plan = make_plan(market, market.tickers, weights, market.sessions[3], term)
    assert plan.begins == (0, 0, 37)
    books = run_kernel(plan)
    assert_same_books(run_backtrader(plan, RotationStrategy), books)
    assert_same_books(run_compiled(plan), books)
    assert_same_books(run_kernel(make_plan(whole, whole.tickers, weights, whole.sessions[3], term)), books)


def test_a_ticker_that_is_never_held_is_as_if_it_were_not_there() -> None:
    _, market, weights, terms = random_plan(7, cost_rate=0.001, rebalance="weekly")
    weights[:, 2] = 0.0
    books = run_kernel(make_plan(market, market.tickers, weights, market.sessions[0], terms))
    two = without(market, "C")
    assert_same_books(run_kernel(make_plan(two, two.tickers, weights[:, :2], two.sessions[0], terms)), books)


@pytest.mark.parametrize("row", [1, 39, 40, 60])
def test_the_same_test_begun_later_has_the_ticker_sooner(row: int) -> None:
    _, market, _, terms = random_plan(3)
    plan = mix_plan(market, {"A": 0.5, "C": 0.5}, market.sessions[0], terms)
    later = mix_plan(market, {"A": 0.5, "C": 0.5}, market.sessions[row], terms)
    assert begun_at(plan, row).begins == later.begins
    assert_same_books(run_kernel(begun_at(plan, row)), run_kernel(later))


def test_constant_targets_by_hand() -> None:
    assert constant_targets([0.6, 0.2], 3, ()).tolist() == [[0.6, 0.2]] * 3
    assert constant_targets([0.6, 0.2], 3, (0, 2)) == pytest.approx(np.array([[0.8, 0.0], [0.8, 0.0], [0.6, 0.2]]))
    assert constant_targets([0.6, 0.2], 3, (1, 2)) == pytest.approx(np.array([[0.0, 0.0], [0.8, 0.0], [0.6, 0.2]]))


# ------------------------------------------------------------------------------------------- through the whole job

LISTED = 300
"""Row of the market at which IWN begins; the tests begin at row 60 or so."""

BASE: dict[str, Any] = {
    "name": "ragged",
    "data": {"prices": {"source": "sample"}, "start": "2004-06-01", "tbill": "irx"},
    "legs": ["QQQ", "IVW", "IWM", "IWN"],
    "strategy": {"name": "rank", "params": {"lookback_sessions": 10, "top": 2, "decide": "weekly"}},
    "execution": {"commission_bps": 1, "slippage_bps": 4},
    "benchmarks": ["QQQ", "IWN", {"mix": {"QQQ": 0.5, "IWN": 0.5}}],
}


def config(**changes: Any) -> Config:
    return config_from_text(json.dumps({**BASE, **changes}), strategies=REGISTRY)


def young_market() -> Market:
    return late(rotation_market(5, 700), "IWN", LISTED)


STRATEGIES: dict[str, dict[str, Any]] = {
    "rank": BASE["strategy"],
    "momentum": {"name": "relative_momentum", "params": {"hold": "IWN", "otherwise": "QQQ", "lookback_sessions": 5}},
    "rules": {
        "name": "rules",
        "params": {
            "hold": [
                {"leg": "IWN", "when": {"signal": "volatility", "of": "QQQ", "window_sessions": 5, "above": 0.15}},
                {"leg": "IWM", "when": {"signal": "lead", "of": "IWM", "over": "QQQ", "lookback_sessions": 5}},
                {"leg": "QQQ"},
            ]
        },
    },
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_run_holds_the_young_leg_from_its_first_close_on_and_says_since_when(name: str) -> None:
    market = young_market()
    result = run(config(strategy=STRATEGIES[name]), REGISTRY, market=market)
    held = result.equity["share_IWN"].to_numpy()
    begin = LISTED - result.begin
    assert not held[: begin + 1].any()
    assert held[begin + 1 :].any()
    first = f"{market.sessions[LISTED]:%Y-%m-%d}"
    (told,) = [line for line in caveats(result) if "begins on" in line]
    assert told.startswith(f"IWN begins on {first}, after the test: no leg with it is held before")
    assert result.benchmarks["IWN"].equity[: begin + 1].tolist() == [100_000.0] * (begin + 1)
    assert all(value is None or np.isfinite(value) for value in result.metrics.values())


def test_rules_pass_over_an_entry_whose_leg_has_not_begun() -> None:
    """The same as rules without that entry, until the leg begins."""
    market = young_market()
    whole = run(config(strategy=STRATEGIES["rules"]), REGISTRY, market=market)
    entries = STRATEGIES["rules"]["params"]["hold"][1:]
    fewer = run(config(strategy={"name": "rules", "params": {"hold": entries}}), REGISTRY, market=market)
    begin = LISTED - whole.begin
    assert whole.books.equity[: begin + 1].tolist() == fewer.books.equity[: begin + 1].tolist()
    assert whole.books.equity[-1] != fewer.books.equity[-1]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_leg_that_begins_late_brings_no_look_ahead(name: str) -> None:
    report = auditing.audit(config(strategy=STRATEGIES[name]), REGISTRY, sessions=60, market=young_market())
    assert not report.findings
    assert report.decisions > 10


def test_a_rule_that_cannot_do_without_it_is_refused_in_a_run_a_comparison_and_a_sweep() -> None:
    strategy = {"name": "rate_cut", "params": {"hold": "IWN", "otherwise": "QQQ", "hold_sessions": 5}}
    words = f"but IWN begins on {young_market().sessions[LISTED]:%Y-%m-%d} and is to be held after the close of"
    with pytest.raises(ConfigError, match=words):
        run(config(strategy=strategy), REGISTRY, market=young_market())
    with pytest.raises(ConfigError, match=words):
        compare({"a": config(strategy=strategy)}, name="x", strategies=REGISTRY, market=young_market())
    result = swept(
        {"strategy.params.hold": ["IWM", "IWN"]},
        {**BASE, "strategy": strategy | {"params": {**strategy["params"], "hold": "IWM"}}},
    )  # type: ignore[dict-item]
    assert list(result.problems) == [1]
    assert words in result.problems[1]


def swept(grid: dict[str, Any], base: dict[str, Any]) -> Any:
    with TemporaryDirectory() as folder:
        (Path(folder) / "base.yaml").write_text(json.dumps(base), encoding="utf-8", newline="\n")
        text = json.dumps({"name": "ragged", "base": "base.yaml", "grid": grid})
        study = study_from_text(text, f"{folder}/study.yaml", strategies=REGISTRY)
    return sweep(study, REGISTRY, market=young_market())


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_sweep_and_a_comparison_are_the_single_runs(name: str) -> None:
    base = {**BASE, "strategy": STRATEGIES[name]}
    result = swept({"execution.delay_sessions": [1, 2]}, base)
    assert not result.problems
    variants = {str(number): result.config(number) for number in (0, 1)}
    table = compare(variants, name="x", strategies=REGISTRY, market=young_market())
    for number in (0, 1):
        single = run(result.config(number), REGISTRY, market=young_market())
        assert result.equity(number).tolist() == single.books.equity.tolist()
        assert table.variants[number].metrics["cagr"] == pytest.approx(single.metrics["cagr"], rel=1e-12)
        assert float(result.metric("information_ratio")[number]) == pytest.approx(
            single.metrics["information_ratio"], rel=1e-9
        )
        exposures = {key: value for key, value in single.metrics.items() if key.startswith("exposure_")}
        assert [float(result.metric(key)[number]) for key in exposures] == pytest.approx(
            [*exposures.values()], rel=1e-12
        )
    assert any("IWN begins on" in note for note in table.notes)
    assert any("IWN begins on" in note for note in result.market.notes)


def test_the_first_benchmark_must_be_there_from_the_start() -> None:
    words = "benchmarks: found IWN first, but IWN begins on .*after the test .*; expected one that is there from the"
    for ask in (
        lambda c: run(c, REGISTRY, market=young_market()),
        lambda c: compare({"a": c}, name="x", strategies=REGISTRY, market=young_market()),
    ):
        with pytest.raises(ConfigError, match=words):
            ask(config(benchmarks=["IWN", "QQQ"]))
