"""Luck meters: every figure is that of the same run made from scratch under the changed circumstance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from small_studies import common_study, config, market, variants
from worlds import small_in

from backtest.account import Books, run_kernel
from backtest.account.benchmarks import hold_plan
from backtest.account.plan import Terms
from backtest.config import Config
from backtest.pipeline import decide, plan_of
from backtest.study.curves import VariantRun, growth, plan_of_benchmark, run_variant
from backtest.study.inputs import StudyInputs, common_inputs
from backtest.study.luck import (
    COSTS_BPS,
    DELAYS,
    Fan,
    Yardstick,
    breakeven_bps,
    cost_gap,
    looked_at,
    luck_of,
    neighbours_of,
)
from strategies import REGISTRY


def ground_of(given: dict[str, Config]) -> StudyInputs:
    return common_inputs(given, None, market=market(), offline=True)


def scene(*overrides: str) -> tuple[VariantRun, Yardstick]:
    inputs = ground_of({"x": config(*overrides)})
    return run_variant(inputs, "x", REGISTRY), Yardstick(inputs, plan_of_benchmark(inputs, inputs.benchmarks[0]))


def grown(books: Books) -> float:
    years = (books.sessions[-1] - books.sessions[0]).days / 365.25
    return float((books.equity[-1] / books.equity[0]) ** (1 / years) - 1)


def from_scratch(*overrides: str) -> float:
    """Growth a year of a config run by the plain kernel."""
    asked = config(*overrides)
    decision = decide(asked, market(), REGISTRY[asked.strategy.name])
    return grown(run_kernel(plan_of(asked, market(), decision)))


def held(start: pd.Timestamp, *overrides: str) -> float:
    return grown(run_kernel(hold_plan(market(), "QQQ", start, Terms.of(config(*overrides)))))


@pytest.mark.parametrize(
    "idle", ["execution.idle_cash=tbill", "execution.rebalance=monthly", "execution.delay_sessions=3"]
)
def test_a_start_is_a_run_begun_there(idle: str) -> None:
    run, yardstick = scene(idle)
    starts = luck_of(run, yardstick).starts
    days = yardstick.plan.sessions[yardstick.starts]
    assert starts.at == tuple(f"{day:%Y-%m-%d}" for day in days)
    assert all(day.day <= 7 for day in days[1:])
    assert len(days) == pytest.approx(
        12 * yardstick.plan.sessions.size / 252 / 2, abs=2
    )  # half of 2.5 years must be left
    for i in (0, 5, len(days) - 1):
        expected = from_scratch(idle, f"data.start={days[i]:%Y-%m-%d}") - held(days[i], idle)
        assert starts.values[i] == pytest.approx(expected, abs=1e-13)


def test_a_delay_and_a_cost_are_runs_on_those_terms() -> None:
    run, yardstick = scene()
    luck, start = luck_of(run, yardstick), pd.Timestamp("2004-06-01")
    for delay, value in zip(DELAYS, luck.delays.values, strict=True):
        term = f"execution.delay_sessions={delay}"
        assert value == pytest.approx(from_scratch(term) - held(start, term), abs=1e-13)
    for bps, value in zip(COSTS_BPS, luck.costs.values, strict=True):
        term = ("execution.commission_bps=0", f"execution.slippage_bps={bps}")
        assert value == pytest.approx(from_scratch(*term) - held(start, *term), abs=1e-13)
    assert luck.delays.values[0] == luck.delays.own == luck.costs.values[COSTS_BPS.index(5.0)]


def test_the_own_figure_is_the_difference_the_table_shows() -> None:
    comparison = common_study()
    for variant in comparison.variants:
        difference = variant.metrics["cagr"] - comparison.benchmarks[0].metrics["cagr"]
        assert variant.luck is not None
        assert variant.luck.starts.own == pytest.approx(difference, abs=1e-13)


def test_a_neighbour_is_a_run_with_that_parameter() -> None:
    run, yardstick = scene()
    near = luck_of(run, yardstick).neighbours
    labels = near.at
    assert labels[:4] == (
        "lookback_sessions 17",
        "lookback_sessions 19",
        "lookback_sessions 23",
        "lookback_sessions 26",
    )
    assert labels[4:] == ("threshold 0.01", "threshold 0.02")  # -0.01 and -0.02 are refused by the model
    for label, value in zip(near.at, near.values, strict=True):
        changed = f"strategy.params.{label.replace(' ', '=')}"
        expected = from_scratch(changed) - held(pd.Timestamp("2004-06-01"))
        assert value == pytest.approx(expected, abs=1e-13)


def test_small_whole_numbers_move_by_steps_and_words_do_not_move() -> None:
    params = config("strategy.params.lookback_sessions=2", "strategy.params.threshold=0.05").strategy.params
    near = [label for label, _ in neighbours_of(params)]
    assert near[:3] == ["lookback_sessions 1", "lookback_sessions 3", "lookback_sessions 4"]
    assert near[3:] == ["threshold 0.04", "threshold 0.045", "threshold 0.055", "threshold 0.0625"]


def test_a_monthly_rule_looked_at_on_its_own_day_is_itself() -> None:
    run, yardstick = scene("strategy.params.decide=monthly")
    days = luck_of(run, yardstick).decision_days
    assert len(days.values) == 21
    assert days.values[0] == pytest.approx(days.own, abs=1e-13)
    assert len(set(days.values.tolist())) > 10


def test_a_monthly_rule_on_another_day_sees_what_a_daily_one_sees_then() -> None:
    monthly = luck_of(*scene("strategy.params.decide=monthly")).decision_days
    daily = luck_of(*scene()).decision_days
    np.testing.assert_array_equal(monthly.values, daily.values)


def test_looking_once_in_a_while_holds_what_was_seen_last() -> None:
    small = np.array([np.nan, 0.0, 1.0, 1.0, 0.0, 1.0])
    looks = np.array([True, False, False, True, False, False])
    decision = small_in(small, np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]))
    seen = looked_at(decision, looks, 1)
    np.testing.assert_array_equal(seen.by_leg, decision.by_leg[[0, 1, 1, 1, 4, 4]])
    assert not looked_at(small_in(small), looks, 6).is_known.any()


def test_costs_equal_out_at_the_breakeven() -> None:
    """S gains 1 % once while G stands still; to be there, G is sold and S bought, and back: four trades in all."""
    run, yardstick = scene()
    gains = dataclasses.replace(run.plan, targets=run.plan.targets.copy())
    opens = np.full_like(gains.opens, 100.0)
    opens[:, 2:] = 100.0
    opens[301:, 2:] = 101.0
    targets = np.zeros_like(opens)
    targets[:, 0] = 1.0
    targets[290:310] = [0.0, 0.0, 1.0, 0.0]
    plan = dataclasses.replace(gains, opens=opens, closes=opens.copy(), targets=targets)
    flat = np.full((len(opens), 1), 100.0)
    still = dataclasses.replace(yardstick, plan=dataclasses.replace(yardstick.plan, opens=flat, closes=flat.copy()))
    found = breakeven_bps(plan, still)
    # Sell and buy, twice: 1.01 * ((1 - c) / (1 + c))^2 = 1, so c = (1 - q) / (1 + q) with q = 1.01^-0.5.
    root = 1.01**-0.5
    assert found == pytest.approx(1e4 * (1 - root) / (1 + root), abs=1e-3)
    assert cost_gap(plan, still, found) == pytest.approx(0.0, abs=1e-9)


def test_without_a_lead_there_is_no_breakeven_and_without_trades_no_end_of_it() -> None:
    _, yardstick = scene()
    ahead = dataclasses.replace(
        yardstick.plan, closes=yardstick.plan.closes * np.linspace(1, 2, len(yardstick.plan.closes))[:, None]
    )
    assert breakeven_bps(ahead, yardstick) == 1000.0
    behind = dataclasses.replace(
        yardstick.plan, closes=yardstick.plan.closes * np.linspace(1, 0.5, len(yardstick.plan.closes))[:, None]
    )
    assert breakeven_bps(behind, yardstick) is None


def test_a_percentile_counts_what_is_below_and_half_of_what_is_equal() -> None:
    fan = Fan(("a", "b", "c", "d"), np.array([-1.0, 0.0, 1.0, 2.0]), own=1.0)
    assert fan.percentile == (2 + 0.5) / 4
    assert (fan.ahead, fan.worst) == (2, -1.0)
    assert Fan((), np.array([]), own=1.0).percentile is None


def test_the_kernel_from_a_row_on_is_the_kernel_on_the_rest() -> None:
    run, _ = scene("execution.idle_cash=tbill")
    rest = dataclasses.replace(
        run.plan,
        **{name: getattr(run.plan, name)[100:] for name in ("sessions", "opens", "closes", "targets", "is_scheduled")},
        overnight=np.concatenate([[0.0], run.plan.overnight[101:]]),
    )
    assert growth(run.plan, begin=100) == grown(run_kernel(rest))


def test_every_variant_has_every_meter() -> None:
    assert len(variants()) == len(common_study().luck_shown)
    for variant in common_study().variants:
        assert variant.luck is not None
        assert len(variant.luck.decision_days.values) == 21
        assert np.isfinite(np.concatenate([variant.luck.starts.values, variant.luck.neighbours.values])).all()
