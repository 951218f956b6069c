"""`backtest signal`: what would I hold at the next open, and what would I have to trade?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from backtest.account.plan import Terms
from backtest.account.sizing import trade_sizes
from backtest.commands.load import load_all
from backtest.commands.now import market_to_now, series_ages, warn
from backtest.config import Config
from backtest.decision import target_weights
from backtest.errors import ConfigError
from backtest.market import Floats, Market
from backtest.pipeline import decide, legs_of
from backtest.result import holding_words
from strategies import REGISTRY

CHANGED = 10
"""Exit code when the target changed with the last session."""

CASH = "cash"


def signal(path: Path, overrides: Sequence[str], holding: str | None, *, offline: bool, as_json: bool) -> int:
    """Print the target after the last close; returns the exit code, CHANGED or 0."""
    config = load_all([path], overrides)[0]
    held = None if holding is None else parse_holding(holding, legs_of(config).tickers)
    config, market = market_to_now(config, offline=offline, overrides=overrides)
    found = target(config, market, held, today=date.today())
    for age in series_ages(market):
        if age.is_stale:
            warn(age.words)
    if as_json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        _tell(config, market, found, held is not None)
    return CHANGED if found["changed"] else 0


def target(config: Config, market: Market, held: Mapping[str, float] | None, *, today: date) -> dict[str, Any]:
    """The document of the command. held: shares by ticker and `cash` in USD; None: no orders are worked out."""
    legs = legs_of(config)
    decision = decide(config, market, REGISTRY[config.strategy.name])
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
            raise ConfigError(f"--holding: found {name[:40]!r}, expected one of {', '.join((*tickers, CASH))}")
        if name in held:
            raise ConfigError(f"--holding: {name} stands twice, expected once")
        held[name] = number
    if sum(held.values()) <= 0:
        raise ConfigError("--holding: nothing is held, expected some shares or cash")
    return held


def _tell(config: Config, market: Market, found: Mapping[str, Any], has_holding: bool) -> None:
    simulated = " (SIMULATED DATA)" if market.is_simulated else ""
    age = found["data_age_days"]
    print(f"{config.name}{simulated}: after the close of {found['as_of']}, {age} day{'' if age == 1 else 's'} ago")
    weights = ", ".join(f"{ticker} {weight:.1%}" for ticker, weight in found["target_weights"].items())
    held = holding_words(legs_of(config), np.array(list(found["shares"].values())))
    print(f"  hold at the next open: {weights} ({held})")
    print(f"  {'CHANGED with this close' if found['changed'] else 'unchanged'}: {found['reason']}")
    for series in series_ages(market):
        print(f"  {series.words}")
    for order in found["orders"]:
        about = f"about {order['value_usd']:,.0f} USD"
        print(f"  {order['side']:<4} {order['shares']:>14,.4f} {order['ticker']:<5} {about}")
    if has_holding and not found["orders"]:
        print("  nothing to trade")
