"""Evidence now: the last value of each series that the strategy decides by, and where it would turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.decision import Evidence
from backtest.pages.payload import unit_of
from backtest.result import Result
from backtest.text import UNDEFINED, number


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One series at the last close, in words: its value, what it says by itself, at which level it would turn."""

    label: str
    value: str
    says: str
    turns_at: str


def evidence_rows(result: Result) -> Sequence[EvidenceRow]:
    """A line per series of the strategy's evidence."""
    return [_row(evidence) for evidence in result.decision.evidence]


def _row(evidence: Evidence) -> EvidenceRow:
    lean = np.nan if evidence.leans is None else float(evidence.leans[-1])
    says = UNDEFINED if np.isnan(lean) else {1.0: "small", 0.0: "growth"}.get(lean, f"{number(100 * lean, 0)}% small")
    value = _worded(evidence, evidence.values[-1])
    return EvidenceRow(evidence.label or evidence.name, value, says, _turn(evidence, lean))


def _turn(evidence: Evidence, lean: float) -> str:
    """The level at which what it says would change: the lower line from small, the upper one from growth."""
    lines = sorted(evidence.thresholds)
    if not lines:
        return UNDEFINED
    if np.isnan(lean):
        return " or ".join(_worded(evidence, line) for line in dict.fromkeys(lines))
    return _worded(evidence, lines[0] if lean >= 1 else lines[-1])


def _worded(evidence: Evidence, value: float) -> str:
    unit, factor, digits = unit_of(evidence.unit)
    shown = max(digits - 1, 1) if digits else 0
    text = number(float(value) * factor, shown, "+" if evidence.unit == "return" else "")
    return text if text == UNDEFINED else f"{text} {unit}".strip()
