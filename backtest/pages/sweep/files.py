"""A Sweep as files: sweep.html, sweep.csv, sweep.json, curves.csv, the manifest; if asked sweep.parquet; in one step.

SWEEP + findings -> results/<study>-<hash8>/   hash8: of the question, the data, the code, the trials known, the extras
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backtest.config import Study, study_question
from backtest.data import content_hash
from backtest.pages.shell import PageContext
from backtest.pages.sweep import render_sweep
from backtest.pages.sweep.view import headline
from backtest.pages.write import asked_of, code_of, period_of, sources_of, sparkline, study_files, write_pages
from backtest.store.folder import Content, Identity, Written
from backtest.store.ledger import FILE as LEDGER
from backtest.store.manifest import SCHEMA
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import csv, csv_bytes, json_text
from backtest.study.as_json import by_leg, plain
from backtest.study.findings import NO_EXTRAS, Extras, Findings, curves_frame, parquet_bytes
from backtest.study.sweep import Sweep
from backtest.study.verdict import finding_json

PAGE, TABLE, JSON_FILE = "sweep.html", "sweep.csv", "sweep.json"
CURVES, PARQUET = "curves.csv", "sweep.parquet"


def write_sweep(
    sweep: Sweep, findings: Findings, root: Path, provenance: Provenance, extras: Extras = NO_EXTRAS
) -> Written:
    """Write `root/<name>-<hash8>/`; raises as `write_pages` does, and RunError for the curve of a point that has none.

    What is asked for beside the table is part of the question: with it, the result stands in a folder of its own.
    """
    hashes = hashes_of(sweep, findings) | extras.hashes()
    identity = Identity("sweep", sweep.name, hashes)
    files: dict[str, Content] = {**tables_of(sweep), **study_files(sweep.study), LEDGER: findings.size.copy}
    files[JSON_FILE] = json_text(sweep_json(sweep, findings))
    curves = curves_frame(sweep, findings, extras.curves)
    if len(curves.columns):
        files[CURVES] = csv(curves)
    if extras.parquet:
        files[PARQUET] = parquet_bytes(sweep.frame)
    files[PAGE] = render_sweep(sweep, findings, PageContext(hash8=identity.hash8, hashes=hashes))
    about = {
        **about_of(sweep),
        "page": PAGE,
        "headline": headline(sweep, findings),
        "period": period_of(sweep.first.plan.sessions),
        "variants": len(sweep.table),
        "metrics": list(sweep.metric_keys),
        "trials": {"count": findings.size.trials, "here": len(sweep.table)},
        "sparkline": sparkline(findings.finalists[0].result.books.equity) if findings.finalists else [],
    }
    return write_pages(root, identity, files, about, provenance)


def tables_of(sweep: Sweep) -> dict[str, bytes]:
    """The figures of every point, which depend on no other trial."""
    return {TABLE: csv_bytes(sweep.frame, has_index=False)}


def about_of(sweep: Sweep) -> dict[str, Any]:
    """What the manifest says of a sweep and of a walk forward through it."""
    study = sweep.study
    asked = asked_of(study.base or sweep.first.config)
    grid = {f"grid.{key}": list(values) for key, values in study.grid.items()}
    return {
        "is_simulated": sweep.market.is_simulated,
        "is_monthly": sweep.market.is_monthly,
        "asked": {**{key: value for key, value in asked.items() if key not in study.grid}, **grid},
        "sources": sources_of(sweep.market),
    }


def strategies_of(sweep: Sweep) -> list[str]:
    """Names of the strategies that any variant uses, sorted."""
    return sorted({sweep.first.config.strategy.name, *map(str, sweep.study.grid.get("strategy.name", ()))})


def question_of(study: Study) -> str:
    """What is hashed of a sweep's question."""
    return f"sweep {study_question(study)}"


def hashes_of(sweep: Sweep, findings: Findings) -> dict[str, str]:
    """What the folder's name depends on: question, data, code, trials; each as sha256 (hex)."""
    return {
        "question": sha256_text(question_of(sweep.study)),
        "data": content_hash(sweep.market),
        "code": code_of(sweep.settings.strategies, strategies_of(sweep)),
        "trials": findings.size.used,
    }


def sweep_json(sweep: Sweep, findings: Findings) -> dict[str, Any]:
    """What a script needs: the finalists with their figures, the plateau, what the best is worth."""
    plateau = findings.plateau
    search = findings.search
    content = {
        "schema": SCHEMA,
        "name": sweep.name,
        "period": period_of(sweep.first.plan.sessions),
        "benchmark": sweep.benchmark,
        "variants": len(sweep.table),
        "problems": {str(number): why for number, why in sweep.problems.items()},
        "grid": {key: list(values) for key, values in sweep.study.grid.items()},
        "cautions": sweep.cautions,
        "ranked_by": sweep.headline,
        "ahead_of_benchmark": findings.ahead,
        "deflated_sharpe": findings.deflated,
        "hurdle": search.hurdle if search else None,
        "no_skill": {key: getattr(search.no_skill, key) for key in ("p", "mean", "upper")} if search else None,
        "spa": {key: getattr(search.spa, key) for key in ("lower", "consistent", "upper")} if search else None,
        "overfitting_probability": findings.overfitting,
        "overfitting_variants": findings.looked_at,
        "trials": findings.size.trials,
        "search": finding_json(findings.size.findings[0], findings.size),
        "verdict_level": findings.verdict.level,
        "verdict": " ".join((findings.verdict.headline, *findings.verdict.sentences)),
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
        "static_mixes": [
            {"shares": by_leg(sweep.first.legs, shares), "metrics": dict(figures)} for shares, figures in findings.mixes
        ],
    }
    return dict(plain(content))
