"""How many shares: against a search by halves, and against exact fractions where amounts come out even."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtest.account.sizing import DUST, RESERVE, affordable, trade_sizes, value_net_of_costs

few = settings(max_examples=200, deadline=None, derandomize=True)


def value_by_halves(worth: float, held: Any, weights: Any, rate: float) -> float:
    """The V' with V' + rate * sum |w V' - held| = worth, closed in upon from both sides."""
    low, high = 0.0, worth
    while low < (middle := (low + high) / 2) < high:
        if middle + rate * np.abs(weights * middle - held).sum() > worth:
            high = middle
        else:
            low = middle
    return low


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[float], list[float], list[float], float, float]:
    """Shares, opens, weights, cash and cost; half of them near their target already, where the signs are in doubt."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tickers = draw(st.integers(1, 6))
    weights = rng.dirichlet(np.ones(tickers)) * draw(st.sampled_from([0.0, 0.5, 1.0]))
    near = draw(st.sampled_from([0.001, 0.01, 3.0]))
    held = 1e5 * weights * np.exp(rng.normal(0, near, tickers)) * (rng.random(tickers) < 0.8)
    opens = rng.uniform(5, 500, tickers)
    rate = draw(st.sampled_from([0.0, 0.0005, 0.005, 0.05, 0.5]))
    cash = draw(st.sampled_from([0.0, 1.0, 1e4]))
    return (held / opens).tolist(), opens.tolist(), weights.tolist(), cash, rate


@given(accounts())
@few
def test_the_value_net_of_costs_is_that_of_a_search(account: Any) -> None:
    shares, opens, weights, cash, rate = account
    held = np.array(shares) * opens
    worth = cash + held.sum()
    expected = value_by_halves(worth, held, np.array(weights), rate)
    assert value_net_of_costs(worth, shares, opens, weights, rate) == pytest.approx(expected, rel=1e-14, abs=1e-300)


def test_the_sign_of_a_trade_may_turn_when_costs_are_paid() -> None:
    """Half and half of 200, 100 held of A: at worth 200 A is at its target, and after the costs above it."""
    value = value_net_of_costs(200.0, [1.0, 0.0], [100.0, 1.0], [0.5, 0.5], 0.1)
    # A is sold down to V'/2: V' = 200 - 0.1 (100 - V'/2) - 0.1 V'/2, so V' = 190.
    assert value == pytest.approx(190.0, rel=1e-15)


@given(accounts())
@few
def test_after_the_trades_the_weights_are_the_targets(account: Any) -> None:
    shares, opens, weights, cash, rate = account
    sizes = [0.0] * len(shares)
    if not trade_sizes(cash, shares, shares, opens, weights, rate, False, sizes):
        return
    spent = sum(s * p + rate * abs(s) * p for s, p in zip(sizes, opens, strict=True))
    value = cash - spent + sum((h + s) * p for h, s, p in zip(shares, sizes, opens, strict=True))
    for held, size, price, weight in zip(shares, sizes, opens, weights, strict=True):
        assert (held + size) * price == pytest.approx(weight * value, rel=1e-8, abs=3 * DUST * max(value, 1.0))


def sizes_of(cash: float, shares: list[float], opens: list[float], weights: list[float], **given: Any) -> list[float]:
    sizes = [0.0] * len(shares)
    rate, whole = given.get("rate", 0.0), given.get("whole", False)
    is_real = trade_sizes(cash, shares, given.get("basis", shares), opens, weights, rate, whole, sizes)
    return sizes if is_real else [0.0] * len(shares)


def test_everything_but_the_reserve_is_spent() -> None:
    assert sizes_of(1000.0, [0.0], [10.0], [1.0]) == [1000 * (1 - RESERVE) / 10]


def test_a_ticker_without_weight_is_sold_to_the_last_fraction() -> None:
    assert sizes_of(0.0, [0.1 + 0.2, 0.0], [7.0, 3.0], [0.0, 1.0])[0] == -(0.1 + 0.2)


def test_differences_of_dust_are_not_traded() -> None:
    held, price = [500.0, 500.0], [100.0, 100.0]
    assert sizes_of(0.0, held, price, [0.5 - 0.8e-9, 0.5 + 0.8e-9]) == [0.0, 0.0]
    assert all(sizes_of(0.0, held, price, [0.5 - 1.2e-9, 0.5 + 1.2e-9]))


def test_a_sale_of_dust_is_kept_where_it_funds_a_purchase() -> None:
    """Two sales below the dust pay for a purchase above it; without them it would overdraw the cash."""
    sizes = sizes_of(0.0, [500.0, 500.0, 0.0], [100.0] * 3, [0.5 - 0.9e-9, 0.5 - 0.9e-9, 1.8e-9])
    assert sizes[0] < 0.0
    assert sizes[1] < 0.0
    assert sizes[2] > 0.0
    assert affordable(0.0, [500.0, 500.0, 0.0], [100.0] * 3, [100.0] * 3, 0.0, sizes)


def test_a_purchase_of_dust_is_left_out() -> None:
    sizes = sizes_of(0.0, [900.0, 100.0, 0.0], [100.0] * 3, [0.4, 0.6 - 0.5e-9, 0.5e-9])
    assert sizes[0] < 0.0
    assert sizes[1] > 0.0
    assert sizes[2] == 0.0


PRICES = (0.07, 0.1, 0.3, 0.7, 1.1, 3.3, 7.7, 10.0, 33.3, 70.0, 110.0)


@example(1000, [1.1], 10)
@given(
    st.integers(1, 10**7),
    st.lists(st.sampled_from(PRICES), min_size=1, max_size=3),
    st.sampled_from([1, 2, 3, 4, 7, 10]),
)
@few
def test_whole_shares_of_an_even_amount_are_not_lost_to_rounding(count: int, prices: list[float], parts: int) -> None:
    """Cash for exactly `count` shares at an equal weight: as many are bought, or one less for want of the last cent."""
    weight = 1.0 / max(parts, len(prices))
    cash = count * prices[0] / weight
    sizes = sizes_of(cash, [0.0] * len(prices), prices, [weight] * len(prices), whole=True)
    exact = [floor(Fraction(weight) * Fraction(cash) / Fraction(p) * (1 + Fraction(1, 10**12))) for p in prices]
    assert all(size in (wanted, wanted - 1) for size, wanted in zip(sizes, exact, strict=True))
    assert affordable(cash, [0.0] * len(prices), [0.0] * len(prices), prices, 0.0, sizes)
    if len(prices) == 1 and parts == 1 and Fraction(count) * Fraction(prices[0]) <= Fraction(cash):
        assert sizes == [count]


def test_a_thousand_shares_are_a_thousand_and_not_999() -> None:
    """A tenth of 11,000 at 1.10: in binary it comes out below 1000."""
    assert 0.1 * 11_000 / 1.1 < 1000
    assert sizes_of(11_000.0, [0.0], [1.1], [0.1], whole=True) == [1000.0]


def test_a_share_too_many_is_given_back_by_the_last_purchase() -> None:
    """A cent short of ten shares, within the snap: nine are bought."""
    cash = np.nextafter(100.0, 0.0)
    assert sizes_of(cash, [0.0], [10.0], [1.0], whole=True) == [9.0]
    assert sizes_of(100.0, [0.0], [10.0], [1.0], whole=True) == [10.0]
    two = sizes_of(np.nextafter(200.0, 0.0), [0.0, 0.0], [10.0, 20.0], [0.5, 0.5], whole=True)
    assert two == [10.0, 4.0]


def test_what_is_affordable_is_so_in_both_of_the_brokers_checks() -> None:
    """Sold at a third of what it cost: on paper it yields the open, in the books cost basis plus loss."""
    assert affordable(0.0, [10.0, 0.0], [30.0, 0.0], [10.0, 5.0], 0.0, [-10.0, 20.0])
    assert not affordable(0.0, [10.0, 0.0], [30.0, 0.0], [10.0, 5.0], 0.0, [-10.0, 20.0 + 1e-13])
    assert not affordable(0.0, [10.0, 0.0], [30.0, 0.0], [10.0, 5.0], 0.001, [-10.0, 20.0])
    assert affordable(0.0, [10.0, 0.0], [30.0, 0.0], [10.0, 5.0], 0.001, [-10.0, 20.0 * 0.999 / 1.001 - 1e-12])


@given(accounts(), st.booleans())
@few
def test_what_is_asked_for_is_affordable(account: Any, whole: bool) -> None:
    shares, opens, weights, cash, rate = account
    shares = [float(floor(s)) for s in shares] if whole else shares
    basis = [p * 3 for p in opens]
    sizes = [0.0] * len(shares)
    if trade_sizes(cash, shares, basis, opens, weights, rate, whole, sizes):
        assert affordable(cash, shares, basis, opens, rate, sizes)
        assert all(held + size >= 0.0 for held, size in zip(shares, sizes, strict=True))


def test_a_batch_is_affordable_only_when_both_of_backtraders_sums_are_not_below_zero() -> None:
    """A sale counts as q * open on submission and as basis plus profit at the fill; either may be the smaller."""
    rng, smaller = np.random.default_rng(7), set()
    for _ in range(200):
        q, price, basis = rng.uniform(1, 100), rng.uniform(5, 500), rng.uniform(5, 500)
        paper, real = q * price, q * basis + q * (price - basis)
        if paper == real:
            continue
        smaller.add("paper" if paper < real else "real")
        shares, bases, opens, sizes = [q, 0.0], [basis, 0.0], [price, max(paper, real)], [-q, 1.0]
        assert not affordable(0.0, shares, bases, opens, 0.0, sizes)
        assert affordable(0.0, shares, bases, [price, min(paper, real)], 0.0, sizes)
    assert smaller == {"paper", "real"}


def test_both_sums_of_the_cash_check_pay_the_costs_of_sales_and_purchases() -> None:
    """At the edge of what can be paid, where rounding alone decides and the two sums disagree."""
    rng, seen = np.random.default_rng(8), set()
    for _ in range(400):
        q, price, basis, rate = rng.uniform(1, 100), rng.uniform(5, 500), rng.uniform(5, 500), rng.uniform(0.001, 0.05)
        cost = q * rate * price
        paper, real = 0.0 + q * price - cost, 0.0 + (q * basis + q * (price - basis)) - cost
        other = paper / (1 + rate)
        for _ in range(4):
            lefts = [left - other - rate * other for left in (paper, real)]
            seen.add((lefts[0] < 0, lefts[1] < 0))
            is_enough = affordable(0.0, [q, 0.0], [basis, 0.0], [price, other], rate, [-q, 1.0])
            assert is_enough == (min(lefts) >= 0)
            other = np.nextafter(other, np.inf)
    assert len(seen) == 4
