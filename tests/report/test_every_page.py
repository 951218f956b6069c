"""Every kind of page as the commands write it, in a real browser: its first screen, at a desk and on a phone."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pages import number_of
from sentences import READ, disagreeing
from test_page_browser import browser, opened

from backtest.cli import app

__all__ = ["browser"]

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCREENS = {1440: 900, 390: 844}
YEARS = ("data.start=2003-01-02", "data.end=2012-12-31")
LABELLED = ", ".join(
    f"{fund}: {{{fund}: 1, label: {label}}}"
    for fund, label in {
        "QQQ": "Technology and growth stocks",
        "IWM": "Small companies of all kinds",
        "IWN": "The cheap small companies",
    }.items()
)
OF_THREE = (
    "data.prices={source: sample}",
    f"legs={{{LABELLED}}}",
    "benchmarks=[QQQ, IWM]",
)
GRID = f"""
name: {{name}}
base: {(ROOT / "configs/quickstart.yaml").as_posix()}
benchmark: QQQ
grid:
  strategy.name: [relative_momentum]
  strategy.params.lookback_sessions: {{{{from: 20, to: 120, step: 20}}}}
  strategy.params.threshold: [0.0, 0.01, 0.02, 0.04]
"""
KINDS = {
    "rules": ("run", ROOT / "configs/rules_example.yaml"),
    "three legs": ("run", ROOT / "configs/published/style_winner_of_three.yaml"),
    "comparison": ("compare", ROOT / "configs/study_quickstart.yaml"),
    "sweep": ("sweep", GRID.format(name="a-sweep")),
    "walk-forward": ("walk-forward", GRID.format(name="a-walk") + "walk_forward: {train_years: 3}\n"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> its page, all written into one folder of results by the commands themselves."""
    root = tmp_path_factory.mktemp("results")
    pages = {}
    for kind, (command, given) in {**KINDS, "events": ("events", ROOT / "configs/quickstart.yaml")}.items():
        path = given
        if isinstance(given, str):
            path = tmp_path_factory.mktemp("study") / "study.yaml"
            path.write_text(given, encoding="utf-8", newline="\n")
        before = set(root.glob("*/manifest.json"))
        arguments = [command, str(path), "--out", str(root), "--offline", "--ledger", str(root / "ledger")]
        for override in YEARS + (OF_THREE if kind == "three legs" else ()):
            arguments += ["--set", override]
        with contextlib.redirect_stdout(io.StringIO()):
            app(arguments, standalone_mode=False)
        (manifest,) = set(root.glob("*/manifest.json")) - before
        (pages[kind],) = manifest.parent.glob("*.html")
    return {**pages, "index": root / "index.html"}


def page(browser: Any, results: dict[str, Path], kind: str, width: int, *, is_dark: bool = False) -> Any:
    """The page, drawn on a screen of this width."""
    opened(browser, results[kind].as_uri(), width, is_dark=is_dark)
    screen = {"width": width, "height": SCREENS[width], "deviceScaleFactor": 1, "mobile": width < 640}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    return browser


FIRST_SCREEN = """
const lines = el => {
  const range = document.createRange(), tops = [];
  range.selectNodeContents(el);
  for (const box of range.getClientRects())
    if (box.width > 1 && !tops.some(([top, bottom]) => box.top < bottom - 3 && box.bottom > top + 3))
      tops.push([box.top, box.bottom]);
  return tops.length;
};
const box = el => el.getBoundingClientRect(), picture = document.querySelector("#result svg.dots, .chart");
const all = selector => [...document.querySelectorAll(selector)];
const boxes = selector => all(selector).map(el => [el.textContent, lines(el), box(el).bottom]);
return {
  answer: box(document.querySelector("h1")).bottom, picture: [box(picture).bottom, box(picture).height],
  marks: picture.querySelectorAll("circle, path").length, boxes: boxes(".tiles dl > div, .score a > *"),
  width: document.documentElement.scrollWidth,
};
"""


@pytest.mark.parametrize("width", SCREENS)
@pytest.mark.parametrize("kind", [*KINDS, "events"])
def test_the_answer_the_boxes_and_the_chart_are_on_the_first_screen(
    browser: Any, results: dict[str, Path], kind: str, width: int
) -> None:
    found = page(browser, results, kind, width).execute_script(FIRST_SCREEN)
    height = SCREENS[width]
    assert 0 < found["answer"] < height / 2
    assert found["picture"][0] <= height
    assert found["picture"][1] > 60
    assert found["marks"] > 10
    assert len(found["boxes"]) >= 4
    for text, lines, bottom in found["boxes"]:
        assert lines <= 2, text
        assert bottom <= height, text
    assert found["width"] <= width
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("kind", ["rules", "three legs"])
def test_a_run_says_on_its_first_screen_whether_rotating_helped(
    browser: Any, results: dict[str, Path], kind: str
) -> None:
    page(browser, results, kind, 390)
    said, legs = browser.execute_script(
        "return [document.querySelector('.rotating').textContent,"
        " [...document.querySelectorAll('.tiles dt')].map(e => e.textContent)]"
    )
    assert said.startswith("Did rotating help?")
    assert legs[0].endswith("alone")
    assert "vs its average mix" in legs


MARKED = """
const all = [...document.querySelectorAll("[data-figure]")];
return all.map(el => [el.textContent.trim(), el.dataset.figure, +el.dataset.times]);
"""
UNMARKED = """
return [...document.querySelectorAll("table.figures tbody td:not(.t), table.all tbody td:not(.t)")]
  .filter(el => !el.matches("[data-figure]") && /[0-9]/.test(el.textContent)).map(el => el.textContent.trim());
"""
FEWEST = {
    "rules": (60, 25),
    "three legs": (60, 25),
    "comparison": (60, 90),
    "sweep": (60, 40),
    "walk-forward": (20, 25),
}
"""Figures in tables and boxes, and numbers in sentences."""


def found_in(folder: Path, place: Sequence[str | int]) -> float | None:
    """The figure at a place: a file's name, then keys of its JSON, or row and column of its table."""
    name, *keys = place
    path = folder / str(name)
    if path.suffix == ".csv":
        row, column = keys
        with path.open(encoding="utf-8", newline="") as file:
            text = list(csv.DictReader(file))[int(row)][str(column)]
        return float(text) if text else None
    content = json.loads(path.read_text(encoding="utf-8"))
    for key in keys:
        content = content[key]
    return None if content is None else float(content)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_that_of_the_files_beside_the_page(browser: Any, results: dict[str, Path], kind: str) -> None:
    page(browser, results, kind, 1440)
    marked, unmarked = browser.execute_script(MARKED), browser.execute_script(UNMARKED)
    wrong = []
    for text, source, times in marked:
        figures = [found_in(results[kind].parent, place) for place in json.loads(source)]
        if None in figures or text == "–":
            if text != "–" or None not in figures:
                wrong.append((text, source, figures))
            continue
        expected = times * (figures[0] - sum(figures[1:]))
        side, _, edge = text.rpartition(" ") if text.startswith(("above", "below")) else ("", "", text)
        value, half = number_of(edge)
        is_right = {"": abs(value - expected) <= half + 1e-9, "above": expected > value, "below": expected < value}
        if not is_right[side]:
            wrong.append((text, source, expected))
    assert wrong == []
    assert len(marked) >= FEWEST[kind][0]
    assert unmarked == []
    compared, other, unread = disagreeing(kind, results[kind].parent, browser.execute_script(READ))
    assert (other, unread) == ([], [])
    assert compared >= FEWEST[kind][1]


TOO_FAINT = """
const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgba = text => {
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = text;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = ([r, g, b, a], under) => [r, g, b].map((c, k) => c * a + under[k] * (1 - a));
const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const luminance = color => color.map(v => linear(v / 255)).reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
const ground = el => {
  const layers = [];
  for (let at = el; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((under, color) => over(color, under), [255, 255, 255]);
};
document.querySelectorAll("details").forEach(fold => { fold.open = true; });
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
let seen = 0;
for (let node; (node = texts.nextNode());) {
  const el = node.parentElement, style = getComputedStyle(el), text = node.textContent.trim();
  const range = document.createRange();
  range.selectNode(node);
  const isSeen = el.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const isShown = isSeen && range.getClientRects().length;
  if (!text || text === "■" || el.closest("script, style, noscript, option, .hide") || !isShown) continue;
  const under = ground(el), ink = over(rgba(el instanceof SVGElement ? style.fill : style.color), under);
  const [high, low] = [luminance(ink), luminance(under)].sort((a, b) => b - a), size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || size >= 18.66 && +style.fontWeight >= 600, ratio = (high + .05) / (low + .05);
  seen += 1;
  if (ratio < (isLarge ? 3 : 4.5)) faint.push([text.slice(0, 40), el.className, ratio]);
}
return [seen, faint];
"""


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("kind", [*KINDS, "index"])
def test_every_text_has_the_contrast_that_aa_asks_for(
    browser: Any, results: dict[str, Path], kind: str, is_dark: bool
) -> None:
    page(browser, results, kind, 1440, is_dark=is_dark)
    seen, faint = browser.execute_script(TOO_FAINT)
    assert seen > 60
    assert faint == []


BODY = -1


@pytest.mark.parametrize("kind", [*KINDS, "index"])
def test_the_tab_key_goes_through_the_page_in_its_order(browser: Any, results: dict[str, Path], kind: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page(browser, results, kind, 1440)
    assert browser.execute_script("return document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0
    held = (
        "const all = [...document.querySelectorAll('*')], el = document.activeElement;"
        "return [el === document.body ? -1 : all.indexOf(el), el.matches('.skip'), getComputedStyle(el).outlineStyle]"
    )
    places = []
    for _ in range(25):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        place, is_skip, outline = browser.execute_script(held)
        if place == BODY:
            break
        assert is_skip == (not places)
        assert outline != "none"
        places.append(place)
    assert len(places) > 8
    assert places == sorted(set(places))


PAPER = {"width": 688, "height": 1024, "deviceScaleFactor": 1, "mobile": False}
CUT = """
return [...document.querySelectorAll("main th, main td, main p")]
  .filter(el => el.checkVisibility() && el.getBoundingClientRect().right > 690).map(el => el.textContent.slice(0, 40));
"""


@pytest.mark.parametrize("kind", ["comparison", "sweep", "walk-forward"])
def test_nothing_is_cut_on_paper(browser: Any, results: dict[str, Path], kind: str) -> None:
    page(browser, results, kind, 1440, is_dark=True)
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
    try:
        assert browser.execute_script(CUT) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("kind", ["rules", "three legs"])
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_report_prints_on_six_pages_with_its_figures_on_the_first(
    browser: Any, results: dict[str, Path], kind: str, is_dark: bool
) -> None:
    page(browser, results, kind, 1440, is_dark=is_dark)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    sheets = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))
    assert 2 <= sheets <= 6
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
    ends = "return document.querySelector('.key table.figures').getBoundingClientRect().bottom + scrollY"
    try:
        assert 200 < browser.execute_script(ends) < 1024
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
