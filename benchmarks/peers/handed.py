"""What every peer is handed and what it answers: the same prices and decisions in, seconds and final values out."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CASH_USD = 100_000.0
COST_RATE = 0.0005
"""5 bps of what is traded."""
LEG_WEIGHT = 0.5
"""Of each of the two tickers of a leg."""
TICKERS = ("growth 1", "growth 2", "small 1", "small 2")


@dataclass(frozen=True, eq=False)
class Work:
    """Prices (sessions, 4) and, per session and variant, the leg to hold after its close: 0 growth, 1 small.

    A decision of one session is traded at the next one's open, only when it differs from the one before.
    """

    sessions: npt.NDArray[np.datetime64]
    opens: Floats
    closes: Floats
    side: npt.NDArray[np.int8]
    lookbacks: npt.NDArray[np.int64]
    thresholds: Floats

    @property
    def variants(self) -> int:
        """How many."""
        return len(self.lookbacks)

    def only(self, variants: npt.NDArray[np.int64]) -> Work:
        """The work of some variants."""
        return dataclasses.replace(
            self,
            side=np.ascontiguousarray(self.side[:, variants]),
            lookbacks=self.lookbacks[variants],
            thresholds=self.thresholds[variants],
        )

    def sample(self, wanted: int) -> npt.NDArray[np.int64]:
        """So many variants, stratified: evenly spaced in the order of how often they switch."""
        if wanted >= self.variants:
            return np.arange(self.variants)
        order = np.argsort(self.switches, kind="stable")
        return np.sort(order[((np.arange(wanted) + 0.5) * self.variants / wanted).astype(np.int64)])

    def chunks(self, size: int) -> list[Work]:
        """The work in parts of so many variants."""
        return [self.only(np.arange(k, min(k + size, self.variants))) for k in range(0, self.variants, size)]

    @property
    def switches(self) -> npt.NDArray[np.int64]:
        """Changes of side of each variant, the first purchase left out."""
        return np.asarray(np.count_nonzero(np.diff(self.side, axis=0), axis=0))

    def targets(self) -> tuple[npt.NDArray[np.bool_], Floats]:
        """At which opens a variant trades (sessions, variants), and to what weights (sessions, variants, 4)."""
        side = np.vstack([self.side[:1], self.side[:-1]])  # the decision of the session before
        trades = np.zeros(side.shape, dtype=bool)
        trades[1] = True
        trades[2:] = side[2:] != side[1:-1]
        return trades, np.stack([side == 0, side == 0, side == 1, side == 1], axis=2) * LEG_WEIGHT

    def write(self, path: Path) -> None:
        """For `read`."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})


@dataclass(frozen=True)
class Row:
    """One way of doing the work, measured.

    rule: of `rules.py`, by which its purchases are sized; differs: the same in words. leg_weight: of each ticker of a
    leg, where it had to differ from LEG_WEIGHT.
    """

    name: str
    idiom: str
    computes: str
    cores: str
    seconds: float
    finals: list[float]
    rule: str
    differs: str
    leg_weight: float = LEG_WEIGHT


def handed() -> tuple[Work, int]:
    """The work and the number of rounds, from the command line."""
    with np.load(sys.argv[1]) as arrays:
        return Work(**arrays), int(sys.argv[2])


def answer(*rows: Row) -> None:
    """Hand rows back."""
    print(json.dumps([dataclasses.asdict(row) for row in rows]))


def fastest(work: Callable[[], Floats], rounds: int) -> tuple[float, list[float]]:
    """Seconds of the fastest round, and the final values."""
    seconds, finals = float("inf"), np.empty(0)
    for _ in range(rounds):
        start = time.perf_counter()
        finals = work()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, [float(value) for value in finals]
