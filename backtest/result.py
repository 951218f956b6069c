"""Result: everything a run found out, as pandas objects. The report and the result folder are views of it.

The flow: config -> market -> decision -> fills -> RESULT -> metrics -> report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.account.books import Books
from backtest.account.kernel import UNINVESTED
from backtest.account.plan import Plan, Rebalance
from backtest.config import Config
from backtest.decision import Decision, decisions_frame
from backtest.market import Floats, Legs, Market
from backtest.text import listed, percent, plural

Figures = Mapping[str, float | int | None]

CASH_SHOWN = 0.005
"""The least share of cash that is named in a sentence."""


@dataclass(frozen=True)
class Result:
    """One run. Frames are indexed by session (tz-naive); money is USD, shares of the whole are fractions.

    Attributes
    ----------
    config : Config
        As asked; `legs` as used.
    market : Market
        All of it, warm-up included.
    rule : str
        The strategy's own sentence.
    decision : Decision
        On all of the market's sessions.
    plan, books : Plan, Books
        On the sessions of the test; the first row is the starting cash.
    benchmarks : dict of str to Books
        On the same sessions and terms.
    metrics : dict of str to float or None
        The figures of `metrics.metric_keys(legs.names)`, fractions; None where undefined.
    benchmark_metrics : dict of str to dict
        The same for each benchmark.
    undefined : dict of str to str
        Why a figure of the strategy is None.
    audited : int or None
        At how many decisions the future was replaced, and nothing before them changed; None: at none.
    """

    config: Config
    market: Market
    legs: Legs
    rule: str
    decision: Decision
    plan: Plan
    books: Books
    benchmarks: Mapping[str, Books]
    metrics: Figures
    benchmark_metrics: Mapping[str, Figures]
    undefined: Mapping[str, str]
    audited: int | None = None

    @property
    def audit_words(self) -> str:
        """`audited at 10 decisions`, or that it was not."""
        return (
            "not audited: use `backtest audit`"
            if self.audited is None
            else f"audited at {plural(self.audited, 'decision')}"
        )

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the test; the first is the one of the starting cash."""
        return self.plan.sessions

    @property
    def begin(self) -> int:
        """Row of the market at which the test begins."""
        return len(self.market.sessions) - len(self.sessions)

    @cached_property
    def shares(self) -> Floats:
        """Share of equity that is in each leg at each close, (sessions, legs)."""
        return shares_held(self.books, self.legs, self.in_force)

    @cached_property
    def in_force(self) -> Floats | None:
        """Shares by leg of the decision that has been traded to by each session: see the function `in_force`."""
        return in_force(self.decision, self.legs, self.config.strategy.initial, self.plan)

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Columns equity, cash, share_<LEG>, weight_<TICKER>, benchmark_<NAME>; a row per session, base row first."""
        columns = {"equity": self.books.equity, "cash": self.books.cash}
        columns |= {f"share_{name}": self.shares[:, i] for i, name in enumerate(self.legs.names)}
        weights = self.books.weights()
        columns |= {f"weight_{t}": weights[:, i] for i, t in enumerate(self.books.tickers)}
        columns |= {f"benchmark_{name}": books.equity for name, books in self.benchmarks.items()}
        return pd.DataFrame(columns, index=self.sessions.rename("date"))

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """Columns share_<LEG> and cash as decided, and each evidence series, on the sessions of the test."""
        frame = decisions_frame(self.decision, self.market, self.legs, self.config.strategy.initial)
        return frame.iloc[self.begin :].rename_axis("date")

    @cached_property
    def trades(self) -> pd.DataFrame:
        """A row per fill: date, ticker, side, shares, price, raw_price, value_usd, cost_usd, decision_date, reason."""
        at_close = self.plan.terms.fill == "close"
        tape = self.market.raw_close if at_close else self.market.raw_open
        fills, raw = self.books.fills, tape[list(self.plan.tickers)].to_numpy()
        rows = fills.row
        decided = {row: self.decided_at(row) for row in dict.fromkeys(rows.tolist())}
        reasons = {row: self.reason(row) for row in decided}
        return pd.DataFrame(
            {
                "date": self.sessions[rows],
                "ticker": [self.plan.tickers[i] for i in fills.ticker],
                "side": np.where(fills.size > 0, "buy", "sell"),
                "shares": np.abs(fills.size),
                "price": fills.price,
                "raw_price": raw[rows + self.begin, fills.ticker],
                "value_usd": np.abs(fills.size) * fills.price,
                "cost_usd": fills.cost,
                "decision_date": self.market.sessions[[decided[row] for row in rows.tolist()]],
                "reason": [reasons[row] for row in rows.tolist()],
            }
        )

    def decided_at(self, row: int) -> int:
        """Row of the market at whose close the trades of test row `row` were decided."""
        is_own = self.plan.trigger(row) == "order"
        return self.begin + row - (1 if is_own else self.plan.terms.delay_sessions)

    def reason(self, row: int) -> str:
        """The sentence beside the trades of test row `row`."""
        why = self.decision.why(self.decided_at(row), self.legs)
        return reason_of(self.plan, row, self.market.words(why))

    @property
    def pending(self) -> str | None:
        """What was decided and no session of the test has traded yet; None when nothing was.

        A rebalance to the target already held is no decision; nor is drift in an observed one.
        """
        if self.decision.is_observed:
            return None
        wanted = self.decision.held(self.legs, self.config.strategy.initial)
        last = len(self.market.sessions) - 1
        for row in range(last, max(last - self.plan.terms.delay_sessions, self.begin), -1):
            if (wanted[row] != wanted[row - 1]).any():
                return (
                    f"Decided at the close of {self.market.sessions[row]:%Y-%m-%d} and not traded yet: "
                    f"{holding_words(self.legs, wanted[row])}. {self.market.words(self.decision.why(row, self.legs))}"
                )
        return None


def reason_of(plan: Plan, row: int, why: str) -> str:
    """The sentence beside the trades of test row `row`. why: what led to the decision that they follow."""
    trigger = plan.trigger(row)
    if trigger == "first":
        return f"First purchase. {why}"
    if trigger == "calendar":
        return f"{rebalance_words(plan.terms.rebalance)} to the same target. {why}"
    if trigger == "drift":
        return f"A weight had drifted by more than {plan.band:.1%}. {why}"
    return why


def rebalance_words(rule: Rebalance) -> str:
    """What trades by the calendar are called: `Monthly rebalance`."""
    return f"Rebalance every {rule} sessions" if isinstance(rule, int) else f"{str(rule).capitalize()} rebalance"


def holding_words(legs: Legs, shares: Floats) -> str:
    """What is held, by leg: `75% small caps and 25% growth`; cash is named when it is more than a rounding."""
    parts = [f"{percent(share, 0)} {legs.label(name)}" for name, share in zip(legs.names, shares, strict=True) if share]
    cash = 1.0 - float(shares.sum())
    return listed([*parts, f"{percent(cash, 0)} cash"] if cash > CASH_SHOWN or not parts else parts)


def mix_words(legs: Legs, shares: Floats) -> str:
    """What a constant mix holds: `all IWM`, `equal parts of all legs`, else as `holding_words`."""
    if shares.max() == 1.0:
        return f"all {legs.label(legs.names[int(shares.argmax())])}"
    return "equal parts of all legs" if len(shares) > 2 and np.ptp(shares) == 0.0 else holding_words(legs, shares)


def in_force(decision: Decision, legs: Legs, initial: str, plan: Plan) -> Floats | None:
    """Shares by leg of the decision that has been traded to by each session of the test, (sessions, legs).

    None of a strategy that trades in its own `next`.
    """
    if decision.is_observed:
        return None
    held, lag = decision.held(legs, initial)[-len(plan.sessions) :], plan.terms.delay_sessions
    return np.concatenate([np.zeros((min(lag, len(held)), held.shape[1])), held[: max(len(held) - lag, 0)]])


def parting(legs: Legs, tickers: Sequence[str], decided: Floats | None = None) -> Floats:
    """How much of a holding belongs to each leg, (1 or sessions, legs, tickers).

    A ticker that stands in several legs is parted as it was decided (decided: shares by leg in force, (sessions, legs);
    None, or nothing decided for it: by its weights in the legs).
    """
    inside = legs.matrix(tuple(tickers))
    whole = inside.sum(axis=0)
    usual: Floats = np.divide(inside, whole, out=np.zeros_like(inside), where=whole > 0.0)[None]
    if decided is None or not legs.has_shared_tickers:
        return usual
    asked = decided[:, :, None] * inside
    whole = np.broadcast_to(asked.sum(axis=1, keepdims=True), asked.shape)
    parted: Floats = np.divide(asked, whole, out=np.broadcast_to(usual, asked.shape).copy(), where=whole > 0.0)
    return parted


def added_up(values: Floats) -> Floats:
    """Sums along the last axis, one after the other as the kernel adds."""
    return np.asarray(values.cumsum(axis=-1)[..., -1])


def shares_held(books: Books, legs: Legs, decided: Floats | None = None) -> Floats:
    """Share of equity in each leg at each close, (sessions, legs); decided: as for `parting`."""
    return added_up(parting(legs, books.tickers, decided) * books.weights()[:, None, :])


def average_shares(books: Books, legs: Legs, decided: Floats | None = None) -> Floats:
    """Mean share of equity in each leg at the close, (legs,), the base row left out; decided: as for `parting`.

    What cash is no more than a reserve counts as invested. Equal to the kernel's exposures to the last bit, so that a
    variant's own mix is the same whichever command asks for it: sessions in which one leg is all are counted, the rest
    is added up in the order of time.
    """
    held, equity = books.shares()[1:], books.equity[1:]
    value, parts = held * books.closes[1:], parting(legs, books.tickers, None if decided is None else decided[1:])
    invested = added_up(value)
    is_invested = ~(equity - invested > UNINVESTED * equity)
    owned = added_up(parts * value[:, None, :])
    shares = np.zeros(len(legs.names))
    for k, own in enumerate(owned.T):
        is_other = ((parts[:, k] < 1.0) & (held != 0.0)).any(axis=1)
        is_all = is_invested & ~is_other & (own > 0.0)
        some = (own / np.where(is_invested, invested, equity))[~is_all]
        shares[k] = (added_up(np.append(0.0, some)) + is_all.sum()) / max(len(equity), 1)
    return shares


def cash_beside(shares: Floats) -> float:
    """What shares by leg leave in cash; none where it is no more than a reserve."""
    cash = 1.0 - float(added_up(shares))
    return cash if cash > UNINVESTED else 0.0
