"""What a report shows of the events its strategy trades on: the easing cycles, and the windows after each event.

One row for each cycle is the evidence undiluted. The windows are those of `backtest events`, from the same functions.
"""

from __future__ import annotations

from typing import Any

from backtest.decision import Evidence
from backtest.events.cycles import easing_cycles, with_strategies
from backtest.events.in_cycles import curves_of, pair_of
from backtest.result import Result
from backtest.text import capital

SHOWN_WINDOWS = 4
"""The longest of those that a study without a word about them looks at: a month to a year, or 3 to 24 months."""

SHOWN_COLUMNS = ("n", "mean", "any time", "above 0", "naive t", "t, apart", "t, calendar", "placebo p", "cycles")


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


def event_view(result: Result) -> dict[str, Any]:
    """What the section on events prints: a table for each list that the strategy reads; none for another strategy."""
    read = {each.event: each for each in result.decision.evidence if each.event}
    tables = [_windows_after(each, result) for each in read.values()] if len(result.legs.names) > 1 else []
    return {"event_tables": [table for table in tables if table]}


def _windows_after(evidence: Evidence, result: Result) -> dict[str, Any]:
    """Words, rows, verdict, and the command that asks for more; empty when no window of it is complete."""
    from backtest.events.cells import Pair, cells_of, usual_windows  # 30 ms that other strategies need not wait for
    from backtest.events.lists import ListTerms, event_list
    from backtest.events.verdict import verdict_by_placebo
    from backtest.pages.events.page import COLUMNS

    legs, market, terms = result.legs, result.market, ListTerms(**evidence.event_terms)
    of, over = pair_of(legs)
    of = evidence.leg if evidence.leg in legs.names and evidence.leg != over else of
    pair = Pair(f"{of}-{over}", (legs.label(of), legs.label(over)), legs[of], legs[over])
    events = event_list(market, evidence.event, terms).between(result.begin, len(market.sessions) - 1)
    cells = cells_of(market, result.begin, [pair], [events], usual_windows(market)[-SHOWN_WINDOWS:], terms)
    if not any(len(cell.sample.values) for cell in cells):
        return {}
    unit = market.row
    asked = [f"--event {evidence.event}", f"--pair {pair.key}"]
    asked += [f"--set events.{k}={v}" for k, v in evidence.event_terms.items() if v != getattr(ListTerms(), k)]
    return {
        "title": f"{capital(pair.words)} after {events.words}",
        "verdict": verdict_by_placebo(cells, unit)[1],
        "columns": SHOWN_COLUMNS,
        "rows": [(f"{c.length} {unit}s", [COLUMNS[name](c) for name in SHOWN_COLUMNS]) for c in cells],
        "command": f"backtest events config.yaml {' '.join(asked)}",
    }
