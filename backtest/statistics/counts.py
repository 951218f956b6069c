"""How much does a count of tests say that share what they look at: "above the median in 9 of 20 windows"?

    what each test looks at -> how alike they are -> so many independent ones -> the interval of the share

Without skill each test is a coin. Two coins that follow normal returns of correlation rho agree in 1/2 + asin(rho)/pi
of cases, so that their correlation is 2/pi asin(rho); n of them scatter as n^2 / sum of all correlations independent
ones do. Simulated with 300 markets of 24 years, 60 rules: 15 splits of 6 groups 4.1 and 4.8 (by this rule 4.1), five
paths 1.5 and 2.0 (1.4 and 1.8), 19 windows that do not overlap 20 and 20 (19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.normal import normal_quantile
from backtest.statistics.search import EQUAL_RETURN

CONFIDENCE = 0.95


def effective_count(looked_at: NDArray[np.float64]) -> float:
    """Independent tests that these are worth, from 1 to their number.

    looked_at: (tests x sessions), what each test sees of each session: its active return, or 1 where the session is
    in its test and 0 where it is not.
    """
    looked_at = np.where(np.abs(looked_at) > EQUAL_RETURN, looked_at, 0.0)
    length = np.sqrt((looked_at**2).sum(axis=1))
    units = looked_at / np.where(length > 0, length, 1.0)[:, None]
    alike = np.clip(units @ units.T, -1.0, 1.0)
    alike[np.ix_(length == 0, length == 0)] = 1.0  # those that see nothing see the same
    np.fill_diagonal(alike, 1.0)
    worth = len(alike) ** 2 / (2 / math.pi * np.arcsin(alike)).sum()
    return float(min(max(worth, 1.0), len(alike)))


def sessions_in(tests: Sequence[Sequence[tuple[int, int]]]) -> NDArray[np.float64]:
    """(tests x sessions), 1 where a test looks; each is its stretches (begin, end), whose first row has no return."""
    seen = np.zeros((len(tests), max(end for stretches in tests for _, end in stretches)))
    for row, stretches in zip(seen, tests, strict=True):
        for begin, end in stretches:
            row[begin + 1 : end] = 1.0
    return seen


def share_interval(share: float, count: float) -> tuple[float, float]:
    """Wilson's interval of a share of so many independent tests, which need not be a whole number."""
    square = normal_quantile((1 + CONFIDENCE) / 2) ** 2 / count
    middle = (share + square / 2) / (1 + square)
    reach = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)
