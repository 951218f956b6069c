"""One Sharpe ratio: how sure is it, what does a search leave of it, how many years does it need?

Everything is per session; `kurtosis` is RAW (3 for a normal distribution), as the papers have it: giving the excess
instead moves the deflated ratio by 0.001 to 0.1, silently.

Sources: Bailey and Lopez de Prado 2012 (probabilistic ratio, track record) and 2014 (deflated ratio), Bailey, Borwein,
Lopez de Prado and Zhu 2014 (expected maximum).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.normal import normal_cdf, normal_quantile

Array = NDArray[np.float64]

NO_RISK = 1e-10
"""A standard deviation per session up to here is rounding: the column moves with its benchmark and has no ratio.

The engine keeps 1e-10 of equity in reserve against rounding, so that no finer difference says anything.
"""


@dataclass(frozen=True)
class Moments:
    """What the formulas need of one series: per-session Sharpe ratio, skewness, RAW kurtosis, observations."""

    sharpe: float
    skewness: float
    kurtosis: float
    observations: int


@dataclass(frozen=True)
class Trials:
    """All trials of a search: number, and mean and variance (ddof 1) of their per-session Sharpe ratios."""

    count: int
    mean: float
    variance: float


def ratio(mean: Array, deviation: Array) -> Array:
    """Mean / deviation, elementwise; 0 where there is no risk to speak of."""
    risky = deviation > NO_RISK
    return np.where(risky, mean / np.where(risky, deviation, 1.0), 0.0)


def sharpe_ratios(returns: Array) -> Array:
    """Per-session Sharpe ratio (ddof 1) of each column of (sessions x columns); 0 for a column without risk."""
    return ratio(returns.mean(axis=0), returns.std(axis=0, ddof=1))


def moments(returns: Array) -> Moments:
    """Moments of one series without NaN; one without risk has ratio 0 and a normal's shape."""
    centred, deviation = returns - returns.mean(), returns.std()
    if deviation <= NO_RISK:
        return Moments(0.0, 0.0, 3.0, len(returns))
    z = centred / deviation
    return Moments(float(sharpe_ratios(returns[:, None])[0]), float((z**3).mean()), float((z**4).mean()), len(returns))


def _shape(sharpe: float, skewness: float, kurtosis: float) -> float:
    """The factor by which non-normal returns widen the error of a Sharpe ratio: 1 - g3 SR + (g4 - 1) / 4 SR^2."""
    factor = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if factor <= 0:
        raise ValueError(f"no distribution has skewness {skewness} and raw kurtosis {kurtosis}")
    return factor


def probabilistic_sharpe(
    sharpe: float, hurdle: float, observations: int, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Confidence that the true ratio is above `hurdle`.

    Z[(SR - hurdle) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)].
    """
    shape = _shape(sharpe, skewness, kurtosis)
    return normal_cdf((sharpe - hurdle) * math.sqrt((observations - 1) / shape))


def expected_maximum(trials: float) -> float:
    """Expected best of `trials` standard normal draws, by the papers' approximation; 0 for a single trial."""
    if trials <= 1:
        return 0.0
    last, far = normal_quantile(1 - 1 / trials), normal_quantile(1 - 1 / (trials * math.e))
    return max(0.0, (1 - np.euler_gamma) * last + np.euler_gamma * far)


def deflated_sharpe(
    sharpe: float, observations: int, skewness: float, kurtosis: float, trials_variance: float, trials: float
) -> float:
    """Confidence that the true ratio is above what the best of `trials` shows by luck: sqrt(variance) E[max].

    trials_variance: variance of the trials' Sharpe ratios, per session like `sharpe` (an annual one gives nonsense
    near 1).
    """
    hurdle = math.sqrt(trials_variance) * expected_maximum(trials)
    return probabilistic_sharpe(sharpe, hurdle, observations, skewness, kurtosis)


def pooled_trials(groups: Iterable[Trials]) -> Trials:
    """Several searches as one: counts add up, the variance has the part within and the part between the groups."""
    known = [group for group in groups if group.count > 0]
    count = sum(group.count for group in known)
    if count == 0:
        return Trials(0, 0.0, 0.0)
    mean = sum(group.count * group.mean for group in known) / count
    squares = sum((g.count - 1) * g.variance + g.count * (g.mean - mean) ** 2 for g in known)
    return Trials(count, mean, squares / (count - 1) if count > 1 else 0.0)


def trials_of(sharpes: Array) -> Trials:
    """The trials of one table of per-session Sharpe ratios."""
    return Trials(len(sharpes), float(sharpes.mean()), float(sharpes.var(ddof=1)) if len(sharpes) > 1 else 0.0)


def minimum_track_record(
    sharpe: float, skewness: float = 0.0, kurtosis: float = 3.0, hurdle: float = 0.0, confidence: float = 0.95
) -> float | None:
    """Observations needed before this ratio can be told from `hurdle`; None when it is not above it."""
    if sharpe <= hurdle:
        return None
    return 1 + _shape(sharpe, skewness, kurtosis) * (normal_quantile(confidence) / (sharpe - hurdle)) ** 2
