"""What a notebook does: six lines, the same job as the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import backtest
from backtest.errors import ConfigError
from backtest.metrics import metric_of
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def test_every_public_name_is_what_it_says_and_no_module_hides_it() -> None:
    for name in backtest.__all__:
        assert callable(getattr(backtest, name)), name
    rooms = {path.stem for path in Path(backtest.__file__).parent.glob("*") if path.stem != "__init__"}
    assert rooms.isdisjoint(backtest.__all__)


def test_six_lines_of_a_notebook_give_pandas_objects() -> None:
    from backtest import load_config, load_market, run

    config = load_config(QUICKSTART, strategies=REGISTRY)
    result = run(config, REGISTRY, market=load_market(config))
    assert isinstance(result.equity, pd.DataFrame)
    assert isinstance(result.trades, pd.DataFrame)
    assert isinstance(result.decisions, pd.DataFrame)
    assert result.equity["equity"].iloc[-1] == result.metrics["final_equity_usd"]


MIX = {
    "name": "mix",
    "data": {"prices": {"source": "sample"}, "start": "2020-01-02", "end": "2021-12-31"},
    "strategy": {"name": "relative_momentum"},
    "execution": {"commission_bps": 1, "slippage_bps": 4},
    "benchmarks": ["QQQ"],
}
SLOW = {**MIX, "name": "slow", "strategy": {"name": "relative_momentum", "params": {"lookback_sessions": 250}}}


@pytest.fixture(scope="module")
def market() -> backtest.Market:
    return backtest.load_market(backtest.load_config(MIX))


def test_a_dict_is_a_config_and_its_mistakes_are_told_as_a_files(market: backtest.Market) -> None:
    assert backtest.load_config(MIX, REGISTRY) == backtest.load_config(backtest.load_config(MIX))
    with pytest.raises(ConfigError, match=r"dict:1: data.prices.source: found 'nowhere', expected"):
        backtest.load_config({**MIX, "data": {"prices": {"source": "nowhere"}, "start": "2020-01-02"}})
    assert backtest.run(MIX, market=market).metrics == backtest.run(MIX, REGISTRY, market=market).metrics


def test_a_dict_may_hold_numbers_and_days_of_numpy_and_pandas() -> None:
    terms = {"commission_bps": np.int64(1), "slippage_bps": np.float32(4.0)}
    plain = backtest.load_config({**MIX, "execution": {"commission_bps": 1, "slippage_bps": 4}})
    for day in (pd.Timestamp(plain.data.start), np.datetime64(plain.data.start, "ns")):
        data = {**MIX["data"], "start": day}
        assert backtest.load_config({**MIX, "data": data, "execution": terms}) == plain


@pytest.mark.parametrize("given", [42, None, [1], {"name": float("nan")}, {"name": "x", ("a", 1): 2}])
def test_what_is_no_config_is_told_as_one_mistake_and_never_as_a_traceback(given: Any) -> None:
    for ask in (backtest.load_config, backtest.load_study, backtest.event_study):
        with pytest.raises(ConfigError):
            ask(given)


def test_an_answer_shows_itself_in_a_line_and_a_table_and_leaves_its_page(
    market: backtest.Market, tmp_path: Path
) -> None:
    result = backtest.run(MIX, market=market)
    assert isinstance(result, backtest.Result)
    assert repr(result).startswith("<Run mix: On simulated prices, mix turned $100,000 into $")
    assert len(repr(result)) < 200
    shown = result._repr_html_()
    assert f"<td>{metric_of('cagr').write(result.metrics['cagr'])}</td>" in shown
    assert result.report(tmp_path).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (result.save(tmp_path / "results") / "report.html").read_bytes() == (tmp_path / "report.html").read_bytes()


def test_compare_takes_configs_named_configs_and_studies_alike(market: backtest.Market, tmp_path: Path) -> None:
    listed = backtest.compare([MIX, SLOW], REGISTRY, market=market)
    named = backtest.compare({"mix": MIX, "slow": SLOW}, market=market)
    assert isinstance(listed, backtest.Comparison)
    assert listed.verdict == named.verdict
    assert [each.metrics for each in listed.variants] == [each.metrics for each in named.variants]
    assert repr(listed) == f"<Comparison mix-vs-slow: {listed.verdict.headline}>"
    assert "<td>slow</td>" in listed._repr_html_()
    assert listed.report(tmp_path / "page.html").stat().st_size > 100_000
    with pytest.raises(ConfigError, match="two configs have one name"):
        backtest.compare([MIX, MIX], market=market)


def test_a_sweep_of_a_dict_has_a_frame_and_a_row_is_the_single_run(market: backtest.Market, tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(json.dumps(MIX), encoding="utf-8", newline="\n")
    study = {"name": "g", "base": str(base), "grid": {"strategy.params.lookback_sessions": [126, 250]}}
    swept = backtest.sweep(study, market=market)
    assert isinstance(swept, backtest.Sweep)
    alone = backtest.run(SLOW, market=market)
    assert swept.frame["cagr"].iloc[1] == pytest.approx(alone.metrics["cagr"], abs=1e-12)
    assert repr(swept) == "<Sweep g: 2 variants>"
    assert "<td>lookback_sessions 250</td>" in swept._repr_html_()
