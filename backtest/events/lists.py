"""Event lists: on which rows of a market something happened, known at the close of that row.

Reads:  Market.policy, Market.series, Market.close; nothing that was not knowable at the close of the row, but for the
        lists that say so (`last_cuts`: whether a cut was the last is known when it is over).
Gives:  a list of rows by name. An announcement is known at the close of its session: what can be bought is the next
        open, and the move of day 0 itself is missed by who waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Basket, Market
from backtest.signals.implied import CERTAIN, cut_probability, first_certain, table_probability
from backtest.signals.measures import lead, surprise
from backtest.signals.policy import CYCLE_GAP_DAYS, first_cuts
from backtest.text import percent

Rows = npt.NDArray[np.int64]

OWN_DAYS = "days"
"""What a list of days is called that has no name."""

COOL = -0.05
"""Percentage points by which core CPI is below its consensus; prints have one decimal, so that it means 0.1 or more."""


@dataclass(frozen=True)
class ListTerms:
    """What defines the lists. min_cut_bps: the smallest cut that counts. gap_days: calendar days without a cut after
    which the next one is a first one. certain, meeting: probability of a lower target after the meeting of that number
    (1: the next one) whose crossing is an event. surge_of, surge_over, surge_sessions, surge_gain: a lead over so many
    sessions of one basket over another that is a surge.
    """

    min_cut_bps: int = 25
    gap_days: int = CYCLE_GAP_DAYS
    certain: float = CERTAIN
    meeting: int = 1
    surge_of: Basket | None = None
    surge_over: Basket | None = None
    surge_sessions: int = 5
    surge_gain: float = 0.05


@dataclass(frozen=True, eq=False)
class EventList:
    """One list. rows: day 0 of each event on the market's clock, ascending, each once. words: one of them, in words.

    memory: sessions of prices that it was computed from, 0 for none. is_hindsight: known only later. is_scheduled: its
    days are published in advance, so that what comes before them can be traded.
    """

    name: str
    words: str
    rows: Rows
    memory: int = 0
    is_hindsight: bool = False
    is_scheduled: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, first: int, last: int) -> EventList:
        """The events of these rows, both included."""
        kept = self.rows[(self.rows >= first) & (self.rows <= last)]
        return replace(self, rows=kept)


def _moves(market: Market) -> pd.DataFrame:
    """Decisions that can be placed on the exchange's calendar up to the last session."""
    policy = market.policy[market.policy["session"].notna()]
    return policy[policy["session"] <= market.sessions[-1]]


def _rows(market: Market, sessions: pd.Series | pd.DatetimeIndex) -> Rows:
    """Rows of these sessions; one before the first price is left out. A monthly market's row is the month's."""
    days = pd.DatetimeIndex(sessions)
    rows = np.searchsorted(market.sessions.to_numpy(), days.to_numpy().astype(market.sessions.to_numpy().dtype))
    is_inside = (rows < len(market.sessions)) & (np.asarray(days > market.sessions[0]) | (rows > 0))
    is_inside |= np.asarray(days == market.sessions[0])
    return np.unique(rows[is_inside]).astype(np.int64)


def _changes(market: Market, terms: ListTerms) -> pd.DataFrame:
    """Cuts that count, and every hike."""
    moves = _moves(market)
    return moves[(moves["change_bps"] <= -terms.min_cut_bps) | (moves["change_bps"] > 0)]


def first(market: Market, terms: ListTerms) -> Rows:
    """Cuts after a hike, or after `gap_days` without one."""
    changes = _changes(market, terms)
    return _rows(market, changes["session"][_is_first(changes, terms)])


def _is_first(changes: pd.DataFrame, terms: ListTerms) -> npt.NDArray[np.bool_]:
    days = changes["date"].to_numpy().astype("datetime64[D]")
    return first_cuts(changes["change_bps"].to_numpy() < 0, days, terms.gap_days)


def last(market: Market, terms: ListTerms) -> Rows:
    """Cuts that a hike followed, or `gap_days` without another; of one that may not be the last nothing is said."""
    changes = _changes(market, terms)
    is_cut = changes["change_bps"].to_numpy() < 0
    following = np.append(_is_first(changes, terms)[1:] | ~is_cut[1:], False)
    if len(changes) and is_cut[-1]:
        following[-1] = (market.sessions[-1] - changes["date"].iloc[-1]).days > terms.gap_days
    return _rows(market, changes["session"][is_cut & following])


def cool_cpi(market: Market, terms: ListTerms) -> Rows:
    """Releases whose core CPI was at least 0.1 points below consensus."""
    news = surprise(market)
    return np.flatnonzero(news.is_new & (np.nan_to_num(news.values, nan=0.0) <= COOL)).astype(np.int64)


def implied_cut(market: Market, terms: ListTerms) -> Rows:
    """Sessions at which futures made a cut by the meeting as good as certain."""
    probability = cut_probability if "zq" in market.series else table_probability
    chance = probability(market, terms.meeting)
    return np.flatnonzero(first_certain(chance, terms.certain)).astype(np.int64)


def surges(market: Market, terms: ListTerms) -> Rows:
    """Sessions at which the lead over `surge_sessions` reached `surge_gain`, one for each surge."""
    if terms.surge_of is None:
        return np.zeros(0, dtype=np.int64)
    gap = lead(market, terms.surge_of, terms.surge_over or {}, terms.surge_sessions)
    rows: list[int] = []
    for row in np.flatnonzero(np.nan_to_num(gap, nan=-np.inf) >= terms.surge_gain).tolist():
        if not rows or row >= rows[-1] + terms.surge_sessions:
            rows.append(row)
    return np.array(rows, dtype=np.int64)


def decisions(
    *, scheduled: bool | None = None, way: Literal["cut", "hike", "move", "none", "any"] = "any"
) -> Callable[[Market, ListTerms], Rows]:
    """Finds the decisions of one way (a cut has to be large enough), scheduled or not."""

    def find(market: Market, terms: ListTerms) -> Rows:
        moves = _moves(market)
        change = moves["change_bps"].to_numpy()
        ways = {"cut": change <= -terms.min_cut_bps, "hike": change > 0, "move": change != 0, "none": change == 0}
        wanted = ways.get(way, np.ones(len(moves), dtype=np.bool_))
        if scheduled is not None:
            wanted = wanted & (moves["scheduled"].to_numpy(dtype=np.bool_) == scheduled)
        return _rows(market, moves["session"][wanted])

    return find


@dataclass(frozen=True)
class ListKind:
    """A list that the engine knows. needs: series it reads, any one of them. memory: whether it is made of prices."""

    find: Callable[[Market, ListTerms], Rows]
    words: str
    needs: tuple[str, ...] = ()
    is_hindsight: bool = False
    is_of_prices: bool = False
    is_scheduled: bool = False


LISTS: Mapping[str, ListKind] = {
    "cuts": ListKind(decisions(way="cut"), "a cut"),
    "first_cuts": ListKind(first, "the first cut of a cycle"),
    "last_cuts": ListKind(last, "the last cut of a cycle", is_hindsight=True),
    "intermeeting_cuts": ListKind(decisions(way="cut", scheduled=False), "a cut between meetings"),
    "hikes": ListKind(decisions(way="hike"), "a hike"),
    "meetings": ListKind(decisions(scheduled=True), "a scheduled announcement", is_scheduled=True),
    "meetings_with_move": ListKind(decisions(way="move", scheduled=True), "a scheduled move"),
    "meetings_without_move": ListKind(decisions(way="none", scheduled=True), "a meeting without a move"),
    "cool_cpi": ListKind(cool_cpi, "a cool CPI", needs=("cpi",)),
    "implied_cut": ListKind(implied_cut, "a cut becoming certain", needs=("zq",)),
    "surges": ListKind(surges, "a surge", is_of_prices=True),
}
"""Every list, by name."""


def event_list(market: Market, name: str, terms: ListTerms) -> EventList:
    """The events of one of LISTS."""
    kind = LISTS[name]
    memory = terms.surge_sessions if kind.is_of_prices else 0
    words = kind.words
    if name == "implied_cut" and terms.certain != CERTAIN:
        words = f"a cut becoming {percent(terms.certain, 0)} likely"
    return EventList(name, words, kind.find(market, terms), memory, kind.is_hindsight, kind.is_scheduled)


def dated_list(market: Market, name: str, days: Sequence[date]) -> EventList:
    """A user's own days, each known at the close of its session, or of the next where it is none."""
    stamps = pd.DatetimeIndex(sorted(days)).as_unit("ns")
    words = "a day of your own" if name == OWN_DAYS else f"a day of {name.replace('_', ' ')}"
    return EventList(name, words, _rows(market, stamps[stamps <= market.sessions[-1]]))


def turns(market: Market, terms: ListTerms) -> tuple[Rows, list[str]]:
    """Where policy turned: rows (negative before the first price) and names, "easing from 2001-01" and so on.

    An event belongs to the turn before it: of the events of one easing cycle the name is one.
    """
    changes = _changes(market, terms)
    is_cut = changes["change_bps"].to_numpy() < 0
    is_turn = _is_first(changes, terms) | (~is_cut & np.insert(is_cut[:-1], 0, True) if len(is_cut) else is_cut)
    found = changes[is_turn]
    names = [
        f"{'easing' if change < 0 else 'tightening'} from {when:%Y-%m}"
        for change, when in zip(found["change_bps"], pd.DatetimeIndex(found["date"]), strict=True)
    ]
    sessions = market.sessions.to_numpy()
    rows = np.searchsorted(sessions, pd.DatetimeIndex(found["session"]).to_numpy().astype(sessions.dtype))
    is_before = np.asarray(pd.DatetimeIndex(found["session"]) < market.sessions[0])
    return np.where(is_before, -1, rows).astype(np.int64), names


def cycle_of(rows: Rows, turn_rows: Rows, names: Sequence[str]) -> list[str]:
    """The name of the turn at or before each row."""
    places = np.searchsorted(turn_rows, rows, side="right") - 1
    return [names[place] if place >= 0 else "before the record" for place in places.tolist()]
