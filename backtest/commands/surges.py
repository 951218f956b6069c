"""`backtest surges`: the best N-session gains, "best since", and what followed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backtest.commands.common import kind_of_data, load_all, placed
from backtest.commands.today import market_to_now, parsed, row_of
from backtest.errors import ConfigError
from backtest.market import Market
from backtest.now.surges import AFTER, AFTER_MONTHS, SurgeFound, gains, surge_at, surges
from backtest.signals.measures import closes
from backtest.text import plural


def print_surges(
    path: Path, overrides: Sequence[str], *, ticker: str, over: str | None, sessions: int, top: int, day: str | None,
    chart: Path | None, offline: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print the table; day: also the surge that ends on it."""
    if sessions < 1 or top < 1:
        raise ConfigError("--sessions, --top: expected whole numbers from 1 on")
    config = load_all([path], overrides)[0]
    with placed(path, overrides):
        _, market = market_to_now(config, offline=offline, overrides=overrides)
    for option, name in (("--ticker", ticker), ("--over", over)):
        if name is not None and name not in market.tickers:
            known = ", ".join(market.tickers)
            raise ConfigError(f"{option}: found {name[:20]!r}, expected a ticker of this config: {known}")
    after = AFTER_MONTHS if market.is_monthly else AFTER
    of, other = closes(market, ticker), None if over is None else closes(market, over)
    found = surges(market.sessions, of, other, sessions=sessions, top=top, after=after)
    values = gains(of, other, sessions)
    asked = None
    if day is not None:
        row = row_of(market, parsed(day))
        if np.isnan(values[row]):
            raise ConfigError(f"--day: {day}: no gain over {sessions} sessions is known then")
        asked = surge_at(market.sessions, of, other, values, row, after)
    if chart is not None:
        from backtest.now.plots import surge_chart

        surge_chart(chart, market.sessions, values, found, title=_title(ticker, over, sessions, market))
    if as_json:
        listed = {"ticker": ticker, "over": over, "sessions": sessions, "simulated": market.is_simulated,
                  "surges": [_surge_json(each) for each in found], "day": asked and _surge_json(asked)}  # fmt: skip
        print(json.dumps(listed, indent=2, allow_nan=False))
        return
    print(_title(ticker, over, sessions, market))
    print(f"{'ends':<12}{'gain':>8}  {'best since':<12}" + "".join(f"{f'+{n}':>9}" for n in after))
    for each in found:
        print(_line(each))
    if asked is not None:
        print(f"asked for:\n{_line(asked)}")
    if chart is not None:
        print(f"chart: {chart}")


def _title(ticker: str, over: str | None, sessions: int, market: Market) -> str:
    what = f"{ticker}{f' over {over}' if over else ''}"
    return f"Best gains of {what} over {plural(sessions, market.row)}{kind_of_data(market)}, points"


def _line(surge: SurgeFound) -> str:
    since = "ever" if surge.best_since is None else f"{surge.best_since:%Y-%m-%d}"
    after = "".join(f"{'':>9}" if gain is None else f"{100 * gain:>+9.1f}" for gain in surge.after.values())
    return f"{surge.day:%Y-%m-%d}  {100 * surge.gain:>+8.1f}  {since:<12}{after}"


def _surge_json(surge: SurgeFound) -> dict[str, Any]:
    return {
        "day": f"{surge.day:%Y-%m-%d}",
        "gain": surge.gain,
        "best_since": surge.best_since and f"{surge.best_since:%Y-%m-%d}",
        "after": {str(count): gain for count, gain in surge.after.items()},
    }
