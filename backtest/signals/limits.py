"""From a quantity to yes and no: a threshold, with hysteresis, chosen sessions to look at, and a time to hold.

The flow: measures -> LIMIT -> tree -> holding -> decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.signals.combine import latch
from backtest.units import TIE

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limit:
    """Yes once a value is above `enter` (below it, if not `is_above`), until it is below `leave`.

    A value within rounding of a `leave` of its own does not leave; where both limits are one, it is a no.
    leave: equal to `enter` without hysteresis. looks: sessions at which the value is looked at; in between the answer
    stays. fresh: sessions at which the value is news; None: all. hold_sessions: a yes lasts at least so many sessions,
    counted from each fresh session whose value is beyond `enter`, that one included; with news, exactly so many.
    """

    enter: float
    leave: float
    is_above: bool
    looks: Booleans
    fresh: Booleans | None = None
    hold_sessions: int = 0

    def __call__(self, values: Floats) -> Floats:
        """1.0 yes, 0.0 no, NaN where the value is not known; shape (sessions,)."""
        known = ~np.isnan(values)
        entered = self.looks & self.is_beyond(values)
        held = _within(entered if self.fresh is None else entered & self.fresh, self.hold_sessions)
        if self.is_of_news:
            return np.where(held, 1.0, np.where(known, 0.0, np.nan))
        state = latch(enter=entered, leave=self.looks & known & ~self._stays(values))
        looked = np.maximum.accumulate(self.looks & known) if len(values) else known
        settled = np.where(looked, np.nan_to_num(state), np.nan)
        return np.where(held, 1.0, np.where(known, settled, np.nan))

    def sessions_held(self, values: Floats, row: int) -> int:
        """For how many more sessions a yes of this row lasts whatever the values do; 0 when it does not."""
        entered = self.looks & self.is_beyond(values)
        events = np.flatnonzero((entered if self.fresh is None else entered & self.fresh)[: row + 1])
        return max(int(events[-1]) + self.hold_sessions - 1 - row, 0) if len(events) and self.hold_sessions else 0

    @property
    def is_of_news(self) -> bool:
        """A yes is that of a piece of news, for its time."""
        return self.fresh is not None and self.hold_sessions > 0

    def entered(self, values: Floats) -> Booleans:
        """Where a value itself makes the yes: looked at, beyond `enter`, and news if only news counts."""
        entered = self.looks & self.is_beyond(values)
        return entered & self.fresh if self.fresh is not None and self.hold_sessions else entered

    def is_beyond(self, values: Floats) -> Booleans:
        """Where a value is beyond `enter`."""
        return np.asarray(values > self.enter if self.is_above else values < self.enter)

    def _stays(self, values: Floats) -> Booleans:
        """Where a yes stays; a value at a `leave` of its own does not leave."""
        if self.leave == self.enter:
            return self.is_beyond(values)
        return np.asarray(values >= self.leave - TIE if self.is_above else values <= self.leave + TIE)


class Flip(NamedTuple):
    """The nearest value that turns an answer. limit: the threshold concerned; value: just beyond it, or on it."""

    limit: float
    value: float

    def distance(self, today: float) -> float:
        """How far the value has to go; its sign says where to."""
        return self.value - today


def nearest_flip(
    switch: Callable[[Floats], Floats],
    values: Floats,
    thresholds: Sequence[float],
    row: int,
    *,
    is_whole: bool = False,
) -> Flip | None:
    """The nearest value at which the answer of this row would be another, all other rows as they are.

    None while the value or the answer is not known, and when no value of this row turns it (a hold, or a session on
    which it is not looked at). is_whole: the values are counts, and so is the one that flips.
    """
    now, today = switch(values)[row], float(values[row])
    if np.isnan(now) or np.isnan(today):
        return None
    found: list[Flip] = []
    for limit in dict.fromkeys(thresholds):
        for value in _beside(float(limit), is_whole=is_whole):
            other = values.copy()
            other[row] = value
            if switch(other)[row] == 1.0 - now:
                found.append(Flip(float(limit), value))
    return min(found, key=lambda flip: abs(flip.value - today), default=None)


def _beside(limit: float, *, is_whole: bool) -> tuple[float, ...]:
    """The limit, the values next to it, what is within rounding of it, and just beyond that, on both sides."""
    if is_whole:
        return tuple(sorted({np.ceil(limit) - 1.0, np.floor(limit), np.ceil(limit), np.floor(limit) + 1.0}))
    low, high = limit - TIE, limit + TIE
    beside = (float(np.nextafter(limit, -np.inf)), float(np.nextafter(limit, np.inf)))
    return limit, *beside, low, float(np.nextafter(low, -np.inf)), high, float(np.nextafter(high, np.inf))


def _within(events: Booleans, sessions: int) -> Booleans:
    """True for so many sessions from each event on, its own included."""
    if not sessions or not len(events):
        return np.zeros(len(events), dtype=np.bool_)
    rows = np.arange(len(events))
    latest = np.maximum.accumulate(np.where(events, rows, -1))
    return np.asarray((latest >= 0) & (rows - latest < sessions))
