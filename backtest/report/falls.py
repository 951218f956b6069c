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
    small: mean share of the invested capital in small caps meanwhile; None where nothing was invested.
    """

    peak: int
    trough: int
    back: int | None
    depth: float
    last: int
    benchmark: float | None
    small: float | None

    @property
    def sessions(self) -> int:
        """From the peak until it was regained, or to the end."""
        return (self.last if self.back is None else self.back) - self.peak


def worst_falls(equity: Floats, small_share: Floats, benchmark: Floats | None, count: int = MOST_FALLS) -> list[Fall]:
    """The deepest falls, deepest first; each from its own peak, so that none is counted twice."""
    falls = drawdown(equity)
    below = np.concatenate([[False], falls < 0, [False]])
    edges = np.flatnonzero(below[1:] != below[:-1])
    spans = [(first, end, first + int(falls[first:end].argmin())) for first, end in zip(edges[::2], edges[1::2], strict=True)]
    worst = sorted(spans, key=lambda span: falls[span[2]])[:count]
    return [_fall(int(first) - 1, trough, int(end), falls, small_share, benchmark) for first, end, trough in worst]


def _fall(
    peak: int, trough: int, end: int, falls: Floats, small_share: Floats, benchmark: Floats | None
) -> Fall:
    last = len(falls) - 1
    held = small_share[peak:trough]
    held = held[~np.isnan(held)]
    return Fall(
        peak=peak,
        trough=trough,
        back=end if end <= last else None,
        depth=float(falls[trough]),
        last=last,
        benchmark=None if benchmark is None else float(benchmark[trough] / benchmark[peak] - 1),
        small=float(held.mean()) if len(held) else None,
    )
