"""Calendar years, correlation and the walk-forward pick, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from worlds import weekdays

from backtest.study.through_time import alike_order, calendar_years, correlation_of, walk_forward

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


def test_the_winner_of_five_years_is_held_for_the_next() -> None:
    sessions = EXCHANGE[(EXCHANGE >= "2001-12-31") & (EXCHANGE <= "2008-06-30")]
    year = sessions.year.to_numpy()[1:]
    wiggle = np.resize([1e-3, -1e-3], len(year))
    benchmark = np.zeros(len(year))
    # The first leads a little until 2006, the second only in 2007 and later, by far: a look at 2007 would pick it.
    returns = np.column_stack(
        [np.where(year <= 2006, 2e-4, -1e-3) + wiggle, np.where(year >= 2007, 9e-3, 0.0) + wiggle]
    )
    walk = walk_forward(sessions, returns, benchmark, best=1)
    assert walk is not None
    assert walk.picks == ((2007, 0), (2008, 1))
    assert walk.start == pd.Timestamp("2006-12-29")
    held = np.where(year == 2007, returns[:, 0], returns[:, 1])[year >= 2007]
    years = (sessions[-1] - walk.start).days / 365.25
    assert walk.growth == pytest.approx(np.prod(1 + held) ** (1 / years) - 1)
    assert walk.benchmark_growth == 0.0
    assert walk.hindsight_growth == pytest.approx(np.prod(1 + returns[year >= 2007, 1]) ** (1 / years) - 1)
    assert walk.equity[-1] == pytest.approx(np.prod(1 + held))
    assert len(walk.equity) == (year >= 2007).sum() + 1


@pytest.mark.parametrize(
    ("first", "picks"), [("2001-12-31", 2), ("2002-01-02", 2), ("2002-03-01", 1), ("2003-03-03", 0)]
)
def test_only_full_years_are_learnt_from(first: str, picks: int) -> None:
    sessions = EXCHANGE[(first <= EXCHANGE) & (EXCHANGE <= "2008-06-30")]
    returns = np.random.default_rng(1).normal(0, 0.01, (len(sessions) - 1, 3))
    walk = walk_forward(sessions, returns, np.zeros(len(returns)), best=0)
    assert (len(walk.picks) if walk else 0) == picks


def test_one_variant_is_no_choice() -> None:
    sessions = EXCHANGE[:2500]
    assert walk_forward(sessions, np.ones((2499, 1)), np.zeros(2499), best=0) is None


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
