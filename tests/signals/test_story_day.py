"""The story's days on real data: what each signal said when small caps surged in July 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.account.strategy import StrategyParams
from backtest.config import Config, CsvPrices, DataConfig, ExecutionConfig, MacroConfig, StrategyConfig
from backtest.data import load_market
from backtest.market import Market, Needs
from backtest.signals import implied, measures, scores


class Everything(StrategyParams):
    """Asks for every series and the tickers of the confirmation."""

    @property
    def needs(self) -> Needs:
        return Needs(("KRE", "SPY"), ("zq", "DGS2", "DGS3MO", "DGS10", "EFFR", "cpi", "fedwatch"))


@pytest.fixture(scope="module")
def market(real_data: Path) -> Market:
    data = DataConfig(
        prices=CsvPrices(source="csv", folder=real_data / "prices"),
        start="2001-07-31",  # type: ignore[arg-type]
        end="2026-05-01",  # type: ignore[arg-type]
        macro=MacroConfig(folder=real_data / "macro"),
    )
    strategy = StrategyConfig(name="none", params=Everything())
    costs = ExecutionConfig(commission_bps=1, slippage_bps=4)
    return load_market(Config(name="story", data=data, strategy=strategy, execution=costs))


@pytest.fixture(scope="module")
def on(market: Market) -> Any:
    """A series' value at a close."""
    return lambda values, day: float(values[market.sessions.get_loc(pd.Timestamp(day))])


@pytest.mark.parametrize(("window", "z"), [(756, 3.02), (1260, 2.38), (2520, 2.14), (0, 2.46)])
def test_the_ratio_of_growth_to_small_value(window: int, z: float, market: Market, on: Any) -> None:
    assert on(measures.ratio_score(market, "IVW", "IWN", window), "2024-07-10") == pytest.approx(z, abs=0.005)


def test_yields_minus_the_funds_rate(market: Market, on: Any) -> None:
    funds = measures.observed(market, "EFFR")
    assert on(measures.observed(market, "DGS3MO") - funds, "2024-07-10") == pytest.approx(0.13)
    assert on(measures.observed(market, "DGS2") - funds, "2024-07-10") == pytest.approx(-0.71)
    assert on(measures.observed(market, "DGS2"), "2024-07-11") == 4.62, "the yield of the CPI day is known a day later"
    assert on(measures.observed(market, "DGS2"), "2024-07-12") == 4.50


def test_the_surge_its_run_and_its_confirmation(market: Market, on: Any) -> None:
    small, large = {"IWM": 1.0}, {"QQQ": 1.0}
    scaled = scores.scaled_lead(market, small, large, 5, "session", 63)
    assert on(scaled, "2024-07-16") == pytest.approx(6.09, abs=0.005)
    assert on(scores.ratio_return(market, "KRE", "SPY", 21, "session"), "2024-07-16") == pytest.approx(
        0.159, abs=0.0005
    )
    assert on(measures.run_length(measures.basket_growth(market, small, 1)), "2024-07-16") == 5
    assert on(measures.run_length(measures.lead(market, small, large, 1)), "2024-07-16") == 4


def test_the_cool_print(market: Market, on: Any) -> None:
    news = measures.surprise(market)
    assert on(news.values, "2024-07-11") == pytest.approx(-0.1)
    assert [bool(news.is_new[market.sessions.get_loc(day)]) for day in ("2024-07-10", "2024-07-11", "2024-07-12")] == [
        False, True, False,
    ]  # fmt: skip


def test_the_cut_of_september_went_from_likely_to_certain(market: Market, on: Any) -> None:
    """From ZQU24 and ZQV24: 5.245 and 5.135 % on the eve of the CPI, 5.215 and 5.080 at its close."""
    september = implied.cut_probability(market, np.datetime64("2024-09-18"), alone=True)
    assert on(september, "2024-07-10") == pytest.approx(11 / 15)
    assert on(september, "2024-07-11") == pytest.approx(0.90)
    assert on(september, "2024-07-16") == pytest.approx(1.0)
    certain = market.sessions[implied.first_certain(september)]
    assert str(certain[certain >= "2024-07-10"][0].date()) == "2024-07-12"


def test_ready_made_probabilities_say_what_the_contracts_say(market: Market) -> None:
    """CME's own history for the meeting of May 2025: almost all hold, a month later almost all cuts."""
    may = pd.Series(implied.table_probability(market, np.datetime64("2025-05-07")), market.sessions).dropna()
    assert len(may) > 150
    assert may.between(-1e-9, 1 + 1e-5).all()
    assert may["2025-05-06":"2025-05-07"].max() < 0.05  # type: ignore[misc]


def test_a_bank_ticker_abstains_before_it_exists(market: Market) -> None:
    ratio = pd.Series(scores.ratio_return(market, "KRE", "SPY", 63, "session"), market.sessions)
    assert ratio[:"2006-06-21"].isna().all()  # type: ignore[misc]
    assert ratio["2006-12-01":].notna().all()  # type: ignore[misc]
