"""Two Sharpe ratios on the same sessions: do they differ by more than chance?

Jobson-Korkie with Memmel's correction assumes independent normal returns and is here to be compared with; Ledoit and
Wolf (2008, Journal of Empirical Finance 15) allow for fat tails and dependence through time, and are what the page
shows. Both have little power: differences of the size seen between rotations need decades.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.normal import two_sided_p
from backtest.statistics.sharpe import NO_RISK, sharpe_ratios

Array = NDArray[np.float64]

PARZEN_RATE = 2.6614
"""Andrews' (1991) constant of the optimal Parzen bandwidth."""


@dataclass(frozen=True)
class SharpeTest:
    """Difference of two per-session Sharpe ratios, its standard error, and the two-sided p-value of no difference."""

    difference: float
    standard_error: float
    p_value: float


def _test(difference: float, standard_error: float) -> SharpeTest:
    p = two_sided_p(difference / standard_error) if standard_error > 0 else 1.0
    return SharpeTest(difference, standard_error, p)


def jobson_korkie_memmel(first: float, second: float, correlation: float, observations: int) -> SharpeTest:
    """Difference of two ratios of independent normal returns.

    Variance: [2 - 2 r + (S1^2 + S2^2 - 2 S1 S2 r^2) / 2] / T.
    """
    shared = (first**2 + second**2 - 2 * first * second * correlation**2) / 2
    return _test(first - second, math.sqrt(max(0.0, 2 - 2 * correlation + shared) / observations))


def ledoit_wolf(first: Array, second: Array) -> SharpeTest:
    """Difference of the ratios of two series by a kernel (HAC) standard error.

    first, second: returns over the T-bill on the same sessions, no NaN. The error is the delta method's on the moments
    (m1, m2, g1, g2), g uncentred second moments. Series that are equal, or one without risk, show no difference: p = 1.
    """
    returns = np.column_stack([first, second])
    if returns.std(axis=0).min() <= NO_RISK or np.ptp(first - second) <= NO_RISK:
        return SharpeTest(float(np.subtract(*sharpe_ratios(returns))), 0.0, 1.0)
    mean, square = returns.mean(axis=0), (returns**2).mean(axis=0)
    cubed = (square - mean**2) ** 1.5
    gradient = np.concatenate([square / cubed, -0.5 * mean / cubed]) * [1, -1, 1, -1]
    errors = np.column_stack([returns - mean, returns**2 - square])
    variance = float(gradient @ _long_run_covariance(errors) @ gradient) / len(returns)
    return _test(float(np.subtract(*sharpe_ratios(returns))), math.sqrt(max(0.0, variance)))


def _long_run_covariance(errors: Array) -> Array:
    """Parzen-kernel covariance of (sessions x 4) errors at Andrews' bandwidth, times T / (T - 4)."""
    n = len(errors)
    width = PARZEN_RATE * (_persistence(errors) * n) ** 0.2
    total = errors.T @ errors / n
    for lag in range(1, min(n, math.ceil(width))):
        shifted = errors[lag:].T @ errors[:-lag] / n
        total = total + _parzen(lag / width) * (shifted + shifted.T)
    return total * n / (n - 4)


def _parzen(x: float) -> float:
    return 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * (1 - x) ** 3


def _persistence(errors: Array) -> float:
    """Andrews' alpha(2) from a first-order autoregression with a constant in each column."""
    past, now = errors[:-1] - errors[:-1].mean(axis=0), errors[1:] - errors[1:].mean(axis=0)
    rho = (past * now).sum(axis=0) / (past**2).sum(axis=0)
    noise = ((now - rho * past) ** 2).mean(axis=0)
    # Columns of returns and of squared returns differ by orders of magnitude: both sums keep the papers' own weights.
    return float((4 * rho**2 * noise**2 / (1 - rho) ** 8).sum() / (noise**2 / (1 - rho) ** 4).sum())
