"""Probability of backtest overfitting: by hand, against ffn, its null mean, its speed."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from backtest.statistics.overfitting import overfitting
from backtest.statistics.sharpe import sharpe_ratios

HAND = np.array([[4.0, 1, 2], [0, 3, 1], [1, 2, 6], [2, 5, 0]])


def test_the_hand_matrix_gives_five_sixths() -> None:
    result = overfitting(HAND, blocks=4, metric="mean")
    assert result.probability == pytest.approx(5 / 6)
    assert sorted(result.logits) == pytest.approx([math.log(1 / 3)] * 5 + [math.log(5 / 3)], abs=1e-12)
    assert result.wins.sum() == 6


def test_the_hand_matrix_split_by_split() -> None:
    result = overfitting(HAND, blocks=4, metric="mean")
    for k, inside in enumerate(itertools.combinations(range(4), 2)):
        outside = [i for i in range(4) if i not in inside]
        past, future = HAND[list(inside)].mean(axis=0), HAND[outside].mean(axis=0)
        assert result.inside[k] == past.max()
        assert result.outside[k] == future[past.argmax()]


@pytest.mark.parametrize(("sessions", "variants", "blocks", "seed"), [(203, 5, 6, 0), (160, 12, 8, 1), (90, 2, 4, 2)])
def test_equal_to_ffn_on_random_matrices(sessions: int, variants: int, blocks: int, seed: int) -> None:
    import ffn

    returns = np.random.default_rng(seed).standard_normal((sessions, variants)) * 0.01
    theirs = ffn.core.calc_prob_backtest_overfitting(pd.DataFrame(returns), n_blocks=blocks, full_output=True)
    ours = overfitting(returns, blocks)
    at_median = 0.5 * float((ours.logits == 0).mean())  # which they count as overfitting
    assert ours.probability == pytest.approx(theirs["pbo"] - at_median, abs=1e-12)
    assert ours.logits == pytest.approx(theirs["logits"].to_numpy(), abs=1e-12)


@pytest.mark.slow
def test_equal_to_ffn_with_sixteen_blocks() -> None:
    import ffn

    returns = np.random.default_rng(7).standard_normal((1000, 30)) * 0.01
    assert overfitting(returns).probability == ffn.core.calc_prob_backtest_overfitting(pd.DataFrame(returns))


def test_without_skill_the_mean_is_one_half_and_one_table_scatters() -> None:
    draws = (np.random.default_rng(seed).standard_normal((400, 20)) for seed in range(80))
    values = [overfitting(x, blocks=8).probability for x in draws]
    assert np.mean(values) == pytest.approx(0.5, abs=0.07)
    assert np.std(values) > 0.08


@pytest.mark.parametrize("variants", [4, 5, 7])
def test_picking_blindly_gives_one_half_for_any_number_of_variants(variants: int) -> None:
    draws = (np.random.default_rng(seed).standard_normal((160, variants)) for seed in range(300))
    assert np.mean([overfitting(x, blocks=8).probability for x in draws]) == pytest.approx(0.5, abs=0.035)


def test_a_planted_edge_is_not_called_overfitted() -> None:
    returns = np.random.default_rng(1).standard_normal((1500, 30)) * 0.01
    returns[:, 4] += 0.002
    result = overfitting(returns, blocks=10)
    assert result.probability < 0.01
    assert result.wins.argmax() == 4
    assert result.loss_probability == 0.0


def test_a_planted_loser_is_never_picked() -> None:
    returns = np.random.default_rng(1).standard_normal((1500, 30)) * 0.01
    returns[:, 4] -= 0.003
    assert overfitting(returns, blocks=10).wins[4] == 0


def test_identical_columns_tie_at_the_middle_rank() -> None:
    x = np.random.default_rng(2).standard_normal(320) * 0.01
    result = overfitting(np.repeat(x[:, None], 7, axis=1), blocks=8)
    assert result.logits == pytest.approx(np.zeros(70), abs=1e-12)
    assert result.probability == 0.5  # as picking blindly
    assert result.wins.tolist() == [70, 0, 0, 0, 0, 0, 0]


def test_columns_that_differ_by_leverage_alone_tie_in_spite_of_rounding() -> None:
    x = np.random.default_rng(2).standard_normal((320, 1)) * 0.01
    result = overfitting(x * [1.0, 3.0, 0.7, 1.1, 1e-3, 7.7], blocks=8)
    assert result.logits == pytest.approx(np.zeros(70), abs=1e-12)
    assert result.wins.tolist() == [70, 0, 0, 0, 0, 0]


def test_scores_are_sharpe_ratios_of_the_halves() -> None:
    x = np.random.default_rng(8).standard_normal((240, 3)) * 0.01 + 0.001
    result = overfitting(x, blocks=4)
    first, second = sharpe_ratios(x[:120]), sharpe_ratios(x[120:])
    assert result.inside[0] == pytest.approx(first.max(), rel=1e-12)
    assert result.outside[0] == pytest.approx(second[first.argmax()], rel=1e-12)
    assert result.slope == pytest.approx(np.polyfit(result.inside, result.outside, 1)[0], rel=1e-9)


def test_columns_that_sit_in_the_benchmark_score_zero() -> None:
    x = np.random.default_rng(3).standard_normal((320, 3)) * 0.01 - 0.01
    flat = np.column_stack([x, np.zeros(320), np.full(320, 0.001), 1e-18 * x[:, 0]])
    result = overfitting(flat, blocks=8)
    assert np.isfinite(result.logits).all()
    assert result.inside.tolist() == [0.0] * 70
    assert result.slope is None


def test_sessions_beyond_the_blocks_are_cut_from_the_end() -> None:
    x = np.random.default_rng(4).standard_normal((167, 5))
    assert overfitting(x, 8).logits.tolist() == overfitting(x[:160], 8).logits.tolist()


@pytest.mark.parametrize(("shape", "blocks"), [((100, 1), 8), ((100, 5), 7), ((15, 5), 8), ((100, 5), 0)])
def test_too_little_to_split_is_refused(shape: tuple[int, int], blocks: int) -> None:
    with pytest.raises(ValueError, match="needed"):
        overfitting(np.ones(shape), blocks)


def test_two_hundred_variants_are_scored_in_little_memory() -> None:
    """Four tables of all halves x variants at most: the scores, and what they are ranked by."""
    returns = np.random.default_rng(5).standard_normal((6000, 200)) * 0.01
    tracemalloc.start()
    assert len(overfitting(returns).logits) == 12_870
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * 12_870 * 200 * 8
