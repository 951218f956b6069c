"""Puts a Market together: fetch, check, align, convert to total return, add decisions and the T-bill rate.

The flow: config -> MARKET -> decision -> fills -> result -> metrics -> report.
Everything is refused or reported here, before a strategy sees it: what leaves has no gap, no jump, and one calendar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

from backtest.config.fields import AnnualRate, Mix
from backtest.config.models import Config
from backtest.data.adjustment import as_traded, check_dividends
from backtest.data.between import check_between, cross_check
from backtest.data.calendar import closed_on, months_around, range_around, session_closes, sessions_around
from backtest.data.checks import LARGEST_DAILY_LOG_RETURN, check_prices
from backtest.data.choice import choose_source
from backtest.data.clocks import Rule
from backtest.data.frames import Frames, observed_from
from backtest.data.layouts import Adjusted, Stated
from backtest.data.macro import Observed
from backtest.data.macro_checks import check_rate
from backtest.data.macro_source import choose_macro, load_series, series_notes
from backtest.data.period import check_start, last_session_of, with_late_starts
from backtest.data.policy import (
    LOWER,
    UPPER,
    check_later_range,
    check_meetings,
    later_decisions,
    load_policy_decisions,
    policy_since_1953,
    scheduled_meetings,
    with_known_sessions,
)
from backtest.data.rates import tbill_series
from backtest.data.sources import DataSource, Fetched
from backtest.errors import DataError
from backtest.market import POLICY_COLUMNS, Floats, Market, Needs, Source
from backtest.units import MONTHS_PER_YEAR, SESSIONS_PER_YEAR

LEAST_BESIDE_DELAY = 2
"""Sessions of a test beside the delay: one to decide at, one to be worth something at."""

LONGEST_BETWEEN_DECISIONS = pd.Timedelta(days=63)
"""Scheduled decisions are at most nine weeks apart; a longer silence means that the table has ended."""


def load_market(
    config: Config,
    *,
    offline: bool = False,
    extra_tickers: Sequence[str] = (),
    extra_series: Sequence[str] = (),
    source: DataSource | None = None,
    to_common: bool = False,
) -> Market:
    """The Market a config asks for: its legs' tickers, its benchmarks', then `extra_tickers`, each once, in this order.

    Parameters
    ----------
    config : Config
        What to test.
    offline : bool
        Never touch the network.
    extra_tickers : sequence of str
        May begin later than the others.
    extra_series : sequence of str
        Macro observations beside those that the strategy needs.
    source : DataSource, optional
        Take the data from here instead of from where the config says.
    to_common : bool
        Without `data.end`, tickers may end on different sessions, and the market ends on the last that all have;
        `Market.sources` tells where each ends.

    Returns
    -------
    Market
        All history up to `data.end`, what lies before `data.start` as well (warm-up). A leg or a benchmark may begin
        after `data.start`, which a note says.

    Raises
    ------
    DataError
        With one line for each fault of the data.
    NetworkError
        When a source does not answer or, with `offline`, would have to be asked.
    ConfigError
        When `data.start` lies before the first price of all that is traded.
    """
    closed = config.data.closed
    with closed_on(closed):
        market = _loaded(config, source, extra_tickers, extra_series, offline=offline, to_common=to_common)
    if not closed:
        return market
    days = ", ".join(f"{day:%Y-%m-%d}" for day in closed)
    return replace(market, notes=(*market.notes, f"The exchange is taken as closed on {days}, as data.closed says."))


def _loaded(
    config: Config,
    source: DataSource | None,
    extra_tickers: Sequence[str],
    extra_series: Sequence[str],
    *,
    offline: bool,
    to_common: bool,
) -> Market:
    data, traded = config.data, traded_tickers(config)
    source = source or choose_source(
        data.prices, end=data.end, offline=offline, largest_daily_move=data.largest_daily_move
    )
    needs: Needs = getattr(config.strategy.params, "needs", Needs())
    named = tuple(name for name in needs.tickers if name not in config.legs)  # a name that is both is the leg
    tickers = tuple(dict.fromkeys((*traded, *named, *extra_tickers)))
    judged = _judged(source, tickers, traded, data.end, data.largest_daily_move, to_common=to_common)
    least = LEAST_BESIDE_DELAY + config.execution.delay_sessions
    check_start(judged.frames, traded, judged.exchange[judged.exchange <= judged.last], start=data.start, least=least)
    if config.execution.accounting == "raw":
        _check_raw({ticker: judged.fetched[ticker] for ticker in traded}, judged.frames, start=data.start)
    names = tuple(dict.fromkeys((*needs.series, *extra_series)))
    fetch = choose_macro(data, offline=offline)
    market = _market(source, judged, needs.meetings, names, fetch, _compared(judged.frames, config))
    market = with_late_starts(market, traded, data.start)
    return market if data.tbill is None else with_tbill(market, data.tbill, source, start=data.start)


def market_from(
    frames: Mapping[str, pd.DataFrame | pd.Series] | pd.DataFrame,
    *,
    adjusted: Adjusted | None = None,
    columns: Mapping[str, str] | None = None,
    tbill: float | pd.Series | None = None,
    series: Mapping[str, pd.DataFrame | pd.Series] | None = None,
    known: Mapping[str, Rule] | None = None,
    end: date | str | None = None,
    largest_daily_move: float = LARGEST_DAILY_LOG_RETURN,
) -> Market:
    """A Market from DataFrames for `run(config, market=...)`, checked as a folder of files is.

    Parameters
    ----------
    frames : dict of str to DataFrame or Series, or DataFrame
        By ticker, each by day with columns as files have them (`Open`, `Adj Close`, ...), or a Series of closes; or one
        frame: a column of closes for each ticker, or two levels of columns as yfinance's `download` gives them.
    adjusted : str, optional
        What a close without an adjusted one is: `total_return`, `splits_only` or `tape`.
    columns : dict of str to str, optional
        The house's name of a column -> theirs.
    tbill : float or Series, optional
        A yield a year as a fraction, or the 13-week discount rate in percent by day.
    series : dict of str to DataFrame or Series, optional
        Macro observations by name: `value` by day, and `known_at` where they have moments of their own.
    known : dict of str to rule, optional
        When each becomes known, such as `next_business_day` or `("month", 5)`; an id of FRED needs none.
    end : date or str, optional
        The last day that is used.
    largest_daily_move : float
        The log return beyond which a price is a fault.

    Returns
    -------
    Market

    Raises
    ------
    DataError
        With one line for each fault of the data.
    """
    if not isinstance(tbill, pd.Series | None) and not -0.05 <= tbill <= 0.5:
        raise DataError(f"market_from: tbill: found {tbill:g}, expected a yield as a fraction, such as 0.02")
    source = Frames(frames, Stated(adjusted, columns or {}), tbill if isinstance(tbill, pd.Series) else None)
    until = None if end is None else pd.Timestamp(end).date()
    judged = _judged(source, source.tickers, source.tickers, until, largest_daily_move, to_common=True)
    fetch = lambda name: observed_from((series or {})[name], name, (known or {}).get(name))  # noqa: E731
    market = _market(source, judged, (), tuple(series or ()), fetch, ())
    if tbill is None:
        return market
    asked = AnnualRate(annual=float(tbill)) if not isinstance(tbill, pd.Series) else "irx"
    return with_tbill(market, asked, source, start=market.sessions[-1].date())


class _Judged(NamedTuple):
    """fetched: as the source gave it; frames: up to the end, checked; exchange, closes: its calendar around them.

    last: the market's last session.
    """

    fetched: dict[str, Fetched]
    frames: dict[str, pd.DataFrame]
    exchange: pd.DatetimeIndex
    closes: pd.DatetimeIndex
    last: pd.Timestamp
    notes: tuple[str, ...]


def _judged(
    source: DataSource,
    tickers: Sequence[str],
    traded: Sequence[str],
    end: date | None,
    largest_move: float,
    *,
    to_common: bool,
) -> _Judged:
    fetched = source.prices(tickers)
    frames = _until(fetched, pd.Timestamp(end) if end else pd.Timestamp.max)
    span = _span(fetched)
    if source.is_monthly:  # its own files were checked; a month may do what no session may
        exchange, closes = months_around(*span)
        last = last_session_of(frames, traded, exchange, end=end, to_common=to_common)
        return _Judged(fetched, frames, exchange, closes, last, source.notes)
    exchange, closes = sessions_around(*span), session_closes(*range_around(*span))
    adjusted = {ticker for ticker, one in fetched.items() if one.is_total_return}
    layouts = (f"{ticker} {note}." for ticker, one in fetched.items() for note in one.notes)
    found = check_prices(frames, exchange, largest_move, adjusted)
    between = () if source.is_simulated else check_between(frames)
    last = last_session_of(frames, traded, exchange, end=end, to_common=to_common)
    return _Judged(fetched, frames, exchange, closes, last, (*source.notes, *_together(layouts), *found, *between))


def _together(notes: Iterable[str]) -> Iterator[str]:
    """Join equal notes: `IWM, QQQ: each ...`."""
    tickers: dict[str, list[str]] = {}
    for note in notes:
        ticker, _, text = note.partition(" ")
        tickers.setdefault(text, []).append(ticker)
    yield from (f"{', '.join(names)}: {'each ' if len(names) > 1 else ''}{text}" for text, names in tickers.items())


def _market(
    source: DataSource,
    judged: _Judged,
    meetings: Sequence[date],
    names: tuple[str, ...],
    fetch: Callable[[str], Observed],
    compared: Iterable[str],
) -> Market:
    """The market of what was judged, with the series `names` that `fetch` gives."""
    frames, fetched, last = judged.frames, judged.fetched, judged.last
    decisions, policy_sources = _decisions(source, last)
    check_meetings(meetings, scheduled_meetings(decisions))
    known = with_known_sessions(decisions, judged.exchange, judged.closes)
    policy = known.loc[known["session"] <= last, list(POLICY_COLUMNS)].reset_index(drop=True)
    raw = {ticker: as_traded(frames[ticker], one.values) for ticker, one in fetched.items()}
    beside = {} if source.is_monthly or source.is_simulated else frames
    series, series_sources, clock_notes = load_series(names, fetch, judged.exchange, judged.closes, last, beside)
    prices = (one.source(ticker, frames[ticker]) for ticker, one in fetched.items())
    silence = (*_policy_silence(decisions, last), *series_notes(series, series_sources, last))
    priced = _priced(frames, raw, judged.exchange, last, policy)
    if source.is_monthly:  # to the bit: an open is the close before
        priced = replace(priced, open=priced.raw_open)
    return replace(
        priced,
        is_simulated=source.is_simulated,
        periods_per_year=MONTHS_PER_YEAR if source.is_monthly else SESSIONS_PER_YEAR,
        sources=(*prices, *policy_sources, *series_sources),
        notes=(*judged.notes, *compared, *silence, *clock_notes),
        series=series,
        meetings=scheduled_meetings(decisions),
    )


def _check_raw(fetched: Mapping[str, Fetched], frames: Mapping[str, pd.DataFrame], *, start: date) -> None:
    """Raise DataError where raw accounting has no raw prices, or not all dividends."""
    blind = [ticker for ticker, one in fetched.items() if one.is_total_return]
    if blind:
        raise DataError(f"{', '.join(blind)}: execution.accounting: raw needs prices without dividends in them and "
                        "the dividends; these files have prices that include them: use total_return")  # fmt: skip
    check_dividends({ticker: frames[ticker] for ticker in fetched}, start=start)


def with_tbill(market: Market, asked: str | AnnualRate, source: DataSource, *, start: date) -> Market:
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
        notes=(*market.notes, *tbill.notes, *((note,) if carried else ())),
    )


def traded_tickers(config: Config) -> tuple[str, ...]:
    """Tickers that must have prices up to the end: those of the legs, then benchmarks; each once."""
    benchmarks: list[str] = []
    for each in config.benchmarks:
        if isinstance(each, Mix):
            benchmarks += [str(name) for name in each.mix if name not in config.legs]
        elif isinstance(each, str):
            benchmarks.append(each)
    return tuple(dict.fromkeys((*config.tickers, *benchmarks)))


def _priced(
    frames: Mapping[str, pd.DataFrame],
    raw: Mapping[str, pd.DataFrame],
    exchange: pd.DatetimeIndex,
    last: pd.Timestamp,
    policy: pd.DataFrame,
) -> Market:
    """A Market of checked frames, from the first price of any ticker to the session `last`.

    Total-return prices: close = adj_close, open = open * adj_close / close. Yahoo's adjusted open has the factor of its
    close, so that a fill at it earns the day's dividend exactly once.
    """
    first = min(frame.index[0] for frame in frames.values())
    sessions = exchange[(exchange >= first) & (exchange <= last)]
    wide = {name: _wide(frames, name, sessions) for name in ("open", "close", "adj_close")}
    traded = {name: _wide(raw, name, sessions) for name in ("open", "close", "dividends", "splits")}

    def table(values: Floats) -> pd.DataFrame:
        return pd.DataFrame(values, index=sessions, columns=list(frames))

    return Market(
        open=table((wide["open"] * wide["adj_close"]) / wide["close"]),
        close=table(wide["adj_close"]),
        raw_open=table(traded["open"]),
        raw_close=table(traded["close"]),
        dividends=table(np.nan_to_num(traded["dividends"])),
        splits=table(np.nan_to_num(traded["splits"])),
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


def _decisions(source: DataSource, last: pd.Timestamp) -> tuple[pd.DataFrame, tuple[Source, ...]]:
    """All decisions up to `last`: the shipped table, and after it what the source has of the target range.

    A market of months goes back before the first announced decision: the changes of the discount rate stand before it.
    """
    decisions = policy_since_1953() if source.is_monthly else load_policy_decisions()
    table = files("backtest.data").joinpath("policy_decisions.csv")
    first, final = (f"{decisions['date'].iloc[place]:%Y-%m-%d}" for place in (0, -1))
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    shipped = Source("policy decisions", f"shipped table ({table.name})", len(decisions), first, final, digest)
    if last <= decisions["date"].iloc[-1] or not source.has_target_range:
        return decisions, (shipped,)
    ranges = {name: source.rate(name) for name in (UPPER, LOWER)}
    for name, one in ranges.items():
        check_rate(name, one.values["value"], one.location)
    check_later_range(ranges[UPPER].values["value"], ranges[LOWER].values["value"], decisions, ranges[UPPER].location)
    # What takes effect on the day after the last session was announced on it.
    upper, lower = (one.values["value"][: last + pd.Timedelta(days=1)] for one in ranges.values())
    used = [one.source(name, one.values[: last + pd.Timedelta(days=1)]) for name, one in ranges.items()]
    return later_decisions(decisions, upper, lower), (shipped, *used)


def _compared(frames: Mapping[str, pd.DataFrame], config: Config) -> tuple[str, ...]:
    """Notes on where a second source disagrees, when the config names one."""
    given = config.data.cross_check
    if config.data.prices.source == "french":
        from backtest.data.french.beside import beside_funds

        return tuple(beside_funds(frames, given.folder if given else None))
    if given is None:
        return ()
    return cross_check(frames, given)[1]


def _policy_silence(policy: pd.DataFrame, last: pd.Timestamp) -> tuple[str, ...]:
    """A note when the table of decisions ends long before the market does."""
    if not len(policy) or last - policy["date"].iloc[-1] <= LONGEST_BETWEEN_DECISIONS:
        return ()
    day = f"{policy['date'].iloc[-1]:%Y-%m-%d}"
    return (f"The table of policy decisions ends on {day}; later decisions are not known here.",)
