"""The page of a sweep as text: the same bytes twice, small whatever the sweep, honest about what it leaves out."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
from sweeps import CONTEXT, GRIDS, page, swept

from backtest.pages.sweep import chart_data, render_sweep
from backtest.study.findings import Findings
from backtest.study.sweep import Sweep


def data_of(text: str) -> dict[str, Any]:
    """What the page's script reads."""
    found = re.search(r'id="chart-data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def unpacked(packed: list[str]) -> Any:
    kind, text = packed
    return np.frombuffer(base64.b64decode(text), dtype={"h": "<i2", "i": "<i4"}[kind])


def shown(data: dict[str, Any], place: int = 0) -> Any:
    """A figure's values, NaN where undefined."""
    whole = unpacked(data["figures"][place]["values"])
    return np.where(whole == np.iinfo(whole.dtype).min, np.nan, whole / data["figures"][place]["scale"])


@pytest.mark.parametrize("kind", list(GRIDS))
def test_it_is_the_same_twice_and_below_seven_million_bytes(kind: str) -> None:
    text = page(kind)
    assert text == page(kind)
    assert len(text.encode()) < 7_000_000
    assert "https://" not in text.split("<script>")[0]


def test_a_figure_is_the_tables_to_a_thousandth_and_undefined_stays_so() -> None:
    result, _ = swept("problems")
    own = shown(data_of(page("problems")))
    np.testing.assert_allclose(own, result.metric("information_ratio"), atol=0.5001e-3)
    assert np.isnan(own[2:4]).all()


def without_figures() -> tuple[Sweep, Findings]:
    """A sweep none of whose points has a figure."""
    result, found = swept("one")
    empty = dataclasses.replace(result, table=np.full_like(result.table, np.nan))
    return empty, dataclasses.replace(found, plateau=None, finalists=())


def larger(factor: int) -> tuple[Sweep, Findings]:
    """The sweep of four keys, its first key with `factor` times as many values."""
    result, found = swept("four")
    lengths = tuple(len(axis) for axis in result.study.grid.values())
    axis = tuple(range(5, 5 + 5 * factor))
    study = dataclasses.replace(result.study, grid={**result.study.grid, result.keys[0]: axis})
    table = np.concatenate([result.table] * factor)
    digits = np.indices((len(axis), *lengths[1:])).reshape(4, -1).T
    grown = dataclasses.replace(result, study=study, table=table, digits=digits)
    return grown, dataclasses.replace(found, plateau=None)


def test_of_a_larger_grid_every_second_value_of_the_longest_key_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    grown, found = larger(8)
    whole, everything = chart_data.chart_json(grown, found)
    assert everything.is_all
    assert json.loads(whole)["numbers"] is None
    monkeypatch.setattr(chart_data, "MOST_BYTES", len(whole) - 1)
    text = render_sweep(grown, found, CONTEXT)
    data = data_of(text)
    numbers = unpacked(data["numbers"])
    best = int(grown.ranked[0])
    assert data["points"] == len(numbers) < data["size"] == 960
    assert numbers[data["best"]] == best
    kept = sorted(set(grown.digits[numbers, 0].tolist()))
    assert kept == list(range(kept[0], 40, 2))
    assert [len(key["levels"]) for key in data["keys"][1:]] == [4, 3, 2]
    assert data["keys"][0]["levels"] == [str(5 + digit) for digit in kept]
    np.testing.assert_allclose(shown(data), grown.metric("information_ratio")[numbers], atol=0.5001e-3)
    assert "The charts hold 480 of 960 points, every 2nd lookback_sessions: the best one is among them" in text


def test_of_a_larger_sample_every_second_point_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    result, found = swept("sample")
    whole, _ = chart_data.chart_json(result, found)
    monkeypatch.setattr(chart_data, "MOST_BYTES", len(whole) - 1)
    text = render_sweep(result, found, CONTEXT)
    data = data_of(text)
    numbers = unpacked(data["numbers"])
    assert len(numbers) <= 20
    assert numbers[data["best"]] == result.ranked[0]
    for k in range(4):
        assert unpacked(data["digits"][k]).tolist() == result.digits[numbers, k].tolist()
    assert f"The charts hold {len(numbers)} of 40 points, every " in text


def test_numbers_that_two_bytes_do_not_hold_are_carried_all_the_same() -> None:
    result, found = swept("one")
    table = result.table.copy()
    table[:, :] = np.linspace(-1e7, 1e7, len(table))[:, None]
    data = data_of(render_sweep(dataclasses.replace(result, table=table), found, CONTEXT))
    np.testing.assert_allclose(shown(data), table[:, 0], rtol=1e-6)


def test_a_sweep_without_any_figure_has_a_page() -> None:
    text = render_sweep(*without_figures(), CONTEXT)
    assert "No variant has a ratio to be ranked by." in text
    data = data_of(text)
    assert (data["best"], data["centre"], data.get("arrays")) == (-1, -1, None)


def test_finalists_are_shown_equal_with_their_curves_over_the_benchmark() -> None:
    result, found = swept("two")
    text = page("two")
    for each in found.finalists:
        value = f"${each.result.books.equity[-1]:,.6f}"
        assert text.count(f"<td>{value}</td>") >= 2  # by the sweep, by backtrader
    assert text.count("<td>631 of 631</td>") == len(found.finalists)
    curves = data_of(text)["arrays"]
    assert "Worth through time, over QQQ" in text
    best = found.finalists[0].result
    ahead = best.books.equity[-1] / best.benchmarks["QQQ"].equity[-1]
    assert curves["curve0"][-1] == pytest.approx(ahead, abs=1e-4)
    assert curves["curve0"][0] == 1.0
    assert len({each.number for each in found.finalists}) == len(curves)
    assert result.first.benchmark is not None
