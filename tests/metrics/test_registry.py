"""The table of metrics, which every page, command, file and the reference read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from backtest.metrics import METRIC_KEYS, METRICS, Activity, calendar_of, metric_keys, metric_of, metrics, metrics_on
from backtest.metrics.registry import exposure

CALENDAR = calendar_of(pd.bdate_range("2020-01-01", "2020-03-31"))
DEAD = Activity(turnover=0.0, rebalances=0, trades=0, exposures={"small": 0.0}, costs_usd=0.0)


def test_each_metric_is_computed_and_each_has_a_definition_with_the_names_of_the_run() -> None:
    values, undefined = metrics(
        np.ones(CALENDAR.sessions), calendar=CALENDAR, tbill_returns=np.zeros(CALENDAR.sessions)
    )
    assert tuple(values) == METRIC_KEYS
    assert undefined.keys() == {key for key, value in values.items() if value is None}
    for metric in METRICS:
        sentence = metric.define(first="SPY", rate="zero", per_year=12)
        assert "{" not in sentence
        assert sentence.endswith((".", "(CVaR).", "(information ratio)."))
        assert ("SPY" in sentence) == ("{first}" in metric.definition)


def test_a_label_may_hold_the_braces_of_a_template() -> None:
    assert "${HOME} {first}" in exposure("small", "${HOME} {first}").define(first="SPY")


def test_counts_and_sessions_are_whole_and_columns_have_short_heads() -> None:
    assert {metric.key for metric in METRICS if metric.is_whole} == {
        "longest_drawdown_sessions",
        "rebalances",
        "trades",
    }
    assert metric_of("longest_drawdown_sessions").head != metric_of("longest_drawdown_sessions").label
    for metric in METRICS:
        assert metric.head == (metric.brief or metric.label[0].lower() + metric.label[1:])
    assert metric_of("information_ratio").head == "active Sharpe"


def test_the_first_thing_that_lacks_is_the_reason() -> None:
    flat, still = np.ones(CALENDAR.sessions), np.zeros(CALENDAR.sessions)
    _, alone = metrics(flat, calendar=CALENDAR, tbill_returns=still, no_benchmark="this is the benchmark")
    assert alone["beta"] == alone["up_capture"] == "this is the benchmark"
    assert alone["trades"] == "no books given"
    assert alone["cagr"] == alone["calmar"] == "shorter than one year"
    assert alone["best_year"] == "no complete calendar year"
    assert alone["sharpe"] == "returns over T-bills do not vary"
    _, both = metrics(flat, calendar=CALENDAR, tbill_returns=still, benchmark=flat, activity=DEAD)
    assert both["beta"] == "the benchmark's returns over T-bills do not vary"
    assert both["information_ratio"] == "active returns do not vary"
    assert "trades" not in both


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("cagr", 0.1234, "12.3%"),
        ("total_return", -0.9994, "−99.9%"),
        ("alpha", 0.0134, "+1.3 pts"),
        ("sharpe", 0.641, "0.64"),
        ("longest_drawdown_sessions", 1209, "4.8 y"),
        ("longest_drawdown_sessions", 30, "0.12 y"),
        ("turnover_annual", 4.06, "4.1×"),
        ("trades", 1204, "1,204"),
        ("final_equity_usd", 98_512.4, "$98,512"),
        ("beta", None, "–"),
    ],
)
def test_a_metric_writes_its_value_in_its_unit(key: str, value: float | None, written: str) -> None:
    assert metric_of(key).write(value) == written


def test_short_tables_are_in_the_registrys_order_behind_what_ranks() -> None:
    keys = [metric.key for metric in metrics_on("search", {"a": "a", "b": "bonds"}, "information_ratio")]
    assert keys[0] == "information_ratio"
    assert keys[1:] == [key for key in metric_keys(["a", "b"]) if key in keys[1:]]
    assert {"exposure_a", "exposure_b"} < set(keys)
    assert metric_of("final_equity_usd").write_short(1_320_000) == "$1.32m"
