"""How long a century of months and every event study take, from files to figures. A century: below 3 seconds.

Run:  python benchmarks/century.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from french_files import made_up_tables, write_library  # type: ignore[import-not-found]  # noqa: E402

from backtest.api import load_config  # noqa: E402
from backtest.config import Config  # noqa: E402
from backtest.config.events import EventStudy, EventTerms  # noqa: E402
from backtest.data import load_market  # noqa: E402
from backtest.events.in_cycles import cycles_of_config  # noqa: E402
from backtest.events.lists import LISTS  # noqa: E402
from backtest.events.study import load_event_market, pairs_of, run_events  # noqa: E402
from backtest.market import Market  # noqa: E402
from strategies import REGISTRY  # noqa: E402


def main() -> None:
    """Print each part."""
    with tempfile.TemporaryDirectory() as folder:
        config = load_config({
            "name": "century",
            "data": {"prices": {"source": "french", "folder": str(write_library(Path(folder), made_up_tables()))},
                     "start": "1927-01-31", "tbill": "french"},
            "legs": {"growth": {"BIG-GROWTH": 1}, "small": {"SMALL-VALUE": 1}},
            "strategy": {"name": "rate_cut"},
            "execution": {"commission_bps": 1, "slippage_bps": 4},
        })  # fmt: skip
        market, read = _timed(lambda: load_market(config))
    cycles, took = _timed(lambda: cycles_of_config(config, replace(market), REGISTRY))
    print(f"{len(market.sessions)} months read: {read:.2f} s")
    print(f"{len(cycles)} easing cycles, {len(cycles[0].strategies)} strategies in each: {took:.2f} s")
    lists = tuple(name for name, kind in LISTS.items() if not kind.needs)
    _study("a century by month", config, EventTerms(lists=lists, pairs=("small-growth",)), market)  # type: ignore[arg-type]

    daily = load_config(ROOT / "configs" / "quickstart.yaml")
    terms = EventTerms(lists=tuple(LISTS), pairs=("small-growth", "IWM-QQQ", "IWN-IVW"))  # type: ignore[arg-type]
    _study("every list by day", daily, terms, load_event_market(daily, terms, pairs_of(daily, terms), offline=True))


def _study(what: str, config: Config, terms: EventTerms, market: Market) -> None:
    study = EventStudy(what, ROOT, config, terms)
    events, took = _timed(lambda: run_events(study, market=replace(market)))  # a new memo
    print(f"{what}: {len(events.lists)} lists, {len(events.cells)} windows: {took:.2f} s")


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the least of three in seconds of the processor, since the machine is seldom idle."""
    took = []
    for _ in range(3):
        begin = time.process_time()
        found = work()
        took.append(time.process_time() - begin)
    return found, min(took)


if __name__ == "__main__":
    main()
