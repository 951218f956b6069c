"""The cuts that fed funds futures have priced in, at each session's close.

Reads:  Market.series "zq" (settlements by contract) or "fedwatch" (ready-made probabilities), Market.meetings (their
        calendar is published in advance), Market.policy for the present target.
Gives:  arrays of shape (sessions,), NaN where the contracts known do not determine an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats, Market
from backtest.series import Days
from backtest.signals.fedwatch import DayCount, Moves, distribution, months_of, moves_of, solve_rates
from backtest.signals.policy import target_level

HORIZON_MONTHS = 14
"""Delivery months looked at: this one and the next thirteen, so that a year of meetings has its anchors."""

MEETINGS_AHEAD = 8
"""The Federal Reserve has eight scheduled meetings a year."""

PRICE_HOLDS = np.timedelta64(7, "D")
"""A settlement stands for so many calendar days when no newer one is known."""

CERTAIN = 0.95
"""From this probability on the market calls a cut certain."""


@dataclass(frozen=True, slots=True)
class ImpliedMoves:
    """What is priced in at each close, for the next MEETINGS_AHEAD scheduled meetings.

    meetings: their last days, datetime64[D], shape (sessions, MEETINGS_AHEAD), NaT beyond the published calendar. A
        meeting that ended on a session is past at its close.
    moves: expected moves of 25 bps at each, negative for cuts, same shape; NaN where it is not determined.
    """

    meetings: Days
    moves: Floats

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.meetings.nbytes + self.moves.nbytes

    def at(self, meeting: int | np.datetime64) -> Floats:
        """Expected moves at the n-th next meeting (1 is the next), or at the one of that day, shape (sessions,)."""
        wanted = self._is(meeting)
        known = (wanted & ~np.isnan(self.moves)).any(axis=1)
        return np.where(known, np.where(wanted, np.nan_to_num(self.moves), 0.0).sum(axis=1), np.nan)

    def through(self, meeting: int | np.datetime64) -> Moves:
        """The distribution of all moves from now up to and with that meeting."""
        last = self._is(meeting)
        counted = np.cumsum(last[:, ::-1], axis=1)[:, ::-1] > 0
        spread = distribution(np.where(counted, np.nan_to_num(self.moves), 0.0))
        unknown = (np.isnan(self.moves) & counted).any(axis=1) | ~last.any(axis=1)
        return Moves(spread.chances, np.where(unknown, np.nan, spread.lowest))

    def within(self, sessions: pd.DatetimeIndex, months: int) -> Floats:
        """Expected moves at all meetings of the next `months` months together; NaN if one of them is not determined."""
        today = sessions.to_numpy().astype("datetime64[D]")
        limit = (sessions + pd.DateOffset(months=months)).to_numpy().astype("datetime64[D]")
        is_counted = (self.meetings <= limit[:, None]) & (self.meetings > today[:, None])
        total = np.where(is_counted, np.nan_to_num(self.moves), 0.0).sum(axis=1)
        lacking = (is_counted & np.isnan(self.moves)).any(axis=1) | np.isnat(self.meetings[:, 0])
        return np.where(lacking, np.nan, total)

    def _is(self, meeting: int | np.datetime64) -> npt.NDArray[np.bool_]:
        if isinstance(meeting, int):
            places = np.arange(self.meetings.shape[1]) == meeting - 1
            return np.asarray(places & ~np.isnat(self.meetings))
        return np.asarray(self.meetings == meeting)


def implied_moves(market: Market, count: DayCount = "before") -> ImpliedMoves:
    """Moves priced in at each close by the futures known then, as FedWatch computes them.

    All closes are solved at once, a column for each delivery month there ever was: what a close must not use (a month
    that is over, one beyond the horizon or the published calendar) has no price there, and so determines nothing.
    """
    days = market.sessions.to_numpy().astype("datetime64[D]")
    scheduled = market.meetings.to_numpy().astype("datetime64[D]")
    first = days[0].astype("datetime64[M]")
    watch = (days.astype("datetime64[M]") - first).astype(np.int64)
    width = int(watch[-1]) + HORIZON_MONTHS + 1
    begins = np.searchsorted(watch, np.arange(width) - HORIZON_MONTHS + 1)
    ends = np.searchsorted(watch, np.arange(width), side="right")
    seen = [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
    averages = _implied_averages(market, days, first, watch, seen)
    start, end = solve_rates(averages, months_of(np.asarray(first + np.arange(width)), scheduled), count, seen)
    following = np.searchsorted(scheduled, days, side="right")[:, None] + np.arange(MEETINGS_AHEAD)
    padded = np.concatenate([scheduled, np.full(MEETINGS_AHEAD, np.datetime64("NaT", "D"))])
    meetings = padded[np.minimum(following, len(scheduled))]
    is_published = meetings.astype("datetime64[Y]") <= days.astype("datetime64[Y]")[:, None] + 1
    column = (meetings.astype("datetime64[M]") - first).astype(np.int64)
    within = is_published & (column - watch[:, None] < HORIZON_MONTHS)
    rows = np.arange(len(days))[:, None]
    place = np.where(within, column, 0)
    ahead = np.where(within, moves_of(start[rows, place], end[rows, place]), np.nan)
    known = ImpliedMoves(np.where(is_published, meetings, np.datetime64("NaT", "D")), ahead)
    for shared in (known.meetings, known.moves):
        shared.setflags(write=False)
    return known


def _implied_averages(
    market: Market, days: Days, first: np.datetime64, watch: npt.NDArray[np.int64], seen: Sequence[slice]
) -> Floats:
    """100 - the last settlement known at each close of the months it may use, shape (sessions, months), by column.

    first: the month of the first column; watch: the column of each session's own month; seen: the sessions at which a
    month is within the horizon.
    """
    frame = market.observed("zq").frame
    known = frame["session"].to_numpy().astype("datetime64[D]")
    row = np.minimum(np.searchsorted(days, known), len(days) - 1)
    column = (frame["contract"].to_numpy().astype("datetime64[M]") - first).astype(np.int64)
    ahead = column - watch[row]
    year_end = (days.astype("datetime64[Y]") + 2).astype("datetime64[M]") - first
    used = (days[row] == known) & (ahead >= 0) & (ahead < HORIZON_MONTHS) & (column < year_end.astype(np.int64)[row])
    averages = np.full((len(days), len(seen)), np.nan, order="F")
    averages[row[used], column[used]] = 100.0 - frame["value"].to_numpy(dtype=np.float64)[used]
    for place, here in enumerate(seen):
        averages[here, place] = _held(averages[here, place], days[here])
    return averages


def _held(values: Floats, days: Days) -> Floats:
    """The last known value in the rows that have none, for as long as it stands; shape (sessions,)."""
    gaps = np.isnan(values)
    if not gaps.any() or gaps.all():
        return values
    latest = np.maximum.accumulate(np.where(gaps, -1, np.arange(len(values))))
    stands = (latest >= 0) & (days - days[latest] <= PRICE_HOLDS)
    return np.where(stands, values[latest], np.nan)


def cut_probability(
    market: Market, meeting: int | np.datetime64 = 1, *, alone: bool = False, count: DayCount = "before"
) -> Floats:
    """Probability that the target is lower than now after a meeting, in [0, 1].

    meeting: 1 is the next one, 2 that after it, ...; or the last day of one: NaN when it is past or too far ahead.
    alone: of a cut at that very meeting, whatever the meetings before it do.
    """

    def compute() -> Floats:
        implied = implied_moves(market, count)
        return np.clip(-implied.at(meeting), 0.0, 1.0) if alone else implied.through(meeting).below

    return market.memo.get(("cut_probability", meeting, alone, count), compute)


def expected_cuts(market: Market, months: int, count: DayCount = "before") -> Floats:
    """Number of cuts of 25 bps priced in for the meetings of the next `months` months; negative for rises."""
    return 0.0 - implied_moves(market, count).within(market.sessions, months)


def first_certain(probability: Floats, certain: float = CERTAIN) -> npt.NDArray[np.bool_]:
    """True on each session at which a cut became certain: at `certain` or above, after a session below it."""
    is_certain = probability >= certain
    before = np.concatenate([[np.nan], probability[:-1]])
    return np.asarray(is_certain & (before < certain))


def _named(market: Market, meeting: int | np.datetime64) -> Days:
    """The last day of the n-th next meeting at each close, or of the one named, datetime64[D], shape (sessions,)."""
    days = market.sessions.to_numpy().astype("datetime64[D]")
    if not isinstance(meeting, int):
        return np.full(len(days), meeting)
    padded = np.concatenate([market.meetings.to_numpy().astype("datetime64[D]"), [np.datetime64("NaT", "D")]])
    place = np.searchsorted(padded[:-1], days, side="right") + meeting - 1
    return np.asarray(padded[np.minimum(place, len(padded) - 1)])


def table_probability(market: Market, meeting: int | np.datetime64 = 1) -> Floats:
    """`cut_probability` from ready-made probabilities of target bands (series "fedwatch")."""
    frame = market.observed("fedwatch").frame.drop_duplicates(["session", "happened", "meeting", "lower"], keep="last")
    sessions = market.sessions
    row = np.searchsorted(sessions.to_numpy(), frame["session"].to_numpy().astype(sessions.to_numpy().dtype))
    frame = frame[row < len(sessions)].assign(row=row[row < len(sessions)])
    target = target_level(market, "lower")[frame["row"].to_numpy()]
    is_lower = frame["lower"].to_numpy(dtype=np.float64) < target - 1e-9
    frame = frame.assign(below=np.where(is_lower, frame["value"], 0.0))
    by_day = frame.groupby(["row", "happened", "meeting"], sort=True)["below"].sum().reset_index()
    by_day = by_day[by_day["happened"] == by_day.groupby("row")["happened"].transform("max")]
    day = sessions.to_numpy()[by_day["row"].to_numpy()]
    by_day = by_day[by_day["meeting"].to_numpy() > day]
    wanted = _named(market, meeting)[by_day["row"].to_numpy()]
    chosen = by_day[by_day["meeting"].to_numpy().astype("datetime64[D]") == wanted]
    values = np.full(len(sessions), np.nan)
    values[chosen["row"].to_numpy()] = chosen["below"].to_numpy(dtype=np.float64)
    return _held(values, sessions.to_numpy().astype("datetime64[D]"))
