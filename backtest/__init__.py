"""Backtests of rotations between large-cap growth and small caps; the same job as the command line, from Python.

    from backtest import load_config, load_market, run
    from strategies import REGISTRY

    config = load_config("configs/quickstart.yaml", strategies=REGISTRY)
    result = run(config, REGISTRY)
    result.equity, result.trades, result.decisions, result.metrics

Names are loaded on first use, so that `import backtest` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

HOMES = {
    "load_config": "backtest.config",
    "load_market": "backtest.data",
    "market_from": "backtest.data",
    "load_study": "backtest.config",
    "run": "backtest.pipeline",
    "compare": "backtest.study.compare",
    "sweep": "backtest.study.sweep",
    "Result": "backtest.result",
    "Market": "backtest.market",
    "Legs": "backtest.market",
}
"""Public name -> the module it lives in; none may be the name of a module of this package, which would hide it."""

__all__ = [
    "Legs",
    "Market",
    "Result",
    "compare",
    "load_config",
    "load_market",
    "load_study",
    "market_from",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'backtest' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)
