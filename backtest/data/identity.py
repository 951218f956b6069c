"""What a market is, as one hash: equal whenever everything a run can depend on is equal, wherever it came from."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from backtest.data.sources import canonical_bytes
from backtest.market import PRICE_FRAMES, Market


def content_hash(market: Market) -> str:
    """sha256 of sessions, tickers, prices, dividends, splits, policy decisions, T-bill rate and macro series (with the
    calendar of meetings, which only they are read with).

    Not of where files lie, their names, notes or columns that no run reads. Numbers enter as little-endian float64,
    moments as ISO text, so that it is the same with every version of pandas. Of the exchange's calendar it takes what
    a run can depend on: all sessions up to the one after the last price.
    """
    digest = hashlib.sha256()

    def add(name: str, content: bytes) -> None:
        digest.update(f"{name}:{len(content)}\n".encode() + content)

    following = int(market.exchange_sessions.searchsorted(market.sessions[-1], side="right"))
    add("exchange sessions", _iso(market.exchange_sessions[: following + 1]))
    add("sessions", _iso(market.sessions))
    add("tickers", "\n".join(market.tickers).encode())
    add("periods per year", str(market.periods_per_year).encode())
    for name in PRICE_FRAMES:
        add(name, canonical_bytes(getattr(market, name).to_numpy(dtype=np.float64)))
    for name in sorted(market.policy.columns):
        add(f"policy {name}", _column(market.policy[name]))
    if market.tbill is not None:
        add("tbill", canonical_bytes(market.tbill.to_numpy(dtype=np.float64)))
    for name, one in sorted(market.series.items()):
        add(f"series {name}", str(one.holds_days).encode())
        for column in one.frame:
            add(f"series {name} {column}", _column(one.frame[column]))
    if market.series:
        published = market.meetings[market.meetings.year <= market.sessions[-1].year + 1]
        add("meetings", _iso(published))
    return digest.hexdigest()


def _column(values: pd.Series) -> bytes:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _iso(pd.DatetimeIndex(values))
    return canonical_bytes(values.to_numpy(dtype=np.float64))


def _iso(moments: pd.DatetimeIndex) -> bytes:
    return "\n".join(np.datetime_as_string(moments.to_numpy().astype("datetime64[s]"))).encode()
