"""The list of all runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backtest.pages.index import render_index, spark_path, write_index


def finished(root: Path, name: str, when: str, **manifest: Any) -> None:
    folder = root / name
    folder.mkdir()
    content = {"name": name, "kind": "run", "is_simulated": False, "run": {"finished": when}, "sparkline": [1.0, 2.0]}
    hashes = dict.fromkeys(("hash", "question_sha256", "data_sha256", "code_sha256"), "0" * 64)
    (folder / "manifest.json").write_text(json.dumps({**content, **hashes, "files": {}, **manifest}))
    figures = {"cagr": 0.1, "sharpe": 0.5, "max_drawdown": -0.5, "rebalances": 7}
    metrics = {
        "period": {"start": "2001-07-31", "end": "2025-12-31"},
        "strategy": figures,
        "benchmarks": {"QQQ": {"cagr": 0.12}},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


def test_runs_are_listed_newest_first_with_their_figures(tmp_path: Path) -> None:
    finished(tmp_path, "older", "2026-01-01T00:00:00+00:00")
    finished(tmp_path, "newer", "2026-01-02T00:00:00+00:00")
    page = write_index(tmp_path).read_text()
    assert page.index('href="newer/report.html"') < page.index('href="older/report.html"')
    assert "10.0%" in page
    assert "−2.0" in page  # points behind QQQ
    assert "−50.0%" in page


def test_a_broken_folder_is_named_and_hides_no_other(tmp_path: Path) -> None:
    finished(tmp_path, "good", "2026-01-01T00:00:00+00:00")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    page = write_index(tmp_path).read_text()
    assert "bad/manifest.json: is damaged" in page
    assert 'href="good/report.html"' in page


def test_an_unfinished_temporary_folder_is_not_listed(tmp_path: Path) -> None:
    finished(tmp_path, ".tmp-x-1-abc", "2026-01-01T00:00:00+00:00")
    assert "No runs yet" in write_index(tmp_path).read_text()


def test_a_comparison_shows_its_verdict(tmp_path: Path) -> None:
    said = "Not distinguishable from holding <QQQ>."
    finished(tmp_path, "study", "2026-01-01T00:00:00+00:00", kind="comparison", page="comparison.html", headline=said)
    page = write_index(tmp_path).read_text()
    assert 'href="study/comparison.html"' in page
    assert "holding &lt;QQQ&gt;." in page


def test_an_empty_list_says_so() -> None:
    assert "No runs yet." in render_index([], [])


def test_the_line_of_a_doubling_twice_is_straight_on_a_log_scale() -> None:
    assert spark_path([1.0, 2.0, 4.0]) == "M0.0,32.0L66.0,17.0L132.0,2.0"
    assert spark_path([1.0]) == ""
