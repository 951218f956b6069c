"""Values that can be done by hand, and the worked series of research/domain.md section 4."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backtest.metrics import Activity, calendar_of, drawdown, metric_keys, metrics, metrics_table

RETURNS = np.array([0.01, -0.02, 0.015, 0.005, -0.01, 0.02, -0.005, 0, 0.01, -0.015])
BENCHMARK = np.array([0.008, -0.015, 0.01, 0.002, -0.012, 0.018, -0.002, 0.001, 0.006, -0.01])
DAYS = np.concatenate([[np.datetime64("2023-12-29")], np.busday_offset("2024-01-01", np.arange(10))])


def curve(returns: np.ndarray, start: float = 100.0) -> np.ndarray:
    return start * np.cumprod(np.concatenate([[1.0], 1 + np.asarray(returns, dtype=float)]))


def days(count: int, first: str = "2020-01-01") -> np.ndarray:
    return np.busday_offset(first, np.arange(count), roll="forward")


def measure(equity: object, *, on: np.ndarray | None = None, rf: float = 0.0, **more: object) -> dict:
    equity = np.asarray(equity, dtype=float)
    calendar = calendar_of(days(len(equity)) if on is None else on)
    return metrics(equity, calendar=calendar, tbill_returns=np.full(len(equity), rf), **more)[0]


def test_the_keys_come_in_the_order_of_the_contract() -> None:
    contract = (
        "total_return cagr volatility sharpe sortino max_drawdown longest_drawdown_sessions calmar ulcer_index cvar_95 "
        "best_year worst_year beta alpha tracking_error information_ratio up_capture down_capture turnover_annual "
        "rebalances trades hit_rate exposure_small costs_usd final_equity_usd"
    )
    assert " ".join(metric_keys(["small"])) == contract
    assert " ".join(measure([1.0, 2.0])) == contract.replace("exposure_small ", "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("total_return", 0.0092427),
        ("volatility", 0.210998),
        ("sharpe", 1.194326),
        ("sortino", 1.833030),
        ("max_drawdown", -0.02),
        ("ulcer_index", 0.0089987),
        ("cvar_95", -0.02),
        ("information_ratio", 1.736074),
        ("beta", 1.235978),
        ("alpha", 0.065120),
        ("hit_rate", 0.5556),
    ],
)
def test_the_worked_series_has_the_published_value(key: str, value: float) -> None:
    digits = len(str(value).split(".")[1])
    measured = measure(curve(RETURNS), on=DAYS, benchmark=curve(BENCHMARK))
    assert measured[key] == pytest.approx(value, abs=0.51 * 10**-digits)


def test_the_worked_growth_rate_counts_calendar_days_from_the_base_row() -> None:
    # Ten sessions are not annualised; the worked value is what the formula gives if they were.
    calendar = calendar_of(DAYS)
    values, undefined = metrics(curve(RETURNS), calendar=calendar, tbill_returns=np.zeros(11))
    assert (values["cagr"], values["calmar"]) == (None, None)
    assert undefined["cagr"] == undefined["calmar"] == "shorter than one year"
    calendar = dataclasses.replace(calendar, is_one_year=True)
    values, _ = metrics(curve(RETURNS), calendar=calendar, tbill_returns=np.zeros(11))
    assert values["cagr"] == pytest.approx(0.271284, abs=5.1e-7)
    assert values["calmar"] == pytest.approx(0.271284 / 0.02, abs=5e-5)


def test_the_worked_sharpe_ratio_falls_with_the_t_bill_rate() -> None:
    assert measure(curve(RETURNS), on=DAYS, rf=0.05 / 252)["sharpe"] == pytest.approx(0.957357, abs=5.1e-7)
    assert measure(curve(RETURNS), on=DAYS, rf=1.05 ** (1 / 252) - 1)["sharpe"] == pytest.approx(0.963068, abs=5.1e-7)


def test_the_worked_captures_are_geometric_means_of_months() -> None:
    ends = (np.datetime64("2023-12") + np.arange(1, 12)).astype("datetime64[D]") - 1
    measured = measure(curve(RETURNS), on=ends, benchmark=curve(BENCHMARK))
    assert measured["up_capture"] == pytest.approx(1.333392, abs=5.1e-7)
    assert measured["down_capture"] == pytest.approx(1.282138, abs=5.1e-7)


def test_a_fall_on_the_first_session_is_a_drawdown() -> None:
    assert measure(curve([-0.1, 0.02, 0.03]))["max_drawdown"] == pytest.approx(-0.1, abs=1e-15)
    assert drawdown(np.array([100.0, 200.0, 100.0, 150.0])).tolist() == [0, 0, -0.5, -0.25]


@pytest.mark.parametrize(
    ("equity", "sessions"),
    [
        ([5], 0),
        ([1, 2, 2, 3], 0),
        ([2, 1], 1),
        ([2, 1, 2], 2),
        ([2, 1, 1, 3, 2, 3], 3),
        ([2, 1, 3, 2, 2, 2], 3),
        ([1, 3, 3, 2, 2, 3, 4], 3),
        ([9, 8, 7, 6], 3),
        ([1, 9, 8, 9, 8, 7], 2),
    ],
)
def test_a_drawdown_lasts_from_its_peak_to_recovery_or_to_the_end(equity: list[int], sessions: int) -> None:
    assert measure(equity)["longest_drawdown_sessions"] == sessions


def test_the_deepest_and_the_longest_drawdown_need_not_be_one() -> None:
    measured = measure([10, 5, 10, 9.9, 9.8, 9.9, 10])
    assert (measured["max_drawdown"], measured["longest_drawdown_sessions"]) == (-0.5, 4)


def test_doubling_in_four_years_is_nineteen_percent_a_year() -> None:
    values = measure([1, 2], on=np.array(["2001-07-31", "2005-07-31"], dtype="datetime64[D]"))
    assert values["cagr"] == pytest.approx(2**0.25 - 1, rel=1e-15)  # 1461 days are 4 x 365.25


def test_only_complete_calendar_years_compete() -> None:
    on = np.array(["2020-06-30", "2020-12-31", "2021-12-31", "2022-12-30", "2023-06-30"], dtype="datetime64[D]")
    measured = measure([10, 40, 50, 40, 10], on=on)
    assert (measured["best_year"], measured["worst_year"]) == (0.25, pytest.approx(-0.2))


@pytest.mark.parametrize("flat", [1.0, 1 + 1e-10, 1 - 1e-10, 1 + 5e-11, 1 - 5e-11])
def test_captures_compare_months_in_which_the_benchmark_rose_or_fell(flat: float) -> None:
    on = np.array(["2020-01-31", "2020-02-28", "2020-03-31", "2020-04-30", "2020-05-29"], dtype="datetime64[D]")
    benchmark = [1 / 0.88, 1.1 / 0.88, 1.0, flat, 1.1 * flat]  # rounding is neither a rise nor a fall
    measured = measure([100, 120, 108, 108, 108], on=on, benchmark=benchmark)
    assert measured["up_capture"] == pytest.approx((1.2**0.5 - 1) / 0.1)
    assert measured["down_capture"] == pytest.approx(-0.1 / -0.2)


def test_the_tail_of_forty_one_returns_is_its_three_worst() -> None:
    returns = np.concatenate([[-0.03, -0.02, -0.01], np.full(38, 0.001)])
    assert measure(curve(returns))["cvar_95"] == pytest.approx(-0.02, abs=1e-15)


def test_returns_tied_at_the_quantile_do_not_dilute_the_tail() -> None:
    # 2 losses in 100 sessions, cash otherwise: the 5 worst are two losses and three zeros, not all 100.
    returns = np.zeros(100)
    returns[[10, 20]] = -0.05
    assert measure(curve(returns))["cvar_95"] == pytest.approx(-0.1 / 5)


def test_a_leveraged_copy_of_the_benchmark_has_its_beta_and_no_alpha() -> None:
    rf = 0.0002
    measured = measure(curve(rf + 1.5 * (BENCHMARK - rf)), rf=rf, benchmark=curve(BENCHMARK))
    assert measured["beta"] == pytest.approx(1.5)
    assert measured["alpha"] == pytest.approx(0, abs=1e-13)


def test_the_books_are_reported_per_year_where_they_are_rates() -> None:
    # A full switch is a one-sided turnover of 1, as in the table of section 4; here two in two years of 365.25 days.
    on = np.array(["2019-01-01T00", "2020-12-31T12"], dtype="datetime64[h]").astype("datetime64[D]")
    activity = Activity(turnover=2.0, rebalances=3, trades=10, exposures={"small": 0.25}, costs_usd=12.5)
    measured = measure([1, 2], on=on, activity=activity)
    assert measured["turnover_annual"] == pytest.approx(2 / (730 / 365.25))
    assert [measured[key] for key in ("rebalances", "trades", "exposure_small", "costs_usd")] == [3, 10, 0.25, 12.5]


def test_counts_are_integers_and_figures_are_floats() -> None:
    activity = Activity(turnover=0.0, rebalances=1, trades=2, exposures={"small": 1.0}, costs_usd=0.0)
    kinds = {key: type(value) for key, value in measure([1, 2, 3], activity=activity).items() if value is not None}
    integers = {"longest_drawdown_sessions", "rebalances", "trades"}
    assert kinds == {key: int if key in integers else float for key in kinds}


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_broken_equity_is_refused_with_its_place(bad: float) -> None:
    equity = np.ones((30_000, 3))
    equity[28_000, 1] = bad
    with pytest.raises(ValueError, match=r"equity, curve 28000, row 1: .*expected a positive, finite value"):
        metrics_table(equity, calendar=calendar_of(days(3)), tbill_returns=np.zeros(3))


def test_arguments_that_do_not_fit_the_calendar_are_refused() -> None:
    calendar, three, two = calendar_of(days(3)), np.ones(3), np.ones(2)
    with pytest.raises(ValueError, match=r"equity has shape \(1, 2\), expected \(curves, 3\)"):
        metrics(two, calendar=calendar, tbill_returns=three)
    with pytest.raises(ValueError, match=r"tbill_returns has shape \(2,\)"):
        metrics(three, calendar=calendar, tbill_returns=two)
    with pytest.raises(ValueError, match=r"benchmark has shape \(2,\)"):
        metrics(three, calendar=calendar, tbill_returns=three, benchmark=two)
    with pytest.raises(ValueError, match="tbill_returns must be finite"):
        metrics(three, calendar=calendar, tbill_returns=np.array([0, 0, np.nan]))
