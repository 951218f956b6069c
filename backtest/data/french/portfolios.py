"""The portfolios that a config can name, by tickers of their own: file and columns, what it is, which fund is near.

They are research portfolios: value-weighted, sorted anew at the end of each June, without fees, costs or spreads. None
can be bought. A fund whose holdings are alike is named beside, and how alike is measured where both are known
(`beside.py`); a portfolio never continues a fund's history nor is continued by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from backtest.errors import DataError

SIX, FACTORS = "6_Portfolios_2x3", "F-F_Research_Data_Factors"

SMALL_COLUMNS = ("small_lobm", "me1_bm2", "small_hibm")
BIG_COLUMNS = ("big_lobm", "me2_bm2", "big_hibm")


class Portfolio(NamedTuple):
    """file: of the library; columns: their mean is the return; is: in words; fund: the ticker of the nearest one."""

    file: str
    columns: tuple[str, ...]
    is_: str
    fund: str = ""


def _six(columns: tuple[str, ...], is_: str, fund: str = "") -> Portfolio:
    return Portfolio(SIX, columns, is_, fund)


PORTFOLIOS: dict[str, Portfolio] = {
    "SMALL": _six(SMALL_COLUMNS, "small companies, the mean of three (the long side of SMB)", "IWM"),
    "BIG": _six(BIG_COLUMNS, "large companies, the mean of three (the short side of SMB)", "SPY"),
    "SMALL-GROWTH": _six(SMALL_COLUMNS[:1], "small growth companies", "IWO"),
    "SMALL-CORE": _six(SMALL_COLUMNS[1:2], "small companies between growth and value"),
    "SMALL-VALUE": _six(SMALL_COLUMNS[2:], "small value companies", "IWN"),
    "BIG-GROWTH": _six(BIG_COLUMNS[:1], "large growth companies", "IVW"),
    "BIG-CORE": _six(BIG_COLUMNS[1:2], "large companies between growth and value"),
    "BIG-VALUE": _six(BIG_COLUMNS[2:], "large value companies", "IVE"),
    "VALUE": _six(("small_hibm", "big_hibm"), "value companies, small and large (the long side of HML)"),
    "GROWTH": _six(("small_lobm", "big_lobm"), "growth companies, small and large (the short side of HML)"),
    "MARKET": Portfolio(FACTORS, ("mkt-rf", "rf"), "all companies by their value", "SPY"),
}

INDUSTRIES = {
    10: "nodur durbl manuf enrgy hitec telcm shops hlth utils other",
    12: "nodur durbl manuf enrgy chems buseq telcm utils shops hlth money other",
}
_WORDS = {
    "nodur": "food, clothes and other consumer goods that do not last", "durbl": "cars and other durable goods",
    "manuf": "manufacturing", "enrgy": "oil, gas and coal", "hitec": "computers, software and electronics",
    "telcm": "telephone and television", "shops": "shops", "hlth": "health care", "utils": "utilities",
    "chems": "chemicals", "buseq": "computers, software and electronics", "money": "banks and other finance",
    "other": "all other industries",
}  # fmt: skip
PORTFOLIOS |= {
    f"IND{count}-{name.upper()}": Portfolio(f"{count}_Industry_Portfolios", (name,), f"{_WORDS[name]} (of {count})")
    for count, names in INDUSTRIES.items()
    for name in names.split()
}


def returns_of(ticker: str, table: pd.DataFrame) -> pd.Series:
    """Monthly (daily) returns of a portfolio as fractions, from the table of its file; NaN before its first."""
    portfolio = PORTFOLIOS[ticker]
    missing = [name for name in portfolio.columns if name not in table]
    if missing:
        raise DataError(f"Ken French {portfolio.file}: has no column {', '.join(missing)} for {ticker}; "
                        f"it has {', '.join(map(str, table.columns))}")  # fmt: skip
    parts = [table[name].to_numpy(dtype=np.float64) for name in portfolio.columns]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    mean = total if portfolio.file == FACTORS else total / len(parts)
    return pd.Series(mean / 100.0, index=table.index, name=ticker)
