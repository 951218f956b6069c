"""Prices as they stood on the tape: the splits that a source has worked into its history taken out again.

A source divides all prices before a split, and dividends, by its ratio: what it gives for a day of 2016 is not what was
paid then, and changes with the next split. Multiplied by the ratios of all later splits it is the tape again, and
knowable on its day. Whole shares and cash dividends are only real on the tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from backtest.data.checks import listed
from backtest.data.faults import FACTOR_TOLERANCE, Floats
from backtest.errors import DataError

SPLIT_PRICES = ("open", "close", "dividends")


def as_traded(frame: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """open, close, dividends and splits of `frame` as they were on each day.

    whole: the source's frame with all its rows: a split after the last row of `frame` is in its prices too. On the day
    of a split prices and dividends are those after it.
    """
    later = pd.Series(_later_splits(whole["splits"].to_numpy(dtype=np.float64)), index=whole.index)
    factor = later.groupby(level=0).last().reindex(frame.index).to_numpy(dtype=np.float64)
    raw = {name: frame[name].to_numpy(dtype=np.float64) * factor for name in SPLIT_PRICES}
    return pd.DataFrame({**raw, "splits": frame["splits"].to_numpy(dtype=np.float64)}, index=frame.index)


def own_adjusted(close: Floats, dividends: Floats) -> Floats:
    """The total-return close made here from closes and dividends (both adjusted for splits), equal at the last row.

    adj_t = close_t * prod_{s > t} (1 - dividend_s / close_{s-1}), Yahoo's rule: a dividend is reinvested at the close
    before its ex-date.
    """
    factor = np.ones(len(close))
    factor[:-1] = np.cumprod((1.0 - dividends[1:] / close[:-1])[::-1])[::-1]
    return close * factor


def check_dividends(frames: Mapping[str, pd.DataFrame], *, start: date) -> None:
    """Raise DataError unless the dividends account for all that lies between close and adjusted close since `start`.

    An account that is paid in cash knows of no other dividend: one that is missing is money that is never there.
    """
    problems = []
    for ticker, frame in frames.items():
        used = frame[frame.index >= pd.Timestamp(start)]
        close, adjusted = (used[name].to_numpy(dtype=np.float64) for name in ("close", "adj_close"))
        paid = used["dividends"].to_numpy(dtype=np.float64)
        step = (adjusted / close)[:-1] / (adjusted / close)[1:]
        off = np.abs(step - (1.0 - paid[1:] / close[:-1])) > FACTOR_TOLERANCE
        if off.any():
            found = f"the dividends do not account for adj_close on {listed(pd.DatetimeIndex(used.index[1:][off]))}"
            remedy = "execution.accounting: raw needs them all; get a file that has them, or use total_return"
            problems.append(f"{ticker}: {found}; {remedy}")
    if problems:
        raise DataError(*problems)


def _later_splits(splits: Floats) -> Floats:
    """For each row the product of the ratios of all later splits."""
    ratios = np.where(splits > 0.0, splits, 1.0)
    product = np.ones(len(ratios))
    product[:-1] = np.cumprod(ratios[::-1])[::-1][1:]
    return product
