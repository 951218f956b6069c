"""Results folders made without running anything, and every way we know to damage one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backtest.store.folder import Content, Identity, Written, write
from backtest.store.manifest import MANIFEST, METRICS
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import json_text

FIGURES = {"cagr": 0.1, "sharpe": 0.5, "max_drawdown": -0.5, "rebalances": 7, "total_return": None}
CONTENT = {
    "schema": 1,
    "name": "made-up",
    "period": {"start": "2001-07-31", "end": "2025-12-31", "sessions": 6141},
    "strategy": FIGURES,
    "benchmarks": {"QQQ": {**FIGURES, "cagr": 0.12}},
    "undefined": {},
    "warnings": [],
}
EQUITY = "date,equity,rebalances\n2020-01-02,100000.0,1\n2020-01-03,100123.45678901234,2\n"


def result(
    root: Path, name: str = "made-up", files: Mapping[str, Content] | None = None, kind: Any = "run", **about: Any
) -> Written:
    """A folder in `root`, written as every command does."""
    hashes = {what: sha256_text(f"{what} of {name}") for what in ("question", "data", "code")}
    given: dict[str, Content] = {METRICS: json_text(CONTENT), "equity.csv": EQUITY, "report.html": "<!doctype html>\n"}
    told = {"page": "report.html", "headline": "It was.", "is_simulated": False, "asked": {"legs": ["QQQ"]}, **about}
    provenance = Provenance(command="made up", ledger_length=3)
    return write(root, Identity(kind, name, hashes), given | dict(files or {}), told, provenance)


def _set(file: str, *keys: str, to: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        place = content
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to
        (folder / file).write_text(json.dumps(content), encoding="utf-8", newline="\n")

    return damage


def _write(file: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / file).write_bytes(content) and None


def _without(file: str, key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        del content[key]
        (folder / file).write_text(json.dumps(content), encoding="utf-8", newline="\n")

    return damage


def _folder_for(file: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).mkdir()

    return damage


def _pipe_for(file: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / file).unlink()
        os.mkfifo(folder / file)

    return damage


DEEP = b"[" * 100_000
DAMAGES: Mapping[str, Callable[[Path], None]] = {
    "metrics: a figure as text": _set(METRICS, "strategy", "cagr", to="0.1"),
    "metrics: a list": _write(METRICS, b"[]"),
    "metrics: a number": _write(METRICS, b"7"),
    "metrics: benchmarks a list": _set(METRICS, "benchmarks", to=[]),
    "metrics: benchmarks of text": _set(METRICS, "benchmarks", to={"QQQ": "x"}),
    "metrics: a benchmark's figure a list": _set(METRICS, "benchmarks", "QQQ", "cagr", to=[0.1]),
    "metrics: a period as text": _set(METRICS, "period", to="x"),
    "metrics: a period of numbers": _set(METRICS, "period", to={"start": 2001, "end": 2002}),
    "metrics: no period": _without(METRICS, "period"),
    "metrics: the strategy null": _set(METRICS, "strategy", to=None),
    "metrics: a true figure": _set(METRICS, "strategy", "cagr", to=True),
    "metrics: not a number": _write(METRICS, json.dumps(CONTENT).replace("0.1,", "NaN,").encode()),
    "metrics: beyond all numbers": _write(METRICS, json.dumps(CONTENT).replace("0.1,", "1e400,").encode()),
    "metrics: nested deeply": _write(METRICS, DEEP),
    "metrics: empty": _write(METRICS, b""),
    "metrics: torn": _write(METRICS, json.dumps(CONTENT).encode()[:80]),
    "metrics: missing": lambda folder: (folder / METRICS).unlink(),
    "metrics: a folder": _folder_for(METRICS),
    **({"metrics: a pipe": _pipe_for(METRICS)} if hasattr(os, "mkfifo") else {}),
    "manifest: torn": _write(MANIFEST, b'{"name": "made-'),
    "manifest: empty": _write(MANIFEST, b""),
    "manifest: a list": _write(MANIFEST, b"[]"),
    "manifest: null": _write(MANIFEST, b"null"),
    "manifest: nested deeply": _write(MANIFEST, DEEP),
    "manifest: nested deeply inside": _write(MANIFEST, b'{"name": ' + DEEP),
    "manifest: not UTF-8": _write(MANIFEST, b'{"name": "\xff\xfe"}'),
    "manifest: another kind": _set(MANIFEST, "kind", to="novel"),
    "manifest: a kind of a list": _set(MANIFEST, "kind", to=["run"]),
    "manifest: a page elsewhere": _set(MANIFEST, "page", to="../../secret.html"),
    "manifest: a page that runs": _set(MANIFEST, "page", to="javascript:alert(1)"),
    "manifest: files a list": _set(MANIFEST, "files", to=["report.html"]),
    "manifest: files elsewhere": _set(MANIFEST, "files", to={"../x": {"sha256": "0" * 64, "bytes": 1}}),
    "manifest: a checksum of a number": _set(MANIFEST, "files", "equity.csv", "sha256", to=7),
    "manifest: run a list": _set(MANIFEST, "run", to=[]),
    "manifest: a moment of a number": _set(MANIFEST, "run", "finished", to=20260101),
    "manifest: a ledger of text": _set(MANIFEST, "run", "ledger_length", to="12"),
    "manifest: a ledger beyond all numbers": lambda folder: (folder / MANIFEST).write_text(
        (folder / MANIFEST).read_text(encoding="utf-8").replace('"ledger_length": 3', '"ledger_length": 1e400')
    , encoding="utf-8", newline="\n") and None,
    "manifest: a ledger of less than nothing": _set(MANIFEST, "run", "ledger_length", to=-4),
    "manifest: a line through zero": _set(MANIFEST, "sparkline", to=[1.0, 0.0, -1.0]),
    "manifest: a line of text": _set(MANIFEST, "sparkline", to="up"),
    "manifest: asked a list": _set(MANIFEST, "asked", to=[1]),
    "manifest: sources of numbers": _set(MANIFEST, "sources", to=[1, 2]),
    "manifest: no name": _without(MANIFEST, "name"),
    "manifest: a name of a list": _set(MANIFEST, "name", to=["a"]),
    "manifest: a folder": _folder_for(MANIFEST),
}  # fmt: skip
