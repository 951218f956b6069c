"""Spot audit: every run of a strategy with a `decide` replaces the future at some ten of its own decisions.

The flow: config -> market -> decision -> SPOT AUDIT -> fills -> result. `audit` asks the same at all decisions.
Another future is noise for some sessions after a decision, and nothing behind them. One market serves several spots
that are far apart: after each there is such a detour, and behind it the real prices go on. What was decided for the
last months before the next spot is then as on the real market, unless the strategy remembers longer, or looks ahead:
both are told apart by another future for that spot alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.audit.audit import POISONED_SESSIONS, SEED, Rows, broken, changes, differences, series_of
from backtest.audit.findings import AuditReport, LookAhead
from backtest.audit.poison import cut, detours, poison
from backtest.config import Config
from backtest.decision import Decision, check_decision
from backtest.errors import RunError
from backtest.market import Floats, Market
from backtest.pipeline import is_rotation, legs_of, run
from backtest.result import Result

SPOTS = 10
"""Sessions that are looked at: decisions as far as there are any."""

AGREED_PART = 4
"""The part of a year before a spot, a year and more after a detour, in which all must be as on the real market."""

ROUNDING = 1e-9
"""Relative, and of values around 0: what two running sums may differ by."""


def run_audited(
    config: Config, strategies: Mapping[str, type], *, market: Market | None = None, offline: bool = False
) -> Result:
    """`run`, whose result says at how many decisions it was audited; raises RunError for a look-ahead."""
    result = run(config, strategies, market=market, offline=offline)
    strategy = strategies[config.strategy.name]
    return dataclasses.replace(result, audited=spot_audit(config, result.market, strategy, result.decision))


def spot_audit(config: Config, market: Market, strategy: Any, decision: Decision) -> int | None:
    """At how many decisions the future was replaced and nothing before changed; None: it trades in its own `next`.

    Raises RunError naming the first session that changes.
    """
    if not is_rotation(strategy):
        return None
    begin = int(market.sessions.searchsorted(pd.Timestamp(config.data.start)))
    rows = spot_rows(changes(decision), begin, len(market.sessions) - 1, SPOTS)
    apart = POISONED_SESSIONS + market.periods_per_year * (1 + AGREED_PART) // AGREED_PART
    unsettled = [row for group in _groups(rows, apart) for row in _unsettled(config, market, strategy, decision, group)]
    findings = tuple(each for row in sorted(unsettled) for each in _found(config, market, strategy, decision, row))
    if findings:
        report = AuditReport(config.strategy.name, len(rows), len(rows), len(rows), len(rows), len(rows), findings)
        raise RunError(*report.lines(), f"{config.strategy.name}: `backtest audit` looks at every decision")
    return len(rows)


def spot_rows(decided: Rows, begin: int, end: int, most: int) -> Rows:
    """Rows in [begin, end) to look at: decisions spread over the run, and other rows where these are too few."""
    chosen = _spread(decided[(decided >= begin) & (decided < end)], most)
    others = _spread(np.setdiff1d(np.arange(begin, end), chosen), most - len(chosen))
    return np.union1d(chosen, others).astype(np.int64)


def _spread(rows: Rows, most: int) -> Rows:
    """`most` of the rows, or all: those nearest to as many even steps, and others where one is nearest to two."""
    if len(rows) <= most or not most:
        return rows[:most]
    even = np.linspace(rows[0], rows[-1], most)
    after = np.searchsorted(rows, even).clip(1)
    nearest = np.unique(np.where(even - rows[after - 1] <= rows[after] - even, rows[after - 1], rows[after]))
    return np.union1d(nearest, _spread(np.setdiff1d(rows, nearest), most - len(nearest)))


def _groups(rows: Rows, apart: int) -> list[list[int]]:
    """The spots by the market that serves them, each `apart` from the next; those of the first half are by themselves.

    So that one of these markets ends long before the run does: how long a test goes on is of the future too.
    """
    groups: list[list[int]] = []
    for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        own: list[list[int]] = []
        for row in half.tolist():
            fitting = next((group for group in own if row - group[-1] >= apart), None)
            if fitting is None:
                own.append([row])
            else:
                fitting.append(row)
        groups += own
    return groups


def _unsettled(config: Config, market: Market, strategy: Any, whole: Decision, group: list[int]) -> list[int]:
    """The spots of a group at which something changes; all when `decide` fails."""
    legs = legs_of(config)
    other = detours(market, group, POISONED_SESSIONS, SEED)
    try:
        again = check_decision(strategy.decide(other, legs, config.strategy.params), other, legs)
    except Exception:  # a user's code may raise anything; asked again one by one, it says where
        return group
    before, after = series_of(whole, legs), series_of(again, legs)
    if before.keys() != after.keys():
        return group
    least = market.periods_per_year // AGREED_PART
    firsts = [0, *(row - least for row in group[1:])]
    return [
        row
        for row, first in zip(group, firsts, strict=True)
        if whole.why(row, legs) != again.why(row, legs)
        or not all(_alike(before[name][first : row + 1], after[name][first : row + 1]) for name in before)
    ]


def _alike(one: Floats, other: Floats) -> bool:
    """Equal but for the rounding that a running sum keeps of what has passed through it."""
    is_alike = np.array_equal(one, other, equal_nan=True) or np.allclose(one, other, ROUNDING, ROUNDING, equal_nan=True)
    return bool(is_alike)


def _found(config: Config, market: Market, strategy: Any, whole: Decision, row: int) -> list[LookAhead]:
    session, legs = market.sessions[row], legs_of(config)
    near = cut(market, market.sessions[min(row + POISONED_SESSIONS, len(market.sessions) - 1)])
    other = poison(near, session, SEED)
    try:
        again = check_decision(strategy.decide(other, legs, config.strategy.params), other, legs)
    except Exception as error:  # a user's code may raise anything
        return [broken(session, session, "poison", error)]
    return list(differences(whole, again, legs, market.sessions[: row + 1], "poison"))
