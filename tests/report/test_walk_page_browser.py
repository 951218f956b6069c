"""The walk-forward's page in a real browser: drawn, silent, at home on every width; the readouts follow the pointer."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pages import CONTEXT as SINGLE
from pages import HOSTILE
from test_page_browser import browser, opened, requests_of, saved, text
from worlds import rotation_market

from backtest.config import study_from_text
from backtest.pages.charts import label
from backtest.pages.walk import render_walk
from backtest.study.walk_forward import WalkForward, walk_forward
from strategies import REGISTRY

__all__ = ["browser"]

pytestmark = pytest.mark.browser

CONTEXT = dataclasses.replace(SINGLE, hashes={**SINGLE.hashes, "code": "c" * 64})
CONFIG = """
name: small
data: {prices: {source: sample}, start: 2004-06-01, tbill: irx}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
"""
STUDY = """
name: a-walk
base: base.yaml
benchmark: QQQ
grid: {strategy.params.lookback_sessions: [5, 10, 21, 42], strategy.params.threshold: [0.0, 0.02]}
"""
PATHS = "combinatorial: {groups: 5, test_groups: 2, embargo_sessions: 42}"
DRAWN = """
const el = document.getElementById('chart-' + arguments[0]), traces = el.data.map(t => [t.x, t.y].map(v => [...v]));
return { width: el.querySelector('svg').clientWidth, own: el.clientWidth, traces,
         marks: el.querySelectorAll('.scatterlayer path.js-line, .scatterlayer .points path').length };
"""


@cache
def walked(folder: Path, terms: str) -> WalkForward:
    (folder / "base.yaml").write_text(CONFIG, encoding="utf-8", newline="\n")
    written = f"{STUDY}walk_forward: {{train_years: 1, {terms}}}\n"
    study = study_from_text(written, str(folder / "study.yaml"), strategies=REGISTRY)
    return walk_forward(study, REGISTRY, market=rotation_market(5, 700))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return saved(folder, render_walk(walked(folder, PATHS), CONTEXT))


def drawn(browser: Any, chart: str) -> list[list[Any]]:
    """The traces of a chart that fills its place and has marks."""
    found = browser.execute_script(DRAWN, chart)
    assert found["width"] == found["own"] > 0, chart
    assert found["marks"] >= len(found["traces"]) > 0, chart
    return list(found["traces"])


@pytest.mark.parametrize(("width", "is_dark"), [(390, False), (390, True), (1440, False), (1440, True)])
def test_it_is_drawn_silent_and_no_wider_than_the_screen(browser: Any, page: str, width: int, is_dark: bool) -> None:
    opened(browser, page, width, is_dark=is_dark)
    for chart, count in {"curve": 3, "drift": 3, "paths": 4 + 2, "strips": 2 * 3}.items():
        traces = drawn(browser, chart)
        assert len(traces) == count
        for _, y in traces:
            known = [value for value in y if value is not None]
            assert len(known) > 0
            assert all(isinstance(value, int | float) for value in known), chart  # NaN comes as None, Infinity too
    assert browser.get_log("browser") == []
    assert requests_of(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 22, 26)") == is_dark


def test_the_charts_draw_what_the_walk_forward_found(browser: Any, page: str, folder: Path) -> None:
    walk = walked(folder, PATHS)
    assert walk.paths is not None
    opened(browser, page)
    days, curve = drawn(browser, "curve")[-1]  # the account is drawn last, in front
    assert curve[0] == 1.0
    assert days[0] == f"{walk.sessions[0]:%Y-%m-%d}"  # not before the first choice
    assert curve[-1] == pytest.approx(walk.equity[-1] / walk.equity[0], abs=1e-4)
    assert None not in curve
    paths = drawn(browser, "paths")
    ends = sorted(walk.paths.equity[:, -1] / 100_000)
    assert [y[-1] for _, y in paths[:4]] == pytest.approx(ends, abs=1e-4)
    assert paths[-1][1][-1] == pytest.approx(walk.paths.benchmark[-1] / 100_000, abs=1e-4)
    assert None not in paths[0][1]
    strips = drawn(browser, "strips")
    assert strips[0][0] == pytest.approx(walk.paths.values("information_ratio").tolist(), abs=1e-5)
    ranks = drawn(browser, "drift")[-1][1]
    assert ranks == pytest.approx([choice.rank for choice in walk.choices], abs=1e-4)


def test_no_text_of_a_chart_is_cut_or_tiny(browser: Any, page: str) -> None:
    for width in (390, 1440):
        opened(browser, page, width)
        cut = browser.execute_script(
            "return [...document.querySelectorAll('.chart')].flatMap(c => { const b = c.getBoundingClientRect();"
            "return [...c.querySelectorAll('text')].filter(t => t.textContent.trim()).filter(t => {"
            "const r = t.getBoundingClientRect(); return r.left < b.left - 1 || r.right > b.right + 1 ||"
            "r.top < b.top - 2 || r.bottom > b.bottom + 2 || parseFloat(getComputedStyle(t).fontSize) < 10.5; })"
            ".map(t => c.id + ': ' + t.textContent); })"
        )
        assert cut == []


def test_the_theme_switches_and_the_charts_with_it(browser: Any, page: str) -> None:
    opened(browser, page)
    colour = "return document.querySelector('#chart-curve').data[1].line.color"  # the benchmark: ink
    look = [browser.execute_script(colour)]
    for _ in range(3):
        browser.execute_script("document.getElementById('theme').click()")
        look.append(browser.execute_script(colour))
        paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(20, 22, 26)") == (text(browser, "theme") == "Theme: dark")
    assert look == ["#1b1d22", "#1b1d22", "#ece9e3", "#1b1d22"]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("chart", ["curve", "paths"])
def test_the_readout_is_the_legend_and_follows_keyboard_and_pointer(browser: Any, page: str, chart: str) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, page)
    last, read = text(browser, f"read-{chart}"), f"read-{chart}"
    assert {"curve": "walk-forward", "paths": "best in sample"}[chart] in last
    assert "QQQ" in last
    element = browser.find_element("id", f"chart-{chart}")
    element.send_keys(Keys.HOME)
    first = text(browser, read)
    assert first.count("1.00×") >= 3
    moved = f"document.getElementById('chart-{chart}').dispatchEvent(new PointerEvent('pointermove', {{clientX: 700}}))"
    browser.execute_script(moved)
    assert text(browser, read) not in (first, last)
    leave = "dispatchEvent(new PointerEvent('pointerleave', {pointerType: 'mouse'}))"
    browser.execute_script(f"document.getElementById('chart-{chart}').{leave}")
    assert text(browser, read) == last


def test_without_paths_there_is_no_section_of_them(browser: Any, folder: Path, tmp_path: Path) -> None:
    walk = walked(folder, "anchored: true, plateau: true, purge_sessions: 5, embargo_sessions: 3")
    opened(browser, saved(tmp_path, render_walk(walk, CONTEXT)), 390)
    assert browser.execute_script("return document.getElementById('paths')") is None
    assert None not in drawn(browser, "curve")[-1][1]
    words = browser.execute_script("return document.querySelector('main').textContent")
    assert "the best neighbourhood by active Sharpe over all years before" in words
    assert (
        "The last 5 sessions before a choice are not looked at, and a choice is acted upon 3 sessions later." in words
    )
    assert browser.get_log("browser") == []


def test_names_are_shown_and_never_run(browser: Any, page: str, folder: Path, tmp_path: Path) -> None:
    path = Path(page.removeprefix("file://"))
    body, rest = path.read_text(encoding="utf-8").split('id="chart-data">', 1)
    chart_data, tail = rest.split("</script>", 1)
    data = json.loads(chart_data)
    data["charts"]["curve"]["readout"][1]["name"] = HOSTILE
    for chart in ("drift", "strips"):
        for title in data["charts"][chart]["layout"]["annotations"]:
            title["text"] = label(HOSTILE)
    data["charts"]["drift"]["says"] = HOSTILE
    hostile = json.dumps(data).replace("<", "\\u003c")
    opened(browser, saved(tmp_path, f'{body}id="chart-data">{hostile}</script>{tail}'), 390)
    assert HOSTILE in text(browser, "read-curve")
    assert browser.execute_script("return document.scripts.length") == 3
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.get_log("browser") == []
