"""The interval of a count whose tests share what they look at: by hand, and against what counts without skill do."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from backtest.statistics.counts import effective_count, sessions_in, share_interval


def test_the_interval_of_independent_tests_is_wilsons() -> None:
    # Wilson (1927): 9 of 20, z = 1.96; 7 of 7 goes up to 1
    assert share_interval(9 / 20, 20) == pytest.approx((0.2582, 0.6579), abs=1e-4)
    assert share_interval(1.0, 7) == pytest.approx((0.6457, 1.0), abs=1e-4)
    assert share_interval(0.0, 7) == pytest.approx((0.0, 0.3543), abs=1e-4)


def test_tests_that_share_nothing_count_whole_and_equal_ones_once() -> None:
    windows = sessions_in([[(0, 253)], [(252, 505)], [(504, 757)]])
    assert windows.sum(axis=1).tolist() == [252, 252, 252]  # they meet in a row, and share no return
    assert effective_count(windows) == pytest.approx(3.0)
    one = np.random.default_rng(0).standard_normal((1, 500))
    assert effective_count(np.repeat(one, 7, axis=0)) == pytest.approx(1.0)
    assert effective_count(np.zeros((7, 500))) == 1.0
    assert effective_count(np.vstack([np.zeros((1, 500)), one])) == pytest.approx(2.0)
    assert effective_count(np.vstack([one, -one])) == 2.0  # opposites are not worth more than their number


def test_rounding_of_paths_that_hold_the_benchmark_is_no_difference() -> None:
    assert effective_count(1e-13 * np.random.default_rng(0).standard_normal((5, 300))) == 1.0


def test_the_splits_of_a_cross_validation_by_hand() -> None:
    # 15 splits of 6 groups: each shares one of two groups with 8 others, asin(1/2) = pi / 6, 2/pi of it 1/3
    groups = [(100 * g, 100 * g + 101) for g in range(6)]
    splits = sessions_in([[groups[a], groups[b]] for a, b in combinations(range(6), 2)])
    assert effective_count(splits) == pytest.approx(15 / (1 + 8 / 3))


def test_shares_without_skill_scatter_as_so_many_independent_ones() -> None:
    rng = np.random.default_rng(4)
    mixing = rng.standard_normal((7, 7)) * 0.5 + 1.0  # seven paths that hold much the same
    shares, worth = [], []
    for _ in range(2000):
        paths = mixing @ rng.standard_normal((7, 200))
        shares.append(float((paths.sum(axis=1) > 0).mean()))
        worth.append(effective_count(paths))
    assert 0.25 / np.var(shares) == pytest.approx(np.mean(worth), rel=0.1)
    inside = [low <= 0.5 <= high for low, high in map(share_interval, shares, worth)]
    assert np.mean(inside) >= 0.95
