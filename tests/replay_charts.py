"""What Yahoo answers, in its own shape, from rows of prices; and the faults that such an answer can have.

Standard library only: this runs inside the replay server's process (replay_server.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPENING = dt.time(9, 30)

Numbers = list[Any]


@dataclass
class Chart:
    """One ticker's answer as columns; faults change it in place."""

    days: list[dt.date]
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    adjusted: Numbers
    volume: Numbers
    dividends: dict[dt.date, float] = field(default_factory=dict)
    splits: dict[dt.date, float] = field(default_factory=dict)
    stamps: list[int] = field(default_factory=list)
    has_adjusted: bool = True
    has_volume: bool = True
    has_zone: bool = True
    is_empty: bool = False

    @property
    def middle(self) -> int:
        """The row that faults are planted in, inside the period of the tests."""
        return len(self.days) * 4 // 5

    @property
    def prices(self) -> list[Numbers]:
        """The columns of prices."""
        return [self.open, self.high, self.low, self.close, self.adjusted]

    @property
    def columns(self) -> list[list[Any]]:
        """All columns, the stamps too."""
        return [self.stamps, *self.prices, self.volume]


def stamp(day: dt.date, at: dt.time = OPENING, zone: dt.tzinfo = NEW_YORK) -> int:
    """Seconds since 1970."""
    return int(dt.datetime.combine(day, at, zone).timestamp())


def scaled(chart: Chart, rows: range, factor: float, *, columns: int = 5) -> None:
    """Multiply the first `columns` columns of prices."""
    for column in chart.prices[:columns]:
        for row in rows:
            column[row] = column[row] * factor


def without_rows(chart: Chart, first: int, last: int) -> None:
    """Take out rows first..last-1."""
    for column in chart.columns:
        del column[first:last]


def nothing_in(chart: Chart, row: int) -> None:
    """A row of nulls."""
    for column in (*chart.prices, chart.volume):
        column[row] = None


def with_row(chart: Chart, place: int, row: int, seconds: int) -> None:
    """Put a copy of a row at a place, stamped otherwise."""
    for column in chart.columns:
        column.insert(place, column[row])
    chart.stamps[place] = seconds


def duplicate(chart: Chart) -> None:
    """A day twice, with another close."""
    with_row(chart, chart.middle, chart.middle, chart.stamps[chart.middle])
    chart.close[chart.middle] *= 1.01


def swapped(chart: Chart) -> None:
    """Two rows in the wrong order."""
    for column in chart.columns:
        m = chart.middle
        column[m], column[m + 1] = column[m + 1], column[m]


def stale(chart: Chart) -> None:
    """The last tenth of the history stands still."""
    begin = len(chart.days) * 9 // 10
    for row in range(begin, len(chart.days)):
        for column in chart.prices[:4]:
            column[row] = chart.close[begin]
        chart.adjusted[row] = chart.adjusted[begin]
        chart.volume[row] = 0
    for paid in [day for day in chart.dividends if day >= chart.days[begin]]:
        del chart.dividends[paid]


def at_midnight(chart: Chart) -> None:
    """Stamped by the day in UTC: the evening before in New York."""
    chart.stamps[:] = [stamp(day, dt.time(), dt.UTC) for day in chart.days]


def no_dividends(chart: Chart) -> None:
    """Neither events nor an adjusted close that knows of any."""
    chart.dividends.clear()
    chart.adjusted[:] = chart.close


def dividends_stop(chart: Chart) -> None:
    """No payment in the last fifth, in the events and the adjusted close alike."""
    m = chart.middle
    for paid in [day for day in chart.dividends if day > chart.days[m]]:
        del chart.dividends[paid]
    ratio = chart.adjusted[m] / chart.close[m]
    for row in range(len(chart.days)):
        chart.adjusted[row] = chart.close[row] if row > m else chart.adjusted[row] / ratio


def one_value(column: str, change: Callable[[float], Any]) -> Callable[[Chart], None]:
    """Change the middle value of a column."""

    def fault(chart: Chart) -> None:
        values = getattr(chart, column)
        values[chart.middle] = change(values[chart.middle])

    return fault


def flag(name: str, value: bool) -> Callable[[Chart], None]:
    """Leave a part of the answer out."""
    return lambda chart: setattr(chart, name, value)


def high_below_low(chart: Chart) -> None:
    """High and low of a row exchanged."""
    m = chart.middle
    chart.high[m], chart.low[m] = chart.low[m], chart.high[m]


def another_past(chart: Chart) -> None:
    """One close of the past half a percent higher, adjusted alike: within its day's range, nothing to see."""
    chart.close[chart.middle] *= 1.002
    chart.adjusted[chart.middle] *= 1.002


def a_new_dividend(chart: Chart) -> None:
    """The last row goes ex: all adjusted prices before it are rescaled."""
    amount = 0.01 * chart.close[-2]
    chart.dividends[chart.days[-1]] = amount
    for row in range(len(chart.days) - 1):
        chart.adjusted[row] *= 1.0 - amount / chart.close[-2]


FAULTS: dict[str, Callable[[Chart], None]] = {
    "null_bar": lambda c: nothing_in(c, c.middle),
    "last_null": lambda c: nothing_in(c, -1),
    "null_close": one_value("close", lambda _: None),
    "null_open": one_value("open", lambda _: None),
    "x100": lambda c: scaled(c, range(c.middle, c.middle + 3), 100.0),
    "open_x100": lambda c: (one_value("open", lambda x: x * 100)(c), one_value("high", lambda x: x * 100)(c))[0],
    "cents": lambda c: scaled(c, range(c.middle), 0.01),
    "unadjusted_split": lambda c: scaled(c, range(c.middle), 2.0),
    "small_split": lambda c: scaled(c, range(c.middle), 1.25),
    "missing_day": lambda c: without_rows(c, c.middle, c.middle + 1),
    "missing_week": lambda c: without_rows(c, c.middle, c.middle + 5),
    "missing_year": lambda c: without_rows(c, c.middle, c.middle + 252),
    "duplicate": duplicate,
    "unordered": swapped,
    "a_saturday": lambda c: with_row(c, c.middle + 1, c.middle, c.stamps[c.middle] + 86400 * (5 - weekday(c) % 7)),
    "zero": one_value("low", lambda _: 0.0),
    "zero_row": lambda c: scaled(c, range(c.middle, c.middle + 1), 0.0),
    "negative": lambda c: scaled(c, range(c.middle, c.middle + 1), -1.0),
    "infinite": one_value("adjusted", lambda _: "Infinity"),
    "high_below_low": high_below_low,
    "no_adjclose": flag("has_adjusted", False),
    "no_volume": flag("has_volume", False),
    "no_zone": flag("has_zone", False),
    "empty": flag("is_empty", True),
    "no_dividends": no_dividends,
    "dividends_stop": dividends_stop,
    "utc_midnight": at_midnight,
    "stale": stale,
    "short": lambda c: without_rows(c, 0, len(c.stamps) - 40),
    "another_past": another_past,
    "a_new_dividend": a_new_dividend,
    "rescaled": lambda c: c.adjusted.__setitem__(slice(None), [x * 0.9931 for x in c.adjusted]),
    "ends_early": lambda c: without_rows(c, len(c.stamps) - 3, len(c.stamps)),
    "lost_decade": lambda c: without_rows(c, 0, len(c.stamps) * 4 // 10),
}
"""Name -> what it does to the answer."""


def weekday(chart: Chart) -> int:
    """Of the middle row; 0 is Monday."""
    return chart.days[chart.middle].weekday()


def answer(symbol: str, chart: Chart, first_traded: dt.date) -> dict[str, Any]:
    """The chart in the shape of Yahoo's answer."""
    meta: dict[str, Any] = {
        "currency": "USD", "symbol": symbol, "exchangeName": "PCX", "instrumentType": "ETF", "priceHint": 2,
        "firstTradeDate": stamp(first_traded), "regularMarketTime": chart.stamps[-1] if chart.stamps else 0,
        "gmtoffset": -18000, "timezone": "EST", "dataGranularity": "1d", "range": "",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }  # fmt: skip
    if chart.has_zone:
        meta["exchangeTimezoneName"] = "America/New_York"
    if chart.is_empty or not chart.stamps:
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    quote: dict[str, Any] = {name: getattr(chart, name) for name in ("open", "high", "low", "close", "volume")}
    if not chart.has_volume:
        del quote["volume"]
    indicators: dict[str, Any] = {"quote": [quote]}
    if chart.has_adjusted:
        indicators["adjclose"] = [{"adjclose": chart.adjusted}]
    events = {
        "dividends": {str(stamp(d)): {"amount": x, "date": stamp(d)} for d, x in chart.dividends.items()},
        "splits": {
            str(stamp(d)): {"date": stamp(d), "numerator": x, "denominator": 1.0, "splitRatio": f"{x:g}:1"}
            for d, x in chart.splits.items()
        },
    }
    kept = {name: found for name, found in events.items() if found}
    return {"meta": meta, "timestamp": chart.stamps, "events": kept, "indicators": indicators}
