"""What README and docs show works as printed, and every path and name they give exists."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from backtest.cli import app
from backtest.config import config_from_text, study_from_text
from backtest.config.events import event_study_from_text
from strategies import REGISTRY

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTER = (
    "name: c\ndata: {prices: {source: sample}, start: 2001-07-31}\nexecution: {commission_bps: 1, slippage_bps: 4}\n"
)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for found, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if found == language:
                yield page.name, text


@pytest.mark.parametrize(("page", "text"), list(blocks("yaml")), ids=lambda value: value[:30])
def test_every_block_of_yaml_is_right_as_printed(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(ROOT / "configs", tmp_path / "configs"))
    for folder in re.findall(r"folder: ([\w./]+)", text):
        Path(folder).mkdir(parents=True)  # the reader's own
    keys = yaml.safe_load(text).keys()
    if "events" in keys:
        assert event_study_from_text(text, strategies=REGISTRY).terms.lists
    elif "base" in keys:
        assert study_from_text(text, strategies=REGISTRY).size > 1
    elif "name" in keys:
        config_from_text(text, strategies=REGISTRY)
    else:
        whole = {**yaml.safe_load(OUTER), "strategy": {"name": "rate_cut"}} | yaml.safe_load(text)
        whole["data"] = {**yaml.safe_load(OUTER)["data"], **whole["data"]}
        config_from_text(yaml.safe_dump(whole, sort_keys=False), strategies=REGISTRY)


IN_PROCESS = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8") and page.stem != "notebook"]
"""The page on notebooks runs in a kernel: test_notebook.py."""


@pytest.mark.parametrize("page", IN_PROCESS, ids=str)
def test_every_block_of_python_runs_in_its_order(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    for name, text in blocks("python"):
        if name == page.name:
            exec(compile(text, str(page), "exec"), names)


def test_the_readme_lists_every_command_and_those_of_each_group() -> None:
    """As `| `backtest data fetch \\| status` | ... |`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `backtest ([\w-]+)([^`]*)`", text, re.MULTILINE))
    groups = {str(each.typer_instance.info.name): each.typer_instance for each in app.registered_groups}
    alone = {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}
    assert set(listed) == alone | set(groups)
    for name, group in groups.items():
        own = {each.name or each.callback.__name__ for each in group.registered_commands if each.callback}
        assert set(re.findall(r"[a-z]+", listed[name])) == own


def commands() -> Iterator[tuple[str, str]]:
    for page, text in blocks("sh"):
        for line in text.splitlines():
            if line.partition("#")[0].strip().startswith("backtest "):
                yield page, line.partition("#")[0].strip()


@pytest.mark.parametrize(("page", "line"), list(commands()), ids=lambda value: value[:40])
def test_every_command_line_has_a_command_and_options_that_there_are(page: str, line: str) -> None:
    words = shlex.split(line.replace("[", "").replace("]", ""))
    found = {each.name or each.callback.__name__: each.callback for each in app.registered_commands if each.callback}
    assert words[1] in found, line
    options = {
        option
        for hint in found[words[1]].__annotations__.values()
        for option in re.findall(r"--[a-z-]+", repr(getattr(hint, "__metadata__", hint)))
    }
    text = Path(found[words[1]].__code__.co_filename).read_text(encoding="utf-8")
    text += (ROOT / "backtest" / "commands" / "options.py").read_text(encoding="utf-8")
    for word in words[2:]:
        if word.startswith("--"):
            assert word in options or f'"{word}"' in text, f"{line}: {word}"


def test_every_path_and_name_of_the_architecture_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = []
    for name in re.findall(r"`([A-Za-z_./]+)`", text):
        if "/" in name:
            if not (ROOT / name).exists():
                missing.append(name)
        elif name.startswith("backtest."):
            module, _, attribute = name.rpartition(".")
            if not hasattr(importlib.import_module(module), attribute):
                missing.append(name)
    assert missing == []
    rooms = {each.name for each in (ROOT / "backtest").iterdir() if each.is_dir() and (each / "__init__.py").exists()}
    assert [room for room in sorted(rooms) if f"`backtest/{room}/`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_files_that_there_are_and_nothing_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"DESIGN\.md|research/|\.\./shared|/work/", text)
    named = re.findall(r"`((?:backtest|configs|docs|strategies|tests|benchmarks)/[A-Za-z0-9_./]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
