"""The engine against a second implementation that shares no line with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from plain_simulator import PlainBooks, plain_books
from worlds import EXCHANGE, World, worlds

from backtest.account import run_kernel
from backtest.account.books import Books
from backtest.account.sizing import DUST, RESERVE

few = settings(max_examples=25, deadline=None, derandomize=True)
many = settings(max_examples=200, deadline=None, derandomize=True)


def plain(world: World, **given: Any) -> PlainBooks:
    """From what was decided and the terms, not from the plan: the plan is under test too."""
    market, terms = world.market, world.terms
    begin = int(market.sessions.searchsorted(world.start))
    sessions = market.sessions[begin:]
    due = [period_ends(sessions, rule) for rule in (terms.rebalance, *(("monthly",) if world.also_monthly else ()))]
    given |= (
        {"splits": market.splits.to_numpy()[begin:], "dividends": market.dividends.to_numpy()[begin:]}
        if (terms.is_raw)
        else {}
    )
    return plain_books(
        market.open.to_numpy()[begin:],
        market.close.to_numpy()[begin:],
        world.weights[begin:],
        cash=terms.cash,
        rate=terms.cost_rate,
        is_due=np.any(due, axis=0),
        band=terms.rebalance if isinstance(terms.rebalance, float) else np.inf,
        delay=terms.delay_sessions,
        at_close=terms.fill == "close",
        whole=terms.whole_shares,
        overnight=nightly_rate(market.tbill, sessions) if terms.earns_tbill else None,
        **given,
    )


def period_ends(sessions: pd.DatetimeIndex, rule: Any) -> Any:
    """By looking at each day and the next one of the exchange."""
    days = list(EXCHANGE)
    names: dict[str, Any] = {
        "daily": lambda day: day,
        "weekly": lambda day: day.isocalendar()[:2],
        "monthly": lambda day: (day.year, day.month),
        "quarterly": lambda day: (day.year, (day.month - 1) // 3),
        "annual": lambda day: day.year,
    }
    found = []
    for day in sessions:
        place = days.index(day)
        if isinstance(rule, int):
            found.append(place % rule == 0)  # this exchange is younger than 1990: counted from its first day
        else:
            found.append(rule in names and names[rule](day) != names[rule](days[place + 1]))
    return np.array(found)


def nightly_rate(discount: Any, sessions: pd.DatetimeIndex) -> Any:
    """One night at a time: the Treasury's bond-equivalent yield of yesterday's rate over the days since yesterday."""
    rates = np.zeros(len(sessions))
    for t in range(1, len(sessions)):
        d = discount[sessions[t - 1]]
        rates[t] = 365 * d / (360 - 91 * d) * (sessions[t] - sessions[t - 1]).days / 365
    return rates


def distance(books: Books, other: PlainBooks) -> float:
    """Largest difference of equity and cash, as a fraction of equity."""
    both = [(books.equity, other.equity), (books.cash, other.cash)]
    return float(max(np.abs((mine - theirs) / other.equity).max() for mine, theirs in both))


def check_world(world: World) -> None:
    books, other = run_kernel(world.plan), plain(world)
    assert distance(books, other) < 1e-12
    assert len(np.unique(books.fills.row)) == other.rebalances
    scale = np.abs(other.shares).max() + 1.0
    assert np.abs(books.shares() - other.shares).max() / scale < 1e-12


@given(worlds())
@few
def test_the_kernel_agrees_with_the_plain_simulator(world: World) -> None:
    check_world(world)


@pytest.mark.slow
@given(worlds())
@many
def test_the_kernel_agrees_with_the_plain_simulator_in_200_worlds(world: World) -> None:
    check_world(world)


def test_the_plain_simulator_has_the_reserve_and_the_dust_of_the_engine() -> None:
    import plain_simulator

    assert (plain_simulator.RESERVE, plain_simulator.DUST) == (RESERVE, DUST) == (1e-10, 1e-9)


def test_the_plain_simulator_halves_a_hand_case_right() -> None:
    """100 dollars at 1 %: buys 100/1.01 dollars' worth at the first open; the price doubles; half is sold at 1 %."""
    opens = closes = np.array([[10.0], [10.0], [20.0], [20.0]])
    weights = np.array([[1.0], [1.0], [0.5], [0.5]])
    books = plain_books(opens, closes, weights, cash=100.0, rate=0.01, reserve=0.0)
    bought = 100 / 1.01
    assert books.equity[1] == pytest.approx(bought, rel=1e-14)
    # V' = 2b - 0.01 (2b - 0.5 V'), so V' = 2b * 0.99 / 0.995
    assert books.equity[3] == pytest.approx(2 * bought * 0.99 / 0.995, rel=1e-14)
    assert books.cash[3] == pytest.approx(books.equity[3] / 2, rel=1e-14)
