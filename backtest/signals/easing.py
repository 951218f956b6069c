"""The easing cycle: its first cut, whether one is on, its age, and in what weather it began.

Reads:  Market.policy; for the weather, Market.close.
Gives:  per session, known at its close. A cycle begins with a first cut: one after a rise, or after so long a time
        without a cut that it is a new story; it ends with a rise, or so many sessions after its last cut.

Whether a cut insures against a recession or comes in one is known for sure only years later (the NBER dated the peak
of December 2007 in December 2008). What can be known then is how far shares have already fallen: a cycle counts as
begun in a fall when growth is `fall` or more below its highest close of the last 252 sessions at the first cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import Basket, Floats, Market
from backtest.signals.measures import basket_growth, year_of


@dataclass(frozen=True, slots=True)
class CycleState:
    """State of the cycle at each close; arrays of shape (sessions,).

    age: sessions since the first cut (0 at its own close), NaN without a cycle. began_in_fall: 1.0, 0.0, NaN without a
    cycle or where prices do not reach back. first_cuts: the first cuts, rows of Market.policy.
    """

    age: Floats
    began_in_fall: Floats
    first_cuts: pd.DataFrame

    @property
    def is_easing(self) -> Floats:
        """1.0 while a cycle is on, else 0.0."""
        return (~np.isnan(self.age)).astype(np.float64)


def easing_cycle(market: Market, growth: Basket, *, gap_days: int, max_age_sessions: int, fall: float) -> CycleState:
    """The cycle at each close. gap_days: calendar days without a cut after which the next one is a first one.

    max_age_sessions: sessions after its last cut at which a cycle ends, if no rise ended it before.
    """
    policy = market.policy
    moved = policy[(policy["change_bps"] != 0) & policy["session"].notna()]
    moved = moved[moved["session"] <= market.sessions[-1]]
    rows = market.rows_of(moved["session"])
    is_cut = moved["change_bps"].to_numpy() < 0
    days = moved["date"].to_numpy().astype("datetime64[D]")
    is_first = first_cuts(is_cut, days, gap_days)
    count = len(market.sessions)
    age = np.full(count, np.nan)
    began = np.full(count, np.nan)
    depth = fall_from_high(market, growth)
    origin = 0
    for place, row in enumerate(rows.tolist()):
        start = max(row, 0)
        age[start:], began[start:] = np.nan, np.nan
        if not is_cut[place]:
            continue
        origin = row if is_first[place] else origin
        end = min(max(row + max_age_sessions, start), count)
        age[start:end] = np.arange(start, end) - origin
        if 0 <= origin < count and not np.isnan(depth[origin]):
            began[start:end] = float(depth[origin] >= fall)
    return CycleState(age, began, moved[is_first])


Booleans = npt.NDArray[np.bool_]


def first_cuts(is_cut: Booleans, days: npt.NDArray[np.datetime64], gap_days: int) -> Booleans:
    """True for a cut after a rise, after no cut for `gap_days`, or with nothing before it on record."""
    first = np.zeros(len(is_cut), dtype=np.bool_)
    last_cut = None
    for place in range(len(is_cut)):
        if not is_cut[place]:
            continue
        follows_rise = place == 0 or not is_cut[place - 1]
        is_late = last_cut is None or days[place] - last_cut > np.timedelta64(gap_days, "D")
        first[place] = follows_rise or is_late
        last_cut = days[place]
    return first


def fall_from_high(market: Market, basket: Basket) -> Floats:
    """How far the basket is below its highest close of the last year, a fraction >= 0."""
    returns = basket_growth(market, basket, 1)
    index = pd.Series(np.where(np.isnan(returns), np.nan, np.cumprod(1.0 + np.nan_to_num(returns))))
    highest = index.rolling(year_of(market), min_periods=year_of(market) // QUARTERS).max()
    return np.asarray(1.0 - (index / highest).to_numpy(dtype=np.float64))


QUARTERS = 4
"""Without a quarter's prices a high of the year is not known."""
