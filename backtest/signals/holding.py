"""From what the rules ask for to what is held: least and longest holds, pauses, and what takes precedence.

The flow: tree -> HOLDING -> decision.
Precedence, highest first: the longest hold; cash; the least hold; the order of the list, without what pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

CAUSES = ("rule", "min_hold", "cooldown", "max_hold", "unknown")
"""Why a row holds what it holds: the rule asks for it, or it would ask for something else and must wait."""

NEVER = -1


@dataclass(frozen=True, slots=True)
class Hold:
    """How an entry of the list may be held, in sessions.

    min_hold: after a switch to it there is no other for so long, except to cash. max_hold: it is left after so many,
    and held again only when it is asked for anew, after a session on which it was not. cooldown: after it was left it
    is not held again for so long.
    """

    min_hold: int = 0
    max_hold: int | None = None
    cooldown: int = 0
    is_cash: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """entry: index into the list, -1 before anything is known; cause: index into CAUSES; both of shape (sessions,)."""

    entry: npt.NDArray[np.int64]
    cause: npt.NDArray[np.int64]


def hold(states: Floats, terms: Sequence[Hold]) -> Held:
    """What is held after each close: the first entry of the list that says yes and may be held.

    states: what the conditions say, (conditions, sessions): 1.0 yes, 0.0 no, NaN not known. terms: of each entry; one
    more than there are conditions when the last entry is what is held otherwise: while all say no. Without that, and
    while a condition is not known and none says yes, what is held stays. A first holding of the last entry,
    "otherwise", is no switch: it may be left at once.
    """
    count, sessions = states.shape
    same = ((states[:, 1:] == states[:, :-1]) | (np.isnan(states[:, 1:]) & np.isnan(states[:, :-1]))).all(axis=0)
    bounds = [0, *(np.flatnonzero(~same) + 1).tolist(), sessions] if sessions else [0]
    walk = _Walk(terms, count)
    rows, entries, causes = [], [], []
    for begin, end in pairwise(bounds):
        says = states[:, begin].tolist()
        walk.rearm(says)
        row = begin
        while row < end:  # from one row at which anything can change to the next
            cause, following = walk.step(row, says, end)
            rows.append(row)
            entries.append(walk.entry)
            causes.append(CAUSES.index(cause))
            row = following
    lengths = np.diff([*rows, sessions])
    return Held(
        np.repeat(np.array(entries, dtype=np.int64), lengths), np.repeat(np.array(causes, dtype=np.int64), lengths)
    )


class _Walk:
    """Where the walk through the sessions stands: what is held since when, what was left when, what is spent."""

    def __init__(self, terms: Sequence[Hold], conditions: int) -> None:
        self.terms, self.conditions = terms, conditions
        self.otherwise = conditions if len(terms) > conditions else None
        self.entry, self.since = -1, NEVER
        self.left = [NEVER] * len(terms)
        self.is_spent = [False] * len(terms)

    def rearm(self, says: Sequence[float]) -> None:
        """An entry that was held as long as it may be is free again once it is not asked for."""
        for i, said in enumerate(says):
            self.is_spent[i] = self.is_spent[i] and said == 1.0

    def step(self, row: int, says: Sequence[float], end: int) -> tuple[str, int]:
        """What to hold from this row on: the cause, and the next row at which that can change."""
        held, terms = self.entry, self.terms
        is_over = False
        if held >= 0:
            longest = terms[held].max_hold
            is_over = longest is not None and self.since != NEVER and row - self.since >= longest
        if is_over and held < self.conditions:
            self.is_spent[held] = says[held] == 1.0
        asked, cause, following = self._asked(row, says, end, is_over)
        if asked != held and held >= 0 and not is_over and self.since != NEVER and not terms[asked].is_cash:
            free = self.since + terms[held].min_hold
            if row < free:
                asked, cause, following = held, "min_hold", min(end, free)
        if asked != held:
            if held >= 0:
                self.left[held] = row
            is_first_otherwise = held < 0 and asked == self.otherwise
            self.entry, self.since = asked, NEVER if is_first_otherwise else row
        if self.entry >= 0:
            longest = terms[self.entry].max_hold
            if longest is not None and self.since != NEVER and row < self.since + longest:
                following = min(following, self.since + longest)
        return ("max_hold" if is_over else "unknown" if self.entry < 0 else cause), following

    def _asked(self, row: int, says: Sequence[float], end: int, is_over: bool) -> tuple[int, str, int]:
        """The first entry that says yes and may be held; what must wait is passed over, and is the cause then."""
        cause, following = "rule", end
        for i in range(self.conditions):
            if says[i] != 1.0 or (is_over and i == self.entry):
                continue
            if i == self.entry:
                return i, cause, following
            if self.is_spent[i]:
                cause = "max_hold"
            elif self.left[i] != NEVER and row - self.left[i] < self.terms[i].cooldown:
                cause, following = "cooldown", min(following, self.left[i] + self.terms[i].cooldown)
            else:
                return i, cause, following
        is_known = all(said == said for said in says)
        if self.otherwise is not None and (is_known or is_over or cause != "rule"):
            return self.otherwise, cause, following
        return self.entry, cause, following
