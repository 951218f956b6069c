"""A futures price that stands still for weeks without a trade is a placeholder, and determines no meeting."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.data.calendar import range_around, session_closes, sessions_around
from backtest.data.macro import STILL, Observed, read_futures, stood_still
from backtest.data.macro_source import with_sessions
from backtest.now.fedwatch import fedwatch_table

DAYS = pd.bdate_range("2001-08-01", periods=STILL + 5)


def test_a_price_that_repeats_without_a_trade_is_none_from_the_tenth_time_on_until_it_moves() -> None:
    count = STILL + 4
    day = np.tile(DAYS[:count].to_numpy().astype("datetime64[D]"), 2)
    contract = np.repeat(np.array(["2001-10", "2001-11"], dtype="datetime64[M]"), count)
    price, volume = np.full(2 * count, 93.425), np.zeros(2 * count)
    price[count - 1] = 97.0
    volume[count + 3] = 5.0
    found = stood_still(day, contract, price, volume)
    assert np.flatnonzero(found).tolist() == [STILL, STILL + 1, STILL + 2, count + 3 + STILL]
    shuffled = np.random.default_rng(1).permutation(2 * count)
    again = stood_still(day[shuffled], contract[shuffled], price[shuffled], volume[shuffled])
    assert (again == found[shuffled]).all()


def test_a_meeting_beside_prices_that_stand_still_is_not_determined_and_says_why() -> None:
    lines = ["date,contract_month,close,volume"]
    for nth, day in enumerate(DAYS):
        lines += [f"{day:%Y-%m-%d},2001-0{month},{96.0 + 0.01 * nth},10" for month in (8, 9)]
        lines += [f"{day:%Y-%m-%d},2001-{month},93.425,0" for month in (10, 11)]
    observed = Observed(*read_futures("\n".join(lines).encode(), "zq.csv")[:3], 7, "zq.csv", "")
    span = (DAYS[0], DAYS[-1])
    futures = with_sessions(observed, sessions_around(*span), session_closes(*range_around(*span)))
    meeting = pd.Timestamp("2001-10-02")
    odds = fedwatch_table(futures, pd.DatetimeIndex([meeting]), (3.25, 3.5), DAYS[-1], "before").meetings[meeting]
    assert odds.reason == "the price of ZQV01, ZQX01 has stood still for weeks without a trade"
    assert np.isnan(odds.cut)
