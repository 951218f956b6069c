"""Worst falls: the deepest drawdowns with their dates, how long they took, and what the benchmark did meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.market import Floats
from backtest.metrics import drawdown

MOST_FALLS = 8


@dataclass(frozen=True, slots=True)
class Fall:
    """Rows of the peak, of the trough and of the first close back at the peak's level (None: not yet).

    depth: a fraction, negative. last: last row of the test. benchmark: its return from peak to trough.
    small: mean share of the account in small caps meanwhile.
    """

    peak: int
    trough: int
    back: int | None
    depth: float
    last: int
    benchmark: float | None
    small: float

    @property
    def sessions(self) -> int:
        """From the peak until it was regained, or to the end."""
        return (self.last if self.back is None else self.back) - self.peak


def worst_falls(equity: Floats, small: Floats, benchmark: Floats | None, count: int = MOST_FALLS) -> list[Fall]:
    """The deepest falls, deepest first; each from its own peak, so that none is counted twice.

    small: share of the account in the small leg at each close, shape (sessions,).
    """
    falls = drawdown(equity)
    below = np.concatenate([[False], falls < 0, [False]])
    edges = np.flatnonzero(below[1:] != below[:-1])
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    found = [(first - 1, first + int(falls[first:end].argmin()), end) for first, end in spans]
    worst = sorted(found, key=lambda fall: falls[fall[1]])[:count]
    return [_fall(peak, trough, end, falls, small, benchmark) for peak, trough, end in worst]


def _fall(peak: int, trough: int, end: int, falls: Floats, small: Floats, benchmark: Floats | None) -> Fall:
    last = len(falls) - 1
    return Fall(
        peak=peak,
        trough=trough,
        back=end if end <= last else None,
        depth=float(falls[trough]),
        last=last,
        benchmark=None if benchmark is None else float(benchmark[trough] / benchmark[peak] - 1),
        small=float(small[peak:trough].mean()),
    )
