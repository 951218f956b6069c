"""Every kind of page as the commands write it, in a real browser: its first screen, at a desk and on a phone."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pages import number_of
from test_page_browser import browser, opened

from backtest.cli import app

__all__ = ["browser"]

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCREENS = {1440: 900, 390: 844}
YEARS = ("data.start=2003-01-02", "data.end=2012-12-31")
OF_THREE = ("data.prices={source: sample}", "legs=[QQQ, IWM, IWN]", "benchmarks=[QQQ, IWM]")
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
    for kind, (command, given) in KINDS.items():
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
    return pages


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
@pytest.mark.parametrize("kind", KINDS)
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
FEWEST = {"rules": 60, "three legs": 60, "comparison": 60, "sweep": 60, "walk-forward": 20}


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
    assert len(marked) >= FEWEST[kind]
    assert unmarked == []
