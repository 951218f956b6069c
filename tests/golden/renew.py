"""Golden figures: what every shipped config and study gives, on the sample and on real prices, asked as a user asks.

    .venv/bin/python tests/golden/renew.py            writes tests/golden/figures/ again; its diff shows what moved
    .venv/bin/python tests/golden/renew.py run-quick  only the questions with this text in their name

Figures only, a line each, to ten digits; no prices. The real prices are in BACKTEST_DATA or ../shared/data.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIGURES = Path(__file__).parent / "figures"
DIGITS = 10
WORLDS = ("sample", "real")
LEFT_OUT = ("config", "cautions", "verdict", "folder", "values", "splits", "schema", "audited_decisions")
"""Keys of documents that hold words, or more numbers than a reader of a diff looks at."""

LONGEST_LIST = 4
ROWS = 8
"""Of a table or a curve, at equal distances."""


@dataclass(frozen=True)
class Question:
    """One command on one shipped file, in one world."""

    world: str
    command: str
    path: Path

    @property
    def name(self) -> str:
        """`sample/run-quickstart`."""
        return f"{self.world}/{self.command}-{self.path.stem.removeprefix('study_').removeprefix('events_')}"

    @property
    def file(self) -> Path:
        """Where its figures stand."""
        return FIGURES / f"{self.name}.json"


def questions() -> Iterator[Question]:
    """A config is run, variants are compared, events studied, a grid is swept and, without costs in it, walked."""
    for world in WORLDS:
        for path in sorted((ROOT / "configs").glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if path.stem.startswith("events_"):
                yield Question(world, "events", path)
            elif not path.stem.startswith("study_"):
                yield Question(world, "run", path)
            elif "\ngrid:" not in text:
                yield Question(world, "compare", path)
            else:
                yield Question(world, "sweep", path)
                if "\n  execution." not in text:
                    yield Question(world, "walk-forward", path)


def ask(question: Question, data: Path | None) -> dict[str, Any]:
    """Its figures by name; data: the folder of real prices and macro history, for the world `real`."""
    from backtest.cli import app

    prices = "{source: sample}"
    overrides = ["data.end=2025-12-31"]
    if question.world == "real":
        assert data is not None
        prices = f"{{source: csv, folder: {data / 'prices'}}}"
        overrides.append(f"data.macro={{folder: {data / 'macro'}}}")
    arguments = [question.command, str(question.path), "--offline", "--json"]
    for each in [f"data.prices={prices}", *overrides]:
        arguments += ["--set", each]
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        app([*arguments, "--out", out, "--ledger", f"{out}/trials.ledger"], standalone_mode=False)
        (folder,) = (manifest.parent for manifest in Path(out).glob("*/manifest.json"))
        return dict(sorted(figures_of(folder)))


def figures_of(folder: Path) -> Iterator[tuple[str, Any]]:
    """Figures of a result folder: its documents, and rows of its tables."""
    for path in sorted(folder.glob("*.json")):
        if path.name != "manifest.json":
            yield from _flat(path.stem, json.loads(path.read_text(encoding="utf-8")))
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        yield f"{path.name}: rows", len(rows)
        if path.name in ("sweep.csv", "equity.csv"):
            for number in sorted({len(rows) * k // ROWS for k in range(ROWS)} | {len(rows) - 1}):
                for key, cell in rows[number].items():
                    yield f"{path.name}: {number}: {key}", _number(cell)


def _flat(name: str, content: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in LEFT_OUT:
                yield from _flat(f"{name}.{key}", value)
    elif isinstance(content, list):
        if len(content) <= LONGEST_LIST:
            for number, value in enumerate(content):
                yield from _flat(f"{name}[{number}]", value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield name, rounded(content)
    elif content is None or isinstance(content, bool) or len(content) <= 40:
        yield name, content


def _number(cell: str) -> float | str | None:
    try:
        return rounded(float(cell))
    except ValueError:
        return cell or None


def rounded(value: float) -> float:
    """To the digits that are the same on every processor."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value


def renew(only: str) -> None:
    """Ask all and write the figures."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from real_data import find_real_data

    data = find_real_data()
    for question in questions():
        if only in question.name and (data or question.world == "sample"):
            question.file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(ask(question, data), indent=0)
            question.file.write_text(text + "\n", encoding="utf-8", newline="\n")
            sys.stdout.write(f"{question.name}\n")


if __name__ == "__main__":
    renew(sys.argv[1] if len(sys.argv) > 1 else "")
