"""How long every event study takes: all lists x three pairs x five windows on the sample, and a century by month.

.venv/bin/python benchmarks/events_speed.py
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.config import load_config
from backtest.config.events import EventStudy, EventTerms
from backtest.events.lists import LISTS
from backtest.events.study import Events, load_event_market, pairs_of, run_events
from backtest.market import Market
from backtest.registry import registry

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
MONTHS = 1200


def main() -> None:
    """Print seconds for each part, with the markets loaded."""
    config = load_config(CONFIG, strategies=registry())
    every = EventTerms(lists=tuple(LISTS), pairs=("small-growth", "IWM-QQQ", "IWN-IVW"))  # type: ignore[arg-type]
    daily = load_event_market(config, every, pairs_of(config, every), offline=True)
    _print("every list by day", EventStudy("daily", CONFIG, config, every), daily)
    dates = tuple(day.date() for day in pd.date_range("1930-01-31", "2020-01-31", periods=16))
    terms = EventTerms(dates={"first": dates}, pairs=("IWM-QQQ",))
    _print("a century by month", EventStudy("century", CONFIG, config, terms), _century(daily))


def _century(market: Market) -> Market:
    """Simulated months of the same tickers from 1926 on."""
    days = pd.date_range("1926-07-31", periods=MONTHS, freq="ME").as_unit("ns")
    steps = np.random.default_rng(1).normal(0.008, 0.05, (MONTHS, len(market.tickers)))
    close = pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=days, columns=list(market.tickers))
    return replace(
        market, open=close, close=close, raw_open=close, raw_close=close, dividends=close * 0.0, splits=close * 0.0,
        exchange_sessions=days, policy=market.policy.iloc[:0], tbill=None, series={}, periods_per_year=12,
    )  # fmt: skip


def _print(what: str, study: EventStudy, market: Market) -> None:
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        events: Events = run_events(study, market=replace(market))  # a new memo
        seconds.append(time.perf_counter() - begin)
    print(f"{what}: {len(events.cells)} windows in {min(seconds):.2f} s, the best of three")


if __name__ == "__main__":
    main()
