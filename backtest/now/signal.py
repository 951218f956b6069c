"""Signal: the orders that the tested account has pending after the last close, and those of a holding of one's own.

The flow: config -> market -> decision -> plan -> pending orders -> SIGNAL, for people, scripts and an orders file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from backtest.account.books import Books
from backtest.account.engine import own_orders
from backtest.account.pending import Due, Order, due_orders, go_on, orders_toward
from backtest.account.plan import Plan
from backtest.config import Config
from backtest.decision import Decision
from backtest.errors import ConfigError
from backtest.market import CASH, Floats, Legs, Market
from backtest.pipeline import decide, decision_of_books, is_rotation, legs_of, uncut_plan
from backtest.result import holding_words, reason_of, shares_held
from backtest.text import listed, number, percent, plural, usd


@dataclass(frozen=True)
class PendingSignal:
    """What is due, after the close of the market's last session.

    plan: gone on beyond the `known` sessions, up to the last order that may be pending. due: by session. row: of the
    next fill. is_own: the strategy places its own orders in `next`.
    """

    config: Config
    market: Market
    legs: Legs
    decision: Decision
    plan: Plan
    books: Books
    known: int
    due: tuple[Due, ...]
    is_own: bool

    @property
    def row(self) -> int:
        """Of the next fill; of the last session itself where fills are at the close decided on."""
        return self.known if self.plan.terms.delay_sessions else self.known - 1

    @property
    def next_due(self) -> Due | None:
        """What is traded at the next fill."""
        return next((each for each in self.due if each.row == self.row), None)

    @property
    def weights_held(self) -> Floats:
        """Of the account after the last close, by ticker."""
        last = self.known - 1
        return np.asarray(self.books.shares()[last] * self.plan.closes[last] / self.books.equity[last])

    @property
    def weights(self) -> Floats:
        """Targets by ticker at the next fill; what the account holds where it trades nothing then."""
        return self.weights_held if self.next_due is None else self.next_due.weights

    def shares(self, due: Due | None) -> Floats:
        """By leg: decided for these trades; None: held after the last close."""
        if due is None or self.is_own:
            return np.asarray(shares_held(self.books, self.legs)[self.known - 1])
        begin = len(self.market.sessions) - self.known
        held = self.decision.held(self.legs, self.config.strategy.initial)
        return np.asarray(held[begin + due.row - self.plan.terms.delay_sessions])

    def reason(self, due: Due | None) -> str:
        """Why these trades are due; None: why it holds what it holds."""
        if due is None or self.is_own:
            return self.market.words(self.decision.why(len(self.market.sessions) - 1, self.legs))
        row = int(self.market.sessions.searchsorted(due.decided))
        return reason_of(self.plan, due.row, self.market.words(self.decision.why(row, self.legs)))


def signal_of(config: Config, market: Market, strategy: type) -> PendingSignal:
    """Run the account up to the market's last session and read what it has pending."""
    decision, legs = decide(config, market, strategy), legs_of(config)
    plan = uncut_plan(config, market, decision)
    known = len(plan.sessions)
    if is_rotation(strategy):
        ahead = go_on(plan, market, plan.terms.delay_sessions)
        books, due = due_orders(ahead, known)
        return PendingSignal(config, market, legs, decision, ahead, books, known, tuple(due), is_own=False)
    ahead = go_on(plan, market, 1)
    books, orders = own_orders(plan, ahead, strategy, **config.strategy.params.model_dump())
    found = [_own_due(orders, ahead, books)] if orders else []
    observed = decision_of_books(books, market, legs)
    return PendingSignal(config, market, legs, observed, ahead, books, known, tuple(found), is_own=True)


def _own_due(orders: tuple[Order, ...], ahead: Plan, books: Books) -> Due:
    """The weights are those after the orders, at the last close."""
    held, last = books.shares()[-1].copy(), len(books.sessions) - 1
    for order in orders:
        held[ahead.tickers.index(order.ticker)] += order.shares
    spent = sum(order.shares * order.price + order.cost_usd for order in orders)
    weights = np.asarray(held * ahead.closes[last] / books.equity[last])
    ordered = tuple(sorted(orders, key=lambda order: order.shares > 0.0))
    session, decided = ahead.sessions[last + 1], ahead.sessions[last]
    return Due(last + 1, session, decided, "order", weights, ordered, float(books.cash[last]) - spent)


@dataclass(frozen=True, slots=True)
class OwnHolding:
    """The user's own: orders that bring it, at the last prices on the tape, to what the tested account holds next."""

    orders: tuple[Order, ...]
    cash_usd: float


def holding_orders(signal: PendingSignal, held: Mapping[str, float]) -> OwnHolding:
    """held: shares by ticker and `cash` in USD."""
    tickers, cash = signal.plan.tickers, held.get(CASH, 0.0)
    prices = _tape(signal)
    shares = np.array([held.get(ticker, 0.0) for ticker in tickers])
    if signal.plan.terms.whole_shares:  # a fraction of a share is sold with the last of them, or stays
        shares = np.where(signal.weights > 0.0, np.floor(shares + 1e-9), shares)
    orders = orders_toward(signal.weights, tickers, shares, cash, prices, signal.plan)
    return OwnHolding(orders, cash - sum(order.shares * order.price + order.cost_usd for order in orders))


def parse_holding(text: str, tickers: Sequence[str]) -> dict[str, float]:
    """`QQQ=120,IVW=40,cash=5000` as shares and USD; ConfigError for anything else."""
    held: dict[str, float] = {}
    for part in text.split(","):
        name, equals, amount = (piece.strip() for piece in part.partition("="))
        try:
            value = float(amount)
        except ValueError:
            value = -1.0
        if not equals or not 0 <= value < float("inf"):
            raise ConfigError(f"--holding: found {part.strip()[:40]!r}, expected TICKER=SHARES or cash=USD, from 0 on")
        if name not in (*tickers, CASH):
            raise ConfigError(f"--holding: found {name[:40]!r}, expected {listed((*tickers, CASH), word='or')}")
        if name in held:
            raise ConfigError(f"--holding: {name} stands twice, expected once")
        held[name] = value
    if sum(held.values()) <= 0:
        raise ConfigError("--holding: nothing is held, expected some shares or cash")
    return held


def signal_json(signal: PendingSignal, holding: OwnHolding | None, *, today: date) -> dict[str, Any]:
    """For scripts."""
    last, tickers, due = signal.known - 1, signal.plan.tickers, signal.next_due
    as_of = signal.market.sessions[-1]
    return {
        "schema": 2,
        "name": signal.config.name,
        "strategy": signal.config.strategy.name,
        "as_of": f"{as_of:%Y-%m-%d}",
        "data_age_days": (today - as_of.date()).days,
        "next_fill": {"date": f"{signal.plan.sessions[signal.row]:%Y-%m-%d}", "at": signal.plan.terms.fill},
        "trades_next": due is not None,
        "shares": _by(signal.legs.names, signal.shares(due)),
        "target_weights": _by(tickers, signal.weights),
        "reason": signal.reason(due),
        "account": {
            "equity_usd": float(signal.books.equity[last]),
            "cash_usd": float(signal.books.cash[last]),
            "shares": _by(tickers, signal.books.shares()[last]),
            "weights": _by(tickers, signal.weights_held),
        },
        "due": [
            {
                "date": f"{each.session:%Y-%m-%d}",
                "decided": f"{each.decided:%Y-%m-%d}",
                "trigger": each.trigger,
                "reason": signal.reason(each),
                "shares": _by(signal.legs.names, signal.shares(each)),
                "target_weights": _by(tickers, each.weights),
                "orders": [_order(order) for order in each.orders],
                "cost_usd": _costs(each.orders),
                "cash_usd": each.cash_usd,
            }
            for each in signal.due
        ],
        "holding": None
        if holding is None
        else {
            "orders": [_order(order) for order in holding.orders],
            "cost_usd": _costs(holding.orders),
            "cash_usd": holding.cash_usd,
        },
    }


ORDERS_HEAD = "ticker,side,shares,type"


def orders_csv(signal: PendingSignal, holding: OwnHolding | None) -> str:
    """The orders for the next fill as baskets are imported: `ticker,side,shares,type`, shares as on the tape.

    Those of the holding where one is given, else of the tested account; the head alone when there are none. type: MKT,
    LMT, STP or STP LMT; MOC of a market order for the close.
    """
    due, to_tape = signal.next_due, np.ones(len(signal.plan.tickers))
    orders = holding.orders if holding else due.orders if due else ()
    if holding is None:
        to_tape = signal.plan.closes[-1] / _tape(signal)
    kinds = {"market": "MOC" if signal.plan.terms.fill == "close" else "MKT", "limit": "LMT", "stop": "STP"}
    lines = [ORDERS_HEAD]
    for order in orders:
        shares = abs(order.shares) * to_tape[signal.plan.tickers.index(order.ticker)]
        if signal.plan.terms.whole_shares and holding is None:
            shares = np.floor(shares + 0.5)  # whole on the tape
        kind = kinds.get(order.kind, "STP LMT")
        lines.append(f"{order.ticker},{_side(order).upper()},{shares:.10f}".rstrip("0").rstrip(".") + f",{kind}")
    return "\n".join(lines) + "\n"


def lines(signal: PendingSignal, holding: OwnHolding | None) -> Iterator[str]:
    """For people, behind the title."""
    last, due = signal.known - 1, signal.next_due
    at, day = signal.plan.terms.fill, f"{signal.plan.sessions[signal.row]:%Y-%m-%d}"
    held = holding_words(signal.legs, signal.shares(None))
    yield f"the tested account: {usd(signal.books.equity[last])}; it holds {held}"
    if signal.books.ruined_row is not None and signal.books.ruined_row < signal.known:
        yield f"it was ruined on {signal.plan.sessions[signal.books.ruined_row]:%Y-%m-%d} and trades no more"
        return
    if due is None:
        yield f"nothing to trade at the {at} of {day}" + ("" if signal.due else f": {signal.reason(None)}")
    for each in signal.due:
        name = "ORDERS" if each is due else "later,"
        yield f"{name} for the {at} of {each.session:%Y-%m-%d}, decided at the close of {each.decided:%Y-%m-%d}"
        yield f"  {signal.reason(each)}"
        yield f"  target: {_weights(signal, each.weights)} ({holding_words(signal.legs, signal.shares(each))})"
        yield from _told(each.orders)
        left = f"costs about {usd(_costs(each.orders))}, {usd(each.cash_usd)} in cash left"
        yield f"  at the last close {left}" if each.orders else "  at the last close there is nothing to trade yet"
    if holding is not None:
        whose = "as these orders do" if due else "as the tested account holds it"
        yield f"your holding, brought to {_weights(signal, signal.weights)}, {whose}:"
        yield from _told(holding.orders)
        left = f"costs about {usd(_costs(holding.orders))}, {usd(holding.cash_usd)} in cash left"
        yield f"  {left}" if holding.orders else "  nothing to trade"


def title(signal: PendingSignal, today: date) -> str:
    """`name: after the close of 2024-07-16, 1 day ago`."""
    as_of = signal.market.sessions[-1]
    age = plural((today - as_of.date()).days, "day")
    return f"after the close of {as_of:%Y-%m-%d}, {age} ago"


def _weights(signal: PendingSignal, weights: Floats) -> str:
    named = zip(signal.plan.tickers, weights.tolist(), strict=True)
    return ", ".join(f"{ticker} {percent(weight)}" for ticker, weight in named if weight) or "cash"


def _told(orders: Sequence[Order]) -> Iterator[str]:
    for order in orders:
        about = f"about {usd(abs(order.shares) * order.price)}"
        kind = "" if order.kind == "market" else f", {order.kind} {' '.join(number(each) for each in order.at)}"
        yield f"  {_side(order):<4} {number(abs(order.shares), 4):>14} {order.ticker:<5} {about}{kind}"


def _tape(signal: PendingSignal) -> Floats:
    """Last closes as they stood on the tape."""
    last = signal.market.raw_close[list(signal.plan.tickers)].iloc[-1].fillna(1.0)  # not listed yet, and not held
    return last.to_numpy(dtype=np.float64)


def _side(order: Order) -> str:
    return "buy" if order.shares > 0.0 else "sell"


def _costs(orders: Sequence[Order]) -> float:
    return float(sum(order.cost_usd for order in orders))


def _order(order: Order) -> dict[str, Any]:
    more = {"prices": list(order.at)} if order.at else {}
    return {
        "ticker": order.ticker,
        "side": _side(order),
        "shares": abs(order.shares),
        "type": order.kind,
        "price": order.price,
        "value_usd": abs(order.shares) * order.price,
        "cost_usd": order.cost_usd,
        **more,
    }


def _by(names: Sequence[str], values: Floats) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
