"""The tree of errors."""

from __future__ import annotations

import pickle

from backtest.errors import BacktestError, ConfigError, OrderRefused, ResultDiffers, RunError


def test_problems_survive_the_way_between_processes_line_by_line() -> None:
    error = pickle.loads(pickle.dumps(ConfigError("a.yaml:1: x", "a.yaml:2: y")))
    assert isinstance(error, ConfigError)
    assert error.problems == ("a.yaml:1: x", "a.yaml:2: y")
    assert str(error) == "a.yaml:1: x\na.yaml:2: y"


def test_every_branch_of_the_tree_has_its_exit_code() -> None:
    codes = {branch.__name__: branch.exit_code for branch in BacktestError.__subclasses__()}
    assert codes == {"ConfigError": 2, "DataError": 3, "NetworkError": 4, "RunError": 5, "WriteError": 6}
    assert OrderRefused("x").exit_code == ResultDiffers("x").exit_code == RunError.exit_code
