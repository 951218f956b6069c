"""The market up to now: what `signal` and `why` look at, whatever end a config has for its backtest."""

from __future__ import annotations

from backtest.config import Config
from backtest.data import load_market
from backtest.errors import DataError
from backtest.market import Market


def market_to_now(config: Config, *, offline: bool) -> tuple[Config, Market]:
    """The config without its end, and its market; with its end where files stop on different sessions without one."""
    if config.data.end is None:
        return config, load_market(config, offline=offline)
    open_ended = config.model_copy(update={"data": config.data.model_copy(update={"end": None})})
    try:
        return open_ended, load_market(open_ended, offline=offline)
    except DataError:
        return config, load_market(config, offline=offline)
