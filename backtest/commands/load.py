"""Loading configs and their markets for a command: all mistakes of all files at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backtest.config import Config, load_config
from backtest.config.where import place_of
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


@contextmanager
def placed(path: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Gives a mistake that only the data could show (`KEY: found, expected`) the place where its key stands."""
    try:
        yield
    except ConfigError as error:
        problems = [f"{place_of(path, problem.split(':')[0], overrides)}: {problem}" for problem in error.problems]
        raise ConfigError(*problems) from None
