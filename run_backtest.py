"""From a YAML file to a report you can trust: `python run_backtest.py CONFIG...`

The way of the data, which is the way through the library:
config -> market -> decision -> fills -> result -> metrics -> report.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

if sys.version_info < (3, 11) or not find_spec("backtrader"):
    found = f"{sys.version.split()[0]} {'with' if find_spec('backtrader') else 'without'} backtrader"
    sys.exit(
        f"{sys.executable}: found Python {found}, expected 3.11 or later with it: "
        "use .venv/bin/python, which the first command of README.md sets up"
    )

from backtest.audit.spot import spot_audit
from backtest.cli import main
from backtest.config import Config
from backtest.data import load_market
from backtest.pages.run.files import write_result
from backtest.pipeline import decide, execute, measure, plan_of
from backtest.result import Result
from backtest.store.folder import Written
from backtest.store.manifest import longest_ledger
from backtest.store.provenance import Provenance
from backtest.study.search import Search, search, shown_run


def backtest_one(
    config: Config,
    strategies: Mapping[str, type],
    results: Path,
    provenance: Provenance,
    *,
    ledger: Path | None = None,
    offline: bool = False,
) -> tuple[Result, Search, Written]:
    """Run one config and write its folder in `results`; provenance: what its manifest keeps about this run.

    strategies: name -> class, what `strategies/__init__.py` lists. ledger: where every trial is remembered, None to
    remember none.
    """
    strategy = strategies[config.strategy.name]
    market = load_market(config, offline=offline)  # prices, policy decisions, rates: checked, on one calendar
    decision = decide(config, market, strategy)  # what to hold after each close, and why; knows nothing later
    plan = plan_of(config, market, decision)  # the decision as target weights on the sessions of the test
    audited = spot_audit(config, market, strategy, decision)  # at some ten decisions: does it know what comes later?
    books = execute(config, plan, strategy)  # filled by backtrader, equal to the kernel to the last bit
    result = measure(config, market, strategy, decision, plan, books, audited)  # beside benchmarks, with metrics
    # Remembered as a trial, and judged beside everything that was tried.
    known = search(shown_run(result), ledger, recorded=longest_ledger(results))
    provenance.ledger_length = known.length if known.has_ledger else None
    return result, known, write_result(result, known, strategy, results, provenance)  # its folder, whole or not at all


if __name__ == "__main__":
    main(["run", *sys.argv[1:]], backtest_one)
