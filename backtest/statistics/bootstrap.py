"""Resampled histories, the same ones for every variant, and what luck alone makes of the best.

The stationary bootstrap (Politis and Romano 1994) glues blocks of random length together. All a mean needs to know of
such a history is how often it visits each session, so one matrix of counts (histories x sessions) serves every
column: means and standard deviations are matrix products, and every interval, difference and null distribution is
paired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.sharpe import NO_RISK

Array = NDArray[np.float64]
Counts = NDArray[np.uint16]

DRAWN_AT_ONCE = 100
"""Histories drawn at a time, for memory; fixed, because the order of the draws is part of the result."""

MULTIPLIED_AT_ONCE = 500
"""Histories in one matrix product: products of fewer rows spend their time waiting for each other's threads."""

MEASURED_AT_ONCE = 100
"""Columns whose autocorrelations are worked out together, for memory."""

FFT_MULTIPLE = 128

SHORTEST_BLOCK = 5.0
"""Sessions: one week, below which the bootstrap would forget what daily returns remember."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """One number for each column as observed (columns,) and in the resampled histories (histories x columns)."""

    observed: Array
    draws: Array

    def at(self, places: NDArray[np.intp]) -> Drawn:
        """The columns at these places."""
        return Drawn(self.observed[places], np.take(self.draws, places, axis=1))


def distinct(columns: Array) -> tuple[Array, NDArray[np.intp]]:
    """The columns that differ, in the order of their first, and the place of every given column among them.

    Equal columns must give equal numbers, and a matrix product may round one column otherwise at another place: with
    one computation for both they are equal by construction, on every processor.
    """
    known: dict[bytes, int] = {}
    places = [known.setdefault(column.tobytes(), len(known)) for column in (columns + 0.0).T]  # -0.0 is 0.0
    return np.take(columns, np.unique(places, return_index=True)[1], axis=1), np.array(places, dtype=np.intp)


def stationary_counts(sessions: int, histories: int, block: float, seed: int) -> Counts:
    """How often each history visits each session: (histories x sessions), each row adds up to `sessions`.

    block: mean length in sessions, at least 1; blocks wrap around the end. Only uniform draws are used, the most stable
    part of numpy's generator.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((histories, sessions), np.uint16)
    width = 2 * sessions + 1  # a block that wraps around goes on behind the end, and is folded back
    for first in range(0, histories, DRAWN_AT_ONCE):
        rows = min(DRAWN_AT_ONCE, histories - first)
        fresh = rng.random((rows, sessions)) < 1 / block
        fresh[:, 0] = True
        entry = (rng.random((rows, sessions)) * sessions).astype(np.intp)
        begun = np.flatnonzero(fresh)  # where blocks begin, in all rows one after the other
        length = np.diff(begun, append=rows * sessions)
        into = begun // sessions * width + entry.ravel()[begun]
        steps = np.bincount(into, minlength=rows * width) - np.bincount(into + length, minlength=rows * width)
        visits = steps.reshape(rows, width).cumsum(axis=1)
        counts[first : first + rows] = visits[:, :sessions] + visits[:, sessions:-1]
    return counts


def resampled_means(counts: Counts, columns: Array) -> Array:
    """Mean of each column (sessions x columns) in each history: (histories x columns)."""
    parts = (counts[i : i + MULTIPLIED_AT_ONCE] @ columns for i in range(0, len(counts), MULTIPLIED_AT_ONCE))
    return np.asarray(np.vstack(list(parts)) / counts.shape[1])


def resampled_moments(counts: Counts, columns: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (ddof 1) of each column in each history, from the sums of x and of x squared."""
    n = counts.shape[1]
    centre = columns.mean(axis=0)  # the difference of sums below would cancel digits without it
    centred = columns - centre
    mean = resampled_means(counts, centred)
    variance = resampled_means(counts, centred**2) - mean**2
    return mean + centre, np.sqrt(np.maximum(variance, 0.0) * n / (n - 1))


def optimal_block(columns: Array) -> float:
    """Median of the columns' optimal mean block lengths (Politis and White 2004), at least SHORTEST_BLOCK."""
    moving = columns[:, columns.std(axis=0) > NO_RISK]
    if moving.shape[1] == 0:
        return SHORTEST_BLOCK
    parts = (_optimal_blocks(moving[:, i : i + MEASURED_AT_ONCE]) for i in range(0, moving.shape[1], MEASURED_AT_ONCE))
    return max(SHORTEST_BLOCK, float(np.median(np.concatenate(list(parts)))))


def _optimal_blocks(columns: Array) -> Array:
    """Optimal mean block length of each column for the stationary bootstrap.

    With the correction of Patton, Politis and White (2009). The lag window reaches to twice the lag behind which so
    many autocorrelations in a row are insignificant.
    """
    n = len(columns)
    in_a_row, root = max(5, int(np.log10(n))), int(np.ceil(np.sqrt(n)))
    most = min(root + in_a_row, n - 2)
    centred = columns - columns.mean(axis=0)
    size = -(-(n + most + 1) // FFT_MULTIPLE) * FFT_MULTIPLE  # room for these lags, in small factors
    spectrum = np.fft.rfft(np.ascontiguousarray(centred.T), size)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size).T[: most + 1]
    squares = np.cumsum(centred**2, axis=0)
    later, earlier = squares[-1] - squares[: most + 1], squares[::-1][1 : most + 2]  # without the first, the last lags
    is_small = np.abs(products) / np.sqrt(later * earlier) < 2 * np.sqrt(np.log10(n) / n)
    quiet = np.lib.stride_tricks.sliding_window_view(is_small[:-1], in_a_row, axis=0).all(axis=-1)
    reach = np.where(quiet.any(axis=0), 2 * np.maximum(quiet.argmax(axis=0), 1), most)
    reach = np.minimum(reach, most)
    lags = np.arange(1, most + 1)[:, None]
    window = np.clip(2 * (1 - lags / reach), 0.0, 1.0)
    covariance = products / n
    slope = (2 * window * lags * covariance[1:]).sum(axis=0)
    long_run = covariance[0] + (2 * window * covariance[1:]).sum(axis=0)
    best = (slope**2 / long_run**2 * n) ** (1 / 3)
    return np.asarray(np.minimum(best, np.ceil(min(3 * np.sqrt(n), n / 3))))


def interval(draws: Array, level: float = 0.95) -> Array:
    """Percentile interval of each column of draws: (2 x columns), the lower ends first."""
    return np.asarray(np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0))


def compound_growth(mean_log_return: Array, sessions: int, years: float) -> Array:
    """Compound growth a year (fraction) of a history with this mean log return per session."""
    return np.expm1(mean_log_return * (sessions / years))


def no_skill_draws(ratios: Drawn) -> Array:
    """Ratios the variants would show without skill: each one's resampled ratios, shifted to a true ratio of 0.

    The maximum of a row is the best of the table in one lucky history: correlations are kept, and no number of
    independent trials has to be guessed.
    """
    return ratios.draws - ratios.observed


def chance_of_maximum(observed: float, null: Array) -> float:
    """p-value (1 + k) / (1 + histories): k histories whose best of (histories x variants) reaches `observed`."""
    return float((1 + (null.max(axis=1) >= observed).sum()) / (1 + len(null)))


def step_down(observed: Array, null: Array) -> Array:
    """Romano and Wolf's (2005) p-value of each variant, corrected for all of them, one-sided.

    The best is held against the maximum over all, the next against the maximum without it, and so on; never falling.
    """
    order = np.argsort(-observed, kind="stable")
    worst = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (worst >= observed[order]).sum(axis=0)) / (1 + len(null))
    out = np.empty(len(observed))
    out[order] = np.maximum.accumulate(p)
    return out
