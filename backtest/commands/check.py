"""`backtest check`: is this config right, and are its data? Nothing is run and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.commands.load import load_all
from backtest.config import config_schema
from backtest.data import load_market
from backtest.errors import BacktestError
from strategies import REGISTRY

LOCAL_SOURCES = ("csv", "sample")


def print_schema() -> None:
    """The JSON schema of a config on stdout."""
    print(json.dumps(config_schema(REGISTRY), indent=2))


def check_configs(paths: Sequence[Path], overrides: Sequence[str], *, offline: bool) -> None:
    """Print a line per config that is right; raise with all problems of all others."""
    configs = load_all(paths, overrides)
    problems: list[str] = []
    failure: BacktestError | None = None
    for path, config in zip(paths, configs, strict=True):
        source = config.data.prices.source
        if source not in LOCAL_SOURCES:
            print(f"{path}: the config is right; {source} data are checked when they are fetched")
            continue
        try:
            market = load_market(config, offline=offline)
        except BacktestError as error:
            failure = failure or error
            problems += error.problems
        else:
            sessions = market.sessions
            print(f"{path}: right; {len(sessions)} sessions, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}")
    if failure:
        raise type(failure)(*problems)
