"""How long a rank takes to decide, a variant of a sweep: 1,000 of months x top x hurdle on 25 years of the sample.

What a variant costs beyond its account: scores and places are found once for all variants that share them, and are
counted here from nothing.
"""

from __future__ import annotations

import sys
import time
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from backtest.account.strategy import LegName  # noqa: E402
from backtest.config import load_config  # noqa: E402 - the path above comes first
from backtest.data import load_market  # noqa: E402
from backtest.pipeline import legs_of  # noqa: E402
from strategies import REGISTRY  # noqa: E402
from strategies.rank import Rank  # noqa: E402

MONTHS, TOPS, HURDLES = range(1, 26), (1, 2, 3, 4), (None, -0.05, -0.02, 0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1)
ROUNDS = 3


def main() -> None:
    """Print the best of some rounds, each on a market that nobody has asked anything yet."""
    sectors = ROOT / "configs" / "published" / "sector_top_three.yaml"
    config = load_config(sectors, strategies=REGISTRY, overrides=["data.prices={source: sample}"])
    legs = legs_of(config)
    params = [
        Rank.Params(lookback_months=(months,), top=top, above=above, defensive=(LegName("SHY"),))
        for months, top, above in product(MONTHS, TOPS, HURDLES)
    ]
    best = float("inf")
    for _ in range(ROUNDS):
        market = load_market(config)
        started = time.process_time()
        for each in params:
            Rank.decide(market, legs, each)
        best = min(best, time.process_time() - started)
    print(f"{len(params)} variants, {len(market.sessions)} sessions, {len(legs.names)} legs: ", end="")
    print(f"{1e6 * best / len(params):.0f} us a variant")


if __name__ == "__main__":
    main()
