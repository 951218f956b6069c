"""A sweep measured: 50 lookbacks x 20 thresholds of relative momentum on 6,500 simulated sessions of 4 tickers.

    python benchmarks/sweep.py [--large]

`sweep`, the public function: decisions, full accounting, all 25 metrics. The kernel: the same decisions as bytes,
accounting only. Warm, the least of several rounds. Beside its peers: `beside_peers.py`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also from a clone that is not installed

from backtest import load_study, sweep
from backtest.config import Study
from backtest.study.sweep import Sweep
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[1] / "configs"
ROUNDS = 9
LARGE_ROUNDS, EVERY = 3, 25
"""Of 100,000 variants; the kernel alone is measured on some of them."""

BASE = """
name: bench
data: {prices: {source: sample}, start: 2000-01-03}
strategy: {name: relative_momentum}
execution: {commission_bps: 5, slippage_bps: 0}
benchmarks: [QQQ]
"""


def least(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def study_text(lookbacks: int, thresholds: int) -> str:
    """A grid of momentum of so many values each; lookbacks from a week to a year, or two."""
    step = 5 if lookbacks <= 50 else 1
    return (
        "name: bench\nbase: base.yaml\nbenchmark: QQQ\ngrid:\n"
        f"  strategy.params.lookback_sessions: {{from: 5, to: {5 + step * (lookbacks - 1)}, step: {step}}}\n"
        f"  strategy.params.threshold: {{from: 0.0, to: 0.095, count: {thresholds}}}\n"
    )


def kernel_alone(result: Sweep, rounds: int = ROUNDS, every: int = 1) -> tuple[float, float, np.ndarray]:
    """Seconds of the accounts of every n-th variant, decisions ready, on one core and on all; their final values."""
    from concurrent.futures import ThreadPoolExecutor

    from numba import njit

    from backtest.account import kernel
    from backtest.study.chunks import stretches_of

    kernel.let_compiled_code_call_the_kernel()
    simulate: Any = kernel.simulate
    setting, chosen = result.first, np.arange(0, result.study.size, every)

    @njit(nogil=True, error_model="numpy")
    def run(rows, weights, ends, scheduled, inputs, baskets, finals):  # type: ignore[no-untyped-def]
        prices, timing, terms, night, events = inputs
        totals, equity = np.zeros(kernel.EXPOSURES + len(baskets)), np.empty(len(prices[0]))
        state, no_cash, no_fills = np.empty((kernel.STATES, len(prices[1]))), np.empty(0), np.empty((0, 5))
        begin = 0
        for v in range(len(ends)):
            decided = rows[begin : ends[v]], weights[begin : ends[v]], scheduled
            simulate(prices, decided, timing, terms, night, events, baskets, state, equity, no_cash, no_fills, totals)
            finals[v] = equity[-1]
            begin = ends[v]

    def jobs(count: int) -> list[tuple[Any, ...]]:
        parts: list[tuple[Any, ...]] = []
        for numbers in np.array_split(chosen, count):
            decisions = [setting.decide(result.study.grid_parts(number)[1]) for number in numbers.tolist()]
            stretches = stretches_of([setting.encoded(decision) for decision in decisions], setting)
            parts.append((*stretches, setting.scheduled, setting.inputs, setting.baskets, np.empty(len(numbers))))
        return parts

    cores = os.cpu_count() or 1
    alone, parts = jobs(1), jobs(4 * cores)
    run(*alone[0])
    with ThreadPoolExecutor(cores) as pool:
        together = least(lambda: list(pool.map(lambda part: run(*part), parts)), rounds)
    return least(lambda: run(*alone[0]), rounds), together, np.asarray(alone[0][-1])


def study_of(lookbacks: int, thresholds: int) -> Study:
    """The study of a grid of so many values each, on the sample."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
        path = Path(folder, "study.yaml")
        path.write_text(study_text(lookbacks, thresholds), encoding="utf-8", newline="\n")
        study: Study = load_study(path, strategies=REGISTRY, overrides=["data.end=2025-11-07"])
        return study


OTHERS = {
    "rate_cut_momentum": """
name: bench
base: BASE
benchmark: QQQ
grid:
  strategy.params.hold_sessions: {from: 21, to: 210, step: 21}
  strategy.params.lookback_sessions: {from: 10, to: 200, step: 10}
  strategy.params.threshold: [0.0, 0.01, 0.02, 0.03, 0.04]
""",
    "rules_example": """
name: bench
base: BASE
benchmark: QQQ
grid:
  strategy.params.hold[2].when.score[0].lookback_sessions: {from: 10, to: 250, step: 10}
  strategy.params.hold[2].when.score[1].any[0].above: {from: 0.2, to: 0.9, step: 0.1}
  strategy.params.volatility_target.annual: [0.1, 0.15, 0.2, 0.25, 0.3]
""",
}
"""Shipped configs and 1,000 points around each, on the sample."""


def others() -> None:
    """Measure the sweeps of strategies that ask for more than a price."""
    for name, text in OTHERS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "study.yaml")
            path.write_text(text.replace("BASE", str(CONFIGS / f"{name}.yaml")), encoding="utf-8", newline="\n")
            study = load_study(path, strategies=REGISTRY, overrides=["data.prices={source: sample}"])
        market = sweep(study, REGISTRY).market
        seconds = least(lambda study=study, market=market: sweep(study, REGISTRY, market=market), LARGE_ROUNDS)  # type: ignore[misc]
        print(f"{name}, {study.size:,} variants with metrics {seconds:.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="100,000 variants too")
    asked = parser.parse_args()
    print(f"cores {os.cpu_count()}, load before {os.getloadavg()[0]:.1f} (others' work makes every figure worse)")
    study = study_of(50, 20)
    first = sweep(study, REGISTRY)
    market = first.market
    whole = least(lambda: sweep(study, REGISTRY, market=market))
    alone, together, finals = kernel_alone(first)
    print(f"{len(first.first.plan.sessions):,} sessions, {first.study.size:,} variants, least of {ROUNDS} rounds")
    print(f"sweep, with decisions and 25 metrics  {whole * 1e3:9.1f} ms")
    print(f"kernel alone, 1 thread                {alone * 1e3:9.1f} ms")
    print(f"kernel alone, all cores               {together * 1e3:9.1f} ms")
    same = np.array_equal(finals, first.metric("final_equity_usd"))
    print(f"final values equal to the last bit: {same}")
    others()
    if asked.large:
        large = study_of(500, 200)
        seconds = least(lambda: sweep(large, REGISTRY, market=market), LARGE_ROUNDS)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"100,000 variants with metrics {seconds:.2f} s, {seconds * 10:.0f} us each, peak {peak:.0f} MB")
        together = kernel_alone(sweep(large, REGISTRY, market=market), every=EVERY)[1] * EVERY
        print(
            f"  {seconds / together:.1f} times the kernel alone on all cores ({together:.2f} s, from every {EVERY}th)"
        )


if __name__ == "__main__":
    main()
