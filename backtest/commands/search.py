"""`backtest compare | sweep | walk-forward`: variants beside each other; which is better, and is it luck?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from backtest.account.benchmarks import benchmark_label
from backtest.commands.common import kind_of_data, load_all, placed, progress, registry, stoppable, tell
from backtest.config import Config, Study, is_study, load_study
from backtest.errors import ConfigError
from backtest.metrics import metric_of
from backtest.metrics.registry import exposure_key
from backtest.pages.comparison.table import legs_told
from backtest.pages.legs import LegLook, leg_looks
from backtest.store.folder import Written
from backtest.store.provenance import Provenance
from backtest.study.comparison import Comparison
from backtest.study.findings import Findings
from backtest.study.question import Question, joint_name, of_study
from backtest.study.sweep import Sweep
from backtest.text import aligned, number, percent, span

MOST_SHOWN = 12
"""Rows of the short table; the page has all."""

MOST_LEGS = 4
"""Whose shares stand in it."""


def compare_paths(
    paths: Sequence[Path],
    overrides: Sequence[str],
    out: Path,
    *,
    offline: bool,
    as_json: bool,
    ledger: Path | None = None,
) -> None:
    """Compare configs, or the variants of one study, and print the verdict (or comparison.json's content).

    Raises what `compare` raises; nothing is created when the configs or their data are at fault.
    """
    question = question_of(paths, overrides)
    with placed(question.path, overrides):
        compare_question(question, out, offline=offline, as_json=as_json, ledger=ledger)


def question_of(paths: Sequence[Path], overrides: Sequence[str]) -> Question:
    """The variants that the files describe; ConfigError with the mistakes of all of them."""
    studies = [path for path in paths if is_study(path)]
    if studies and len(paths) > 1:
        raise ConfigError(f"{studies[0]}: is a study, expected it alone, or configs only")
    if studies:
        return of_study(load_study(studies[0], strategies=registry(), overrides=overrides))
    configs = load_all(paths, overrides)
    latest = max(range(len(configs)), key=lambda i: configs[i].data.start)
    return Question(joint_name([config.name for config in configs]), paths[latest], dict(_named(paths, configs)))


def _named(paths: Sequence[Path], configs: Sequence[Config]) -> Iterator[tuple[str, Config]]:
    """Each config under its own name; of equal names each under that of its file."""
    names = [config.name for config in configs]
    for path, config in zip(paths, configs, strict=True):
        same = [other for other, name in zip(paths, names, strict=True) if name == config.name]
        stems = {other.stem for other in same}
        if len(stems) < len(same):
            raise ConfigError(f"{path}: name: found {config.name} in two files of the same name, expected two names")
        yield (config.name if len(same) == 1 else path.stem), config


def compare_question(
    question: Question, out: Path, *, offline: bool, as_json: bool, ledger: Path | None = None
) -> None:
    """Compare, write the folder, print."""
    from backtest.pages.comparison.files import write_comparison
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.as_json import comparison_json
    from backtest.study.compare import compare

    provenance = Provenance()
    with progress(f"compare {question.name}") as advance:
        comparison = compare(
            question.variants,
            name=question.name,
            strategies=registry(),
            benchmark=question.benchmark,
            ledger=ledger or default_ledger(),
            recorded=longest_ledger(out),
            grid=question.grid,
            walk_forward=question.walk_forward,
            progress=advance,
            offline=offline,
        )
        provenance.ledger_length = comparison.size.length
        written = write_comparison(comparison, registry(), out, provenance)
    if as_json:
        print(json.dumps(comparison_json(comparison) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
    else:
        print_comparison(comparison, written, provenance.seconds)


def print_comparison(comparison: Comparison, written: Written, seconds: float) -> None:
    """The verdict, what to beware of, the best few, the path of the page."""
    from backtest.pages.comparison.files import PAGE

    period = f"{comparison.period.start:%Y-%m-%d} to {comparison.period.end:%Y-%m-%d}"
    against = benchmark_label(comparison.benchmark)
    print(f"{comparison.name}, {period}, against {against}{kind_of_data(comparison)}")
    tell(comparison, "", comparison.verdict.headline, *comparison.verdict.sentences, "")
    tell(comparison, *table_rows(comparison), *(f"  ! {caution}" for caution in comparison.cautions))
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / PAGE}")


def table_rows(comparison: Comparison) -> list[str]:
    """The best by active Sharpe ratio, then the benchmarks, as aligned text."""
    ranked = sorted(comparison.variants, key=lambda variant: -variant.statistics.sharpe.value)
    growth, fall = (metric_of(key).head for key in ("cagr", "max_drawdown"))
    legs = legs_told(leg_looks(*(variant.config for variant in comparison.variants)))[:MOST_LEGS]
    rest = [fall, *(f"in {leg.label}" for leg in legs)]
    rows = [["", growth, "active Sharpe", "95% interval", "deflated", *rest]]
    for variant in ranked[:MOST_SHOWN]:
        own, low_high = variant.statistics, variant.statistics.sharpe.interval
        active = [number(own.sharpe.value), span(low_high), number(own.dsr)]
        rows.append([variant.name, percent(variant.metrics["cagr"]), *active, *_fall_and_shares(variant.metrics, legs)])
    if len(ranked) > MOST_SHOWN:
        rows.append([f"... and {len(ranked) - MOST_SHOWN} more", *[""] * (len(rows[0]) - 1)])
    for benchmark in comparison.benchmarks:
        metrics = benchmark.metrics
        rows.append([benchmark.label, percent(metrics["cagr"]), "", "", "", *_fall_and_shares(metrics, legs)])
    return aligned(rows)


def _fall_and_shares(metrics: Mapping[str, float | int | None], legs: Sequence[LegLook]) -> list[str]:
    shares = [percent(metrics.get(exposure_key(leg.name)), 0) for leg in legs]
    return [percent(metrics["max_drawdown"]), *shares]


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

    curves: variants whose whole curves go to curves.csv beside the finalists'. parquet: also write sweep.parquet.
    """
    from backtest.pages.sweep.files import sweep_json, write_sweep
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.chunks import ChunkStore
    from backtest.study.findings import Extras, findings_of
    from backtest.study.sweep import sweep

    provenance = Provenance()
    study = study_of(path, overrides)
    extras = Extras.of(curves, parquet=parquet)
    extras.check(study)
    with placed(path, overrides), stoppable(), progress(f"sweep {study.name}", is_compiled=True) as advance:
        kept = ledger or default_ledger()
        result = sweep(study, registry(), offline=offline, cluster=cluster, keep=out, ledger=kept, progress=advance)
        findings = findings_of(result, kept, longest_ledger(out))
        provenance.ledger_length = findings.size.length
        written = write_sweep(result, findings, out, provenance, extras)
        ChunkStore(out, result.fingerprint).remove()
    if as_json:
        print(json.dumps(sweep_json(result, findings) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
    else:
        print_sweep(result, findings, written, provenance.seconds)


def study_of(path: Path, overrides: Sequence[str]) -> Study:
    """The study of a file; ConfigError when it is a config, or has no grid."""
    if not is_study(path):
        raise ConfigError(f"{path}: is a config, expected a study with a grid; for one config: backtest run {path}")
    study = load_study(path, strategies=registry(), overrides=overrides)
    if not study.size:
        raise ConfigError(f"{path}: grid: found none, expected swept keys; for variants: backtest compare {path}")
    return study


def print_sweep(result: Sweep, findings: Findings, written: Written, seconds: float) -> None:
    """Headline, what to know, finalists, the path of the page."""
    from backtest.pages.sweep.files import PAGE
    from backtest.pages.sweep.view import boxes, headline, lede

    sessions = result.first.plan.sessions
    against = f", against {benchmark_label(result.benchmark)}" if result.benchmark else ""
    market = result.market
    print(f"{result.name}, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}{against}{kind_of_data(market)}")
    tell(market, "", headline(result, findings), *lede(result, findings), "")
    tell(market, *(f"  {what}: {figure} ({reading})" for what, figure, reading in boxes(result, findings)))
    for each in findings.finalists:
        print(f"  {each.why}: {result.label(each.number)}; the same by backtrader")
    if result.problems:
        number, why = next(iter(result.problems.items()))
        print(f"  ! {len(result.problems)} points could not be run, the first ({result.label(number)}): {why}")
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / PAGE}")


def walk_path(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    *,
    offline: bool,
    as_json: bool,
    cluster: str | None = None,
    ledger: Path | None = None,
) -> None:
    """Walk a study forward and print what came out (or walk_forward.json's content)."""
    from backtest.pages.walk.files import PAGE, walk_json, write_walk
    from backtest.pages.walk.page import headline, lede
    from backtest.pages.walk.paths import sentences
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.chunks import ChunkStore
    from backtest.study.walk_forward import walk_forward

    provenance = Provenance()
    study = study_of(path, overrides)
    with placed(path, overrides), stoppable(), progress(f"walk-forward {study.name}", is_compiled=True) as advance:
        walk = walk_forward(
            study,
            registry(),
            offline=offline,
            cluster=cluster,
            keep=out,
            ledger=ledger or default_ledger(),
            recorded=longest_ledger(out),
            progress=advance,
        )
        provenance.ledger_length = walk.size.length
        written = write_walk(walk, out, provenance)
        ChunkStore(out, walk.sweep.fingerprint).remove()
    if as_json:
        print(json.dumps(walk_json(walk) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
        return
    market = walk.sweep.market
    print(f"{study.name}, tested {walk.sessions[0]:%Y-%m-%d} to {walk.sessions[-1]:%Y-%m-%d}{kind_of_data(market)}")
    tell(market, "", headline(walk), *lede(walk), "")
    if walk.paths:
        tell(market, *sentences(walk, walk.paths), "")
    print(f"  {written.state} in {provenance.seconds:.1f} s: {written.folder / PAGE}")
