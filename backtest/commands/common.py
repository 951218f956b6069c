"""What commands share: the strategies, configs with the places of all mistakes, progress, and being told to stop."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from backtest.config import Config, load_config
from backtest.config.layers import place_of
from backtest.errors import ConfigError, DataError
from backtest.registry import registry as registry  # every command takes it from here
from backtest.text import of_months

SIMULATED, PAPER = "SIMULATED DATA", "PAPER PORTFOLIOS BY MONTH, NO FUNDS"


def load_all(paths: Sequence[Path], overrides: Sequence[str]) -> list[Config]:
    """The configs; raises one ConfigError with the problems of all of them."""
    configs, problems = [], []
    for path in paths:
        try:
            configs.append(load_config(path, strategies=registry(), overrides=overrides))
        except ConfigError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise ConfigError(*problems)
    return configs


ASKED = re.compile(r"\bdata\.prices\.\w+")
"""The key by which the config answers what a price file leaves open, in the line that asks."""


@contextmanager
def placed(path: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Give a mistake that only the data could show (`data.KEY: found, expected`) the place where its key stands."""
    try:
        yield
    except (ConfigError, DataError) as error:
        lines = []
        for problem in error.problems:
            key = problem.split(":")[0]
            asked = ASKED.search(problem)
            if key.split(".")[0] in Config.model_fields:
                lines.append(f"{place_of(path, key, overrides)}: {problem}")
            else:
                lines.append(f"{place_of(path, asked[0], overrides)}: {problem}" if asked else problem)
        raise type(error)(*lines) from None


@contextmanager
def progress(title: str, *, is_compiled: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that moves a bar on stderr; silent when stderr is not a terminal.

    is_compiled: the work is done by compiled code, which the bar says while it has to be made first.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{title}{compiling() if is_compiled else ''}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total, description=title)


def compiling() -> str:
    """What to say before the first sweep of a machine; nothing when the machine code is kept from an earlier one."""
    from backtest.account.kernel import is_kept
    from backtest.study.sweep_engine import runner

    return "" if is_kept(runner()) else ": compiling, once on this machine, about half a minute"


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM end long work as Ctrl-C does, so that nothing half-done stays behind; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class HasKind(Protocol):
    """A market, or what was made of one."""

    @property
    def is_simulated(self) -> bool:
        """Are they made up?"""

    @property
    def is_monthly(self) -> bool:
        """Is a row a month?"""


def kind_of_data(known: HasKind) -> str:
    """What stands behind a title where the data are no fund's: made up, or research portfolios."""
    return f" ({SIMULATED})" if known.is_simulated else f" ({PAPER})" if known.is_monthly else ""


def tell(known: HasKind, *lines: str) -> None:
    """Print them; of a market of months what is said of sessions is said of months."""
    text = "\n".join(lines)
    print(of_months(text) if known.is_monthly else text)
