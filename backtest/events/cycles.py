"""The easing cycles: when each began, what one leg did against another after it, and what strategies did in it.

Reads:  Market.policy (a market of months goes back to 1954, on the discount rate, which was announced), Market.close.
Gives:  one row for each first cut. Some 20 rows are all the evidence there is: it is shown whole, not summed up.

Whether a recession came is of the NBER, which says so long after: it is marked as not knowable at the cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.market import Basket, Floats, Market
from backtest.signals.measures import index_of
from backtest.signals.policy import CYCLE_GAP_DAYS, first_cuts
from backtest.units import MONTHS_PER_YEAR

HORIZONS = (3, 6, 12, 24)
"""Months after the close at which a first cut was known."""

LONGEST_MONTHS = 24
"""What a strategy did in a cycle is told to its first rise, and for two years at most."""

RECESSIONS = (
    ("1953-07", "1954-05", ""), ("1957-08", "1958-04", ""), ("1960-04", "1961-02", ""), ("1969-12", "1970-11", ""),
    ("1973-11", "1975-03", ""), ("1980-01", "1980-07", "1980-06-03"), ("1981-07", "1982-11", "1982-01-06"),
    ("1990-07", "1991-03", "1991-04-25"), ("2001-03", "2001-11", "2001-11-26"), ("2007-12", "2009-06", "2008-12-01"),
    ("2020-02", "2020-04", "2020-06-08"),
)  # fmt: skip
"""The NBER's peaks and troughs, and the day on which it announced the peak (before 1979 it announced none)."""

RECESSION_MONTHS = 12
"""A recession is a cycle's own when a month of it lies between the first cut's month and so many after it."""


@dataclass(frozen=True)
class Cycle:
    """One cycle. first_cut: the day of the announcement; row: of the market at whose close it was known.

    cut_bps: the first one's size; total_bps: of all its cuts up to `end`, the first rise (None: none yet). recession:
    first and last month when one came within a year; recession_known: the day the NBER said so, empty when it never
    did. lead: months -> return of one leg minus that of the other from the close of `row`, None where the data end.
    in_force: rows for which a strategy is told, from `row` on. strategies: name -> return in them, minus the equal mix.
    """

    first_cut: pd.Timestamp
    row: int
    cut_bps: int
    total_bps: int
    end: pd.Timestamp | None
    recession: tuple[str, str] | None
    recession_known: str
    lead: Mapping[int, float | None]
    in_force: int
    strategies: Mapping[str, float | None]


def easing_cycles(
    market: Market, of: Basket, over: Basket, *, horizons: Sequence[int] = HORIZONS, first: pd.Timestamp | None = None
) -> tuple[Cycle, ...]:
    """Every cycle whose first cut became known on a row of the market (from `first` on), oldest first.

    of, over: the two legs. A month is a row of a market of months, and a twelfth of a year's sessions of any other.
    """
    policy = market.policy[market.policy["session"].notna() & (market.policy["change_bps"] != 0)].reset_index(drop=True)
    is_cut = policy["change_bps"].to_numpy() < 0
    days = policy["date"].to_numpy().astype("datetime64[D]")
    begins = np.flatnonzero(first_cuts(is_cut, days, CYCLE_GAP_DAYS))
    begun = pd.Timestamp.min if first is None else first
    one, other = (index_of(market, basket) for basket in (of, over))
    found = []
    for place in begins.tolist():
        session = policy["session"].iloc[place]
        if not max(begun, market.sessions[0]) <= session <= market.sessions[-1]:
            continue
        row = int(market.sessions.get_indexer(pd.DatetimeIndex([session]))[0])
        rises = np.flatnonzero(~is_cut[place:])
        after = place + int(rises[0]) if len(rises) else len(policy)
        later = begins[begins > place]
        until = min(after, int(later[0]) if len(later) else len(policy))
        ended = None if after == len(policy) else policy["session"].iloc[after]
        stop = len(market.sessions) - 1 if ended is None else int(market.sessions.searchsorted(ended))
        recession, known = _recession(pd.Timestamp(policy["date"].iloc[place]))
        found.append(
            Cycle(
                first_cut=pd.Timestamp(policy["date"].iloc[place]),
                row=row,
                cut_bps=int(policy["change_bps"].iloc[place]),
                total_bps=int(policy["change_bps"].iloc[place:until].sum()),
                end=None if ended is None else pd.Timestamp(policy["date"].iloc[after]),
                recession=recession,
                recession_known=known,
                lead=leads(one, other, row, [(months, _rows(months, market)) for months in horizons]),
                in_force=min(stop - row, _rows(LONGEST_MONTHS, market), len(market.sessions) - 1 - row),
                strategies={},
            )
        )
    return tuple(found)


def leads(one: Floats, other: Floats, row: int, horizons: Sequence[tuple[int, int]]) -> dict[int, float | None]:
    """Return of one index minus that of the other from the close of `row`, by months; None where either is not known.

    horizons: months, and the rows that they are.
    """
    found: dict[int, float | None] = {}
    for months, rows in horizons:
        end = row + rows
        gain = one[end] / one[row] - other[end] / other[row] if end < len(one) else np.nan
        found[months] = None if np.isnan(gain) else float(gain)
    return found


def with_strategies(
    cycles: Sequence[Cycle], curves: Mapping[str, Floats], mix: Floats, begin: int
) -> tuple[Cycle, ...]:
    """The cycles with what each strategy gained in them beyond the mix, from close to close.

    curves: equity by name, and `mix` that of equal parts of the legs, rows from `begin` of the market on.
    """
    told = []
    for cycle in cycles:
        start, end = cycle.row - begin, cycle.row - begin + cycle.in_force
        known = start >= 0 and cycle.in_force > 0
        gains = {
            name: float(equity[end] / equity[start] - mix[end] / mix[start]) if known else None
            for name, equity in curves.items()
        }
        told.append(replace(cycle, strategies=gains))
    return tuple(told)


@dataclass(frozen=True)
class Summary:
    """Over the cycles with a known lead: how many, mean, how many positive; and the mean over all other months."""

    months: int
    cycles: int
    mean: float
    positive: int
    unconditional: float


def summary(market: Market, of: Basket, over: Basket, cycles: Sequence[Cycle]) -> tuple[Summary, ...]:
    """For each horizon, beside the mean lead over as long from every row: what a cycle adds is the difference."""
    one, other = (index_of(market, basket) for basket in (of, over))
    found = []
    for months in cycles[0].lead if cycles else ():
        rows = _rows(months, market)
        known = [each for cycle in cycles if (each := cycle.lead[months]) is not None]
        if not known or rows >= len(one):
            continue
        every = one[rows:] / one[:-rows] - other[rows:] / other[:-rows]
        mean = float(np.mean(known))
        found.append(Summary(months, len(known), mean, sum(each > 0 for each in known), float(np.nanmean(every))))
    return tuple(found)


def cycle_rows(cycles: Sequence[Cycle]) -> list[dict[str, Any]]:
    """The table as JSON has it: fractions, basis points, ISO dates, null where not known."""
    return [
        {
            "first_cut": f"{each.first_cut:%Y-%m-%d}",
            "cut_bps": each.cut_bps,
            "total_bps": each.total_bps,
            "first_rise": None if each.end is None else f"{each.end:%Y-%m-%d}",
            "recession": None if each.recession is None else list(each.recession),
            "recession_announced": each.recession_known or None,
            "lead": {str(months): gain for months, gain in each.lead.items()},
            "strategies": dict(each.strategies),
        }
        for each in cycles
    ]


def _rows(months: int, market: Market) -> int:
    return round(months * market.periods_per_year / MONTHS_PER_YEAR)


def _recession(first_cut: pd.Timestamp) -> tuple[tuple[str, str] | None, str]:
    month = first_cut.to_period("M")
    for peak, trough, known in RECESSIONS:
        if pd.Period(peak, "M") <= month + RECESSION_MONTHS and pd.Period(trough, "M") >= month:
            return (peak, trough), known
    return None, ""
