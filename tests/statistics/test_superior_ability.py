"""Superior predictive ability, StepM, confidence set: arch's vector and draws, signs, and what arch leaves out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, resampled_means, stationary_counts
from backtest.statistics.sharpe import NO_RISK
from backtest.statistics.superiority import (
    confidence_set,
    mean_error,
    reality_check,
    spa_from_means,
    superior_p_values,
)

Array = NDArray[np.float64]


def spa_by_arch(active: Array, block: int, histories: int, seed: int, *, studentise: bool = True) -> Any:
    """The computed SPA object of arch on (sessions x variants) active returns against zero; arch takes LOSSES."""
    from arch.bootstrap import SPA

    losses = -active / _long_run(active, block, histories, seed) if studentise else -active
    test = SPA(np.zeros(len(active)), losses, block_size=block, reps=histories, seed=seed)
    test.compute()
    return test


def stepm_by_arch(active: Array, names: Sequence[str], block: int, histories: int, seed: int) -> list[str]:
    """Names of the superior variants by arch's StepM at 5 %, studentised."""
    from arch.bootstrap import StepM

    losses = -active / _long_run(active, block, histories, seed)
    steps = StepM(np.zeros(len(active)), losses, size=0.05, block_size=block, reps=histories, seed=seed)
    try:
        steps.compute()
    except ValueError as problem:
        # When all variants turn out superior, but not in one step, arch 8 takes the maximum of no columns.
        if "zero-size array" not in str(problem):
            raise
        return list(names)
    superior = {int(str(column)) for column in steps.superior_models}
    return [name for i, name in enumerate(names) if i in superior]


def _long_run(active: Array, block: int, histories: int, seed: int) -> Array:
    """Standard deviation of each column allowing for dependence through time: its mean's error times sqrt(sessions)."""
    draws = resampled_means(stationary_counts(len(active), histories, block, seed), active)
    error = mean_error(draws) * np.sqrt(len(active))
    return np.where(error > NO_RISK, error, 1.0)


def published() -> Array:
    """Active returns of research/domain.md section 3: 50 variants, the first one better by 0.15 % a session."""
    rng = np.random.default_rng(0)
    benchmark, variants = 0.01 * rng.standard_normal(1000), 0.01 * rng.standard_normal((1000, 50))
    variants[:, 0] += 0.0015
    return np.asarray(variants - benchmark[:, None])


def drawn(active: Array, histories: int = 1000, block: float = 5, seed: int = 1) -> Drawn:
    counts = stationary_counts(len(active), histories, block, seed)
    return Drawn(active.mean(axis=0), resampled_means(counts, active))


def arch_counts(sessions: int, block: int, histories: int, seed: int) -> NDArray[np.uint16]:
    """The histories that arch draws for this seed, as counts."""
    from arch.bootstrap import StationaryBootstrap

    bootstrap, rows = StationaryBootstrap(block, np.zeros(sessions), seed=seed), []
    for _ in bootstrap.bootstrap(histories):
        rows.append(np.bincount(np.asarray(bootstrap.index), minlength=sessions))
    return np.array(rows, dtype=np.uint16)


def corrected(share: float, histories: int) -> float:
    """The p-value (1 + k) / (1 + B) where arch says k / B."""
    return (1 + share * histories) / (1 + histories)


def test_arch_on_the_published_matrix_with_its_seed() -> None:
    active = published()
    whole = spa_by_arch(active, 10, 1000, 1, studentise=False)
    assert whole.pvalues.tolist() == [0.001, 0.001, 0.001]
    assert list(whole.better_models(0.05, "consistent")) == [0]
    assert stepm_by_arch(active, [f"m{i}" for i in range(50)], 10, 1000, 1) == ["m0"]
    rest = spa_by_arch(active[:, 1:], 10, 1000, 1, studentise=False)
    assert rest.pvalues.tolist() == [0.057, 0.058, 0.058]


@pytest.mark.parametrize("columns", [slice(0, None), slice(1, None)])
def test_equal_to_arch_on_archs_own_draws(columns: slice) -> None:
    active = published()[:, columns]
    theirs = spa_by_arch(active, 10, 1000, 1, studentise=False).pvalues
    means = Drawn(active.mean(axis=0), resampled_means(arch_counts(1000, 10, 1000, 1), active))
    ours = spa_from_means(means, np.ones(active.shape[1]), 1000)
    assert ours.lower == pytest.approx(corrected(theirs["lower"], 1000), abs=1e-12)
    assert ours.upper == pytest.approx(corrected(theirs["upper"], 1000), abs=1e-12)
    assert reality_check(means) == ours.upper


def wild_and_calm(edge: float) -> Array:
    """Six variants of unequal risk; the calm last one has the edge (per session, in its standard deviations)."""
    rng = np.random.default_rng(11)
    shocks = 0.5 * rng.standard_normal((1500, 1)) + rng.standard_normal((1500, 6))
    shocks -= shocks.mean(axis=0)
    shocks[:, 5] += edge
    return np.asarray(shocks * [0.010, 0.012, 0.015, 0.02, 0.02, 0.001])


def test_studentised_equal_to_arch_on_the_same_columns_and_draws() -> None:
    active = wild_and_calm(0.03)
    counts = arch_counts(1500, 5, 500, 1)
    scaled = active / (mean_error(resampled_means(counts, active)) * 1500**0.5)
    theirs = spa_by_arch(scaled, 5, 500, 1, studentise=False).pvalues
    means = Drawn(active.mean(axis=0), resampled_means(counts, active))
    ours = spa_from_means(means, mean_error(means.draws), 1500)
    assert [ours.lower, ours.consistent, ours.upper] == pytest.approx([corrected(p, 500) for p in theirs], abs=1e-12)


@pytest.mark.parametrize("edge", [0.0, 0.06])
def test_the_fast_path_agrees_with_arch_within_the_error_of_the_draws(edge: float) -> None:
    active = wild_and_calm(edge)
    means = drawn(active, histories=2000)
    theirs = spa_by_arch(active, 5, 1000, 3).pvalues
    ours = spa_from_means(means, mean_error(means.draws), 1500)
    assert [ours.lower, ours.consistent, ours.upper] == pytest.approx(theirs.tolist(), abs=0.05)
    assert ours.lower <= ours.consistent <= ours.upper


def test_arch_8_does_not_studentise_and_this_does() -> None:
    """If this fails, a newer arch does, and `studentise` here may go."""
    from arch.bootstrap import SPA

    active, zero = wild_and_calm(0.12), np.zeros(1500)
    tests = [SPA(zero, -active, block_size=5, reps=300, studentize=flag, seed=1) for flag in (True, False)]
    for test in tests:
        test.compute()
    assert tests[0].pvalues.tolist() == tests[1].pvalues.tolist()
    assert tests[0].pvalues["consistent"] > 0.5
    assert spa_by_arch(active, 5, 300, 1).pvalues["consistent"] < 0.01
    means = drawn(active)
    assert spa_from_means(means, mean_error(means.draws), 1500).consistent < 0.01


def test_a_planted_winner_is_found_and_a_planted_loser_is_not() -> None:
    active = np.random.default_rng(2).standard_normal((1500, 8)) * 0.01
    active -= active.mean(axis=0)
    names = [f"v{i}" for i in range(8)]
    for shift, found in ((0.0015, ["v3"]), (-0.0015, [])):
        planted = active + np.where(np.arange(8) == 3, shift, 0.0)
        means = drawn(planted)
        error = mean_error(means.draws)
        assert (spa_from_means(means, error, 1500).consistent < 0.01) == bool(found)
        assert (reality_check(means) < 0.01) == bool(found)
        p = superior_p_values(means, error, 1500)
        assert [name for name, value in zip(names, p, strict=True) if value <= 0.05] == found
        assert stepm_by_arch(planted, names, 5, 300, 1) == found
        in_set = confidence_set(Drawn(np.append(means.observed, 0.0), np.pad(means.draws, ((0, 0), (0, 1)))))
        assert (in_set[3] > 0.05) == bool(found)
        assert (in_set[8] > 0.05) != bool(found)


def test_nothing_ahead_is_no_evidence_at_all() -> None:
    active = np.random.default_rng(3).standard_normal((500, 4)) * 0.01 - 0.002
    means = drawn(active)
    spa = spa_from_means(means, mean_error(means.draws), 500)
    assert (spa.lower, spa.consistent, spa.upper, reality_check(means)) == (1.0, 1.0, 1.0, 1.0)


def test_all_superior_but_not_in_one_step_does_not_break_stepm() -> None:
    from arch.bootstrap import StepM

    shocks = np.random.default_rng(4).standard_normal((250, 2))
    # t-ratios 6 and 1.8: the second one is found alone (critical value 1.64), not among two (1.95)
    active = 0.01 * ((shocks - shocks.mean(axis=0)) / shocks.std(axis=0) + np.array([6.0, 1.8]) / 250**0.5)
    raw = StepM(np.zeros(250), -active, size=0.05, block_size=5, reps=200, seed=1)
    with pytest.raises(ValueError, match="zero-size array"):
        raw.compute()
    assert stepm_by_arch(active, ["strong", "weaker"], 5, 200, 1) == ["strong", "weaker"]
    means = drawn(active + 0.001)
    assert (superior_p_values(means, mean_error(means.draws), 250) <= 0.05).all()


def test_the_superior_set_is_archs_stepm() -> None:
    rng = np.random.default_rng(5)
    active = 0.01 * rng.standard_normal((1000, 10)) + 0.0012 * (np.arange(10) % 3 == 0)
    means = drawn(active, histories=2000)
    ours = superior_p_values(means, mean_error(means.draws), 1000)
    names = [str(i) for i in range(10)]
    assert [n for n, p in zip(names, ours, strict=True) if p <= 0.05] == stepm_by_arch(active, names, 5, 1000, 1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_confidence_set_is_archs_on_archs_own_draws(seed: int) -> None:
    from arch.bootstrap import MCS

    rng = np.random.default_rng(seed)
    gains = 0.01 * (rng.standard_normal((400, 1)) + rng.standard_normal((400, 7))) + np.linspace(0, 0.002, 7)
    theirs = MCS(-gains, size=0.05, block_size=5, reps=300, seed=seed, method="R")
    theirs.compute()
    means = Drawn(gains.mean(axis=0), resampled_means(arch_counts(400, 5, 300, seed), gains))
    shares = theirs.pvalues["Pvalue"].sort_index().to_numpy()
    survivor = shares == 1.0
    ours = confidence_set(means)
    assert ours[~survivor] == pytest.approx([corrected(p, 300) for p in shares[~survivor]], abs=1e-12)
    assert (ours[survivor] == 1.0).all()


def test_identical_and_constant_columns_are_told_apart_from_nothing() -> None:
    x = np.random.default_rng(6).standard_normal((300, 1)) * 0.01
    active = np.column_stack([x, x, x, np.zeros(300)])
    means = drawn(active)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_set = confidence_set(means)
        spa = spa_from_means(means, mean_error(means.draws), 300)
    assert in_set[0] == in_set[1] == in_set[2]
    assert np.isfinite(in_set).all()
    alone = Drawn(means.observed[:1], means.draws[:, :1])
    assert spa == spa_from_means(alone, mean_error(alone.draws), 300)
    assert confidence_set(alone).tolist() == [1.0]
    still = Drawn(np.zeros(2), np.zeros((50, 2)))
    assert spa_from_means(still, np.zeros(2), 300).consistent == 1.0
    assert confidence_set(still).tolist() == [1.0, 1.0]
