"""Where real prices and macro history are, for the tests that use them."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def find_real_data() -> Path | None:
    """The folder with `prices/` and `macro/`: BACKTEST_DATA, else ../shared/data beside the checkout."""
    for place in (os.environ.get("BACKTEST_DATA"), ROOT.parent / "shared" / "data"):
        if place and (Path(place) / "prices").is_dir():
            return Path(place)
    return None
