"""Page: one event study as one self-contained HTML file: is there anything to rotate on?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backtest.events.as_json import MEASURE
from backtest.events.cells import EventCell
from backtest.events.regimes import THIRDS
from backtest.events.study import Events
from backtest.events.verdict import evidence, headline, period_of_window
from backtest.pages.events.charts import chart_data, drawn
from backtest.pages.periods import mood
from backtest.pages.shell import PageContext, Tile, render_page
from backtest.statistics.cycles import ByCycle
from backtest.study.verdict import SHORT, counting, in_hundred
from backtest.text import UNDEFINED, capital, count, number, p_equals, percent, plural, points, probability, title_of

COLUMNS: Mapping[str, Callable[[EventCell], str]] = {
    "n": lambda cell: f"{len(cell.sample.values)} of {len(cell.events)}",
    "mean": lambda cell: points(cell.sample.mean),
    "any time": lambda cell: points(cell.unconditional),
    "median": lambda cell: points(cell.sample.median),
    "above 0": lambda cell: percent(cell.sample.hit, 0),
    "next open": lambda cell: points(cell.from_open),
    "naive t": lambda cell: number(cell.t_naive),
    "t, apart": lambda cell: f"{number(cell.t_apart)} ({cell.n_apart})",
    "t, calendar": lambda cell: number(cell.t_calendar),
    "placebo p": lambda cell: probability(cell.placebo.p),
    "cycles": lambda cell: f"{cell.cycles.positive} of {len(cell.cycles.names)}",
    "t, cycles": lambda cell: number(cell.cycles.t),
    "could be seen": lambda cell: points(cell.placebo.seen, sign=""),
    "p, search": lambda cell: probability(cell.p_search),
}
"""What a table of windows says of each."""


def render_events(events: Events, context: PageContext | None) -> str:
    """The whole page as text; the same bytes for the same input."""
    styles = ("page.css", "study.css")
    return render_page("events.html.j2", view_of(events), chart_data(events), context, styles=styles)


def view_of(events: Events) -> dict[str, Any]:
    """What the template prints."""
    best, market = events.best, events.market
    lists, words = {each.name: each for each in events.lists}, {each.key: each.words for each in events.pairs}
    return {
        "title": title_of(events.name),
        "is_simulated": market.is_simulated,
        "is_monthly": market.is_monthly,
        "first": events.sessions[0].to_numpy(),
        "last": events.sessions[-1].to_numpy(),
        "size": ", ".join(f"{count(len(each))} {each.name.replace('_', ' ')}" for each in events.lists),
        "headline": headline(events),
        "evidence": evidence(events),
        "counting": [] if events.search is None else counting(events.search),
        "tiles": tiles(events),
        "paths": [
            (f"paths{k}", f"{capital(lists[name].words)}: {words.get(pair, pair)}", _told_of_path(events, name, pair))
            for k, (name, pair) in enumerate(drawn(events))
        ],
        "columns": list(COLUMNS),
        "tables": [
            (
                pair.words,
                [
                    (f"{c.events.name.replace('_', ' ')}, {c.window_key}", [write(c) for write in COLUMNS.values()])
                    for c in events.cells
                    if c.pair == pair
                ],
            )
            for pair in events.pairs
        ],
        "has_placebo": len(best.placebo.shifted) > 0,
        "placebo": _placebo_words(best, events),
        "cycles": _cycle_rows(best.cycles),
        "cycles_of": f"{best.pair.words}, {period_of_window(best, events.market.row)}",
        "thirds": _third_rows(events),
        "parts": [f"{part} third" for part in THIRDS],
        "regimes": [
            (f"{r.name}, {r.pair}", [count(r.sessions), points(r.inside), points(r.outside), number(r.t)])
            for r in events.regimes
        ],
        "hindsight": any(not cell.is_trial for cell in events.cells),
        "measure": capital(MEASURE),
        "unit": events.market.row,
        "notes": [*events.notes, *market.notes],
        "sources": market.sources,
    }


def _told_of_path(events: Events, name: str, pair: str) -> str:
    """What stands below a chart: day 0, which is missed."""
    paths = events.paths[name, pair]
    known = paths.day0[np.isfinite(paths.day0)]
    day0 = points(float(known.mean())) if len(known) else UNDEFINED
    return f"{plural(len(paths.days), 'event')}. Day 0 itself moved {day0} points on average, which is in neither half."


def tiles(events: Events) -> list[Tile]:
    """The first screen: the mean, its t if windows did not overlap, the placebo, the level."""
    cell = events.best
    gain = None if cell.sample.mean is None or cell.unconditional is None else cell.sample.mean - cell.unconditional
    tone = {"up": "ahead", "down": "behind", "": ""}[mood(gain or 0.0)]
    what = f"{cell.pair.words}, {cell.events.name.replace('_', ' ')}, {cell.window_key}"
    placebo = cell.placebo
    does = f"{in_hundred(placebo.p)} of 100 other places do as well." if placebo.p is not None else placebo.reason
    boxes = [
        Tile(what, points(cell.sample.mean), "points", f"{points(cell.unconditional)} at any time", tone, is_wide=True),
        Tile("t, apart", number(cell.t_apart), f"naive {number(cell.t_naive)}", f"{cell.n_apart} that do not overlap",
             "", is_wide=True),
        Tile("Placebo", UNDEFINED if placebo.p is None else p_equals(placebo.p), "", capital(does), "", is_wide=True),
    ]  # fmt: skip
    p = "" if cell.p_search is None else p_equals(cell.p_search)
    return [*boxes, Tile("Skill or luck", SHORT[cell.level], "", p, "open", is_wide=True)]


def _placebo_words(cell: EventCell, events: Events) -> str:
    placebo = cell.placebo
    where = f"{cell.pair.words}, {period_of_window(cell, events.market.row)}"
    if placebo.p is None:
        return f"{where}: {placebo.reason}."
    seen = "" if placebo.seen is None else (
        f" At the volatility of these years a true effect of {points(placebo.seen, sign='')} points a window would be "
        "found four times in five."
    )  # fmt: skip
    return (
        f"{where}. The whole calendar of events, clusters and all, is moved to {count(len(placebo.shifted))} other "
        f"places of the same prices: {in_hundred(placebo.p)} of 100 do as well (one-sided {p_equals(placebo.p)}).{seen}"
    )


def _cycle_rows(cycles: ByCycle) -> list[tuple[str, list[str]]]:
    rows = [(name, [points(value)]) for name, value in zip(cycles.names, cycles.values, strict=True)]
    n = len(cycles.names)
    told = f"t {number(cycles.t)} with {n - 1} degrees of freedom" if cycles.t is not None else UNDEFINED
    signs = "" if cycles.p_signs is None else f", {cycles.positive} of {n} above 0 ({p_equals(cycles.p_signs)} by coin)"
    return [*rows, ("together", [told + signs])]


def _third_rows(events: Events) -> list[tuple[str, list[str]]]:
    rows: dict[str, list[str]] = {}
    for third in events.thirds:
        cycles = third.cycles
        told = f"{points(third.inside)} (t {number(cycles.t)}; {cycles.positive} of {len(cycles.names)})"
        rows.setdefault(third.member, []).append(told if cycles.names else UNDEFINED)
    return list(rows.items())
