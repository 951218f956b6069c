"""What can go wrong, as a tree; each branch is an exit code of the command line.

    BacktestError                 1
    ├── ConfigError               2   the user's YAML, an override, an argument
    ├── DataError                 3   prices, rates or decisions that cannot be trusted
    ├── NetworkError              4   a source that did not answer
    ├── RunError                  5   an engine refused, disagreed, or a look-ahead was found
    │   ├── OrderRefused
    │   ├── EnginesDisagree
    │   └── ResultDiffers
    └── WriteError                6   the results folder

A user's mistake is one line for each problem and never a traceback; anything else is a bug and shows its own.
"""

from __future__ import annotations

from collections.abc import Sequence


class BacktestError(Exception):
    """An error that is told to the user in one line per problem.

    problems: complete lines, already saying where, what was found and what would be right.
    """

    exit_code = 1

    def __init__(self, *problems: str) -> None:
        self.problems: Sequence[str] = problems
        super().__init__("\n".join(problems))

    def __reduce__(self) -> tuple[type[BacktestError], tuple[str, ...]]:
        """Each problem stays a line of its own on the way between processes."""
        return type(self), tuple(self.problems)


class ConfigError(BacktestError):
    """One line `FILE:LINE: key: found, expected` for each mistake of the configuration."""

    exit_code = 2


class DataError(BacktestError):
    """Data that are missing, broken or not what was asked for; the dates are named."""

    exit_code = 3


class NetworkError(BacktestError):
    """A data source could not be reached, or answered with something else."""

    exit_code = 4


class RunError(BacktestError):
    """The run itself failed: no result may be shown."""

    exit_code = 5


class OrderRefused(RunError):
    """The broker refused, cancelled or expired an order: a bug of the strategy, never a statistic."""


class EnginesDisagree(RunError):
    """Backtrader and the kernel came to different books."""


class ResultDiffers(RunError):
    """The same question gave other bytes than the result that stands in its folder."""


class WriteError(BacktestError):
    """The results could not be written."""

    exit_code = 6
