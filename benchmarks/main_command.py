"""The main command beside a bare backtrader script: whole processes, alternating, median of N; and peak memory.

    python benchmarks/main_command.py [--rounds 5]

The claim: at most 1.5 times the bare script, below 400 MB, although it checks data, runs two engines, measures four
accounts and writes a report.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT_RATIO, LIMIT_MB = 1.5, 400.0


def measure(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak resident megabytes of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    kilobytes = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024
    return seconds, kilobytes / 1024


def main() -> None:
    """Print the table; exit 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {"bare backtrader": [], "run_backtest.py": [], "run_backtest.py again": []}
    peaks: dict[str, float] = dict.fromkeys(times, 0.0)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as out:
            ours = [sys.executable, "run_backtest.py", "configs/quickstart.yaml", "--out", out]
            commands = {
                "bare backtrader": [sys.executable, str(ROOT / "benchmarks" / "bare_backtrader.py")],
                "run_backtest.py": ours,
                "run_backtest.py again": ours,
            }
            for name, command in commands.items():
                seconds, megabytes = measure(command)
                times[name].append(seconds)
                peaks[name] = max(peaks[name], megabytes)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, whole processes, median of {rounds}")
    base = statistics.median(times["bare backtrader"])
    print(f"{'':24}{'seconds':>9}{'min':>7}{'ratio':>7}{'peak MB':>9}")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:24}{middle:9.2f}{min(taken):7.2f}{middle / base:7.2f}{peaks[name]:9.0f}")
    ratio = statistics.median(times["run_backtest.py"]) / base
    if ratio > LIMIT_RATIO or peaks["run_backtest.py"] > LIMIT_MB:
        raise SystemExit(f"over the limit: ratio {LIMIT_RATIO}, {LIMIT_MB:.0f} MB")


if __name__ == "__main__":
    main()
