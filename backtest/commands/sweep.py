"""`backtest sweep`: every point of a study's grid; table, page, finalists by backtrader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.account.benchmarks import benchmark_label
from backtest.commands.compare import placed_data
from backtest.commands.progress import progress
from backtest.commands.stopping import stoppable
from backtest.config import Study, load_study
from backtest.errors import ConfigError
from backtest.pages.sweep.view import boxes, headline, lede
from backtest.store.folder import Written
from backtest.store.provenance import Provenance
from backtest.study.findings import Findings
from backtest.study.sweep import Sweep
from strategies import REGISTRY


def sweep_path(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    *,
    curves: Sequence[int],
    parquet: bool,
    offline: bool,
    as_json: bool,
    cluster: str | None = None,
    ledger: Path | None = None,
) -> None:
    """Sweep a study and print what came out (or sweep.json's content); an interrupted sweep is taken up again.

    curves: points whose whole curves go to curves.csv beside the finalists'. parquet: also write sweep.parquet.
    """
    from backtest.pages.sweep.files import document, write_sweep
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.findings import Extras, findings_of
    from backtest.study.resume import ChunkStore
    from backtest.study.sweep import sweep

    provenance = Provenance()
    study = study_of(path, overrides)
    extras = Extras.of(curves, parquet=parquet)
    extras.check(study)
    with placed_data(path, overrides), stoppable(), progress(f"sweep {study.name}") as advance:
        result = sweep(study, REGISTRY, offline=offline, cluster=cluster, keep=out, progress=advance)
        findings = findings_of(result, ledger or default_ledger(), longest_ledger(out))
        provenance.ledger_length = findings.size.length
        written = write_sweep(result, findings, out, provenance, extras)
        ChunkStore(out, result.fingerprint).remove()
    if as_json:
        print(json.dumps(document(result, findings) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
    else:
        print_sweep(result, findings, written, provenance.seconds)


def study_of(path: Path, overrides: Sequence[str]) -> Study:
    """The study of a file; ConfigError when it is a config, or has no grid."""
    study = load_study(path, strategies=REGISTRY, overrides=overrides)
    if not study.size:
        raise ConfigError(f"{path}: grid: found none, expected swept keys (variants are for compare)")
    return study


def print_sweep(result: Sweep, findings: Findings, written: Written, seconds: float) -> None:
    """Headline, what to know, finalists, the path of the page."""
    from backtest.pages.sweep.files import PAGE

    sessions = result.first.plan.sessions
    against = f", against {benchmark_label(result.benchmark)}" if result.benchmark else ""
    simulated = " (SIMULATED DATA)" if result.market.is_simulated else ""
    print(f"{result.name}, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}{against}{simulated}")
    print("\n".join(["", headline(result, findings), *lede(result, findings), ""]))
    for what, figure, reading in boxes(result, findings):
        print(f"  {what}: {figure} ({reading})")
    for each in findings.finalists:
        print(f"  {each.why}: {result.label(each.number)}; the same by backtrader")
    if result.problems:
        number, why = next(iter(result.problems.items()))
        print(f"  ! {len(result.problems)} points could not be run, the first ({result.label(number)}): {why}")
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / PAGE}")
