"""Comparing variants: the same books and figures as single runs have, and every variant in the ledger."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pytest
from small_studies import TEXT, common_study, config, market, study, variants

from backtest.config import config_from_text
from backtest.errors import ConfigError, EnginesDisagree
from backtest.market import Floats
from backtest.metrics import metric_keys
from backtest.pipeline import run
from backtest.result import Figures
from backtest.store.ledger import FILE as LEDGER
from backtest.store.ledger import Ledger
from backtest.study import compare as compare_module
from strategies import REGISTRY

# ------------------------------------------------------------------------------------------- the same as single runs


@pytest.mark.parametrize("place", range(5))
def test_every_variant_has_the_books_and_figures_of_its_own_run(place: int) -> None:
    comparison = common_study()
    single = run(list(variants().values())[place], REGISTRY, market=market())
    np.testing.assert_array_equal(comparison.equity[place], single.books.equity)
    assert comparison.variants[place].rule == single.rule
    np.testing.assert_allclose(row(comparison.variants[place].metrics), row(single.metrics), rtol=1e-12)
    for benchmark in comparison.benchmarks:
        expected = row(single.benchmark_metrics[benchmark.name])
        np.testing.assert_allclose(row(benchmark.metrics), expected, rtol=1e-12)


def row(figures: Figures) -> Floats:
    """Figures in order, undefined as NaN."""
    return np.array([figures[key] for key in metric_keys(["growth", "small"])], dtype=np.float64)


def test_the_statistics_are_of_the_returns_over_the_declared_benchmark() -> None:
    comparison = study(benchmark="IWM")
    assert (comparison.benchmark, [b.name for b in comparison.benchmarks]) == ("IWM", ["IWM", "QQQ", "static_mix_0.5"])
    returns = np.diff(comparison.equity) / comparison.equity[:, :-1]
    held = np.diff(comparison.benchmark_equity[0]) / comparison.benchmark_equity[0, :-1]
    active = returns - held
    ratios = active.mean(axis=1) / active.std(axis=1, ddof=1) * 252**0.5
    np.testing.assert_allclose([v.statistics.sharpe.value for v in comparison.variants], ratios, rtol=1e-9)
    np.testing.assert_allclose([v.metrics["information_ratio"] for v in comparison.variants], ratios, rtol=1e-9)
    assert comparison.best == int(np.argmax(ratios))
    assert comparison.benchmarks[0].metrics["beta"] is None
    assert comparison.benchmarks[0].undefined["beta"] == "it is the benchmark itself"


def test_the_best_is_checked_by_backtrader_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [v.is_checked for v in common_study().variants].index(True) == common_study().best
    honest = compare_module.run_variant

    def one_bit_off(*given: Any) -> Any:
        found = honest(*given)
        equity = found.books.equity.copy()
        equity[-1] = np.nextafter(equity[-1], 0.0)
        return dataclasses.replace(found, books=dataclasses.replace(found.books, equity=equity))

    monkeypatch.setattr(compare_module, "run_variant", one_bit_off)
    with pytest.raises(EnginesDisagree):
        study()


class BuyAndWait(bt.Strategy):  # type: ignore[misc]
    """Trades in its own `next`: a few shares of the first ticker, once."""

    def next(self) -> None:
        if not self.position:
            self.buy(data=self.datas[0], size=10)


def test_a_strategy_with_its_own_next_is_run_by_backtrader_and_has_no_luck_meters() -> None:
    registry = {**REGISTRY, "buy_and_wait": BuyAndWait}
    text = TEXT.replace("name: relative_momentum, params: {lookback_sessions: 21}", "name: buy_and_wait")
    waiting = config_from_text(text, "small.yaml", strategies=registry)
    comparison = study({"momentum": config(), "waiting": waiting}, strategies=registry)
    last = comparison.variants[1]
    single = run(waiting, registry, market=market())
    np.testing.assert_array_equal(comparison.equity[1], single.books.equity)
    assert (last.luck, last.is_checked) == (None, True)
    assert last.mix.cash_share > 0.5
    assert last.parts.total == pytest.approx(last.metrics["cagr"] - comparison.benchmarks[0].metrics["cagr"])
    costless = ["execution.commission_bps=0", "execution.slippage_bps=0"]
    free = config_from_text(text, "small.yaml", strategies=registry, overrides=costless)
    (alone,) = study({"waiting": free}, strategies=registry).variants
    assert alone.parts.costs == pytest.approx(0.0, abs=1e-15)


# ------------------------------------------------------------------------------------------------------- the ledger


def test_every_variant_is_in_the_ledger(tmp_path: Path) -> None:
    comparison = study(ledger=tmp_path / LEDGER)
    ledger = Ledger(tmp_path / LEDGER)
    assert ledger.describe(ledger.records[0])["names"] == list(comparison.names)
    years = (comparison.period.sessions - 1) / 252
    ratios = ledger.curves(ledger.records[0], 0).t / years**0.5
    assert ratios == pytest.approx([v.statistics.sharpe.value for v in comparison.variants], rel=0.002, abs=1e-6)


def test_trials_of_before_deflate_and_a_rerun_counts_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    alone = common_study()
    study({f"m{n}": config(f"strategy.params.lookback_sessions={n}") for n in (2, 5, 100)}, ledger=path)
    first = study(ledger=path)
    again = study(
        {name: value.model_copy(update={"name": "renamed"}) for name, value in variants().items()}, ledger=path
    )
    assert (alone.size.trials, first.size.trials, again.size.trials) == (5, 8, 8)
    assert (first.search.trials, first.size.here, first.size.elsewhere) == (8, 5, 3)
    assert first.search.hurdle == again.search.hurdle >= alone.search.hurdle
    assert first.variants[0].statistics.dsr < alone.variants[0].statistics.dsr
    assert len(Ledger(path)) == 8


def test_a_refined_grid_counts_its_old_points_once(tmp_path: Path) -> None:
    path, key = tmp_path / LEDGER, "strategy.params.lookback_sessions"
    given = {f"m{n}": config(f"{key}={n}") for n in (5, 10, 20, 40)}
    counts = []
    for some in (4, 3, 4):
        counts.append(study(dict(list(given.items())[:some]), ledger=path).size.trials)
    assert counts == [4, 4, 4]
    assert study({**given, "m80": config(f"{key}=80")}, ledger=path).size.trials == 5
    assert len(Ledger(path)) == 5


def test_a_refused_comparison_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        study({"a": config(), "b": config("data.tbill=null")}, ledger=tmp_path / "results" / LEDGER)
    assert list(tmp_path.iterdir()) == []
