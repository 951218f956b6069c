"""From a quantity to yes and no: a threshold, with hysteresis, chosen sessions to look at, and a time to hold.

Its answers in words stand beside trades, and in what `why` shows of a signal.
The flow: measures -> LIMIT -> tree -> holding -> decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats
from backtest.signals.combine import latch
from backtest.text import plural, quantity
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


WHOLE = ("sessions", "place")
"""Units that are counted: their values are whole numbers, so that `above 0` is `at least 1`."""


def beyond(enter: float, unit: str, *, is_above: bool) -> str:
    """The side of a limit that says yes: `above 2.00 sd`, `at least 1 session`, `at most 3 sessions`."""
    if unit in WHOLE:
        return f"at least {quantity(math.floor(enter) + 1, unit)}" if is_above else (
            f"at most {quantity(math.ceil(enter) - 1, unit)}")  # fmt: skip
    return f"{'above' if is_above else 'below'} {quantity(enter, unit)}"


def leaving(leave: float, unit: str, *, is_above: bool) -> str:
    """From where on a yes ends: `below +0.25 percentage points`, at which it stays; `at 3 sessions`."""
    if unit in WHOLE:
        return f"at {quantity(math.floor(leave) if is_above else math.ceil(leave), unit)}"
    return f"{'below' if is_above else 'above'} {quantity(leave, unit)}"


def answer(limit: Limit, values: Floats, unit: str, sessions: pd.DatetimeIndex, looked: str, row: int) -> str:
    """The value of a row with what the limit makes of it: `2.10 sd (yes, above 2.00 sd)`.

    Where the value alone does not decide, it says since when the answer stands and why it still does. looked: how often
    the limit looks (daily, weekly, every 5 sessions).
    """
    state = limit(values)
    now = quantity(float(values[row]), unit)
    side = beyond(limit.enter, unit, is_above=limit.is_above)
    if np.isnan(state[row]):
        return f"{now} (yes {side})" if np.isnan(values[row]) else f"{now} (not looked at yet: {looked})"
    if state[row] == 1.0:
        return f"{now} ({_yes(limit, values, state, unit, sessions, looked, row, side)})"
    if not limit.is_beyond(values)[row]:
        return f"{now} (no, not {side}{_ended(limit, state, unit, row)})"
    if limit.is_of_news:
        return f"{now} (no: {limit.hold_sessions} sessions are over since it was news)"
    return f"{now} (no: looked at {looked}, not {side} then)"


def _yes(
    limit: Limit, values: Floats, state: Floats, unit: str, sessions: pd.DatetimeIndex, looked: str, row: int, side: str
) -> str:
    entered = limit.entered(values)
    if entered[row]:
        return f"yes, {side}"
    began, event = _began(state, entered, row), int(np.flatnonzero(entered[: row + 1])[-1])
    since = f"yes since {sessions[began]:%Y-%m-%d}, then {side}"
    since += f", last on {sessions[event]:%Y-%m-%d}" if event != began else ""
    left = event + limit.hold_sessions - 1 - row
    if left >= 0:
        until = f"for {plural(left, 'more session')}" if left else "to this session"
        return f"{since}; held {until}"
    if limit.leave != limit.enter:
        return f"{since}; leaves {leaving(limit.leave, unit, is_above=limit.is_above)}"
    return f"{since}; looked at {looked}"


def _ended(limit: Limit, state: Floats, unit: str, row: int) -> str:
    """What ended the yes of the session before, where it was not `enter` alone."""
    if not row or state[row - 1] != 1.0:
        return ""
    if limit.leave != limit.enter and not limit.is_of_news:
        return f"; it left {leaving(limit.leave, unit, is_above=limit.is_above)}"
    return f"; the hold of {limit.hold_sessions} sessions is over" if limit.hold_sessions else ""


def _began(state: Floats, entered: Booleans, row: int) -> int:
    """The first row of this yes; the last one that entered when it was not known in between."""
    other = np.flatnonzero(state[: row + 1] != 1.0)
    first = int(other[-1]) + 1 if len(other) else 0
    return first if entered[first] else int(np.flatnonzero(entered[: row + 1])[-1])
