"""What fed funds futures imply about each meeting, as CME's FedWatch computes it.

A contract settles at 100 minus the mean of the effective rate over the calendar days of its month, so that its price
implies that mean. A month without a meeting has one rate throughout, which anchors its neighbours; in a month with a
meeting the mean is split into a rate before and one after. Moves are of 25 bps, and a fraction between two whole
numbers of moves is a probability (CME Group, "Understanding the FedWatch Tool Methodology", 2023 and 2025).

Reads:  arrays of implied means, one column a month; nothing of a Market (`implied.py` does that).
Gives:  arrays with the same rows; NaN where the contracts at hand do not determine the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

DayCount = Literal["before", "after"]
"""On which side of a decision its own day counts: CME's present rule is `before`, that of its older pages `after`."""

MOVE = 0.25
"""Percentage points of one move."""

ROUNDING = 1e-9
"""Moves nearer than this to a whole number are whole: what the subtraction of two prices leaves."""


@dataclass(frozen=True, slots=True)
class Month:
    """A delivery month. meeting_day: day of the month on which its meeting ends, 0 without one."""

    days: int
    meeting_day: int

    def days_before(self, count: DayCount) -> int:
        """Calendar days at the old rate."""
        return self.meeting_day if count == "before" else self.meeting_day - 1


def solve_rates(
    averages: Floats, months: tuple[Month, ...], count: DayCount = "before", rows: Sequence[slice] | None = None
) -> tuple[Floats, Floats]:
    """The rate at the start and at the end of each month, percent, shape (rows, months) as `averages`.

    averages: implied mean of each month (100 - price); NaN without a price, or where a close must not use the month
        (beyond the published calendar none is known to be without a meeting).
    rows: of each month, those in which it may have a price; None: all. The others stay unknown.
    Anchors first; then backward through the calendar, so that a late meeting's few days after it are not divided by;
    forward only for what is left. A meeting on a month's last day leaves the whole month at the old rate.
    """
    start, end = (np.full(averages.shape, np.nan, order="F") for _ in range(2))
    last, seen = len(months) - 1, rows or [slice(None)] * len(months)
    for place, month in enumerate(months):
        if month.meeting_day == 0:
            start[seen[place], place] = end[seen[place], place] = averages[seen[place], place]
    for place, month in reversed(list(enumerate(months))):
        if month.meeting_day == 0:
            continue
        here = seen[place]
        if place < last:
            end[here, place] = start[here, place + 1]
        if place > 0 and months[place - 1].meeting_day == 0:
            start[here, place] = averages[here, place - 1]
        before = month.days_before(count)
        if before == month.days:
            start[here, place] = _filled(start[here, place], averages[here, place])
        elif before:
            back = (month.days * averages[here, place] - (month.days - before) * end[here, place]) / before
            start[here, place] = _filled(start[here, place], back)
    for place, month in enumerate(months):
        if month.meeting_day == 0:
            continue
        here = seen[place]
        if place > 0:
            start[here, place] = _filled(start[here, place], end[here, place - 1])
        before = month.days_before(count)
        if before < month.days:
            ahead = (month.days * averages[here, place] - before * start[here, place]) / (month.days - before)
            end[here, place] = _filled(end[here, place], ahead)
    return start, end


def _filled(known: Floats, otherwise: Floats) -> Floats:
    return np.where(np.isnan(known), otherwise, known)


def moves_of(start: Floats, end: Floats) -> Floats:
    """Expected number of moves of 25 bps at each meeting, negative for cuts; whole where it is within rounding."""
    moves = (end - start) / MOVE
    whole = np.rint(moves)
    return np.where(np.abs(moves - whole) < ROUNDING, whole, moves)


@dataclass(frozen=True, slots=True)
class Moves:
    """The distribution of the number of moves up to and with some meeting.

    chances: shape (rows, k + 1), that of `lowest` + 0, 1, ... k moves; NaN where it is not determined.
    lowest: shape (rows,), negative for cuts.
    """

    chances: Floats
    lowest: Floats

    @property
    def below(self) -> Floats:
        """Probability of a lower target than now, shape (rows,)."""
        return self._sum(-1)

    @property
    def same(self) -> Floats:
        """Probability of the same target as now."""
        return self._sum(0)

    @property
    def above(self) -> Floats:
        """Probability of a higher target than now."""
        return self._sum(1)

    @property
    def mean(self) -> Floats:
        """Expected number of moves."""
        steps = np.arange(self.chances.shape[1])
        return np.asarray(self.lowest + (self.chances * steps).sum(axis=1))

    def _sum(self, sign: int) -> Floats:
        moves = self.lowest[:, None] + np.arange(self.chances.shape[1])
        return np.where(np.isnan(self.lowest), np.nan, np.where(np.sign(moves) == sign, self.chances, 0.0).sum(axis=1))


def distribution(moves: Floats) -> Moves:
    """The distribution after the last of several meetings, each independent of the ones before (CME's binary tree).

    moves: expected moves at each meeting, in order, shape (rows, meetings). 1.3 means one move with 70% and two with
    30%. One meeting that is not determined leaves all after it undetermined.
    """
    whole = np.floor(moves)
    chances = np.ones((len(moves), 1))
    for place in range(moves.shape[1]):
        more = (moves[:, place] - whole[:, place])[:, None]
        chances = np.pad(chances * (1.0 - more), ((0, 0), (0, 1))) + np.pad(chances * more, ((0, 0), (1, 0)))
    return Moves(chances, whole.sum(axis=1))


def months_of(months: npt.NDArray[np.datetime64], meetings: npt.NDArray[np.datetime64]) -> tuple[Month, ...]:
    """Each month's length and meeting; meetings: all scheduled, those of the past as well, datetime64[D], ascending."""
    first = months.astype("datetime64[D]")
    lengths = ((months + 1).astype("datetime64[D]") - first).astype(np.int64).tolist()
    of_meeting = meetings.astype("datetime64[M]")
    place = np.minimum(np.searchsorted(of_meeting, months), max(len(meetings) - 1, 0))
    if not len(meetings):
        return tuple(Month(length, 0) for length in lengths)
    day = np.where(of_meeting[place] == months, (meetings[place] - first).astype(np.int64) + 1, 0)
    return tuple(Month(length, number) for length, number in zip(lengths, day.tolist(), strict=True))
