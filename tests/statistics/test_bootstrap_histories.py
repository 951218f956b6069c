"""Resampled histories: the counts, the moments from them, block length, null distributions and stepwise p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backtest.statistics.bootstrap import (
    SHORTEST_BLOCK,
    Drawn,
    chance_of_maximum,
    compound_growth,
    distinct,
    interval,
    no_skill_draws,
    optimal_block,
    resampled_means,
    resampled_moments,
    stationary_counts,
    step_down,
)

Array = NDArray[np.float64]


def autoregression(rho: float, sessions: int, seed: int) -> Array:
    shocks, y = np.random.default_rng(seed).standard_normal(sessions), np.zeros(sessions)
    for t in range(1, sessions):
        y[t] = rho * y[t - 1] + shocks[t]
    return y


def test_the_optimal_block_of_an_autoregression_is_the_published_one() -> None:
    y = autoregression(0.5, 2000, 42)
    assert optimal_block(y[:, None]) == pytest.approx(13.836863, abs=1e-6)


def test_the_block_is_the_median_of_the_moving_columns_and_a_week_at_least() -> None:
    y = autoregression(0.5, 2000, 42)
    assert optimal_block(np.column_stack([y, 2 * y, np.zeros(2000)])) == pytest.approx(13.836863, abs=1e-6)
    assert optimal_block(np.random.default_rng(0).standard_normal((2000, 3))) == SHORTEST_BLOCK
    assert optimal_block(np.zeros((100, 2))) == SHORTEST_BLOCK


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 130), st.floats(1, 80), st.integers(0, 2**32 - 1))
def test_every_history_visits_as_many_sessions_as_there_are(
    sessions: int, histories: int, block: float, seed: int
) -> None:
    counts = stationary_counts(sessions, histories, block, seed)
    assert counts.shape == (histories, sessions)
    assert (counts.sum(axis=1) == sessions).all()
    assert counts.tobytes() == stationary_counts(sessions, histories, block, seed).tobytes()


def test_seeds_differ_and_fewer_histories_are_the_first_of_more() -> None:
    first, other = stationary_counts(50, 200, 5, 1), stationary_counts(50, 200, 5, 2)
    assert (first != other).any()
    assert (first[:100] == stationary_counts(50, 100, 5, 1)).all()


def test_one_long_block_is_the_sample_itself_and_blocks_of_one_are_independent_draws() -> None:
    assert (stationary_counts(40, 20, 1e12, 1) == 1).all()
    independent = stationary_counts(50, 4000, 1.0, 3).astype(float)
    assert independent.var(axis=0).mean() == pytest.approx(1 - 1 / 50, abs=0.02)


def test_the_error_of_a_mean_is_the_stationary_bootstraps() -> None:
    """Politis and Romano's closed form: gamma_0 + 2 sum kappa_i gamma_i, the one arch uses."""
    y, n, p = autoregression(0.5, 300, 1), 300, 1 / 10
    centred = y - y.mean()
    variance = centred @ centred / n
    for i in range(1, n):
        kappa = (1 - i / n) * (1 - p) ** i + i / n * (1 - p) ** (n - i)
        variance += 2 * kappa * (centred[:-i] @ centred[i:]) / n
    draws = resampled_means(stationary_counts(n, 8000, 10, 1), y[:, None])
    assert draws.std() * n**0.5 == pytest.approx(variance**0.5, rel=0.03)
    assert draws.mean() == pytest.approx(y.mean(), abs=3 * draws.std() / 8000**0.5)


def test_moments_from_counts_are_those_of_the_history_written_out() -> None:
    x = np.random.default_rng(0).standard_normal((80, 3)) * [0.01, 1, 5] + [1, 0, 3]
    counts = stationary_counts(80, 30, 7, 4)
    mean, deviation = resampled_moments(counts, x)
    for k in range(30):
        history = np.repeat(x, counts[k], axis=0)
        assert mean[k] == pytest.approx(history.mean(axis=0), abs=1e-12)
        assert deviation[k] == pytest.approx(history.std(axis=0, ddof=1), rel=1e-9)


def test_equal_columns_are_computed_once_and_stand_where_they_stood() -> None:
    x = np.array([[1.0, 2.0, 1.0, -0.0, 0.0], [3.0, 4.0, 3.0, 0.0, -0.0]])
    different, places = distinct(x)
    assert different.tolist() == [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]
    assert places.tolist() == [0, 1, 0, 2, 2]
    drawn = Drawn(different[0], different).at(places)
    assert drawn.draws.tolist() == x.tolist()
    assert drawn.draws.flags.c_contiguous


def test_resampled_constants_have_no_risk() -> None:
    mean, deviation = resampled_moments(stationary_counts(50, 10, 5, 1), np.full((50, 1), 0.001))
    assert mean == pytest.approx(0.001)
    assert (deviation == 0).all()


def test_intervals_are_percentiles() -> None:
    draws = np.column_stack([np.arange(1001.0), -np.arange(1001.0)])
    assert interval(draws) == pytest.approx(np.array([[25.0, -975.0], [975.0, -25.0]]))
    assert interval(draws, 0.9)[:, 0] == pytest.approx([50.0, 950.0])


def test_the_interval_of_a_mean_covers_it_about_as_often_as_promised() -> None:
    covered = 0
    for seed in range(200):
        y = autoregression(0.3, 400, seed)[:, None]
        lower, upper = interval(resampled_means(stationary_counts(400, 400, 10, seed), y))
        covered += bool(lower[0] <= 0 <= upper[0])
    assert 0.88 <= covered / 200 <= 0.98


def test_growth_compounds_over_calendar_years() -> None:
    doubled_in_two_years = np.array([np.log(2) / 500])
    assert compound_growth(doubled_in_two_years, 500, 2.0) == pytest.approx([2**0.5 - 1])


def test_no_skill_draws_are_centred_and_the_chance_counts_them() -> None:
    ratios = Drawn(np.array([1.0, 2.0]), np.array([[1.5, 2.0], [0.0, 4.0], [1.0, 1.0], [3.0, 3.0]]))
    null = no_skill_draws(ratios)
    assert null.max(axis=1).tolist() == [0.5, 2.0, 0.0, 2.0]
    assert chance_of_maximum(2.0, null) == pytest.approx((1 + 2) / (1 + 4))
    assert chance_of_maximum(9.0, null) == pytest.approx(1 / 5)


def test_stepwise_p_values_by_hand() -> None:
    null = np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 0.0], [0.5, 0.0, 2.5], [0.0, 0.5, 0.0]])
    # largest 2.2 (column 1) against all: 3.0, 2.5 reach it; then 1.0 (column 0) without column 1: 1.0, 2.0, 2.5;
    # then -1 (column 2) against itself alone: all four
    assert step_down(np.array([1.0, 2.2, -1.0]), null) == pytest.approx([4 / 5, 3 / 5, 1.0])


@given(st.integers(1, 6), st.integers(0, 1000))
def test_stepwise_p_values_never_fall_with_the_rank_and_the_best_is_corrected_for_all(columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    observed, null = rng.standard_normal(columns), rng.standard_normal((50, columns))
    p = step_down(observed, null)
    assert (np.diff(p[np.argsort(-observed)]) >= 0).all()
    assert p[observed.argmax()] == chance_of_maximum(float(observed.max()), null)
