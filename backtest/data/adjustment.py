"""Which prices a file has: as traded, adjusted for splits, or for dividends too; and each made from what there is.

Where it stands: layouts -> ADJUSTMENT -> csv_folder; and at the end of assembling, where `as_traded` gives the tape.
A source divides all prices before a split, and dividends, by its ratio: what it gives for a day of 2016 is not what was
paid then, and changes with the next split. Multiplied by the ratios of all later splits it is the tape again, and
knowable on its day. Whole shares and cash dividends are only real on the tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from backtest.data.checks import FACTOR_TOLERANCE, listed
from backtest.data.layouts import Stated
from backtest.data.sources import PRICE_COLUMNS
from backtest.errors import DataError
from backtest.series import Floats

SPLIT_PRICES = ("open", "close", "dividends")

SPLIT_COLUMNS = ("open", "high", "low", "close", "dividends")

MEANINGS = ("total_return (splits and dividends are worked into all prices), splits_only (splits alone, as in Yahoo's "
            "Close) or tape (as traded)")  # fmt: skip


class Prices(NamedTuple):
    """values: `PRICE_COLUMNS`; is_total_return: its raw prices are not known; notes: what a reader must be told."""

    values: pd.DataFrame
    is_total_return: bool
    notes: tuple[str, ...]


def completed(found: pd.DataFrame, where: str, layout: str, stated: Stated, *, is_adjusted: bool = False) -> Prices:
    """All columns of a ticker, from those that its file has (`close` or `adj_close` at least), by day.

    is_adjusted: what the layout itself says of its prices without an adjusted close. Raises DataError when nothing
    says whether the prices include dividends: it changes every figure.
    """
    notes: list[str] = []
    table = {str(name): found[name].to_numpy(dtype=np.float64) for name in found.columns if name in PRICE_COLUMNS}
    has_both = "close" in table and "adj_close" in table
    adjusted = None if has_both else "total_return" if is_adjusted or "adj_close" in table else stated.adjusted
    if adjusted is None and not has_both:
        raise DataError(f"{where}: has a close and no adjusted one ({layout}), and whether dividends are in it changes "
                        f"every figure; say data.prices.adjusted: {MEANINGS}")  # fmt: skip
    close = table.setdefault("close", table.get("adj_close", np.empty(0)))
    if "open" not in table:
        notes.append("has closes alone: its opens are taken to be the closes, so that a fill at the open of a session "
                     "is one at its close")  # fmt: skip
    for name in ("open", "high", "low"):
        table.setdefault(name, close)
    table.setdefault("volume", np.full(len(close), np.nan))
    for name in ("dividends", "splits"):
        table[name] = np.nan_to_num(table.get(name, np.zeros(len(close))), nan=0.0, posinf=np.inf, neginf=-np.inf)
    table["splits"] = np.where(table["splits"] == 1.0, 0.0, table["splits"])
    has_dividends = "dividends" in found.columns
    if adjusted == "total_return":
        table["adj_close"], table["dividends"], table["splits"] = close, 0 * close, 0 * close
        notes.append("has prices that include dividends; what was paid on the day is not known, so that raw_price in "
                     "trades.csv is the adjusted one")  # fmt: skip
    elif _is_tape(table, where, adjusted):
        later = _later_splits(table["splits"])
        table |= {name: table[name] / later for name in SPLIT_COLUMNS}
        if has_both:
            notes.append("its prices are those of the tape; they were divided by the splits after them")
    if adjusted in ("splits_only", "tape"):
        table["adj_close"] = own_adjusted(table["close"], table["dividends"])
        if not has_dividends:
            notes.append("has no dividends: its total return is that of the price alone")
    values = pd.DataFrame({name: table[name] for name in PRICE_COLUMNS}, index=found.index)
    return Prices(values, adjusted == "total_return", tuple(notes))


def _is_tape(table: Mapping[str, Floats], where: str, adjusted: str | None) -> bool:
    """Whether the closes are those of the tape: stated, or seen at the splits, where close / adj_close steps or not."""
    if adjusted is not None:
        return adjusted == "tape"
    rows = np.flatnonzero((table["splits"] > 0) & (np.arange(len(table["splits"])) > 0))
    if not len(rows):
        return False
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.log(table["close"] / table["adj_close"])
        step = factor[rows] - factor[rows - 1]
        is_tape = np.abs(step + np.log(table["splits"][rows])) < np.abs(step)
    if is_tape.any() and not is_tape.all():
        raise DataError(f"{where}: some of its splits are worked into close and some are not; get the prices again")
    return bool(is_tape.all())


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
