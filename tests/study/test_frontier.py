"""Static mixes: the same books as the benchmarks', and parts of growth that add up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from small_studies import common_study, config, market, study

from backtest.account.benchmarks import hold_plan, legs_plan
from backtest.account.plan import Terms
from backtest.config import TwoLegMix
from backtest.market import PRICE_FRAMES, Market
from backtest.pipeline import legs_of, run
from backtest.result import cash_beside
from backtest.study.curves import (
    curve_of_run,
    equal_exposure,
    plan_of_benchmark,
    run_compiled,
    run_variant,
    with_shares,
)
from backtest.study.inputs import common_inputs
from strategies import REGISTRY

START = pd.Timestamp("2004-06-01")


@pytest.mark.parametrize(
    "term", ["execution.rebalance=on_change", "execution.delay_sessions=3", "execution.idle_cash=tbill"]
)
def test_benchmarks_have_the_books_they_have_beside_a_single_run(term: str) -> None:
    asked = config(term)
    inputs = common_inputs({"x": asked}, None, market=market(), offline=True)
    mine = run_compiled(plan_of_benchmark(inputs, "QQQ")).equity
    np.testing.assert_array_equal(mine, run_compiled(hold_plan(market(), "QQQ", START, Terms.of(asked))).equity)
    mine = run_compiled(plan_of_benchmark(inputs, TwoLegMix(static_mix=0.3))).equity
    theirs = run_compiled(legs_plan(market(), legs_of(asked), np.array([0.7, 0.3]), START, Terms.of(asked)))
    np.testing.assert_array_equal(mine, theirs.equity)


def test_another_share_of_a_mix_is_the_mix_of_that_share() -> None:
    asked = config("execution.delay_sessions=2")
    legs, terms = legs_of(asked), Terms.of(asked)
    base = legs_plan(market(), legs, np.array([1.0, 0.0]), START, terms)
    other = np.array([0.38, 0.62])
    mine = run_compiled(with_shares(base, legs, other)).equity
    np.testing.assert_array_equal(mine, run_compiled(legs_plan(market(), legs, other, START, terms)).equity)


def test_the_frontier_has_51_shares_and_the_mixes_own_figures() -> None:
    frontier = common_study().frontier
    np.testing.assert_allclose(frontier.shares[:, 1], np.arange(51) / 50, atol=1e-15)
    mixed = run(
        config(
            "strategy.name=static_mix",
            "strategy.params.shares={growth: 0.7, small: 0.3}",
            "execution.rebalance=monthly",
        ),
        REGISTRY,
        market=market(),
    )
    for key in ("cagr", "sharpe", "volatility", "max_drawdown"):
        assert getattr(frontier, key)[15] == pytest.approx(mixed.metrics[key], rel=1e-12)
    assert frontier.best_shares.tolist() == frontier.shares[np.argmax(frontier.sharpe)].tolist()
    assert frontier.best_shares_by_cagr.tolist() == frontier.shares[np.argmax(frontier.cagr)].tolist()


def test_the_parts_add_up_to_the_difference_in_growth() -> None:
    comparison = common_study()
    for variant in comparison.variants:
        difference = variant.metrics["cagr"] - comparison.benchmarks[0].metrics["cagr"]
        assert variant.parts.total == pytest.approx(difference, abs=1e-14)


def test_a_static_mix_is_all_exposure_and_no_timing() -> None:
    given = {
        "mix": config(
            "strategy.name=static_mix",
            "strategy.params.shares={growth: 0.6, small: 0.4}",
            "execution.rebalance=monthly",
        )
    }
    parts = study(given).variants[0].parts
    assert abs(parts.exposure) > 1e-3
    # Its average exposure is not quite 0.4: prices move between the month's ends.
    assert abs(parts.timing) < 2e-4
    assert abs(parts.costs) < 2e-5


def test_free_trades_cost_nothing_and_growth_alone_has_no_parts_but_legs() -> None:
    never = config("strategy.name=static_mix", "strategy.params.shares={growth: 1}", "execution.rebalance=monthly")
    parts = study({"never": never}).variants[0].parts
    assert (parts.exposure, parts.timing, parts.costs) == (0.0, 0.0, 0.0)
    free = config("execution.commission_bps=0", "execution.slippage_bps=0")
    assert study({"free": free}).variants[0].parts.costs == pytest.approx(0.0, abs=1e-15)


def test_timing_is_before_costs() -> None:
    dear = study({"dear": config("execution.slippage_bps=99")}).variants[0].parts
    free = study({"free": config("execution.slippage_bps=0", "execution.commission_bps=0")}).variants[0].parts
    assert dear.timing == pytest.approx(free.timing, abs=1e-4)
    assert dear.costs < -0.05


def test_where_small_caps_always_gain_the_best_share_is_all_of_them() -> None:
    comparison = study(market=tilted(market()))
    assert comparison.frontier.best_shares_by_cagr.tolist() == [0.0, 1.0]


def tilted(own: Market) -> Market:
    """The market with small caps gaining three times."""
    rise = np.geomspace(1.0, 3.0, len(own.sessions))[:, None] ** np.array([0.0, 0.0, 1.0, 1.0])
    frames = {
        name: getattr(own, name) * (rise if name not in ("dividends", "splits") else 1.0) for name in PRICE_FRAMES
    }
    return dataclasses.replace(own, **frames)


def test_cash_held_on_average_is_held_by_the_mix_too() -> None:
    """Cash until the signal is known: 150 of the sessions; the mix has that share of cash all the time."""
    asked = config("strategy.initial=cash", "strategy.params.lookback_sessions=250")
    inputs = common_inputs({"x": asked}, None, market=market(), offline=True)
    curve = curve_of_run(run_variant(inputs, "x", REGISTRY), run_compiled(plan_of_benchmark(inputs, "QQQ")).equity)
    assert cash_beside(curve.shares) > 0.1
    assert equal_exposure(inputs, curve).shares.tolist() == curve.shares.tolist()
