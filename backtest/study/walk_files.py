"""A WalkForward as files: walk_forward.html, windows.csv, equity.csv, walk_forward.json and the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config import study_question
from backtest.data import content_hash
from backtest.report import index
from backtest.report.folder import HASH_LENGTH, MANIFEST, Written, code_hash, file_digests, manifest_json, write_folder
from backtest.report.occasion import Occasion
from backtest.report.page import PageContext
from backtest.report.tables import csv, day, json_text, sha256_text
from backtest.report.walk import render_walk
from backtest.report.write import sparkline, versions
from backtest.study.document import plain
from backtest.study.walk_forward import WalkForward

KIND, SCHEMA = "walk-forward", 1
PAGE, DOCUMENT, WINDOWS, EQUITY = "walk_forward.html", "walk_forward.json", "windows.csv", "equity.csv"


def write_walk(walk: WalkForward, root: Path, occasion: Occasion) -> Written:
    """Write `root/<name>-<hash8>/` whole or not at all and bring `root/index.html` up to date.

    Raises ResultDiffers when the folder holds another answer to the question, WriteError when it cannot be written.
    """
    sweep = walk.sweep
    asked = f"walk-forward {study_question(sweep.study)} {walk.terms.model_dump_json()}"
    names = {sweep.first.config.strategy.name, *(str(name) for name in sweep.study.grid.get("strategy.name", ()))}
    hashes = {
        "question": sha256_text(asked),
        "data": content_hash(sweep.market),
        "code": sha256_text("".join(code_hash(sweep.settings.strategies[name]) for name in sorted(names))),
    }
    key = sha256_text("".join(hashes.values()))
    files = {WINDOWS: csv(windows_frame(walk), has_index=False), EQUITY: csv(equity_frame(walk))}
    files[DOCUMENT] = json_text(document(walk))
    files[PAGE] = render_walk(walk, PageContext(hash8=key[:HASH_LENGTH], hashes=hashes, versions=versions()))
    files[MANIFEST] = manifest_json(_manifest(walk, key, hashes, files), occasion.fields())
    written = write_folder(root, f"{sweep.name}-{key[:HASH_LENGTH]}", files)
    if written.is_new:
        index.write_index(root)
    return written


def windows_frame(walk: WalkForward) -> pd.DataFrame:
    """A row per window: dates, the values chosen, the metric before and after, rank, growth of it and the benchmark."""
    sessions = walk.sweep.first.plan.sessions
    rows = []
    for choice in walk.choices:
        window = choice.window
        dates = {
            "train_from": sessions[window.train],
            "known_at": sessions[window.known - 1],
            "test_from": sessions[window.begin],
            "test_to": sessions[window.end - 1],
        }
        measured = {"inside": choice.inside, "outside": choice.outside, "rank": choice.rank, "growth": choice.growth}
        shown = {name: day(date) for name, date in dates.items()}
        rows.append({**shown, **choice.values, **measured, "benchmark_growth": choice.benchmark_growth})
    return pd.DataFrame(rows)


def equity_frame(walk: WalkForward) -> pd.DataFrame:
    """The three curves from the first test session on, USD."""
    columns = {"walk_forward": walk.equity, "benchmark": walk.benchmark, "best_in_hindsight": walk.hindsight}
    return pd.DataFrame(columns, index=walk.sessions.rename("date"))


def document(walk: WalkForward) -> dict[str, Any]:
    """What a script needs."""
    content = {
        "schema": SCHEMA,
        "name": walk.sweep.name,
        "period": _period(walk),
        "benchmark": walk.sweep.benchmark,
        "variants": len(walk.sweep.table),
        "terms": walk.terms.model_dump(mode="json"),
        "figures": {name: dict(figures) for name, figures in walk.figures.items()},
        "above_median": walk.above_median,
        "best_in_hindsight": walk.sweep.values(walk.best),
        "windows": json.loads(windows_frame(walk).to_json(orient="records")),
    }
    return dict(plain(content))


def _period(walk: WalkForward) -> dict[str, Any]:
    return {"start": day(walk.sessions[0]), "end": day(walk.sessions[-1]), "sessions": len(walk.sessions)}


def _manifest(walk: WalkForward, key: str, hashes: Mapping[str, str], files: Mapping[str, str]) -> dict[str, Any]:
    sources = walk.sweep.market.sources
    return {
        "schema": SCHEMA,
        "name": walk.sweep.name,
        "kind": KIND,
        "page": PAGE,
        "hash": key,
        **{f"{what}_sha256": digest for what, digest in hashes.items()},
        "period": _period(walk),
        "is_simulated": walk.sweep.market.is_simulated,
        "sources": [{field: getattr(source, field) for field in source.__slots__} for source in sources],
        "versions": versions(),
        "files": file_digests(files),
        "sparkline": sparkline(walk.equity),
    }
