"""`backtest why`: the rule of a config at one close, with every value, threshold and distance to a flip."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from backtest.commands.load import load_all
from backtest.commands.now import market_to_now, warn
from backtest.errors import ConfigError, DataError
from backtest.market import Market
from backtest.now.why import document, explain, lines
from backtest.pipeline import decide, legs_of
from strategies import REGISTRY

LATEST = pd.Timedelta(days=7)
"""So long after the last session a day may be asked for: a weekend with its holidays."""


def why(path: Path, day: str | None, overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print why the config's strategy holds what it holds after the last close up to `day` (None: the last one)."""
    config = load_all([path], overrides)[0]
    wanted = None if day is None else parsed(day)
    config, market = market_to_now(config, offline=offline, overrides=overrides)
    row = row_of(market, wanted)
    decision = decide(config, market, REGISTRY[config.strategy.name])
    explanation = explain(decision, market, legs_of(config), config.strategy.initial, row)
    if as_json:
        print(json.dumps({"strategy": config.strategy.name, **document(explanation)}, indent=2, allow_nan=False))
        return
    print(f"{config.name}{' (SIMULATED DATA)' if market.is_simulated else ''}")
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
