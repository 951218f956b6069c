"""Puts a Market together: fetch, check, align, convert to total return, add decisions and the T-bill rate.

The flow: config -> MARKET -> decision -> fills -> result -> metrics -> report.
Everything is refused or reported here, before a strategy sees it: what leaves has no gap, no jump, and one calendar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtest.data.calendar import range_around, session_closes, sessions_around
from backtest.data.checks import check_prices
from backtest.data.macro_source import load_series, series_notes
from backtest.data.meetings import scheduled_meetings
from backtest.data.period import check_start, last_session_of
from backtest.data.policy import load_policy_decisions, with_known_sessions
from backtest.data.rates import tbill_series
from backtest.data.sources import DataSource, Fetched, choose_source
from backtest.errors import DataError
from backtest.market import POLICY_COLUMNS, Floats, Market, Needs, Source

if TYPE_CHECKING:
    from backtest.config.fields import AnnualRate
    from backtest.config.models import Config

LONGEST_BETWEEN_DECISIONS = pd.Timedelta(days=63)
"""Scheduled decisions are at most nine weeks apart; a longer silence means that the table has ended."""


def load_market(config: Config, *, offline: bool = False, extra_tickers: Sequence[str] = ()) -> Market:
    """The Market a config asks for: its legs' tickers, its benchmarks', then `extra_tickers`, each once, in this order.

    It holds all history there is up to `data.end`, what lies before `data.start` as well (warm-up). Legs and
    benchmarks have a price on every session from start to end; an extra ticker may begin later.
    Raises DataError with one line for each fault of the data, NetworkError when a source does not answer (or, with
    `offline`, would have to be asked), ConfigError when `data.start` lies before the first price of what is traded.
    """
    data = config.data
    traded = traded_tickers(config)
    source = choose_source(data.prices, end=data.end, offline=offline)
    needs: Needs = getattr(config.strategy.params, "needs", Needs())
    fetched = source.prices(tuple(dict.fromkeys((*traded, *needs.tickers, *extra_tickers))))
    frames = _until(fetched, pd.Timestamp(data.end) if data.end else pd.Timestamp.max)
    span = _span(fetched)
    exchange = sessions_around(*span)
    notes = (*source.notes, *check_prices(frames, exchange))
    last = last_session_of(frames, traded, exchange, end=data.end)
    check_start(frames, traded, exchange[exchange <= last], start=data.start)
    closes = session_closes(*range_around(*span))
    decisions = load_policy_decisions()
    policy, policy_source = _policy(decisions, exchange, closes, last)
    series, series_sources = load_series(needs.series, data, exchange, closes, last, offline=offline)
    market = replace(
        _priced(frames, exchange, last, policy),
        is_simulated=source.is_simulated,
        sources=(*(_price_source(ticker, one) for ticker, one in fetched.items()), policy_source, *series_sources),
        notes=(*notes, *_policy_silence(policy, last), *series_notes(series, series_sources, last)),
        series=series,
        meetings=scheduled_meetings(decisions),
    )
    return market if data.tbill is None else with_tbill(market, data.tbill, source, start=data.start)


def with_tbill(
    market: Market, asked: Literal["irx", "fred"] | AnnualRate, source: DataSource, *, start: date
) -> Market:
    """The market with the T-bill rate that `data.tbill` asks for; see `tbill_series` for what it refuses."""
    tbill = tbill_series(asked, source, market.sessions, start=start)
    carried = tbill.source.carried_sessions
    counted = "1 session" if carried == 1 else f"{carried} sessions"
    note = f"The T-bill rate had no value on {counted}; the last published one was used."
    return replace(
        market,
        tbill=tbill.values,
        tbill_name=tbill.name,
        sources=(*market.sources, tbill.source),
        notes=(*market.notes, note) if carried else market.notes,
    )


def traded_tickers(config: Config) -> tuple[str, ...]:
    """Tickers that must have prices over the whole period: growth, small, then benchmarks; each once."""
    benchmarks = [benchmark for benchmark in config.benchmarks if isinstance(benchmark, str)]
    return tuple(dict.fromkeys((*config.legs.growth, *config.legs.small, *benchmarks)))


def _priced(
    frames: Mapping[str, pd.DataFrame], exchange: pd.DatetimeIndex, last: pd.Timestamp, policy: pd.DataFrame
) -> Market:
    """A Market of checked frames, from the first price of any ticker to the session `last`.

    Total-return prices: close = adj_close, open = open * adj_close / close. Yahoo's adjusted open has the factor of its
    close, so that a fill at it earns the day's dividend exactly once.
    """
    first = min(frame.index[0] for frame in frames.values())
    sessions = exchange[(exchange >= first) & (exchange <= last)]
    wide = {name: _wide(frames, name, sessions) for name in ("open", "close", "adj_close", "dividends", "splits")}

    def table(values: Floats) -> pd.DataFrame:
        return pd.DataFrame(values, index=sessions, columns=list(frames))

    return Market(
        open=table((wide["open"] * wide["adj_close"]) / wide["close"]),
        close=table(wide["adj_close"]),
        raw_open=table(wide["open"]),
        raw_close=table(wide["close"]),
        dividends=table(np.nan_to_num(wide["dividends"])),
        splits=table(np.nan_to_num(wide["splits"])),
        exchange_sessions=exchange,
        policy=policy,
    )


def _wide(frames: Mapping[str, pd.DataFrame], name: str, sessions: pd.DatetimeIndex) -> Floats:
    """One column of every frame side by side, shape (sessions, tickers); NaN before a ticker's first row."""
    values = np.full((len(sessions), len(frames)), np.nan)
    for place, frame in enumerate(frames.values()):
        # Checked: a row for every session of its life. So its rows up to the last session are the bottom of its column.
        known = frame[name].to_numpy(dtype=np.float64)[frame.index <= sessions[-1]]
        values[len(sessions) - len(known) :, place] = known
    return values


def _until(fetched: Mapping[str, Fetched], end: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """What each source gave up to `end`; what lies beyond is neither checked nor used."""
    frames = {ticker: one.values[one.values.index <= end] for ticker, one in fetched.items()}
    problems = [
        f"{ticker}: the first price is of {one.values.index.min():%Y-%m-%d}, after data.end ({end:%Y-%m-%d})"
        for ticker, one in fetched.items()
        if frames[ticker].empty
    ]
    if problems:
        raise DataError(*problems)
    return frames


def _span(fetched: Mapping[str, Fetched]) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day on which anything has a row, in whatever order the rows are."""
    indexes = [one.values.index for one in fetched.values()]
    return min(index.min() for index in indexes), max(index.max() for index in indexes)


def _policy(
    decisions: pd.DataFrame, exchange: pd.DatetimeIndex, closes: pd.DatetimeIndex, last: pd.Timestamp
) -> tuple[pd.DataFrame, Source]:
    """Decisions knowable at the close of `last`, and where they come from."""
    known = with_known_sessions(decisions, exchange, closes)
    used = known.loc[known["session"] <= last, list(POLICY_COLUMNS)].reset_index(drop=True)
    table = files("backtest.data").joinpath("policy_decisions.csv")
    first, final = (f"{decisions['date'].iloc[place]:%Y-%m-%d}" for place in (0, -1))
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    return used, Source("policy decisions", f"shipped table ({table.name})", len(decisions), first, final, digest)


def _policy_silence(policy: pd.DataFrame, last: pd.Timestamp) -> tuple[str, ...]:
    """A note when the table of decisions ends long before the market does."""
    if not len(policy) or last - policy["date"].iloc[-1] <= LONGEST_BETWEEN_DECISIONS:
        return ()
    day = f"{policy['date'].iloc[-1]:%Y-%m-%d}"
    return (f"The table of policy decisions ends on {day}; later decisions are not known here.",)


def _price_source(ticker: str, fetched: Fetched) -> Source:
    days = fetched.values.index
    return Source(ticker, fetched.location, len(days), f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}", fetched.sha256)
