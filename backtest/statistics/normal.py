"""The standard normal distribution, exact far into both tails, without the cost of importing scipy."""

from __future__ import annotations

import math
from statistics import NormalDist  # the standard library's module: this package is backtest.statistics

_STANDARD = NormalDist()


def normal_cdf(z: float) -> float:
    """P(Z <= z); the complementary error function keeps its digits where 1 - P would lose them."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def normal_quantile(probability: float) -> float:
    """The z with P(Z <= z) = probability, which must lie strictly between 0 and 1 (else ValueError)."""
    return _STANDARD.inv_cdf(probability)


def two_sided_p(z: float) -> float:
    """P(|Z| >= |z|)."""
    return math.erfc(abs(z) / math.sqrt(2))
