"""One damaged old result is named and left out; it breaks nothing that comes later."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from made_up_results import DAMAGES, result

from backtest.commands.verify import verify_result
from backtest.errors import BacktestError
from backtest.pages.index import write_index
from backtest.store.manifest import MANIFEST, finished, longest_ledger


def test_a_folder_full_of_damaged_results_still_shows_the_good_one_and_names_the_others(tmp_path: Path) -> None:
    good = result(tmp_path, "good").folder
    for number, damage in enumerate(DAMAGES.values()):
        damage(result(tmp_path, f"bad-{number}").folder)
    found, damaged = finished(tmp_path)
    assert [stored.folder for stored in found] == [good]
    assert len(damaged) == len(DAMAGES) >= 40
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert f'href="{good.name}/report.html"' in page
    for number in range(len(DAMAGES)):
        assert f"bad-{number}-" in page
    assert longest_ledger(tmp_path) == 3
    assert result(tmp_path, "later").is_new


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_told_in_one_line_that_names_the_file(tmp_path: Path, name: str) -> None:
    folder = result(tmp_path).folder
    DAMAGES[name](folder)
    _, damaged = finished(tmp_path)
    assert len(damaged) == 1
    assert damaged[0].startswith(str(folder / name.split(":")[0]))
    assert len(damaged[0].splitlines()) == 1
    assert len(damaged[0]) < len(str(folder)) + 300
    with pytest.raises(BacktestError):
        verify_result(folder, offline=True, as_json=False)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_rerun_of_a_damaged_result_replaces_nothing_and_names_the_file(tmp_path: Path, name: str) -> None:
    folder = result(tmp_path).folder
    DAMAGES[name](folder)
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(BacktestError, match=r"manifest\.json|metrics\.json"):
        result(tmp_path)
    assert {path.name for path in folder.iterdir()} == before


def test_keys_of_a_later_version_are_no_damage(tmp_path: Path) -> None:
    folder = result(tmp_path).folder
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(
        json.dumps(manifest | {"schema": 9, "mood": ["good"]}), encoding="utf-8", newline="\n"
    )
    found, damaged = finished(tmp_path)
    assert [stored.manifest.name for stored in found] == ["made-up"]
    assert damaged == []


def test_what_is_no_result_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.me").write_text("mine", encoding="utf-8", newline="\n")
    (tmp_path / "file").write_text("mine", encoding="utf-8", newline="\n")
    (tmp_path / ".tmp-x-1-a").mkdir()
    (tmp_path / ".tmp-x-1-a" / MANIFEST).write_text("{", encoding="utf-8", newline="\n")
    if os.name != "nt":  # a link is a privilege there
        (tmp_path / "loop").symlink_to("loop")
    assert finished(tmp_path) == ([], [])
    assert finished(tmp_path / "nowhere") == ([], [])
