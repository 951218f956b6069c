"""Spot audit: every run of a strategy with a `decide` replaces the future at some ten of its own decisions.

The flow: config -> market -> decision -> SPOT AUDIT -> fills -> result. `audit` asks the same at all decisions.
One other future serves both methods: noise for some sessions after the decision, and nothing behind them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.audit.audit import POISONED_SESSIONS, SEED, Rows, broken, changes, differences
from backtest.audit.findings import AuditReport, LookAhead
from backtest.audit.poison import cut, poison
from backtest.config import Config
from backtest.decision import Decision, check_decision
from backtest.errors import RunError
from backtest.market import Market
from backtest.pipeline import is_rotation, legs_of, run
from backtest.result import Result

SPOTS = 10
"""Sessions that are looked at: decisions as far as there are any."""


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
    findings = tuple(finding for row in rows.tolist() for finding in _found(config, market, strategy, decision, row))
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
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)] if most else rows[:0]


def _found(config: Config, market: Market, strategy: Any, whole: Decision, row: int) -> list[LookAhead]:
    session, legs = market.sessions[row], legs_of(config)
    near = cut(market, market.sessions[min(row + POISONED_SESSIONS, len(market.sessions) - 1)])
    other = poison(near, session, SEED)
    try:
        again = check_decision(strategy.decide(other, legs, config.strategy.params), other, legs)
    except Exception as error:  # a user's code may raise anything
        return [broken(session, session, "poison", error)]
    return list(differences(whole, again, legs, market.sessions[: row + 1], "poison"))
