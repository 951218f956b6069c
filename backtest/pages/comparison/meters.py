"""Meters: what luck with a circumstance made of a variant, as a sentence for each fan and as numbers to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.market import Floats
from backtest.text import number, percent, plural, points
from backtest.units import BPS

if TYPE_CHECKING:
    from backtest.study.comparison import Comparison, Variant
    from backtest.study.luck import Fan, Luck

FANS = {
    "starts": "Starting month",
    "decision_days": "Decision day",
    "delays": "Delay, sessions",
    "costs": "Costs, bps",
    "neighbours": "Neighbours",
}
"""Field of Luck -> heading."""

DEAREST_BPS = 1000.0


def meter_notes(comparison: Comparison, variant: Variant) -> Mapping[str, str]:
    """A sentence or two for each fan; for a variant without meters, none."""
    luck = variant.luck
    if luck is None:
        return {}
    benchmark = comparison.benchmarks[0].label
    starts, days = luck.starts, len(luck.decision_days.values)
    return {
        "starts": f"Ahead of {benchmark} from {starts.ahead} of {plural(len(starts.values), 'starting month')}, to the "
        f"end each time.{_standing(starts)}",
        "decision_days": f"Looked at once a month, on one of {days} days: {_range(luck.decision_days)}."
        f"{_standing(luck.decision_days)}"
        if days
        else "A month has one price here, and so one day to decide on.",
        "delays": f"Traded {', '.join(luck.delays.at)} sessions after the decision: {_range(luck.delays)}.",
        "costs": f"Of traded value; charged {charged_bps(variant):g}: {_breakeven(luck, benchmark)}.",
        "neighbours": f"Each number a little smaller or larger: {_range(luck.neighbours)}.{_standing(luck.neighbours)}"
        if len(luck.neighbours.values)
        else "This variant has no numbers to change.",
    }


def charged_bps(variant: Variant) -> float:
    """What a variant pays on traded value."""
    return float(variant.config.execution.commission_bps + variant.config.execution.slippage_bps)


def absence(comparison: Comparison, variant: Variant) -> str:
    """Why a variant has no meters; empty when it has."""
    if variant.luck is not None:
        return ""
    place = comparison.names.index(variant.name)
    if place in comparison.luck_shown:
        return "This variant trades in its own code, session by session: it cannot be rerun with slight changes."
    return f"Meters are run for the best {len(comparison.luck_shown)} only; this variant is not among them."


def fans_of(variant: Variant) -> dict[str, Any] | None:
    """What is drawn: whole hundredths of a point; labels only where they are the variant's own. None without meters."""
    luck, execution = variant.luck, variant.config.execution
    if luck is None:
        return None
    drawn: dict[str, Any] = {name: hundredths(getattr(luck, name).values) for name in FANS}
    own = {"delay": execution.delay_sessions, "cost": round(charged_bps(variant), 4)}
    return drawn | {"near": [_parameter(text) for text in luck.neighbours.at], "own": own}


def circumstances(luck: Luck) -> dict[str, Any]:
    """What the fans of all variants share: starting days, offsets, delays, costs."""
    return {
        "starts": list(luck.starts.at),
        "decision_days": [int(text) for text in luck.decision_days.at],
        "delays": [int(text) for text in luck.delays.at],
        "costs": [float(text) for text in luck.costs.at],
    }


def hundredths(values: Floats) -> list[int]:
    """Fractions as whole basis points, hundredths of a percentage point."""
    return [int(value) for value in np.round(values / BPS)]


def _parameter(text: str) -> str:
    """`lookback_sessions 101` without the unit, which would not fit under its dot."""
    return text.replace("_sessions", "").replace("_", " ")


def _range(fan: Fan) -> str:
    return f"{points(float(fan.values.min()))} to {points(float(fan.values.max()))}"


def _standing(fan: Fan) -> str:
    """Where the variant itself stands among the others."""
    share = fan.percentile
    return "" if share is None else f" As run: above {percent(share, 0)} of them."


def _breakeven(luck: Luck, benchmark: str) -> str:
    cost = luck.breakeven_bps
    if cost is None:
        return f"behind {benchmark} even at none"
    if cost >= DEAREST_BPS:
        return f"ahead of {benchmark} even at 1,000"
    return f"level with {benchmark} at {number(cost, 1 if cost < 100 else 0)} bps"
