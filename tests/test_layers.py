"""The layers of the house: imports point one way only, and what is slow to load is loaded where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    ("errors", "units", "text", "series"),
    ("registry", "config", "market"),
    ("decision",),
    ("data", "signals"),
    ("account",),
    ("result",),
    ("metrics",),
    ("statistics",),
    ("pipeline",),
    ("store",),
    ("study", "audit", "now"),
    ("events",),
    ("pages",),
    ("api",),
    ("commands",),
    ("cli",),
)
"""From the ground up. A module imports from the floors below it and from its own room."""

LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

BACKTRADER_ROOMS = {"account"}
LAZY = {"numba", "arch", "scipy", "plotly", "yfinance", "jinja2", "exchange_calendars", "matplotlib", "distributed"}
LAZY |= {"pyarrow"}
"""Slow to load: imported inside the functions that use them."""

STRATEGIES_MAY_IMPORT = (
    "backtest.market",
    "backtest.decision",
    "backtest.signals",
    "backtest.account.strategy",
    "backtest.errors",
    "backtest.text",
)
STRATEGIES_MAY_USE = {
    "functools",
    "json",
    "re",
    "__future__",
    "collections",
    "dataclasses",
    "math",
    "typing",
    "numpy",
    "pandas",
    "pydantic",
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports_of(path: Path, *, only_at_load: bool = False) -> Iterator[tuple[int, str]]:
    """(line, full name) of each import; `from x import y` is x.y. What stands under TYPE_CHECKING is left out."""
    for node in statements(ast.parse(path.read_text(encoding="utf-8")), only_at_load):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def statements(node: ast.AST, only_at_load: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if only_at_load and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from statements(child, only_at_load)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "backtest").parts[0].removesuffix(".py")


LIBRARY = [path for path in modules("backtest") if room_of(path) not in ("__init__", "__main__")]


def packages(imports: Iterator[tuple[int, str]]) -> set[str]:
    return {name.split(".")[0] for _, name in imports}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in LIBRARY} <= set(LEVEL)


def test_imports_point_one_way() -> None:
    wrong = []
    for path in LIBRARY:
        room = room_of(path)
        for line, name in imports_of(path):
            other = [*name.split("."), ""][1] if name.startswith("backtest.") else ""
            is_upward = other != room and LEVEL.get(other, -1) >= LEVEL[room]
            is_outside = name.split(".")[0] in ("strategies", "run_backtest")
            if is_upward or is_outside:
                wrong.append(f"{name_of(path)}:{line}: {room} imports {name}")
    assert wrong == []


def test_backtrader_is_imported_where_orders_are_placed_and_nowhere_else() -> None:
    users = {room_of(path) for path in LIBRARY if "backtrader" in packages(imports_of(path))}
    assert users == BACKTRADER_ROOMS


def test_what_is_slow_to_load_is_loaded_where_it_is_used() -> None:
    slow = {name_of(path): LAZY & packages(imports_of(path, only_at_load=True)) for path in LIBRARY}
    assert {path: found for path, found in slow.items() if found} == {}


@pytest.mark.parametrize("path", modules("strategies"), ids=name_of)
def test_a_strategy_imports_its_tools_and_nothing_else(path: Path) -> None:
    names = [name for _, name in imports_of(path)]
    own = [name for name in names if name.startswith("backtest.")]
    assert [name for name in own if not name.startswith(tuple(f"{a}." for a in STRATEGIES_MAY_IMPORT))] == []
    assert packages(imports_of(path)) <= STRATEGIES_MAY_USE | {"backtest", "strategies"}


HEAVY = ("numba", "arch", "scipy", "plotly", "yfinance", "matplotlib", "exchange_calendars", "jinja2")


@pytest.mark.parametrize(
    ("module", "not_loaded"),
    [
        ("backtest", (*HEAVY, "backtrader", "pandas", "numpy", "pydantic", "rich", "typer")),
        ("backtest.config", (*HEAVY, "backtrader", "typer")),
        ("backtest.market", (*HEAVY, "backtrader", "pydantic")),
        ("backtest.signals", (*HEAVY, "backtrader")),
        ("backtest.account", HEAVY),
        ("strategies", HEAVY),
        ("backtest.pipeline", HEAVY),
        ("backtest.cli", HEAVY),
    ],
)
def test_an_import_loads_no_more_than_it_needs(module: str, not_loaded: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert not set(not_loaded) & set(done.stdout.split())
