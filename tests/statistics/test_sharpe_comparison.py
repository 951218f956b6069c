"""Two Sharpe ratios: the published numbers, an independent second implementation, and the size of the test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.statistics.compare import jobson_korkie_memmel, ledoit_wolf
from backtest.statistics.normal import two_sided_p

Array = NDArray[np.float64]

# Ledoit and Wolf's two pairs of 120 months: ratios, the pair's correlation, z and p of Jobson-Korkie-Memmel.
MUTUAL = ((0.107455006990827, 0.01074870895792046), 0.8701025409212799, 2.0588567387157704, 0.03950796440382509)
HEDGE = ((1.0142281824815491, 1.4605465291278958), -0.0003602380420211408, -2.583413506421861, 0.009782799324887978)

# Their published difference, standard error and p-value: sample, HAC, prewhitened HAC.
PUBLISHED = [
    (0.09670629803290653, 0.048144148264636574, 0.04457083796248767),
    (0.09670629803290653, 0.052553498538539925, 0.06574628060136868),
    (0.09670629803290653, 0.05337753171856895, 0.07002612296300324),
    (-0.4463183466463465, 0.2201145868932805, 0.04259458798966598),
    (-0.4463183466463465, 0.31762714650859997, 0.1599724088740182),
    (-0.4463183466463465, 0.3872693691889889, 0.24912585186469371),
]


@pytest.mark.parametrize(("ratios", "correlation", "z", "p"), [MUTUAL, HEDGE])
def test_jobson_korkie_memmel_on_the_published_pairs(
    ratios: tuple[float, float], correlation: float, z: float, p: float
) -> None:
    test = jobson_korkie_memmel(*ratios, correlation, 120)
    assert test.difference / test.standard_error == pytest.approx(z, abs=1e-9)
    assert test.p_value == pytest.approx(p, abs=1e-10)


@pytest.mark.parametrize(("difference", "error", "p"), PUBLISHED)
def test_published_errors_give_the_published_p_values(difference: float, error: float, p: float) -> None:
    assert two_sided_p(difference / error) == pytest.approx(p, abs=1e-12)


def dependent_pair(sessions: int, seed: int) -> Array:
    """Fat-tailed, autocorrelated, correlated returns of unequal risk."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(5, (sessions + 1, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    return np.asarray((shocks[1:] + 0.3 * shocks[:-1]) * [0.01, 0.02] + [0.0006, 0.0004])


def second_opinion(returns: Array) -> float:
    """The standard error again, from the paper's text: sums written out, the gradient by a numerical derivative."""
    n = len(returns)
    theta = np.concatenate([returns.mean(axis=0), (returns**2).mean(axis=0)])
    v = np.column_stack([returns, returns**2]) - theta

    def difference(m: Array) -> float:
        return float(m[0] / math.sqrt(m[2] - m[0] ** 2) - m[1] / math.sqrt(m[3] - m[1] ** 2))

    steps = np.diag(1e-6 * np.abs(theta))
    gradient = np.array([(difference(theta + s) - difference(theta - s)) / (2 * s.max()) for s in steps])
    top = bottom = 0.0
    for j in range(4):
        slope, constant = np.polyfit(v[:-1, j], v[1:, j], 1)
        s4 = float(np.mean((v[1:, j] - slope * v[:-1, j] - constant) ** 2)) ** 2
        top, bottom = top + 4 * slope**2 * s4 / (1 - slope) ** 8, bottom + s4 / (1 - slope) ** 4
    rows = len(v)
    width = 2.6614 * (top / bottom * rows) ** 0.2
    psi = np.zeros((4, 4))
    for lag in range(-rows + 1, rows):
        x = abs(lag) / width
        if x < 1:
            weight = 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * (1 - x) ** 3
            psi += weight * sum(np.outer(v[t], v[t - lag]) for t in range(max(0, lag), rows + min(0, lag))) / rows
    return math.sqrt(float(gradient @ (psi * rows / (rows - 4)) @ gradient) / n)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ledoit_wolf_agrees_with_a_second_implementation(seed: int) -> None:
    pair = dependent_pair(150, seed)
    test = ledoit_wolf(pair[:, 0], pair[:, 1])
    assert test.standard_error == pytest.approx(second_opinion(pair), rel=1e-6)
    ratios = pair.mean(axis=0) / pair.std(axis=0, ddof=1)
    assert test.difference == pytest.approx(ratios[0] - ratios[1], abs=1e-14)
    assert test.p_value == pytest.approx(
        math.erfc(abs(test.difference / test.standard_error) / math.sqrt(2)), abs=1e-14
    )


def test_ledoit_wolf_and_jobson_korkie_agree_on_independent_normal_returns() -> None:
    x = np.random.default_rng(3).standard_normal((20_000, 2)) * 0.01 + [0.0005, 0.0]
    first, second = x.mean(axis=0) / x.std(axis=0, ddof=1)
    correlation = float(np.corrcoef(x[:, 0], x[:, 1]).ravel()[1])
    plain = jobson_korkie_memmel(float(first), float(second), correlation, len(x))
    assert ledoit_wolf(x[:, 0], x[:, 1]).standard_error == pytest.approx(plain.standard_error, rel=0.03)


def test_equal_ratios_are_rejected_about_as_often_as_promised() -> None:
    pairs = (dependent_pair(500, seed) for seed in range(1000, 1300))
    # ratios are 0.0006 / 0.01 and 0.0004 / 0.02 of the shocks: subtract them to make both 0
    rejected = [ledoit_wolf(p[:, 0] - 0.0006, p[:, 1] - 0.0004).p_value < 0.05 for p in pairs]
    assert 0.02 <= np.mean(rejected) <= 0.09


def test_a_large_difference_is_found_and_its_sign_told() -> None:
    pair = dependent_pair(2000, 5) + np.array([0.004, 0.0])
    assert ledoit_wolf(pair[:, 0], pair[:, 1]).p_value < 0.001
    assert ledoit_wolf(pair[:, 0], pair[:, 1]).difference > 0 > ledoit_wolf(pair[:, 1], pair[:, 0]).difference


def test_equal_series_and_series_without_risk_show_no_difference() -> None:
    x = dependent_pair(100, 0)[:, 0]
    assert ledoit_wolf(x, x.copy()).p_value == 1.0
    assert ledoit_wolf(x, np.zeros(100)).p_value == 1.0
    assert jobson_korkie_memmel(0.1, 0.1, 1.0, 100).p_value == 1.0
