"""How long the signals of all shipped configs of rules take on 25 years of the sample, warm.

Warm: everything is imported and loaded, and every config has been decided once.
"""

from __future__ import annotations

import time
from pathlib import Path

from backtest.config import load_config
from backtest.data import load_market
from backtest.pipeline import decide
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = ("implied_cut", "cool_cpi", "easing_cycle", "valuation_catch_up", "surge_2024", "rules_example")
ROUNDS = 5


def main() -> None:
    """Print the best of some rounds for each config, and their sum."""
    total = 0.0
    for name in NAMES:
        config = load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY)
        market = load_market(config)
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            decide(config, market, REGISTRY["rules"])
            seconds.append(time.perf_counter() - started)
        total += min(seconds[1:])
        print(f"{name:<20} first {1e3 * seconds[0]:7.1f} ms, warm {1e3 * min(seconds[1:]):7.1f} ms")
    print(f"{'all':<20} {'':>17} warm {1e3 * total:7.1f} ms on {len(market.sessions)} sessions")


if __name__ == "__main__":
    main()
