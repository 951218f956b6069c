"""The page in a real browser: drawn, silent, at home on every width, and deaf to what it should not run."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pages import config_of, hostile_result, page_of, result_of
from work import wait_until

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CHARTS = ("chart-equity", "chart-active", "chart-why")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium with its own driver; without one the tests skip, but fail where CI=true."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        missing = "no Chromium with chromedriver on the path"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(program)
    for argument in QUIET:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("report"), page_of(result_of(config_of(start=date(2007, 1, 3)))))


def saved(folder: Path, html: str) -> str:
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8", newline="\n")
    return path.as_uri()


def opened(browser: Any, address: str, width: int = 1440, *, is_dark: bool = False, has_script: bool = True) -> Any:
    """The page, drawn at this width; what was logged before is forgotten."""
    browser.get("about:blank")
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 640}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not has_script})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(address)
    if has_script:
        wait_until(lambda: browser.execute_script("return document.documentElement.dataset.ready") == "1")
    return browser


def requests_of(browser: Any) -> list[str]:
    """Addresses that the page asked for, but for files and data."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in asked if not url.startswith(("file:", "data:", "about:"))]


def text(browser: Any, name: str) -> str:
    return str(browser.execute_script(f"return document.getElementById('{name}').textContent"))


@pytest.mark.parametrize(("width", "is_dark"), [(390, True), (1024, False), (1440, False), (1440, True)])
def test_it_is_drawn_whole_silent_and_no_wider_than_the_screen(
    browser: Any, report: str, width: int, is_dark: bool
) -> None:
    opened(browser, report, width, is_dark=is_dark)
    for chart in CHARTS:
        lines = f"return document.querySelectorAll('#{chart} .scatterlayer path.js-line').length"
        assert browser.execute_script(lines) > 0, chart
        drawn = browser.execute_script(f"return document.querySelector('#{chart} svg').clientWidth")
        assert drawn == browser.execute_script(f"return document.getElementById('{chart}').clientWidth") <= width
    assert browser.get_log("browser") == []
    assert requests_of(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 22, 26)") == is_dark


def test_labels_at_the_ends_of_the_lines_do_not_cover_each_other(browser: Any, report: str) -> None:
    opened(browser, report)
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('#chart-equity .annotation text')].map(e => e.getBoundingClientRect())"
        ".map(r => [r.left, r.top, r.right, r.bottom])"
    )
    assert len(boxes) >= 6
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert left >= other[2] or right <= other[0] or top >= other[3] - 4 or bottom <= other[1] + 4


def test_hostile_texts_are_shown_and_never_run(browser: Any, tmp_path: Path) -> None:
    opened(browser, saved(tmp_path, page_of(hostile_result())), 390)
    browser.execute_script(
        "document.querySelector('#chart-equity').dispatchEvent(new PointerEvent('pointermove', {clientX: 200}))"
    )
    assert "<script>alert(1)</script>" in text(browser, "read-equity")
    assert "<script>alert(1)</script>" in text(browser, "read-why")
    assert browser.execute_script("return document.images.length") == 0
    assert browser.execute_script("return document.scripts.length") == 3
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.get_log("browser") == []


def test_the_policy_stops_any_other_script_and_any_request(browser: Any, report: str) -> None:
    opened(browser, report)
    browser.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.intruder = 1'; document.body.append(s);"
        "const i = new Image(); i.src = 'http://localhost:9/x.png'; document.body.append(i);"
    )
    time.sleep(0.2)
    assert browser.execute_script("return window.intruder") is None
    assert len([e for e in browser.get_log("browser") if "Content Security Policy" in e["message"]]) >= 2


def test_the_keyboard_alone_moves_the_cursor_and_the_readout_follows(browser: Any, report: str) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, report)
    chart = browser.find_element("id", "chart-equity")
    last = text(browser, "read-equity")
    chart.send_keys(Keys.ARROW_LEFT)
    one_back = text(browser, "read-equity")
    assert last.startswith("31 Dec 2010")
    assert one_back.startswith("30 Dec 2010")
    chart.send_keys(Keys.HOME)
    assert text(browser, "read-equity").startswith("3 Jan 2007")
    assert "not yet known" in text(browser, "read-active")


def test_a_zoomed_view_starts_every_series_at_the_same_money(browser: Any, report: str) -> None:
    opened(browser, report)
    browser.execute_script("[...document.querySelectorAll('.ranges button')].find(b => b.textContent === '1y').click()")
    chart = browser.find_element("id", "chart-equity")
    chart.send_keys("\ue011")  # Home
    assert text(browser, "read-equity").count("$100,000") == 4


def test_a_drag_with_the_mouse_zooms_every_chart_and_a_double_click_shows_all(browser: Any, report: str) -> None:
    from selenium.webdriver import ActionChains

    opened(browser, report)
    chart = browser.find_element("id", "chart-equity")
    whole = text(browser, "read-equity")
    range_ = "return document.getElementById('chart-{}').layout.xaxis.range"
    before = browser.execute_script(range_.format("why"))
    ActionChains(browser).move_to_element_with_offset(chart, -100, -60).click_and_hold().move_by_offset(
        60, 0
    ).move_by_offset(80, 0).release().perform()
    wait_until(lambda: browser.execute_script(range_.format("why")) != before)
    first, last = browser.execute_script(range_.format("equity"))
    assert [first, last] == browser.execute_script(range_.format("why"))
    assert before[0] < first < last < before[1]
    assert " to " in text(browser, "read-equity")
    browser.execute_script(
        "document.getElementById('chart-equity').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))"
    )
    assert browser.execute_script(range_.format("why")) == before
    browser.execute_script("document.getElementById('chart-equity').dispatchEvent(new FocusEvent('focusout'))")
    assert text(browser, "read-equity") == whole


def test_the_fold_of_more_figures_draws_when_it_is_opened(browser: Any, report: str) -> None:
    opened(browser, report, 390)
    drawn = "return ['rolling', 'legs', 'returns'].map(id => document.querySelectorAll(`#chart-${id} svg`).length > 0)"
    assert browser.execute_script(drawn) == [False, False, False]
    browser.execute_script("document.querySelector('.fold').open = true")
    wait_until(lambda: browser.execute_script(drawn) == [True, True, True])
    assert "beta" in text(browser, "read-rolling")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.get_log("browser") == []


def test_trades_can_be_filtered_sorted_and_shown_whole(browser: Any, report: str) -> None:
    opened(browser, report)
    count = "return [...document.querySelectorAll('#trade-table tbody tr')].filter(r => !r.hidden).length"
    total = browser.execute_script("return document.querySelectorAll('#trade-table tbody tr').length")
    assert browser.execute_script(count) == 15 < total
    browser.execute_script("document.querySelector('.more[data-for=trade-table]').click()")
    assert browser.execute_script(count) == total
    browser.execute_script("document.querySelector('.tools [data-side=leg-1]').click()")
    sides = browser.execute_script(
        "return [...document.querySelectorAll('#trade-table tbody tr:not([hidden])')].map(r => r.dataset.side)"
    )
    assert set(sides) == {"leg-1"}
    browser.execute_script("document.querySelectorAll('#trade-table thead button')[4].click()")
    earned = browser.execute_script(
        "return [...document.querySelectorAll('#trade-table tbody tr:not([hidden])')].map(r => +r.cells[4].dataset.v)"
    )
    assert earned == sorted(earned, reverse=True)


def test_without_scripts_every_table_is_complete(browser: Any, report: str) -> None:
    opened(browser, report, has_script=False)
    tree = browser.execute_cdp_cmd("DOMSnapshot.captureSnapshot", {"computedStyles": ["display"]})
    assert "The charts need JavaScript; every table and figure on this page is complete without it." in tree["strings"]
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.execute_script("return document.querySelectorAll('#trade-table tr[hidden]').length") == 0
    assert browser.execute_script("return getComputedStyle(document.getElementById('chart-equity')).display") == "none"


def test_it_prints_light_from_a_dark_screen_and_comes_back(browser: Any, report: str) -> None:
    opened(browser, report, is_dark=True)
    before = browser.execute_script("return document.getElementById('chart-equity').querySelector('svg').clientWidth")
    browser.execute_script(
        "addEventListener('beforeprint', () => { window.printed = [document.documentElement.dataset.theme,"
        "document.querySelector('#chart-equity svg').clientWidth]; })"
    )
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert browser.execute_script("return window.printed") == ["light", 688]
    after = browser.execute_script("return document.getElementById('chart-equity').querySelector('svg').clientWidth")
    assert after == before
    assert browser.execute_script("return document.documentElement.dataset.theme") is None
    assert browser.get_log("browser") == []
