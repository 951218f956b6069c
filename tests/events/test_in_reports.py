"""The events in a report: those that the strategy reads, with the figures of `backtest events`, and no others."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

import pytest
from pages import config_of, page_of, result_of

from backtest.api import run
from backtest.commands.events import asked
from backtest.config import dump_yaml, resolved
from backtest.events.study import run_events
from backtest.events.verdict import LIKELIER_THAN_NOT
from backtest.pages.cycles import SHOWN_COLUMNS, event_view
from backtest.pages.events.page import COLUMNS
from backtest.result import Result

OPTIONS = "--event", "--pair", "--set"


@cache
def _reading() -> Result:
    """After cuts of half a point, and after futures made a cut by the meeting after the next likely."""
    signals = [
        {"signal": "cut_window", "min_cut_bps": 50},
        {"signal": "implied_cut", "meeting": 2, "above": 0.6},
        {"signal": "lead"},
    ]
    hold = [{"leg": "small", "when": {"any": signals}}, {"leg": "growth"}]
    return run({
        "name": "reading",
        "data": {"prices": {"source": "sample"}, "start": "2012-01-03"},
        "strategy": {"name": "rules", "params": {"hold": hold}},
        "execution": {"commission_bps": 1, "slippage_bps": 4},
    })  # fmt: skip


def test_each_list_that_a_rule_reads_has_a_table() -> None:
    tables = event_view(_reading())["event_tables"]
    assert [table["title"] for table in tables] == [
        "Small caps over growth after a cut",
        "Small caps over growth after a cut becoming 60% likely",
    ]
    assert [name for name, _ in tables[0]["rows"]] == ["21 sessions", "63 sessions", "126 sessions", "252 sessions"]
    page = page_of(_reading())
    assert "After the event it waits for" in page
    assert all(table["verdict"][0] in page for table in tables)


@pytest.mark.parametrize("place", [0, 1])
def test_the_command_that_a_table_names_gives_the_same_figures(place: int, tmp_path: Any) -> None:
    result = _reading()
    table = event_view(result)["event_tables"][place]
    words = shlex.split(table["command"])
    lists, pairs, changes = ([words[k + 1] for k, word in enumerate(words) if word == key] for key in OPTIONS)
    path = tmp_path / words[2]
    path.write_text(dump_yaml(resolved(result.config)), encoding="utf-8", newline="\n")
    study = asked(path, changes, lists=lists, pairs=pairs, windows=None, days=None)
    found = run_events(study, market=result.market)
    own = [[COLUMNS[name](cell) for name in SHOWN_COLUMNS] for cell in found.cells[1:]]  # but for that of five sessions
    assert [cells for _, cells in table["rows"]] == own
    assert found.cells[0].events.words in table["title"]


def test_the_verdict_counts_all_windows_shown() -> None:
    result = _reading()
    for table in event_view(result)["event_tables"]:
        p = min(float(dict(zip(SHOWN_COLUMNS, cells, strict=True))["placebo p"]) for _, cells in table["rows"])
        assert 4 * p >= LIKELIER_THAN_NOT  # the sample knows nothing of cuts
        assert table["verdict"][0].startswith("No better than luck")
        assert "after correction for the 4 windows shown" in table["verdict"][1]


def test_a_rule_that_reads_no_event_has_no_such_section() -> None:
    result = result_of(config_of("relative_momentum"))
    assert event_view(result) == {"event_tables": []}
    assert "After the event it waits for" not in page_of(result)
