"""The lead of small over growth."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import PAIR, hand_market, rotation_market

from backtest.market import Legs
from backtest.signals import leg_return, relative_return

NAN = float("nan")


def test_a_return_over_two_sessions() -> None:
    market = hand_market("2024-09-16", G=[100.0, 110.0, 125.0, 55.0], S=[40.0] * 4)
    assert np.array_equal(leg_return(market, PAIR["growth"], 2), [NAN, NAN, 0.25, -0.5], equal_nan=True)
    assert np.array_equal(leg_return(market, PAIR["growth"], 1)[2:], [125 / 110 - 1, 55 / 125 - 1])


def test_a_leg_is_a_basket_bought_at_the_beginning_and_held() -> None:
    market = hand_market("2024-09-16", G=[100.0, 150.0], S=[40.0, 30.0])
    assert leg_return(market, {"G": 0.25, "S": 0.75}, 1)[1] == 0.25 * 0.5 + 0.75 * -0.25


def test_a_lead_is_small_less_growth() -> None:
    market = hand_market("2024-09-16", G=[100.0, 125.0, 62.5], S=[40.0, 60.0, 60.0])
    assert np.array_equal(relative_return(market, PAIR["small"], PAIR["growth"], 1), [NAN, 0.25, 0.5], equal_nan=True)


def test_nothing_is_known_before_the_lookback_is_full() -> None:
    market = hand_market("2024-09-16", G=[100.0] * 5, S=[40.0] * 5)
    assert np.isnan(relative_return(market, PAIR["small"], PAIR["growth"], 5)).all()
    assert np.isnan(relative_return(market, PAIR["small"], PAIR["growth"], 500)).all()
    assert np.isnan(relative_return(market, PAIR["small"], PAIR["growth"], 4)).sum() == 4


def test_a_ticker_that_begins_later_leaves_the_leg_unknown_until_its_own_lookback_is_full() -> None:
    market = hand_market("2024-09-16", G=[NAN, NAN, 100.0, 110.0, 121.0], S=[40.0] * 5)
    assert np.isnan(relative_return(market, PAIR["small"], PAIR["growth"], 1)).tolist() == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("lookback", [1, 5, 63])
def test_a_return_is_that_of_pandas(lookback: int) -> None:
    market, legs = rotation_market(11, sessions=200), Legs()
    change = market.close.pct_change(lookback)
    expected = change[["IWM", "IWN"]].mean(axis=1, skipna=False) - change[["QQQ", "IVW"]].mean(axis=1, skipna=False)
    assert relative_return(market, legs["small"], legs["growth"], lookback) == pytest.approx(
        expected.to_numpy(), abs=1e-14, nan_ok=True
    )
