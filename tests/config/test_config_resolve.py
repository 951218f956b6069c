"""A config as data, as YAML that reads back equal, and as the question that names its results."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_strategies import GOOD, SHORT, STRATEGIES

from backtest.config import Config, config_from_text, dump_yaml, question, resolved
from backtest.config.nodes import YamlSource, plain
from backtest.config.reader import read_text


def of(text: str, *overrides: str) -> Config:
    return config_from_text(text, strategies=STRATEGIES, overrides=overrides)


def test_resolved_fills_in_every_default() -> None:
    assert resolved(of(SHORT)) == {
        "name": "short",
        "data": {
            "prices": {"source": "sample"},
            "start": "2001-07-31",
            "end": None,
            "tbill": None,
            "closed": [],
            "largest_daily_move": 0.2,
            "cross_check": None,
            "macro": None,
        },
        "legs": {"growth": {"IVW": 0.5, "QQQ": 0.5}, "small": {"label": "small caps", "IWM": 0.5, "IWN": 0.5}},
        "strategy": {
            "name": "relative_momentum",
            "initial": "growth",
            "params": {"lookback_sessions": 126, "threshold": 0.0, "decide": "daily", "with_hedge": False},
        },
        "execution": {
            "initial_cash_usd": 100000.0,
            "commission_bps": 1.0,
            "slippage_bps": 4.0,
            "shares": "fractional",
            "rebalance": "on_change",
            "fill": "open",
            "delay_sessions": 1,
            "idle_cash": "none",
            "accounting": "total_return",
        },
        "benchmarks": ["QQQ", "IWM", {"static_mix": 0.5}],
    }


def test_the_yaml_of_a_config_is_laid_out_for_people() -> None:
    assert (
        dump_yaml(resolved(of(GOOD)))
        == """\
name: momentum
data:
  prices: {source: sample}
  start: 2001-07-31
  end: 2025-12-31
  tbill: {annual: 0.02}
  closed: []
  largest_daily_move: 0.2
  cross_check: null
  macro: null
legs:
  growth: {IVW: 0.5, QQQ: 0.5}
  small: {IWM: 0.5, IWN: 0.5}
strategy:
  name: relative_momentum
  initial: growth
  params: {lookback_sessions: 63, threshold: 0.0, decide: daily, with_hedge: false}
execution:
  initial_cash_usd: 100000.0
  commission_bps: 1.0
  slippage_bps: 4.0
  shares: fractional
  rebalance: {drift: 0.05}
  fill: open
  delay_sessions: 1
  idle_cash: tbill
  accounting: total_return
benchmarks: [QQQ, IWM, {static_mix: 0.5}]
"""
    )


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: (
        name.split(".")[0].lower() not in {"con", "prn", "aux", "nul"} and name[:3].lower() not in ("com", "lpt")
    )
)
TICKERS = st.from_regex(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}", fullmatch=True)
SHARES = st.floats(0, 1)


@st.composite
def legs(draw: st.DrawFn) -> dict[str, dict[str, float]]:
    tickers = draw(st.lists(TICKERS, min_size=2, max_size=8, unique=True))
    cut = draw(st.integers(1, len(tickers) - 1))
    weights = [draw(st.integers(1, 1000)) for _ in tickers]
    pairs = list(zip(tickers, weights, strict=True))
    return {
        leg: {ticker: weight / sum(w for _, w in part) for ticker, weight in part}
        for leg, part in (("growth", pairs[:cut]), ("small", pairs[cut:]))
    }


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    start, end = sorted(
        draw(st.lists(st.dates(date(1990, 1, 1), date(2030, 1, 1)), min_size=2, max_size=2, unique=True))
    )
    benchmark = TICKERS | st.builds(lambda x: {"static_mix": x}, SHARES)
    tbill = draw(st.sampled_from(["irx", "fred"]) | st.builds(lambda x: {"annual": x}, st.floats(-0.05, 0.5)))
    return {
        "name": draw(NAMES),
        "data": {"prices": {"source": "sample"}, "start": str(start), "end": str(end), "tbill": tbill},
        "legs": draw(legs()),
        "strategy": {
            "name": "relative_momentum",
            "initial": draw(st.sampled_from(["growth", "small", "cash"])),
            "params": {"lookback_sessions": draw(st.integers(1, 5000)), "threshold": draw(st.floats(0, 1e300))},
        },
        "execution": {
            "initial_cash_usd": draw(st.floats(1e-300, 1e12)),
            "commission_bps": draw(st.floats(0, 1000)),
            "slippage_bps": draw(st.integers(0, 1000)),
            "rebalance": draw(
                st.sampled_from(["on_change", "daily", "weekly", "monthly", "quarterly", "annual"])
                | st.builds(lambda n: {"every_sessions": n}, st.integers(1, 2520))
                | st.builds(lambda x: {"drift": x}, st.floats(0, 1, exclude_min=True, exclude_max=True))
            ),
            "idle_cash": draw(st.sampled_from(["none", "tbill"])),
        },
        "benchmarks": draw(st.lists(benchmark, max_size=5, unique_by=str)),
    }  # fmt: skip


@given(configs())
@settings(max_examples=40, deadline=None)
def test_every_config_reads_back_equal_from_its_resolved_yaml(data: dict[str, Any]) -> None:
    config = of(dump_yaml(data))
    again = of(dump_yaml(resolved(config)))
    assert again == config
    assert question(again) == question(config)
    assert dump_yaml(resolved(again)) == dump_yaml(resolved(config))


TEXT = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"], blacklist_characters="\ufeff\ufffe\uffff"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
KEYS = TEXT.filter(lambda text: bool(text) and text.isprintable() and len(text) < 100)
DATA = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=12
)


@given(st.dictionaries(KEYS, DATA, max_size=4))
@settings(max_examples=80, deadline=None)
def test_any_plain_data_reads_back_as_it_was_written(data: dict[str, Any]) -> None:
    if not data:
        return
    tree = read_text(dump_yaml(data), YamlSource("f", Path()))
    assert tree.problems == []
    assert plain(tree.root) == data


ODD = """010|1e3|NO|null|~||1|true|.inf|<<|a: b|#x|- a|&a|*a|!x|{|'|"|1_0|2001-07-31|---|x: | x|a,b|%Y|@|`|é|?|?x|\\"""


@pytest.mark.parametrize("text", ODD.split("|"))
def test_text_stays_text(text: str) -> None:
    data = {"a": text, "b": [text, {"c": {"d": text}}], f"k{text}": {"e": {text or "f": [text]}}}
    assert plain(read_text(dump_yaml(data), YamlSource("f", Path())).root) == data


def test_the_same_question_written_otherwise_is_the_same_text() -> None:
    other = """\
# a comment
benchmarks:
- QQQ
- 'IWM'
- static_mix: 5.0E-1
execution: {slippage_bps: 4.0, commission_bps: 1e0, rebalance: {drift: 5e-2}, idle_cash: "tbill"}
legs: {growth: {IVW: .5, QQQ: +0.5}, small: {IWN: 0.5, IWM: 0.5}}
strategy: {params: {with_hedge: false, lookback_sessions: 63, threshold: -0.0}, name: relative_momentum}
data:
  tbill: {annual: 2e-2}
  end: "2025-12-31"
  start: 2001-07-31
  prices: {source: sample}
name: momentum
"""
    assert question(of(other)) == question(of(GOOD))
    assert of(other) == of(GOOD)


def test_the_order_of_a_parameters_keys_is_not_part_of_the_question() -> None:
    one, two = (
        of(
            SHORT.replace("momentum}", f"momentum, params: {{fast_sessions: 5, labels: {labels}}}}}").replace(
                "relative_momentum", "crossover"
            )
        )
        for labels in ("{a: 1, b: 2}", "{b: 2, a: 1}")
    )
    assert question(one) == question(two)


@pytest.mark.parametrize(
    "override",
    [
        "name=b",
        "data.end=2025-12-30",
        "legs.growth={QQQ: 1}",
        "strategy.initial=small",
        "strategy.params.threshold=1e-300",
        "execution.slippage_bps=4.0000000001",
        "benchmarks=[IWM, QQQ, {static_mix: 0.5}]",
        "data.prices.source=yahoo",
    ],
)
def test_another_question_is_another_text(override: str) -> None:
    assert question(of(GOOD, override)) != question(of(GOOD))


def test_where_the_prices_lie_is_not_part_of_the_question(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    texts = [
        SHORT.replace("{source: sample}", f"{{source: csv, folder: {tmp_path / folder}}}") for folder in ("a", "b")
    ]
    one, two = map(of, texts)
    assert one != two
    assert question(one) == question(two)
    assert str(tmp_path) not in question(one)
    assert str(tmp_path / "a") in dump_yaml(resolved(one))


def test_a_location_with_odd_characters_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / "é 'x': #1, {y}"
    folder.mkdir()
    config = of(SHORT.replace("{source: sample}", f"{{source: csv, folder: {json.dumps(str(folder))}}}"))
    assert of(dump_yaml(resolved(config))) == config


def test_the_place_of_a_second_source_is_no_part_of_the_question(tmp_path: Path) -> None:
    places = [tmp_path / "here", tmp_path / "there"]
    for place in places:
        place.mkdir()
    one, other = (question(of(SHORT, f"data.cross_check={{folder: {place}}}")) for place in places)
    assert one == other != question(of(SHORT))
