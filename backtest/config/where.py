"""Where a key of a config stands, for mistakes that only the data can show (a start before the first price)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backtest.config.layers import overlaid, overlay, read_layers
from backtest.config.nodes import descend, path_of


def place_of(path: str | os.PathLike[str], key: str, overrides: Sequence[str] = ()) -> str:
    """`FILE:LINE` of a dotted key, or of the map nearest above it; `--set` when an override gave it."""
    tree = read_layers(Path(path), os.fspath(path))
    root = overlaid(tree.root, overlay(overrides).root)
    return str(descend(root, path_of(key))[1].origin)
