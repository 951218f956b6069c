"""Payload: the arrays that the charts draw, as one block of JSON in the page.

Dates stand once, as gaps in days; equity in whole dollars; what was held as the rebalances alone. Numbers of tables are
not here: those are made in Python and printed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest import two_legs
from backtest.account.benchmarks import benchmark_label
from backtest.decision import Evidence
from backtest.market import Floats
from backtest.pages.cuts import Cut, cycles_of
from backtest.pages.moves import ALL_CASH, CHANGE, Move
from backtest.result import Result

MOST_DRAWN = 8
"""Benchmarks in the charts; beyond, lines cannot be told apart."""

EXACT_BELOW_USD = 20_000.0
"""Accounts that were ever smaller are drawn from cents."""

UNITS = {"return": ("points", 100.0, 2), "sessions": ("sessions", 1.0, 0), "bps": ("bps", 1.0, 1),
         "probability": ("%", 100.0, 2), "share": ("%", 100.0, 2), "percent": ("%", 1.0, 3), "sd": ("sd", 1.0, 3),
         "cuts": ("cuts", 1.0, 3)}  # fmt: skip
"""Unit of an evidence series -> word on the page, factor, digits; any other is printed as it is."""

OTHER_DIGITS = 4


def payload_of(result: Result, moves: Sequence[Move], cuts: Sequence[Cut]) -> str:
    """JSON that may stand inside a script element."""
    days = result.sessions.to_numpy().astype("datetime64[D]")
    has_sides = sum(move.is_change for move in moves) > 1
    data = {
        "first": str(days[0]),
        "gaps": np.diff(days).astype(int).tolist(),
        "cash": float(result.books.equity[0]),
        "year": result.market.periods_per_year,
        "series": _series(result),
        "held": [_held(0, ALL_CASH, True, "before the first purchase"), *map(_held_from, moves)],
        "tinted": has_sides,
        "cash_held": _waits_in_cash(result, moves),
        "cuts": [[cut.row, cut.bps, cut.target] for cut in cuts],
        "cycles": cycles_of(list(cuts), result.sessions),
        "evidence": [_evidence(evidence, result.begin) for evidence in result.decision.evidence],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c")


def tone_of(result: Result, benchmark: str) -> str:
    """A benchmark takes the colour of the leg it belongs to; a mix and any other ticker is grey."""
    if benchmark in result.legs[result.legs.names[0]]:
        return "growth"
    return "small" if benchmark in two_legs.second(result.legs) else "mix"


def unit_of(unit: str) -> tuple[str, float, int]:
    """Word on the page, factor and digits of an evidence series."""
    return UNITS.get(unit, (unit, 1.0, OTHER_DIGITS))


def _series(result: Result) -> list[dict[str, Any]]:
    """The strategy and its benchmarks; `nth` counts those of the same colour, which are drawn with other dashes."""
    lowest = min(float(books.equity.min()) for books in (result.books, *result.benchmarks.values()))
    digits = 0 if lowest > EXACT_BELOW_USD else 2
    rows = [{"name": "Strategy", "tone": "ink", "nth": 0, "v": _rounded(result.books.equity, digits)}]
    for name in list(result.benchmarks)[:MOST_DRAWN]:
        tone = tone_of(result, name)
        nth = sum(row["tone"] == tone for row in rows)
        values = _rounded(result.benchmarks[name].equity, digits)
        rows.append({"name": benchmark_label(name), "tone": tone, "nth": nth, "v": values})
    return rows


def _waits_in_cash(result: Result, moves: Sequence[Move]) -> bool:
    """Was any part of the account in cash, beyond the session before the first purchase?"""
    return not moves or moves[0].row > result.plan.first + 1 or any(move.holding.cash > CHANGE for move in moves)


def _held_from(move: Move) -> list[Any]:
    return _held(move.row, move.holding, move.is_change, move.reason)


def _held(row: int, holding: Any, is_change: bool, reason: str) -> list[Any]:
    """Row, share of small and of cash in the whole account, colour, words, is it another side, why."""
    small = round(holding.small * (1 - holding.cash), 4)
    return [row, small, round(holding.cash, 4), holding.tone, holding.label, int(is_change), reason]


def _evidence(evidence: Evidence, begin: int) -> dict[str, Any]:
    unit, factor, digits = unit_of(evidence.unit)
    values = np.asarray(evidence.values, dtype=np.float64)[begin:] * factor
    return {
        "label": evidence.label or evidence.name,
        "unit": unit,
        "digits": min(digits, 2) if unit == "sessions" else max(digits - 1, 1),
        "signed": evidence.unit == "return",
        "steps": evidence.unit == "sessions",
        "lines": [round(threshold * factor, 6) for threshold in evidence.thresholds],
        "v": _rounded(values, digits),
    }


def _rounded(values: Floats, digits: int) -> list[float | int | None]:
    """Rounded numbers, None where there is none; whole ones as integers."""
    rounded = np.round(np.where(np.isfinite(values), values, 0.0), digits) + 0.0
    numbers = rounded.astype(np.int64).tolist() if not digits else rounded.tolist()
    if np.isfinite(values).all():
        return list(numbers)
    return [x if known else None for x, known in zip(numbers, np.isfinite(values).tolist(), strict=True)]
