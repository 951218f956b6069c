"""Common inputs: other periods are cut, other terms told, other data refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_studies import common_study, config, market, study

from backtest.config import Config, load_config
from backtest.data import load_market
from backtest.errors import ConfigError
from backtest.pipeline import run
from backtest.study.compare import compare
from backtest.study.inputs import common_inputs
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[2] / "configs"


def test_other_periods_are_cut_to_the_common_one_and_told() -> None:
    given = {"early": config(), "late": config("data.start=2005-01-03", "data.end=2006-06-30")}
    comparison = study(given)
    assert comparison.period.start == pd.Timestamp("2005-01-03")
    assert {str(v.config.data.start) for v in comparison.variants} == {"2005-01-03"}
    assert "Periods start differently (2004-06-01 in early; 2005-01-03 in late)" in comparison.cautions[0]
    assert "Periods end differently" in comparison.cautions[1]
    alone = run(config("data.start=2005-01-03"), REGISTRY, market=market())
    np.testing.assert_array_equal(comparison.equity[0], alone.books.equity)


def test_other_costs_are_allowed_and_told() -> None:
    comparison = study({"dear": config("execution.slippage_bps=40"), "cheap": config()})
    assert any("execution.slippage_bps" in told and "40 in dear; 4 in cheap" in told for told in comparison.cautions)
    assert comparison.terms_of == "dear"
    dear = run(config("execution.slippage_bps=40"), REGISTRY, market=market())
    np.testing.assert_array_equal(comparison.benchmark_equity[0], dear.benchmarks["QQQ"].equity)


def test_other_legs_are_allowed_and_told() -> None:
    comparison = study({"four": config(), "two": config("legs.growth={QQQ: 1}", "legs.small={IWM: 1}")})
    assert any("legs" in told and "QQQ against IWM in two" in told for told in comparison.cautions)
    two = comparison.variants[1]
    assert two.mix.shares.tolist() == [two.metrics["exposure_growth"], two.metrics["exposure_small"]]


def test_the_same_question_twice_is_told_and_is_one_trial() -> None:
    comparison = study({"one": config(), "other": config("name=other")})
    assert any("one and other ask the same question" in told for told in comparison.cautions)
    assert comparison.size.trials == 1


def test_equal_ground_needs_no_caution() -> None:
    assert common_study().cautions == ()


@pytest.mark.parametrize(
    ("given", "benchmark", "message"),
    [
        ({}, None, "found 0 variants"),
        ({"a": config("benchmarks=[]")}, None, "benchmark: found none"),
        (
            {"a": config(), "b": config("data.tbill={annual: 0.02}")},
            None,
            r"b: data.tbill: found \{annual: 0.02\}, expected irx",
        ),
        ({"a": config("data.end=2004-12-31"), "b": config("data.start=2005-01-03")}, None, "no common period"),
    ],
)
def test_what_cannot_be_compared_is_refused(given: dict[str, Config], benchmark: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(given, name="x", strategies=REGISTRY, benchmark=benchmark, market=market())


def csv_folder(folder: Path, factor: float) -> str:
    """Prices of QQQ and IWM as a csv folder; factor: what IWM's are multiplied by on the last session."""
    folder.mkdir()
    own = load_market(config(), offline=True)
    for ticker in ("QQQ", "IWM"):
        last = np.ones(len(own.sessions))
        last[-1] = factor if ticker == "IWM" else 1.0
        opens, closes = own.open[ticker] * last, own.close[ticker] * last
        columns = {"open": opens, "high": np.maximum(opens, closes), "low": np.minimum(opens, closes), "close": closes}
        frame = pd.DataFrame({**columns, "adj_close": closes, "volume": 1}).rename_axis("date")
        frame.to_csv(folder / f"{ticker}.csv")
    return f"data.prices={{source: csv, folder: {folder}}}"


def test_the_same_prices_from_another_place_are_the_same_data(tmp_path: Path) -> None:
    pair = ("legs.growth={QQQ: 1}", "legs.small={IWM: 1}", "data.tbill=null", "benchmarks=[QQQ]")
    one, same, other = (csv_folder(tmp_path / name, factor) for name, factor in (("a", 1), ("b", 1), ("c", 1.01)))
    inputs = common_inputs({"a": config(*pair, one), "b": config(*pair, same)}, None, market=None, offline=True)
    assert inputs.market.tickers == ("QQQ", "IWM")
    with pytest.raises(ConfigError, match=r"^c: data\.prices: other data for IWM than in a"):
        common_inputs({"a": config(*pair, one), "c": config(*pair, other)}, None, market=None, offline=True)


def test_each_variants_own_series_and_tickers_are_loaded() -> None:
    names = ("cool_cpi", "easing_cycle", "surge_2024")
    configs = {name: load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY) for name in names}
    for order in (names, names[::-1]):
        market = common_inputs({name: configs[name] for name in order}, None, market=None, offline=True).market
        assert {"cpi", "DGS10"} <= set(market.series)
        assert {"KRE", "SPY"} <= set(market.tickers)
