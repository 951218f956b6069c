"""How long the data take: fetching from the replay server through the real clients, and a warm run from the store.

    python benchmarks/data_layer.py

Prints the seconds of fetching 8 tickers of 26 years into an empty store, and the milliseconds that reading 4 of them
and a T-bill rate from the store adds to a process, imports of the data layer included, beside those of CSV files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "data")]

FIRST, LAST = date(1999, 1, 1), date(2024, 12, 31)
TICKERS = tuple("ABCDEFGH")

FETCH = """
import time
begin = time.perf_counter(), time.process_time()
from backtest.data.snapshots import Snapshots
source = Snapshots()
source.prices(%r)
print(time.perf_counter() - begin[0], time.process_time() - begin[1])
"""

READ = """
import logging, sys, time
import numpy, pandas
from datetime import date
from pathlib import Path
logging.disable(logging.WARNING)
begin = time.perf_counter(), time.process_time()
if sys.argv[1] == "store":
    from backtest.data.snapshots import Snapshots
    source = Snapshots(end=date(2024, 12, 31), offline=True)
else:
    from backtest.data.csv_folder import CsvFolder
    source = CsvFolder(Path(sys.argv[1]))
source.prices(%r)
source.rate("IRX")
print(time.perf_counter() - begin[0], time.process_time() - begin[1])
"""
REPEATS = 7


def main() -> None:
    """Measure and print."""
    from replay import replaying
    from replay_worlds import write_world

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        world = write_world(folder / "world", LAST, TICKERS, FIRST)
        with replaying(folder) as replay:
            environment = {**os.environ, **replay.env, "BACKTEST_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
            replay.serve(world)
            fetched = _least(_seconds(FETCH % (TICKERS,), {**environment, "BACKTEST_CACHE": str(folder / f"cache{i}")})
                             for i in range(3))  # fmt: skip
            code = "from backtest.cli import main; main()"
            subprocess.run([sys.executable, "-c", code, "data", "fetch", *TICKERS, "^IRX"], env=environment, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        warm = [_least(_seconds(READ % (TICKERS[:4],), environment, place) for _ in range(REPEATS))
                for place in ("store", str(world / "prices"))]  # fmt: skip
    found = {"fetch_8_tickers_26_years": fetched, "warm_run_from_the_store": warm[0], "from_csv_files": warm[1]}
    print(json.dumps({f"{name}_{kind}_seconds": round(seconds, 3) for name, both in found.items()
                      for kind, seconds in zip(("wall", "cpu"), both, strict=True)}, indent=2))  # fmt: skip


def _least(times: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The shortest wall time and the shortest processor time: what other work on the machine adds is not ours."""
    wall, processor = zip(*times, strict=True)
    return min(wall), min(processor)


def _seconds(code: str, environment: dict[str, str], *arguments: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    wall, processor = map(float, done.stdout.split())
    return wall, processor


if __name__ == "__main__":
    main()
