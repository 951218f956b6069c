"""`backtest cycles`: every easing cycle of a config's market, what its legs did after it, what strategies did in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from backtest.commands.common import kind_of_data, load_all, placed, registry
from backtest.data import load_market
from backtest.events.cycles import Cycle, cycle_rows, summary
from backtest.events.in_cycles import cycles_of_config, pair_of
from backtest.pipeline import legs_of
from backtest.text import aligned, plural, points

NO_CYCLE = "no easing cycle began in the period of the test"


def print_cycles(path: Path, overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print the table, with the means beside those of all other times; or both as JSON."""
    config = load_all([path], overrides)[0]
    with placed(path, overrides):
        market = load_market(config, offline=offline)
        legs = legs_of(config)
        of, over = pair_of(legs)
        cycles = cycles_of_config(config, market, registry())
    means = summary(market, legs[of], legs[over], cycles)
    if as_json:
        content = {
            "schema": 1, "of": of, "over": over, "simulated": market.is_simulated, "cycles": cycle_rows(cycles),
            "summary": {str(each.months): {"n": each.cycles, "mean": each.mean, "positive": each.positive,
                                           "unconditional_mean": each.unconditional} for each in means},
        }  # fmt: skip
        print(json.dumps(content, indent=2, allow_nan=False))
        return
    what = f"{legs.label(of)} minus {legs.label(over)} after each first cut"
    print(f"{config.name}: {what}{kind_of_data(market)}, points")
    if not cycles:
        print(f"  {NO_CYCLE}")
        return
    months = list(cycles[0].lead)
    head = ["first cut", "bps", "in all", "recession", *(f"{each} months" for each in months)]
    print("\n".join(aligned([head, *([*_about(each), *(_points(each.lead[n]) for n in months)] for each in cycles)])))
    for each in means:
        every = f"over as long from every row {points(each.unconditional)}"
        counted = f"{plural(each.cycles, 'cycle')}, {each.positive} of them positive"
        print(f"  {each.months} months: mean {points(each.mean)} in {counted}; {every}")
    print("\nIn each cycle, to its first rise or for two years, beyond an equal mix of the legs, points:")
    names = list(cycles[0].strategies)
    rows = [[f"{c.first_cut:%Y-%m-%d}", *(_points(c.strategies[name]) for name in names)] for c in cycles]
    print("\n".join(aligned([["first cut", *names], *rows])))
    print("A recession is one that the NBER dated within a year; nobody could know it at the cut.")


def _about(cycle: Cycle) -> list[str]:
    told = "no" if cycle.recession is None else f"{cycle.recession[0]} to {cycle.recession[1]}"
    return [f"{cycle.first_cut:%Y-%m-%d}", f"{cycle.cut_bps}", f"{cycle.total_bps}", told]


def _points(gain: float | None) -> str:
    return "–" if gain is None or pd.isna(gain) else points(gain)
