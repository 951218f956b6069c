from __future__ import annotations

import numpy as np
import pandas as pd
from made_up_prices import clean_frame

from backtest.data.update import difference, extended


def rescaled_by_dividend(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(adj_close=frame["adj_close"] * 0.9931)


def after_split(frame: pd.DataFrame) -> pd.DataFrame:
    columns = ["open", "high", "low", "close", "adj_close", "dividends"]
    return frame.assign(**{name: frame[name] / 4.0 for name in columns})


def test_levels_may_change_and_returns_may_not() -> None:
    frame = clean_frame()
    for other in (frame, rescaled_by_dividend(frame), after_split(frame), frame * (1 + 1e-9)):
        assert not difference(frame, other).is_another_past
    other = frame.copy()
    other.loc[other.index[300], ["close", "adj_close"]] *= 1.0001
    found = difference(frame, other)
    assert list(found.changed) == list(frame.index[[300, 301]])
    assert found.largest == np.float64(found.largest)
    assert 0.99e-4 < found.largest < 1.1e-4


def test_rounding_of_a_return_to_the_sixth_digit_is_none() -> None:
    frame = clean_frame()
    assert not difference(frame, frame.round({"close": 6, "adj_close": 6})).is_another_past


def test_a_dividend_that_was_not_there_is_another_past() -> None:
    frame = clean_frame()
    other = frame.copy()
    other.loc[other.index[300], "dividends"] = 0.5
    assert list(difference(frame, other).changed) == [frame.index[300]]


def test_what_is_new_and_what_is_gone_is_counted() -> None:
    frame = clean_frame()
    found = difference(frame.iloc[:-3], frame.iloc[2:])
    assert len(found.added) == 3
    assert len(found.removed) == 2
    assert found.words() == (
        f"history lost 2 days ({frame.index[0]:%Y-%m-%d} to {frame.index[1]:%Y-%m-%d}); extended by 3, to 2024-12-31"
    )


def test_a_tail_is_put_behind_only_when_it_says_the_same_of_the_days_of_both() -> None:
    frame = clean_frame()
    old, tail = frame.iloc[:-3], frame.iloc[-25:]
    pd.testing.assert_frame_equal(extended(old, tail), frame, check_freq=False)  # type: ignore[arg-type]
    assert extended(old, rescaled_by_dividend(tail)) is None
    assert extended(old, after_split(tail)) is None
    assert extended(old, tail.iloc[::-1]) is None
    assert extended(old, tail.iloc[-3:]) is None
    assert extended(old, tail.drop(tail.index[5])) is None
    late_volume = tail.assign(volume=tail["volume"] * 1.01)
    assert extended(old, late_volume) is not None


def test_rates_are_compared_by_value() -> None:
    days = pd.bdate_range("2024-01-01", periods=5)
    one = pd.DataFrame({"value": [5.2, 5.2, np.nan, 5.1, 5.0]}, days)
    other = one.copy()
    assert not difference(one, other).is_another_past
    other.iloc[3, 0] = 5.11
    assert list(difference(one, other).changed) == [days[3]]
