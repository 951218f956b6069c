"""What must not change when the world is told in another way, and what must change in one direction only."""

from __future__ import annotations

import dataclasses
from typing import Any

import backtrader as bt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import World, assert_same_books, worlds

from backtest.account import Books, run_backtrader, run_kernel
from backtest.account.books import Fills
from backtest.account.plan import Plan
from backtest.account.sizing import RESERVE
from backtest.account.strategy import RotationStrategy

few = settings(max_examples=15, deadline=None, derandomize=True)
POWERS = st.sampled_from([2.0**-7, 0.5, 4.0, 2.0**10])


def with_prices(plan: Plan, factor: float) -> Plan:
    return dataclasses.replace(plan, opens=plan.opens * factor, closes=plan.closes * factor)


def with_terms(plan: Plan, **changes: Any) -> Plan:
    return dataclasses.replace(plan, terms=dataclasses.replace(plan.terms, **changes))


@given(worlds(whole=False, raw=False), POWERS)
@few
def test_the_unit_of_prices_changes_no_bit_of_the_curve(world: World, factor: float) -> None:
    """A power of two only moves exponents; so shares go the other way and every dollar stays."""
    plan = world.plan
    books, scaled = run_kernel(plan), run_kernel(with_prices(plan, factor))
    assert (books.equity == scaled.equity).all()
    assert (books.cash == scaled.cash).all()
    assert (books.fills.size == scaled.fills.size * factor).all()


@given(worlds(whole=False, raw=False), POWERS)
@few
def test_the_size_of_the_account_changes_no_return(world: World, factor: float) -> None:
    plan = world.plan
    larger = with_terms(plan, cash=plan.terms.cash * factor)
    assert (run_kernel(larger).equity == run_kernel(plan).equity * factor).all()


@given(worlds(raw=False))
@few
def test_the_names_of_tickers_change_nothing(world: World) -> None:
    """Names that sort the other way round, and one that begins another."""
    plan = world.plan
    renamed = dataclasses.replace(plan, tickers=tuple("Z" * (len(plan.tickers) - i) for i in range(len(plan.tickers))))
    books = run_backtrader(renamed, RotationStrategy)
    assert_same_books(books, run_kernel(plan))
    assert books.tickers == renamed.tickers


@given(worlds(raw=False), st.randoms())
@few
def test_the_order_of_tickers_changes_only_roundings(world: World, random: Any) -> None:
    plan = world.plan
    order = list(range(len(plan.tickers)))
    random.shuffle(order)
    if plan.terms.whole_shares:
        plan = with_terms(plan, whole_shares=False)
    shuffled = dataclasses.replace(
        plan,
        tickers=tuple(plan.tickers[i] for i in order),
        opens=plan.opens[:, order],
        closes=plan.closes[:, order],
        targets=plan.targets[:, order],
    )
    assert run_kernel(shuffled).equity == pytest.approx(run_kernel(plan).equity, rel=1e-12)


@given(worlds(raw=False))
@few
def test_a_ticker_that_is_never_held_changes_nothing(world: World) -> None:
    """At the end of the feeds, where it moves no order of additions."""
    plan = world.plan
    unused = np.full((len(plan.sessions), 1), 17.0)
    wider = dataclasses.replace(
        plan,
        tickers=(*plan.tickers, "UNUSED"),
        opens=np.hstack([plan.opens, unused]),
        closes=np.hstack([plan.closes, unused]),
        targets=np.hstack([plan.targets, unused * 0.0]),
    )
    assert_same_books(run_backtrader(wider, RotationStrategy), run_kernel(plan))


@given(worlds(raw=False))
@few
def test_at_constant_prices_the_end_is_the_start_less_the_costs(world: World) -> None:
    plan = world.plan
    still = np.broadcast_to(plan.closes[0], plan.closes.shape).copy()
    plan = dataclasses.replace(plan, opens=still, closes=still, overnight=np.zeros(len(still)))
    books = run_kernel(plan)
    assert books.equity[-1] == pytest.approx(plan.terms.cash - books.fills.cost.sum(), rel=1e-12)
    assert (np.diff(books.equity) <= 1e-12 * books.equity[0]).all()


@given(worlds(whole=False, raw=False), st.sampled_from([(0.0, 0.0001), (0.0005, 0.001), (0.0, 0.005)]))
@few
def test_a_single_purchase_never_ends_higher_at_higher_costs(world: World, rates: tuple[float, float]) -> None:
    plan = world.plan
    plan = dataclasses.replace(
        with_terms(plan, rebalance="on_change"),
        targets=np.broadcast_to(plan.targets[-1], plan.targets.shape).copy(),
        is_scheduled=np.zeros_like(plan.is_scheduled),
        overnight=np.zeros(len(plan.overnight)),
    )
    cheap, dear = (run_kernel(with_terms(plan, cost_rate=rate)) for rate in rates)
    assert dear.equity[-1] <= cheap.equity[-1]
    assert (dear.equity[-1] < cheap.equity[-1]) == (len(dear.fills.row) > 0)


@given(worlds(raw=False))
@few
def test_without_costs_and_with_one_ticker_the_curve_is_the_tickers(world: World) -> None:
    plan = world.plan
    plan = dataclasses.replace(
        with_terms(plan, cost_rate=0.0, whole_shares=False, rebalance="on_change", delay_sessions=1),
        targets=np.broadcast_to(np.eye(len(plan.tickers))[0], plan.targets.shape).copy(),
        is_scheduled=np.zeros_like(plan.is_scheduled),
        overnight=np.zeros(len(plan.overnight)),
    )
    books = run_kernel(plan)
    growth = RESERVE + (1 - RESERVE) * plan.closes[1:, 0] / plan.opens[1, 0]
    assert books.equity[1:] / plan.terms.cash == pytest.approx(growth, rel=1e-12)


@given(worlds(raw=False))
@few
def test_what_comes_later_changes_no_row_before_it(world: World) -> None:
    """Cut anywhere, the books up to there are the same to the bit."""
    plan = world.plan
    books = run_kernel(plan)
    for rows in (len(plan.sessions) // 2, len(plan.sessions) - 1):
        short = dataclasses.replace(
            plan,
            sessions=plan.sessions[:rows],
            opens=plan.opens[:rows],
            closes=plan.closes[:rows],
            targets=plan.targets[:rows],
            is_scheduled=plan.is_scheduled[:rows],
            overnight=plan.overnight[:rows],
        )
        assert_same_books(run_kernel(short), first_rows(books, rows))


def first_rows(books: Books, rows: int) -> Books:
    here = books.fills.row < rows
    fills = Fills(**{f.name: getattr(books.fills, f.name)[here] for f in dataclasses.fields(Fills)})
    return dataclasses.replace(
        books, sessions=books.sessions[:rows], equity=books.equity[:rows], cash=books.cash[:rows], fills=fills
    )


class Curious(RotationStrategy):
    """Looks at everything it can after each close."""

    def next(self) -> None:
        for feed in self.datas:
            self.broker.getvalue(datas=[feed])
            self.getposition(feed)
        self.broker.getvalue()
        super().next()


@given(worlds(raw=False))
@few
def test_looking_at_the_books_does_not_change_them(world: World) -> None:
    plan = world.plan
    assert_same_books(run_backtrader(plan, Curious), run_kernel(plan))


@given(worlds(raw=False))
@settings(max_examples=3, deadline=None, derandomize=True)
def test_a_run_leaves_nothing_behind_for_the_next(world: World) -> None:
    first, second = (run_backtrader(world.plan, RotationStrategy) for _ in range(2))
    assert_same_books(first, second)
    assert bt.Cerebro().p.cheat_on_open is False
