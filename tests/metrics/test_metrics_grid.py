"""Every metric on every awkward curve, against the second implementation; undefined is None, with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from plain_metrics import plain_metrics

from backtest.metrics import METRIC_KEYS, Activity, Calendar, calendar_of, metric_keys, metrics, metrics_table

NO_RETURN, FEW, YOUNG = "there is no return", "fewer than two returns", "shorter than one year"
NO_YEAR, NO_MONTH = "no complete calendar year", "no complete calendar month"
FLAT_BENCHMARK = "the benchmark's returns over T-bills do not vary"

BOOKS = Activity(turnover=1.5, rebalances=3, trades=8, exposures={"small": 0.4}, costs_usd=21.0)


def days(count: int) -> np.ndarray:
    return np.busday_offset("1999-12-31", np.arange(count))


def walk(count: int, seed: int, *, deviation: float = 0.01, drift: float = 0.0005) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(drift, deviation, count - 1)
    return 1e5 * np.cumprod(np.concatenate([[1.0], 1 + steps]))


def losses(count: int) -> np.ndarray:
    steps = np.random.default_rng(5).uniform(-0.004, -0.001, count - 1)
    return 1e5 * np.cumprod(np.concatenate([[1.0], 1 + steps]))


def check(equity: np.ndarray, benchmark: np.ndarray, undefined: dict[str, str], tbill: float = 1e-4) -> None:
    """Equal to the second implementation where defined; None for the given reasons elsewhere."""
    on, rf = days(len(equity)), np.full(len(equity), tbill)
    calendar = calendar_of(on)
    values, reasons = metrics(equity, calendar=calendar, tbill_returns=rf, benchmark=benchmark, activity=BOOKS)
    assert tuple(values) == metric_keys(["small"])
    assert reasons == undefined
    assert {key for key, value in values.items() if value is None} == set(undefined)
    assert all(math.isfinite(value) for value in values.values() if value is not None)
    if len(equity) > 1:
        with np.errstate(all="ignore"):
            plain = plain_metrics(on, equity, rf, benchmark, ends_month=_ends_month(calendar), periods=252)
        defined = {key: value for key, value in plain.items() if key not in undefined}
        assert {key: values[key] for key in defined} == pytest.approx(defined, rel=1e-9, abs=1e-12)


def _ends_month(calendar: Calendar) -> bool:
    return bool(len(calendar.months)) and calendar.months.last[-1] == calendar.sessions - 1


def test_a_base_row_alone_has_value_and_no_rates() -> None:
    check(
        np.array([1e5]),
        np.array([50.0]),
        {"cagr": YOUNG, "calmar": YOUNG, "best_year": NO_YEAR, "worst_year": NO_YEAR, "turnover_annual": NO_RETURN}
        | dict.fromkeys(["sortino", "ulcer_index", "cvar_95", "hit_rate"], NO_RETURN)
        | dict.fromkeys(["volatility", "sharpe", "beta", "alpha", "tracking_error", "information_ratio"], FEW)
        | dict.fromkeys(["up_capture", "down_capture"], NO_MONTH),
    )


def test_one_return_has_no_deviation() -> None:
    check(
        np.array([1e5, 0.9e5]),
        np.array([50.0, 51.0]),
        {"cagr": YOUNG, "calmar": YOUNG, "best_year": NO_YEAR, "worst_year": NO_YEAR}
        | dict.fromkeys(["volatility", "sharpe", "beta", "alpha", "tracking_error", "information_ratio"], FEW)
        | dict.fromkeys(["up_capture", "down_capture"], NO_MONTH),
    )


def test_a_constant_curve_has_no_ratio_to_its_deviation() -> None:
    constant = {
        "sharpe": "returns over T-bills do not vary",
        "calmar": "no drawdown",
        "hit_rate": "no return differs from zero",
    }
    check(np.full(600, 1e5), walk(600, 1), constant)
    check(np.full(600, 1e5), walk(600, 1), constant | {"sortino": "no return below T-bills"}, tbill=0.0)


def test_a_constant_rate_of_growth_is_rounding_not_risk() -> None:
    steady = 1e5 * 1.0001 ** np.arange(600)
    check(
        steady,
        walk(600, 1),
        {
            "sharpe": "returns over T-bills do not vary",
            "sortino": "no return below T-bills",
            "calmar": "no drawdown",
        },
    )
    values, _ = metrics(steady, calendar=calendar_of(days(600)), tbill_returns=np.zeros(600))
    assert values["volatility"] == 0


def test_a_curve_that_only_loses_has_every_metric() -> None:
    check(losses(600), walk(600, 1), {})


def test_losing_in_step_with_the_benchmark_leaves_no_active_return() -> None:
    no_rise = {"information_ratio": "active returns do not vary", "up_capture": "no rising benchmark month"}
    check(losses(600), losses(600) * 3, no_rise)


def test_a_rising_benchmark_has_no_falling_month() -> None:
    check(walk(600, 2), 1 / losses(600), {"down_capture": "no falling benchmark month"})


def test_a_flat_benchmark_has_no_slope_and_no_month_to_capture() -> None:
    check(
        walk(600, 2),
        np.full(600, 7.0),
        {
            "beta": FLAT_BENCHMARK,
            "alpha": FLAT_BENCHMARK,
            "up_capture": "no rising benchmark month",
            "down_capture": "no falling benchmark month",
        },
    )


@pytest.mark.parametrize("count", [523, 524, 1000, 6500])
def test_an_ordinary_curve_has_every_metric(count: int) -> None:
    check(walk(count, 3), walk(count, 4), {})


def test_a_million_sessions_are_as_exact_as_ten() -> None:
    million = 1_000_000
    check(walk(million, 6, deviation=1e-3, drift=0), walk(million, 7, deviation=1e-3, drift=0), {})


def test_without_benchmark_or_books_the_reason_is_the_callers() -> None:
    calendar, equity = calendar_of(days(600)), walk(600, 8)
    relative = {"beta", "alpha", "tracking_error", "information_ratio", "up_capture", "down_capture"}
    books = {"turnover_annual", "rebalances", "trades", "costs_usd"}
    _, undefined = metrics(equity, calendar=calendar, tbill_returns=np.zeros(600))
    assert undefined == dict.fromkeys(relative, "no benchmark given") | dict.fromkeys(books, "no books given")
    _, undefined = metrics(
        equity, calendar=calendar, tbill_returns=np.zeros(600), no_benchmark="this is the benchmark", activity=BOOKS
    )
    assert undefined == dict.fromkeys(relative, "this is the benchmark")


def test_a_strategy_that_never_invests_has_no_exposure() -> None:
    idle = Activity(turnover=0.0, rebalances=0, trades=0, exposures={"small": 0.0}, costs_usd=0.0)
    values, _ = metrics(walk(600, 8), calendar=calendar_of(days(600)), tbill_returns=np.zeros(600), activity=idle)
    assert values["exposure_small"] == 0.0


def test_a_table_without_curves_is_empty() -> None:
    table = metrics_table(np.ones((0, 9)), calendar=calendar_of(days(9)), tbill_returns=np.zeros(9))
    assert {key: len(column) for key, column in table.items()} == dict.fromkeys(METRIC_KEYS, 0)
