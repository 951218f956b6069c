"""From when to when the data allow a backtest: no ticker may begin late or end early in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from backtest.errors import ConfigError, DataError
from backtest.market import Market, first_rows
from backtest.text import listed


def last_session_of(
    frames: Mapping[str, pd.DataFrame],
    traded: Sequence[str],
    exchange: pd.DatetimeIndex,
    *,
    end: date | None,
    to_common: bool = False,
) -> pd.Timestamp:
    """The market's last session: the last one up to `end`, or without it the one on which all traded tickers end.

    frames: checked, ascending. Raises DataError for every ticker whose prices stop before it, and without `end` when
    the traded ones stop on different sessions: which was meant is not for a program to guess. to_common: without `end`,
    the last session that all frames have, instead.
    """
    lasts = {ticker: pd.Timestamp(frame.index[-1]) for ticker, frame in frames.items()}
    if end is None and to_common:
        return min(lasts.values())
    if end is not None:
        last = pd.Timestamp(exchange[exchange <= pd.Timestamp(end)][-1])
        wanted = f"data.end ({end:%Y-%m-%d})"
    else:
        last = min(lasts[ticker] for ticker in traded)
        wanted = f"that of {traded[0]} ({last:%Y-%m-%d})"
        if any(lasts[ticker] > last for ticker in traded):
            ends = ", ".join(f"{ticker} {lasts[ticker]:%Y-%m-%d}" for ticker in traded)
            raise DataError(f"prices end on different sessions: {ends}; set data.end to {last:%Y-%m-%d} or bring the "
                            "others up to date")  # fmt: skip
    short = [ticker for ticker in frames if lasts[ticker] < last]
    if short:
        reach = min(lasts.values())
        raise DataError(*(f"{ticker}: the last price is of {lasts[ticker]:%Y-%m-%d}, before {wanted}; bring it up to "
                          f"date or set data.end to {reach:%Y-%m-%d}" for ticker in short))  # fmt: skip
    return last


def check_start(
    frames: Mapping[str, pd.DataFrame],
    traded: Sequence[str],
    sessions: pd.DatetimeIndex,
    *,
    start: date,
    least: int = 2,
) -> None:
    """Raise ConfigError unless `least` sessions >= `start` exist and some traded ticker has a price on the first one.

    sessions: the exchange's, up to the market's last. Whether the rule can do without those that begin later is seen
    when it has decided (`check_listed`).
    """
    period = sessions[sessions >= pd.Timestamp(start)]
    if len(period) < least:
        last = f"{sessions[-1]:%Y-%m-%d}"
        raise ConfigError(
            f"data.start: found {start}, expected a date with {least} sessions from it to the last, {last}"
        )
    firsts = {ticker: pd.Timestamp(frames[ticker].index[0]) for ticker in traded}
    earliest = min(traded, key=lambda ticker: firsts[ticker])
    if firsts[earliest] > period[0]:
        raise ConfigError(f"data.start: found {start}, before the first price of {earliest}; expected "
                          f"{firsts[earliest]:%Y-%m-%d} or later")  # fmt: skip


def with_late_starts(market: Market, tickers: Sequence[str], start: date) -> Market:
    """The market with a note on those of its tickers whose prices begin after the test does."""
    begin = int(market.sessions.searchsorted(pd.Timestamp(start)))
    tickers = [ticker for ticker in tickers if ticker in market.tickers]
    rows = first_rows(market, tickers)
    late = [f"{t} begins on {market.sessions[r]:%Y-%m-%d}" for t, r in zip(tickers, rows, strict=True)
            if begin < r < len(market.sessions)]  # fmt: skip
    if not late:
        return market
    note = (f"{listed(late)}, after the test: no leg with it is held before, a benchmark of it waits in cash, and in a "
            "mix its weight goes to the others until then.")  # fmt: skip
    return market if note in market.notes else replace(market, notes=(*market.notes, note))
