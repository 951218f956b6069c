"""A Comparison as files: comparison.html, comparison.csv, comparison.json and the manifest, written in one step.

COMPARISON -> results/<study>-<hash8>/   hash8: of the questions, the data, the code, the trials known, the seed
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config import question
from backtest.metrics import metric_keys
from backtest.metrics.registry import COUNTED_KEYS
from backtest.pages.shell import PageContext
from backtest.pages.write import asked_of, code_of, sparkline, variants_file, write_pages
from backtest.store.folder import Content, Identity, Written
from backtest.store.ledger import FILE as LEDGER
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import csv, day, json_text
from backtest.study.as_json import comparison_json
from backtest.study.comparison import Comparison

PAGE, TABLE, JSON_FILE = "comparison.html", "comparison.csv", "comparison.json"


def write_comparison(
    comparison: Comparison, strategies: Mapping[str, type], root: Path, provenance: Provenance
) -> Written:
    """Write `root/<name>-<hash8>/`; raises as `write_pages` does."""
    hashes = hashes_of(comparison, strategies)
    identity = Identity("comparison", comparison.name, hashes)
    files: dict[str, Content] = {TABLE: comparison_csv(comparison), JSON_FILE: json_text(comparison_json(comparison))}
    files[LEDGER] = comparison.size.copy
    files |= variants_file({each.name: each.config for each in comparison.variants}, comparison.benchmark)
    files[PAGE] = page_of(comparison, PageContext(hash8=identity.hash8, hashes=hashes))
    return write_pages(root, identity, files, _about(comparison), provenance)


def page_of(comparison: Comparison, context: PageContext) -> str:
    """The page as text."""
    from backtest.pages.comparison import render_comparison

    return render_comparison(comparison, context)


def question_of(comparison: Comparison) -> str:
    """What is hashed of a comparison's question."""
    asked = [[variant.name, question(variant.config)] for variant in comparison.variants]
    return json.dumps([comparison.name, comparison.benchmark, comparison.seed, asked])


def strategies_of(comparison: Comparison) -> list[str]:
    """Names of the strategies that any variant uses, in the variants' order."""
    return list(dict.fromkeys(variant.config.strategy.name for variant in comparison.variants))


def hashes_of(comparison: Comparison, strategies: Mapping[str, type]) -> dict[str, str]:
    """What the folder's name depends on: question, data, code, trials; each as sha256 (hex).

    The trials by number and moments: the same comparison beside other trials is another result. It does not matter
    whether its own variants are in the ledger already.
    """
    return {
        "question": sha256_text(question_of(comparison)),
        "data": comparison.data_sha256,
        "code": code_of(strategies, strategies_of(comparison)),
        "trials": comparison.size.used,
    }


def comparison_csv(comparison: Comparison) -> str:
    """A row per variant and benchmark: name, kind, then the metrics as columns, empty where undefined."""
    rows = [(variant.name, "variant", variant.metrics) for variant in comparison.variants]
    rows += [(benchmark.name, "benchmark", benchmark.metrics) for benchmark in comparison.benchmarks]
    columns: dict[str, Any] = {"name": [name for name, _, _ in rows], "kind": [kind for _, kind, _ in rows]}
    legs = dict.fromkeys(name for variant in comparison.variants for name in variant.config.legs)
    for metric in metric_keys(legs):
        values = [figures.get(metric) for _, _, figures in rows]
        columns[metric] = pd.array(values, dtype="Int64" if metric in COUNTED_KEYS else "Float64").to_numpy(
            dtype="int64" if metric in COUNTED_KEYS else "float64", na_value=float("nan")
        )
    return csv(pd.DataFrame(columns), has_index=False)


def _about(comparison: Comparison) -> dict[str, Any]:
    """What the manifest says of it."""
    period, trials = comparison.period, comparison.size
    return {
        "page": PAGE,
        "headline": comparison.verdict.headline,
        "period": {"start": day(period.start), "end": day(period.end), "sessions": period.sessions},
        "is_simulated": comparison.is_simulated,
        "is_monthly": comparison.is_monthly,
        "asked": _asked(comparison),
        "seed": comparison.seed,
        "trials": {"count": trials.trials, "here": trials.here, "ledger": trials.elsewhere},
        "sources": [asdict(source) for source in comparison.sources],
        "sparkline": sparkline(comparison.equity[comparison.best]),
    }


def _asked(comparison: Comparison) -> dict[str, Any]:
    """What its variants have in common, by key, and their names."""
    asked = [asked_of(variant.config) for variant in comparison.variants]
    common = {key: value for key, value in asked[0].items() if all(each.get(key) == value for each in asked[1:])}
    return {**common, "variants": list(comparison.names), "benchmark": comparison.benchmark, "seed": comparison.seed}
