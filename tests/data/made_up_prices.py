"""Clean made-up price histories for the tests of this folder, in the shape that every source gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.calendar import exchange_sessions


def clean_frame(
    seed: int = 1, first: date = date(2023, 1, 1), last: date = date(2024, 12, 31), payout: float = 0.004
) -> pd.DataFrame:
    """A seeded walk on the exchange's sessions with quarterly dividends, adjusted by Yahoo's rule; no fault in it."""
    sessions = exchange_sessions(first, last)
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0003, 0.012, len(sessions))))
    opening = close * np.exp(random.normal(0.0, 0.005, len(sessions)))
    reach = np.exp(np.abs(random.normal(0.0, 0.004, (2, len(sessions)))))
    dividends = np.zeros(len(sessions))
    dividends[40::63] = payout * close[39::63][: len(dividends[40::63])]
    factor = np.ones(len(sessions))
    factor[:-1] = np.cumprod((1.0 - dividends[1:] / close[:-1])[::-1])[::-1]
    return pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(opening, close) * reach[0],
            "low": np.minimum(opening, close) / reach[1],
            "close": close,
            "adj_close": close * factor,
            "volume": random.integers(1_000, 9_000, len(sessions)).astype(float),
            "dividends": dividends,
            "splits": np.zeros(len(sessions)),
        },
        index=sessions,
    )


def write_prices(folder: Path, **frames: pd.DataFrame) -> Path:
    """One `<TICKER>.csv` for each frame, every digit kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for ticker, frame in frames.items():
        frame.rename_axis("date").to_csv(folder / f"{ticker}.csv")
    return folder
