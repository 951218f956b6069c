"""A Sweep as files: sweep.html, sweep.csv, sweep.json, curves.csv, the manifest; if asked sweep.parquet; in one step.

SWEEP + findings -> results/<study>-<hash8>/   hash8: of the question, the data, the code, the trials known, the extras
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtest.config import study_question
from backtest.data import content_hash
from backtest.metrics import METRIC_KEYS
from backtest.pages import index
from backtest.pages.page import PageContext
from backtest.pages.sweep import render_sweep
from backtest.pages.write import sparkline, versions
from backtest.store.folder import (
    HASH_LENGTH,
    MANIFEST,
    Content,
    Written,
    code_hash,
    file_digests,
    manifest_json,
    write_folder,
)
from backtest.store.occasion import Occasion
from backtest.store.tables import csv, csv_bytes, day, json_text, sha256_text
from backtest.study.document import plain
from backtest.study.sweep import Sweep
from backtest.study.sweep_extras import NO_EXTRAS, Extras, curves_frame, parquet_bytes
from backtest.study.sweep_findings import Findings

KIND, SCHEMA = "sweep", 1
PAGE, TABLE, DOCUMENT = "sweep.html", "sweep.csv", "sweep.json"
CURVES, PARQUET = "curves.csv", "sweep.parquet"


def write_sweep(
    sweep: Sweep, findings: Findings, root: Path, occasion: Occasion, extras: Extras = NO_EXTRAS
) -> Written:
    """Write `root/<name>-<hash8>/` whole or not at all and bring `root/index.html` up to date.

    What is asked for beside the table is part of the question: with it, the result stands in a folder of its own.
    Raises RunError for the curve of a point that could not be run, ResultDiffers when the folder holds another answer
    to the question, WriteError when it cannot be written.
    """
    hashes = hashes_of(sweep, findings) | extras.hashes()
    key = sha256_text("".join(hashes.values()))
    files: dict[str, Content] = {TABLE: csv_bytes(sweep.frame, has_index=False)}
    files[DOCUMENT] = json_text(document(sweep, findings))
    curves = curves_frame(sweep, findings, extras.curves)
    if len(curves.columns):
        files[CURVES] = csv(curves)
    if extras.parquet:
        files[PARQUET] = parquet_bytes(sweep.frame)
    context = PageContext(hash8=key[:HASH_LENGTH], hashes=hashes, versions=versions())
    files[PAGE] = render_sweep(sweep, findings, context)
    files[MANIFEST] = manifest_json(_manifest(sweep, findings, key, hashes, files), occasion.fields())
    written = write_folder(root, f"{sweep.name}-{key[:HASH_LENGTH]}", files)
    if written.is_new:
        index.write_index(root)
    return written


def hashes_of(sweep: Sweep, findings: Findings) -> dict[str, str]:
    """What the folder's name depends on: question, data, code, trials; each as sha256 (hex)."""
    names = {sweep.first.config.strategy.name, *(str(name) for name in sweep.study.grid.get("strategy.name", ()))}
    trials = findings.trials
    return {
        "question": sha256_text(f"sweep {study_question(sweep.study)}"),
        "data": content_hash(sweep.market),
        "code": sha256_text("".join(code_hash(sweep.settings.strategies[name]) for name in sorted(names))),
        "trials": sha256_text(json.dumps(plain([trials.count, trials.mean, trials.variance]))),
    }


def document(sweep: Sweep, findings: Findings) -> dict[str, Any]:
    """What a script needs: the finalists with their figures, the plateau, what the best is worth."""
    sessions, plateau = sweep.first.plan.sessions, findings.plateau
    content = {
        "schema": SCHEMA,
        "name": sweep.name,
        "period": {"start": day(sessions[0]), "end": day(sessions[-1]), "sessions": len(sessions)},
        "benchmark": sweep.benchmark,
        "variants": len(sweep.table),
        "problems": {str(number): why for number, why in sweep.problems.items()},
        "grid": {key: list(values) for key, values in sweep.study.grid.items()},
        "ranked_by": sweep.headline,
        "ahead_of_benchmark": findings.ahead,
        "deflated_sharpe": findings.deflated,
        "overfitting_probability": findings.overfitting,
        "overfitting_variants": findings.looked_at,
        "trials": findings.trials.count,
        "plateau": None
        if plateau is None or plateau.centre is None
        else {
            "centre": sweep.values(plateau.centre),
            "mean": float(plateau.mean[plateau.centre]),
            "worst": float(plateau.worst[plateau.centre]),
        },
        "finalists": [
            {"point": each.number, "why": each.why, "values": each.values, "metrics": dict(each.result.metrics)}
            for each in findings.finalists
        ],
        "benchmarks": {name: dict(figures) for name, figures in findings.benchmarks.items()},
        "static_mixes": {f"{share:g}": dict(figures) for share, figures in findings.mixes.items()},
    }
    return dict(plain(content))


def _manifest(
    sweep: Sweep, findings: Findings, key: str, hashes: Mapping[str, str], files: Mapping[str, Content]
) -> dict[str, Any]:
    sessions = sweep.first.plan.sessions
    return {
        "schema": SCHEMA,
        "name": sweep.name,
        "kind": KIND,
        "page": PAGE,
        "hash": key,
        **{f"{what}_sha256": digest for what, digest in hashes.items()},
        "period": {"start": day(sessions[0]), "end": day(sessions[-1]), "sessions": len(sessions)},
        "is_simulated": sweep.market.is_simulated,
        "variants": len(sweep.table),
        "metrics": list(METRIC_KEYS),
        "trials": {"count": findings.trials.count, "here": len(sweep.table)},
        "sources": [{field: getattr(source, field) for field in source.__slots__} for source in sweep.market.sources],
        "versions": versions(),
        "files": file_digests(files),
        "sparkline": sparkline(findings.finalists[0].result.books.equity) if findings.finalists else [],
    }
