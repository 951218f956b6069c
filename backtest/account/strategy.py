"""RotationStrategy: what every strategy inherits. It turns `decide` into orders, and is the only place that does.

The flow: config -> market -> decision -> FILLS -> result -> metrics -> report.
A subclass says what to hold after each close. This class trades to it at the next open, sells first, in sizes net of
costs, inside any bt.Cerebro: handed a Plan by the engine, or making its own from the feeds it is given.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import backtrader as bt
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from backtest.account.feeds import market_of_feeds
from backtest.account.kernel import split_and_pay
from backtest.account.plan import NO_BAND, Plan, Terms, make_plan
from backtest.account.sizing import RUIN, has_drifted, trade_sizes, worth_of
from backtest.config.fields import LegName as LegName  # for the strategies, which see the config through this
from backtest.decision import Decision, check_decision, target_weights
from backtest.errors import ConfigError, OrderRefused, RunError
from backtest.market import CASH, Legs, Market


class StrategyParams(BaseModel):
    """Parameters of a strategy: subclass it as `Params`, a typed field for each with a range and a description.

    Notes
    -----
    Frozen and strict (pydantic): an unknown name, another type, NaN or infinity is an error with its line in the
    config.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ParamsFromModel(type(bt.Strategy)):  # type: ignore[misc]
    """Gives backtrader its `params` from the class's `Params` model, so that a default is written once."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        """Backtrader reads `params` while the class is made; hence here."""
        model = namespace.get("Params")
        if model is not None:
            defaults = ((field, info.get_default()) for field, info in model.model_fields.items())
            namespace["params"] = (*namespace.get("params", ()), *defaults)
        return super().__new__(mcs, name, bases, namespace)


class RotationStrategy(bt.Strategy, metaclass=ParamsFromModel):
    """Base of all rotations: a subclass gives `Params`, `decide` and `rule`, and everything else is done here.

    Parameters
    ----------
    market, plan : Market, Plan, optional
        Handed over by the engine; without them they are made from the feeds, prices taken as they are.
    legs, initial, rebalance, delay_sessions, whole_shares
        As in a config; used only without a plan.
    **parameters
        The fields of `Params`.

    Raises
    ------
    ConfigError
        For an unknown or ill-typed parameter, which backtrader would swallow.
    OrderRefused
        When the broker refuses an order: never a statistic.

    Notes
    -----
    It runs in anybody's `bt.Cerebro()` on feeds named by ticker and switches on cheat-on-open itself.
    """

    class Params(StrategyParams):
        """No parameters."""

    params: ClassVar[Any] = (
        ("market", None),
        ("plan", None),
        ("legs", Legs()),
        ("initial", None),
        ("rebalance", "on_change"),
        ("delay_sessions", 1),
        ("whole_shares", False),
    )
    is_vectorised: ClassVar[bool] = True

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        """What to hold after each close; the whole idea of a strategy.

        Parameters
        ----------
        market : Market
            Everything known.
        legs : Legs
            The baskets to choose from.
        p : Params
            The strategy's own parameters.

        Returns
        -------
        Decision

        Notes
        -----
        Pure and vectorised, and at row t it knows nothing that came later: the audit cuts and poisons the future. It
        never shifts for execution, which is the engine's business.
        """
        raise NotImplementedError("a RotationStrategy needs a static method decide(market, legs, p)")

    @staticmethod
    def rule(legs: Legs, p: Any) -> str:
        """The rule in one plain sentence.

        Parameters
        ----------
        legs : Legs
            For their labels.
        p : Params
            Filled into the sentence.

        Returns
        -------
        str
        """
        raise NotImplementedError

    def __init__(self, **unknown: Any) -> None:
        for name in unknown:
            raise ConfigError(unknown_parameter(type(self), name))
        given = {name: getattr(self.p, name) for name in self.Params.model_fields}
        default = {name: field.get_default() for name, field in self.Params.model_fields.items()}
        values = {name: value for name, value in given.items() if repr(value) != repr(default[name])}
        try:
            self.parameters = self.Params(**values)
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigError(
                f"{type(self).__name__}: {first['loc'][0]}: {first['msg']}, found {first['input']!r}"
            ) from None

    def start(self) -> None:
        """Take or make the plan; switch on fills at the open that the decision's next session begins with."""
        self.cerebro.p.cheat_on_open = True  # next_open runs before the broker does,
        self.broker.set_coo(True)  # and a market order is checked and filled at that open
        self.tickers = tuple(str(feed._name) for feed in self.datas)
        self.cost_rate = cost_rate_of(self)
        self.holdings = [self.broker.getposition(feed) for feed in self.datas]  # fixes the order of valuation
        plan: Plan = self.p.plan or self._plan_from_feeds()
        check_feeds(self.datas, plan)
        self.targets: list[list[float]] = plan.targets.tolist()
        self.overnight: list[float] = plan.overnight.tolist()
        self.earns_interest = plan.terms.earns_tbill
        self.ratios: list[list[float]] = [] if plan.ratios is None else plan.ratios.tolist()
        self.dividends: list[list[float]] = [] if plan.dividends is None else plan.dividends.tolist()
        self.band, self.lag, self.whole_shares = plan.band, plan.lag, plan.terms.whole_shares
        self.fills_at_close = plan.terms.fill == "close"
        self.bars_before = bars_before(plan)
        changed = np.ones(len(plan.targets), dtype=np.bool_)
        changed[1:] = (plan.targets[1:] != plan.targets[:-1]).any(axis=1)
        changed[0] = bool(plan.targets[0].any())
        self.is_due: list[bool] = (changed | plan.is_scheduled).tolist()
        self.is_pending, self.is_ruined, self.drift_due = False, False, -1
        self.held = [0.0] * len(self.datas)
        self.ruin_usd = self.broker.getvalue() * RUIN

    def next(self) -> None:
        """After the close: is there anything to do at the next fill?"""
        row = len(self) - 1 - self.bars_before
        decided = row - self.lag
        self.is_ruined = self.broker.getvalue() < self.ruin_usd
        if not 0 <= decided < len(self.targets):
            return
        if self.lag >= 0 and self.drift_due < 0 and self._has_drifted("close"):
            self.drift_due = row + self.lag
        self.is_pending = not self.is_ruined and (self.is_due[decided] or self.drift_due == row)
        if self.drift_due == row:
            self.drift_due = -1
        self.held = self.targets[decided]

    def prenext(self) -> None:
        """An indicator that a subclass draws may warm up; the decisions do not wait for it."""
        self.next()

    def prenext_open(self) -> None:
        """The same at the open."""
        self.next_open()

    def next_open(self) -> None:
        """At the fill: interest on the night's cash, sells, buys. Reads `open[0]` and nothing else of this session.

        For fills at the close the engine hands over feeds whose opens are the closes.
        """
        row = len(self) - self.bars_before
        if row < 0:
            return
        if self.earns_interest:
            interest = self.broker.getcash() * self.overnight[row]
            if self.fills_at_close:
                self.broker.cash += interest  # there since the morning
            else:
                self.broker.add_cash(interest)  # booked after the fills
        if self.ratios:
            self._split_and_pay(self.ratios[row], self.dividends[row])
        if self.lag < 0 and row > 0 and not self.is_pending and not self.is_ruined:
            self.is_pending = self._has_drifted("open")
        if not self.is_pending:
            return
        shares = [float(position.size) for position in self.holdings]
        basis = [float(position.price) for position in self.holdings]
        opens = [float(feed.open[0]) for feed in self.datas]
        sizes = [0.0] * len(shares)
        self.is_pending = False
        if not trade_sizes(
            self.broker.getcash(), shares, basis, opens, self.held, self.cost_rate, self.whole_shares, sizes
        ):
            return
        for feed, size in zip(self.datas, sizes, strict=True):
            if size < 0.0:
                self.sell(feed, size=-size)
        for feed, size in zip(self.datas, sizes, strict=True):
            if size > 0.0:
                self.buy(feed, size=size)

    def _split_and_pay(self, ratios: Sequence[float], dividends: Sequence[float]) -> None:
        """Of a raw account, before the trades, as the kernel does it.

        Not by `add_cash`, which the broker books after the fills: this money can be spent at once.
        """
        shares = [float(position.size) for position in self.holdings]
        basis = [float(position.price) for position in self.holdings]
        opens = [float(feed.open[0]) for feed in self.datas]
        self.broker.cash = split_and_pay(self.broker.cash, opens, self.whole_shares, shares, basis, ratios, dividends)
        for position, size, price in zip(self.holdings, shares, basis, strict=True):
            position.size, position.price = size, price

    def notify_order(self, order: bt.Order) -> None:
        """A refused order is an exception, never a statistic."""
        refuse_silence(order)

    def _has_drifted(self, at: Literal["open", "close"]) -> bool:
        """Judged at the close of a session before the next one's fills, or at the moment of a fill at that close."""
        if self.band == NO_BAND:
            return False
        shares = [position.size for position in self.holdings]
        prices = [getattr(feed, at)[0] for feed in self.datas]
        worth = self.broker.getvalue() if at == "close" else worth_of(self.broker.getcash(), shares, prices)
        return has_drifted(worth, shares, prices, self.held, self.band)

    def _plan_from_feeds(self) -> Plan:
        market: Market = self.p.market or market_of_feeds(self.datas)
        legs: Legs = self.p.legs
        missing = [t for t in legs.tickers if t not in self.tickers]
        if missing:
            named = ", ".join(t or "(unnamed)" for t in self.tickers)
            raise ConfigError(
                f"{type(self).__name__}: no feed is named {', '.join(missing)}; the feeds are {named}: "
                "give each its ticker with cerebro.adddata(feed, name='QQQ')"
            )
        initial = self.p.initial or legs.names[0]
        if initial not in (*legs.names, CASH):
            raise ConfigError(f"initial: found {initial!r}, expected {', '.join(legs.names)} or {CASH}")
        decision = check_decision(self.decide(market, legs, self.parameters), market, legs)
        weights = target_weights(decision, legs, self.tickers, initial)
        first = bt.num2date(self.datas[0].datetime.getzero(0, 1)[0])
        terms = Terms(
            whole_shares=self.p.whole_shares, rebalance=self.p.rebalance, delay_sessions=self.p.delay_sessions
        )
        return make_plan(market, self.tickers, weights, pd.Timestamp(first).normalize(), terms)


def bars_before(plan: Plan) -> int:
    """Bars that the engine puts before the first session: one where the first fill is at the first close itself."""
    return 1 if plan.lag < 0 else 0


def check_feeds(feeds: Sequence[bt.feed.DataBase], plan: Plan) -> None:
    """Raise RunError unless the feeds are the plan's tickers, in its order, on its sessions."""
    tickers = tuple(str(feed._name) for feed in feeds)
    if plan.tickers != tickers:
        raise RunError(f"the plan is for {', '.join(plan.tickers)}, the feeds are {', '.join(tickers)}")
    days = feeds[0].datetime.getzero(0, feeds[0].buflen())[bars_before(plan) :]
    ends = [f"{bt.num2date(day):%Y-%m-%d}" for day in (*days[:1], *days[-1:])]
    if len(days) != len(plan.sessions) or ends != [f"{day:%Y-%m-%d}" for day in plan.sessions[[0, -1]]]:
        raise RunError(
            f"the plan has {len(plan.sessions)} sessions from {plan.sessions[0]:%Y-%m-%d} to "
            f"{plan.sessions[-1]:%Y-%m-%d}, the feeds have {len(days)} bars"
        )


def refuse_silence(order: bt.Order) -> None:
    """Raise OrderRefused when the broker refused, cancelled or expired an order."""
    if order.status in (order.Margin, order.Rejected, order.Canceled, order.Expired):
        hint = ", it needs more than the cash at hand, costs included" if order.status == order.Margin else ""
        day = bt.num2date(order.data.datetime[0])
        raise OrderRefused(
            f"{day:%Y-%m-%d}: {order.data._name}: {order.ordtypename().lower()} of {abs(order.created.size):g} shares: "
            f"{order.getstatusname()}{hint}"
        )


def unknown_parameter(strategy: type, name: str) -> str:
    """One line about a parameter that a strategy does not have, with the nearest one that it has."""
    names = list(strategy.Params.model_fields)  # type: ignore[attr-defined]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names) or 'no parameters'}"
    return f"{strategy.__name__}: {name} is unknown; {hint}"


def cost_rate_of(strategy: bt.Strategy) -> float:
    """The one rate on traded value; refuses every setting under which an order would not fill whole at the open."""
    broker, settings = strategy.broker, strategy.broker.p
    if strategy.cerebro.p.oldsync or settings.coc or settings.slip_perc or settings.slip_fixed or settings.filler:
        raise ConfigError(
            "cerebro: oldsync, cheat-on-close, broker slippage and fillers are not supported: "
            "put slippage into the commission, broker.setcommission(commission=0.0005)"
        )
    rates = set()
    for feed in strategy.datas:
        costs = broker.getcommissioninfo(feed)
        is_rate = costs.getcommission(1.0, 2.0) == 2.0 * costs.getcommission(1.0, 1.0)
        if not (is_rate and costs.stocklike) or costs.get_leverage() != 1.0 or costs.p.mult != 1.0 or costs.p.interest:
            raise ConfigError(
                "broker: costs must be a fraction of traded value, without leverage, margin, multiplier or interest"
            )
        rates.add(costs.getcommission(1.0, 1.0))
    if len(rates) != 1:
        raise ConfigError(f"broker: all tickers must cost the same rate, found {sorted(rates)}")
    return float(rates.pop())
