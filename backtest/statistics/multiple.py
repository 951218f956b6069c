"""Many p-values at once: what is left of each after correcting for their number.

Bonferroni and Holm bound the chance of a single false find; Benjamini-Hochberg and -Yekutieli the share of false
finds (Yekutieli's under any dependence). The haircut is Harvey and Liu's (2015, Journal of Portfolio Management 42)
for one's OWN number of trials; their simulated universe of published factors is not used. Where theirs and R's
Yekutieli differ (the largest p), R's is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backtest.statistics.normal import normal_quantile, two_sided_p

Array = NDArray[np.float64]


def bonferroni(p_values: ArrayLike) -> Array:
    """min(1, N p), in the order given."""
    p = np.asarray(p_values, dtype=float)
    return np.asarray(np.minimum(1.0, p * len(p)))


def sidak(p_value: float, trials: int) -> float:
    """1 - (1 - p)^N: exact for independent trials."""
    return -math.expm1(trials * math.log1p(-p_value)) if p_value < 1 else 1.0


def holm(p_values: ArrayLike) -> Array:
    """Holm's step-down: the k-th smallest of N times N - k + 1, never falling; in the order given."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _restored(np.minimum(1.0, stepped), order)


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Step-up: the k-th smallest of N times N / k, never above a larger p's; in the order given."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _restored(np.minimum(1.0, stepped), order)


def benjamini_yekutieli(p_values: ArrayLike) -> Array:
    """Benjamini-Hochberg times c(N) = 1 + 1/2 + ... + 1/N: holds under any dependence."""
    p = np.asarray(p_values, dtype=float)
    harmonic = float((1 / np.arange(1, len(p) + 1)).sum())
    return np.minimum(1.0, benjamini_hochberg(p) * harmonic) if len(p) else p


def _restored(values: Array, order: NDArray[np.intp]) -> Array:
    out = np.empty_like(values)
    out[order] = values
    return out


@dataclass(frozen=True)
class Haircut:
    """A Sharpe ratio after correcting its p-value: `fraction` of it is gone. p-values two-sided, ratio annual."""

    p_value: float
    corrected_p: float
    sharpe: float
    fraction: float


def haircut_sharpe(annual_sharpe: float, years: float, trials: int, degrees_of_freedom: int | None = None) -> Haircut:
    """Harvey and Liu's Bonferroni haircut: the ratio that a single trial with the corrected p-value would have had.

    t = SR sqrt(years). degrees_of_freedom: Student's t (observations - 1) instead of the normal distribution.
    """
    t = abs(annual_sharpe) * math.sqrt(years)
    p = two_sided_p(t) if degrees_of_freedom is None else _student_p(t, degrees_of_freedom)
    corrected = min(1.0, trials * p)
    if corrected == p:
        return Haircut(p, p, annual_sharpe, 0.0)
    left = _t_of(corrected, degrees_of_freedom) / math.sqrt(years)
    return Haircut(p, corrected, math.copysign(left, annual_sharpe), 1 - left / abs(annual_sharpe))


def _student_p(t: float, degrees_of_freedom: int) -> float:
    from scipy.stats import t as student

    return float(2 * student.sf(t, degrees_of_freedom))


def _t_of(p_value: float, degrees_of_freedom: int | None) -> float:
    """The t (or z) with this two-sided p-value."""
    if degrees_of_freedom is None:
        return -normal_quantile(p_value / 2) + 0.0
    from scipy.stats import t as student

    return float(student.isf(p_value / 2, degrees_of_freedom)) + 0.0


def equivalent_trials(trials: int, correlation: float) -> float:
    """Independent trials worth `trials` with this mean correlation: rho + (1 - rho) N."""
    return correlation + (1 - correlation) * trials


def effective_variants(active: Array) -> float:
    """How many independent columns vary as these do: (sum of eigenvalues)^2 / sum of squares, of their correlations.

    A description only: deflating by it would count a search as small because its variants resemble each other. Columns
    without variation are left out.
    """
    moving = active[:, np.ptp(active, axis=0) > 0]
    if moving.shape[1] < 2:
        return float(moving.shape[1])
    correlation = np.corrcoef(moving, rowvar=False)
    return float(moving.shape[1] ** 2 / (correlation**2).sum())
