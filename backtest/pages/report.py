"""Report: one Result as one page that a professional would send to a client.

The view (every number of every table) and the chart data are settled here; the template prints, the script draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.config import dump_yaml, resolved
from backtest.market import Floats
from backtest.metrics import calendar_of, drawdown, exposures_in
from backtest.pages import charts
from backtest.pages.alternatives import alternatives_of, rotating_sentence
from backtest.pages.charts import Chart, axis, dots, heading, label, level, line, margins, rounded, unseen
from backtest.pages.cycles import cycle_view, event_view
from backtest.pages.figures import evidence_rows, figure_rows
from backtest.pages.legs import NEUTRAL, benchmark_tone, leg_looks
from backtest.pages.more import more_charts, more_view
from backtest.pages.periods import Cut, Days, cuts_of, cycles_of, heat_rows, worst_falls, year_rows
from backtest.pages.prose import SHOWN_BENCHMARKS, caveats_of, headline, known_for, lede, now_because, tiles
from backtest.pages.rebalances import (
    CHANGE,
    Holding,
    HoldingPeriod,
    Rebalance,
    account_of,
    all_cash,
    costs_of,
    holding_periods_of,
    own_bps,
    rebalances_of,
)
from backtest.pages.scores import scores_chart
from backtest.pages.search import search_tile, search_view
from backtest.pages.shell import PageContext, render_page
from backtest.result import Result, holding_words
from backtest.study.search import Search, search, shown_run
from backtest.study.timing import describe_timing
from backtest.study.verdict import verdict_of_run
from backtest.text import SIGNED, day, unit_of

MOST_LISTED = 1500
"""Rows of the table of trades: all of them in any sane test, and below 7 MB in any other."""

MOST_DRAWN = 8
"""Benchmarks in the charts; beyond, lines cannot be told apart."""

EXACT_BELOW_USD = 20_000.0
"""Accounts that were ever smaller are drawn from cents."""

LONG_RULE = 200
"""Letters from which the strategy's sentence is folded away, so that the chart stays on the first screen."""


def render_report(result: Result, context: PageContext, known: Search | None = None) -> str:
    """The whole page as text; the same bytes for the same input.

    known: what luck explains, in the light of all trials known; without it, of this run alone.
    """
    account = account_of(result)
    rebalances = rebalances_of(result, account)
    view = view_of(result, rebalances, holding_periods_of(result, account, rebalances))
    found = known or search(shown_run(result), None)
    first = next(map(benchmark_label, result.benchmarks), None)
    view["tiles"] = tiles(result, rebalances, view["alternatives"], search_tile(found.findings[0], found, first))
    view["luck"] = search_view(
        verdict_of_run(result, found), found.findings[0], found, first, describe_timing(result).sentences
    )
    return render_page("report.html.j2", view, chart_data(result, rebalances), context)


def view_of(result: Result, rebalances: Sequence[Rebalance], periods: Sequence[HoldingPeriod]) -> dict[str, Any]:
    """What the template prints, top to bottom."""
    days = result.sessions.to_numpy().astype("datetime64[D]")
    return {
        "days": days,
        "legs": leg_looks(result.legs),
        **_first_screen(result, rebalances, days),
        **_comparison(result, days),
        **_trades(periods),
        "warnings": caveats_of(result, periods),
        "evidence": evidence_rows(result),
        "is_rank": result.decision.standing is not None,
        "rebalances": len(rebalances),
        "all_figures": figure_rows(result, in_key=False),
        **_costs(result, rebalances, days),
        **more_view(result, periods, days),
        **cycle_view(result),
        **event_view(result),
        **_origin(result),
    }


def _first_screen(result: Result, rebalances: Sequence[Rebalance], days: Days) -> dict[str, Any]:
    first = next(iter(result.benchmarks), None)
    benchmark = result.benchmarks[first].equity if first else None
    falls = worst_falls(result.books.equity, result.shares, benchmark)
    return {
        "title": result.config.name,
        "is_simulated": result.market.is_simulated,
        "is_monthly": result.market.is_monthly,
        "period": (days[0], days[-1]),
        "known_for": known_for(result),
        "cash": float(result.books.equity[0]),
        "headline": headline(result).replace(" million", "\N{NO-BREAK SPACE}million"),
        "rule": result.rule,
        "is_long_rule": len(result.rule) > LONG_RULE,
        "lede": lede(result, falls[0] if falls else None),
        "now": now_because(result),
        "key_figures": figure_rows(result, in_key=True, most=SHOWN_BENCHMARKS),
        "terms": result.plan.terms,
        "audit": result.audit_words.replace("`", ""),
        "is_audited": result.audited is not None,
        "is_raw": result.config.execution.accounting == "raw",
        "cost_bps": own_bps(result),
        "falls": falls,
    }


def _comparison(result: Result, days: Days) -> dict[str, Any]:
    """Against the benchmarks, by year; and the months."""
    names = list(result.benchmarks)
    market, curve, looks = result.market, result.books.equity, leg_looks(result.legs)
    calendar = calendar_of(days, periods_per_year=market.periods_per_year, exchange_sessions=market.exchange_sessions)
    curves = {"": curve, **{name: result.benchmarks[name].equity for name in names[:SHOWN_BENCHMARKS]}}
    return {
        "first": benchmark_label(names[0]) if names else None,
        "names": ["Strategy", *map(benchmark_label, names)],
        "tones": ["ink", *(benchmark_tone(looks, name) for name in names)],
        "shown": SHOWN_BENCHMARKS + 1,
        "benches": [(str(k), benchmark_label(name)) for k, name in enumerate(names[:MOST_DRAWN], 1)],
        "has_mix": any(benchmark_label(name) != name for name in names),
        "has_rolling": bool(names) and len(days) > market.periods_per_year,
        "year_sessions": market.periods_per_year,
        "heat": heat_rows(curve, days, calendar),
        "years": year_rows(curves, days, calendar),
    }


def _trades(periods: Sequence[HoldingPeriod]) -> dict[str, Any]:
    """The newest holdings, and how many of those in another leg than the first paid."""
    held = {each.rebalance.holding.tone: each.rebalance.holding for each in periods}
    paid = []
    for tone, holding in held.items():
        own = [e for e in periods if e.rebalance.is_change and e.rebalance.holding.tone == tone]
        gains = [each.gained for each in own if each.gained is not None]
        if holding.leg and holding.leg is not holding.legs[0] and gains:
            paid.append((holding.leg.label, holding.legs[0].label, sum(gain > 0 for gain in gains), len(gains)))
    return {
        "holdings": periods[::-1][:MOST_LISTED],
        "holding_count": len(periods),
        "held": [
            (tone, each.leg.label if each.leg else "a mix" if tone == NEUTRAL else tone) for tone, each in held.items()
        ],
        "has_sides": len(held) > 1,
        "is_all_changes": all(each.rebalance.is_change for each in periods),
        "paid_off": paid,
    }


def _costs(result: Result, rebalances: Sequence[Rebalance], days: Days) -> dict[str, Any]:
    calendar = calendar_of(days)
    alternatives = alternatives_of(result)
    return {
        "costs": costs_of(result, rebalances, calendar),
        "alternatives": alternatives,
        "rotating": rotating_sentence(result, alternatives),
        "is_one_year": calendar.is_one_year,
        "average": holding_words(result.legs, exposures_in(result.metrics, result.legs)),
        "turnover": result.metrics["turnover_annual"],
    }


def _origin(result: Result) -> dict[str, Any]:
    """Where the data are from; no place on this machine, so that the page is the same on another one."""
    config = resolved(result.config)
    if "folder" in config["data"]["prices"]:
        config["data"]["prices"]["folder"] = "as in config.yaml"
    return {
        "sources": result.market.sources,
        "notes": result.market.notes,
        "tbill": None if result.market.tbill is None else result.market.tbill_name,
        "config": dump_yaml(config),
    }


def chart_data(result: Result, rebalances: Sequence[Rebalance]) -> dict[str, Any]:
    """Dates stand once; equity in whole dollars, what was held as the rebalances alone."""
    days, cuts = result.sessions.to_numpy().astype("datetime64[D]"), cuts_of(result)
    series = _series(result)
    data: dict[str, Any] = {
        **charts.day_gaps(days),
        "base": charts.BASE,
        "cycles": cycles_of(list(cuts), result.sessions, result.market.periods_per_year),
        "runs": {"held": _runs(result, rebalances, days)},
        "arrays": {f"equity{k}": own["values"] for k, own in enumerate(series)},
        "charts": {},
    }
    for k, own in enumerate(series[:2]):
        data["arrays"][f"fall{k}"] = rounded(100 * drawdown(own["equity"]), 2)
    data["charts"]["equity"] = _equity_chart(result, rebalances, series, cuts, days)
    year = result.market.periods_per_year
    if len(series) > 1 and len(days) > year:
        for k, own in enumerate(series[1:], 1):
            data["arrays"][f"ahead{k}"] = rounded(
                100 * (_rolling(series[0]["equity"], year) - _rolling(own["equity"], year)), 2
            )
        data["charts"]["active"] = _active_chart(series, cuts, days)
    if result.decision.evidence:
        for k, evidence in enumerate(result.decision.evidence):
            factor, digits = unit_of(evidence.unit)[1:]
            own_values = np.asarray(evidence.values, dtype=np.float64)[result.begin :] * factor
            data["arrays"][f"evidence{k}"] = rounded(own_values, digits + 1)
        is_rank = result.decision.standing is not None
        data["charts"]["why"] = (
            scores_chart(result, days) if is_rank else _evidence_chart(result, rebalances, cuts, days)
        )
    arrays, more = more_charts(result, rebalances, days)
    data["arrays"] |= arrays
    data["charts"] |= more
    return data


def _series(result: Result) -> list[dict[str, Any]]:
    """The strategy and its benchmarks; those of one colour are drawn with other dashes."""
    lowest = min(float(books.equity.min()) for books in (result.books, *result.benchmarks.values()))
    digits, looks = 0 if lowest > EXACT_BELOW_USD else 2, leg_looks(result.legs)
    rows: list[dict[str, Any]] = []
    named = [("Strategy", "ink", result.books)]
    named += [
        (benchmark_label(n), benchmark_tone(looks, n), b) for n, b in list(result.benchmarks.items())[:MOST_DRAWN]
    ]
    for name, tone, books in named:
        nth = sum(row["tone"] == tone for row in rows)
        equity = books.equity
        rows.append(
            {
                "name": name,
                "tone": tone,
                "dash": charts.dash_of(tone, nth),
                "equity": equity,
                "values": rounded(equity, digits),
            }
        )
    return rows


def _rolling(equity: Floats, periods: int) -> Floats:
    return np.concatenate([np.full(periods, np.nan), equity[periods:] / equity[:-periods] - 1])


def _runs(result: Result, rebalances: Sequence[Rebalance], days: Days) -> dict[str, list[Any]]:
    """What was held from one rebalance to the next, with its reason, for the readouts."""
    start = [(0, all_cash(leg_looks(result.legs)), True, "before the first purchase")]
    held = start + [(each.row, each.holding, each.is_change, each.reason) for each in rebalances]

    def noted(row: int, is_change: bool, reason: str) -> str:
        small = reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason
        return f"{' since' if is_change else ', rebalanced'} {day(days[row])}: {small}"

    return {
        "rows": [row for row, *_ in held],
        "tones": [holding.tone for _, holding, *_ in held],
        "labels": [holding.label for _, holding, *_ in held],
        "notes": [noted(row, is_change, reason) for row, _, is_change, reason in held],
    }


def _held_areas(result: Result, rebalances: Sequence[Rebalance], days: Days) -> tuple[list[str], list[list[float]]]:
    """Days of the rebalances and the end, and for each leg its share of the account from there on."""
    held: list[tuple[int, Holding]] = [(0, all_cash(leg_looks(result.legs)))]
    held += [(each.row, each.holding) for each in rebalances]
    held += [(len(days) - 1, held[-1][1])]
    shares = np.array([holding.of_account for _, holding in held])
    return [str(days[row]) for row, _ in held], np.round(shares, 4).T.tolist()


def _area(x: list[str], y: list[float], fill: str, yaxis: str) -> Chart:
    """A share as a step area: few points, and right for any share between 0 and 1; rectangles are neither."""
    own = {"fill": "tozeroy", "fillcolor": fill, "yaxis": yaxis}
    return line(y, fill, x=x, width=0, **own) | {"line": {"width": 0, "shape": "hv"}}


def _tints(result: Result, rebalances: Sequence[Rebalance], days: Days, yaxis: str) -> list[Chart]:
    """The times in every leg but the first, as a tint behind the curves."""
    if sum(each.is_change for each in rebalances) < 2:
        return []
    x, shares = _held_areas(result, rebalances, days)
    looks = leg_looks(result.legs)
    return [_area(x, y, f"@{look.tone}/.13", yaxis) for look, y in list(zip(looks, shares, strict=True))[1:]]


def _ribbon(result: Result, rebalances: Sequence[Rebalance], days: Days, yaxis: str) -> list[Chart]:
    """Shares of the account stacked by leg, the last one at the bottom, over what waits in cash."""
    x, shares = _held_areas(result, rebalances, days)
    stacked = np.cumsum(np.array(shares)[::-1], axis=0)[::-1].round(4).tolist()
    areas = [_area(x, y, f"@{look.tone}", yaxis) for look, y in zip(leg_looks(result.legs), stacked, strict=True)]
    return [_area(x, [1.0] * len(x), "@cash", yaxis), *areas]


def _cut_marks(cuts: Sequence[Cut], days: Days, yaxis: str) -> Chart:
    """Markers outside an axis are dropped: the cuts have an axis of their own above the plot."""
    own = {"symbol": "triangle-down", "size": 7}
    return dots(
        [str(days[cut.row]) for cut in cuts], [0.5] * len(cuts), "@ink", yaxis=yaxis, cliponaxis=False, marker=own
    )


def _cut_lines(cuts: Sequence[Cut], days: Days, y0: float = 0.0) -> list[Chart]:
    own: Chart = {"yref": "paper", "layer": "below", "dash": "2px,2px"}
    return [charts.rule(str(days[c.row]), y0, str(days[c.row]), 0.97, "@faint", **own) for c in cuts]


def _waits_in_cash(result: Result, rebalances: Sequence[Rebalance]) -> bool:
    """Was any part of the account in cash, beyond the session before the first purchase?"""
    late = not rebalances or rebalances[0].row > result.plan.lag + 1
    return late or any(each.holding.cash > CHANGE for each in rebalances)


def _equity_chart(
    result: Result, rebalances: Sequence[Rebalance], series: list[dict[str, Any]], cuts: Sequence[Cut], days: Days
) -> Chart:
    """Values, what was held, and drawdowns, one below the other."""
    cash = float(result.books.equity[0])
    meta = {"rebase": cash}
    curves = [
        line(
            f"#equity{k}", f"@{own['tone']}", yaxis="y2", width=1.1 if k else 2, dash=own["dash"],
            meta=meta | {"label": ("" if k else "<b>") + label(charts.short(own["name"])) + ("" if k else "</b>")},
        )
        for k, own in enumerate(series)
    ]  # fmt: skip
    tinted = _tints(result, rebalances, days, "y")
    legend = _held_legend(result, rebalances, is_tinted=bool(tinted), has_cuts=bool(cuts))
    against = f", with {label(series[1]['name'])}" if len(series) > 1 else ""
    falls = [line("#fall1", f"@{series[1]['tone']}", yaxis="y4", width=1)] if len(series) > 1 else []
    falls.append(line("#fall0", "@ink", yaxis="y4", width=1.4, fill="tozeroy", fillcolor="@grid"))
    right = max(len(charts.short(own["name"])) for own in series) * 7 + 16
    top, ribbon, low = (0.39, 0.96), (0.30, 0.335), (0.0, 0.235)
    money = axis(domain=top, overlaying="y", type="log", tickformat="$~s", nticks=4)
    return {
        "height": 400,
        "narrow": {"height": 262, "ends": None, "layout": {"margin": {"r": 12}, "xaxis": {"nticks": 5}}},
        "paper": {"height": 300},
        "data": [
            *tinted, _cut_marks(cuts, days, "y5"), *curves[1:], curves[0],
            *_ribbon(result, rebalances, days, "y3"), *falls,
        ],
        "layout": {
            "margin": margins(right=right), "cuts": _cut_lines(cuts, days),
            "xaxis": charts.days_axis(anchor="y4"),
            "yaxis": unseen(top), "yaxis2": money, "yaxis3": unseen(ribbon),
            "yaxis4": axis(domain=low, ticksuffix="%", nticks=4), "yaxis5": unseen((0.97, 1.0)),
            "annotations": [heading(legend, ribbon[1] + 0.006), heading(f"Drawdown{against}", low[1] + 0.006)],
        },
        "view": "log",
        "views": {"log": {}, "linear": {"layout": {"yaxis2": {"type": "linear"}}}},
        "fit": {"yaxis2": {"pad": 0.04}, "yaxis4": {"pad": 0.04, "include": [0, -0.1]}},
        "ends": "yaxis2",
        "readout": _equity_readout(series, cuts, meta),
    }  # fmt: skip


def _held_legend(result: Result, rebalances: Sequence[Rebalance], *, is_tinted: bool, has_cuts: bool) -> str:
    """The legs and cash by colour, and what the marks on top are."""
    words = [
        f'<span style="color:@@{leg.tone}">■</span> {label(charts.short(leg.label, 13))}'
        for leg in leg_looks(result.legs)
    ]
    words = [words[0], *(f"{word}, tinted above" if is_tinted else word for word in words[1:])]
    words += ['<span style="color:@@cash">■</span> cash'] if _waits_in_cash(result, rebalances) else []
    return " ".join(["Held:", *words, *(["   ▼ Fed cut"] if has_cuts else [])])


def _equity_readout(series: list[dict[str, Any]], cuts: Sequence[Cut], meta: Chart) -> list[Chart]:
    """The values of a session, its drawdown or cut, and what was held with its reason."""
    told = {str(cut.row): f"▼ Fed cut {-cut.bps} bps to {cut.target}" for cut in cuts}
    held = [
        {"value": "fall0", "name": "Drawdown", "format": ["", 1, "%"], "events": told},
        {"runs": "held", "before": "Holds "},
    ]
    values = [
        {"value": f"equity{k}", "name": own["name"], "tone": own["tone"], "meta": meta, "format": ["$", 0]}
        for k, own in enumerate(series)
    ]
    return [{"date": 1}, *values, {"line": held}]


def _active_chart(series: list[dict[str, Any]], cuts: Sequence[Cut], days: Days) -> Chart:
    """Return over the last year minus a benchmark's; a switch chooses which."""
    views = {}
    for k, own in enumerate(series[1:], 1):
        ahead = f"#ahead{k}"
        name = f"one year, strategy minus {own['name']}:"
        views[str(k)] = {
            "data": [
                line(ahead, "@gain", width=0, fill="tozeroy", fillcolor="@gain/.3", meta={"only": 1}),
                line(ahead, "@loss", width=0, fill="tozeroy", fillcolor="@loss/.3", meta={"only": -1}),
                line(ahead, "@ink", width=1.4),
            ],
            "readout": [
                {"date": 1},
                {"value": f"ahead{k}", "name": name, "format": ["", 1, " points", "+"], "none": "not yet known"},
            ],
        }
    return {
        "height": 420, "narrow": {"height": 320, "layout": {"xaxis": {"nticks": 5}}}, "paper": {"height": 200},
        "data": [_cut_marks(cuts, days, "y2")], "view": "1", "views": views, "readout": [{"date": 1}],
        "layout": {
            "margin": margins(), "cuts": _cut_lines(cuts, days), "shapes": [level("y", 0)], "xaxis": charts.days_axis(),
            "yaxis": axis(domain=[0, 0.97]), "yaxis2": unseen((0.97, 1.0)),
        },
        "fit": {"yaxis": {"include": [0]}},
    }  # fmt: skip


PANEL, PAPER_PANEL, PAPER_PANELS = 165, 76, 320
"""Height of a panel, on a screen and at most on paper, and of all of them on paper, px."""


def _evidence_chart(result: Result, rebalances: Sequence[Rebalance], cuts: Sequence[Cut], days: Days) -> Chart:
    """A panel for each series that the strategy decides by, with the levels at which it turns."""
    evidence = result.decision.evidence
    n = len(evidence)
    height = 60 + PANEL * n
    inner = height - charts.TOP - charts.BOTTOM
    layout: Chart = {
        "margin": margins(),
        "cuts": _cut_lines(cuts, days),
        "shapes": [],
        "annotations": [],
        "yaxis90": unseen((1 - 10 / inner, 1.0)),
    }
    data, step = [_cut_marks(cuts, days, "y90")], (1 - 12 / inner) / n
    fit: Chart = {}
    readout: list[Chart] = [{"date": 1}]
    for k, own in enumerate(evidence):
        unit, factor, digits = unit_of(own.unit)
        name, below, lines = f"y{k + 1 if k else ''}", f"y{40 + k}", [round(t * factor, 6) for t in own.thresholds]
        domain = [(n - 1 - k) * step + (10 / inner if k < n - 1 else 0), (n - k) * step - 20 / inner]
        key, is_steps, title = name.replace("y", "yaxis"), own.unit == "sessions", own.label or own.name
        layout[below.replace("y", "yaxis")] = unseen(domain)
        layout[key] = axis(domain=domain, overlaying=below, nticks=5)
        data += _tints(result, rebalances, days, below)
        data.append(line(f"#evidence{k}", "@ink", yaxis=name, line={"shape": "hv" if is_steps else "linear"}))
        layout["shapes"] += [level(name, y) for y in lines]
        told = f", {unit.strip()}" if unit and unit.strip().lower() not in title.lower() else ""
        layout["annotations"].append(heading(label(title + told), domain[1] + 2 / inner))
        fit[key] = {"include": [*lines, 5] if is_steps else lines}
        form = ["", digits, unit, "+" if own.unit in SIGNED else ""]
        brief = title.split(",")[0]
        readout.append(
            {"value": f"evidence{k}", "name": brief[:1].lower() + brief[1:], "format": form, "none": "not known"}
        )
    layout["xaxis"] = charts.days_axis(anchor=f"y{n}" if n > 1 else "y")
    return {
        "height": height, "narrow": {"layout": {"xaxis": {"nticks": 5}}},
        "paper": {"height": 60 + min(PAPER_PANEL * n, PAPER_PANELS)},
        "data": data, "layout": layout, "fit": fit,
        "readout": [*readout, {"runs": "held", "before": "holds ", "isShort": 1}],
    }  # fmt: skip
