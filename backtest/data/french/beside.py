"""A portfolio beside the fund that is nearest to it, over the months that both have: how alike they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from backtest.data.csv_folder import CsvFolder, files_in
from backtest.data.french.portfolios import PORTFOLIOS
from backtest.text import number, percent, points
from backtest.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from pathlib import Path


class Likeness(NamedTuple):
    """How a portfolio moved beside a fund in the months both have; fractions a year, but for the first two.

    drift: the portfolio's compound growth less the fund's.
    """

    correlation: float
    beta: float
    tracking_error: float
    drift: float
    months: int
    first: str
    last: str


FEWEST_MONTHS = 24


def likeness(portfolio: pd.Series, fund: pd.Series) -> Likeness | None:
    """Of returns by month, as fractions; None with fewer than 24 in common. beta: the fund's on the portfolio."""
    both = pd.concat([portfolio, fund], axis=1, keys=["portfolio", "fund"]).dropna()
    if len(both) < FEWEST_MONTHS:
        return None
    paper, real = (both[name].to_numpy(dtype=np.float64) for name in ("portfolio", "fund"))
    covariance = np.cov(paper, real, ddof=1)
    growth = [float(np.prod(1.0 + each)) ** (MONTHS_PER_YEAR / len(both)) for each in (paper, real)]
    first, last = (f"{both.index[place]:%Y-%m}" for place in (0, -1))
    return Likeness(
        correlation=float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])),
        beta=float(covariance[0, 1] / covariance[0, 0]),
        tracking_error=float(np.std(real - paper, ddof=1) * np.sqrt(MONTHS_PER_YEAR)),
        drift=growth[0] - growth[1],
        months=len(both),
        first=first,
        last=last,
    )


def monthly_returns(closes: pd.Series) -> pd.Series:
    """Returns of whole months, by month, from closes by day: each month's last close over that of the month before."""
    last = closes.groupby(pd.DatetimeIndex(closes.index).to_period("M")).last()
    found = last.pct_change(fill_method=None)
    return found.iloc[1:]


def beside_funds(frames: Mapping[str, pd.DataFrame], folder: Path | None) -> Iterator[str]:
    """A sentence for each portfolio: what it is, the nearest fund, and how alike the two were where both are known.

    frames: prices by ticker. folder: of the funds' prices, one file for each; None: nothing is measured.
    """
    for ticker, frame in frames.items():
        portfolio = PORTFOLIOS[ticker]
        told = f"{ticker}: {portfolio.is_}"
        if not portfolio.fund:
            yield f"{told}; no fund is near."
            continue
        found = None if folder is None else _measured(frame["close"], portfolio.fund, folder)
        if found is None:
            why = "data.cross_check: {folder: ...} of its prices says how near" if folder is None else "not compared"
            yield f"{told}; the nearest fund is {portfolio.fund} ({why})."
            continue
        yield (
            f"{told}; beside {portfolio.fund} over {found.months} months ({found.first} to {found.last}): correlation "
            f"{number(found.correlation, 3)}, beta {number(found.beta, 3)}, tracking error "
            f"{percent(found.tracking_error, 2)} a year, drift {points(found.drift, 2)} a year."
        )


def _measured(closes: pd.Series, fund: str, folder: Path) -> Likeness | None:
    if f"{fund}.csv" not in files_in(folder):
        return None
    prices = CsvFolder(folder).prices([fund])[fund].values
    whole = prices["adj_close"].sort_index()
    return likeness(monthly_returns(closes), monthly_returns(_whole_months(whole)))


def _whole_months(closes: pd.Series) -> pd.Series:
    """Without the last month when its last days are missing; the first is used as a base alone."""
    last = pd.DatetimeIndex(closes.index)[-1]
    is_whole = not np.busday_count((last + pd.Timedelta(days=1)).date(), (last + pd.offsets.MonthEnd(0)).date()) > 2
    return closes if is_whole else closes[closes.index < last.replace(day=1)]
