"""Curves: what the finalists were worth through time, over the benchmark, thinned to what a chart can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats

if TYPE_CHECKING:
    from backtest.study.findings import Finalist, Findings

MOST_ROWS = 1300
"""Dates of the chart: about one a week in 25 years."""

DIGITS = 4


def drawn_curves(findings: Findings) -> dict[str, Any]:
    """{"over", "days", "curves": [[name, values]]}: each finalist's equity over the first benchmark's, 1 at its start.

    Without a benchmark: over its own starting cash. A finalist that starts later has null before; a point that is a
    finalist twice is drawn once.
    """
    own = {each.number: each for each in reversed(findings.finalists)}
    finalists = [each for each in findings.finalists if own[each.number] is each]
    if not finalists:
        return {"over": None, "days": [], "curves": []}
    sessions = max((each.result.sessions for each in finalists), key=len)
    rows = np.unique(np.linspace(0, len(sessions) - 1, min(MOST_ROWS, len(sessions))).round().astype(np.int64))
    days = sessions[rows]
    names = list(finalists[0].result.benchmarks)
    return {
        "over": benchmark_label(names[0]) if names else None,
        "days": [f"{day:%Y-%m-%d}" for day in days],
        "curves": [[each.why, _at(each, days.to_numpy())] for each in finalists],
    }


def _at(finalist: Finalist, days: np.ndarray[Any, Any]) -> list[float | None]:
    """The relative curve on some days; null before its first session."""
    relative, sessions = relative_wealth(finalist), finalist.result.sessions.to_numpy()
    last = np.searchsorted(sessions, days, side="right") - 1
    return [round(float(relative[row]), DIGITS) if row >= 0 else None for row in last]


def relative_wealth(finalist: Finalist) -> Floats:
    """Equity over the first benchmark's, or over the starting cash without one; 1 at the first session."""
    benchmarks = list(finalist.result.benchmarks.values())
    against = benchmarks[0].equity if benchmarks else np.full(len(finalist.curve), finalist.curve[0])
    return np.asarray(finalist.curve / against)
