"""Market: everything that is known, on one calendar of sessions; and Legs, the baskets one rotates between.

The flow: config -> MARKET -> decision -> fills -> result -> metrics -> report.
Row t of anything here is knowable at the close of t. A signal reads a Market and nothing else, so that cutting a
Market (`until`) or poisoning what comes later is a complete test of look-ahead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import RunError
from backtest.series import PointInTime
from backtest.text import of_months
from backtest.units import MONTHS_PER_YEAR, SESSIONS_PER_YEAR

Floats = npt.NDArray[np.float64]

POLICY_COLUMNS = ("announced_at", "date", "scheduled", "lower", "upper", "change_bps", "session")
"""Columns of `Market.policy`; `session` is the first one whose close may use the decision."""


Basket = Mapping[str, float]
"""Ticker -> weight, each above 0; together at most 1, the rest is cash."""

CASH = "cash"
"""What no leg may be called: the part of the whole that is in none."""


@dataclass(frozen=True)
class Between:
    """Shares of legs on the way between two portfolios: the compact form of a decision between two things.

    Attributes
    ----------
    part : ndarray of float, shape (sessions,)
        In [0, 1]: 0 is `low`, 1 is `high`; NaN while not known.
    low, high : ndarray of float, shape (legs,)
        Shares by leg; what they lack of 1 is cash.
    """

    part: Floats
    low: Floats
    high: Floats

    def array(self) -> Floats:
        """The shares by session and leg.

        Returns
        -------
        ndarray of float, shape (sessions, legs)
            A row of NaN where `part` is NaN.
        """
        return np.asarray(self.part[:, None] * self.high + (1.0 - self.part)[:, None] * self.low, dtype=np.float64)


@dataclass(frozen=True)
class Legs:
    """Baskets of tickers by name, in the order in which the config names them.

    Parameters
    ----------
    baskets : dict of str to dict of str to float
        Name -> ticker -> weight. The weights of one leg sum to at most 1, the rest of it is cash; a ticker may stand in
        several. Default: growth (QQQ, IVW) and small (IWM, IWN), half each.
    labels : dict of str to str
        What pages call a leg, where that is not its name.
    """

    baskets: Mapping[str, Basket] = field(
        default_factory=lambda: {"growth": {"QQQ": 0.5, "IVW": 0.5}, "small": {"IWM": 0.5, "IWN": 0.5}}
    )
    labels: Mapping[str, str] = field(default_factory=lambda: {"small": "small caps"})

    def __getitem__(self, name: str) -> Basket:
        """The basket of a leg."""
        return self.baskets[name]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The legs in order; the first is the initial holding unless the config says otherwise."""
        return tuple(self.baskets)

    @cached_property
    def tickers(self) -> tuple[str, ...]:
        """Every ticker once, by leg: the order of the books."""
        return tuple(dict.fromkeys(ticker for basket in self.baskets.values() for ticker in basket))

    @cached_property
    def has_shared_tickers(self) -> bool:
        """Does a ticker stand in several legs?"""
        return sum(map(len, self.baskets.values())) > len(self.tickers)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells them from other legs, for a memo."""
        return tuple((name, tuple(basket.items())) for name, basket in self.baskets.items())

    def label(self, name: str) -> str:
        """What a page calls a leg.

        Parameters
        ----------
        name : str
            Of the leg.

        Returns
        -------
        str
            Its label, or its name when it has none.
        """
        return self.labels.get(name, name)

    @cached_property
    def labelled(self) -> dict[str, str]:
        """Name -> what a page calls it, in order."""
        return {name: self.label(name) for name in self.names}

    def alone(self, name: str) -> Floats:
        """The shares of everything in one leg.

        Parameters
        ----------
        name : str
            Of the leg, or `cash`.

        Returns
        -------
        ndarray of float, shape (legs,)
            1 at that leg and 0 elsewhere; zeros for `cash` and for a name that is no leg.
        """
        return np.array([float(each == name) for each in self.names])

    def between(self, otherwise: str, hold: str, leans: Floats) -> Between:
        """Between two legs: all of `hold` where `leans` is 1, all of `otherwise` where it is 0.

        Parameters
        ----------
        otherwise, hold : str
            Names of legs, or `cash`.
        leans : ndarray of float, shape (sessions,)
            In [0, 1]; NaN while not known.

        Returns
        -------
        Between
            For `Decision`.
        """
        return Between(leans, self.alone(otherwise), self.alone(hold))

    def matrix(self, tickers: tuple[str, ...]) -> Floats:
        """Weights of the tickers inside each leg.

        Parameters
        ----------
        tickers : tuple of str
            The columns.

        Returns
        -------
        ndarray of float, shape (legs, tickers)
            0 where a leg does not hold a ticker.
        """
        return np.array([[basket.get(t, 0.0) for t in tickers] for basket in self.baskets.values()])

    def weights(self, tickers: tuple[str, ...], shares: Floats) -> Floats:
        """Target weights of tickers from shares of legs.

        Parameters
        ----------
        tickers : tuple of str
            The columns.
        shares : ndarray of float, shape (sessions, legs)
            Of the whole; NaN stays NaN.

        Returns
        -------
        ndarray of float, shape (sessions, tickers)

        Notes
        -----
        Added leg by leg, in order: a matrix product's last bit would depend on the processor.
        """
        total = np.zeros((len(shares), len(tickers)))
        for share, inside in zip(shares.T, self.matrix(tickers), strict=True):
            total += share[:, None] * inside
        return total


@dataclass(frozen=True, slots=True)
class Needs:
    """What a strategy reads beside the prices of its legs; `Params.needs` returns one.

    Parameters
    ----------
    tickers : tuple of str
        Without a place in a leg.
    series : tuple of str
        Names of macro observations.
    meetings : tuple of date
        Days that it names as those of meetings; each must be a scheduled one.
    """

    tickers: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    meetings: tuple[date, ...] = ()

    def __or__(self, other: Needs) -> Needs:
        """Both, each name once, in order."""
        return Needs(
            tuple(dict.fromkeys((*self.tickers, *other.tickers))),
            tuple(dict.fromkeys((*self.series, *other.series))),
            tuple(dict.fromkeys((*self.meetings, *other.meetings))),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Where one series came from, for the manifest and the report's last section."""

    name: str
    location: str
    rows: int
    first: str
    last: str
    sha256: str
    carried_sessions: int = 0
    """Sessions without a published value, on which the last one was used (step series only; 0 for prices)."""
    snapshot: str = ""
    """sha256 of the whole file or stored snapshot; `sha256` is that of the values up to the market's last session."""
    clock: str = ""
    """When its values became known, in words; empty for prices, which are known at their close."""


T = TypeVar("T")

MOST_REMEMBERED_BYTES = 64 << 20
"""Of one Market's memo: some 1,200 series of 25 years."""


class Memo:
    """Signals computed once per Market, by what they were asked with; the oldest make room for new ones.

    Belongs to one Market: a cut or changed one (`until`, `dataclasses.replace`) begins with an empty memo of its own,
    so that nothing learnt from a longer history can reach a shorter one. Arrays become read-only: what one strategy
    was given, another will be given too. Deep copies and pickles are empty.
    """

    __slots__ = ("_bytes", "_known")

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._bytes = 0

    def __reduce__(self) -> tuple[type[Memo], tuple[()]]:
        return (Memo, ())

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of `key`, computed on first use; it needs an attribute `nbytes`, its size."""
        try:
            known: T = self._known[key]
        except KeyError:
            known = compute()
            if isinstance(known, np.ndarray):
                known.setflags(write=False)
            self._keep(key, known)
        return known

    def _keep(self, key: Hashable, value: Any) -> None:
        self._bytes += int(value.nbytes)
        while self._known and self._bytes > MOST_REMEMBERED_BYTES:
            oldest = self._known.pop(next(iter(self._known)), None)
            self._bytes -= 0 if oldest is None else int(oldest.nbytes)
        self._known[key] = value


@dataclass(frozen=True, slots=True)
class Market:
    """Everything that is known, on the sessions of one exchange; row t of anything is knowable at the close of t.

    Attributes
    ----------
    open, close : DataFrame, sessions x tickers
        Total-return prices; NaN before a ticker's first session and nowhere else. A dividend is earned once, between
        the close before its ex-date and the open of that date.
    raw_open, raw_close : DataFrame, sessions x tickers
        Prices as they stood on the tape that day, before any later split.
    dividends, splits : DataFrame, sessions x tickers
        USD per share of that day, on the ex-date; ratios, 0.0 where there is none.
    exchange_sessions : DatetimeIndex
        The exchange's own calendar, from before the first price to after the last one. It is published in advance, so
        that its future is not a look-ahead.
    policy : DataFrame
        FOMC decisions (`POLICY_COLUMNS`), those before the first price included.
    tbill : Series or None
        13-week bank discount rate as a fraction, known at the close of each session; None: no rate was asked for.
    periods_per_year : int
        252 for sessions, 12 for a monthly market: what annualises.
    notes : tuple of str
        What a reader of the report must be told about these data, one sentence each.
    series : dict of str to PointInTime
        Macro observations by name (`DGS2`, `cpi`, `zq`, ...), those that the strategy needs.
    meetings : DatetimeIndex
        Last days of the Federal Reserve's scheduled meetings. Their calendar is published in advance, so that it
        reaches beyond the last session; a signal may use it up to the end of the year after its own.
    memo : Memo
        Signals computed from this very Market, so that many variants share them.
    """

    open: pd.DataFrame
    close: pd.DataFrame
    raw_open: pd.DataFrame
    raw_close: pd.DataFrame
    dividends: pd.DataFrame
    splits: pd.DataFrame
    exchange_sessions: pd.DatetimeIndex
    policy: pd.DataFrame
    tbill: pd.Series | None = None
    tbill_name: str = "none"
    periods_per_year: int = SESSIONS_PER_YEAR
    is_simulated: bool = False
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    series: Mapping[str, PointInTime] = field(default_factory=dict)
    meetings: pd.DatetimeIndex = field(default_factory=lambda: pd.DatetimeIndex([]))
    memo: Memo = field(default_factory=Memo, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What annualises, blocks and counts knows two kinds of row; a third would err without a word."""
        if self.periods_per_year not in (SESSIONS_PER_YEAR, MONTHS_PER_YEAR):
            raise RunError(
                f"periods_per_year: found {self.periods_per_year}, expected {SESSIONS_PER_YEAR} (a row is a session) "
                f"or {MONTHS_PER_YEAR} (a row is a month)"
            )

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """NYSE sessions with prices, tz-naive, ascending."""
        index = self.close.index
        return index if isinstance(index, pd.DatetimeIndex) else pd.DatetimeIndex(index)

    @property
    def tickers(self) -> tuple[str, ...]:
        """Names of the price columns."""
        return tuple(str(t) for t in self.close.columns)

    @property
    def is_monthly(self) -> bool:
        """Whether a row is a month: paper portfolios, whose open is the close of the month before."""
        return self.periods_per_year == MONTHS_PER_YEAR

    @property
    def row(self) -> str:
        """What a row is, in a word: `session`, or `month`."""
        return "month" if self.is_monthly else "session"

    def words(self, text: str) -> str:
        """What is said of sessions, said of months where a row is one."""
        return of_months(text) if self.is_monthly else text

    def until(self, session: pd.Timestamp) -> Market:
        """The Market as it was known at the close of `session`.

        Parameters
        ----------
        session : Timestamp
            The last one that is kept.

        Returns
        -------
        Market
            Nothing later remains, in no field.
        """
        prices = {name: getattr(self, name).loc[:session] for name in PRICE_FRAMES}
        return dataclasses.replace(
            self,
            **prices,
            policy=self.policy[self.policy["session"] <= session],
            tbill=None if self.tbill is None else self.tbill.loc[:session],
            series={name: one.until(session) for name, one in self.series.items()},
        )

    def observed(self, name: str) -> PointInTime:
        """The macro observations of that name.

        Parameters
        ----------
        name : str
            As the strategy's `needs` have it.

        Returns
        -------
        PointInTime

        Raises
        ------
        RunError
            When the market was loaded without them.
        """
        if name not in self.series:
            have = ", ".join(self.series) or "none"
            raise RunError(f"series {name}: the market has no such observations (it has {have}); see data.macro")
        return self.series[name]

    def rows_of(self, sessions: pd.Series | pd.DatetimeIndex) -> npt.NDArray[np.int64]:
        """Row of each session on this market's clock.

        Parameters
        ----------
        sessions : Series or DatetimeIndex
            Dates of the exchange calendar.

        Returns
        -------
        ndarray of int64, shape (len(sessions),)
            0 is the first price, -1 the exchange session before it.

        Raises
        ------
        KeyError
            For a date that is no session of the exchange.
        """
        places = self.exchange_sessions.get_indexer(pd.DatetimeIndex(sessions))
        if (places < 0).any():
            raise KeyError(f"{pd.DatetimeIndex(sessions)[places < 0][0]:%Y-%m-%d} is not a session of the exchange")
        origin = int(self.exchange_sessions.get_indexer(self.sessions[:1])[0])
        return np.asarray(places - origin, dtype=np.int64)


PRICE_FRAMES = ("open", "close", "raw_open", "raw_close", "dividends", "splits")
"""Fields of a Market that are frames of sessions x tickers."""


def first_rows(market: Market, tickers: Sequence[str]) -> npt.NDArray[np.int64]:
    """Row of each ticker's first price, (tickers,); the number of sessions where it has none yet."""

    def found() -> npt.NDArray[np.int64]:
        has_price = ~np.isnan(market.close[list(tickers)].to_numpy(dtype=np.float64))
        return np.where(has_price.any(axis=0), has_price.argmax(axis=0), len(has_price)).astype(np.int64)

    return market.memo.get(("first_rows", tuple(tickers)), found)  # asked for by every variant of a sweep


def overnight_interest(market: Market) -> Floats:
    """What 1 dollar of cash earns from the close before to each session's open, shape (sessions,); 0 in the first row.

    Simple interest at the bond-equivalent yield known at the previous close, over calendar days / 365; all zeros when
    the market has no T-bill rate.
    """
    earned = np.zeros(len(market.sessions))
    if market.tbill is None or len(earned) < 2:
        return earned
    earned[1:] = interest_between(market.tbill.to_numpy(dtype=np.float64)[:-1], market.sessions)
    return earned


def interest_between(discount: Floats, sessions: pd.DatetimeIndex) -> Floats:
    """Of 1 dollar from each session to the one after, (sessions - 1,). discount: bank rates known at the former."""
    from backtest.units import BEY_DAYS, BILL_DAYS, DISCOUNT_DAYS

    days = np.diff(sessions.to_numpy().astype("datetime64[D]")).astype(np.float64)
    return np.asarray(BEY_DAYS * discount / (DISCOUNT_DAYS - BILL_DAYS * discount) * days / BEY_DAYS)
