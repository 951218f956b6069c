"""Signals: pure functions of a Market. Row t of what they return is knowable at the close of t; none of them shifts
for execution, which is the engine's business.
"""

from backtest.signals.combine import all_of, any_of, latch
from backtest.signals.evidence import cut_evidence, lead_evidence
from backtest.signals.periods import Period, last_of_period
from backtest.signals.policy import CutState, cut_window
from backtest.signals.scores import leg_return, relative_return

__all__ = [
    "CutState",
    "Period",
    "all_of",
    "any_of",
    "cut_evidence",
    "cut_window",
    "last_of_period",
    "latch",
    "lead_evidence",
    "leg_return",
    "relative_return",
]
