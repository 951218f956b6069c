"""Would the winner of one half of the sessions have won the other half too?

Combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado and Zhu 2017, Journal of Computational
Finance 20(4)): cut the sessions into blocks, take every half of the blocks as the past, pick the best variant there
and see where it ranks in the other half. Block sums and sums of squares are kept, so that all 12,870 halves of 16
blocks cost two matrix products. A winner that ends exactly at the median counts half: picking blindly then gives one
half for any number of variants, ties included. A single table's figure scatters widely around its expectation.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.sharpe import ratio

Array = NDArray[np.float64]

TIE = 1e-9
"""Scores this near, relative to the largest, are equal: identical columns must not be ranked by rounding."""

FEWEST_RANKED = 4
"""Below so many variants a rank says nothing, and no overfitting probability is given."""

MOST_RANKED = 250
"""Of more variants as many at equal distances are looked at, in their order."""

CHUNK = 1000
"""Splits scored at a time, for memory."""

FLAT = 1e-14
"""A variance below this share of the mean square is the rounding of a difference of sums."""


@dataclass(frozen=True, eq=False)
class Overfitting:
    """One entry per split in the arrays; scores are per session."""

    probability: float
    """Share of splits whose winner ends below the median of the other half; at the median counts half."""
    logits: Array
    """Log odds of the winner's relative rank in the other half; 0 is the median, negative below it."""
    inside: Array
    """The winner's score in the half it was picked on ..."""
    outside: Array
    """... and in the other half."""
    slope: float | None
    """Of outside on inside; negative: the better it looked, the worse it did. None when inside does not vary."""
    loss_probability: float
    """Share of splits whose winner scores below 0 in the other half."""
    wins: NDArray[np.int64]
    """How often each variant was picked."""


def overfitting(returns: Array, blocks: int = 16, metric: Literal["sharpe", "mean"] = "sharpe") -> Overfitting:
    """Probability of backtest overfitting of (sessions x variants) returns, no NaN.

    Sessions beyond a multiple of `blocks` are cut from the end. Ties: the first column wins inside, ranks are averaged
    outside. Raises ValueError with fewer than two variants or sessions per block, or an odd number of blocks.
    """
    if blocks < 2 or blocks % 2 or returns.shape[1] < 2 or len(returns) < blocks * (2 if metric == "sharpe" else 1):
        raise ValueError(f"an even number of blocks, 2 variants and 2 sessions a block needed, got {returns.shape}")
    inside = _scores(returns, blocks, metric)
    # Combinations come in lexicographic order, in which the complement of the k-th is the k-th from the end.
    outside = inside[::-1]
    near = TIE * float(np.abs(inside).max())
    winner = np.argmax(inside >= inside.max(axis=1, keepdims=True) - near, axis=1)
    splits = np.arange(len(winner))
    picked, later = inside[splits, winner], outside[splits, winner]
    below = (outside < later[:, None] - near).sum(axis=1)
    equal = (outside <= later[:, None] + near).sum(axis=1) - below
    share = (below + (equal + 1) / 2) / (returns.shape[1] + 1)
    logits = np.log(share / (1 - share))  # exactly 0 at the median: share is then exactly one half
    return Overfitting(
        probability=float((logits < 0).mean() + 0.5 * (logits == 0).mean()),
        logits=logits,
        inside=picked,
        outside=later,
        slope=_slope(picked, later),
        loss_probability=float((later < 0).mean()),
        wins=np.bincount(winner, minlength=returns.shape[1]),
    )


def looked_at(variants: int) -> NDArray[np.intp]:
    """Places of the variants that the probability of so many looks at: all, or up to MOST_RANKED at equal distances."""
    return np.arange(0, variants, max(1, -(-variants // MOST_RANKED)))


def _scores(returns: Array, blocks: int, metric: str) -> Array:
    """(splits x variants): the metric over each half of the blocks, halves in lexicographic order."""
    length = len(returns) // blocks
    cut = returns[: length * blocks].reshape(blocks, length, -1)
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    chosen = np.zeros((len(halves), blocks))
    np.put_along_axis(chosen, halves, 1.0, axis=1)
    sums, squares, sessions = cut.sum(axis=1), (cut**2).sum(axis=1), length * blocks // 2

    def score(halves: Array) -> Array:
        mean = halves @ sums / sessions
        if metric == "mean":
            return np.asarray(mean)
        square = halves @ squares / sessions
        variance = square - mean**2
        variance[variance <= FLAT * square] = 0.0
        return ratio(mean, np.sqrt(variance * sessions / (sessions - 1)))

    return np.vstack([score(chosen[i : i + CHUNK]) for i in range(0, len(chosen), CHUNK)])


def _slope(x: Array, y: Array) -> float | None:
    spread = x - x.mean()
    variance = float(spread @ spread)
    return float(spread @ (y - y.mean())) / variance if variance > 0 else None
