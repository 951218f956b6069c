"""A study for scripts: events.json, and the tables beside it. Fractions; null where nothing is defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from backtest.events.cells import EventCell
from backtest.events.study import Events
from backtest.events.verdict import verdict_text
from backtest.statistics.cycles import ByCycle
from backtest.store.tables import day

SCHEMA = 1
MEASURE = (
    "compounded: the return of the one bought at the close that a window begins with and held to its end, less that of "
    "the other; unconditional_mean is the mean of all such windows of the period"
)


def events_json(events: Events) -> dict[str, Any]:
    """What `--json` prints."""
    best = events.best
    pairs: dict[str, dict[str, dict[str, Any]]] = {pair.key: {} for pair in events.pairs}
    details: dict[str, dict[str, dict[str, Any]]] = {pair.key: {} for pair in events.pairs}
    for cell in events.cells:
        pairs[cell.pair.key].setdefault(cell.events.name, {})[cell.window_key] = figures_of(cell)
        details[cell.pair.key].setdefault(cell.events.name, {})[cell.window_key] = _details(cell)
    found = events.search
    trials = None if found is None else {"known": found.trials, "here": found.here, "forgotten": found.forgotten}
    return {
        "schema": SCHEMA,
        "name": events.name,
        "simulated": events.market.is_simulated,
        "period": {"start": day(events.sessions[0]), "end": day(events.sessions[-1]), "sessions": len(events.sessions)},
        "measure": MEASURE,
        "events": {each.name: len(each) for each in events.lists},
        "pairs": pairs,
        "verdict": {
            "key": best.level,
            "text": verdict_text(events),
            "of": {"event": best.events.name, "pair": best.pair.key, "window": best.window_key},
        },
        "trials": trials,
        "details": details,
        "regimes": [
            {"regime": r.name, "pair": r.pair, "sessions": r.sessions, "annual": r.inside,
             "annual_otherwise": r.outside, "t": r.t}
            for r in events.regimes
        ],
        "early_and_late": [
            {"part": t.part, "of": t.member, "annual": t.inside, "t": t.t, "by_cycle": _by_cycle(t.cycles)}
            for t in events.thirds
        ],
    }  # fmt: skip


def figures_of(cell: EventCell) -> dict[str, Any]:
    """The figures of schema 1."""
    found = {
        "n": len(cell.sample.values),
        "mean": cell.sample.mean,
        "median": cell.sample.median,
        "hit": cell.sample.hit,
        "t_naive": cell.t_naive,
        "t_nonoverlapping": cell.t_apart,
        "n_nonoverlapping": cell.n_apart,
        "t_calendar_time": cell.t_calendar,
        "p_placebo": cell.placebo.p,
        "unconditional_mean": cell.unconditional,
    }
    return found if cell.placebo.p is not None else found | {"p_placebo_reason": cell.placebo.reason}


def _details(cell: EventCell) -> dict[str, Any]:
    """What stands beside them."""
    return {
        "mean_from_next_open": cell.from_open,
        "annual_inside": cell.inside,
        "annual_outside": cell.outside,
        "effect_seen": cell.placebo.seen,
        "p_search": cell.p_search,
        "level": cell.level,
        "known": "afterwards" if cell.events.is_hindsight else "at the close of day 0",
        "by_cycle": _by_cycle(cell.cycles),
    }


def _by_cycle(cycles: ByCycle) -> dict[str, Any]:
    return {
        "n": len(cycles.names),
        "means": dict(zip(cycles.names, cycles.values, strict=True)),
        "t": cycles.t,
        "p": cycles.p,
        "positive": cycles.positive,
        "p_signs": cycles.p_signs,
    }


def windows_frame(events: Events) -> pd.DataFrame:
    """A row per list, pair and window: the figures, and what the search says."""
    rows = []
    for cell in events.cells:
        about = {"event": cell.events.name, "pair": cell.pair.key, "window": cell.window_key}
        figures = {key: value for key, value in figures_of(cell).items() if key != "p_placebo_reason"}
        more = {"mean_from_next_open": cell.from_open, "effect_seen": cell.placebo.seen, "p_search": cell.p_search}
        rows.append({**about, **figures, **more, "level": cell.level})
    return pd.DataFrame(rows)


def events_frame(events: Events) -> pd.DataFrame:
    """A row per event and pair: day 0, its own move, and the complete windows."""
    rows = []
    for cell in events.cells:
        paths = events.paths[cell.events.name, cell.pair.key]
        values = dict(zip(cell.sample.rows.tolist(), cell.sample.values.tolist(), strict=True))
        for row, own in zip(cell.events.rows.tolist(), paths.day0.tolist(), strict=True):
            rows.append(
                {
                    "event": cell.events.name,
                    "pair": cell.pair.key,
                    "day": day(events.market.sessions[row]),
                    "day_0": own if np.isfinite(own) else np.nan,
                    "window": cell.window_key,
                    "relative_return": values.get(row, np.nan),
                }
            )
    return pd.DataFrame(rows)
