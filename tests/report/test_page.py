"""The page as a whole: its figures are the metrics, it stands alone, and nothing in it can do harm."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pages import CONTEXT, HALF, HOSTILE, QUOTES, Page, config_of, hostile_result, number_of, page_of, result_of, sample
from worlds import hand_market

from backtest.config import CsvPrices, DataConfig, LegConfig, TwoLegMix
from backtest.market import Source
from backtest.metrics import metric_keys, metrics_of
from backtest.pages.prose import caveats, headline
from backtest.pages.report import render_report
from backtest.pages.shell import plotly_bundle
from backtest.pipeline import run
from backtest.result import Result
from strategies import REGISTRY

MOST_BYTES = 7_000_000


@pytest.fixture(scope="module")
def result() -> Result:
    return result_of()


@pytest.fixture(scope="module")
def page(result: Result) -> Page:
    return Page(page_of(result))


def test_every_printed_figure_is_the_metric_at_its_digits(result: Result, page: Page) -> None:
    columns = [result.metrics, *result.benchmark_metrics.values()]
    for section in ("result", "figures"):
        rows = page.rows(section)
        for figure in metrics_of(result.legs.labelled):
            if figure.label not in rows:
                continue
            for cell, column in zip(rows[figure.label], columns, strict=False):
                value = column[figure.key]
                if value is None:
                    assert cell == "–"
                else:
                    printed, half_unit = number_of(cell)
                    assert abs(printed - value) <= half_unit, (figure.label, cell, value)


def test_every_metric_stands_in_the_full_table(result: Result, page: Page) -> None:
    assert tuple(result.metrics) == metric_keys(result.legs.names)
    labels = [figure.label for figure in metrics_of(result.legs.labelled)]
    assert labels == list(page.rows("figures"))[1:]


def test_headline_verdicts_and_tables_agree(result: Result, page: Page) -> None:
    own, other = result.metrics["cagr"], result.benchmark_metrics["QQQ"]["cagr"]
    assert own is not None
    assert other is not None
    points = f"{abs(100 * (own - other)):.1f} points {'more' if own > other else 'less'} than QQQ."
    assert page.texts["headline"].endswith(points)
    assert page.rows("result")["Return a year"][0] in page.texts["headline"]
    first_box = f"vs QQQ{'+' if own > other else '−'}{abs(100 * (own - other)):.1f}points a year"
    assert first_box in "".join(page.texts["result"].split("  ")).replace("\n", "").replace(" points a", "points a")
    cells = page.rows("result")["Return a year"]
    assert f'title="{cells[0]} against {cells[1]}"' in page.html


def test_simulated_prices_are_called_so_in_the_title_the_banner_the_headline_and_the_eyebrow(page: Page) -> None:
    assert "<title>Simulated: " in page.html
    assert '<div class="banner" role="alert">' in page.html
    assert page.texts["headline"].startswith("On simulated prices, rate cut momentum turned $100,000 into ")
    assert '<span class="flag">simulated prices</span>' in page.html
    real = dataclasses.replace(result_of(), market=dataclasses.replace(sample(), is_simulated=False))
    html = page_of(real)
    assert "<title>rate-cut-momentum · " in html
    assert 'class="banner"' not in html
    assert 'class="flag"' not in html
    assert headline(real).startswith("Rate cut momentum turned ")


def test_the_same_input_gives_the_same_bytes(page: Page) -> None:
    assert page_of(result_of()) == page.html


def test_the_page_tells_no_place_of_this_machine(tmp_path: Path) -> None:
    def html(folder: Path) -> str:
        data = DataConfig(prices=CsvPrices(source="csv", folder=folder), start=date(2006, 7, 31))
        config = config_of().model_copy(update={"data": data})
        source = Source("QQQ", str(folder / "QQQ.csv"), 9, "2001-01-01", "2001-01-02", "f" * 64)
        return page_of(run(config, REGISTRY, market=dataclasses.replace(sample(), sources=(source,))))

    one, other = html(tmp_path / "here"), html(tmp_path / "there")
    assert one == other
    assert "QQQ.csv" in one
    assert str(tmp_path) not in one


def test_the_policy_allows_exactly_the_two_scripts_of_the_page(page: Page) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page.html)
    assert policy is not None
    allowed = re.findall(r"sha256-([^&']+)", policy[1])
    assert allowed == [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.scripts[1:]]
    assert len(page.scripts) == 3
    assert policy[1].startswith("default-src &#39;none&#39;; script-src ")
    assert "unsafe" not in policy[1].replace("style-src &#39;unsafe-inline&#39;", "")


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    own = page.html.replace(plotly_bundle(), "")
    assert (
        re.findall(r"""(?:src|href)=["'](?!#|data:|\.\./index\.html["']|[a-z]+\.(?:csv|json|yaml)["'])[^"']*""", own)
        == []
    )
    assert re.findall(r"@import|url\(|https?://", own) == []


def test_the_chart_library_cannot_end_its_own_script() -> None:
    assert re.search(r"</script|<!--", plotly_bundle(), re.IGNORECASE) is None


def test_data_in_the_page_cannot_end_its_script(page: Page) -> None:
    assert "<" not in page.scripts[0]
    assert page.chart_data["charts"]["equity"]["readout"][1]["name"] == "Strategy"


def test_hostile_names_and_reasons_stay_text() -> None:
    html = page_of(hostile_result())
    page = Page(html)
    assert page.tags.count("script") == 3
    assert "img" not in page.tags
    assert HOSTILE not in html
    assert "<img" not in html.replace(plotly_bundle(), "")
    assert HOSTILE in page.texts["headline"]
    assert QUOTES in page.texts["data"]


@pytest.mark.parametrize("count", [0, 1, 3, 8])
def test_any_number_of_benchmarks(count: int) -> None:
    mixes = [TwoLegMix(static_mix=share) for share in (0.3, 0.0, 1.0)]
    chosen = ["QQQ", "IWM", HALF, "IVW", "IWN", *mixes][:count]
    result = result_of(config_of(benchmarks=chosen, start=date(2009, 1, 2)))
    page = Page(page_of(result))
    assert page.tables["figures"][0][0][1:-1] == [
        "Strategy",
        *(["QQQ", "IWM", "50/50 mix", "IVW", "IWN", "30/70 mix", "0/100 mix", "100/0 mix"][:count]),
    ]
    assert len(page.rows("result")["Final value"]) == 1 + min(count, 3)
    assert sum(name.startswith("equity") for name in page.chart_data["arrays"]) == 1 + count
    assert ("Against" in page.texts["active"]) == bool(count)
    assert ("Beta" in page.rows("figures")) == bool(count)


def test_a_run_without_benchmark_says_that_nothing_was_compared() -> None:
    result = result_of(config_of(benchmarks=()))
    assert headline(result).endswith(" a year.")
    assert any(warning.startswith("No benchmark was given") for warning in caveats(result))
    assert not any("beta" in warning for warning in caveats(result))


def test_no_trade_at_all() -> None:
    config = config_of("relative_momentum", params={"lookback_sessions": 9000}, initial="cash", start=date(2009, 1, 2))
    result = result_of(config)
    page = Page(page_of(result))
    assert headline(result) == "On simulated prices, rate cut momentum never traded: $100,000 stayed $100,000."
    assert "Nothing was bought or sold." in page.texts["trades"]
    assert "It never traded." in caveats(result)
    assert "Holds cash" in page.texts["result"]


def test_thirty_sessions_say_so_and_leave_dashes() -> None:
    result = result_of(config_of(start=date(2010, 11, 18)))
    page = Page(page_of(result))
    sessions = len(result.sessions) - 1
    assert f"% in {sessions} sessions, " in headline(result)
    assert page.rows("result")["Return a year"] == ["–"] * 4
    assert "chart-active" not in page.texts
    assert "The test is shorter than 253 sessions" in page.texts["active"]
    assert "Not defined: return a year and calmar ratio (shorter than one year)." in caveats(result)


def test_thousands_of_trades_stay_below_seven_megabytes() -> None:
    result = result_of(config_of("relative_momentum", params={"lookback_sessions": 1}, start=date(2003, 1, 2)))
    html = page_of(result)
    assert len(result.books.fills.row) > 3500
    assert len(html.encode()) < MOST_BYTES


def test_a_page_lists_its_newest_moves_and_says_how_many_it_left_out(
    monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    monkeypatch.setattr("backtest.pages.report.MOST_LISTED", 4)
    page = Page(page_of(result))
    assert len(page.tables["trades"][0]) == 1 + 4
    assert "The newest 4 of " in page.texts["trades"]
    assert page.tables["trades"][0][1][0] == f"{result.sessions[result.books.fills.row[-1]]:%Y-%m-%d}"


def test_whole_shares_cash_legs_and_fractional_mixes_are_held_as_they_are() -> None:
    mix = result_of(
        config_of("static_mix", params={"shares": {"growth": 0.7, "small": 0.3}}, shares="whole", rebalance="monthly")
    )
    page = Page(page_of(mix))
    assert "Every rebalance" in page.texts["trades"]
    assert page.tables["trades"][0][1][1] == "30% small caps"
    assert "whole shares" in page.texts["result"]
    assert "Into small" not in page.texts["trades"]


def test_the_prototypes_run_on_real_data(real_data: Path) -> None:
    prices = CsvPrices(source="csv", folder=real_data / "prices")
    data = DataConfig(prices=prices, start=date(2001, 7, 31), end=date(2025, 12, 31), tbill="irx")
    result = run(config_of().model_copy(update={"data": data}), REGISTRY)
    page = Page(render_report(result, CONTEXT))
    assert result.books.equity[-1] == pytest.approx(1324665.935419, rel=1e-9)
    assert (
        headline(result)
        == "Rate cut momentum turned $100,000 into $1.32 million: 11.2% a year, 1.2 points less than QQQ."
    )
    assert page.rows("figures")["Final value"][:4] == ["$1,324,666", "$1,705,263", "$698,954", "$1,039,487"]
    assert page.rows("figures")["Rebalances"][0] == "99"
    assert "16 of 50 moves into small caps beat staying in growth" in page.texts["trades"]
    assert "The test begins inside an easing cycle: the cut of 27 Jun 2001 counts." in caveats(result)
    assert "28 cuts, but only 3 easing cycles began in the test: few independent bets." in caveats(result)
    assert "Holding QQQ and doing nothing would have ended higher, by $380,597." in caveats(result)
    assert page.rows("costs")["0 bps"] == ["$1,461,788", "11.61%"]
    assert list(page.rows("falls"))[1] == "−55.1%"
    assert page.rows("falls")["−55.1%"][:5] == ["2007-10-31", "2009-03-09", "2012-08-17", "339", "870"]


def test_a_ticker_can_be_its_own_leg_on_a_market_of_three_sessions() -> None:
    market = hand_market("2020-01-06", G=[100.0, 110.0, 120.0, 132.0], S=[100.0, 100.0, 100.0, 100.0])
    legs = {"growth": LegConfig(G=1.0), "small": LegConfig(S=1.0)}
    config = config_of(
        "static_mix",
        params={"shares": {"growth": 1.0}},
        legs=legs,
        benchmarks=("G",),
        tbill=None,
        start=date(2020, 1, 6),
    )
    result = run(config, REGISTRY, market=market)
    assert headline(result) == "Rate cut momentum turned $100,000 into $119,940: 19.9% in 3 sessions, the same as G."
    assert pd.Timestamp("2020-01-09") == result.sessions[-1]
    assert Page(page_of(result)).tables["months"][0][1][1] == "19.920"
