"""`backtest verify RESULT`: the same question again, and what changed since: files, config, data, code, the answer.

Where the data changed and the store still has the snapshots of then, the run is made on both, so that it can be said
how much of the move is due to the data and how much to the code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.commands.common import registry
from backtest.config import Config, load_config, question
from backtest.data import content_hash, load_market
from backtest.data.snapshots import RATE_SERIES, Snapshots
from backtest.errors import BacktestError, ConfigError, ResultDiffers
from backtest.market import Market
from backtest.metrics import metric_of
from backtest.pages.prose import caveats
from backtest.pages.run.files import data_files
from backtest.pages.write import code_of
from backtest.pipeline import run
from backtest.result import Result
from backtest.store.manifest import Manifest, read_manifest, read_stored
from backtest.store.provenance import sha256_text, versions


@dataclass(frozen=True, slots=True)
class Finding:
    """What verifying found. moved: metric -> (then, now), those that differ; by_data: the part due to the data.

    apart: files whose text a run gives otherwise now, benchmarks and decisions included.
    """

    damaged: list[str]
    changed: list[str]
    moved: dict[str, tuple[Any, Any]]
    by_data: dict[str, float] | None
    equity_apart: float
    apart: list[str]


def verify_result(folder: Path, *, offline: bool, as_json: bool) -> None:
    """Print what changed and by how much the answer moved; ResultDiffers when it moved or a file was changed."""
    manifest = read_manifest(folder)
    if manifest.kind != "run":
        raise ConfigError(f"{folder}: expected the folder of one run; this is a {manifest.kind}")
    config = load_config(folder / "config.yaml", strategies=registry())
    finding = _verified(folder, manifest, config, offline=offline)
    if as_json:
        print(json.dumps({name: getattr(finding, name) for name in Finding.__slots__}, indent=2, allow_nan=False))
    else:
        _print(folder, manifest, finding)
    if finding.damaged or finding.moved or finding.apart:
        why = "files were changed by hand" if finding.damaged else "the same question has another answer now"
        raise ResultDiffers(f"{folder}: {why}")


def _verified(folder: Path, manifest: Manifest, config: Config, *, offline: bool) -> Finding:
    damaged = [
        name for name, entry in manifest.files.items()
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != entry.sha256
    ]  # fmt: skip
    market = load_market(config, offline=offline)
    result = run(config, registry(), market=market)
    now = {
        "config": sha256_text(question(config)),
        "data": content_hash(market),
        "code": code_of(registry(), [config.strategy.name]),
    }
    then = {"config": manifest.question_sha256, "data": manifest.data_sha256, "code": manifest.code_sha256}
    changed = [what for what in now if now[what] != then[what]]
    if manifest.versions != versions():
        changed.append("libraries")
    metrics = read_stored(folder).metrics
    figures = metrics.strategy if metrics else {}
    moved = _moved(figures, result.metrics)
    by_data = None
    if "data" in changed and moved:
        old_market = _market_of_then(config, manifest)
        if old_market is not None:
            old = run(config, registry(), market=old_market).metrics
            by_data = {name: float(result.metrics[name] or 0.0) - float(old[name] or 0.0) for name in moved}
    texts = data_files(result, caveats(result))
    apart = [name for name, text in texts.items() if name != "config.yaml" and _text(folder / name) != text]
    return Finding(damaged, changed, moved, by_data, _equity_apart(folder, result, texts["equity.csv"]), apart)


def _text(path: Path) -> str | None:
    """What stands in a file; None when it is missing."""
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


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


def _moved(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (then.get(name), now[name]) for name in now if then.get(name) != now[name]}


def _equity_apart(folder: Path, result: Result, text: str) -> float:
    """Largest relative difference of the equity curve on the sessions of both; 0 when the files are equal."""
    path = folder / "equity.csv"
    if _text(path) == text:
        return 0.0
    try:
        rows = [line.split(",")[:2] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        then = {day: float(value) for day, value in rows}
    except (OSError, ValueError):
        return 0.0  # told as a damaged file
    days = [f"{day:%Y-%m-%d}" for day in result.sessions]
    apart = [abs(value / then[day] - 1.0) for day, value in zip(days, result.books.equity.tolist(), strict=True)
             if then.get(day)]  # fmt: skip
    return float(np.max(apart)) if apart else 1.0


def _print(folder: Path, manifest: Manifest, finding: Finding) -> None:
    print(f"{folder.name}: {manifest.name}")
    for name in finding.damaged:
        is_there = (folder / name).is_file()
        wrong = "not the file that was written: its sha256 differs from the manifest" if is_there else "missing"
        print(f"  ! {name} is {wrong}")
    for what in ("config", "data", "code", "libraries"):
        print(f"  {what:<9} {'changed' if what in finding.changed else 'the same'}")
    if not finding.moved and not finding.apart:
        print("  the answer is the same to the last bit, benchmarks and decisions included")
        return
    if finding.apart:
        print(f"  another text now: {', '.join(finding.apart)}")
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
