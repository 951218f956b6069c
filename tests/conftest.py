"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def find_real_data() -> Path | None:
    """The folder with `prices/` and `macro/`: BACKTEST_DATA, else ../shared/data beside the checkout."""
    for place in (os.environ.get("BACKTEST_DATA"), ROOT.parent / "shared" / "data"):
        if place and (Path(place) / "prices").is_dir():
            return Path(place)
    return None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real prices and macro history, or a skip: they are not redistributable and no part of the project."""
    folder = find_real_data()
    if folder is None:
        pytest.skip("no real data: set BACKTEST_DATA or put shared/data beside the checkout")
    return folder
