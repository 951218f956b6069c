"""Calendar years and correlation, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from worlds import weekdays

from backtest.study.comparison import alike_order, calendar_years, correlation_of

EXCHANGE = weekdays("2000-01-01", "2012-12-31")


def test_years_are_cut_at_their_last_closes() -> None:
    sessions = pd.DatetimeIndex(["2003-12-31", "2004-06-01", "2004-12-31", "2005-03-01"])
    exchange = pd.DatetimeIndex([*sessions, pd.Timestamp("2005-12-30"), pd.Timestamp("2006-01-02")])
    equity = np.array([[100.0, 150.0, 110.0, 55.0]])
    years = calendar_years(sessions, exchange, equity, 2 * equity)
    assert years.years == (2004, 2005)
    assert years.is_complete == (True, False)
    np.testing.assert_allclose(years.returns, [[0.1, -0.5]])
    np.testing.assert_allclose(years.benchmarks, [[0.1, -0.5]])


def test_a_curve_that_begins_in_january_misses_its_first_return() -> None:
    sessions = EXCHANGE[(EXCHANGE >= "2004-01-02") & (EXCHANGE <= "2005-12-30")]
    years = calendar_years(sessions, EXCHANGE, np.ones((1, len(sessions))), np.ones((1, len(sessions))))
    assert (years.years, years.is_complete) == ((2004, 2005), (False, True))


def test_correlation_is_numpys_and_knows_what_does_not_vary() -> None:
    active = np.random.default_rng(2).normal(0, 0.01, (300, 4))
    np.testing.assert_allclose(correlation_of(active), np.corrcoef(active, rowvar=False), atol=1e-12)
    active[:, 2] = 0.0
    correlation = correlation_of(active)
    assert np.isnan(correlation[2, [0, 1, 3]]).all()
    assert correlation[2, 2] == 1.0


def test_alike_variants_become_neighbours() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0, 1, (200, 2)).T
    active = np.column_stack([one, other, one + rng.normal(0, 0.1, 200), other + rng.normal(0, 0.1, 200)])
    order = alike_order(correlation_of(active))
    assert sorted(order) == [0, 1, 2, 3]
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(3)) == 1
    assert alike_order(np.ones((2, 2))) == (0, 1)
