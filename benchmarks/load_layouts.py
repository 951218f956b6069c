"""What it costs to load prices in layouts other than the house's own: 8 tickers, 26 years, best of several.

    python benchmarks/load_layouts.py

Each layout holds the same simulated prices; the time is that from the folder to the frames, without the checks, which
are the same for all.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.csv_folder import CsvFolder
from backtest.data.layouts import Stated

TICKERS = tuple(f"T{letter}" for letter in "ABCDEFGH")
SESSIONS = pd.bdate_range("2000-01-03", periods=6_550)
ROUNDS = 7


def prices(seed: int) -> pd.DataFrame:
    """One ticker's prices, rounded to a hundredth of a cent."""
    rng = np.random.default_rng(seed)
    close = np.round(50 * np.exp(rng.normal(0.0002, 0.012, len(SESSIONS)).cumsum()), 4)
    opening = np.round(close * np.exp(rng.normal(0, 0.004, len(SESSIONS))), 4)
    high, low = np.maximum(opening, close) * 1.004, np.minimum(opening, close) * 0.996
    columns = {"open": opening, "high": high.round(4), "low": low.round(4), "close": close, "adj_close": close * 0.9}
    return pd.DataFrame(columns, index=SESSIONS).assign(volume=rng.integers(10**5, 10**7, len(SESSIONS)))


def written(frame: pd.DataFrame, day: str, names: dict[str, str], **form: str) -> str:
    """The table under other headers and with other dates."""
    table = frame[[name for name in names if name != "date"]].rename(columns=names)
    table.insert(0, names["date"], pd.DatetimeIndex(frame.index).strftime(day))
    return str(table.to_csv(index=False, **form))  # type: ignore[call-overload]


YAHOO = {"date": "Date", "open": "Open", "high": "High", "low": "Low", "close": "Close", "adj_close": "Adj Close",
         "volume": "Volume"}  # fmt: skip
HOUSE = {name: name for name in YAHOO}
STOOQ = {name: header for name, header in YAHOO.items() if name != "adj_close"}


def millions(text: str) -> str:
    """Volumes as Investing.com has them."""
    head, *rows = text.splitlines()
    parts = [row.rsplit(",", 1) for row in rows]
    return "\n".join([head, *(f"{front},{int(volume) / 1e6:.2f}M" for front, volume in parts), ""])


LAYOUTS: dict[str, Callable[[pd.DataFrame], str]] = {
    "the house's own": lambda frame: written(frame, "%Y-%m-%d", HOUSE),
    "Yahoo": lambda frame: written(frame, "%Y-%m-%d", YAHOO),
    "Yahoo, newest first": lambda frame: written(frame[::-1], "%Y-%m-%d", YAHOO),
    "US dates": lambda frame: written(frame, "%m/%d/%Y", YAHOO),
    "compact dates": lambda frame: written(frame, "%Y%m%d", YAHOO),
    "midnight in New York": lambda frame: written(frame, "%Y-%m-%d 00:00:00-05:00", YAHOO),
    "semicolons, decimal commas": lambda frame: written(frame, "%d.%m.%Y", YAHOO, sep=";", decimal=","),
    "volumes in millions": lambda frame: millions(written(frame, "%m/%d/%Y", YAHOO)),
    "closes only": lambda frame: written(frame, "%Y-%m-%d", {"date": "Date", "close": "Close"}),
    "Stooq": lambda frame: written(frame, "%Y-%m-%d", STOOQ),
}


def main() -> None:
    """Print milliseconds for each layout, and by the house's own."""
    frames = {ticker: prices(seed) for seed, ticker in enumerate(TICKERS)}
    with tempfile.TemporaryDirectory() as folder:
        for number, write in enumerate(LAYOUTS.values()):
            (Path(folder) / str(number)).mkdir()
            for ticker, frame in frames.items():
                path = Path(folder) / str(number) / f"{ticker}.csv"
                path.write_text(write(frame), encoding="utf-8", newline="\n")
        taken = np.full((ROUNDS, len(LAYOUTS)), np.inf)
        for turn in range(ROUNDS):  # in turns, so that what else the machine does meets all alike
            for number in range(len(LAYOUTS)):
                began = time.process_time()
                CsvFolder(Path(folder) / str(number), Stated("total_return")).prices(TICKERS)
                taken[turn, number] = 1000 * (time.process_time() - began)
    best = taken.min(axis=0)
    for name, needed in zip(LAYOUTS, best.tolist(), strict=True):
        print(f"{name:<28} {needed:7.1f} ms   {needed / best[0]:4.2f} x")


if __name__ == "__main__":
    main()
