"""A market of months through strategies, both engines and the audit: a century, and no look ahead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from french_files import LEGS as BASKETS
from french_files import century, made_up_tables
from worlds import play, poisoned

from backtest.api import load_config, run
from backtest.audit.clocks import early_problems
from backtest.data import load_market
from backtest.market import Legs, Market
from backtest.pages.report import render_report
from backtest.signals.measures import month_of, volatility, year_of
from backtest.text import of_months
from strategies import REGISTRY

LEGS = Legs(BASKETS)
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "rate cut": ("rate_cut", {"hold_sessions": 12}),
    "regime": ("rate_cut", {"hold_sessions": 1200}),
    "momentum": ("relative_momentum", {"lookback_sessions": 12}),
    "both": ("rate_cut_momentum", {"hold_sessions": 12, "lookback_sessions": 6, "decide": "monthly"}),
    "rank": ("rank", {"lookback_months": 12}),
}


def config_of(folder: Path) -> dict[str, Any]:
    name, params = QUESTIONS["momentum"]
    execution = {"commission_bps": 1, "slippage_bps": 4, "idle_cash": "tbill"}
    return century(folder, strategy={"name": name, "params": params}, execution=execution,
                   data={"start": "1930-01-31"}, benchmarks=["BIG-GROWTH", "SMALL-VALUE"])  # fmt: skip


@pytest.fixture(scope="module")
def market(french_folder: Path) -> Market:
    return load_market(load_config(config_of(french_folder)))


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("rebalance", ["on_change", "quarterly", 0.05])
def test_both_engines_have_the_same_books_to_the_last_bit(market: Market, name: str, rebalance: str | float) -> None:
    key, params = QUESTIONS[name]
    books = play(market, REGISTRY[key], legs=LEGS, params=params, cost_rate=0.0005, rebalance=rebalance,
                 earns_tbill=True)  # fmt: skip
    assert len(books.sessions) == 1183
    assert len(np.unique(books.fills.row)) > 10


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_decision_knows_a_later_month(market: Market, name: str) -> None:
    key, given = QUESTIONS[name]
    strategy = REGISTRY[key]
    params = strategy.Params(**given)
    whole = strategy.decide(market, LEGS, params).by_leg
    changed = np.flatnonzero((np.nan_to_num(whole[1:]) != np.nan_to_num(whole[:-1])).any(axis=1)) + 1
    assert len(changed) > 10
    for row in np.random.default_rng(3).choice(changed, 10, replace=False).tolist():
        for told in (market.until(market.sessions[row]), poisoned(market, row, seed=row)):
            np.testing.assert_array_equal(strategy.decide(told, LEGS, params).by_leg[: row + 1], whole[: row + 1])
    assert not list(early_problems(market))


def test_a_year_is_twelve_rows_wherever_something_is_annualised(market: Market) -> None:
    assert (year_of(market), month_of(market)) == (12, 1)
    returns = market.close["BIG-GROWTH"].pct_change()
    expected = returns.rolling(24).std() * 12**0.5
    np.testing.assert_allclose(volatility(market, LEGS["growth"], 24), expected, rtol=1e-9, equal_nan=True)


def test_the_figures_of_a_run_are_those_of_months(french_folder: Path) -> None:
    result = run(config_of(french_folder))
    own = result.books.equity
    returns = own[1:] / own[:-1] - 1
    assert result.metrics["volatility"] == pytest.approx(returns.std(ddof=1) * 12**0.5)
    rf = made_up_tables()["factors"]["rf"].to_numpy()[-len(returns) :] / 100
    excess = returns - rf
    assert result.metrics["sharpe"] == pytest.approx(excess.mean() / excess.std(ddof=1) * 12**0.5, rel=1e-6)


def test_a_report_speaks_of_months_and_marks_what_is_no_fund(french_folder: Path) -> None:
    page = render_report(run(config_of(french_folder)), None)
    assert "paper portfolios by month, no funds" in page
    assert "over 12 months" in page
    assert "repeating-linear-gradient" in page
    assert "lookback_sessions" in page  # a key stays what it is


def test_words_are_turned_and_keys_are_not() -> None:
    assert of_months("12 sessions, one session: hold_sessions, Sessions down") == (
        "12 months, one month: hold_sessions, Months down"
    )


PAGE = Path(__file__).parents[2] / "docs" / "long_history.md"


def test_the_config_of_the_documentation_runs(french_folder: Path, tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert "folder: french" in text
    path = tmp_path / "century.yaml"
    path.write_text(
        text.replace("folder: french", f"folder: {french_folder.as_posix()}"), encoding="utf-8", newline="\n"
    )
    result = run(path)
    assert len(result.sessions) == 852
    assert result.market.periods_per_year == 12
