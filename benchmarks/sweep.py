"""A sweep beside vectorbt: 50 lookbacks x 20 thresholds of relative momentum on 6,500 simulated sessions of 4 tickers.

    pip install -e .[bench]        # vectorbt; without it the rest is measured
    python benchmarks/sweep.py [--vectorbt PYTHON] [--large]

Ours: `sweep`, the public function: decisions, full accounting, all 25 metrics. The kernel: the same decisions as bytes,
accounting only. vectorbt's best idiom: `from_order_func` with a segment mask in chunks of 50, made of ready signals and
without metrics. All warm, the least of several rounds; agreement: final values, with the rules for cash that differ.
--vectorbt: an interpreter that has vectorbt, when this one has not. --large: 100,000 variants too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
ROUNDS = 5

BASE = """
name: bench
data: {prices: {source: sample}, start: 2000-01-03}
strategy: {name: relative_momentum}
execution: {commission_bps: 5, slippage_bps: 0}
benchmarks: [QQQ]
"""

VECTORBT = """
import json, sys, time
import numpy as np, vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import SizeType, Direction
data = np.load(sys.argv[1])
opens, closes, side = data["opens"], data["closes"], data["side"]          # side: (sessions, variants), -1 none yet
V, n = side.shape[1], len(opens)

@njit
def prepare(c, size, price):
    for k in range(c.group_len):
        c.last_val_price[c.from_col + k] = price[c.i, k]
    nb.sort_call_seq_out_nb(c, size[c.i, c.from_col:c.to_col], np.full(c.group_len, SizeType.TargetPercent),
                            np.full(c.group_len, Direction.LongOnly), np.empty(c.group_len), c.call_seq_now, False)
    return (size, price)

@njit
def order(c, size, price, fees):
    return nb.order_nb(size=size[c.i, c.col], price=price[c.i, c.col - c.from_col], fees=fees,
                       size_type=SizeType.TargetPercent, direction=Direction.LongOnly)

def chunk(first, last):
    own = side[:, first:last]
    changed = np.zeros(own.shape, dtype=bool)
    changed[1:] = own[1:] != own[:-1]
    changed[0] = True
    weights = np.stack([own == 0, own == 0, own == 1, own == 1], axis=2) * 0.5
    size = weights.reshape(n, -1)
    tiled = np.tile(closes, last - first)
    late = np.zeros_like(changed); late[1:] = changed[:-1]
    size = np.vstack([size[:1], size[:-1]])
    late[0] = False
    return vbt.Portfolio.from_order_func(
        tiled, order, 0.0005, pre_segment_func_nb=prepare, pre_segment_args=(size, opens),
        segment_mask=late, group_by=np.repeat(np.arange(last - first), 4), cash_sharing=True, init_cash=100000.0,
        use_numba=True)

def all_of_them():
    finals = []
    for first in range(0, V, 50):
        finals.append(np.asarray(chunk(first, min(first + 50, V)).final_value()))
    return np.concatenate(finals)

all_of_them() if V <= 50 else chunk(0, 50).final_value()
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter(); finals = all_of_them(); times.append(time.perf_counter() - start)
print(json.dumps({"seconds": min(times), "finals": finals.tolist(), "version": vbt.__version__}))
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


def kernel_alone(result: object, rounds: int = ROUNDS) -> tuple[float, float, np.ndarray]:
    """Seconds of the accounts of all variants, decisions ready: on one core and on all; and their final values."""
    from concurrent.futures import ThreadPoolExecutor

    from numba import njit

    from backtest.execution.account import account
    from backtest.study import sweep_engine
    from backtest.study.sweep_chunk import Batch

    sweep_engine.runner()  # lets compiled code call the account
    setting, size = result.first, result.study.size  # type: ignore[attr-defined]

    @njit(nogil=True, error_model="numpy")
    def run(rows, weights, ends, shift, is_small, prices, numbers, finals):  # type: ignore[no-untyped-def]
        opens, closes, scheduled, overnight = prices
        first, earns, cash, rate, whole = numbers
        totals, equity = np.zeros(5), np.empty(opens.shape[0])
        begin = 0
        for v in range(len(ends)):
            account(
                opens, closes, rows[begin : ends[v]], weights[begin : ends[v]], shift, is_small, scheduled, first,
                overnight, earns, cash, rate, whole, equity, totals,
            )  # fmt: skip
            finals[v] = equity[-1]
            begin = ends[v]

    def jobs(count: int) -> list[tuple[object, ...]]:
        parts = []
        for numbers in np.array_split(np.arange(size), count):
            batch = Batch(setting)
            for number in numbers.tolist():
                batch.add(setting.encoded(result.study.grid_parts(number)[1]), number)  # type: ignore[attr-defined]
            parts.append((*batch.arguments(), np.empty(len(numbers))))
        return parts

    cores = os.cpu_count() or 1
    alone, parts = jobs(1), jobs(4 * cores)
    run(*alone[0])
    with ThreadPoolExecutor(cores) as pool:
        together = least(lambda: list(pool.map(lambda part: run(*part), parts)), rounds)
    return least(lambda: run(*alone[0]), rounds), together, np.asarray(alone[0][-1])


def vectorbt(python: str, result: object) -> dict[str, object] | None:
    """What vectorbt says, in a process of its own; None where there is none."""
    setting, study = result.first, result.study  # type: ignore[attr-defined]
    side = np.empty((len(setting.plan.opens), study.size), dtype=np.int8)
    for number in range(study.size):
        small = setting.decide(study.grid_parts(number)[1]).small_share[setting.begin :]
        side[:, number] = np.nan_to_num(small).astype(np.int8)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/work.npz", opens=setting.plan.opens, closes=setting.plan.closes, side=side)
        Path(folder, "work.py").write_text(VECTORBT, encoding="utf-8")
        command = [python, f"{folder}/work.py", f"{folder}/work.npz", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"vectorbt: {done.stderr.strip().splitlines()[-1]}")
        return None
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Measure and print."""
    from backtest import load_study, sweep
    from strategies import REGISTRY

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectorbt", default=sys.executable)
    parser.add_argument("--large", action="store_true")
    asked = parser.parse_args()
    print(f"cores {os.cpu_count()}, load before {os.getloadavg()[0]:.1f} (others' work makes every figure worse)")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(BASE, encoding="utf-8")
        path = Path(folder, "study.yaml")

        def grid(lookbacks: int, thresholds: int) -> object:
            path.write_text(study_text(lookbacks, thresholds), encoding="utf-8")
            return load_study(path, strategies=REGISTRY, overrides=["data.end=2025-11-07"])

        study = grid(50, 20)
        first = sweep(study, REGISTRY)  # type: ignore[arg-type]
        market = first.market
        whole = least(lambda: sweep(study, REGISTRY, market=market))  # type: ignore[arg-type]
        alone, together, finals = kernel_alone(first)
        print(f"{len(first.first.plan.sessions):,} sessions, {first.study.size:,} variants, least of {ROUNDS} rounds")
        print(f"sweep, with decisions and 25 metrics  {whole * 1e3:9.1f} ms")
        print(f"kernel alone, 1 thread                {alone * 1e3:9.1f} ms")
        print(f"kernel alone, all cores               {together * 1e3:9.1f} ms")
        same = np.array_equal(finals, first.metric("final_equity_usd"))
        print(f"final values equal to the last bit: {same}")
        other = vectorbt(asked.vectorbt, first)
        if other:
            seconds = float(other["seconds"])  # type: ignore[arg-type]
            ratios = np.array(other["finals"]) / finals - 1
            print(f"vectorbt {other['version']}, best idiom, no metrics {seconds * 1e3:9.1f} ms")
            print(f"  {seconds / whole:.0f} times our sweep, {seconds / alone:.0f} times our kernel")
            print(f"  final values differ by {np.median(abs(ratios)):.1e} (median), {abs(ratios).max():.1e} (largest)")
        if asked.large:
            large = grid(500, 200)
            seconds = least(lambda: sweep(large, REGISTRY, market=market), 1)  # type: ignore[arg-type]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"100,000 variants with metrics {seconds:.2f} s, {seconds * 10:.0f} us each, peak {peak:.0f} MB")
            print(f"  {seconds / (alone * 100 / (os.cpu_count() or 1)):.1f} times the kernel alone on all cores")


if __name__ == "__main__":
    main()
