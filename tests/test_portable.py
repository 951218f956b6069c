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
    assert not found, "\n".join(found)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call, set[str]]]:
    """Name of what is called, the call, and its keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node, {str(keyword.arg) for keyword in node.keywords}


def mode_of(call: ast.Call) -> str:
    """Of an `open`: as a function its second argument, as a method its first; r when none is given as text."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[:1] if isinstance(call.func, ast.Attribute) else call.args[1:2]
    return next((str(each.value) for each in given if isinstance(each, ast.Constant)), "r")


def left_to_the_system(tree: ast.Module) -> Iterator[int]:
    """Lines on which text is read or written in whatever encoding, or with whatever line ends, the system likes."""
    for name, call, keywords in calls(tree):
        if name in ("read_text", "write_text") and isinstance(call.func, ast.Attribute):
            wanted = {"encoding"} | ({"newline"} if name == "write_text" else set())
        elif name == "open" and ast.unparse(call.func) in ("open", "path.open", "file.open", "log.open"):
            mode = mode_of(call)
            wanted = set() if "b" in mode else {"encoding"} | ({"newline"} if set(mode) & set("wax") else set())
        elif name in ("run", "Popen", "check_output") and keywords & {"text", "universal_newlines"}:
            wanted = {"encoding"}
        else:
            continue
        if not wanted <= keywords:
            yield call.lineno


def test_text_is_read_and_written_in_one_encoding_with_one_line_end() -> None:
    found = [
        f"{name}:{line}"
        for name, tree in sources("backtest", "strategies", "benchmarks", ".ci", "tests")
        for line in left_to_the_system(tree)
    ]
    assert not found, "\n".join(found)


UNIX_ALONE = {"fcntl", "resource", "pwd", "grp", "termios", "fork", "pread", "pwrite", "uname", "getuid", "O_NOFOLLOW"}


def test_nothing_is_used_that_only_unix_has() -> None:
    """O_DIRECTORY is asked for by `hasattr` alone; what locks files is filelock."""
    found = [
        f"{name}:{node.lineno}: {used}"
        for name, tree in sources("backtest", "strategies")
        for node in ast.walk(tree)
        for used in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else [node.attr]
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os"
            else []
        )
        if used in UNIX_ALONE
    ]
    assert not found, "\n".join(found)
