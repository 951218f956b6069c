"""One list of events, one pair and one window: all its figures but what the search says of it.

    prices of a pair + rows of events + a window -> sample, error bars -> EVENT CELL

A window begins at the close of day 0: the announcement is known then; what can be bought is the next open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backtest.errors import DataError
from backtest.events.inference import (
    HAC_LAGS,
    HAC_LAGS_MONTHLY,
    EventSample,
    Placebo,
    Waves,
    apart,
    covered,
    hac_t,
    placebo,
    timing_curve,
)
from backtest.events.lists import EventList, ListTerms, cycle_of, turns
from backtest.market import Basket, Floats, Market
from backtest.signals.measures import basket_growth
from backtest.statistics.cycles import ByCycle, by_cycle, t_of
from backtest.statistics.findings import Finding, Level

WINDOWS, MONTHLY_WINDOWS = (5, 21, 63, 126, 252), (3, 6, 12, 24)
NOT_MOVED = Placebo(None, np.zeros(0), None, "the windows reach into the prices that chose the events")


def usual_windows(market: Market) -> tuple[tuple[int, int], ...]:
    """Those of a study that names none."""
    return tuple((0, n) for n in (MONTHLY_WINDOWS if market.is_monthly else WINDOWS))


def lags_of(market: Market) -> int:
    """For Newey's and West's errors."""
    return HAC_LAGS_MONTHLY if market.is_monthly else HAC_LAGS


@dataclass(frozen=True)
class Pair:
    """One thing over another; over: empty where it is held against cash that earns nothing. key: `IWM-QQQ`.

    names: what people call the one and, where there is one, the other.
    """

    key: str
    names: tuple[str, ...]
    of: Basket
    over: Basket

    @property
    def words(self) -> str:
        """As people say it."""
        return " over ".join(self.names)

    def gain(self, market: Market, sessions: int) -> Floats:
        """Return of the one less that of the other over so many sessions up to each close, each bought and held."""
        own = basket_growth(market, self.of, sessions)
        return own - basket_growth(market, self.over, sessions) if self.over else own


@dataclass(frozen=True, eq=False)
class EventPrices:
    """A pair on a market. first: the row of its first return in the period; waves: of its returns from there on.

    known: for each length of a window asked so far, the return of every window by its end, and the mean of all.
    """

    market: Market
    start: int
    pair: Pair
    first: int
    waves: Waves
    opens: dict[str, Floats]
    closes: dict[str, Floats]
    known: dict[int, tuple[Floats, float | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, market: Market, start: int, pair: Pair) -> EventPrices:
        """Raises DataError for a pair without prices in the period."""
        daily = pair.gain(market, 1)
        known = np.flatnonzero(np.isfinite(daily[start + 1 :]))
        if not len(known):
            raise DataError(f"{pair.key}: no prices after {market.sessions[start]:%Y-%m-%d}")
        first = start + 1 + int(known[0])
        opens, closes = (
            {ticker: prices[ticker].to_numpy(dtype=np.float64) for ticker in (*pair.of, *pair.over)}
            for prices in (market.open, market.close)
        )
        return cls(market, start, pair, first, Waves(daily[first:]), opens, closes)

    def gains(self, length: int) -> tuple[Floats, float | None]:
        """Return of every window of so many sessions, by the row it ends on; the mean of those in the period."""
        if length not in self.known:
            gain = self.pair.gain(self.market, length)
            own = gain[self.start + length :]
            own = own[np.isfinite(own)]
            self.known[length] = gain, float(own.mean()) if len(own) else None
        return self.known[length]

    def from_open(self, rows: npt.NDArray[np.int64], end: int) -> float | None:
        """Mean of the windows of who buys at the open after day 0; end: sessions after it."""
        if not len(rows):
            return None

        def grown(basket: Basket) -> Floats:
            total = np.zeros(len(rows))
            for ticker, weight in basket.items():
                total += weight * (self.closes[ticker][rows + end] / self.opens[ticker][rows + 1] - 1.0)
            return total

        return float((grown(self.pair.of) - grown(self.pair.over)).mean())


@dataclass(frozen=True, eq=False)
class EventCell:
    """One list, pair and window. sample: its complete windows; n_apart, t_apart: of those that do not overlap.

    from_open: mean when bought at the next open instead of the close of day 0, None for a window that begins elsewhere.
    inside, outside: mean a year of the sessions in windows and of the others. finding: of the search, with its level.
    """

    events: EventList
    pair: Pair
    window: tuple[int, int]
    sample: EventSample
    t_naive: float | None
    t_apart: float | None
    n_apart: int
    t_calendar: float | None
    placebo: Placebo
    unconditional: float | None
    from_open: float | None
    inside: float | None
    outside: float | None
    cycles: ByCycle
    curve: Floats
    finding: Finding | None = None
    level: Level = "nothing_tested"

    @property
    def length(self) -> int:
        """Sessions of a window."""
        return self.window[1] - self.window[0]

    @property
    def window_key(self) -> str:
        """`252`, or `-1:0`."""
        begin, end = self.window
        return f"{end}" if begin == 0 else f"{begin}:{end}"

    @property
    def is_trial(self) -> bool:
        """Whether anybody could have followed it: not a list known only afterwards, nor what comes before day 0 of
        events that are not scheduled.
        """
        return not self.events.is_hindsight and (self.window[0] >= 0 or self.events.is_scheduled)

    @property
    def p_search(self) -> float | None:
        """Corrected for everything known, as the search does."""
        return None if self.finding is None else self.finding.timing.p


def cells_of(
    market: Market,
    start: int,
    pairs: Sequence[Pair],
    lists: Sequence[EventList],
    windows: Sequence[tuple[int, int]],
    terms: ListTerms,
) -> list[EventCell]:
    """Every pair, list and window. start: the row that the period begins with. Raises DataError."""
    turning = turns(market, terms)
    return [
        cell_of(prices, each, window, turning)
        for prices in (EventPrices.of(market, start, pair) for pair in pairs)
        for each in lists
        for window in windows
    ]


def cell_of(
    prices: EventPrices, events: EventList, window: tuple[int, int], turning: tuple[npt.NDArray[np.int64], list[str]]
) -> EventCell:
    """All figures of one list, pair and window but what the search says."""
    market, first = prices.market, prices.first
    begin, end = window
    length, count, returns = end - begin, len(market.sessions), prices.waves.returns
    gain, unconditional = prices.gains(length)
    ends = events.rows + end
    is_inside = (ends < count) & (ends - length >= 0)
    values = np.where(is_inside, gain[np.clip(ends, 0, count - 1)], np.nan)
    complete = np.isfinite(values)
    sample = EventSample(values[complete], events.rows[complete])
    inside = covered(events.rows - first, window, len(returns))
    own, is_in = timing_curve(inside, returns), inside > 0
    curve = np.zeros(count - prices.start - 1)
    curve[first - prices.start - 1 :] = own
    kept = apart(sample.rows, length)
    return EventCell(
        events=events,
        pair=prices.pair,
        window=window,
        sample=sample,
        t_naive=t_of(sample.values),
        t_apart=t_of(sample.values[kept]),
        n_apart=int(kept.sum()),
        t_calendar=hac_t(own, lags_of(market)),
        placebo=NOT_MOVED if events.memory and begin < 0 else placebo(inside, prices.waves, length, events.memory),
        unconditional=unconditional,
        from_open=prices.from_open(sample.rows, end) if begin == 0 else None,
        inside=_annual(returns[is_in], market),
        outside=_annual(returns[~is_in], market),
        cycles=by_cycle(sample.values, cycle_of(sample.rows, *turning)),
        curve=curve,
    )


def _annual(returns: Floats, market: Market) -> float | None:
    return float(returns.mean()) * market.periods_per_year if len(returns) else None
