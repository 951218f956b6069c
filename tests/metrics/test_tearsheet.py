"""Rolling figures, moments, trailing returns and positions, against other libraries and by hand."""

from __future__ import annotations

import empyrical
import ffn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.metrics.tearsheet import Positions, excess_kurtosis, positions, rolling, skewness, trailing

DAYS = pd.bdate_range("2015-01-02", "2020-12-31")
RANDOM = np.random.default_rng(3)
OWN, OTHER = RANDOM.normal(0.0004, 0.011, len(DAYS) - 1), RANDOM.normal(0.0003, 0.012, len(DAYS) - 1)
OTHER = 0.6 * OWN + 0.4 * OTHER
ZERO = np.zeros(len(OWN))


def test_rolling_figures_are_those_of_empyrical() -> None:
    own, other = pd.Series(OWN, DAYS[1:]), pd.Series(OTHER, DAYS[1:])
    found = rolling(OWN, OTHER, ZERO, 252, 252)
    assert np.isnan(found.sharpe[:252]).all()
    for name, expected in {
        "sharpe": empyrical.roll_sharpe_ratio(own, window=252),
        "volatility": empyrical.roll_annual_volatility(own, window=252),
        "beta": empyrical.roll_beta(own, other, window=252),
    }.items():
        np.testing.assert_allclose(getattr(found, name)[252:], expected.to_numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.correlation[252:], own.rolling(252).corr(other).dropna(), rtol=1e-9)


def test_a_curve_that_stands_still_has_no_ratio_and_one_without_benchmark_no_beta() -> None:
    found = rolling(np.zeros(300), None, np.zeros(300), 252, 252)
    assert np.isnan(found.sharpe).all()
    assert np.isnan(found.beta).all()
    assert found.volatility[-1] == 0.0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", ["2021-03-02", "2022-06-15", "2019-09-10"])
def test_trailing_returns_and_moments_are_those_of_ffn(last: str) -> None:
    days = pd.bdate_range("2008-06-02", last)
    prices = pd.Series(100 * np.cumprod(1 + np.random.default_rng(len(days)).normal(4e-4, 0.011, len(days))), days)
    stats = ffn.calc_stats(prices).stats
    told = {name: value for name, value, _ in trailing(prices.to_numpy(), days.to_numpy().astype("M8[D]"))}
    names = {"Month to date": "mtd", "Year to date": "ytd", "Since the start": "incep"}
    for years, name in {1: "one_year", 3: "three_year", 5: "five_year", 10: "ten_year"}.items():
        if (days[-1] - pd.DateOffset(years=years)).dayofweek < 5:  # else ffn takes the close after that day
            names["1 year" if years == 1 else f"{years} years"] = name
    assert len(names) > 4
    for ours, theirs in names.items():
        assert told[ours] == pytest.approx(stats[theirs], rel=1e-9), ours
    returns = prices.pct_change().dropna().to_numpy()
    assert skewness(returns) == pytest.approx(stats["daily_skew"])
    assert excess_kurtosis(returns) == pytest.approx(stats["daily_kurt"])


def test_without_spread_there_are_no_moments() -> None:
    assert skewness(np.ones(5)) is None
    assert excess_kurtosis(np.array([0.1, 0.2, 0.3])) is None


def test_trailing_returns_by_hand() -> None:
    days = np.array(["2018-12-31", "2019-12-31", "2020-09-30", "2020-11-30", "2020-12-30", "2020-12-31"], "M8[D]")
    told = trailing(np.array([50.0, 100.0, 110.0, 120.0, 125.0, 132.0]), days)
    assert [name for name, *_ in told] == [
        "Month to date", "Quarter to date", "Year to date", "1 year", "Since the start"]  # fmt: skip
    assert [value for _, value, _ in told[:4]] == pytest.approx([0.1, 0.2, 0.32, 0.32])
    assert told[-1][1] == pytest.approx((132 / 50) ** (365.25 / 731) - 1)
    assert told[-1][2]


@given(st.lists(st.floats(0.5, 2.0), min_size=3, max_size=60))
def test_the_last_year_is_the_product_of_its_days(growth: list[float]) -> None:
    days = pd.bdate_range("2020-01-01", periods=len(growth)).to_numpy().astype("M8[D]")
    equity = np.cumprod(growth)
    told = {name: value for name, value, _ in trailing(equity, days)}
    assert told["Since the start"] == pytest.approx(equity[-1] / equity[0] - 1)


def test_positions_by_hand() -> None:
    assert positions([], []) is None
    assert positions([0.1, -0.05, 0.2, -0.1], [5, 10, 20, 1]) == Positions(
        4, 0.5, pytest.approx(2.0), 0.2, -0.1, 7.5)  # fmt: skip
    only = positions([0.1], [3])
    assert only is not None
    assert only.profit_factor is None
