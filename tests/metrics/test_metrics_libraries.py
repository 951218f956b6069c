"""The same figures from empyrical-reloaded and ffn, wherever they mean the same.

Not compared, because they mean something else: empyrical's CAGR and Calmar (sessions / 252 years), its alpha
(compounded; undone here), its captures (annualised subsets), its excess_sharpe (not annualised; scaled here); ffn's
Ulcer index (percent, base row counted; rescaled here). Neither has hit rate over non-zero sessions, drawdown in
sessions, tracking error, or anything of the books.
"""

from __future__ import annotations

import math
import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from backtest.metrics import calendar_of, metrics

SESSIONS = pd.bdate_range("2003-12-31", "2023-12-29")


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    steps = np.random.default_rng(11).multivariate_normal(
        [5e-4, 4e-4], [[1.4e-4, 0.9e-4], [0.9e-4, 1.2e-4]], len(SESSIONS)
    )
    steps[0] = 0
    return pd.DataFrame(1e5 * np.cumprod(1 + steps, axis=0), SESSIONS, ["own", "benchmark"])


@pytest.fixture(scope="module")
def tbill() -> pd.Series:
    return pd.Series(np.linspace(0, 2e-4, len(SESSIONS)), SESSIONS)


@pytest.fixture(scope="module")
def measured(prices: pd.DataFrame, tbill: pd.Series) -> dict[str, float]:
    calendar = calendar_of(SESSIONS)
    values, undefined = metrics(prices.own, calendar=calendar, tbill_returns=tbill, benchmark=prices.benchmark)
    assert {"turnover_annual", "rebalances", "trades", "costs_usd"} == set(undefined)
    return values


def load(name: str) -> ModuleType:
    """Both libraries warn when imported under a newer pandas; that is theirs to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def test_empyrical_agrees(prices: pd.DataFrame, tbill: pd.Series, measured: dict[str, float]) -> None:
    empyrical = load("empyrical")
    returns = prices.pct_change().iloc[1:]
    own, benchmark, rf = returns.own, returns.benchmark, tbill.iloc[1:]
    active, year = own - benchmark, math.sqrt(252)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {
            "total_return": empyrical.cum_returns_final(own),
            "volatility": empyrical.annual_volatility(own),
            "sharpe": empyrical.sharpe_ratio(own - rf),
            "sortino": empyrical.sortino_ratio(own - rf),
            "max_drawdown": empyrical.max_drawdown(own),
            "cvar_95": empyrical.conditional_value_at_risk(own, 0.05),
            "beta": empyrical.beta(own - rf, benchmark - rf),
            "alpha": 252 * ((1 + empyrical.alpha(own - rf, benchmark - rf)) ** (1 / 252) - 1),
            "tracking_error": empyrical.annual_volatility(active),
            "information_ratio": empyrical.excess_sharpe(own, benchmark) * year,
            "best_year": empyrical.aggregate_returns(own, "yearly").max(),
            "worst_year": empyrical.aggregate_returns(own, "yearly").min(),
        }
    assert {key: measured[key] for key in theirs} == pytest.approx(theirs, rel=1e-9)


def test_ffn_agrees(prices: pd.DataFrame, tbill: pd.Series, measured: dict[str, float]) -> None:
    ffn = load("ffn")
    own = prices.own
    returns = own.pct_change().iloc[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = ffn.PerformanceStats(own, annualization_factor=252)
        theirs = {
            "total_return": stats.total_return,
            "cagr": stats.cagr,
            "volatility": stats.daily_vol,
            "sharpe": ffn.calc_sharpe(returns, rf=tbill.iloc[1:], nperiods=252),
            "sortino": ffn.calc_sortino_ratio(returns, rf=tbill.iloc[1:], nperiods=252),
            "max_drawdown": stats.max_drawdown,
            "calmar": stats.calmar,
            "ulcer_index": ffn.to_ulcer_index(own) / 100 * math.sqrt(len(own) / len(returns)),
            "best_year": stats.best_year,
            "worst_year": stats.worst_year,
            "information_ratio": ffn.calc_information_ratio(returns, prices.benchmark.pct_change().iloc[1:])
            * math.sqrt(252),
        }
    assert {key: measured[key] for key in theirs} == pytest.approx(theirs, rel=1e-9)
