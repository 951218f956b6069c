"""The main job: config -> market -> decision -> fills -> result -> metrics, each step one line of `run`.

`run_backtest.py` and the command line add what comes before (reading YAML) and after (the result folder).
"""

from __future__ import annotations

import os
import traceback
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.account import Books, check_same_books, run_backtrader, run_kernel
from backtest.account.benchmarks import benchmark_plans
from backtest.account.books import check_identities
from backtest.account.plan import Plan, Terms, check_listed, make_plan
from backtest.account.strategy import RotationStrategy
from backtest.config import Config
from backtest.data import load_market
from backtest.data.assemble import traded_tickers
from backtest.data.period import with_late_starts
from backtest.decision import Decision, check_decision, target_weights
from backtest.errors import BacktestError, ConfigError, DataError, RunError
from backtest.market import PRICE_FRAMES, Floats, Legs, Market
from backtest.metrics import Activity, calendar_and_tbill, metrics
from backtest.registry import source_of
from backtest.result import Figures, Result, average_shares, in_force, shares_held


def run(
    config: Config, strategies: Mapping[str, type], *, market: Market | None = None, offline: bool = False
) -> Result:
    """Run one config by backtrader, check it against the kernel, measure it.

    market: use this one instead of loading config.data (audits and notebooks that have it already).
    Raises DataError, NetworkError, OrderRefused, EnginesDisagree and RunError, each with one line per problem.
    """
    market = market or load_market(config, offline=offline)
    if missing := [ticker for ticker in traded_tickers(config) if ticker not in market.tickers]:
        raise DataError(f"market: has no prices of {', '.join(missing)}; it has {', '.join(market.tickers)}")
    market = with_late_starts(market, traded_tickers(config), config.data.start)
    strategy = strategies[config.strategy.name]
    decision = decide(config, market, strategy)
    plan = plan_of(config, market, decision)
    books = execute(config, plan, strategy)
    return measure(config, market, strategy, decision, plan, books)


def is_rotation(strategy: type) -> bool:
    """Is it a RotationStrategy, with a pure `decide`? Any other bt.Strategy trades in its own `next`."""
    return bool(getattr(strategy, "is_vectorised", False))


def legs_of(config: Config) -> Legs:
    """The baskets of a config."""
    legs = config.legs.items()
    return Legs({name: leg.weights for name, leg in legs}, {name: leg.label for name, leg in legs if leg.label})


def decide(config: Config, market: Market, strategy: Any) -> Decision:
    """What the strategy would hold after each close of the market; a `next`-style strategy does not say in advance."""
    if not is_rotation(strategy):
        check_terms_of_own_orders(config)
        legs, begin = legs_of(config), int(market.sessions.searchsorted(pd.Timestamp(config.data.start)))
        check_listed(market, legs.tickers, np.zeros(1, dtype=np.int64), np.ones((1, len(legs.tickers))), begin)
        return Decision(np.full((len(market.sessions), len(config.legs)), np.nan), is_observed=True)
    before = fingerprint(market)
    try:
        decision = strategy.decide(market, legs_of(config), config.strategy.params)
    except BacktestError:
        raise
    except Exception as error:
        raise RunError(told_of_strategy(config.strategy.name, strategy, error)) from error
    if not isinstance(decision, Decision):
        raise RunError(not_a_decision(config.strategy.name, decision))
    if fingerprint(market) != before:
        raise RunError(f"{config.strategy.name}: decide changed the market it was given: work on copies")
    return check_decision(decision, market, legs_of(config))


def not_a_decision(name: str, given: object) -> str:
    """What to say of something else."""
    return f"{name}: decide returned {type(given).__name__}, expected a Decision"


def fingerprint(market: Market) -> int:
    """A checksum of prices, decisions and rates: whether a strategy wrote into them (about a millisecond)."""
    tables = [getattr(market, name) for name in PRICE_FRAMES] + [market.policy[["lower", "upper", "change_bps"]]]
    tables += [] if market.tbill is None else [market.tbill]
    checksum = 0
    for table in tables:
        checksum = zlib.crc32(np.ascontiguousarray(table.to_numpy(dtype=np.float64)).tobytes(), checksum)
    return checksum


def told_of_strategy(name: str, strategy: type, error: Exception) -> str:
    """One line about an exception in a strategy's own code, with the last line of its source that was running."""
    try:
        source = source_of(strategy)
    except RunError:
        place = name  # typed at a prompt
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == source.name]
        where = os.path.relpath(source.name) if source.is_file else f"the cell of {strategy.__name__}"
        place = f"{where}:{lines[-1]}" if lines else name
    return f"{place}: {name} failed: {type(error).__name__}: {' '.join(str(error).split())}"


def check_terms_of_own_orders(config: Config) -> None:
    """Raise ConfigError for settings that a strategy which places its own orders would ignore without a word."""
    execution = config.execution
    asked = {
        "rebalance": (execution.rebalance, "on_change"),
        "delay_sessions": (execution.delay_sessions, 1),
        "fill": (execution.fill, "open"),
        "idle_cash": (execution.idle_cash, "none"),
    }
    problems = [
        f"execution.{key}: found {found}, expected {only}: {config.strategy.name} places its own orders in next()"
        for key, (found, only) in asked.items()
        if found != only
    ]
    if problems:
        raise ConfigError(*problems)


def plan_of(config: Config, market: Market, decision: Decision) -> Plan:
    """The decision as target weights on the sessions of the test."""
    plan = uncut_plan(config, market, decision)
    if len(plan.sessions) < plan.terms.delay_sessions + 2:
        raise RunError(f"{config.name}: {len(plan.sessions)} sessions from {config.data.start} on: too few to trade")
    return plan


def uncut_plan(config: Config, market: Market, decision: Decision) -> Plan:
    """The same, however few the sessions are: nothing may have been traded yet."""
    legs = legs_of(config)
    weights = target_weights(decision, legs, legs.tickers, config.strategy.initial)
    return make_plan(market, legs.tickers, weights, pd.Timestamp(config.data.start), Terms.of(config))


def execute(config: Config, plan: Plan, strategy: type) -> Books:
    """The books by backtrader, equal to the kernel's to the last bit, or an error."""
    books = run_backtrader(plan, strategy, **config.strategy.params.model_dump())
    check_identities(books, plan.terms.cash, plan.overnight)
    if is_rotation(strategy):
        check_same_books(books, run_kernel(plan))
    return books


def measure(
    config: Config,
    market: Market,
    strategy: type,
    decision: Decision,
    plan: Plan,
    books: Books,
    audited: int | None = None,
) -> Result:
    """The result: the books beside those of the benchmarks, with the metrics of each against the first benchmark."""
    legs = legs_of(config)
    plans = benchmark_plans(config, market, legs, plan.terms)
    held = {name: run_kernel(each) for name, each in plans.items()}
    benchmarks = {name: each for name, each in held.items() if len(each.fills.row)}  # cash is no yardstick
    first = next(iter(benchmarks), None)
    calendar, tbill = calendar_and_tbill(market, plan.sessions)

    decided = in_force(decision, legs, config.strategy.initial, plan)

    def figures(account: Books, name: str | None) -> tuple[Figures, Mapping[str, str]]:
        return metrics(
            account.equity,
            calendar=calendar,
            tbill_returns=tbill,
            benchmark=None if first in (None, name) else benchmarks[first].equity,
            no_benchmark="no benchmark given" if first is None else "it is the benchmark itself",
            activity=activity_of(account, legs, decided if account is books else None),
        )

    own, undefined = figures(books, None)
    return Result(
        config=config,
        market=market,
        legs=legs,
        rule=rule_of(strategy, legs, config.strategy.params),
        decision=decision if is_rotation(strategy) else decision_of_books(books, market, legs),
        plan=plan,
        books=books,
        benchmarks=benchmarks,
        metrics=own,
        benchmark_metrics={name: figures(account, name)[0] for name, account in benchmarks.items()},
        undefined=undefined,
        audited=audited,
    )


def activity_of(books: Books, legs: Legs, decided: Floats | None = None) -> Activity:
    """What was traded, and what share of the account was in each leg; decided: as for `average_shares`."""
    fills = books.fills
    rows = np.unique(fills.row)
    traded = np.bincount(fills.row, np.abs(fills.size) * fills.price, minlength=len(books.sessions))
    later = rows[1:]
    held, income, cash = books.shares_at_open(), books.income(), books.cash.copy()
    cash[0] -= float((fills.size * fills.price + fills.cost)[fills.row == 0].sum())  # filled at the first close itself
    worth = cash[later - 1] + income[later] + (held[later] * books.opens[later]).sum(axis=1)
    if books.terms.fill == "close":  # with the night's interest, which is there before them
        worth = books.equity[later] + np.bincount(fills.row, fills.cost, minlength=len(books.sessions))[later]
    return Activity(
        turnover=float((0.5 * traded[later] / worth).sum()),
        rebalances=len(rows),
        trades=len(fills.row),
        exposures=dict(zip(legs.names, average_shares(books, legs, decided).tolist(), strict=True)),
        costs_usd=float(fills.cost.sum()),
    )


def decision_of_books(books: Books, market: Market, legs: Legs) -> Decision:
    """For a strategy that trades in its own `next`: what it held after each close stands for what it decided."""
    shares = np.zeros((len(market.sessions), len(legs.names)))
    held = shares_held(books, legs)
    shares[len(shares) - len(held) :] = held / np.maximum(held.sum(axis=1, keepdims=True), 1.0)
    why = "The strategy's own code asked for it"
    return Decision(shares, reason=lambda row: why, is_observed=True)


def rule_of(strategy: Any, legs: Legs, params: Any) -> str:
    """The strategy's rule in one sentence; the first line of its docstring when it gives none."""
    if is_rotation(strategy) and strategy.rule is not RotationStrategy.rule:
        return str(strategy.rule(legs, params))
    return str(strategy.__doc__ or strategy.__name__).strip().splitlines()[0]
