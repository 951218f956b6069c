"""docs/notebook.md in a real kernel, started once: its blocks in order, what is displayed, strategies of cells."""

from __future__ import annotations

import os
import shutil
import warnings
from typing import Any

import pytest
from test_docs import ROOT, blocks

from backtest.store.provenance import library_hash

DOCS = [text for page, text in blocks("python") if page == "notebook.md"]
HASH = "from backtest.store.provenance import code_hash, library_hash\n"
OWN = HASH + "class Own:\n    def decide(self): return {0}\ncode_hash(Own)"
HEIR = "class Heir(AboveItsAverage):\n    number = {0}\ncode_hash(Heir)"
SHOWN = {
    "result": "quickstart: On simulated prices, quickstart turned $100,000 into $",
    "both": "cuts-vs-short-cuts: ",
    "points": "how-long: 3 variants",
    "chosen": "how-long: ",
}
CELLS = {
    **{f"docs {place}": text for place, text in enumerate(DOCS)},
    **{name: name for name in SHOWN},
    "own": OWN.format(1),
    "own changed": OWN.format(2),
    "own again": OWN.format(1),
    "heir": HEIR.format(1),
    "heir changed": HEIR.format(2),
    "library": "library_hash()",
    "raises": "class Raises(AboveItsAverage):\n    @staticmethod\n    def decide(market, legs, p):\n"
    "        return market.nothing\n\n"
    "run({**question, 'strategy': {'name': 'raises'}}, {'raises': Raises}, market=market)",
    "typed": "exec('class Own:\\n    def decide(self): return 3')\ncode_hash(Own)",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Name of each cell -> its last output, as nbformat has it; a notebook beside the folder `configs/`."""
    try:
        import nbclient
        import nbformat
    except ModuleNotFoundError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f'no notebook kernel: {error.name} is missing, which `pip install -e ".[test]"` brings')
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(ROOT / "configs", folder / "configs")
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS.values()]
    for cell in cells[-2:]:
        cell.metadata["tags"] = ["raises-exception"]
    place = {"metadata": {"path": str(folder)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        nbclient.NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=600, resources=place).execute()
    (saved,) = (folder / "results").glob("cuts-*/report.html")
    assert saved.read_bytes()[:15] == (folder / "report.html").read_bytes()[:15] == b"<!doctype html>"
    return {name: cell.outputs[-1] for name, cell in zip(CELLS, cells, strict=True) if cell.outputs}


def value(output: Any) -> str:
    return str(output["data"]["text/plain"])


def test_every_block_of_the_page_runs_and_what_it_ends_with_is_shown(outputs: dict[str, Any]) -> None:
    assert len(DOCS) >= 4
    assert "PosixPath" in value(outputs["docs 0"]) or "WindowsPath" in value(outputs["docs 0"])
    assert not [name for name, each in outputs.items() if each["output_type"] == "error" and name.startswith("docs")]


@pytest.mark.parametrize("name", SHOWN)
def test_an_answer_is_displayed_as_a_headline_and_a_table(name: str, outputs: dict[str, Any]) -> None:
    shown = outputs[name]["data"]["text/html"]
    assert shown.startswith(f"<p>{SHOWN[name]}")
    assert shown.count("<table>") == 1
    assert shown.count("<td>") >= 3 * 3
    assert len(value(outputs[name])) < 250


def test_the_code_of_a_cell_is_part_of_what_a_result_came_from(outputs: dict[str, Any]) -> None:
    """Also of a class without a function of its own, whose cell is found by its name."""
    hashes = [value(outputs[name]) for name in ("own", "own changed", "heir", "heir changed", "library")]
    assert len(set(hashes)) == 5
    assert value(outputs["own"]) == value(outputs["own again"])
    assert hashes[-1] == repr(library_hash())


def test_a_mistake_in_a_cell_is_told_with_its_line(outputs: dict[str, Any]) -> None:
    assert outputs["raises"]["evalue"] == (
        "the cell of Raises:4: raises failed: AttributeError: 'Market' object has no attribute 'nothing'"
    )


def test_a_class_without_source_is_refused_though_another_of_its_name_stands_in_a_cell(outputs: dict[str, Any]) -> None:
    assert outputs["typed"]["ename"] == "RunError"
    assert outputs["typed"]["evalue"].startswith("strategy Own: its source cannot be read")
