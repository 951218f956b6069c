"""Fixtures of the tests against the replay server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replay import Replay, replaying
from replay_worlds import Client, write_world


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    with replaying(tmp_path_factory.mktemp("replay")) as server:
        yield server


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean world of 2019 to 2024."""
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def client(
    replay: Replay, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, caplog: Any
) -> Client:
    """The command line against the clean world, nothing in its store."""
    replay.serve(world)
    return Client(replay, tmp_path, monkeypatch, capsys, caplog)


@pytest.fixture
def filled(client: Client) -> Client:
    """After one good run; nothing asked since."""
    told = client.run()
    assert told.code == 0, told.text
    client.replay.log(clear=True)
    return client
