"""Sweeps for tests of their page: small grids of every kind on a random market, and the page of each."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import Field
from worlds import rotation_market, small_in

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.config import study_from_text
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.pages.shell import PageContext
from backtest.pages.sweep import render_sweep
from backtest.study.findings import Findings, findings_of
from backtest.study.sweep import Sweep, sweep
from strategies import REGISTRY

CONTEXT = PageContext("0123abcd", {"question": "a" * 64, "data": "b" * 64, "code": "c" * 64})

BASE = """
name: small
data: {prices: {source: sample}, start: 2004-06-01, tbill: irx}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ, IWM, {static_mix: 0.5}]
"""

LOOKBACK = "  strategy.params.lookback_sessions: "
THRESHOLD = "  strategy.params.threshold: [0.0, 0.01, 0.02, 0.04]\n"
COSTS = "  execution.slippage_bps: [0, 5, 20]\n"
DECIDE = "  strategy.params.decide: [daily, weekly, monthly]\n"
NAMES = f"{DECIDE}  execution.rebalance: [on_change, monthly, {{drift: 0.03}}]\n"
FOUR = f"{LOOKBACK}[5, 10, 21, 42, 63]\n{THRESHOLD}{COSTS}  execution.delay_sessions: [1, 2]\n"

GRIDS = {
    "one": f"{LOOKBACK}{{from: 5, to: 60, step: 5}}\n",
    "two": f"{LOOKBACK}{{from: 5, to: 60, step: 5}}\n{THRESHOLD}",
    "three": f"{LOOKBACK}[5, 10, 21]\n{NAMES}",
    "four": FOUR,
    "five": f"{LOOKBACK}[5, 10, 21]\n  strategy.params.threshold: [0.0, 0.02]\n{COSTS}{NAMES}",
    "names": NAMES,
    "problems": "  strategy.name: [moody]\n  strategy.params.level: [0, 1, 2]\n  execution.slippage_bps: [0, 20]\n",
    "sample": FOUR + "sample: {count: 40, seed: 2}\n",
}


class Moody(RotationStrategy):
    """Breaks off where it is asked to."""

    class Params(StrategyParams):
        """What goes wrong."""

        level: int = Field(0, ge=0, description="1 raises")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Small every other fifty sessions."""
        if p.level == 1:
            raise ZeroDivisionError("nothing <b>to</b> divide by")
        return small_in(np.arange(len(market.sessions)) // (50 + p.level) % 2 * 1.0)

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """Its mood."""
        return f"It is in mood {p.level}."


STRATEGIES: dict[str, type] = {**REGISTRY, "moody": Moody}


@cache
def world() -> Market:
    """Three years of four tickers."""
    return rotation_market(5, 700)


@cache
def swept(kind: str) -> tuple[Sweep, Findings]:
    """A sweep of GRIDS with its findings, made once."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "base.yaml").write_text(BASE, encoding="utf-8", newline="\n")
        text = f"name: small-sweep\nbase: base.yaml\nbenchmark: QQQ\ngrid:\n{GRIDS[kind]}"
        overrides = ("strategy.params={}",) if kind == "problems" else ()
        study = study_from_text(text, f"{folder}/study.yaml", strategies=STRATEGIES, overrides=overrides)
    result = sweep(study, STRATEGIES, market=world())
    return result, findings_of(result, None)


def page(kind: str) -> str:
    """The page of a sweep of GRIDS."""
    return render_sweep(*swept(kind), CONTEXT)
