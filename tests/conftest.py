"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from french_files import made_up_tables, write_library
from hypothesis import settings
from real_data import find_real_data

settings.register_profile("without a stopwatch", deadline=None)
settings.load_profile("without a stopwatch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Windows has no signals that end a group, no fork, no named pipes, and links only for those who may make them."""
    if os.name == "nt":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="needs signals, fork, pipes or links as POSIX has them"))


@pytest.fixture(scope="session", autouse=True)
def _ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the user's own ledger of trials, not even one made by a fixture of a wider scope."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKTEST_LEDGER", str(tmp_path_factory.mktemp("ledger") / "trials.ledger"))
        yield


@pytest.fixture(autouse=True)
def _own_ledger(_ledgers: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with an empty one."""
    monkeypatch.setenv("BACKTEST_LEDGER", str(tmp_path_factory.getbasetemp() / f"{uuid4().hex}.ledger"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real prices and macro history, or a skip: they are not redistributable and no part of the project."""
    folder = find_real_data()
    if folder is None:
        pytest.skip("no real data: set BACKTEST_DATA or put shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def french_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of Ken French's library with a century of made-up months."""
    return write_library(tmp_path_factory.mktemp("french"), made_up_tables())
