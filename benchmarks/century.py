"""How long a century of months takes: made-up files read, every cycle, every shipped strategy. Below 3 seconds.

Run:  python benchmarks/century.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Time it once, files included."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
    from french_files import made_up_tables, write_library  # type: ignore[import-not-found]

    from backtest.api import load_config
    from backtest.data import load_market
    from backtest.events.in_cycles import cycles_of_config
    from strategies import REGISTRY

    with tempfile.TemporaryDirectory() as folder:
        library = write_library(Path(folder), made_up_tables())
        began = time.perf_counter()
        config = load_config({
            "name": "century",
            "data": {"prices": {"source": "french", "folder": str(library)}, "start": "1927-01-31", "tbill": "french"},
            "legs": {"growth": {"BIG-GROWTH": 1}, "small": {"SMALL-VALUE": 1}},
            "strategy": {"name": "rate_cut"},
            "execution": {"commission_bps": 1, "slippage_bps": 4},
        })  # fmt: skip
        market = load_market(config)
        read = time.perf_counter()
        cycles = cycles_of_config(config, market, REGISTRY)
        done = time.perf_counter()
    sys.stdout.write(f"{len(market.sessions)} months read in {read - began:.2f} s, ")
    sys.stdout.write(f"{len(cycles)} cycles of {len(cycles[0].strategies)} strategies in {done - read:.2f} s\n")


if __name__ == "__main__":
    main()
