"""What brokers do at the ends: fractions left by splits, nothing affordable, nothing left."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, assert_same_books, hand_market

from backtest.account import Books, run_backtrader, run_kernel
from backtest.account.books import check_identities
from backtest.account.kernel import run_compiled
from backtest.account.plan import Terms, make_plan
from backtest.account.strategy import RotationStrategy


def both(closes: list[float], weights: Any, splits: dict[int, float] | None = None, **terms: Any) -> Books:
    """The books of G at these opens and closes, the same by all engines."""
    market = hand_market("2024-09-25", G=closes, S=[5.0] * len(closes))
    ratios = pd.DataFrame(0.0, market.sessions, market.close.columns)
    for row, ratio in (splits or {}).items():
        ratios.iloc[row, 0] = ratio
    market = dataclasses.replace(market, splits=ratios)
    plan = make_plan(market, PAIR.tickers, weights, market.sessions[0], Terms(**terms))
    books = run_kernel(plan)
    assert_same_books(run_backtrader(plan, RotationStrategy), books)
    assert_same_books(run_compiled(plan), books)
    check_identities(books, plan.terms.cash, plan.overnight)
    return books


RAW = {"is_raw": True, "whole_shares": True}


@pytest.mark.parametrize(
    ("cash", "price", "ratio", "shares", "left"),
    [
        (1030.0, 10.0, 0.25, 25.0, 30.0),  # 103 shares, 1:4: 25, and three quarters at 40
        (33.0, 1.0, 1.5, 49.0, 0.5 / 1.5),  # 33 shares, 3:2: 49, and half a share at 2/3
        (10.0, 1.0, 0.04, 0.0, 10.0),  # 10 shares, 1:25: nothing whole is left
        (300.0, 1.0, 1 / 3, 100.0, 0.0),
    ],
)
def test_a_split_of_whole_shares_pays_the_fraction_in_cash(
    cash: float, price: float, ratio: float, shares: float, left: float
) -> None:
    closes = [price] * 5 + [price / ratio] * 5
    books = both(closes, np.tile([1.0, 0.0], (10, 1)), {5: ratio}, cash=cash, **RAW)
    assert books.shares()[-1, 0] == shares
    assert books.cash[-1] == pytest.approx(left, abs=1e-9)
    assert books.equity[5:].tolist() == pytest.approx([cash] * 5)


@pytest.mark.parametrize(("cash", "ends"), [(1030.0, 2030.0), (1070.0, 2110.0), (30.5, 30.5)])
def test_what_whole_shares_are_worth_after_a_reverse_split_when_the_price_doubles(cash: float, ends: float) -> None:
    """103 shares at 10 become 25 at 40 and 30 in cash: at 80 they are 2,030, not the 2,060 of 25.75 shares.

    107 become 26 and 30 in cash; from 30.50, 3 shares, nothing whole is left and the cash does not grow.
    """
    closes = [10.0] * 5 + [40.0] * 3 + [80.0] * 2
    books = both(closes, np.tile([1.0, 0.0], (10, 1)), {5: 0.25}, cash=cash, **RAW)
    assert books.equity[-1] == pytest.approx(ends, abs=1e-9)


def test_what_cannot_be_afforded_is_not_bought_and_the_cash_stays() -> None:
    books = both([40.0] * 6, np.tile([1.0, 0.0], (6, 1)), cash=30.5, **RAW)
    assert len(books.fills.row) == 0
    assert books.cash.tolist() == [30.5] * 6


def test_an_account_that_costs_have_eaten_trades_no_more() -> None:
    weights = np.tile([[1.0, 0.0], [0.0, 1.0]], (100, 1))
    books = both([5.0] * 200, weights, cost_rate=0.2)
    row = books.ruined_row
    assert row is not None
    assert 0.0 < books.equity[-1] < 1e-6 * 100_000
    assert books.fills.row.max() == row


def test_a_fill_at_the_first_close_shows_in_the_row_after() -> None:
    terms: dict[str, Any] = {"fill": "close", "delay_sessions": 0, "cost_rate": 0.01, "cash": 1010.0}
    books = both([10.0, 10.0, 20.0, 20.0], np.array([[1.0, 0.0]] * 3 + [[0.0, 0.0]]), **terms)
    assert books.fills.row.tolist() == [0, 3]  # the last session's decision is filled, not pending
    assert books.equity.tolist() == pytest.approx([1010.0, 1000.0, 2000.0, 1980.0], rel=1e-9)
    assert books.shares()[:, 0].tolist() == pytest.approx([0.0, 100.0, 100.0, 0.0])
