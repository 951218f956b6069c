"""What keeps the project at home on every machine, read in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLOCKS = {
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "process_time",
    "thread_time",
}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Path below the project and syntax tree of every Python file in these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_test_holds_a_stopwatch() -> None:
    """How long something takes says more of the machine than of the code: tests count work, benchmarks/ time."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCKS
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    ]
    assert found == []
