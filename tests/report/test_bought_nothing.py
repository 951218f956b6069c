"""An account that never bought anything is no yardstick: no headline, box, verdict, metric or page compares with it."""

from __future__ import annotations

from datetime import date

import pytest
from pages import config_of, page_of
from worlds import hand_market

from backtest.config import LegConfig
from backtest.errors import ConfigError
from backtest.market import Market
from backtest.pages.alternatives import alternatives_of, rotating_sentence
from backtest.pages.prose import caveats, headline, tiles
from backtest.pipeline import run
from backtest.result import Result
from backtest.study.compare import compare
from backtest.study.search import search, shown_run
from backtest.study.verdict import verdict_of_run
from strategies import REGISTRY

UP = [100.0 + k / 4 + k % 3 for k in range(120)]


def market(dear: float) -> Market:
    return hand_market("2020-01-06", G=UP, S=[value / 2 for value in UP], D=[dear * value for value in UP])


def held(leg: str, dear: float, benchmarks: tuple[str, ...] = ("D", "G"), cash: float = 1000.0) -> Result:
    """All in one leg, whole shares, 1,000 USD; D costs `dear` times what G does."""
    legs = {name: LegConfig.model_validate({name: 1.0}) for name in ("G", "S", "D")}
    config = config_of(
        "static_mix", params={"shares": {leg: 1.0}}, legs=legs, initial="G", benchmarks=benchmarks, tbill=None,
        start=date(2020, 1, 6), shares="whole", initial_cash_usd=cash,
    )  # fmt: skip
    return run(config, REGISTRY, market=market(dear))


def test_a_benchmark_that_bought_nothing_is_left_out_and_told() -> None:
    result = held("S", 50.0)
    assert list(result.benchmarks) == ["G"]
    assert "Not one whole share of D could be bought: nothing is compared with it." in caveats(result)
    assert headline(result).endswith("than G.")
    assert [tile.label for line in tiles(result, [], alternatives_of(result)) for tile in line][:-1] == [
        "vs G alone", "vs S alone", "vs its average mix", "vs G",
    ]  # fmt: skip
    assert "D alone" not in page_of(result)


def test_one_that_can_be_bought_is_compared_with() -> None:
    result = held("S", 5.0)
    assert list(result.benchmarks) == ["D", "G"]
    assert headline(result).endswith("than D.")
    assert "D alone" in rotating_sentence(result, alternatives_of(result))
    assert not [line for line in caveats(result) if "whole share" in line]


def test_a_constant_mix_does_not_whipsaw_however_often_it_is_rebalanced() -> None:
    legs = {name: LegConfig.model_validate({name: 1.0}) for name in ("G", "S")}
    config = config_of(
        "static_mix", params={"shares": {"G": 0.5, "S": 0.5}}, legs=legs, initial="G", benchmarks=("G",), tbill=None,
        start=date(2020, 1, 6), rebalance="daily",
    )  # fmt: skip
    result = run(config, REGISTRY, market=hand_market("2020-01-06", G=UP, S=UP[::-1]))
    assert not [line for line in caveats(result) if "whipsaws" in line]


def test_without_any_yardstick_nothing_is_said_to_be_ahead() -> None:
    result = held("S", 50.0, ("D",))
    known = search(shown_run(result), None)
    assert headline(result).endswith("in 119 sessions.")
    assert verdict_of_run(result, known).level == "nothing_tested"
    assert not [line for line in caveats(result) if "would have ended higher" in line or "No benchmark" in line]
    assert result.metrics["information_ratio"] is None


def test_an_account_that_never_traded_is_compared_with_nothing() -> None:
    result = held("D", 50.0, ("G",))
    assert headline(result) == "Rate cut momentum never traded: $1,000 stayed $1,000."
    assert rotating_sentence(result, alternatives_of(result)).startswith("Nothing can be said")
    page_of(result)


def test_a_comparison_refuses_a_benchmark_that_bought_nothing_and_leaves_out_others() -> None:
    configs = {leg: held(leg, 50.0, ("G", "D")).config for leg in ("G", "S")}
    found = compare(configs, name="x", strategies=REGISTRY, market=market(50.0))
    assert [each.label for each in found.benchmarks] == ["G"]
    with pytest.raises(ConfigError, match=r"found D first, but not one whole share could be bought"):
        compare(configs, name="x", strategies=REGISTRY, benchmark="D", market=market(50.0))
