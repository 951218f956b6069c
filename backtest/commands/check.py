"""`backtest check`: is this config right, and are its data? Nothing is run and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.audit.clocks import early_values
from backtest.commands.load import load_all, placed
from backtest.config import config_schema, is_study, load_study
from backtest.data import load_market
from backtest.errors import BacktestError, RunError
from strategies import REGISTRY

LOCAL_SOURCES = ("csv", "sample")


def print_schema() -> None:
    """The JSON schema of a config on stdout."""
    print(json.dumps(config_schema(REGISTRY), indent=2))


def check_configs(paths: Sequence[Path], overrides: Sequence[str], *, offline: bool) -> None:
    """Print a line per file that is right; raise the first error with the problems of all files."""
    first: BacktestError | None = None
    problems: list[str] = []
    for path in paths:
        try:
            print(f"{path}: {checked(path, overrides, offline=offline)}")
        except BacktestError as error:
            first = first or error
            problems += error.problems
    if first:
        raise type(first)(*problems)


def checked(path: Path, overrides: Sequence[str], *, offline: bool) -> str:
    """What a config or study is, when it is right; raises what running it would raise before the run itself."""
    if is_study(path):
        study = load_study(path, strategies=REGISTRY, overrides=overrides)
        return f"right; a study of {len(study.variants) + study.size} variants"
    (config,) = load_all([path], overrides)
    source = config.data.prices.source
    if source not in LOCAL_SOURCES:
        return f"the config is right; {source} data are checked when they are fetched"
    with placed(path, overrides):
        market = load_market(config, offline=offline)
    early = {name: early_values(one) for name, one in market.series.items() if early_values(one)}
    if early:
        raise RunError(*(f"{path}: {name}: {count} of its {len(market.series[name].frame)} values are used before "
                         "their period has ended; that is a look-ahead" for name, count in early.items()))  # fmt: skip
    sessions = market.sessions
    clocks = "".join(f"; {name}: {one.clock.partition(' (')[0]}" for name, one in market.series.items() if one.clock)
    return f"right; {len(sessions)} sessions, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}{clocks}"
