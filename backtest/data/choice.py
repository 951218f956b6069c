"""Which source of prices and rates a config asks for."""

from __future__ import annotations

from datetime import date

from backtest.config.models import Prices
from backtest.data.sources import DataSource


def choose_source(
    prices: Prices, *, end: date | None, offline: bool, largest_daily_move: float | None = None
) -> DataSource:
    """The source that `data.prices` asks for. A folder and the sample need no network and ignore `offline`."""
    match prices.source:
        case "csv":
            from backtest.data.csv_folder import CsvFolder
            from backtest.data.layouts import Stated

            stated = Stated(prices.adjusted, prices.columns, prices.dates, prices.decimal)
            return CsvFolder(prices.folder, stated, key="data.prices.folder")
        case "yahoo":
            from backtest.data.checks import LARGEST_DAILY_LOG_RETURN
            from backtest.data.snapshots import Snapshots

            move = LARGEST_DAILY_LOG_RETURN if largest_daily_move is None else largest_daily_move
            return Snapshots(end=end, offline=offline, largest_daily_move=move)
        case "french":
            from backtest.data.french.source import FrenchSource

            return FrenchSource(prices.folder, end, offline)
        case "sample":
            from backtest.data.sample.prices import Sample

            return Sample()
