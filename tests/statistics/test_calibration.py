"""What the null of the search must show, on simulated markets with fixed seeds: the rows of benchmarks/calibration.py.

By default a few markets of the rows that a mistake would break at once; the counts that the limits are meant for are
slow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from calibration import LIMITS, ROWS, Rates, measured, missed

FAST = {
    "null-10": 20,
    "part-45": 20,
    "exposure-10": 40,
    "plateau-30": 12,
    "stretches-8": 100,
    "days-1": 20,
    "crashes": 40,
}
"""Row -> markets."""


@pytest.mark.parametrize("name", list(FAST))
def test_a_row_keeps_its_limits_on_a_few_markets(name: str) -> None:
    assert missed(name, list(measured(ROWS[name][1], FAST[name], seed=7, histories=499))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIMITS))
def test_a_row_keeps_its_limits(name: str) -> None:
    assert missed(name, list(measured(ROWS[name][1], 200, seed=11, histories=1999))) == []


@pytest.mark.slow
def test_a_single_skilled_rule_is_seen_as_often_as_by_the_stationary_bootstrap() -> None:
    rates = list(measured(ROWS["single-15"][1], 200, seed=3, histories=999))
    for what in ("ahead", "timing"):
        flips, other = (np.array([float(each[key]) for each in rates]) for key in (f"{what} p < .05",
                        f"{what} p < .05, bootstrap"))  # fmt: skip
        apart = 1.64 * (flips - other).std() / len(rates) ** 0.5
        assert abs(flips.mean() - other.mean()) <= 0.03 + apart


@pytest.mark.slow
def test_the_timing_p_of_a_calendar_given_in_advance_is_uniform() -> None:
    from scipy.stats import kstest

    rates = list(measured(ROWS["given"][1], 200, seed=5, histories=999))
    assert kstest([each["timing p"] for each in rates], "uniform").pvalue >= 0.001


def test_a_limit_is_missed_by_more_than_chance_only() -> None:
    def rates(share: float) -> list[Rates]:
        return [{"ahead p < .05": k < share * 200} for k in range(200)]

    assert missed("part-30", rates(0.07)) == []
    assert missed("part-30", rates(0.08)) == ["ahead p < .05 8.0, at most 5"]
