"""`backtest run`: run configs, say what came out in a few lines, name the report."""

from __future__ import annotations

import datetime
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtest.benchmark import benchmark_label
from backtest.commands.load import load_all, placed
from backtest.config import is_study
from backtest.report.caveats import caveats
from backtest.report.folder import Written
from backtest.report.index import number, percent
from backtest.result import Result

FIGURES = (
    ("Final value, USD", "final_equity_usd", lambda x: number(x, 0)),
    ("Return a year", "cagr", percent),
    ("Volatility", "volatility", percent),
    ("Sharpe ratio", "sharpe", number),
    ("Worst fall", "max_drawdown", percent),
    ("Rebalances", "rebalances", lambda x: number(x, 0)),
    ("In small caps", "exposure_small", percent),
)
"""Rows of the short table: label, metric, how it is written."""


def run_configs(paths: Sequence[Path], overrides: Sequence[str], out: Path, *, offline: bool, as_json: bool) -> None:
    """Run each config and print its short table (or one JSON document for all); compare several, or a study."""
    from run_backtest import backtest_one

    if any(is_study(path) for path in paths):
        from backtest.commands.compare import compare_paths

        compare_paths(paths, overrides, out, offline=offline, as_json=as_json)
        return

    configs = load_all(paths, overrides)
    documents = []
    for path, config in zip(paths, configs, strict=True):
        started = time.perf_counter()
        stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        about: dict[str, Any] = {"command": command_line(), "started": stamp}
        with placed(path, overrides):
            result, written = backtest_one(config, out, Timed(about, started), offline=offline)
        if as_json:
            documents.append(document(result, written))
        else:
            print_summary(result, written, time.perf_counter() - started)
    if as_json:
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, allow_nan=False))
    if len(configs) > 1 and not as_json:
        from backtest.commands.compare import compare_paths

        compare_paths(paths, overrides, out, offline=offline, as_json=False)


class Timed(dict[str, Any]):
    """The manifest's run fields, with the time that has passed when they are written."""

    def __init__(self, about: dict[str, Any], started: float) -> None:
        super().__init__(about)
        self.started = started

    def keys(self) -> Any:
        """Called when the manifest is made: the last moment before the files are written."""
        self["finished"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self["seconds"] = round(time.perf_counter() - self.started, 3)
        return super().keys()


def command_line() -> str:
    """The command as typed, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def document(result: Result, written: Written) -> dict[str, Any]:
    """What a script needs."""
    return {
        "name": result.config.name,
        "folder": str(written.folder),
        "report": str(written.folder / "report.html"),
        "unchanged": not written.is_new,
        "metrics": dict(result.metrics),
        "benchmarks": {name: dict(figures) for name, figures in result.benchmark_metrics.items()},
        "warnings": caveats(result),
    }


def print_summary(result: Result, written: Written, seconds: float) -> None:
    """A short table, the warnings, the path of the report."""
    columns = {"strategy": result.metrics, **{benchmark_label(n): f for n, f in result.benchmark_metrics.items()}}
    rows = [["", *columns]]
    rows += [[label, *(write(figures[key]) for figures in columns.values())] for label, key, write in FIGURES]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    first, last = result.sessions[0], result.sessions[-1]
    title = f"{result.config.name}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    print(f"{title} (SIMULATED DATA)" if result.market.is_simulated else title)
    for row in rows:
        print(
            "  "
            + row[0].ljust(widths[0])
            + "".join("  " + c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
        )
    for warning in caveats(result):
        print(f"  ! {warning}")
    state = "written" if written.is_new else "unchanged"
    print(f"  {state} in {seconds:.1f} s: {written.folder / 'report.html'}")
