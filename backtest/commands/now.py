"""The market up to now: what `signal` and `why` look at, whatever end a config has for its backtest."""

from __future__ import annotations

import sys
from collections.abc import Sequence

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


def warn(text: str) -> None:
    """A line on stderr, which leaves what a script reads as it is."""
    print(f"warning: {text}", file=sys.stderr)
