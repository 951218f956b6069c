"""The comparison page in a real browser: it draws, sorts, selects and fits, asks for nothing, and no name does harm."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_comparison_page import CONTEXT, grown, hostile_names, renamed, swept
from work import wait_until

from backtest.pages.comparison import render_comparison
from backtest.study.comparison import Comparison

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
DESKTOP, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium and chromedriver")
        pytest.skip("no chromium or chromedriver on the path")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def hostile() -> Comparison:
    """Every variant under a name that would like to run."""
    return renamed(swept(), hostile_names(len(swept().variants)))


@pytest.fixture(scope="module")
def page_file(hostile: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "comparison.html"
    path.write_text(render_comparison(hostile, CONTEXT), encoding="utf-8", newline="\n")
    return path


def opened(browser: Any, path: Path, size: tuple[int, int] = DESKTOP) -> Any:
    """The page, loaded, in a window of this size; the logs are those of this load."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(path.as_uri())
    until(browser, "return document.documentElement.dataset.ready === '1'")
    return browser


def until(browser: Any, script: str) -> None:
    """Wait for a script to return true."""
    wait_until(lambda: browser.execute_script(script))


def draw_all(browser: Any) -> None:
    """Bring every chart to the screen, one after the other."""
    browser.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    for name in browser.execute_script("return [...document.querySelectorAll('.chart')].map(el => el.id)"):
        browser.execute_script(f"document.getElementById('{name}').scrollIntoView({{block: 'center'}})")
        until(browser, f"return !!document.querySelector('#{name} .main-svg')")


def complaints(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


def requests(browser: Any) -> list[str]:
    """Addresses asked for by the page, beside itself and what is inside it."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("file:", "data:", "blob:"))]


def see(browser: Any, chart: str) -> None:
    """Bring a chart to the screen and let it be drawn there."""
    browser.execute_script(f"document.getElementById('chart-{chart}').scrollIntoView({{block: 'center'}})")
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 50))")


def curve(browser: Any) -> Any:
    """The last point of the curve in front."""
    see(browser, "time")
    return browser.execute_script("return document.getElementById('chart-time').data.at(-1).y.at(-1)")


@pytest.fixture(scope="module")
def drawn(browser: Any, page_file: Path) -> Any:
    """The page with all its charts, loaded once; `fresh` brings it back to how it opens."""
    opened(browser, page_file)
    draw_all(browser)
    return browser


@pytest.fixture
def fresh(drawn: Any) -> Any:
    drawn.execute_script(
        """document.querySelectorAll('.keep:checked').forEach(box => box.click());
        document.querySelector('#variants [data-i="0"] button').click();
        document.querySelector('[data-value=relative]').click()"""
    )
    return drawn


def test_every_chart_is_drawn_in_silence(drawn: Any) -> None:
    counted = "return [...document.querySelectorAll('.chart')].map(el => el.data.flatMap(t => t.z || t.x).length)"
    assert min(drawn.execute_script(counted)) > 0
    assert complaints(drawn) == []
    assert requests(drawn) == []


def test_hostile_names_are_only_shown(fresh: Any, hostile: Comparison) -> None:
    for k in range(len(hostile.variants)):
        fresh.execute_script(f"document.querySelector('#variants [data-i=\"{k}\"] button').click()")
    assert fresh.execute_script("return window.hacked") is None
    assert fresh.execute_script("return document.querySelectorAll('img').length") == 0
    see(fresh, "luck")
    labels = fresh.execute_script(
        "const text = document.createElement('textarea');"
        "return JSON.parse(document.querySelector('#chart-data').textContent).charts.luck.layout.yaxis.ticktext"
        ".map(label => { text.innerHTML = label; return text.value; })"
    )
    text = fresh.execute_script("return document.querySelector('#chart-luck').textContent")
    assert len(labels) == len(hostile.variants)
    plain = " ".join(text.split())
    assert [label for label in labels if " ".join(label.split()) not in plain] == [], "plotly took a name for markup"


def test_a_header_sorts_and_the_benchmarks_stay_below(fresh: Any) -> None:
    k = fresh.execute_script("return document.querySelector('[data-key=volatility]').cellIndex")
    column = f"return [...document.querySelectorAll('#variants tbody tr')].map(r => +r.cells[{k}].dataset.v)"
    for is_falling in (False, True):
        fresh.execute_script("document.querySelector('[data-key=volatility] button').click()")
        values = fresh.execute_script(column)
        assert values == sorted(values, reverse=is_falling)
    state = fresh.execute_script("return document.querySelector('[data-key=volatility]').getAttribute('aria-sort')")
    assert state == "descending"
    assert fresh.execute_script("return document.querySelector('#variants').tFoot.rows.length") == 3


def test_the_filter_counts_what_it_leaves(fresh: Any) -> None:
    fresh.execute_script("const f = document.querySelector('#filter'); f.value = 'BOLD'; f.oninput()")
    left = "return [...document.querySelectorAll('#variants tbody tr')].filter(r => !r.hidden).length"
    assert fresh.execute_script(left) == 1
    assert fresh.execute_script("return document.querySelector('#count').textContent") == "1 of 6 shown"
    fresh.execute_script("const f = document.querySelector('#filter'); f.value = ''; f.oninput()")


DOWN = "new KeyboardEvent('keydown', {key: 'ArrowDown', bubbles: true})"
CHOICES = {
    "row": "document.querySelector('#variants [data-i=\"3\"]').click()",
    "chip": "document.querySelector('.chips [data-i=\"3\"]').click()",
    "year": "document.querySelector('#years [data-i=\"3\"]').click()",
    "list": "const p = document.querySelector('#pick'); p.value = 3; p.dispatchEvent(new Event('change'))",
    "keyboard": f"for (let k = 0; k < 3; k++) document.querySelector('#chart-time').dispatchEvent({DOWN})",
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_a_choice_changes_every_chart_and_text(fresh: Any, choose: str) -> None:
    sizes = "return document.getElementById('chart-parts').data[0].x"
    before = curve(fresh), fresh.execute_script(sizes)
    fresh.execute_script(choose)
    assert curve(fresh) != before[0]
    see(fresh, "parts")
    assert fresh.execute_script(sizes) != before[1]
    name = fresh.execute_script("return document.querySelector('#variants [data-i=\"3\"] button').textContent")
    chosen = fresh.execute_script("return [...document.querySelectorAll('[data-name]')].map(el => el.textContent)")
    assert set(chosen) == {name}
    assert fresh.execute_script("return document.querySelector('#pick').value") == "3"
    assert fresh.execute_script("return document.querySelectorAll('tr.sel[data-i=\"3\"]').length") == 3
    line = fresh.execute_script("return document.querySelector('#lines tbody td').textContent")
    assert line == fresh.execute_script(
        "return document.querySelector('#variants [data-i=\"3\"]').cells[2].textContent"
    )
    assert complaints(fresh) == []


def test_a_click_on_a_curve_selects_it(fresh: Any) -> None:
    fresh.execute_script("document.querySelector('#variants [data-i=\"2\"] button').click()")
    see(fresh, "time")
    place = fresh.execute_script(
        """const el = document.querySelector('#chart-time'), y = el._fullLayout.yaxis, box = el.getBoundingClientRect();
        const v = el.data.at(-1).y, k = Math.floor(v.length * .7);
        return [box.left + el._fullLayout.xaxis.d2p(el.data.at(-1).x[k]) + 46, box.top + y.d2p(v[k]) + 8]"""
    )
    fresh.execute_script("document.querySelector('#variants [data-i=\"0\"] button').click()")
    where = f"{{bubbles: true, clientX: {place[0]}, clientY: {place[1]}}}"
    fresh.execute_script(f"document.querySelector('#chart-time').dispatchEvent(new MouseEvent('click', {where}))")
    assert fresh.execute_script("return document.querySelector('#pick').value") == "2"


def test_four_are_kept_in_view_each_in_its_own_colour(fresh: Any) -> None:
    fresh.execute_script(
        "document.querySelectorAll('#variants .keep').forEach(box => box.closest('.sel') || box.click())"
    )
    assert fresh.execute_script("return document.querySelectorAll('.keep:checked').length") == 4
    assert fresh.execute_script("return document.querySelectorAll('.keep:disabled').length") == 2
    see(fresh, "time")
    front = fresh.execute_script("return document.querySelector('#chart-time').data.slice(-5).map(t => t.line.color)")
    assert len(set(front)) == 5


def test_views_themes_and_print_redraw_without_a_complaint(fresh: Any) -> None:
    ends = []
    for view in ("value", "fall", "relative"):
        fresh.execute_script(f"document.querySelector('[data-value={view}]').click()")
        ends.append(curve(fresh))
    assert len(set(ends)) == 3
    see(fresh, "logits")
    ink = fresh.execute_script("return document.querySelector('#chart-logits').data[0].marker.color[0]")
    fresh.execute_script("document.querySelector('#theme').click(); document.querySelector('#theme').click()")
    dark = fresh.execute_script("return document.querySelector('#chart-logits').data[0].marker.color[0]")
    assert dark != ink
    fresh.execute_script("document.querySelectorAll('[data-view=grid]').forEach(b => b.click())")
    fresh.execute_script("dispatchEvent(new Event('beforeprint'))")
    fresh.execute_script("dispatchEvent(new Event('afterprint'))")
    assert complaints(fresh) == []


def test_the_page_is_no_wider_than_a_large_screen(fresh: Any) -> None:
    assert fresh.execute_script("return document.documentElement.scrollWidth") <= DESKTOP[0]


def test_the_page_is_no_wider_than_a_phone(browser: Any, page_file: Path) -> None:
    opened(browser, page_file, PHONE)
    draw_all(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    assert complaints(browser) == []


@pytest.mark.slow
def test_200_variants_fit_a_phone_and_a_selection_is_shown_by_the_click_itself(
    browser: Any, hostile: Comparison, tmp_path: Path
) -> None:
    path = tmp_path / "many.html"
    path.write_text(render_comparison(grown(hostile, 200), CONTEXT), encoding="utf-8", newline="\n")
    opened(browser, path, PHONE)
    draw_all(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    shown = browser.execute_script(
        "document.querySelector('#variants [data-i=\"150\"] button').click();"
        "return [document.querySelector('#pick').value, document.querySelectorAll('#variants .sel').length]"
    )
    assert shown == ["150", 1]
    assert complaints(browser) == []
