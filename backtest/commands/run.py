"""`backtest run`: run configs, say what came out in a few lines, name the report."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from backtest.account.benchmarks import benchmark_label
from backtest.audit.spot import run_audited
from backtest.commands.common import kind_of_data, load_all, placed, registry, tell
from backtest.config import Config, is_study
from backtest.metrics import metrics_on
from backtest.pages.alternatives import alternatives_of, rotating_sentence
from backtest.pages.prose import caveats
from backtest.pages.run.files import write_result
from backtest.result import Result
from backtest.store.folder import Written
from backtest.store.ledger import default_ledger
from backtest.store.manifest import longest_ledger
from backtest.store.provenance import Provenance
from backtest.study.search import Search, search, shown_run
from backtest.study.timing import describe_timing
from backtest.study.verdict import finding_json, verdict_of_run
from backtest.text import aligned, capital

OLD_PRICES_DAYS = 7


OneRun: TypeAlias = Callable[..., tuple[Result, Search, Written]]
"""(config, strategies, results folder, provenance, *, ledger, offline) -> the result, what is known, its folder."""


def run_one(
    config: Config,
    strategies: Mapping[str, type],
    out: Path,
    provenance: Provenance,
    *,
    ledger: Path | None = None,
    offline: bool = False,
) -> tuple[Result, Search, Written]:
    """What `run_backtest.py` shows step by step, for a command that was started without it."""
    result = run_audited(config, strategies, offline=offline)
    known = search(shown_run(result), ledger, recorded=longest_ledger(out))
    provenance.ledger_length = known.length if known.has_ledger else None
    return result, known, write_result(result, known, strategies[config.strategy.name], out, provenance)


def run_configs(
    paths: Sequence[Path],
    overrides: Sequence[str],
    out: Path,
    *,
    offline: bool,
    as_json: bool,
    ledger: Path | None = None,
    backtest_one: OneRun = run_one,
) -> None:
    """Run each config and print its short table (or one piece of JSON for all); compare several, or a study."""
    if any(is_study(path) for path in paths):
        from backtest.commands.search import compare_paths

        compare_paths(paths, overrides, out, offline=offline, as_json=as_json, ledger=ledger)
        return

    configs = load_all(paths, overrides)
    contents = []
    for path, config in zip(paths, configs, strict=True):
        provenance = Provenance()
        with placed(path, overrides):
            result, known, written = backtest_one(
                config, registry(), out, provenance, ledger=ledger or default_ledger(), offline=offline
            )
        tell_age(result)
        if as_json:
            contents.append(run_json(result, known, written))
        else:
            print_summary(result, known, written, provenance.seconds)
    if as_json:
        print(json.dumps(contents[0] if len(contents) == 1 else contents, indent=2, allow_nan=False))
    if len(configs) > 1 and not as_json:
        from backtest.commands.search import compare_paths

        compare_paths(paths, overrides, out, offline=offline, as_json=False, ledger=ledger)


def tell_age(result: Result) -> None:
    """Say on stderr when fetched prices end long ago: a source that answers with an old history looks like a new one.

    Not in the result, which does not depend on the day it is made.
    """
    config, last = result.config, result.sessions[-1]
    days = (datetime.datetime.now(datetime.UTC).date() - last.date()).days
    if config.data.prices.source == "yahoo" and config.data.end is None and days > OLD_PRICES_DAYS:
        print(f"{config.name}: the last prices are of {last:%Y-%m-%d}, {days} days ago", file=sys.stderr)


def run_json(result: Result, known: Search, written: Written) -> dict[str, Any]:
    """What a script needs."""
    return {
        "name": result.config.name,
        "folder": str(written.folder),
        "report": str(written.folder / "report.html"),
        "unchanged": not written.is_new,
        "audited_decisions": result.audited,
        "metrics": dict(result.metrics),
        "benchmarks": {name: dict(figures) for name, figures in result.benchmark_metrics.items()},
        "search": finding_json(known.findings[0], known),
        "timing_described": describe_timing(result).as_json,
        "verdict_level": known.findings[0].level,
        "warnings": caveats(result),
    }


def print_summary(result: Result, known: Search, written: Written, seconds: float) -> None:
    """A short table, the verdict, the warnings, the path of the report."""
    columns = {"strategy": result.metrics, **{benchmark_label(n): f for n, f in result.benchmark_metrics.items()}}
    rows = [["", *columns]]
    for metric in metrics_on("terminal", result.legs.labelled, "final_equity_usd"):
        per_year = result.market.periods_per_year
        rows.append([metric.label, *(metric.write(figures[metric.key], per_year) for figures in columns.values())])
    first, last = result.sessions[0], result.sessions[-1]
    title = f"{result.config.name}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    market = result.market
    tell(market, f"{title}{kind_of_data(market)}", *aligned(rows))
    tell(market, f"\n  Did rotating help? {rotating_sentence(result, alternatives_of(result))}")
    said = verdict_of_run(result, known)
    tell(market, "", *(f"  {line}" for line in (said.headline, *said.sentences)), "")
    tell(market, f"  {capital(result.audit_words)}", *(f"  ! {warning}" for warning in caveats(result)))
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / 'report.html'}")
