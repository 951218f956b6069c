"""30-day federal funds futures, contract by contract, under the names that Yahoo gives them.

Yahoo keeps a contract until it has been delivered and for a while after; older ones come from a folder
(`data.macro`, a file zq_daily.csv). A settlement is 100 less the month's average effective rate in percent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from backtest.data.checks import listed
from backtest.errors import DataError

MONTH_CODES = "FGHJKMNQUVXZ"
CONTRACT = re.compile(rf"ZQ([{MONTH_CODES}])(\d\d)\.CBT")
LOWEST_PRICE, HIGHEST_PRICE = 75.0, 101.0
"""The market's own bounds are 80 (1989: 90) and 100 and a little; outside is a unit or a typing error."""

CENTURY_PIVOT = 88
"""The contract is traded since October 1988: two digits from here on are of the last century."""

LAYOUT = ("date", "contract", "contract_month", "close")
"""The columns of zq_daily.csv."""


def contracts_of(first: pd.Period, last: pd.Period) -> tuple[str, ...]:
    """Yahoo's names of the contracts delivered from month `first` to month `last`: ZQF25.CBT, ZQG25.CBT, ..."""
    months = pd.period_range(first, last, freq="M")
    return tuple(f"ZQ{MONTH_CODES[month.month - 1]}{month.year % 100:02d}.CBT" for month in months)


def is_contract(ticker: str) -> bool:
    """Whether this is a fed funds contract under Yahoo's name."""
    return CONTRACT.fullmatch(ticker) is not None


def delivery_month(ticker: str) -> pd.Period:
    """The month of a contract's delivery; ValueError when it is no contract."""
    match = CONTRACT.fullmatch(ticker)
    if match is None:
        raise ValueError(f"{ticker} is no fed funds contract, expected one such as ZQF25.CBT")
    short = int(match[2])
    year = (1900 if short >= CENTURY_PIVOT else 2000) + short
    return pd.Period(year=year, month=MONTH_CODES.index(match[1]) + 1, freq="M")


def check_futures(ticker: str, frame: pd.DataFrame) -> None:
    """Raise DataError with a line for each fault of a contract's settlements."""
    days, close = pd.DatetimeIndex(frame.index), frame["close"].to_numpy(dtype=np.float64)
    problems = []
    if not (days.is_monotonic_increasing and days.is_unique):
        problems.append(f"{ticker}: dates stand twice or go back; get the prices again or correct them")
    outside = ~((close >= LOWEST_PRICE) & (close <= HIGHEST_PRICE))
    if outside.any():
        problems.append(f"{ticker}: a settlement is missing or not between {LOWEST_PRICE:g} and {HIGHEST_PRICE:g} on "
                        f"{listed(days[outside])}; get the prices again or correct them")  # fmt: skip
    late = days > delivery_month(ticker).end_time
    if late.any():
        problems.append(f"{ticker}: prices after its month of delivery on {listed(days[late])}; it is another one")
    if problems:
        raise DataError(*problems)


def settlements(frames: dict[str, pd.DataFrame], tickers: Sequence[str] | None = None) -> pd.DataFrame:
    """All contracts' settlements in the layout of zq_daily.csv, by day, then by month of delivery."""
    parts = [
        pd.DataFrame({
            "date": frames[ticker].index,
            "contract": ticker.removesuffix(".CBT"),
            "contract_month": str(delivery_month(ticker)),
            "close": frames[ticker]["close"].to_numpy(dtype=np.float64),
        })
        for ticker in (tickers or sorted(frames, key=delivery_month))
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(LAYOUT))
    return table.sort_values(["date", "contract_month"], ignore_index=True)
