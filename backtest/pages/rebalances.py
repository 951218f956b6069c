"""Rebalances: what was held from one to the next, why, what changing it earned, and what trading cost.

Reads:  a Result's books and reasons, so that it holds for every strategy, cash and mixed holdings included.
Gives:  the rebalances of the account, the changes of holding among them with their outcome, and the costs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.account import run_kernel
from backtest.market import Floats
from backtest.metrics import Calendar
from backtest.pages.legs import NEUTRAL, LegLook, leg_looks
from backtest.result import Result, parting
from backtest.text import percent
from backtest.units import BPS

OTHER_BPS = (0.0, 5.0, 10.0, 20.0, 50.0)
PURE = 0.005
"""Less than this share of a leg is what rounding to whole shares leaves; the holding is called after the others."""

CHANGE = 0.05
"""A rebalance that moves less than this share of the account between the legs and cash keeps the holding."""


@dataclass(frozen=True, slots=True)
class Holding:
    """legs: those there are. shares: of the invested capital in each; cash: share of the whole account."""

    legs: tuple[LegLook, ...]
    shares: tuple[float, ...]
    cash: float

    @property
    def leg(self) -> LegLook | None:
        """The one leg that is held, if it is one."""
        return next((leg for leg, share in zip(self.legs, self.shares, strict=True) if share > 1 - PURE), None)

    @property
    def tone(self) -> str:
        """The colour it has on the page."""
        if self.cash > 1 - PURE:
            return "cash"
        return NEUTRAL if self.leg is None else self.leg.tone

    @property
    def label(self) -> str:
        """In a word or two: "small", "30% small", "growth, 40% cash"; of two legs the second one's share is told."""
        if self.tone == "cash":
            return "cash"
        named = [(leg, share) for leg, share in zip(self.legs, self.shares, strict=True) if share >= PURE]
        mixed = named[-1:] if len(self.legs) == 2 else sorted(named, key=lambda pair: -pair[1])
        side = self.leg.label if self.leg else ", ".join(f"{percent(share, 0)} {leg.label}" for leg, share in mixed)
        return side if self.cash < CHANGE else f"{side}, {percent(self.cash, 0)} cash"

    @property
    def of_account(self) -> list[float]:
        """Share of the whole account in each leg."""
        return [share * (1 - self.cash) for share in self.shares]

    def differs_from(self, other: Holding) -> bool:
        """Is it another holding, or only the same one brought back to its weights?"""
        pairs = zip([*self.of_account, self.cash], [*other.of_account, other.cash], strict=True)
        return any(abs(own - others) > CHANGE for own, others in pairs)


def all_cash(legs: tuple[LegLook, ...]) -> Holding:
    """Nothing bought yet."""
    return Holding(legs, (0.0,) * len(legs), 1.0)


@dataclass(frozen=True, slots=True)
class Rebalance:
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
class HoldingPeriod:
    """A rebalance and what came of it until the next one listed, open to open.

    sessions: how long it lasted. earned: return of the account. gained: minus that of what was held before; for the
    first purchase minus the other leg's; None where there is no other.
    """

    rebalance: Rebalance
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


def rebalances_of(result: Result, account: Account) -> list[Rebalance]:
    """Every session with fills, in order."""
    books, fills = result.books, result.books.fills
    length = len(books.sessions)
    counts = np.bincount(fills.row, minlength=length)
    traded = np.bincount(fills.row, np.abs(fills.size) * fills.price, minlength=length)
    market_days = result.market.sessions.to_numpy().astype("datetime64[D]")
    rebalances: list[Rebalance] = []
    last = None
    for row in account.rows.tolist():
        holding = _holding_after(result, account, row)
        is_change = last is None or holding.differs_from(last)
        last = holding if is_change else last
        decided = market_days[result.decided_at(row)]
        cost = float(account.before[row] - account.after[row])
        reason = result.reason(row)
        rebalances.append(
            Rebalance(row, decided, reason, holding, is_change, int(counts[row]), float(traded[row]), cost)
        )
    return rebalances


def holding_periods_of(result: Result, account: Account, rebalances: Sequence[Rebalance]) -> list[HoldingPeriod]:
    """The changes of side; for an account that never changed its side after the first purchase, every rebalance."""
    changes = [rebalance for rebalance in rebalances if rebalance.is_change]
    chosen = changes if len(changes) > 1 else rebalances
    last = len(result.sessions) - 1
    periods = []
    for rebalance, following in zip(chosen, [*chosen, None][1:], strict=True):
        end = last if following is None else following.row
        worth = result.books.equity[last] if following is None else account.before[end]
        earned = float(worth / account.after[rebalance.row] - 1)
        other = _return_without(result, account, rebalance, end, is_open=following is None)
        gained = None if other is None else earned - other
        periods.append(HoldingPeriod(rebalance, end - rebalance.row, following is None, earned, gained))
    return periods


def _holding_after(result: Result, account: Account, row: int) -> Holding:
    """What was held right after the fills of this open."""
    looks, value = leg_looks(result.legs), account.shares[row] * result.books.opens[row]
    invested = float(value.sum())
    decided = None if result.in_force is None else result.in_force[row : row + 1]
    held = (parting(result.legs, result.books.tickers, decided)[0] * value).sum(axis=1)
    shares = held / invested if invested > 0 else np.zeros(len(looks))
    return Holding(looks, tuple(shares.tolist()), min(max(1 - invested / float(account.after[row]), 0.0), 1.0))


def _return_without(result: Result, account: Account, rebalance: Rebalance, end: int, *, is_open: bool) -> float | None:
    """What leaving everything as it was before this rebalance would have earned until `end`."""
    books, row = result.books, rebalance.row
    price = books.closes[end] if is_open else books.opens[end]
    growth = price / books.opens[row] - 1
    if row == account.rows[0] and row == result.plan.lag + 1:
        others = [leg for leg in rebalance.holding.legs if leg is not rebalance.holding.leg]
        if rebalance.holding.leg is None or len(others) != 1:
            return None
        return float(sum(others[0].basket.get(t, 0.0) * growth[i] for i, t in enumerate(books.tickers)))
    interest = float(np.prod(1 + result.plan.overnight[row : end + 1]))
    kept = books.cash[row - 1] * interest + float((account.shares[row - 1] * price).sum())
    return float(kept / account.before[row] - 1)


@dataclass(frozen=True, slots=True)
class AtCost:
    """The same plan at another rate of costs: final value in USD, return a year (over a short test: in all)."""

    bps: float
    final: float
    growth: float
    is_this: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """paid, traded: USD. drag: return a year that costs took, a fraction; None where no other cost can be tried."""

    paid: float
    traded: float
    fills: int
    drag: float | None
    at: list[AtCost]


def costs_of(result: Result, rebalances: Sequence[Rebalance], calendar: Calendar) -> Costs:
    """Totals of the books, and one call of the kernel for each other cost."""
    at = _at_other_costs(result, calendar)
    own = next((row.growth for row in at if row.is_this), None)
    return Costs(
        paid=sum(rebalance.cost for rebalance in rebalances),
        traded=sum(rebalance.traded for rebalance in rebalances),
        fills=sum(rebalance.fills for rebalance in rebalances),
        drag=None if own is None else at[0].growth - own,
        at=at,
    )


def own_bps(result: Result) -> float:
    """Commission and slippage of this run, in basis points of traded value."""
    return round(result.plan.terms.cost_rate / BPS, 6)


def _at_other_costs(result: Result, calendar: Calendar) -> list[AtCost]:
    """Nothing for a strategy that trades in its own `next`: only a plan can be run again, and it made none."""
    if result.decision.is_observed:
        return []
    own = own_bps(result)
    rows = []
    for bps in sorted({*OTHER_BPS, own}):
        terms = dataclasses.replace(result.plan.terms, cost_rate=bps * BPS)
        is_this = bps == own
        books = result.books if is_this else run_kernel(dataclasses.replace(result.plan, terms=terms))
        total = float(books.equity[-1] / books.equity[0])
        growth = total ** (1 / calendar.years) - 1 if calendar.is_one_year else total - 1
        rows.append(AtCost(bps, float(books.equity[-1]), growth, is_this))
    return rows
