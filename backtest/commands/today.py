"""`backtest signal | why`: which orders does the tested account have pending, what would I have to trade, and why?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from backtest.commands.common import kind_of_data, load_all, placed, registry, tell
from backtest.config import Config
from backtest.data import load_market
from backtest.errors import ConfigError, DataError
from backtest.market import Market
from backtest.now.signal import holding_orders, lines, orders_csv, parse_holding, signal_json, signal_of, title
from backtest.pipeline import decide, is_rotation, legs_of, run
from backtest.store.folder import write_text
from backtest.text import plural

TRADES = 10
"""Exit code when the tested account has an order at the next fill."""

END = "data.end"

LATEST = pd.Timedelta(days=7)
"""So long after the last session a day may be asked for: a weekend with its holidays."""


def signal(
    path: Path,
    overrides: Sequence[str],
    holding: str | None,
    *,
    offline: bool,
    as_json: bool,
    csv: Path | None = None,
) -> int:
    """Print the tested account's pending orders; returns the exit code, TRADES when it has some at the next fill, or 0.

    csv: also write the orders for the next fill to this file.
    """
    config = load_all([path], overrides)[0]
    held = None if holding is None else parse_holding(holding, legs_of(config).tickers)
    with placed(path, overrides):
        config, market = market_to_now(config, offline=offline, overrides=overrides)
    found = signal_of(config, market, registry()[config.strategy.name])
    own = None if held is None else holding_orders(found, held)
    ages = series_ages(market)
    for age in ages:
        if age.is_stale:
            warn(age.words)
    if csv is not None:
        write_text(csv, orders_csv(found, own))
    if as_json:
        print(json.dumps(signal_json(found, own, today=date.today()), indent=2, allow_nan=False))
    else:
        tell(market, f"{config.name}{kind_of_data(market)}: {title(found, date.today())}")
        tell(market, *(f"  {line}" for line in (*lines(found, own), *(age.words for age in ages))))
    return TRADES if found.next_due is not None else 0


def why(path: Path, day: str | None, overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print why the config's strategy holds what it holds after the last close up to `day` (None: the last one)."""
    from backtest.now import why as told

    config = load_all([path], overrides)[0]
    wanted = None if day is None else parsed(day)
    with placed(path, overrides):
        config, market = market_to_now(config, offline=offline, overrides=overrides)
    row = row_of(market, wanted)
    strategy = registry()[config.strategy.name]
    if is_rotation(strategy):
        decision = decide(config, market, strategy)
    else:  # what it held stands for what it decided
        decision = run(config, {config.strategy.name: strategy}, market=market).decision
    explanation = told.explain(decision, market, legs_of(config), config.strategy.initial, row)
    if as_json:
        print(json.dumps({"strategy": config.strategy.name, **told.why_json(explanation)}, indent=2, allow_nan=False))
        return
    tell(market, f"{config.name}{kind_of_data(market)}", *told.lines(explanation))


def parsed(text: str) -> date:
    """A day as YYYY-MM-DD; ConfigError otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"DATE: found {text[:40]!r}, expected a day as YYYY-MM-DD") from None


def row_of(market: Market, day: date | None) -> int:
    """The last session up to `day`; ConfigError when the market has none, DataError when it ends long before it.

    A day after the last session, within LATEST of it, is answered with a warning.
    """
    sessions = market.sessions
    place = len(sessions) - 1 if day is None else int(sessions.searchsorted(pd.Timestamp(day), side="right")) - 1
    if day is not None and pd.Timestamp(day) > sessions[-1]:
        told = f"{day} is after the last session with prices, {sessions[-1]:%Y-%m-%d}"
        if pd.Timestamp(day) - sessions[-1] > LATEST:
            raise DataError(f"DATE: {told}; bring the prices up to date or ask for an earlier day")
        warn(f"{told}: this is for that session")
    if place < 0:
        raise ConfigError(f"DATE: found {day}, expected a day from the first session on, {sessions[0]:%Y-%m-%d}")
    return place


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
        age = plural(self.days, "day")
        stale = ": too old to stand for today" if self.is_stale else ""
        return f"series {self.name}: last observation of {self.happened:%Y-%m-%d}, {age} before{stale}"


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
