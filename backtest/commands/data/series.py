"""What a user may write for series of the store, and what a config needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from backtest.commands.common import load_all
from backtest.config import Config
from backtest.data.assemble import traded_tickers
from backtest.data.futures import contracts_of
from backtest.data.policy import LOWER, UPPER, load_policy_decisions
from backtest.errors import ConfigError

PROVIDERS = ("yahoo", "fred", "french")
FUTURES = re.compile(r"(\d{4}-\d\d)(?:\.\.(\d{4}-\d\d))?")
CONFIG_SUFFIXES = (".yaml", ".yml")
TARGET_RANGE = (f"fred/{UPPER}", f"fred/{LOWER}")


def series_of(targets: Sequence[str]) -> list[str]:
    """`provider/name` of everything asked for, each once, in this order."""
    found: list[str] = []
    configs = [target for target in targets if Path(target).suffix in CONFIG_SUFFIXES]
    needed = {target: needs_of(config) for target, config in zip(configs, load_all([Path(c) for c in configs], []),
                                                                 strict=True)}  # fmt: skip
    for target in targets:
        found += needed[target] if target in needed else _named(target)
    return list(dict.fromkeys(found))


def needs_of(config: Config) -> list[str]:
    """The series that a config takes from the store; none when its prices are not from there."""
    if config.data.prices.source != "yahoo":
        return []
    rates = {"irx": ["yahoo/^IRX"], "fred": ["fred/DTB3"]}
    tbill = config.data.tbill
    needed = [f"yahoo/{ticker}" for ticker in traded_tickers(config)]
    shipped = load_policy_decisions()["date"].iloc[-1]
    ends_later = config.data.end is None or pd.Timestamp(config.data.end) > shipped
    return [*needed, *(rates[tbill] if isinstance(tbill, str) else []), *(TARGET_RANGE if ends_later else ())]


def _named(target: str) -> list[str]:
    """QQQ, yahoo:QQQ, yahoo/QQQ, fred:DTB3, futures:2025-01..2025-12."""
    provider, colon, name = target.replace("/", ":", 1).partition(":")
    if not colon:
        return [f"yahoo/{target}"]
    if provider == "futures":
        months = FUTURES.fullmatch(name)
        if months is None:
            raise ConfigError(f"{target}: expected months of delivery such as futures:2025-01..2026-12")
        first, last = (pd.Period(month, freq="M") for month in (months[1], months[2] or months[1]))
        return [f"yahoo/{contract}" for contract in contracts_of(first, last)]
    if provider not in PROVIDERS or not name:
        raise ConfigError(f"{target}: expected a config, a ticker, or a series such as fred:DTB3 or "
                          "french:6_Portfolios_2x3")  # fmt: skip
    return [f"{provider}/{name}"]
