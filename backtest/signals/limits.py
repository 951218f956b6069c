"""From a quantity to yes and no: a threshold, with hysteresis, chosen sessions to look at, and a time to hold.

The flow: measures -> LIMIT -> tree -> holding -> decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backtest.market import Floats
from backtest.signals.combine import latch

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limit:
    """Yes once a value is above `enter` (below it, if not `is_above`), until it no longer is above `leave`.

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
        beyond_enter, beyond_leave = self._beyond(values, self.enter), self._beyond(values, self.leave)
        known = ~np.isnan(values)
        entered = self.looks & beyond_enter
        held = _within(entered if self.fresh is None else entered & self.fresh, self.hold_sessions)
        if self.fresh is not None and self.hold_sessions:
            return np.where(held, 1.0, np.where(known, 0.0, np.nan))
        state = latch(enter=entered, leave=self.looks & known & ~beyond_leave)
        looked = np.maximum.accumulate(self.looks & known) if len(values) else known
        settled = np.where(looked, np.nan_to_num(state), np.nan)
        return np.where(held, 1.0, np.where(known, settled, np.nan))

    def flip(self, values: Floats, row: int) -> Flip | None:
        """The nearest value at which the answer of this row would turn; None when no value of today turns it."""
        now = self(values)[row]
        value = float(values[row])
        if np.isnan(value) or np.isnan(now):
            return None
        for limit in sorted({self.enter, self.leave}, key=lambda line: abs(line - value)):
            for turned in (np.nextafter(limit, np.inf), float(limit), np.nextafter(limit, -np.inf)):
                other = values.copy()
                other[row] = turned
                if self(other)[row] != now and self.crosses(value, float(turned), limit):
                    return Flip(limit, float(turned), turned > value)
        return None

    @staticmethod
    def crosses(value: float, turned: float, limit: float) -> bool:
        """Whether `turned` lies no nearer to the value than the limit does."""
        return abs(turned - value) >= abs(limit - value)

    def _beyond(self, values: Floats, limit: float) -> Booleans:
        return np.asarray(values > limit if self.is_above else values < limit)


class Flip(NamedTuple):
    """limit: the threshold concerned; value: the first one that turns the answer; rises: upwards from today's."""

    limit: float
    value: float
    rises: bool


def _within(events: Booleans, sessions: int) -> Booleans:
    """True for so many sessions from each event on, its own included."""
    if not sessions or not len(events):
        return np.zeros(len(events), dtype=np.bool_)
    rows = np.arange(len(events))
    latest = np.maximum.accumulate(np.where(events, rows, -1))
    return np.asarray((latest >= 0) & (rows - latest < sessions))
