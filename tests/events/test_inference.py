"""The error bars of event studies: small cases by hand, and what they say of simulated markets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest
from scipy.stats import t as student

from backtest.events.inference import (
    Waves,
    apart,
    covered,
    hac_t,
    placebo,
    timing_curve,
)
from backtest.statistics.cycles import by_cycle, student_above, t_of

SESSIONS, LENGTH = 6048, 60
ACTIVE_SD = 0.006


def test_the_cross_sectional_t_of_2_4_6_is_3_4641() -> None:
    assert t_of(np.array([2.0, 4.0, 6.0])) == pytest.approx(3.4641, abs=1e-4)
    assert t_of(np.array([1.0])) is None
    assert t_of(np.array([1.0, 1.0])) is None


def test_windows_that_do_not_overlap_are_taken_greedily_and_may_touch() -> None:
    assert apart(np.array([0, 4, 5, 9, 11]), 5).tolist() == [True, False, True, False, True]


def test_each_session_of_overlapping_windows_is_counted_once_and_windows_are_cut_off_at_the_ends() -> None:
    assert covered(np.array([1, 2, 8]), (0, 2), 10).tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 1]
    assert covered(np.array([0, 5]), (-1, 0), 7).tolist() == [1, 0, 0, 0, 0, 1, 0]
    assert covered(np.array([-3]), (0, 5), 6).tolist() == [1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30])
@pytest.mark.parametrize("t", [-2.5, 0.0, 0.3, 1.0, 4.0])
def test_student_by_finite_sums_is_scipys(freedom: int, t: float) -> None:
    assert student_above(t, freedom) == pytest.approx(student.sf(t, freedom), abs=1e-12)


def test_hac_errors_are_the_plain_ones_without_lags_and_larger_where_returns_persist() -> None:
    rng = np.random.default_rng(1)
    x = lfilter([1.0], [1.0, -0.5], rng.standard_normal(2000)) + 0.1
    plain = hac_t(x, 0)
    assert plain == pytest.approx(t_of(x), rel=1e-3)
    assert plain is not None
    assert abs(hac_t(x, 10) or 9.0) < 0.7 * abs(plain)


def test_each_cycle_is_one_observation() -> None:
    found = by_cycle(np.array([1.0, 3.0, 4.0, -1.0]), ["a", "a", "b", "c"])
    assert (found.names, found.values, found.positive) == (("a", "b", "c"), (2.0, 4.0, -1.0), 2)
    assert found.t == t_of(np.array([2.0, 4.0, -1.0]))
    assert found.p_signs == 4 / 8  # of three coins two or three heads


def test_the_placebo_by_fourier_transforms_is_the_one_by_moving_the_windows_by_hand() -> None:
    rng = np.random.default_rng(2)
    returns = rng.standard_normal(301) * 0.01
    inside = covered(np.array([20, 25, 150]), (0, 12), 301)
    found = placebo(inside, Waves(returns), 12)
    by_hand = []
    for shift in range(301):
        own = returns[np.roll(inside, shift) > 0]
        by_hand.append((own.mean() - returns.mean()) / own.std() * len(own) ** 0.5)
    assert found.t == pytest.approx(by_hand[0], abs=1e-8)
    assert np.allclose(found.shifted, by_hand[1:], atol=1e-8)
    assert found.p == (1 + sum(value >= by_hand[0] - 1e-9 for value in by_hand[1:])) / 301


def test_a_list_made_of_prices_is_not_moved_to_where_its_windows_reach_what_chose_it() -> None:
    rng = np.random.default_rng(3)
    returns, rows = rng.standard_normal(400), np.array([100, 200])
    inside = covered(rows, (0, 10), 400)
    all_, some = placebo(inside, Waves(returns), 10), placebo(inside, Waves(returns), 10, memory=5)
    assert len(all_.shifted) == 399
    assert len(some.shifted) == 399 - 5 - 14  # 1 to 5 sessions later; 1 to 14 earlier
    chosen = covered(rows, (-5, 0), 400)
    for shift in (-14, -1):
        assert (np.roll(inside, shift) * chosen).any()
    assert not (np.roll(inside, -15) * chosen).any()


def test_where_nothing_can_be_said_there_is_a_reason_instead_of_a_p() -> None:
    returns = np.random.default_rng(4).standard_normal(300)
    assert placebo(np.ones(300), Waves(returns), 5).reason == "the windows cover every session"
    assert placebo(np.zeros(300), Waves(returns), 5).reason == "no session lies inside a window"
    few = placebo(np.r_[np.ones(3), np.zeros(57)], Waves(returns[:60]), 3)
    assert few.p is None
    assert "fewer than 100 places" in few.reason


def test_the_timing_curve_has_no_mean_where_events_add_nothing() -> None:
    inside = np.array([1.0, 1.0, 0.0, 0.0])
    assert timing_curve(inside, np.array([0.01, 0.01, 0.01, 0.01])).sum() == pytest.approx(0.0)
    assert timing_curve(inside, np.array([0.02, 0.02, 0.0, 0.0])).tolist() == [0.01, 0.01, 0.0, 0.0]


def _volatility(rng: np.random.Generator) -> np.ndarray:
    """A log volatility with a memory of sixty sessions."""
    memory = np.exp(-1 / 60)
    shocks, begin = rng.standard_normal(SESSIONS), np.array([memory * rng.standard_normal()])
    z = lfilter([np.sqrt(1 - memory**2)], [1, -memory], shocks, zi=begin)[0]
    return np.asarray(np.exp(0.6 * z) * ACTIVE_SD)


def _five_cycles(rng: np.random.Generator, may_begin: np.ndarray) -> np.ndarray:
    """Five cycles of seven cuts, cycles at least 420 sessions apart."""
    begins: list[int] = []
    while len(begins) < 5:
        one = int(rng.choice(may_begin))
        if all(abs(one - other) >= 420 for other in begins):
            begins.append(one)
    return np.sort(np.concatenate([[b, *(b + np.cumsum(rng.integers(15, 50, 6)))] for b in begins]))


def _p(seed: int, *, turbulent: bool = False, planted: float = 0.0) -> float:
    """One-sided p of 24 simulated years, whose cycles may begin where volatility is in its top fifth."""
    rng = np.random.default_rng(seed)
    volatility = _volatility(rng) if turbulent else np.full(SESSIONS, ACTIVE_SD)
    early = np.arange(SESSIONS - 400)
    top = early[volatility[early] >= np.quantile(volatility[early], 0.8)] if turbulent else early
    inside = covered(_five_cycles(rng, top), (0, LENGTH), SESSIONS)
    returns = volatility * rng.standard_normal(SESSIONS) + inside * planted / LENGTH
    p = placebo(inside, Waves(returns), LENGTH).p
    assert p is not None
    return p


SEEDS = 200


@pytest.mark.parametrize("turbulent", [False, True])
def test_without_an_effect_placebo_ps_are_uniform(turbulent: bool) -> None:
    found = [_p(seed, turbulent=turbulent) for seed in range(SEEDS)]
    assert kstest(found, "uniform").pvalue >= 0.001
    room = 2 * (0.05 * 0.95 / SEEDS) ** 0.5  # two standard errors of a count
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + room


@pytest.mark.slow
def test_the_size_is_a_twentieth_also_when_cycles_begin_in_turbulence() -> None:
    many = 10_000
    room = 2 * (0.05 * 0.95 / many) ** 0.5
    for turbulent in (False, True):
        found = np.array([_p(20_000 + seed, turbulent=turbulent) for seed in range(many)])
        assert (found <= 0.05).mean() <= 0.05 + room, turbulent


def test_five_percent_a_window_is_found_nine_times_in_ten() -> None:
    found = np.array([_p(seed, planted=0.05) for seed in range(SEEDS)])
    assert (found <= 0.05).mean() >= 0.9


def test_the_effect_that_could_be_seen_is_the_one_found_four_times_in_five() -> None:
    rng = np.random.default_rng(11)
    inside = covered(_five_cycles(rng, np.arange(SESSIONS - 400)), (0, LENGTH), SESSIONS)
    seen = placebo(inside, Waves(ACTIVE_SD * rng.standard_normal(SESSIONS)), LENGTH).seen
    assert seen is not None
    found = [_p(seed, planted=seen) for seed in range(60)]
    assert 0.65 <= np.mean(np.array(found) <= 0.05) <= 0.95
