"""What Windows does otherwise, on any system: files held open, folders that cannot be opened, names of devices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_results import result

from backtest.errors import WriteError
from backtest.store import folder as store
from backtest.store.folder import Identity, replace_file, write_folder

ROOT = Path(__file__).parents[2]


def refused(times: int, monkeypatch: pytest.MonkeyPatch, name: str) -> list[float]:
    """The first calls of os.NAME are refused, as for a file that somebody reads; gives what was waited."""
    move, waited, calls = getattr(os, name), list[float](), list[int]()

    def refuse(source: Path, target: Path) -> None:
        calls.append(1)
        if len(calls) <= times:
            raise PermissionError(13, "The process cannot access the file because it is being used", str(target))
        move(source, target)

    monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(store.time, "sleep", waited.append)
    return waited


def test_a_file_that_a_reader_holds_is_replaced_once_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(tmp_path / "index.html", "old")
    waited = refused(3, monkeypatch, "replace")
    replace_file(tmp_path / "index.html", "new")
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "new"
    assert len(waited) == 3


def test_a_file_that_is_never_let_go_is_an_error_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(tmp_path / "index.html", "old")
    refused(99, monkeypatch, "replace")
    with pytest.raises(WriteError, match=r"index\.html: The process cannot access"):
        replace_file(tmp_path / "index.html", "new")
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"index.html": "old"}


def test_a_folder_that_a_scanner_looks_into_is_moved_once_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(2, monkeypatch, "rename")
    assert write_folder(tmp_path, "run-1", {"a.csv": "x\n"}).is_new
    assert os.listdir(tmp_path) == ["run-1"]


def test_no_folder_is_opened_where_folders_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_DIRECTORY")
    usual = os.open

    def no_folders(path: str, flags: int, mode: int = 0o777, **rest: int | None) -> int:
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", path)
        return usual(path, flags, mode, **rest)

    monkeypatch.setattr(os, "open", no_folders)
    assert result(tmp_path).is_new


WITHOUT_UNIX = """
import os, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("pread", "pwrite", "O_DIRECTORY"):
    delattr(os, name)
import pathlib
from made_up_results import result
from backtest.pages.index import write_index
root = pathlib.Path(sys.argv[1])
assert result(root).is_new and not result(root).is_new
import backtest.commands.verify, backtest.pages.run.files, backtest.store.provenance
"""


def test_the_store_needs_nothing_that_only_unix_has(tmp_path: Path) -> None:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning:backtest", "-c", WITHOUT_UNIX,
         str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    encoding="utf-8")  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("rate-cut", "rate-cut-"),
        ("con.one", "_con.one-"),
        ("LPT1.x", "_LPT1.x-"),
        ("a:b", "a_b-"),
        ('a<b>c"d/e\\f|g?h*i\n', "a_b_c_d_e_f_g_h_i_-"),
        ("..", "_..-"),
        ("ends with dots...", "ends with dots...-"),
        ("console", "console-"),
    ],
)
def test_names_of_folders_are_legal_everywhere(name: str, folder: str) -> None:
    identity = Identity("run", name, {"question": "a"})
    assert identity.folder_name == f"{folder}{identity.hash8}"


def test_text_is_written_with_unix_lines_whatever_the_system_prefers(tmp_path: Path) -> None:
    written = result(tmp_path, headline="Ein Übergang — 46 % …")
    for path in written.folder.iterdir():
        assert b"\r" not in path.read_bytes()
    assert "Ein Übergang — 46 % …" in (written.folder / "manifest.json").read_text(encoding="utf-8")
