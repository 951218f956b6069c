"""Figures of a tear sheet beside the metrics: rolling ones, the distribution of returns, trailing periods, positions.

Pure functions of arrays. Rolling figures are of the last so many returns, NaN before; ddof is 1 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Floats

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TRAILING_YEARS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Rolling:
    """Figures of the last so many sessions at each row of the curve, shape (sessions,), NaN while not known."""

    sharpe: Floats
    volatility: Floats
    beta: Floats
    correlation: Floats


def rolling(own: Floats, other: Floats | None, cash: Floats, window: int, periods_per_year: int) -> Rolling:
    """Of returns, shape (sessions - 1,); other: the benchmark's, None without one; cash: T-bills' or zeros.

    Sharpe: mean excess return over its deviation, times the root of the periods in a year. Beta: of excess returns.
    """
    excess = pd.Series(own - cash)
    moving = excess.rolling(window)
    root = periods_per_year**0.5
    deviation = moving.std().to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        sharpe = np.where(deviation > 0, moving.mean().to_numpy() / deviation * root, np.nan)
    beta = correlation = np.full(len(own), np.nan)
    if other is not None:
        against = pd.Series(other - cash)
        covariance, variance = moving.cov(against).to_numpy(), against.rolling(window).var().to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            beta = np.where(variance > 0, covariance / variance, np.nan)
            spread = deviation * np.sqrt(variance)
            correlation = np.where(spread > 0, covariance / spread, np.nan)
    volatility = pd.Series(own).rolling(window).std().to_numpy() * root
    return Rolling(*(np.append(np.nan, each) for each in (sharpe, volatility, beta, correlation)))


def skewness(returns: Floats) -> float | None:
    """Third standardised moment, corrected for the size of the sample; None where it is not defined."""
    return _known(pd.Series(returns).skew() if len(returns) > 2 and np.ptp(returns) > 0 else math.nan)


def excess_kurtosis(returns: Floats) -> float | None:
    """Fourth standardised moment minus 3, likewise corrected: 0 of a normal distribution."""
    return _known(pd.Series(returns).kurt() if len(returns) > 3 and np.ptp(returns) > 0 else math.nan)


def _known(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def trailing(equity: Floats, days: npt.NDArray[np.datetime64]) -> list[tuple[str, float, bool]]:
    """(period, return, is it a year's rate): month, quarter and year to date, then the last years and since the start.

    Years are calendar years back from the last session, at the last close on or before that day; above one year the
    return is a compound rate a year of 365.25 days. A period that begins before the curve is left out.
    """
    last = days[-1].astype("datetime64[D]")
    month = last.astype("datetime64[M]")
    quarter = month - int(month.astype(int)) % 3
    ends = [("Month to date", month), ("Quarter to date", quarter), ("Year to date", last.astype("datetime64[Y]"))]
    rows: list[tuple[str, float, bool]] = []
    for name, begin in ends:
        before = int(np.searchsorted(days, begin.astype("datetime64[D]"))) - 1
        if before >= 0:
            rows.append((name, float(equity[-1] / equity[before] - 1), False))
    for years in TRAILING_YEARS:
        begin = np.datetime64(pd.Timestamp(last) - pd.DateOffset(years=years), "D")
        before = int(np.searchsorted(days, begin, side="right")) - 1
        if before >= 0:
            rows.append((f"{years} year{'s' if years > 1 else ''}", _rate(equity, days, before), years > 1))
    whole = (last - days[0].astype("datetime64[D]")).astype(int) / 365.25
    rows.append(("Since the start", _rate(equity, days, 0), whole > 1))
    return rows


def _rate(equity: Floats, days: npt.NDArray[np.datetime64], row: int) -> float:
    total = float(equity[-1] / equity[row])
    years = (days[-1] - days[row]).astype("timedelta64[D]").astype(int) / 365.25
    return total ** (1 / years) - 1 if years > 1 + 2 / 365.25 else total - 1


@dataclass(frozen=True, slots=True)
class Positions:
    """What holding periods earned. profit_factor: sum of gains over sum of losses, None without a loss."""

    count: int
    win_rate: float
    profit_factor: float | None
    best: float
    worst: float
    median_sessions: float


def positions(earned: Sequence[float], sessions: Sequence[int]) -> Positions | None:
    """Of the return and the length of each holding period; None without any."""
    if not earned:
        return None
    gains, losses = sum(e for e in earned if e > 0), -sum(e for e in earned if e < 0)
    won = sum(e > 0 for e in earned) / len(earned)
    factor = gains / losses if losses > 0 else None
    return Positions(len(earned), won, factor, max(earned), min(earned), float(np.median(sessions)))
