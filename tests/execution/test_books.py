"""Books: shares and weights rebuilt from fills, and the identities they must satisfy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.account.books import Books, Fills, check_identities
from backtest.errors import RunError

DAYS = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"])
PRICES = np.array([[10.0, 20.0], [10.0, 20.0], [11.0, 19.0], [12.0, 18.0]])


def books(**changes: Any) -> Books:
    """1,000 USD: 40 A and 20 B on the second day (cost 1), 10 A sold on the fourth (cost 2)."""
    fills = Fills.of(np.array([[1, 0, 40, 10, 0.5], [1, 1, 20, 20, 0.5], [3, 0, -10, 12, 2.0]], dtype=float))
    cash = np.array([1000.0, 199.0, 199.0, 317.0])
    equity = np.array([1000.0, 999.0, 199 + 440 + 380.0, 317 + 360 + 360.0])
    return dataclasses.replace(Books(DAYS, ("A", "B"), PRICES, PRICES, equity, cash, fills), **changes)


def test_shares_are_the_fills_added_up() -> None:
    assert books().shares().tolist() == [[0, 0], [40, 20], [40, 20], [30, 20]]


def test_weights_are_of_equity() -> None:
    assert books().weights()[3].tolist() == [360 / 1037, 360 / 1037]
    assert books().weights()[0].tolist() == [0.0, 0.0]


def test_books_that_add_up_pass() -> None:
    check_identities(books(), 1000.0, np.zeros(len(books().sessions)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"equity": np.array([1000.0, 999.0, 1019.1, 1037.0])}, "equity is not cash plus holdings on 2024-01-04"),
        (
            {"cash": np.array([1000.0, 200.0, 199.0, 317.0]), "equity": np.array([1000.0, 1000.0, 1019.0, 1037.0])},
            "cash is not what interest and trades left on 2024-01-03",
        ),
        ({"fills": Fills.of(np.array([[1, 0, -40, 10, 0.0]], dtype=float))}, "on 2024-01-03"),
        ({"equity": np.array([1000.0, np.nan, 1019.0, 1037.0])}, "equity is not a positive number on 2024-01-03"),
    ],
)
def test_books_that_do_not_add_up_are_refused_with_the_day(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        check_identities(books(**changes), 1000.0, np.zeros(len(books().sessions)))


def test_books_without_a_fill_add_up() -> None:
    empty = Books(DAYS, ("A", "B"), PRICES, PRICES, np.full(4, 1000.0), np.full(4, 1000.0), Fills.of(np.zeros((0, 5))))
    check_identities(empty, 1000.0, np.zeros(len(empty.sessions)))
    assert empty.shares().shape == (4, 2)
