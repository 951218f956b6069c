"""The comparison page: the study's own numbers at their digits, the picture of luck, and no name that can do harm."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.config import Config, config_from_text
from backtest.data import load_market
from backtest.pages.charts import coded
from backtest.pages.comparison import render_comparison
from backtest.pages.comparison.effect import FEWEST_LEVELS, grid_of
from backtest.pages.comparison.marks import DOTS_WIDTH, dot_picture, interval_mark
from backtest.pages.comparison.ranking import MOST_SHOWN, places_shown, short_labels
from backtest.pages.comparison.score import answers
from backtest.pages.shell import PageContext
from backtest.study.compare import compare
from backtest.study.comparison import Comparison
from backtest.text import filled_dots
from strategies import REGISTRY

CONTEXT = PageContext(hash8="0123abcd", hashes={"question": "ab" * 32})
LOOKBACKS, THRESHOLDS = (21, 63, 126), (0.0, 0.02)
HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=2</script>",
    "\"quoted\" & 'single'",
    "<b>bold</b> &lt;",
)


def config(strategy: str, **params: Any) -> Config:
    """Two funds on the simulated sample, short enough to be quick."""
    listed = ", ".join(f"{key}: {value}" for key, value in params.items())
    text = f"""
        name: test
        data: {{prices: {{source: sample}}, start: 2014-01-02, end: 2020-12-31, tbill: {{annual: 0.01}}}}
        legs: {{growth: {{QQQ: 1}}, small: {{IWM: 1}}}}
        strategy: {{name: {strategy}, params: {{{listed}}}}}
        execution: {{commission_bps: 1, slippage_bps: 4}}
        benchmarks: [QQQ, IWM, {{static_mix: 0.5}}]
    """
    return config_from_text(re.sub(r"^        ", "", text, flags=re.MULTILINE), strategies=REGISTRY)


def sweep() -> dict[str, Config]:
    """Three lookbacks by two thresholds."""
    grid = product(LOOKBACKS, THRESHOLDS)
    return {f"back {a}, gap {b:g}": config("relative_momentum", lookback_sessions=a, threshold=b) for a, b in grid}


def compared(variants: Mapping[str, Config]) -> Comparison:
    """A study of them on one market."""
    market = load_market(next(iter(variants.values())), offline=True)
    return compare(variants, name="sweep", strategies=REGISTRY, benchmark="QQQ", market=market)


def renamed(comparison: Comparison, names: Sequence[str]) -> Comparison:
    """The same study under other names, in the verdict too."""
    old, new = comparison.names[comparison.best], names[comparison.best]
    verdict = comparison.verdict
    told = replace(
        verdict,
        headline=verdict.headline.replace(old, new),
        sentences=tuple(sentence.replace(old, new) for sentence in verdict.sentences),
    )
    variants = tuple(
        replace(variant, name=name, statistics=replace(variant.statistics, name=name))
        for variant, name in zip(comparison.variants, names, strict=True)
    )
    return replace(comparison, variants=variants, verdict=told, terms_of=names[0])


def grown(comparison: Comparison, count: int) -> Comparison:
    """The study with its variants over and over again, each a little different, up to `count` of them."""
    n = len(comparison.variants)
    of = [k % n for k in range(count)]
    drift = 1.0 + 1e-5 * np.arange(count)[:, None] * np.arange(comparison.equity.shape[1])
    differences, years = comparison.differences, comparison.years
    many = replace(
        comparison,
        variants=tuple(comparison.variants[k] for k in of),
        equity=comparison.equity[of] * drift,
        correlation=comparison.correlation[np.ix_(of, of)],
        order=tuple(range(count)),
        years=replace(years, returns=years.returns[of]),
        differences=replace(
            differences, values={key: tuple(values[k] for k in of) for key, values in differences.values.items()}
        ),
        effect=None,
    )
    return renamed(many, [f"variant {k} of {count}" for k in range(count)])


@cache
def swept() -> Comparison:
    """The study of all tests here and in the browser, made once."""
    return compared(sweep())


def hostile_names(count: int) -> list[str]:
    """Names that would like to run, or at least to be markup."""
    return [f"{HOSTILE[k % len(HOSTILE)]} {k}" for k in range(count)]


@pytest.fixture(scope="session")
def study() -> Comparison:
    return swept()


@pytest.fixture(scope="session")
def page(study: Comparison) -> str:
    return render_comparison(study, CONTEXT)


class Tables(HTMLParser):
    """Rows of text of each table with an id; a cell is what a reader sees of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.table: str | None = None
        self.is_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.table = dict(attrs).get("id")
            self.rows.setdefault(self.table or "", [])
        elif tag == "tr" and self.table:
            self.rows[self.table].append([])
        elif tag in ("td", "th") and self.table:
            self.rows[self.table][-1].append("")
            self.is_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.is_cell = self.is_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.table and self.is_cell:
            self.rows[self.table][-1][-1] += data


def tables(page: str) -> dict[str, list[list[str]]]:
    return Tables(page[: page.index('<script type="application/json"')]).rows


def chart_data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def printed(value: float, digits: int, sign: str = "") -> str:
    text = f"{value:{sign}.{digits}f}"
    return text.replace("-", "−") if float(text) else text.strip("+-")


def test_every_number_of_the_table_is_the_studys_at_its_digits(study: Comparison, page: str) -> None:
    rows = {row[0]: row[1:] for row in tables(page)["variants"][1:]}
    for variant in study.variants:
        own, metrics = variant.statistics, variant.metrics
        assert own.timing is not None
        numbers = [cell.strip() for cell in rows[variant.name] if cell.strip()]
        assert numbers == [
            printed(own.sharpe.value, 2),
            printed(100 * own.cagr_difference.value, 1, "+"),
            printed(100 * own.timing.difference.value, 1, "+"),
            printed(own.p, 2),
            printed(own.dsr, 2),
            *[printed(100 * float(metrics[key] or 0), 1) for key in ("cagr", "volatility")],
            printed(float(metrics["sharpe"] or 0), 2),
            printed(100 * float(metrics["max_drawdown"] or 0), 1),
            printed(100 * float(metrics["exposure_small"] or 0), 0),
            printed(float(metrics["turnover_annual"] or 0), 1) + "×",
        ]


def test_benchmarks_stand_below_and_are_no_rows_to_sort(study: Comparison, page: str) -> None:
    foot = page[page.index("<tfoot>") : page.index("</tfoot>")]
    assert [study.benchmarks[k].label in foot for k in range(3)] == [True] * 3
    assert "data-i" not in foot
    last = tables(page)["variants"][-3:]
    difference = float(study.benchmarks[1].metrics["cagr"] or 0) - float(study.benchmarks[0].metrics["cagr"] or 0)
    assert last[0][4].strip() == ""
    assert last[1][4] == printed(100 * difference, 1, "+")


def test_rows_stand_by_active_sharpe_ratio_the_best_first(study: Comparison, page: str) -> None:
    names = [row[0] for row in tables(page)["variants"][1:-3]]
    ranked = sorted(study.variants, key=lambda variant: -variant.statistics.sharpe.value)
    assert names == [variant.name for variant in ranked]
    assert names[0] == study.names[study.best]


def test_as_many_dots_are_filled_as_the_text_says(study: Comparison, page: str) -> None:
    filled = filled_dots(study.search.no_skill.p)
    assert page.count('<circle class="full"') == filled
    assert page.count('<circle class="full"') + page.count('<circle class="empty"') == 50
    assert f"{filled} of 50" in page[: page.index("</figure>")]
    assert chart_data(page)["charts"]["luck"]["sel"][0]["data"][0]["marker"]["color"].count("@ink") == filled
    assert f"looks this good in {round(100 * study.search.no_skill.p)} of 100" in study.verdict.sentences[0]


@given(
    dots=st.lists(st.floats(-2, 2), min_size=50, max_size=50).map(sorted),
    best=st.floats(-2, 2),
    filled=st.integers(0, 50),
)
def test_filled_dots_stand_right_of_the_best_and_empty_ones_left(dots: list[float], best: float, filled: int) -> None:
    svg = dot_picture(np.array(dots), filled, best, 5)
    at = float(re.search(r'class="best" x1="([\d.]+)"', svg)[1])  # type: ignore[index]
    full = [float(x) for x in re.findall(r'class="full" cx="([-\d.]+)"', svg)]
    empty = [float(x) for x in re.findall(r'class="empty" cx="([-\d.]+)"', svg)]
    assert (len(full), len(empty)) == (filled, 50 - filled)
    assert all(x > at for x in full)
    assert all(x < at for x in empty)
    assert 0 <= at <= DOTS_WIDTH


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.1, 9))
def test_a_mark_never_leaves_its_cell(value: float, low: float, width: float) -> None:
    svg = interval_mark(value, (low, low + width), (-1.0, 2.0))
    places = [float(x) for x in re.findall(r'(?:x1|x2|cx)="([-\d.]+)"', svg)]
    assert all(3 <= x <= 59 for x in places)


def test_verdict_cautions_and_trials_stand_on_top(study: Comparison) -> None:
    told = replace(study, cautions=("Not the same costs everywhere.",))
    page = render_comparison(told, CONTEXT).replace("\N{NO-BREAK SPACE}", " ")
    first_screen = page[: page.index('<section id="luck"')]
    for sentence in (*study.verdict.sentences, "Not the same costs everywhere.", "Simulated data."):
        assert sentence in first_screen
    assert f"corrected for {study.search.trials} trials" in first_screen
    assert f"Simulated prices: {study.verdict.headline}" in first_screen
    assert first_screen.count('<a href="#') >= 5


def test_the_five_questions_are_answered_by_the_numbers(study: Comparison) -> None:
    asked = answers(study)
    assert [answer.target for answer in asked] == ["luck", "luck", "timing", "picking", "meters"]
    best = study.variants[study.best]
    assert printed(100 * best.statistics.cagr_difference.value, 1, "+") in asked[0].number
    expected = (
        "yes" if best.statistics.sharpe.interval[0] > 0 else "no" if best.statistics.sharpe.value <= 0 else "open"
    )
    assert asked[0].kind == expected


@pytest.mark.parametrize(
    ("p", "dsr", "kind"), [(0.01, 0.97, "yes"), (0.6, 0.2, "no"), (0.01, 0.5, "yes"), (0.07, 0.99, "open")]
)
def test_luck_is_excluded_by_the_search_alone(study: Comparison, p: float, dsr: float, kind: str) -> None:
    best = study.variants[study.best]
    planted = replace(best, statistics=replace(best.statistics, dsr=dsr))
    variants = tuple(planted if variant is best else variant for variant in study.variants)
    search = replace(study.search, no_skill=replace(study.search.no_skill, p=p))
    assert answers(replace(study, variants=variants, search=search))[1].kind == kind


def test_a_strategy_without_meters_is_said_to_have_none(study: Comparison) -> None:
    best = study.variants[study.best]
    variants = tuple(replace(variant, luck=None) if variant is best else variant for variant in study.variants)
    bare = replace(study, variants=variants)
    assert answers(bare)[-1].word == "Not known"
    page = render_comparison(bare, CONTEXT)
    assert "This variant trades in its own code" in page
    assert all(chart_data(page)["charts"][name]["sel"][0] == {"isEmpty": 1} for name in ("starts", "delays", "costs"))


def test_curves_are_weekly_end_on_the_last_session_and_do_not_drift(study: Comparison, page: str) -> None:
    data = chart_data(page)
    days = np.datetime64(data["first"]) + np.cumsum([0, *data["gaps"]])
    sessions = study.sessions.to_numpy().astype("datetime64[D]")
    assert (days[0], days[-1]) == (sessions[0], sessions[-1])
    assert max(data["gaps"]) <= 11
    assert page.count(str(days[0])) < 12, "dates stand once, not with each curve"
    rows = np.searchsorted(sessions, days)
    for k, place in enumerate(places_shown(study)):
        shown = np.cumsum(data["arrays"][f"curve{k}"]["log"]) * 1e-4
        true = np.log(study.equity[place, rows] / study.equity[place, 0])
        assert np.abs(shown - true).max() <= 0.5001e-4


def test_the_coding_keeps_the_sum_of_what_was_rounded() -> None:
    equity = np.exp(np.array([0.0, 0.00014, 0.00028, 0.00042]))
    assert coded(equity, np.arange(4)) == {"log": [0, 1, 2, 1]}  # 1.4, 2.8, 4.2 rounded to 1, 3, 4


def test_the_parts_add_up_to_the_difference(study: Comparison, page: str) -> None:
    for chosen, place in zip(chart_data(page)["charts"]["parts"]["sel"], places_shown(study), strict=True):
        (bars,) = chosen["data"]
        *parts, together = bars["x"]
        assert bars["y"][-1] == "together"
        assert sum(parts) == pytest.approx(together, abs=1e-2)
        assert together == pytest.approx(100 * study.variants[place].statistics.cagr_difference.value, abs=1e-4)
        ends = [base + size for base, size in zip(bars["base"], bars["x"], strict=True)]
        assert bars["base"] == pytest.approx([0.0, *ends[:-2], 0.0])


def test_years_are_differences_and_empty_where_there_is_none(study: Comparison) -> None:
    years = study.years
    returns = years.returns.copy()
    place = places_shown(study)[1]
    returns[place, 0] = years.benchmarks[0][0]
    returns[place, 1] = years.benchmarks[0][1] + 0.031
    page = render_comparison(replace(study, years=replace(years, returns=returns)), CONTEXT)
    row = tables(page)["years"][3]
    assert row[:3] == [study.names[place], "", "3.1"]
    assert len(row) == 1 + len(years.years)


def test_what_follows_the_selection_is_the_best_variants_until_then(page: str) -> None:
    words = chart_data(page)["words"][0]
    shown = [row[1:] for row in tables(page)["lines"][1:]]
    assert shown == words["lines"]
    assert all(line[2].endswith(".") for line in shown), "a sentence beside each number"


STATISTICS = (
    "Probabilistic Sharpe ratio",
    "Deflated Sharpe ratio",
    "Minimum track record",
    "Overfitting probability",
    "reality check, p",
    "SPA, p; bounds",
    "Stepwise test (StepM",
    "Model confidence set, p",
    "Equal Sharpe ratios (Ledoit and Wolf)",
    "95% interval",
)


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_of_the_study_has_its_place(page: str, name: str) -> None:
    assert name in page


def test_the_breakeven_cost_is_told(study: Comparison, page: str) -> None:
    best = study.variants[study.best].luck
    assert best is not None
    cost = best.breakeven_bps
    told = chart_data(page)["words"][0]["meter-costs"]
    assert ("behind QQQ even at none" if cost is None else f"level with QQQ at {printed(cost, 1)} bps") in told


def test_the_grid_has_each_cell_its_neighbourhood_and_its_plateau(study: Comparison) -> None:
    grid = grid_of(study)
    assert grid is not None
    assert (grid.columns, grid.rows) == (["21", "63", "126"], ["0", "0.02"])
    sharpe = np.array([variant.statistics.sharpe.value for variant in study.variants]).reshape(3, 2).T
    np.testing.assert_array_equal(grid.sharpe.cell[0], sharpe)
    assert grid.sharpe.mean[0, 0, 0] == pytest.approx(sharpe[:, :2].mean())
    assert grid.sharpe.mean[0, 1, 1] == pytest.approx(sharpe.mean())
    assert grid.sharpe.worst[0, 0, 2] == sharpe[:, 1:].min()
    assert grid.sharpe.centre[2] == 1, "the middle column: an edge has fewer neighbours and wins too easily"
    assert not grid.apart[grid.places == study.best].any(), "the best cannot be told from itself"


def test_two_values_are_no_grid(study: Comparison) -> None:
    assert study.effect is not None
    levels = {key: values[: FEWEST_LEVELS - 1] for key, values in study.effect.levels.items()}
    assert grid_of(replace(study, effect=replace(study.effect, levels=levels))) is None


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_variants_make_a_page(count: int) -> None:
    few = compared(dict(list(sweep().items())[:count]))
    page = render_comparison(few, CONTEXT)
    assert few.search.overfitting is None
    assert "logits" not in chart_data(page)["charts"]
    assert 'id="chart-logits"' not in page
    assert ('id="configs"' in page) == (count > 1)
    assert ("corrected for 1 looks" in page, "best of 1 " in page) == (False, False)


def test_too_little_history_for_picks_leaves_the_overfitting_alone(study: Comparison) -> None:
    page = render_comparison(replace(study, walk_forward=None), CONTEXT)
    assert 'id="chart-logits"' in page
    assert "each January" not in page


def test_the_same_study_gives_the_same_bytes(study: Comparison, page: str) -> None:
    assert render_comparison(study, CONTEXT) == page


def test_nothing_is_loaded_and_only_the_two_scripts_may_run(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"sha256-([^&']+)", policy[1].replace("&#39;", "'")) == hashes
    assert policy[1].startswith("default-src &#39;none&#39;")
    own = page.replace(scripts[0], "")
    assert not re.search(r"https?:|//[a-z]+\.|@import|<link(?! rel=\"icon\" href=\"data:,\")", own)


def test_hostile_names_are_text_and_nothing_else(study: Comparison) -> None:
    names = hostile_names(len(study.variants))
    page = render_comparison(renamed(study, names), CONTEXT)
    assert "<img" not in page.split("<script>")[0]
    assert page.count("</script>") == 3
    assert chart_data(page)["names"] == [names[k] for k in places_shown(study)]
    assert tables(page)["variants"][1][0] == names[study.best]


def test_200_variants_stay_far_below_15_megabytes(study: Comparison) -> None:
    page = render_comparison(grown(study, 200), CONTEXT)
    assert len(page.encode()) < 9_000_000
    assert len(tables(page)["variants"]) == 1 + 200 + 3
    assert len(chart_data(page)["names"]) == 200


def test_of_more_the_best_are_shown_and_the_page_says_so(study: Comparison) -> None:
    page = render_comparison(grown(study, MOST_SHOWN + 30), CONTEXT)
    assert len(chart_data(page)["names"]) == MOST_SHOWN
    assert f"The {MOST_SHOWN} with the highest active Sharpe ratio of {MOST_SHOWN + 30}" in page
    assert f"{MOST_SHOWN + 30} variants against QQQ" in page


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=8, unique=True))
def test_short_labels_tell_the_variants_apart(names: list[str]) -> None:
    assert len(set(short_labels(names))) == len(names)
