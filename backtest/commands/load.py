"""Loading every config of a command before the first one runs: all mistakes of all files at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backtest.config import Config, load_config
from backtest.errors import ConfigError
from strategies import REGISTRY


def load_all(paths: Sequence[Path], overrides: Sequence[str]) -> list[Config]:
    """The configs; raises one ConfigError with the problems of all of them."""
    configs, problems = [], []
    for path in paths:
        try:
            configs.append(load_config(path, strategies=REGISTRY, overrides=overrides))
        except ConfigError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise ConfigError(*problems)
    return configs
