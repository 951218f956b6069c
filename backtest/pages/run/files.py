"""A Result as files: report.html, metrics.json, equity.csv, trades.csv, decisions.csv, config.yaml and the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backtest.config import dump_yaml, question, resolved
from backtest.data import content_hash
from backtest.pages.prose import caveats, headline
from backtest.pages.report import render_report
from backtest.pages.shell import PageContext
from backtest.pages.write import asked_of, code_of, period_of, sources_of, sparkline, write_pages
from backtest.result import Result
from backtest.store.folder import Content, Identity, Written
from backtest.store.ledger import FILE as LEDGER
from backtest.store.manifest import SCHEMA
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import csv, json_text
from backtest.study.search import Search

PAGE = "report.html"


def write_result(result: Result, search: Search, strategy: type, root: Path, provenance: Provenance) -> Written:
    """Write `root/<name>-<hash8>/`; raises as `write_pages` does.

    search: what luck explains; beside other trials the same run is another result. provenance: what may differ on a
    rerun; it stands under `run` in the manifest and nowhere else.
    """
    config, market = result.config, result.market
    hashes = {
        "question": sha256_text(question(config)),
        "data": content_hash(market),
        "code": code_of({config.strategy.name: strategy}, [config.strategy.name]),
        "trials": search.used,
    }
    if market.notes:  # a second source speaks in notes only
        hashes["notes"] = sha256_text("\n".join(market.notes))
    identity = Identity("run", config.name, hashes)
    files: dict[str, Content] = {**data_files(result, caveats(result)), LEDGER: search.copy}
    files[PAGE] = render_report(result, PageContext(hash8=identity.hash8, hashes=hashes), search)
    about = {
        "page": PAGE,
        "headline": headline(result),
        "period": period_of(result.sessions),
        "is_simulated": market.is_simulated,
        "is_monthly": market.is_monthly,
        "tbill": market.tbill_name,
        "asked": asked_of(config),
        "sources": sources_of(market),
        "sparkline": sparkline(result.books.equity),
        "audited_decisions": result.audited,
    }
    return write_pages(root, identity, files, about, provenance)


def data_files(result: Result, warnings: Sequence[str]) -> dict[str, str]:
    """File name -> text, for everything but the page and the manifest."""
    return {
        "metrics.json": metrics_json(result, warnings),
        "equity.csv": csv(result.equity),
        "trades.csv": csv(result.trades, has_index=False),
        "decisions.csv": csv(result.decisions),
        "config.yaml": dump_yaml(resolved(result.config)),
    }


def metrics_json(result: Result, warnings: Sequence[str]) -> str:
    """Figures of the strategy and of each benchmark, as fractions; null where undefined, with the reason."""
    content = {
        "schema": SCHEMA,
        "name": result.config.name,
        "period": period_of(result.sessions),
        "strategy": dict(result.metrics),
        "benchmarks": {name: dict(figures) for name, figures in result.benchmark_metrics.items()},
        "undefined": dict(result.undefined),
        "audited_decisions": result.audited,
        "warnings": list(warnings),
    }
    return json_text(content)
