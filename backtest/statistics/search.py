"""One null for a whole search: how good would the best of everything that was tried look if nothing had any skill?

    daily active returns -> sums on calendar blocks -> the same sign flips for every curve -> maximum -> p, interval

Without skill the active return of a block of 21 sessions is as likely to be its negative. So each history flips whole
blocks, the SAME blocks for all curves: what the curves have in common stays in common, clustered volatility stays in
its place, and no number of independent trials has to be guessed. The answer for a curve is compared with the best of
the family in each history (single-step), so that p-value and interval agree.

Equal curves get equal answers by construction: block sums are scaled to whole numbers below 2^53, so that every sum of
flipped blocks is exact on every processor, whatever the order, the thread or the column. Signs depend on the history
and on the block's place in the exchange's calendar and on nothing else: two commands see the same histories.

Why flips and not a bootstrap: a resampled curve with few active days loses them all in some histories, its deviation
goes to zero and the maximum explodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Whole = NDArray[np.int64]

BLOCK_SESSIONS = 21
"""A month: what daily returns remember is inside. Fixed, and counted from a fixed day, so that all commands agree."""

HISTORIES = 1999
"""With the observed one 2,000, so that p = .05 falls on a whole number of them."""

MOST_CURVES = 5000
"""A larger family is represented by so many of its curves, see `_family`."""

SAME_CORRELATION = 0.99
"""Curves as alike as this stand for one another when a family is too large."""

EQUAL_RETURN = 1e-9
"""A daily difference up to here is rounding: the engine keeps 1e-10 of equity in reserve."""

PICTURED = 100
"""Histories that a picture shows."""

T_DIGITS = 9
"""Digits of t that are compared: beyond them two ways to the same number may differ."""

AT_ONCE = 500
"""Curves in one matrix product, for memory; the result does not depend on it."""

ADDED_AT_ONCE = 64
"""Curves whose sessions are added up at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Active returns of curves over the same sessions, added up on calendar blocks: all that the null needs.

    first, last: positions of the first and last session in the exchange's calendar; block b holds the positions from
    21 b to 21 b + 20. counts: (blocks,) sessions in each. sums, squares: (curves x blocks), of x and of x squared, in
    single precision, as a ledger keeps them: a curve is the same fresh and remembered. keys: (curves,) 64 bits of each
    one's identity, by which a family that is too large is drawn.
    """

    first: int
    last: int
    counts: Whole
    sums: Singles
    squares: Singles
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def blocks(self) -> Whole:
        """Number of each block, counted from the calendar's origin."""
        return np.arange(self.first // BLOCK_SESSIONS, self.last // BLOCK_SESSIONS + 1)

    @property
    def bets(self) -> Array:
        """Effective number of independent blocks, (sum Q)^2 / sum Q^2: 1 for a single active block, 0 for none."""
        q = self.squares.astype(np.float64)
        squared = (q**2).sum(axis=1)
        return np.where(squared > 0, q.sum(axis=1) ** 2 / np.where(squared > 0, squared, 1.0), 0.0)

    @property
    def t(self) -> Array:
        """Student's t of each curve's mean, over its own sessions."""
        sessions = float(self.counts.sum())
        deviation = _deviation(self.squares.astype(np.float64), sessions)
        return _t(_flipped(self.sums, deviation, np.ones((1, self.sums.shape[1])))[0] / sessions, sessions)

    def keyed(self, keys: NDArray[np.uint64]) -> Curves:
        """The same curves by other identities."""
        return Curves(self.first, self.last, self.counts, self.sums, self.squares, keys.astype(np.uint64))

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Curves:
        """Some of the curves."""
        parts = self.sums[which], self.squares[which], self.keys[which]
        return Curves(self.first, self.last, self.counts, *parts)


class Known(Protocol):
    """Curves that are read when they are taken: a ledger's."""

    def __len__(self) -> int: ...

    @property
    def first(self) -> int: ...  # noqa: D102

    @property
    def last(self) -> int: ...  # noqa: D102

    @property
    def keys(self) -> NDArray[np.uint64]: ...  # noqa: D102

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Curves: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Null:
    """What luck makes of each shown curve (all arrays one value a curve).

    t: of the mean, as observed. p: chance that the best of its family looks as good without skill. middle, upper: the
    value of t that the best of the family reaches with p = .5 and .05; infinite where no t could.
    family: curves that the maximum runs over. factor: what p is multiplied by for those left out, 1 when all are in.
    bests: (curves x PICTURED) equally likely values of the best t without skill, rising: for a picture.
    """

    t: Array
    p: Array
    middle: Array
    upper: Array
    family: int
    factor: float
    bests: Array


def add_up(active: Array, positions: Whole, keys: NDArray[np.uint64] | None = None) -> Curves:
    """Daily active returns (sessions x curves) on calendar blocks.

    positions: (sessions,) strictly ascending places in the exchange's calendar. Differences of accounts that are only
    rounding count as none. Sums are exact before they are stored: each column is scaled by a power of two and cut at
    2^-46 of its largest value.
    """
    if len(active) != len(positions) or len(positions) == 0 or (np.diff(positions) <= 0).any():
        raise ValueError("one row a session, at least one, in the order of the calendar")
    if not np.isfinite(active).all():
        raise ValueError("active returns must be finite")
    numbers = positions // BLOCK_SESSIONS
    blocks = np.arange(numbers[0], numbers[-1] + 1)
    starts = np.searchsorted(numbers, blocks)
    counts = np.diff(np.append(starts, len(numbers)))
    present = counts > 0
    sums, squares = (np.zeros((active.shape[1], len(blocks)), np.float32) for _ in range(2))
    for some in _slices(active.shape[1], ADDED_AT_ONCE):
        x = np.where(np.abs(active[:, some]) > EQUAL_RETURN, active[:, some], 0.0)
        scale = _power_above(np.abs(x).max(axis=0))
        x /= scale
        for into, values, unit in ((sums, x, scale), (squares, x**2, scale**2)):
            exact = np.add.reduceat(np.rint(values * 2.0**46), starts[present], axis=0)
            into[some, present] = (exact * (unit / 2.0**46)).T
    if keys is None:
        keys = np.arange(active.shape[1], dtype=np.uint64)
    return Curves(int(positions[0]), int(positions[-1]), counts, sums, squares, keys)


def active_sessions(active: Array) -> Whole:
    """Sessions of each column (sessions x curves) on which it differs from what it is compared with."""
    return np.asarray((np.abs(active) > EQUAL_RETURN).sum(axis=0))


def signs(histories: int, blocks: Whole) -> Array:
    """The flips: (histories x blocks) of -1 and 1, each made of its history's and its block's number alone.

    A counter-based generator (SplitMix64's finaliser over both numbers): no state, no order of drawing, the same
    everywhere. No history flips nothing on purpose: the observed one is counted apart.
    """
    block = _mixed(blocks.astype(np.int64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    history = _mixed(np.arange(1, histories + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03))
    bit = _mixed(block[None, :] ^ history[:, None]) >> np.uint64(63)
    return 1.0 - 2.0 * bit.astype(np.float64)


def luck(shown: Curves, known: Sequence[Known] = (), histories: int = HISTORIES) -> Null:
    """What luck makes of the best of all: the shown curves and every known one that shares a whole block with them.

    A known curve that covers part of the shown period is completed by the shown curve itself outside, both in units of
    their own deviation, so that nothing is hidden by searching on a part. Adding a known curve never lowers a p-value
    as long as all of them are used (up to MOST_CURVES), and their order does not matter.
    """
    family, covers, factor = _family([shown, *known], shown)
    flips = signs(histories, shown.blocks)
    peaks = _peaks(family, covers, shown, flips)
    total = float(shown.counts.sum())
    answers = [_answers(shown.take(np.arange(len(shown))[some]), peaks, flips, total) for some in _slices(len(shown))]
    t, best = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    worse = np.sort(best, axis=1)[:, ::-1]  # (curves x histories), the best history first
    reached = np.array([np.searchsorted(-row, -value, side="right") for row, value in zip(worse, t, strict=True)])
    p = np.minimum(1.0, (1 + reached) * factor / (1 + histories))
    middle, upper = (_quantile(worse, level, factor) for level in (0.5, 0.05))
    pictured = ((np.arange(PICTURED)[::-1] + 0.5) / PICTURED * histories).astype(np.intp)
    return Null(t, p, middle, upper, sum(len(curves) for curves in family), factor, worse[:, pictured])


@dataclass(frozen=True, eq=False)
class _Peak:
    """The best of the known curves that cover the same blocks: its flipped sum in each history, in own deviations."""

    covered: NDArray[np.bool_]
    sessions: float
    best: Array


def _peaks(family: Sequence[Curves], covers: Sequence[NDArray[np.bool_]], shown: Curves, flips: Array) -> list[_Peak]:
    """The family's maximum, one for each set of blocks that curves cover: only these differ in how they are completed.

    Inside a set every curve has the same sum of squares, its number of sessions, so that the largest sum is the largest
    t, whatever completes it.
    """
    peaks: dict[tuple[bytes, float], _Peak] = {}
    begin = int(shown.blocks[0])
    for curves, covered in zip(family, covers, strict=True):
        inside = shown.blocks[covered] - int(curves.blocks[0])
        sessions = float(curves.counts[inside].sum())
        columns = flips[:, shown.blocks[covered] - begin]
        best = np.full(len(flips), -np.inf)
        for some in _slices(len(curves)):
            sums, squares = curves.sums[some][:, inside], curves.squares[some][:, inside].astype(np.float64)
            best = np.maximum(best, _flipped(sums, _deviation(squares, sessions), columns).max(axis=1))
        key = covered.tobytes(), sessions
        if key in peaks:
            best = np.maximum(best, peaks[key].best)
        peaks[key] = _Peak(covered, sessions, best)
    return list(peaks.values())


def _answers(shown: Curves, peaks: Sequence[_Peak], flips: Array, total: float) -> tuple[Array, Array]:
    """Observed t (curves,) and the family's best t of each history (curves x histories), each curve by itself in it."""
    squares = shown.squares.astype(np.float64)
    deviation = _deviation(squares, total)
    observed = _flipped(shown.sums, deviation, np.ones((1, flips.shape[1])))[0] / total
    best = _flipped(shown.sums, deviation, flips) / total
    variance = np.where(deviation > 0, deviation, 1.0) ** 2
    for peak in peaks:
        outside = ~peak.covered
        own = _flipped(shown.sums[:, outside], deviation, flips[:, outside])
        units = _exact_total(squares[:, outside]) / variance
        sessions = peak.sessions + float(shown.counts[outside].sum())
        spliced = (peak.best[:, None] + own) / np.sqrt(sessions * (peak.sessions + units))
        np.maximum(best, spliced, out=best)
    return _t(observed, total), _t(best, total).T


def _flipped(sums: Singles, deviation: Array, flips: Array) -> Array:
    """Sum of the flipped blocks of each curve, in units of its deviation: (histories x curves), exact up to a division.

    A row is scaled by a power of two to whole numbers whose sums stay below 2^53: no order of adding them matters.
    """
    if sums.shape[1] == 0:
        return np.zeros((len(flips), len(sums)))
    room = 2.0 ** (52 - sums.shape[1].bit_length())
    scale = _power_above(np.abs(sums).max(axis=1).astype(np.float64))
    whole = np.rint(sums.astype(np.float64) * (room / scale)[:, None])
    unit = np.where(deviation > 0, scale / room / np.where(deviation > 0, deviation, 1.0), 0.0)
    return np.asarray(flips @ whole.T) * unit


def _deviation(squares: Array, sessions: float) -> Array:
    """Root mean square of each curve, per session, from its blocks' sums of squares."""
    return np.sqrt(_exact_total(squares) / sessions)


def _exact_total(squares: Array) -> Array:
    """Sum of each row, correctly rounded: it does not depend on how many blocks are added at a time."""
    return np.array([math.fsum(row) for row in squares.tolist()])


def _t(ratio: Array, sessions: float) -> Array:
    """Student's t of a mean from m / root mean square, rounded to the digits that are compared."""
    return np.asarray(np.round(math.sqrt(sessions) * ratio / np.sqrt(np.maximum(1 - ratio**2, 1e-12)), T_DIGITS)) + 0.0


def _quantile(falling: Array, level: float, factor: float) -> Array:
    """The t at which p reaches `level`: p < level exactly where an observed t is above it."""
    place = math.ceil(level * (1 + falling.shape[1]) / factor - 1e-9) - 1
    return np.asarray(falling[:, place - 1]) if place >= 1 else np.full(len(falling), np.inf)


def _family(groups: Sequence[Known], shown: Curves) -> tuple[list[Curves], list[NDArray[np.bool_]], float]:
    """The curves that the maximum runs over, the shown blocks that each group covers, and the correction for the rest.

    Up to MOST_CURVES all of them: the maximum over near-duplicates is the maximum over one, so that none has to be
    left out. Of more, those with the smallest hashed keys are drawn; a further draw of the same size tells how many of
    the others are not represented (correlation below SAME_CORRELATION with all that are), and p is multiplied by
    1 + uncovered / MOST_CURVES, which is Bonferroni's bound over groups as large as the drawn one.
    """
    pairs = [(curves, _covered(curves, shown)) for curves in groups if len(curves)]
    pairs = [(curves, covered) for curves, covered in pairs if covered.any()]
    distinct = np.unique(np.concatenate([curves.keys for curves, _ in pairs]))
    if len(distinct) <= MOST_CURVES:
        return [c.take(np.arange(len(c))) for c, _ in pairs], [m for _, m in pairs], 1.0
    first = drawn(distinct)
    probe = drawn(distinct[~np.isin(distinct, first)])
    family = [(curves.take(np.isin(curves.keys, first)), covered) for curves, covered in pairs]
    others = [(curves.take(np.isin(curves.keys, probe)), covered) for curves, covered in pairs]
    new = 1 - _share_represented(others, family, shown)
    factor = 1 + new * (len(distinct) - MOST_CURVES) / MOST_CURVES
    family = [(curves, covered) for curves, covered in family if len(curves)]
    return [c for c, _ in family], [m for _, m in family], factor


def drawn(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """At most MOST_CURVES of these identities: those with the smallest hash, whatever their order."""
    distinct = np.unique(keys).astype(np.uint64)
    return distinct[np.argsort(_mixed(distinct), kind="stable")[:MOST_CURVES]]


def _covered(curves: Known, shown: Curves) -> NDArray[np.bool_]:
    """The shown blocks of which the curves have the very same sessions."""
    begin, end = shown.blocks * BLOCK_SESSIONS, shown.blocks * BLOCK_SESSIONS + BLOCK_SESSIONS - 1
    same_begin = np.maximum(begin, curves.first) == np.maximum(begin, shown.first)
    same_end = np.minimum(end, curves.last) == np.minimum(end, shown.last)
    return np.asarray(same_begin & same_end)  # a block without a session of the curves has neither end in common


def _share_represented(
    probe: Sequence[tuple[Curves, NDArray[np.bool_]]], family: Sequence[tuple[Curves, NDArray[np.bool_]]], shown: Curves
) -> float:
    """Share of the probed curves that some curve of the family with the same blocks is a near-duplicate of."""
    represented = total = 0
    for curves, covered in probe:
        directions = _directions(curves, covered, shown)
        alike = np.zeros(len(curves), dtype=np.bool_)
        for others, same in family:
            if not np.array_equal(same, covered):
                continue
            for some in _slices(len(others)):
                near = directions @ _directions(others, same, shown)[some].T >= SAME_CORRELATION
                alike |= near.any(axis=1)
        represented, total = represented + int(alike.sum()), total + len(alike)
    return represented / total


def _directions(curves: Curves, covered: NDArray[np.bool_], shown: Curves) -> Array:
    """Block sums as unit vectors: their products are the correlations of two curves over the flipped histories."""
    sums = curves.sums[:, shown.blocks[covered] - int(curves.blocks[0])].astype(np.float64)
    length = np.sqrt((sums**2).sum(axis=1))
    return sums / np.where(length > 0, length, 1.0)[:, None]


def _power_above(values: Array) -> Array:
    """The power of two above each value; 1 for 0."""
    return np.where(values > 0, np.ldexp(1.0, np.frexp(values)[1]), 1.0)


def _slices(count: int, size: int = AT_ONCE) -> Iterator[slice]:
    return (slice(first, min(first + size, count)) for first in range(0, count, size))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the result depends on every bit of x."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
