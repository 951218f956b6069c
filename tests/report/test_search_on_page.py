"""The search on a page: one picture, one tile, the words of the verdict."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pages import CONTEXT, Page, result_of

from backtest.pages.report import render_report
from backtest.pages.search import luck_picture, search_tile
from backtest.statistics.search import PICTURED
from backtest.study.search import search, shown_run
from backtest.study.verdict import SHORT, verdict_of_run


@pytest.mark.parametrize("shown", [-3.0, -0.2, 0.0, 0.31, 0.9, 4.0])
def test_the_picture_fills_the_histories_that_look_as_good(shown: float) -> None:
    bests = np.sort(np.random.default_rng(1).standard_normal(PICTURED) * 0.3).tolist()
    picture = luck_picture(bests, shown)
    full = sum(best >= shown for best in bests)
    assert (picture.count('class="as-good"'), picture.count('class="luck"')) == (full, PICTURED - full)
    line = float(re.findall(r'class="shown" x1="([\d.]+)"', picture)[0])
    for kind, x in re.findall(r'<circle class="([a-z-]+)" cx="([\d.-]+)"', picture):
        assert (float(x) > line) == (kind == "as-good")


def test_the_picture_stands_where_all_histories_are_alike() -> None:
    assert luck_picture([0.0] * PICTURED, 0.0).count('class="as-good"') == PICTURED


def test_page_tile_and_words_say_the_same(tmp_path: Path) -> None:
    result = result_of()
    found = search(shown_run(result), tmp_path / "ledger")
    page, said = Page(render_report(result, CONTEXT, found)), verdict_of_run(result, found)
    text = page.texts["luck"]
    assert said.headline in text
    assert all(sentence in text for sentence in said.sentences)
    assert SHORT[said.level] in page.texts["result"]
    assert "Beyond luck" not in page.html
    assert page.html.count('class="as-good"') + page.html.count('class="luck"') == PICTURED
    tile = search_tile(found.findings[0], found, "QQQ")
    assert tile.value == SHORT[said.level]
