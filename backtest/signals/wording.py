"""Values, limits and answers in words: what stands beside trades, and what `why` shows of a signal.

The flow: limits -> WORDING -> signal -> decision.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from backtest.market import Floats
from backtest.signals.limits import Booleans, Limit
from backtest.text import plural, quantity

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
