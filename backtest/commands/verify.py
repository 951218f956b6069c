"""`backtest verify RESULT`: the same question again, and what changed since: files, question, data, code, the answer.

Of a run everything is compared, of a study its tables of figures: what is said of luck depends on what else was tried.
Where a run's data changed and the store still has the snapshots of then, it is made on both, so that it can be said how
much of the move is due to the data and how much to the code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_name
from backtest.audit.spot import run_audited
from backtest.commands.common import registry
from backtest.config import Config, config_from_text, load_config, load_study, question
from backtest.data import content_hash, load_market
from backtest.data.snapshots import RATE_SERIES, Snapshots
from backtest.errors import BacktestError, ConfigError, DataError, ResultDiffers
from backtest.market import Market
from backtest.metrics import metric_of
from backtest.pages.prose import caveats
from backtest.pages.run.files import data_files
from backtest.pages.write import code_of
from backtest.pipeline import run
from backtest.result import Result
from backtest.store.manifest import Kind, Manifest, read_manifest, read_stored
from backtest.store.provenance import machine, sha256_text, versions
from backtest.store.sameness import CONFIG, STUDY, VARIANTS, first_move, in_one_schema


@dataclass(frozen=True, slots=True)
class Rerun:
    """The question asked again. files: name -> what a rerun writes; question: the text that is hashed."""

    files: Mapping[str, bytes]
    question: str
    data_sha256: str
    strategies: list[str]
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found. moved: metric -> (then, now), those that differ; by_data: the part due to the data.

    apart: file -> where its figures differ first, benchmarks and decisions included; last_bits: files that other
    libraries or another processor give with the same figures.
    """

    damaged: list[str]
    changed: list[str]
    apart: dict[str, str]
    last_bits: list[str]
    moved: dict[str, tuple[Any, Any]]
    by_data: dict[str, float] | None
    equity_apart: float

    @property
    def is_same(self) -> bool:
        """Is it the same answer, from files as they were written?"""
        return not (self.damaged or self.apart)


def verify_result(folder: Path, *, offline: bool, as_json: bool) -> None:
    """Print what changed and by how much the answer moved; ResultDiffers when it moved or a file was changed."""
    stored = read_stored(folder)
    answer = ASK[stored.manifest.kind](folder, offline)
    finding = _compared(folder, stored.manifest, answer)
    if answer.result and stored.metrics:
        finding = _explained(finding, folder, stored.manifest, stored.metrics.strategy, answer.result)
    if as_json:
        print(json.dumps(asdict(finding), indent=2, allow_nan=False))
    else:
        _print(folder, stored.manifest, finding)
    if not finding.is_same:
        why = "files were changed by hand" if finding.damaged else "the same question has another answer now"
        raise ResultDiffers(f"{folder}: {why}")


def _run_again(folder: Path, offline: bool) -> Rerun:
    config = load_config(folder / CONFIG, strategies=registry())
    market = load_market(config, offline=offline)
    result = run_audited(config, registry(), market=market)
    files = {name: text.encode() for name, text in data_files(result, caveats(result)).items() if name != CONFIG}
    return Rerun(files, question(config), content_hash(market), [config.strategy.name], result)


def _compare_again(folder: Path, offline: bool) -> Rerun:
    from backtest.pages.comparison.files import TABLE, comparison_csv, question_of, strategies_of
    from backtest.study.compare import compare

    manifest, path = read_manifest(folder), _present(folder / VARIANTS)
    try:
        asked = json.loads(path.read_bytes())
        texts = {str(name): json.dumps(content) for name, content in asked["variants"].items()}
        held, seed = str(asked["benchmark"]), int((manifest.model_extra or {})["seed"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{path}: is damaged; move the folder away and run the question again") from None
    variants = {name: config_from_text(text, str(path), strategies=registry()) for name, text in texts.items()}
    benchmarks = {benchmark_name(each): each for config in variants.values() for each in config.benchmarks}
    comparison = compare(
        variants,
        name=manifest.name,
        strategies=registry(),
        benchmark=benchmarks.get(held, held),
        seed=seed,
        offline=offline,
    )
    tables = {TABLE: comparison_csv(comparison).encode()}
    return Rerun(tables, question_of(comparison), comparison.data_sha256, strategies_of(comparison))


def _sweep_again(folder: Path, offline: bool) -> Rerun:
    from backtest.pages.sweep.files import question_of, strategies_of, tables_of
    from backtest.study.sweep import sweep

    study = load_study(_present(folder / STUDY), strategies=registry())
    result = sweep(study, registry(), offline=offline)
    return Rerun(tables_of(result), question_of(study), content_hash(result.market), strategies_of(result))


def _walk_again(folder: Path, offline: bool) -> Rerun:
    from backtest.pages.sweep.files import strategies_of
    from backtest.pages.walk.files import question_of, tables_of
    from backtest.study.walk_forward import walk_forward

    study = load_study(_present(folder / STUDY), strategies=registry())
    walk = walk_forward(study, registry(), offline=offline)
    tables = {name: text.encode() for name, text in tables_of(walk).items()}
    return Rerun(tables, question_of(study), content_hash(walk.sweep.market), strategies_of(walk.sweep))


def _events_again(folder: Path, offline: bool) -> Rerun:
    from backtest.config.events import load_event_study
    from backtest.events.study import run_events
    from backtest.pages.events.files import question_of, tables_of

    found = run_events(load_event_study(_present(folder / STUDY), strategies=registry()), offline=offline)
    tables = {name: text.encode() for name, text in tables_of(found).items()}
    return Rerun(tables, question_of(found), content_hash(found.market), [])


ASK: Mapping[Kind, Callable[[Path, bool], Rerun]] = {
    "run": _run_again,
    "comparison": _compare_again,
    "sweep": _sweep_again,
    "walk-forward": _walk_again,
    "events": _events_again,
}


def _present(path: Path) -> Path:
    if not path.is_file():
        raise ConfigError(f"{path}: found none, expected the study: results of older versions cannot be asked again")
    return path


def _compared(folder: Path, manifest: Manifest, answer: Rerun) -> Verification:
    damaged = [name for name, known in manifest.files.items() if _digest(folder / name) != known.sha256]
    pairs = {
        "question": (manifest.question_sha256, sha256_text(answer.question)),
        "data": (manifest.data_sha256, answer.data_sha256),
        "code": (manifest.code_sha256, code_of(registry(), answer.strategies)),
        "libraries": (manifest.versions, versions()),
        "processor": (manifest.run.machine, machine()),
    }
    changed = [what for what, (then, now) in pairs.items() if then != now]
    may_move = "libraries" in changed or "processor" in changed
    apart, last_bits = {}, []
    for name, now in answer.files.items():
        then = (folder / name).read_bytes() if (folder / name).is_file() else None
        if then is not None:
            with suppress(ValueError):  # damaged: told below
                then, now = in_one_schema(name, then, now)
        where = "" if then is None or then == now else _first_move(name, then, now)
        if where or (then is not None and then != now and not may_move):
            apart[name] = where or "the last bits alone"
        elif then != now and then is not None:
            last_bits.append(name)
    return Verification(damaged, changed, apart, last_bits, {}, None, 0.0)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _first_move(name: str, then: bytes, now: bytes) -> str:
    try:
        return first_move(name, then, now)
    except (ValueError, RecursionError):
        return "it cannot be read"


def _explained(
    finding: Verification, folder: Path, manifest: Manifest, then: Mapping[str, Any], now: Result
) -> Verification:
    """With the metrics that moved, how much of it is due to the data, and how far the equity curve is apart."""
    if not finding.apart:
        return finding
    moved = {name: (then.get(name), value) for name, value in now.metrics.items() if then.get(name) != value}
    by_data = None
    if "data" in finding.changed and moved:
        old_market = _market_of_then(now.config, manifest)
        if old_market is not None:
            old = run(now.config, registry(), market=old_market).metrics
            by_data = {name: float(now.metrics[name] or 0.0) - float(old[name] or 0.0) for name in moved}
    return replace(finding, moved=moved, by_data=by_data, equity_apart=_equity_apart(folder, now))


def _market_of_then(config: Config, manifest: Manifest) -> Market | None:
    """The market of the snapshots that the manifest names, if the store has them all and they give the data of then."""
    if config.data.prices.source != "yahoo":
        return None
    pins = {_series_of(source.name): source.snapshot for source in manifest.sources if source.snapshot}
    source = Snapshots(end=config.data.end, offline=True, pins=pins,
                       largest_daily_move=config.data.largest_daily_move)  # fmt: skip
    try:
        market = load_market(config, source=source)
    except BacktestError:
        return None
    return market if content_hash(market) == manifest.data_sha256 else None


def _series_of(name: str) -> str:
    """The store's name of a source of the manifest."""
    if name in RATE_SERIES:
        return RATE_SERIES[name][0]
    return f"fred/{name}" if name in ("DTB3", "DFEDTARU", "DFEDTARL") else f"yahoo/{name}"


def _equity_apart(folder: Path, result: Result) -> float:
    """Largest relative difference of the equity curve on the sessions of both."""
    try:
        rows = [line.split(",")[:2] for line in (folder / "equity.csv").read_text(encoding="utf-8").splitlines()[1:]]
        then = {day: float(value) for day, value in rows}
    except (OSError, ValueError):
        return 0.0  # told as a damaged file
    days = [f"{day:%Y-%m-%d}" for day in result.sessions]
    apart = [abs(value / then[day] - 1.0) for day, value in zip(days, result.books.equity.tolist(), strict=True)
             if then.get(day)]  # fmt: skip
    return float(np.max(apart)) if apart else 1.0


def _print(folder: Path, manifest: Manifest, finding: Verification) -> None:
    print(f"{folder.name}: {manifest.kind} {manifest.name}")
    for name in finding.damaged:
        is_there = (folder / name).is_file()
        wrong = "not the file that was written: its sha256 differs from the manifest" if is_there else "missing"
        print(f"  ! {name} is {wrong}")
    for what in ("question", "data", "code", "libraries", "processor"):
        print(f"  {what:<9} {'changed' if what in finding.changed else 'the same'}")
    for name, where in finding.apart.items():
        print(f"  another {name} now: {where}")
    if finding.apart or finding.damaged:
        pass
    elif finding.last_bits:
        print(f"  the same figures; their last bits differ in {', '.join(finding.last_bits)}")
    else:
        every = "benchmarks and decisions included" if manifest.kind == "run" else "of every table"
        print(f"  the answer is the same to the last bit, {every}")
    if finding.equity_apart:
        print(f"  the strategy's equity curve differs by {finding.equity_apart:.3g} of itself at most")
    for name, (then, now) in finding.moved.items():
        part = "" if finding.by_data is None else f"; {_by(name, finding.by_data[name])} of it by the data"
        print(f"  {name:<22} {_number(then)} -> {_number(now)}{_step(name, then, now)}{part}")


def _step(name: str, then: Any, now: Any) -> str:
    return "" if then is None or now is None else f"  ({_by(name, now - then)})"


def _by(name: str, step: float) -> str:
    return f"{step * 100:+.4g} pp" if metric_of(name).unit in ("fraction", "difference") else f"{step:+.4g}"


def _number(value: Any) -> str:
    return "undefined" if value is None else f"{value:.8g}"
