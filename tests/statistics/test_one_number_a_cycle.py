"""A few cycles, one number each: Student's t and the count of signs, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backtest.statistics.cycles import by_cycle, student_above


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30])
@pytest.mark.parametrize("t", [-3.0, -0.5, 0.0, 0.7, 2.0, 6.0])
def test_the_tail_of_students_distribution(t: float, freedom: int) -> None:
    assert student_above(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-12)


def test_windows_of_one_cycle_are_one_observation_with_a_degree_of_freedom_less_than_cycles() -> None:
    """Means 2, 1, 4 and -1 of four cycles, three of them positive: 5 of 16 series of four coins have so many heads."""
    values = np.array([1.0, 3.0, 1.0, 4.0, -1.0])
    found = by_cycle(values, ["2001", "2001", "2007", "2019", "2024"])
    assert found.values == (2.0, 1.0, 4.0, -1.0)
    expected = stats.ttest_1samp(found.values, 0.0, alternative="greater")
    assert (found.t, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert (found.positive, found.p_signs) == (3, 5 / 16)


def test_of_one_cycle_nothing_is_tested() -> None:
    found = by_cycle(np.array([1.0, 2.0]), ["2001", "2001"])
    assert (found.t, found.p, found.p_signs) == (None, None, 0.5)
