"""Cuts: the Federal Reserve's rate cuts within a test, and the easing cycles that they make.

The marks of every chart, the periods one can zoom to, and the count of independent bets in the warnings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.result import Result

SMALLEST_CUT_BPS = 25
LEAD_IN_SESSIONS = 60
"""Sessions shown before the first cut of a cycle."""

AFTERMATH_SESSIONS = 252
"""Sessions shown after the last one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """row: session of the test at whose close it is known; target: the new range in percent; cycle: hikes before it."""

    row: int
    bps: int
    target: str
    cycle: int


def cuts_of(result: Result) -> list[Cut]:
    """The cuts known at a session of the test, in order."""
    policy = result.market.policy
    known = policy[policy["session"].notna()]
    hikes = np.sort(known.loc[known["change_bps"] > 0, "session"].to_numpy())
    sessions = result.sessions
    within = (known["session"] >= sessions[0]) & (known["session"] <= sessions[-1])
    cuts = known[within & (known["change_bps"] <= -SMALLEST_CUT_BPS)]
    rows = sessions.searchsorted(pd.DatetimeIndex(cuts["session"]))
    cycles = np.searchsorted(hikes, cuts["session"].to_numpy())
    facts = zip(rows, cuts["change_bps"], cuts["lower"], cuts["upper"], cycles, strict=True)
    return [Cut(int(row), int(bps), _range(low, high), int(cycle)) for row, bps, low, high, cycle in facts]


def cycles_of(cuts: list[Cut], sessions: pd.DatetimeIndex) -> list[tuple[str, int, int]]:
    """Easing cycles (cuts without a hike between them) as periods to look at: name, first and last row."""
    periods = []
    for cycle in dict.fromkeys(cut.cycle for cut in cuts):
        rows = [cut.row for cut in cuts if cut.cycle == cycle]
        first, last = sessions[rows[0]].year, sessions[rows[-1]].year
        name = f"{first}" if first == last else f"{first}–{last % 100:02d}"
        begin, end = max(rows[0] - LEAD_IN_SESSIONS, 0), min(rows[-1] + AFTERMATH_SESSIONS, len(sessions) - 1)
        periods.append((name, begin, end))
    return periods


def follows_cuts(result: Result) -> bool:
    """Is a window after rate cuts part of the strategy's evidence?"""
    return any(evidence.name == "cut_window" for evidence in result.decision.evidence)


def cut_before_start(result: Result) -> np.datetime64 | None:
    """Day of the cut whose window was already open when the test began; None when there is none."""
    window = next((e for e in result.decision.evidence if e.name == "cut_window"), None)
    if window is None or not window.values[result.begin] > 0:
        return None
    policy = result.market.policy
    known = policy[(policy["change_bps"] < 0) & (policy["session"] <= result.sessions[0])]
    if known.empty or known["session"].iloc[-1] == result.sessions[0]:
        return None
    return np.datetime64(known["date"].iloc[-1], "D")


def _range(low: float, high: float) -> str:
    return f"{high:.2f}%" if low == high else f"{low:.2f}–{high:.2f}%"
