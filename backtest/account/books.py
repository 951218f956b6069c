"""Books: what an account did and was worth. Both engines return them; `check_same_books` compares every bit."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.account.plan import Plan, Terms
from backtest.account.sizing import RUIN, SNAP
from backtest.errors import EnginesDisagree, RunError
from backtest.market import Floats

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fills:
    """Trades in the order in which they were booked; arrays of shape (fills,).

    row: session of the fill; ticker: column of the plan; size: shares, negative for a sale; price: the open traded at;
    cost: commission and slippage in USD.
    """

    row: Integers
    ticker: Integers
    size: Floats
    price: Floats
    cost: Floats

    @staticmethod
    def of(table: Floats) -> Fills:
        """From rows of (session, ticker, size, price, cost)."""
        rows, tickers = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        return Fills(rows, tickers, table[:, 2].copy(), table[:, 3].copy(), table[:, 4].copy())


DEFAULT_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Books:
    """What an account was worth and what it traded.

    equity, cash: USD at each session's close, shape (sessions,), the first row is the starting cash.
    opens, closes: the plan's prices, shape (sessions, tickers); traded at `opens`.
    ratios, dividends: the plan's, of a raw account; None otherwise. terms: traded on.
    """

    sessions: pd.DatetimeIndex
    tickers: tuple[str, ...]
    opens: Floats
    closes: Floats
    equity: Floats
    cash: Floats
    fills: Fills
    ratios: Floats | None = None
    dividends: Floats | None = None
    terms: Terms = DEFAULT_TERMS

    def shares(self) -> Floats:
        """Shares held at each close, shape (sessions, tickers); none in the base row, which stands before its fills."""
        held = self._after_fills().copy()
        held[0] = 0.0
        return held

    def shares_at_open(self) -> Floats:
        """Shares held before each session's trades, splits of the day worked in, shape (sessions, tickers)."""
        before = np.zeros((len(self.sessions), len(self.tickers)))
        before[1:] = self._after_fills()[:-1]
        return before if self.ratios is None else self._split(before, self.ratios)

    def income(self) -> Floats:
        """Cash paid before each session's trades, USD, shape (sessions,): dividends, and fractions left by splits."""
        if self.dividends is None or self.ratios is None:
            return np.zeros(len(self.sessions))
        held = self.shares_at_open()
        before = np.vstack([np.zeros((1, len(self.tickers))), self._after_fills()[:-1]])
        fractions = np.maximum(before * self.ratios - held, 0.0) * self.opens
        return np.asarray((held * self.dividends + fractions).sum(axis=1), dtype=np.float64)

    def _after_fills(self) -> Floats:
        """Shares after each session's fills, added up in the order they were booked."""
        traded = np.zeros((len(self.sessions), len(self.tickers)))
        np.add.at(traded, (self.fills.row, self.fills.ticker), self.fills.size)
        if self.ratios is None:
            return np.cumsum(traded, axis=0)
        held = np.zeros_like(traded)
        splits = np.flatnonzero((self.ratios != 1.0).any(axis=1)).tolist()
        for row in sorted({*splits, *self.fills.row.tolist()}):
            now = self._split(held[row], self.ratios[row])
            for place in np.flatnonzero(self.fills.row == row).tolist():
                now[self.fills.ticker[place]] += self.fills.size[place]
            held[row:] = now
        return held

    def _split(self, held: Floats, ratios: Floats) -> Floats:
        split = held * ratios
        is_cut = self.terms.whole_shares & (ratios != 1.0)
        return np.where(is_cut, np.floor(split * (1.0 + SNAP)), split)

    @property
    def ruined_row(self) -> int | None:
        """The first row at whose close the account was worth too little to trade; None when it never was."""
        rows = np.flatnonzero(self.equity < RUIN * self.equity[0])
        return int(rows[0]) if len(rows) else None

    def weights(self) -> Floats:
        """Share of equity in each ticker at each close, shape (sessions, tickers)."""
        return np.asarray(self.shares() * self.closes / self.equity[:, None], dtype=np.float64)


def books_of(plan: Plan, equity: Floats, cash: Floats, fills: Fills) -> Books:
    """What an engine found, with what the plan says of prices, splits and dividends."""
    events = plan.ratios, plan.dividends
    return Books(plan.sessions, plan.tickers, plan.opens, plan.closes, equity, cash, fills, *events, plan.terms)


def check_same_books(one: Books, other: Books, names: tuple[str, str] = ("backtrader", "the kernel")) -> None:
    """Raise EnginesDisagree, naming the first difference, unless equity, cash and fills are equal to the last bit."""
    for field in fields(Fills):
        mine, theirs = getattr(one.fills, field.name), getattr(other.fills, field.name)
        if len(mine) != len(theirs):
            raise EnginesDisagree(f"{names[0]} made {len(mine)} fills, {names[1]} {len(theirs)}: please report this")
        _check_equal(mine, theirs, f"{field.name} of fill", [str(i + 1) for i in range(len(mine))], names)
    days = [f"{day:%Y-%m-%d}" for day in one.sessions] if not _same(one, other) else []
    _check_equal(one.cash, other.cash, "cash on", days, names)
    _check_equal(one.equity, other.equity, "equity on", days, names)


TOLERANCE = 1e-9
"""Relative error allowed when books are added up in another order than the broker's."""


def check_identities(books: Books, cash: float, overnight: Floats) -> None:
    """Raise RunError unless the books add up: equity = cash + holdings, cash = cash before + interest - trades - costs.

    Also: nothing is sold short, cash is never negative, every figure is finite.
    cash: at the start. overnight: interest per dollar from the close before to each session's open, (sessions,).
    """
    shares, fills = books.shares(), books.fills
    value = books.cash + (shares * books.closes).sum(axis=1)
    spent = np.bincount(fills.row, fills.size * fills.price + fills.cost, minlength=len(books.sessions))
    before = np.concatenate([[cash], books.cash[:-1]])
    if len(before) > 1:  # what is filled at the close of the base row itself shows in the next one
        before[1] -= spent[0]
        spent[0] = 0.0
    left = before * (1.0 + overnight) + books.income() - spent
    problems = {
        "equity is not a positive number": ~(books.equity > 0.0) | np.isinf(books.equity),
        "equity is not cash plus holdings": ~(np.abs(value - books.equity) <= TOLERANCE * books.equity),
        "cash is not what interest and trades left": ~(np.abs(left - books.cash) <= TOLERANCE * books.equity),
        "a position is short": (shares < -TOLERANCE).any(axis=1),
        "cash is negative": books.cash < 0.0,
    }
    for problem, where in problems.items():
        if where.any():
            raise RunError(f"{problem} on {books.sessions[int(np.argmax(where))]:%Y-%m-%d}")


def _same(one: Books, other: Books) -> bool:
    return np.array_equal(one.cash, other.cash) and np.array_equal(one.equity, other.equity)


def _check_equal(
    mine: npt.NDArray[np.generic], theirs: npt.NDArray[np.generic], what: str, where: list[str], names: tuple[str, str]
) -> None:
    if np.array_equal(mine, theirs):
        return
    first = int(np.argmax(mine != theirs))
    raise EnginesDisagree(
        f"{what} {where[first]}: {names[0]} has {mine[first]!r}, {names[1]} {theirs[first]!r}: please report this"
    )
