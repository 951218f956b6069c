"""A WalkForward as files: walk_forward.html, windows.csv, equity.csv, walk_forward.json and the manifest.

Where combinatorial paths are asked for also splits.csv and paths.csv.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config import Study, study_question
from backtest.data import content_hash
from backtest.pages.shell import PageContext
from backtest.pages.sweep.files import about_of, strategies_of
from backtest.pages.walk import render_walk
from backtest.pages.walk.page import headline
from backtest.pages.write import code_of, period_of, sparkline, study_files, write_pages
from backtest.store.folder import Content, Identity, Written
from backtest.store.ledger import FILE as LEDGER
from backtest.store.manifest import SCHEMA
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import csv, day, json_text
from backtest.study.as_json import plain
from backtest.study.verdict import finding_json
from backtest.study.walk_forward import WalkForward
from backtest.study.walk_paths import SPREAD_KEYS, WalkPaths

PAGE, JSON_FILE, WINDOWS, EQUITY = "walk_forward.html", "walk_forward.json", "windows.csv", "equity.csv"
SPLITS, PATHS = "splits.csv", "paths.csv"


def write_walk(walk: WalkForward, root: Path, provenance: Provenance) -> Written:
    """Write `root/<name>-<hash8>/`; raises as `write_pages` does."""
    sweep = walk.sweep
    hashes = {
        "question": sha256_text(question_of(sweep.study)),
        "data": content_hash(sweep.market),
        "code": code_of(sweep.settings.strategies, strategies_of(sweep)),
        "trials": walk.size.used,
    }
    identity = Identity("walk-forward", sweep.name, hashes)
    files: dict[str, Content] = {**tables_of(walk), **study_files(sweep.study), LEDGER: walk.size.copy}
    files[JSON_FILE] = json_text(walk_json(walk))
    files[PAGE] = render_walk(walk, PageContext(hash8=identity.hash8, hashes=hashes))
    about = {
        **about_of(sweep),
        "page": PAGE,
        "headline": headline(walk),
        "period": period_of(walk.sessions),
        "sparkline": sparkline(walk.equity),
    }
    return write_pages(root, identity, files, about, provenance)


def question_of(study: Study) -> str:
    """What is hashed of a walk's question."""
    return f"walk-forward {study_question(study)} {study.walk_forward.model_dump_json()}"


def tables_of(walk: WalkForward) -> dict[str, str]:
    """The figures, which depend on no other trial."""
    tables = {WINDOWS: csv(windows_frame(walk), has_index=False), EQUITY: csv(equity_frame(walk))}
    if walk.paths:
        tables |= {SPLITS: csv(splits_frame(walk.paths), has_index=False), PATHS: csv(paths_frame(walk, walk.paths))}
    return tables


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
        measured = {
            "inside": choice.inside,
            "outside": choice.outside,
            "rank": choice.rank,
            "total_return": choice.growth,
        }
        shown = {name: day(date) for name, date in dates.items()}
        rows.append({**shown, **choice.values, **measured, "benchmark_total_return": choice.benchmark_growth})
    return pd.DataFrame(rows)


def equity_frame(walk: WalkForward) -> pd.DataFrame:
    """The three curves from the first test session on, USD."""
    columns = {"walk_forward": walk.equity, "benchmark": walk.benchmark, "best_in_hindsight": walk.hindsight}
    return pd.DataFrame(columns, index=walk.sessions.rename("date"))


def splits_frame(paths: WalkPaths) -> pd.DataFrame:
    """A row per split: groups tested (from 1), the values chosen, the metric in training and in the test, rank."""
    rows = []
    for choice in paths.choices:
        tested = " ".join(str(group + 1) for group in choice.split.tested)
        measured = {"inside": choice.inside, "outside": choice.outside, "rank": choice.rank}
        rows.append({"tested": tested, **choice.values, **measured})
    return pd.DataFrame(rows)


def paths_frame(walk: WalkForward, paths: WalkPaths) -> pd.DataFrame:
    """The paths' curves from the first session on, USD, beside the benchmark and the best in sample."""
    columns = {f"path_{k + 1}": curve for k, curve in enumerate(paths.equity)}
    held = {"benchmark": paths.benchmark, "best_in_sample": paths.in_sample}
    return pd.DataFrame(columns | held, index=walk.sweep.first.plan.sessions.rename("date"))


def walk_json(walk: WalkForward) -> dict[str, Any]:
    """What a script needs."""
    content = {
        "schema": SCHEMA,
        "name": walk.sweep.name,
        "period": period_of(walk.sessions),
        "benchmark": walk.sweep.benchmark,
        "variants": len(walk.sweep.table),
        "terms": walk.terms.model_dump(mode="json"),
        "figures": {name: dict(figures) for name, figures in walk.figures.items()},
        "cautions": walk.sweep.cautions,
        "above_median": walk.above_median,
        "above_median_interval": walk.above_median_interval,
        "search": finding_json(walk.size.findings[0], walk.size),
        "verdict_level": walk.verdict.level,
        "verdict": " ".join((walk.verdict.headline, *walk.verdict.sentences)),
        "best_in_hindsight": walk.sweep.values(walk.best),
        "windows": json.loads(windows_frame(walk).to_json(orient="records")),
        "combinatorial": paths_document(walk, walk.paths) if walk.paths else None,
    }
    return dict(plain(content))


def paths_document(walk: WalkForward, paths: WalkPaths) -> dict[str, Any]:
    """What a script needs of the paths; each path names for every group the split (from 1) whose choice it holds."""
    sessions = walk.sweep.first.plan.sessions
    purge, embargo = walk.terms.apart
    return {
        "groups": [{"from": day(sessions[begin]), "to": day(sessions[end - 1])} for begin, end in paths.groups],
        "purge_sessions": purge,
        "embargo_sessions": embargo,
        "spread": {key: paths.spread(key) for key in SPREAD_KEYS},
        "ahead": paths.ahead,
        "ahead_interval": paths.ahead_interval,
        "independent_paths": paths.independent_paths,
        "above_median": paths.above_median,
        "above_median_interval": paths.above_median_interval,
        "benchmark": dict(paths.benchmark_figures),
        "best_in_sample": {"values": walk.sweep.values(paths.best), "figures": dict(paths.in_sample_figures)},
        "splits": json.loads(splits_frame(paths).to_json(orient="records")),
        "paths": [
            {"splits": [split + 1 for split in splits], "figures": dict(figures)}
            for splits, figures in zip(paths.splits, paths.figures, strict=True)
        ],
    }
