"""Formulas of one Sharpe ratio against the worked values of their papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.normal import normal_cdf, normal_quantile, two_sided_p
from backtest.statistics.sharpe import (
    Trials,
    deflated_sharpe,
    expected_maximum,
    minimum_track_record,
    moments,
    pooled_trials,
    probabilistic_sharpe,
    sharpe_ratios,
    trials_of,
)

# Bailey and Lopez de Prado 2014, pages 9-10: annual ratio 2.5, 250 sessions a year, 1250 in all, trials vary by 1/2.
DAILY, VARIANCE = 2.5 / math.sqrt(250), 0.5 / 250


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "trials", "expected"),
    [
        (-3, 10, 100, 0.9003968344493903),
        (-3, 10, 46, 0.9505017068755787),
        (0, 3, 88, 0.9504908166760139),
        (0, 3, 100, 0.9427705859565294),
    ],
)
def test_the_deflated_ratio_meets_the_paper(skewness: float, kurtosis: float, trials: int, expected: float) -> None:
    assert deflated_sharpe(DAILY, 1250, skewness, kurtosis, VARIANCE, trials) == pytest.approx(expected, abs=1e-12)


def test_excess_kurtosis_given_for_raw_is_a_different_number() -> None:
    wrong = deflated_sharpe(DAILY, 1250, -3, 10 - 3, VARIANCE, 100)
    assert wrong == pytest.approx(0.9017785664393667, abs=1e-12)
    assert abs(wrong - 0.9003968344493903) > 1e-3


def test_an_annual_ratio_with_daily_observations_is_the_classic_mistake() -> None:
    assert deflated_sharpe(2.5, 1250, -3, 10, 0.5, 100) == pytest.approx(0.9999999378288204, abs=1e-12)


def test_one_trial_is_deflated_by_nothing() -> None:
    alone = deflated_sharpe(0.05, 500, -0.5, 6, trials_variance=0.002, trials=1)
    assert alone == probabilistic_sharpe(0.05, 0.0, 500, -0.5, 6)


@pytest.mark.parametrize(
    ("months", "hurdle", "shape", "expected"),
    [
        (24, 0.0, (0.0, 3.0), 0.9816749190910771),
        (24, 0.0, (-2.448, 10.164), 0.913361083860933),
        (24, 0.1, (0.0, 3.0), 0.9488061460431657),
        (24, 0.1, (-2.448, 10.164), 0.8564312381396653),
        (36, 0.0, (0.0, 3.0), 0.995027768688657),
        (36, 0.0, (-2.448, 10.164), 0.9535052188653401),
        (36, 0.1, (0.0, 3.0), 0.9780437980449157),
        (36, 0.1, (-2.448, 10.164), 0.9054183381444054),
    ],
)
def test_the_probabilistic_ratio_meets_the_paper(
    months: int, hurdle: float, shape: tuple[float, float], expected: float
) -> None:
    assert probabilistic_sharpe(0.458, hurdle, months, *shape) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("periods", "normal", "skewed"),
    [
        (250, 2.731187801728176, 3.0076770180945376),
        (52, 2.828833586945237, 3.513751676933462),
        (12, 3.239800696444647, 4.991258223875627),
    ],
)
def test_the_track_record_needed_for_two_against_one(periods: int, normal: float, skewed: float) -> None:
    sharpe, hurdle = 2 / math.sqrt(periods), 1 / math.sqrt(periods)
    plain = minimum_track_record(sharpe, hurdle=hurdle)
    shaped = minimum_track_record(sharpe, -0.72, 5.78, hurdle)
    assert plain is not None
    assert shaped is not None
    assert plain / periods == pytest.approx(normal, rel=1e-12)
    assert shaped / periods == pytest.approx(skewed, rel=1e-12)


def test_the_track_record_needed_against_nothing() -> None:
    assert minimum_track_record(0.458) == pytest.approx(15.25, abs=5e-3)
    assert minimum_track_record(0.458, -2.448, 10.164) == pytest.approx(34.56, abs=5e-3)
    assert minimum_track_record(0.0) is None
    assert minimum_track_record(0.1, hurdle=0.2) is None


@given(st.floats(0.02, 0.4), st.floats(-1, 1), st.floats(2.5, 12))
def test_at_the_minimum_track_record_the_confidence_is_95_percent(
    sharpe: float, skewness: float, kurtosis: float
) -> None:
    needed = minimum_track_record(sharpe, skewness, kurtosis)
    assert needed is not None
    shape = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    assert normal_cdf(sharpe * math.sqrt((needed - 1) / shape)) == pytest.approx(0.95, abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (1, 0.0),
        (2, 0.5197553442805939),
        (5, 1.1925940010147893),
        (10, 1.57459830134575),
        (45, 2.2356401777664052),
        (46, 2.2441708308410093),
        (100, 2.5306028932016846),
        (200, 2.765523904633547),
        (1000, 3.255121513652723),
    ],
)
def test_the_expected_maximum_of_no_skill(trials: int, expected: float) -> None:
    assert expected_maximum(trials) == pytest.approx(expected, abs=1e-12)


def test_moments_have_raw_kurtosis_and_the_sample_deviation() -> None:
    m = moments(np.array([-1.0, 0.0, 0.0, 1.0, 5.0]))
    # mean 1, deviations -2 -1 -1 0 4: squares 22, cubes 54, fourth powers 274
    assert m.sharpe == pytest.approx(1 / math.sqrt(22 / 4))
    assert m.skewness == pytest.approx((54 / 5) / (22 / 5) ** 1.5)
    assert m.kurtosis == pytest.approx((274 / 5) / (22 / 5) ** 2)
    assert m.observations == 5


def test_a_normal_sample_has_raw_kurtosis_three() -> None:
    assert moments(np.random.default_rng(2).standard_normal(200_000)).kurtosis == pytest.approx(3, abs=0.05)


def test_a_column_without_risk_has_ratio_zero() -> None:
    constant, rounding = np.full(50, 0.001), 1e-17 * np.random.default_rng(0).standard_normal(50)
    columns = np.column_stack([constant, rounding, np.zeros(50)])
    assert sharpe_ratios(columns).tolist() == [0.0, 0.0, 0.0]
    assert moments(constant).sharpe == 0.0
    assert probabilistic_sharpe(0.0, 0.0, 50) == 0.5


def test_impossible_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="no distribution"):
        probabilistic_sharpe(1.0, 0.0, 100, skewness=3.0, kurtosis=3.0)


@given(st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=9), min_size=1, max_size=5))
def test_pooled_trials_are_the_trials_of_all_together(groups: list[list[float]]) -> None:
    pooled = pooled_trials(trials_of(np.array(group)) for group in groups)
    together = np.array([ratio for group in groups for ratio in group])
    assert pooled.count == len(together)
    assert pooled.mean == pytest.approx(together.mean(), abs=1e-12)
    assert pooled.variance == pytest.approx(together.var(ddof=1) if len(together) > 1 else 0.0, abs=1e-12)


def test_no_trials_pool_to_none() -> None:
    assert pooled_trials([]) == Trials(0, 0.0, 0.0)


def test_the_normal_distribution_keeps_its_tails() -> None:
    assert normal_cdf(-10) == pytest.approx(7.619853024160526e-24, rel=1e-12)
    assert two_sided_p(-10) == pytest.approx(2 * 7.619853024160526e-24, rel=1e-12)
    assert normal_cdf(normal_quantile(0.975)) == pytest.approx(0.975, abs=1e-15)
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054, abs=1e-14)
