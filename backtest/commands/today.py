"""`backtest signal | why`: what would I hold at the next open, what would I have to trade, and why?"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.plan import Terms
from backtest.account.sizing import trade_sizes
from backtest.commands.common import load_all, placed, registry, simulated
from backtest.config import Config
from backtest.data import load_market
from backtest.decision import target_weights
from backtest.errors import ConfigError, DataError
from backtest.market import Floats, Market
from backtest.pipeline import decide, legs_of
from backtest.result import holding_words
from backtest.text import listed, number, percent, plural

CHANGED = 10
"""Exit code when the target changed with the last session."""

CASH, END = "cash", "data.end"

LATEST = pd.Timedelta(days=7)
"""So long after the last session a day may be asked for: a weekend with its holidays."""


def signal(path: Path, overrides: Sequence[str], holding: str | None, *, offline: bool, as_json: bool) -> int:
    """Print the target after the last close; returns the exit code, CHANGED or 0."""
    config = load_all([path], overrides)[0]
    held = None if holding is None else parse_holding(holding, legs_of(config).tickers)
    with placed(path, overrides):
        config, market = market_to_now(config, offline=offline, overrides=overrides)
    found = target(config, market, held, today=date.today())
    for age in series_ages(market):
        if age.is_stale:
            warn(age.words)
    if as_json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        _print_signal(config, market, found, held is not None)
    return CHANGED if found["changed"] else 0


def target(config: Config, market: Market, held: Mapping[str, float] | None, *, today: date) -> dict[str, Any]:
    """The document of the command. held: shares by ticker and `cash` in USD; None: no orders are worked out."""
    legs = legs_of(config)
    decision = decide(config, market, registry()[config.strategy.name])
    weights = target_weights(decision, market, legs, legs.tickers, config.strategy.initial)
    shares = decision.held(legs, config.strategy.initial)
    last = len(market.sessions) - 1
    as_of = market.sessions[last]
    return {
        "schema": 2,
        "strategy": config.strategy.name,
        "as_of": f"{as_of:%Y-%m-%d}",
        "shares": dict(zip(legs.names, shares[last].tolist(), strict=True)),
        "target_weights": dict(zip(legs.tickers, weights[last].tolist(), strict=True)),
        "changed": bool(last > 0 and (weights[last] != weights[last - 1]).any()),
        "orders": [] if held is None else orders(config, market, held, weights[last]),
        "reason": decision.why(last, legs),
        "data_age_days": (today - as_of.date()).days,
    }


def orders(config: Config, market: Market, held: Mapping[str, float], weights: Floats) -> list[dict[str, Any]]:
    """Trades that lead from a holding to the weights at the last closing prices, sells first, net of costs."""
    tickers, terms = legs_of(config).tickers, Terms.of(config)
    prices = market.raw_close[list(tickers)].iloc[-1].to_numpy(dtype=np.float64).tolist()
    shares = [held.get(ticker, 0.0) for ticker in tickers]
    sizes = [0.0] * len(shares)
    trade_sizes(
        held.get(CASH, 0.0), shares, list(prices), prices, weights.tolist(), terms.cost_rate, terms.whole_shares, sizes
    )
    found = [
        {"ticker": ticker, "side": "buy" if size > 0 else "sell", "shares": abs(size), "value_usd": abs(size) * price}
        for ticker, size, price in zip(tickers, sizes, prices, strict=True)
        if size
    ]
    return sorted(found, key=lambda order: order["side"] == "buy")


def parse_holding(text: str, tickers: Sequence[str]) -> dict[str, float]:
    """`QQQ=120,IVW=40,cash=5000` as shares and USD; ConfigError for anything else."""
    held: dict[str, float] = {}
    for part in text.split(","):
        name, equals, amount = (piece.strip() for piece in part.partition("="))
        try:
            number = float(amount)
        except ValueError:
            number = -1.0
        if not equals or not 0 <= number < float("inf"):
            raise ConfigError(f"--holding: found {part.strip()[:40]!r}, expected TICKER=SHARES or cash=USD, from 0 on")
        if name not in (*tickers, CASH):
            raise ConfigError(f"--holding: found {name[:40]!r}, expected {listed((*tickers, CASH), word='or')}")
        if name in held:
            raise ConfigError(f"--holding: {name} stands twice, expected once")
        held[name] = number
    if sum(held.values()) <= 0:
        raise ConfigError("--holding: nothing is held, expected some shares or cash")
    return held


def _print_signal(config: Config, market: Market, found: Mapping[str, Any], has_holding: bool) -> None:
    age, made_up = plural(found["data_age_days"], "day"), simulated(market.is_simulated)
    print(f"{config.name}{made_up}: after the close of {found['as_of']}, {age} ago")
    weights = ", ".join(f"{ticker} {percent(weight)}" for ticker, weight in found["target_weights"].items())
    held = holding_words(legs_of(config), np.array(list(found["shares"].values())))
    print(f"  hold at the next open: {weights} ({held})")
    print(f"  {'CHANGED with this close' if found['changed'] else 'unchanged'}: {found['reason']}")
    for series in series_ages(market):
        print(f"  {series.words}")
    for order in found["orders"]:
        about = f"about {number(order['value_usd'], 0)} USD"
        print(f"  {order['side']:<4} {number(order['shares'], 4):>14} {order['ticker']:<5} {about}")
    if has_holding and not found["orders"]:
        print("  nothing to trade")


def why(path: Path, day: str | None, overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print why the config's strategy holds what it holds after the last close up to `day` (None: the last one)."""
    from backtest.now.why import document, explain, lines

    config = load_all([path], overrides)[0]
    wanted = None if day is None else parsed(day)
    with placed(path, overrides):
        config, market = market_to_now(config, offline=offline, overrides=overrides)
    row = row_of(market, wanted)
    decision = decide(config, market, registry()[config.strategy.name])
    explanation = explain(decision, market, legs_of(config), config.strategy.initial, row)
    if as_json:
        print(json.dumps({"strategy": config.strategy.name, **document(explanation)}, indent=2, allow_nan=False))
        return
    print(f"{config.name}{simulated(market.is_simulated)}")
    print("\n".join(lines(explanation)))


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
