"""Regimes of the policy rate, and early and late in an easing cycle: where did one thing lead another?

Reads:  Market.policy by the signals; a regime known at a close is held against the return of the next session.
Gives:  a Regime for each state and pair; a Third for each part of the easing cycles. Thirds are known only when a cycle
        is over: they judge a story, nobody can trade them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.events.cells import lags_of
from backtest.events.inference import hac_t, timing_curve
from backtest.market import Floats, Market
from backtest.signals.measures import change
from backtest.signals.policy import easing_cycle, target_level
from backtest.statistics.cycles import ByCycle, by_cycle
from backtest.units import MONTHS_PER_YEAR

MOVED = 0.25
"""Percentage points of the target over half a year beyond which the rate is rising or falling."""

AGES = ((0, 6), (6, 12), (12, 24))
"""Months since the first cut."""

FEWEST = 21
"""Sessions (months) of a regime below which nothing is said of it."""

THIRDS = ("first", "middle", "last")


@dataclass(frozen=True)
class Regime:
    """One state and pair: mean a year inside and outside of it, and the t of the difference with HAC errors."""

    name: str
    pair: str
    sessions: int
    inside: float | None
    outside: float | None
    t: float | None


@dataclass(frozen=True)
class Third:
    """One part of the easing cycles, of one pair or member: mean a year, t over all its sessions, and by cycle."""

    part: str
    member: str
    inside: float | None
    t: float | None
    cycles: ByCycle


def regimes_of(market: Market, start: int, daily: Mapping[str, Floats], gap_days: int) -> tuple[Regime, ...]:
    """Every regime of every pair. daily: relative returns by session of the market."""
    states = _states(market, gap_days)
    lags, found = lags_of(market), []
    for key, returns in daily.items():
        known = np.isfinite(returns)
        known[: start + 1] = False
        own = returns[known]
        for name, state in states.items():
            inside = np.concatenate([[0.0], state[:-1]])[known]
            n = int(inside.sum())
            is_told = FEWEST <= n <= len(own) - FEWEST
            found.append(
                Regime(
                    name,
                    key,
                    n,
                    float(own[inside > 0].mean()) * market.periods_per_year if n else None,
                    float(own[inside == 0].mean()) * market.periods_per_year if n < len(own) else None,
                    hac_t(timing_curve(inside, own), lags) if is_told else None,
                )
            )
    return tuple(found)


def _states(market: Market, gap_days: int) -> dict[str, Floats]:
    """1.0 at each close at which a state holds."""
    year = market.periods_per_year
    age = easing_cycle(market, {}, gap_days=gap_days, max_age_sessions=year, fall=1.0).age
    is_easing = ~np.isnan(age)
    months = np.nan_to_num(age, nan=-1.0) * MONTHS_PER_YEAR / year
    moved = change(target_level(market), year // 2)
    states = {"easing": is_easing, "not easing": ~is_easing}
    states |= {f"{low} to {high} months after a first cut": (months >= low) & (months < high) for low, high in AGES}
    states[f"{AGES[-1][1]} months and more, still easing"] = months >= AGES[-1][1]
    known = np.nan_to_num(moved)
    states |= {"falling rate": known < -MOVED, "rising rate": known > MOVED}
    states["steady rate"] = ~np.isnan(moved) & (np.abs(known) <= MOVED)
    return {name: state.astype(np.float64) for name, state in states.items()}


def thirds_of(market: Market, start: int, daily: Mapping[str, Floats], gap_days: int) -> tuple[Third, ...]:
    """The first, middle and last third of each easing cycle, for each member.

    A cycle lasts from its first cut to the first hike, or to a year after its last cut; one that is not over is left
    out, since nobody knows its thirds.
    """
    spells = _cycles(market, start, gap_days)
    lags, found = lags_of(market), []
    for member, returns in daily.items():
        known = np.isfinite(returns)
        known[: start + 1] = False
        for k, part in enumerate(THIRDS):
            inside, names, values = np.zeros(len(returns)), [], []
            for begin, end in spells:
                low, high = (begin + round((end - begin) * (k + j) / 3) for j in (0, 1))
                rows = np.arange(low + 1, high + 1)  # from the close of the first cut
                rows = rows[known[rows]]
                inside[rows] = 1.0
                if len(rows):
                    names.append(f"easing from {market.sessions[begin]:%Y-%m}")
                    values.append(float(returns[rows].mean()) * market.periods_per_year)
            own, here = returns[known], inside[known]
            mean = float(own[here > 0].mean()) * market.periods_per_year if here.any() else None
            t = hac_t(timing_curve(here, own), lags) if FEWEST <= here.sum() <= len(own) - FEWEST else None
            found.append(Third(part, member, mean, t, by_cycle(np.array(values), names)))
    return tuple(found)


def _cycles(market: Market, start: int, gap_days: int) -> list[tuple[int, int]]:
    """First and last row of each easing cycle that begins in the period and is over."""
    state = easing_cycle(market, {}, gap_days=gap_days, max_age_sessions=market.periods_per_year, fall=1.0)
    age: npt.NDArray[np.float64] = state.age
    begins = np.flatnonzero(age == 0)
    spells = []
    for begin in begins[begins >= start].tolist():
        later = np.flatnonzero(np.isnan(age[begin:]) | ((age[begin:] == 0) & (np.arange(len(age) - begin) > 0)))
        if len(later):
            spells.append((begin, begin + int(later[0]) - 1))
    return spells
