"""Machine code of an older source is never used: numba's cache on disk looks at one file of two."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMPARE = """
from worlds import random_weights, rotation_market
from backtest.account import run_kernel
from backtest.account.kernel import run_compiled
from backtest.account.plan import Terms, make_plan
import numpy as np
market = rotation_market(1, sessions=60)
weights = random_weights(np.random.default_rng(0), 60, 4, "legs", 0.2)
plan = make_plan(market, market.tickers, weights, market.sessions[0], Terms(cost_rate=0.001))
kernel, compiled = run_kernel(plan), run_compiled(plan)
assert (kernel.equity == compiled.equity).all()
print(repr(float(kernel.equity[-1])))
"""


def final_equity(folder: Path) -> str:
    """Of the compiled kernel in a copy of the library, after a look that the plain one has the same."""
    path = f"{folder}:{ROOT / 'tests'}"
    done = subprocess.run(
        [sys.executable, "-c", COMPARE],
        env={"PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("account/sizing.py", "RESERVE = 1e-10", "RESERVE = 1e-4"),
        ("account/kernel.py", "q * rate * price", "q * price * rate * 2"),
    ],
)
def test_a_change_of_the_source_is_compiled(tmp_path: Path, file: str, before: str, after: str) -> None:
    shutil.copytree(ROOT / "backtest", tmp_path / "backtest", ignore=shutil.ignore_patterns("__pycache__"))
    first = final_equity(tmp_path)
    assert final_equity(tmp_path) == first
    path = tmp_path / "backtest" / file
    source = path.read_text(encoding="utf-8")
    assert before in source
    path.write_text(source.replace(before, after), encoding="utf-8", newline="\n")
    assert final_equity(tmp_path) != first
