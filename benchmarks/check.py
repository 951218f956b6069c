"""The check of a run measured: the kernel uncompiled, on 25 years of four simulated tickers, under each rule.

    python benchmarks/check.py

The least of seven; every run pays this once, and once for each benchmark.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also from a clone that is not installed

from backtest import load_config
from backtest.account import run_kernel
from backtest.data import load_market
from backtest.pipeline import decide, plan_of
from strategies import REGISTRY

CONFIG = Path(__file__).parents[1] / "configs" / "relative_momentum.yaml"
ROUNDS = 7
RULES = {
    "on_change": [],
    "monthly, cash at T-bills": ["execution.rebalance=monthly", "execution.idle_cash=tbill"],
    "drift of 2 %": ["execution.rebalance={drift: 0.02}"],
    "raw, monthly": ["execution.rebalance=monthly", "execution.accounting=raw"],
}
SAMPLE = ["data.prices={source: sample}", "data.start=2000-01-03", "data.end=2024-12-31", "data.tbill={annual: 0.02}"]


def main() -> None:
    """Measure and print."""
    for name, overrides in RULES.items():
        config = load_config(CONFIG, strategies=REGISTRY, overrides=[*SAMPLE, *overrides])
        market = load_market(config)
        plan = plan_of(config, market, decide(config, market, REGISTRY[config.strategy.name]))
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            books = run_kernel(plan)
            times.append(time.perf_counter() - start)
        print(f"{name:26}{min(times) * 1e3:6.1f} ms, {len(plan.sessions):,} sessions, {len(books.fills.row):,} fills")


if __name__ == "__main__":
    main()
