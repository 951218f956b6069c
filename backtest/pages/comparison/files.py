"""A Comparison as files: comparison.html, comparison.csv, comparison.json and the manifest, written in one step.

COMPARISON -> results/<study>-<hash8>/   hash8: of the questions, the data, the code, the trials known, the seed
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config import question
from backtest.metrics import METRIC_KEYS
from backtest.metrics.registry import COUNTED_KEYS
from backtest.pages import index
from backtest.pages.page import PageContext
from backtest.pages.write import sparkline, versions
from backtest.store.folder import HASH_LENGTH, MANIFEST, Written, code_hash, file_digests, manifest_json, write_folder
from backtest.store.occasion import Occasion
from backtest.store.tables import csv, day, json_text, sha256_text
from backtest.study.comparison import Comparison
from backtest.study.document import SCHEMA, document, plain

KIND = "comparison"
PAGE, TABLE, DOCUMENT = "comparison.html", "comparison.csv", "comparison.json"


def write_comparison(comparison: Comparison, strategies: Mapping[str, type], root: Path, occasion: Occasion) -> Written:
    """Write `root/<name>-<hash8>/` whole or not at all and bring `root/index.html` up to date.

    occasion: what may differ on a rerun; it stands under `run` in the manifest and nowhere else.
    Raises ResultDiffers when the folder holds another answer to the question, WriteError when it cannot be written.
    """
    hashes = hashes_of(comparison, strategies)
    key = sha256_text("".join(hashes.values()))
    files = {TABLE: comparison_csv(comparison), DOCUMENT: json_text(document(comparison))}
    files[PAGE] = page_of(comparison, PageContext(hash8=key[:HASH_LENGTH], hashes=hashes, versions=versions()))
    files[MANIFEST] = manifest_json(_manifest(comparison, key, hashes, files), occasion.fields())
    written = write_folder(root, f"{comparison.name}-{key[:HASH_LENGTH]}", files)
    if written.is_new:
        index.write_index(root)
    return written


def page_of(comparison: Comparison, context: PageContext) -> str:
    """The page as text."""
    from backtest.pages.comparison import render_comparison

    return render_comparison(comparison, context)


def hashes_of(comparison: Comparison, strategies: Mapping[str, type]) -> dict[str, str]:
    """What the folder's name depends on: question, data, code, trials; each as sha256 (hex).

    The trials by number and moments: the same comparison beside other trials is another result. It does not matter
    whether its own variants are in the ledger already.
    """
    used = dict.fromkeys(variant.config.strategy.name for variant in comparison.variants)
    trials = comparison.size.annual
    asked = [
        comparison.name,
        comparison.benchmark,
        comparison.seed,
        [[variant.name, question(variant.config)] for variant in comparison.variants],
    ]
    known = [trials.count, trials.mean, trials.variance, list(comparison.cautions)]
    return {
        "question": sha256_text(json.dumps(asked)),
        "data": comparison.data_sha256,
        "code": sha256_text("".join(code_hash(strategies[name]) for name in used)),
        "trials": sha256_text(json.dumps(plain(known))),
    }


def comparison_csv(comparison: Comparison) -> str:
    """A row per variant and benchmark: name, kind, then the metrics as columns, empty where undefined."""
    rows = [(variant.name, "variant", variant.metrics) for variant in comparison.variants]
    rows += [(benchmark.name, "benchmark", benchmark.metrics) for benchmark in comparison.benchmarks]
    columns: dict[str, Any] = {"name": [name for name, _, _ in rows], "kind": [kind for _, kind, _ in rows]}
    for metric in METRIC_KEYS:
        values = [figures[metric] for _, _, figures in rows]
        columns[metric] = pd.array(values, dtype="Int64" if metric in COUNTED_KEYS else "Float64").to_numpy(
            dtype="int64" if metric in COUNTED_KEYS else "float64", na_value=float("nan")
        )
    return csv(pd.DataFrame(columns), has_index=False)


def _manifest(comparison: Comparison, key: str, hashes: Mapping[str, str], files: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the folder and what it was made from."""
    period, trials = comparison.period, comparison.size
    return {
        "schema": SCHEMA,
        "name": comparison.name,
        "kind": KIND,
        "page": PAGE,
        "headline": comparison.verdict.headline,
        "hash": key,
        **{f"{what}_sha256": digest for what, digest in hashes.items()},
        "period": {"start": day(period.start), "end": day(period.end), "sessions": period.sessions},
        "is_simulated": comparison.is_simulated,
        "seed": comparison.seed,
        "trials": {"count": trials.count, "here": trials.here, "ledger": trials.ledger, "swept": trials.swept},
        "sources": [{field: getattr(source, field) for field in source.__slots__} for source in comparison.sources],
        "versions": versions(),
        "files": file_digests(files),
        "sparkline": sparkline(comparison.equity[comparison.best]),
    }
