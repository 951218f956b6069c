"""Backtests of rotations between legs of funds; the same job as the command line, from Python.

    from backtest import compare, load_config, run

    result = run("configs/quickstart.yaml")
    result.equity, result.trades, result.decisions, result.metrics
    result.report("report.html")

Names are loaded on first use, so that `import backtest` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

HOMES = {
    "load_config": "backtest.api",
    "load_study": "backtest.api",
    "load_market": "backtest.data",
    "market_from": "backtest.data",
    "run": "backtest.api",
    "compare": "backtest.api",
    "sweep": "backtest.api",
    "walk_forward": "backtest.api",
    "event_study": "backtest.api",
    "Config": "backtest.config",
    "Study": "backtest.config",
    "Result": "backtest.result",
    "Comparison": "backtest.study.comparison",
    "Sweep": "backtest.study.sweep",
    "WalkForward": "backtest.study.walk_forward",
    "Market": "backtest.market",
    "Legs": "backtest.market",
}
"""Public name -> the module it lives in; none may be the name of a module of this package, which would hide it."""

__all__ = [
    "Comparison",
    "Config",
    "Legs",
    "Market",
    "Result",
    "Study",
    "Sweep",
    "WalkForward",
    "compare",
    "event_study",
    "load_config",
    "load_market",
    "load_study",
    "market_from",
    "run",
    "sweep",
    "walk_forward",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'backtest' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)
