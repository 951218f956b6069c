"""The page of a sweep in a real browser: drawn and silent for every kind of grid; it draws what the table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweeps import CONTEXT, GRIDS, page, swept
from test_page_browser import browser, opened, requests_of, saved, text
from test_sweep_page import larger, without_figures

from backtest.market import Floats
from backtest.pages.sweep import chart_data, render_sweep
from backtest.study.effects import whole_grid

pytestmark = pytest.mark.browser

__all__ = ["browser"]

LOOKBACK, THRESHOLD = "strategy.params.lookback_sessions", "strategy.params.threshold"
SLIPPAGE, DELAY = "execution.slippage_bps", "execution.delay_sessions"
HALF_A_STEP = 0.5e-3 * (1 + 1e-9)
"""Ratios are carried in thousandths."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """kind -> address of its page."""
    folder: Path = tmp_path_factory.mktemp("sweeps")

    def of(kind: str) -> str:
        path = folder / f"{kind}.html"
        if not path.exists():
            path.write_text(page(kind), encoding="utf-8", newline="\n")
        return path.as_uri()

    return of


def chosen(browser: Any, selector: str, value: object) -> None:
    """Set a control as a user does."""
    browser.execute_script(
        "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
        "for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true}))",
        selector,
        str(value),
    )


def slid(browser: Any, key: str, place: int) -> None:
    """A slider, or list of names, to the value with this number; -1 is all."""
    chosen(browser, f'#sliders [data-key="{key}"]', place)


def plane(browser: Any) -> Floats:
    """The heatmap's cells, (rows, columns), NaN where blank."""
    return np.array(browser.execute_script("return document.getElementById('chart-plane').data[0].z"), dtype=np.float64)


def data_of(browser: Any, chart: str) -> Any:
    return browser.execute_script(f"return document.getElementById('chart-{chart}').data")


def turned(values: Floats, lengths: tuple[int, ...], across: int, up: int, at: dict[int, int]) -> Floats:
    """The plane of a whole grid with other keys at given places."""
    grid = values.reshape(lengths)[tuple(at.get(k, slice(None)) for k in range(len(lengths)))]
    return np.asarray(grid if up < across else grid.T)


@pytest.mark.parametrize(
    ("kind", "width", "is_dark"),
    [(kind, (1440, 390)[k % 2], k // 2 % 2 == 1) for k, kind in enumerate([*GRIDS, "five", "four"])],
)
def test_it_is_drawn_whole_silent_and_no_wider_than_the_screen(
    browser: Any, address: Any, kind: str, width: int, is_dark: bool
) -> None:
    opened(browser, address(kind), width, is_dark=is_dark)
    result, _ = swept(kind)
    known = int((~np.isnan(result.metric(result.headline))).sum())
    for chart in ("plane", "slices", "distribution", "curves"):
        assert browser.execute_script(f"return document.querySelectorAll('#chart-{chart} svg').length") > 0, chart
        drawn = browser.execute_script(f"return document.querySelector('#chart-{chart} svg').clientWidth")
        assert 0 < drawn <= width
    lines = browser.execute_script("return {...document.getElementById('chart-lines').dataset}")
    assert (lines["drawn"], lines["upright"]) == (str(known), "true" if width == 1440 else "false")
    painted = browser.execute_script(
        "const c = document.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n"
    )
    assert painted > 2000
    counted = sum(next(t for t in data_of(browser, "distribution") if t["type"] == "bar")["y"])
    assert counted == known
    assert len(data_of(browser, "curves")[0]["y"]) == 631
    assert browser.get_log("browser") == []
    assert requests_of(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("across", "up"), [(1, 2), (2, 1), (0, 3), (3, 0), (2, 0)])
def test_the_cells_of_any_two_keys_are_the_tables(browser: Any, address: Any, across: int, up: int) -> None:
    result, _ = swept("four")
    opened(browser, address("four"))
    chosen(browser, "#across", across)
    chosen(browser, "#up", up)
    rest = [k for k in range(4) if k not in (across, up)]
    names = ["lookback_sessions", "threshold", SLIPPAGE, DELAY]
    frame = result.frame
    for places in ((0, 0), (1, 1)):
        for k, place in zip(rest, places, strict=True):
            slid(browser, names[k], place)
        view = frame
        for k, place in zip(rest, places, strict=True):
            view = view[view[result.keys[k]] == result.study.grid[result.keys[k]][place]]
        expected = view.pivot(index=result.keys[up], columns=result.keys[across], values="information_ratio")
        assert np.abs(plane(browser) - expected.to_numpy()).max() <= HALF_A_STEP
    assert browser.get_log("browser") == []


def test_each_figure_is_the_tables(browser: Any, address: Any) -> None:
    result, _ = swept("two")
    opened(browser, address("two"))
    figures = [("information_ratio", 1, 1000), ("cagr", 100, 100), ("sharpe", 1, 1000), ("max_drawdown", 100, 100)]
    for place, (key, unit, steps) in enumerate([*figures, ("turnover_annual", 1, 100)]):
        chosen(browser, ".pick-figure", place)
        expected = result.metric(key).reshape(12, 4).T * unit
        assert np.abs(plane(browser) - expected).max() <= 0.5 / steps * (1 + 1e-9)
        values = browser.execute_script("return [...document.querySelectorAll('.pick-figure')].map(e => e.value)")
        assert set(values) == {str(place)}


@pytest.mark.parametrize("surface", ["mean", "worst"])
@pytest.mark.parametrize("kind", ["four", "three"])
def test_the_neighbourhood_is_the_plateaus_over_all_keys(browser: Any, address: Any, kind: str, surface: str) -> None:
    result, found = swept(kind)
    assert found.plateau is not None
    expected = getattr(found.plateau, surface)
    opened(browser, address(kind))
    chosen(browser, "#across", 0)
    chosen(browser, "#up", 1)
    chosen(browser, "#surface", surface)
    names = ["decide", "execution.rebalance"] if kind == "three" else ["", "", SLIPPAGE, DELAY]
    lengths = tuple(len(axis) for axis in result.study.grid.values())
    rest = range(2, len(lengths))
    for place in (0, 1):
        for k in rest:
            slid(browser, names[k - 1] if kind == "three" else names[k], place)
        view = turned(expected, lengths, 0, 1, dict.fromkeys(rest, place))
        assert np.abs(plane(browser) - view).max() <= 2 * HALF_A_STEP


def test_of_turnover_less_is_better_and_the_worst_is_the_most(browser: Any, address: Any) -> None:
    result, _ = swept("two")
    opened(browser, address("two"))
    chosen(browser, ".pick-figure", 4)
    turnover = result.metric("turnover_annual")
    assert f"{turnover.min():.2f}" in text(browser, "read-plane")
    chosen(browser, "#surface", "worst")
    least = whole_grid(-turnover, {"a": range(12), "b": range(4)})
    assert least is not None
    assert np.abs(plane(browser) + least.worst.reshape(12, 4).T).max() <= 0.5e-2 * (1 + 1e-9)


def test_a_slider_at_all_joins_the_points_and_their_neighbours(browser: Any, address: Any) -> None:
    result, _ = swept("four")
    opened(browser, address("four"))
    chosen(browser, "#across", 0)
    chosen(browser, "#up", 1)
    slid(browser, SLIPPAGE, 1)
    slid(browser, DELAY, -1)
    grid = result.metric("information_ratio").reshape(5, 4, 3, 2)
    assert np.abs(plane(browser) - grid[:, :, 1].mean(axis=2).T).max() <= HALF_A_STEP
    assert "mean of 2 points" in text(browser, "read-plane")
    chosen(browser, "#surface", "worst")
    whole = whole_grid(grid.min(axis=3).ravel(), {"a": range(5), "b": range(4), "c": range(3)})
    assert whole is not None
    assert np.abs(plane(browser) - whole.worst.reshape(5, 4, 3)[:, :, 1].T).max() <= HALF_A_STEP


def test_it_opens_at_the_best_point_and_says_so(browser: Any, address: Any) -> None:
    result, _ = swept("four")
    opened(browser, address("four"))
    best = int(result.ranked[0])
    assert f"(point {best})" in text(browser, "read-plane")
    assert f"(point {best})" in text(browser, "read-lines")
    assert np.nanmax(plane(browser)) == pytest.approx(result.metric("information_ratio")[best], abs=HALF_A_STEP)


def test_names_have_a_list_and_maps_read_as_words(browser: Any, address: Any) -> None:
    opened(browser, address("three"))
    chosen(browser, "#across", 0)
    chosen(browser, "#up", 1)
    options = "return [...document.querySelectorAll('#sliders select option')].map(o => o.text)"
    assert browser.execute_script(options) == ["all", "on_change", "monthly", "drift 0.03"]
    slid(browser, "execution.rebalance", 0)
    before = plane(browser)
    slid(browser, "execution.rebalance", 2)
    assert not np.array_equal(before, plane(browser))
    result, _ = swept("three")
    expected = result.metric("information_ratio").reshape(3, 3, 3)[:, :, 2].T
    assert np.abs(plane(browser) - expected).max() <= HALF_A_STEP


def test_what_could_not_be_run_is_marked_and_told(browser: Any, address: Any) -> None:
    opened(browser, address("problems"))
    chosen(browser, "#across", 1)
    chosen(browser, "#up", 2)
    assert np.isnan(plane(browser)[:, 1]).all()
    assert not np.isnan(plane(browser)[:, [0, 2]]).any()
    crosses = data_of(browser, "plane")[1]
    assert (crosses["x"], crosses["y"]) == ([1, 1], [0, 1])
    assert "could not be run" in text(browser, "key-plane")
    assert "ZeroDivisionError: nothing <b>to</b> divide by" in text(browser, "table")


def test_a_sample_shows_what_was_drawn_and_leaves_the_rest_blank(browser: Any, address: Any) -> None:
    result, _ = swept("sample")
    opened(browser, address("sample"))
    chosen(browser, "#across", 0)
    chosen(browser, "#up", 1)
    frame = result.frame
    expected = frame.pivot_table(index=THRESHOLD, columns=LOOKBACK, values="information_ratio", aggfunc="mean")
    whole = expected.reindex(index=result.study.grid[THRESHOLD], columns=result.study.grid[LOOKBACK]).to_numpy()
    assert np.nanmax(np.abs(plane(browser) - whole)) <= HALF_A_STEP
    slid(browser, SLIPPAGE, 2)
    slid(browser, DELAY, 0)
    drawn = frame[(frame[SLIPPAGE] == 20) & (frame[DELAY] == 1)]
    assert 0 < len(drawn) < 20
    assert (~np.isnan(plane(browser))).sum() == len(drawn)
    assert "no point there" in text(browser, "key-plane")


def test_of_a_larger_grid_the_cells_held_are_the_tables(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown, found = larger(8)
    monkeypatch.setattr(chart_data, "MOST_BYTES", len(chart_data.chart_json(grown, found)[0]) - 1)
    opened(browser, saved(tmp_path, render_sweep(grown, found, CONTEXT)))
    first, *rest = (int(d) for d in grown.digits[grown.ranked[0]])
    expected = grown.metric("information_ratio").reshape(40, 4, 3, 2)[first % 2 :: 2, :, rest[1], rest[2]]
    assert np.abs(plane(browser) - expected.T).max() <= HALF_A_STEP
    assert f"(point {grown.ranked[0]})" in text(browser, "read-plane")
    assert "480 of 960 points" in text(browser, "thinned")


def test_a_sweep_without_any_figure_is_silent_too(browser: Any, tmp_path: Path) -> None:
    opened(browser, saved(tmp_path, render_sweep(*without_figures(), CONTEXT)))
    assert np.isnan(plane(browser)).all()
    assert text(browser, "read-plane") == "Nothing is defined here."
    assert browser.get_log("browser") == []


def dragged(browser: Any, axis: int, low: float, high: float) -> None:
    """A mark on an upright axis of the parallel coordinates, from one share of it to another."""
    browser.execute_script(
        """
        const el = document.getElementById('chart-lines'), [axis, low, high, axes] = arguments;
        el.setPointerCapture = () => {};
        const box = el.getBoundingClientRect(), x = box.left + 60 + axis * (box.width - 120) / (axes - 1);
        const y = share => box.top + box.height - 20 - share * (box.height - 54);
        const event = (type, share) => new PointerEvent(type, {clientX: x, clientY: y(share), pointerId: 1});
        const send = (type, share) => el.dispatchEvent(event(type, share));
        send('pointerdown', low); send('pointermove', high); send('pointerup', high);
        """,
        axis,
        low,
        high,
        9,
    )


def test_a_mark_on_an_axis_leaves_the_variants_inside_it(browser: Any, address: Any) -> None:
    result, _ = swept("four")
    opened(browser, address("four"))
    chosen_ = "return +document.getElementById('chart-lines').dataset.chosen"
    assert browser.execute_script(chosen_) == 120
    dragged(browser, 0, 0.0, 0.35)  # of five values the first two
    assert browser.execute_script(chosen_) == 48
    growth = result.metric("cagr")
    dragged(browser, 5, 0.5, 1.0)  # four keys, the ratio, then the return: its upper half
    inside = result.frame[LOOKBACK].isin([5, 10]) & (growth >= (growth.min() + growth.max()) / 2)
    assert abs(browser.execute_script(chosen_) - inside.sum()) <= 1
    assert "inside the marks" in text(browser, "read-lines")
    browser.find_element("id", "clear").click()
    assert browser.execute_script(chosen_) == 120


def test_the_keyboard_alone_reads_cells_and_marks_axes(browser: Any, address: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, address("two"))
    heatmap = browser.find_element("id", "chart-plane")
    heatmap.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert text(browser, "read-plane").startswith("lookback_sessions 10, threshold 0.01: ")
    lines = browser.find_element("id", "chart-lines")
    lines.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert browser.execute_script("return document.getElementById('chart-lines').dataset.chosen") == "12"
    lines.send_keys(Keys.ESCAPE)
    assert browser.execute_script("return document.getElementById('chart-lines').dataset.chosen") == "48"


def test_the_theme_changes_the_pictures_too(browser: Any, address: Any) -> None:
    opened(browser, address("two"))
    colours = "return document.getElementById('chart-plane').data[0].colorscale.map(c => c[1])"
    pixels = "return document.querySelector('canvas').toDataURL()"
    light, lines = browser.execute_script(colours), browser.execute_script(pixels)
    button = browser.find_element("id", "theme")
    button.click()
    assert text(browser, "theme") == "Theme: light"
    button.click()
    assert text(browser, "theme") == "Theme: dark"
    assert browser.execute_script(colours) != light
    assert browser.execute_script(pixels) != lines
    button.click()
    assert (browser.execute_script(colours), browser.execute_script(pixels)) == (light, lines)


def test_without_scripts_every_table_stands(browser: Any, address: Any) -> None:
    opened(browser, address("two"), has_script=False)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.execute_script("return getComputedStyle(document.querySelector('#chart-plane')).display") == "none"
    assert browser.execute_script("return document.querySelectorAll('#table tbody tr').length") == 20
