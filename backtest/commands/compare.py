"""`backtest compare`: run variants on common ground, say which is better and whether that is luck, name the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backtest.account.benchmarks import benchmark_label
from backtest.commands.load import load_all
from backtest.commands.progress import progress
from backtest.config import Config, Study, is_study, load_study
from backtest.config.fields import Benchmark
from backtest.config.study import WalkForwardTerms
from backtest.config.where import place_of
from backtest.errors import ConfigError
from backtest.metrics import metric_of
from backtest.store.folder import Written
from backtest.store.provenance import Provenance
from backtest.study.comparison import Comparison
from backtest.study.inputs import MOST_VARIANTS
from backtest.text import aligned, number, percent
from strategies import REGISTRY

MOST_SHOWN = 12
"""Rows of the short table; the page has all."""

LONGEST_NAME = 48


@dataclass(frozen=True)
class Question:
    """What to compare, before anything is loaded; path: the file that says when it begins."""

    name: str
    path: Path
    variants: Mapping[str, Config]
    benchmark: Benchmark | None = None
    grid: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    walk_forward: WalkForwardTerms | None = None


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
    with placed_data(question.path, overrides):
        compare_question(question, out, offline=offline, as_json=as_json, ledger=ledger)


def question_of(paths: Sequence[Path], overrides: Sequence[str]) -> Question:
    """The variants that the files describe; ConfigError with the mistakes of all of them."""
    studies = [path for path in paths if is_study(path)]
    if studies and len(paths) > 1:
        raise ConfigError(f"{studies[0]}: is a study, expected it alone, or configs only")
    if studies:
        return of_study(load_study(studies[0], strategies=REGISTRY, overrides=overrides))
    configs = load_all(paths, overrides)
    latest = max(range(len(configs)), key=lambda i: configs[i].data.start)
    return Question(joint_name([config.name for config in configs]), paths[latest], dict(_named(paths, configs)))


def of_study(study: Study) -> Question:
    """The variants of a study, its grid spread out."""
    if len(study.variants) + study.size > MOST_VARIANTS:
        raise ConfigError(
            f"{study.path}: found {len(study.variants) + study.size:,} variants, expected at most {MOST_VARIANTS:,}: "
            "compare a part of the grid (sample: {count: 500})"
        )
    variants = dict(study.variants)
    for point, config in zip(study.grid_points(), study.grid_configs(), strict=True):
        variants[", ".join(f"{key.split('.')[-1]} {value}" for key, value in point.items())] = config
    return Question(study.name, study.path, variants, study.benchmark, study.grid, study.walk_forward)


def _named(paths: Sequence[Path], configs: Sequence[Config]) -> Iterator[tuple[str, Config]]:
    """Each config under its own name; of equal names each under that of its file."""
    names = [config.name for config in configs]
    for path, config in zip(paths, configs, strict=True):
        same = [other for other, name in zip(paths, names, strict=True) if name == config.name]
        stems = {other.stem for other in same}
        if len(stems) < len(same):
            raise ConfigError(f"{path}: name: found {config.name} in two files of the same name, expected two names")
        yield (config.name if len(same) == 1 else path.stem), config


def joint_name(names: Sequence[str]) -> str:
    """`a-vs-b`, or how many there are where that is long."""
    name = "-vs-".join(names)
    return name if len(name) <= LONGEST_NAME else f"{len(names)}-configs"


@contextmanager
def placed_data(path: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Gives a mistake that only the data could show (`data.KEY: found, expected`) its place."""
    try:
        yield
    except ConfigError as error:
        lines = []
        for problem in error.problems:
            key = problem.split(":")[0]
            lines.append(f"{place_of(path, key, overrides)}: {problem}" if key.startswith("data.") else problem)
        raise ConfigError(*lines) from None


def compare_question(
    question: Question, out: Path, *, offline: bool, as_json: bool, ledger: Path | None = None
) -> None:
    """Compare, write the folder, print."""
    from backtest.pages.comparison.files import write_comparison
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.compare import compare
    from backtest.study.document import document

    provenance = Provenance()
    with progress(f"compare {question.name}") as advance:
        comparison = compare(
            question.variants,
            name=question.name,
            strategies=REGISTRY,
            benchmark=question.benchmark,
            ledger=ledger or default_ledger(),
            recorded=longest_ledger(out),
            grid=question.grid,
            walk_forward=question.walk_forward,
            progress=advance,
            offline=offline,
        )
        provenance.ledger_length = comparison.size.length
        written = write_comparison(comparison, REGISTRY, out, provenance)
    if as_json:
        print(json.dumps(document(comparison) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
    else:
        print_comparison(comparison, written, provenance.seconds)


def print_comparison(comparison: Comparison, written: Written, seconds: float) -> None:
    """The verdict, what to beware of, the best few, the path of the page."""
    from backtest.pages.comparison.files import PAGE

    period = f"{comparison.period.start:%Y-%m-%d} to {comparison.period.end:%Y-%m-%d}"
    simulated = " (SIMULATED DATA)" if comparison.is_simulated else ""
    print(f"{comparison.name}, {period}, against {benchmark_label(comparison.benchmark)}{simulated}")
    print("\n".join(["", comparison.verdict.headline, *comparison.verdict.sentences, ""]))
    for row in table_rows(comparison):
        print(row)
    for caution in comparison.cautions:
        print(f"  ! {caution}")
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / PAGE}")


def table_rows(comparison: Comparison) -> list[str]:
    """The best by active Sharpe ratio, then the benchmarks, as aligned text."""
    ranked = sorted(comparison.variants, key=lambda variant: -variant.statistics.sharpe.value)
    rows = [
        [
            "",
            metric_of("cagr").head,
            "active Sharpe",
            "95% interval",
            "deflated",
            metric_of("max_drawdown").head,
            metric_of("exposure_small").head,
        ]
    ]
    for variant in ranked[:MOST_SHOWN]:
        own, low_high = variant.statistics, variant.statistics.sharpe.interval
        active = [number(own.sharpe.value), f"{number(low_high[0])} to {number(low_high[1])}", number(own.dsr)]
        rows.append([variant.name, percent(variant.metrics["cagr"]), *active, *_fall_and_small(variant.metrics)])
    if len(ranked) > MOST_SHOWN:
        rows.append([f"... and {len(ranked) - MOST_SHOWN} more", *[""] * 6])
    for benchmark in comparison.benchmarks:
        metrics = benchmark.metrics
        rows.append([benchmark.label, percent(metrics["cagr"]), "", "", "", *_fall_and_small(metrics)])
    return aligned(rows)


def _fall_and_small(metrics: Mapping[str, float | int | None]) -> list[str]:
    return [percent(metrics["max_drawdown"]), percent(metrics["exposure_small"], 0)]
