"""Moves: what was held from one rebalance to the next, why, and what changing it earned.

Reads:  a Result's books and reasons, so that it holds for every strategy, cash and fractional shares of small included.
Gives:  the moves of the account, and the changes of side among them with their outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest import two_legs
from backtest.market import Floats
from backtest.result import Result
from backtest.text import percent

PURE = 0.005
"""Less than this share of a leg is what rounding to whole shares leaves; the holding is called after the other one."""

CHANGE = 0.05
"""A rebalance that moves less than this share of the account between small, growth and cash keeps the side."""


@dataclass(frozen=True, slots=True)
class Holding:
    """small: share of the invested capital in the small leg; cash: share of the whole account."""

    small: float
    cash: float

    @property
    def tone(self) -> str:
        """The colour it has on the page: small, growth, cash or mix."""
        if self.cash > 1 - PURE:
            return "cash"
        if self.small > 1 - PURE:
            return "small"
        return "growth" if self.small < PURE else "mix"

    @property
    def label(self) -> str:
        """In a word or two: "small", "30% small", "growth, 40% cash"."""
        side = f"{percent(self.small, 0)} small" if self.tone == "mix" else self.tone
        return side if self.tone == "cash" or self.cash < CHANGE else f"{side}, {percent(self.cash, 0)} cash"

    def differs_from(self, other: Holding) -> bool:
        """Is it another side, or only the same one brought back to its weights?"""
        of_small = self.small * (1 - self.cash) - other.small * (1 - other.cash)
        return abs(of_small) > CHANGE or abs(self.cash - other.cash) > CHANGE


ALL_CASH = Holding(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Move:
    """One session with fills.

    row: session of the fills. decided: day of the close decided at. is_change: it changed what is held.
    traded, cost: USD.
    """

    row: int
    decided: np.datetime64
    reason: str
    holding: Holding
    is_change: bool
    fills: int
    traded: float
    cost: float


@dataclass(frozen=True, slots=True)
class Spell:
    """A move and what came of it until the next one listed, open to open.

    sessions: how long it lasted. earned: return of the account. gained: minus that of what was held before; for the
    first purchase minus the other leg's; None where there is no other.
    """

    move: Move
    sessions: int
    is_open: bool
    earned: float
    gained: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """The books at each open, shape (sessions,): what the account was worth before its trades and after.

    shares: held at each close, shape (sessions, tickers).
    """

    shares: Floats
    before: Floats
    after: Floats
    rows: npt.NDArray[np.int64]


def account_of(result: Result) -> Account:
    """The account at the opens; the first row is the starting cash."""
    books, overnight = result.books, result.plan.overnight
    shares = books.shares()
    costs = np.bincount(books.fills.row, books.fills.cost, minlength=len(books.sessions))
    before = np.empty(len(books.sessions))
    before[0] = books.cash[0]
    held = books.shares_at_open()[1:]
    before[1:] = books.cash[:-1] * (1 + overnight[1:]) + (held * books.opens[1:]).sum(axis=1) + books.income()[1:]
    return Account(shares, before, before - costs, np.unique(books.fills.row))


def moves_of(result: Result, account: Account) -> list[Move]:
    """Every session with fills, in order."""
    books, fills = result.books, result.books.fills
    length = len(books.sessions)
    counts = np.bincount(fills.row, minlength=length)
    traded = np.bincount(fills.row, np.abs(fills.size) * fills.price, minlength=length)
    market_days = result.market.sessions.to_numpy().astype("datetime64[D]")
    moves: list[Move] = []
    last = None
    for row in account.rows.tolist():
        holding = _holding_after(result, account, row)
        is_change = last is None or holding.differs_from(last)
        last = holding if is_change else last
        decided = market_days[result.decided_at(row)]
        cost = float(account.before[row] - account.after[row])
        reason = result.reason(row)
        moves.append(Move(row, decided, reason, holding, is_change, int(counts[row]), float(traded[row]), cost))
    return moves


def spells_of(result: Result, account: Account, moves: Sequence[Move]) -> list[Spell]:
    """The changes of side; for an account that never changed its side after the first purchase, every rebalance."""
    changes = [move for move in moves if move.is_change]
    chosen = changes if len(changes) > 1 else moves
    last = len(result.sessions) - 1
    spells = []
    for move, following in zip(chosen, [*chosen, None][1:], strict=True):
        end = last if following is None else following.row
        worth = result.books.equity[last] if following is None else account.before[end]
        earned = float(worth / account.after[move.row] - 1)
        other = _return_without(result, account, move, end, is_open=following is None)
        gained = None if other is None else earned - other
        spells.append(Spell(move, end - move.row, following is None, earned, gained))
    return spells


def _holding_after(result: Result, account: Account, row: int) -> Holding:
    """What was held right after the fills of this open."""
    value = account.shares[row] * result.books.opens[row]
    invested = float(value.sum())
    is_small = np.array([ticker in two_legs.second(result.legs) for ticker in result.books.tickers])
    small = float(value[is_small].sum() / invested) if invested > 0 else 0.0
    return Holding(small, min(max(1 - invested / float(account.after[row]), 0.0), 1.0))


def _return_without(result: Result, account: Account, move: Move, end: int, *, is_open: bool) -> float | None:
    """What leaving everything as it was before this move would have earned until `end`."""
    books, row = result.books, move.row
    price = books.closes[end] if is_open else books.opens[end]
    growth = price / books.opens[row] - 1
    if row == account.rows[0] and row == result.plan.first + 1:
        other = {"growth": two_legs.second(result.legs), "small": result.legs[result.legs.names[0]]}.get(
            move.holding.tone
        )
        if other is None:
            return None
        return float(sum(other.get(t, 0.0) * growth[i] for i, t in enumerate(books.tickers)))
    interest = float(np.prod(1 + result.plan.overnight[row : end + 1]))
    kept = books.cash[row - 1] * interest + float((account.shares[row - 1] * price).sum())
    return float(kept / account.before[row] - 1)
