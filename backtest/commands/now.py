"""The market up to now: what `signal` and `why` look at, whatever end a config has for its backtest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from backtest.config import Config
from backtest.data import load_market
from backtest.market import Market

END = "data.end"


def market_to_now(config: Config, *, offline: bool, overrides: Sequence[str] = ()) -> tuple[Config, Market]:
    """The config without its end, unless an override gave one, and its market.

    Tickers that end on different sessions are cut to the last common one, with a warning on stderr. A fault of the data
    is raised: an answer for an older day would not be the one asked for.
    """
    if not any(override.partition("=")[0].strip() == END for override in overrides):
        config = config.model_copy(update={"data": config.data.model_copy(update={"end": None})})
    market = load_market(config, offline=offline, to_common=True)
    last = f"{market.sessions[-1]:%Y-%m-%d}"
    later = [
        f"{source.name} {source.last}"
        for source in market.sources
        if config.data.end is None and source.name in market.tickers and source.last > last
    ]
    if later:
        warn(f"prices end on different sessions ({', '.join(later)}); this is for {last}, the last one of all")
    return config, market


@dataclass(frozen=True, slots=True)
class SeriesAge:
    """How old the newest observation of a series is at the market's last session; None: it has none."""

    name: str
    happened: pd.Timestamp | None
    days: int
    is_stale: bool

    @property
    def words(self) -> str:
        """`series DGS10: last observation of 2026-04-30, 1 day before`, and that it is too old to be used."""
        if self.happened is None:
            return f"series {self.name}: has no observation; signals that need it are not known"
        told = f"series {self.name}: last observation of {self.happened:%Y-%m-%d}, {self.days} day"
        return f"{told}{'' if self.days == 1 else 's'} before{': too old to stand for today' if self.is_stale else ''}"


def series_ages(market: Market) -> list[SeriesAge]:
    """The age of each series the strategy uses; stale: older than the series lets an observation stand for."""
    last, found = market.sessions[-1], []
    for name, series in market.series.items():
        happened = series.until(last).frame.dropna(subset=["value"])["happened"].max()
        if pd.isna(happened):
            found.append(SeriesAge(name, None, 0, is_stale=True))
            continue
        days = (last - happened).days
        found.append(SeriesAge(name, happened, days, is_stale=days > series.holds_days))
    return found


def warn(text: str) -> None:
    """A line on stderr, which leaves what a script reads as it is."""
    print(f"warning: {text}", file=sys.stderr)
