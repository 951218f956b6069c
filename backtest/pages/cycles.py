"""The easing cycles in the period of a test, as the report shows them: one row each, the evidence undiluted."""

from __future__ import annotations

from typing import Any

from backtest.events.cycles import easing_cycles, with_strategies
from backtest.events.in_cycles import curves_of, pair_of
from backtest.result import Result


def cycle_view(result: Result) -> dict[str, Any]:
    """What the section prints; nothing of it for one leg, or when no cycle began in the period."""
    market, legs = result.market, result.legs
    if len(legs.names) < 2:
        return {"easing_cycles": ()}
    of, over = pair_of(legs)
    cycles = easing_cycles(market, legs[of], legs[over], first=result.sessions[0])
    if not cycles:
        return {"easing_cycles": ()}
    _, mix, begin = curves_of(result.config, market, {}, {})
    return {
        "easing_cycles": with_strategies(cycles, {"own": result.books.equity}, mix, begin),
        "cycle_of": legs.label(of),
        "cycle_over": legs.label(over),
        "cycle_months": tuple(cycles[0].lead),
        "has_early_record": market.policy["date"].iloc[0].year < 1994,
    }
