"""A rank written a second time, from its description alone: one look after another, in plain Python.

It shares no code with the package: a market comes in as tables of prices, a calendar and rates.
"""

from __future__ import annotations

import calendar
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

Shares = dict[str, float] | None


class PlainMarket:
    """close: by session and ticker. exchange: its days, beyond the last session. discount: bank rates, fractions."""

    def __init__(self, close: pd.DataFrame, exchange: Sequence[pd.Timestamp], discount: Sequence[float]) -> None:
        self.days = list(close.index)
        self.close = {ticker: close[ticker].tolist() for ticker in close}
        self.next_day = dict(pairwise(exchange))
        self.discount = discount

    def is_last_of(self, row: int, period: str) -> bool:
        day = self.days[row]
        following = self.next_day[day]
        if period == "daily":
            return True
        if period == "weekly":
            return following.isocalendar()[:2] != day.isocalendar()[:2]
        if period == "monthly":
            return (following.year, following.month) != (day.year, day.month)
        raise AssertionError(period)

    def months_back(self, row: int, months: int) -> int | None:
        """From a month's last session the last of the earlier month; else the last close up to the same day of it."""
        day = self.days[row]
        year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
        length = calendar.monthrange(year, month + 1)[1]
        number = length if self.is_last_of(row, "monthly") else min(day.day, length)
        aim = pd.Timestamp(year, month + 1, number)
        found = bisect_right(self.days, aim, hi=row + 1)
        return found - 1 if found else None

    def back(self, row: int, length: int, unit: str) -> int | None:
        if unit == "months":
            return self.months_back(row, length)
        return row - length if row >= length else None


Basket = Mapping[str, float]


def leg_return(m: PlainMarket, basket: Basket, early: int | None, late: int | None) -> float:
    if early is None or late is None:
        return math.nan
    return sum(w * (m.close[t][late] / m.close[t][early] - 1) for t, w in basket.items())


def bills(m: PlainMarket, early: int | None, late: int | None) -> float:
    if early is None or late is None:
        return math.nan
    worth = 1.0
    for row in range(early, late):
        d, days = m.discount[row], (m.days[row + 1] - m.days[row]).days
        worth *= 1 + 365 * d / (360 - 91 * d) * days / 365
    return worth - 1


def daily(m: PlainMarket, basket: Basket, row: int) -> float:
    return leg_return(m, basket, row - 1, row) if row else math.nan


def score(m: PlainMarket, what: Any, row: int, p: Mapping[str, Any]) -> float:
    """what: a basket, or "tbill"."""
    kind = p.get("score", "returns")
    unit = "sessions" if p.get("lookback_sessions") else "months"
    lengths = p.get("lookback_sessions") or p.get("lookback_months") or (12,)
    weights = p.get("score_weights") or [1 / len(lengths)] * len(lengths)

    def earned(early: int | None, late: int | None) -> float:
        return bills(m, early, late) if what == "tbill" else leg_return(m, what, early, late)

    if kind == "twelve_one":
        return earned(m.months_back(row, 12), m.months_back(row, 1))
    if kind == "moving_average":
        return sum(w * above_mean(m, what, row, n, unit) for w, n in zip(weights, lengths, strict=True))
    total = sum(w * earned(m.back(row, n, unit), row) for w, n in zip(weights, lengths, strict=True))
    if kind == "scaled":
        total /= deviation(m, what, row, p["volatility_sessions"])
    return total


def deviation(m: PlainMarket, basket: Basket, row: int, count: int) -> float:
    if row < count:
        return math.nan
    moves = [daily(m, basket, r) for r in range(row - count + 1, row + 1)]
    mean = sum(moves) / count
    return math.sqrt(sum((x - mean) ** 2 for x in moves) / (count - 1) * 252)


def above_mean(m: PlainMarket, basket: Basket, row: int, count: int, unit: str) -> float:
    """The last close by the mean of so many, of all sessions or a month apart; tickers alone."""
    ((ticker, _),) = basket.items()
    rows = [m.back(row, n, unit) if n else row for n in range(count)]
    if any(each is None for each in rows):
        return math.nan
    closes = [m.close[ticker][each] for each in rows]
    return float(closes[0] / (sum(closes) / count) - 1)


def ordered(scores: Mapping[str, float]) -> list[str]:
    """Best first; of scores within 1e-12 of the best left the first one in order."""
    left = {name: value for name, value in scores.items() if not math.isnan(value)}
    places = []
    while left:
        top = max(left.values())
        name = next(name for name, value in left.items() if value >= top - 1e-12)
        places.append(name)
        del left[name]
    return places


def looked(m: PlainMarket, legs: Mapping[str, Basket], p: Mapping[str, Any], row: int) -> Shares:
    """What is decided at one look; None when nothing is."""
    defensive, above, canary = p.get("defensive", ()), p.get("above"), p.get("canary", ())
    universe = p.get("universe") or [name for name in legs if name not in defensive and name != above]
    top = p.get("top", 1)

    def of(name: str) -> float:
        return score(m, legs.get(name, {name: 1.0}), row, p)

    scores = {name: of(name) for name in universe}
    chosen = ordered(scores)[:top]
    if not chosen:
        return None
    hurdle = None
    if above is not None:
        hurdle = above if isinstance(above, float) else score(m, "tbill", row, p) if above == "tbill" else of(above)
        if math.isnan(hurdle):
            return None
    passing = dict.fromkeys(chosen, True)
    if canary:
        birds = [of(name) for name in canary]
        if any(math.isnan(each) for each in birds):
            return None
        passing = dict.fromkeys(chosen, all(each > hurdle + 1e-12 for each in birds))
    elif hurdle is not None:
        passing = {name: scores[name] > hurdle + 1e-12 for name in chosen}
    refuge = (ordered({name: of(name) for name in defensive}) or [None])[0]
    shares = dict.fromkeys(legs, 0.0)
    failing = (top - len(chosen)) / top
    for name, size in sizes(m, legs, p, row, chosen).items():
        if passing[name]:
            shares[name] += size
        else:
            failing += size
    if refuge is not None:
        shares[refuge] += failing
    return shares


def sizes(
    m: PlainMarket, legs: Mapping[str, Basket], p: Mapping[str, Any], row: int, chosen: Sequence[str]
) -> dict[str, float]:
    """Of the chosen: 1 / top each, or what they have together by inverse volatility where that is known."""
    whole = len(chosen) / p.get("top", 1)
    if p.get("weights") == "inverse_volatility":
        inverse = {name: 1 / max(deviation(m, legs[name], row, p["volatility_sessions"]), 1e-12) for name in chosen}
        if not any(math.isnan(each) for each in inverse.values()):
            return {name: whole * each / sum(inverse.values()) for name, each in inverse.items()}
    return dict.fromkeys(chosen, whole / len(chosen))


def plain_rank(m: PlainMarket, legs: Mapping[str, Basket], p: Mapping[str, Any]) -> list[Shares]:
    """What is held after each close, None before the first decision."""
    held: Shares = None
    path = []
    for row in range(len(m.days)):
        if m.is_last_of(row, p.get("decide", "monthly")):
            decided = looked(m, legs, p, row)
            held = held if decided is None else decided
        path.append(held)
    return path
