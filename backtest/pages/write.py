"""From a Result to its folder: all files made in memory, then written in one step, then the index of all runs."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backtest.config import question
from backtest.data import content_hash
from backtest.pages import index
from backtest.pages.prose import caveats
from backtest.pages.report import render_report
from backtest.pages.shell import PageContext
from backtest.result import Result
from backtest.store.folder import (
    HASH_LENGTH,
    MANIFEST,
    Written,
    code_hash,
    file_digests,
    manifest_json,
    write_folder,
)
from backtest.store.occasion import Occasion
from backtest.store.tables import SCHEMA, data_files, sha256_text

LIBRARIES = ("backtrader", "numpy", "pandas", "pydantic", "plotly", "exchange_calendars")
SPARKLINE_POINTS = 60


def write_result(result: Result, strategy: type, root: Path, occasion: Occasion) -> Written:
    """Write `root/<name>-<hash8>/` and bring `root/index.html` up to date.

    occasion: what may differ on a rerun; it stands under `run` in the manifest and nowhere else.
    Raises ResultDiffers when the folder holds another answer to the question, WriteError when it cannot be written.
    """
    hashes = {
        "question": sha256_text(question(result.config)),
        "data": content_hash(result.market),
        "code": code_hash(strategy),
    }
    key = sha256_text("\n".join([*hashes.values(), *result.market.notes]))  # a second source speaks in notes only
    warnings = caveats(result)
    files = data_files(result, warnings)
    files["report.html"] = render_report(
        result, PageContext(hash8=key[:HASH_LENGTH], hashes=hashes, versions=versions())
    )
    files[MANIFEST] = manifest_json(manifest(result, key, hashes, files), occasion.fields())
    written = write_folder(root, f"{result.config.name}-{key[:HASH_LENGTH]}", files)
    if written.is_new or not (root / index.PAGE).exists():
        index.write_index(root)
    return written


def manifest(result: Result, key: str, hashes: Mapping[str, str], files: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the folder and what it was made from."""
    market = result.market
    sources = [{field: getattr(source, field) for field in source.__slots__} for source in market.sources]
    return {
        "schema": SCHEMA,
        "name": result.config.name,
        "kind": "run",
        "hash": key,
        **{f"{what}_sha256": digest for what, digest in hashes.items()},
        "is_simulated": market.is_simulated,
        "tbill": market.tbill_name,
        "sources": sources,
        "versions": versions(),
        "files": file_digests(files),
        "sparkline": sparkline(result.books.equity),
    }


def versions() -> dict[str, str]:
    """Version of Python, of this project and of the libraries that a figure or a page depends on."""
    found = {"python": platform.python_version(), "rotation-backtest": own_version()}
    return found | {name: importlib.metadata.version(name) for name in LIBRARIES}


def own_version() -> str:
    """Version of this project; "unknown" when it is run without having been installed."""
    try:
        return importlib.metadata.version("rotation-backtest")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def sparkline(equity: np.typing.NDArray[np.float64]) -> list[float]:
    """The curve at SPARKLINE_POINTS evenly spaced sessions, as multiples of the first, to 4 digits: for the index."""
    rows = np.unique(np.linspace(0, len(equity) - 1, SPARKLINE_POINTS).round().astype(np.int64))
    return [round(float(value), 4) for value in equity[rows] / equity[0]]
