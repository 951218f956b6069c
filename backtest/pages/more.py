"""More figures: what a tear sheet has beside the report, in one fold; every number is from backtest.metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats
from backtest.metrics import calendar_and_tbill
from backtest.metrics.tearsheet import (
    QUANTILES,
    excess_kurtosis,
    positions,
    rolling,
    skewness,
    trailing,
)
from backtest.pages import charts
from backtest.pages.charts import Chart, axis, dots, heading, label, level, line, margins, rounded
from backtest.pages.legs import leg_looks
from backtest.pages.periods import Days
from backtest.pages.prose import SHOWN_BENCHMARKS
from backtest.pages.rebalances import HoldingPeriod, Rebalance
from backtest.result import Result
from backtest.text import count, number, percent, plural

BINS, CUT = 61, 0.001
"""Bars of the histogram, and the share of returns at each end that is put into the last bar."""

PANELS = (
    ("sharpe", "Sharpe ratio", ["", 2], 1.0, ""),
    ("volatility", "Volatility", ["", 1, "%"], 100.0, "%"),
    ("beta", "Beta", ["", 2], 1.0, ""),
    ("correlation", "Correlation", ["", 2], 1.0, ""),
)
"""Figure, name, how the readout writes it, factor, what stands behind a tick."""


def more_view(result: Result, periods: Sequence[HoldingPeriod], days: Days) -> dict[str, Any]:
    """The tables of the fold."""
    names = list(result.benchmarks)[:SHOWN_BENCHMARKS]
    curves = [result.books.equity, *(result.benchmarks[name].equity for name in names)]
    daily = [_returns(curve) for curve in curves]
    told = [{name: (value, is_rate) for name, value, is_rate in trailing(curve, days)} for curve in curves]
    spread = [
        (f"{percent(q, 0)} of sessions below", [percent(float(np.quantile(r, q)), 2) for r in daily]) for q in QUANTILES
    ]
    shape = [
        ("Skewness", [number(skewness(each)) for each in daily]),
        ("Excess kurtosis", [number(excess_kurtosis(each)) for each in daily]),
    ]
    return {
        "more_names": ["Strategy", *map(benchmark_label, names)],
        "trailing": [
            (f"{name}{', a year' if is_rate else ''}", [percent(each[name][0]) for each in told])
            for name, (_, is_rate) in told[0].items()
        ],
        "spread": spread + shape,
        "positions": _positions(periods),
        "has_benchmark": bool(names),
    }


def _positions(periods: Sequence[HoldingPeriod]) -> list[tuple[str, list[str]]]:
    """All holding periods, and those in each holding."""
    kinds = {each.rebalance.holding.label.split(",")[0]: each.rebalance.holding.tone for each in periods}
    tones = {tone: name if name in kinds and tone != "mix" else "mixes" for name, tone in kinds.items()}
    rows = []
    for name, chosen in [("All", list(periods))] + [
        (name, [each for each in periods if each.rebalance.holding.tone == tone]) for tone, name in tones.items()
    ]:
        found = positions([each.earned for each in chosen], [each.sessions for each in chosen])
        if found is not None:
            cells = [count(found.count), percent(found.win_rate, 0), number(found.profit_factor), percent(found.best)]
            rows.append((name, [*cells, percent(found.worst), plural(round(found.median_sessions), "session")]))
    return rows if len(rows) != 2 else rows[:1]


def more_charts(result: Result, rebalances: Sequence[Rebalance], days: Days) -> tuple[dict[str, Any], dict[str, Chart]]:
    """Arrays and charts of the fold: rolling figures, the legs with a mark at each change, the histogram."""
    arrays, drawn = _rolling_chart(result)
    legs, chart = _legs_chart(result, rebalances, days)
    return arrays | legs, drawn | {"legs": chart, "returns": _histogram(_returns(result.books.equity))}


def _returns(equity: Floats) -> Floats:
    return np.asarray(equity[1:] / equity[:-1] - 1)


def _rolling_chart(result: Result) -> tuple[dict[str, Any], dict[str, Chart]]:
    year, equity = result.market.periods_per_year, result.books.equity
    if len(equity) <= year + 1:
        return {}, {}
    other = next((_returns(books.equity) for books in result.benchmarks.values()), None)
    _, tbill = calendar_and_tbill(result.market, result.sessions)
    found = rolling(_returns(equity), other, tbill[1:], year, year)
    panels = PANELS if other is not None else PANELS[:2]
    n, arrays, data, fit = len(panels), {}, [], {}
    layout: Chart = {"margin": margins(), "annotations": [], "shapes": []}
    readout: list[Chart] = [{"date": 1}]
    for k, (key, name, form, factor, suffix) in enumerate(panels):
        at, top = str(k + 1) if k else "", 1 - k / n - 0.05
        arrays[f"rolling_{key}"] = rounded(getattr(found, key) * factor, 3)
        data.append(line(f"#rolling_{key}", "@ink", yaxis=f"y{at}", width=1.4))
        layout[f"yaxis{at}"] = axis(domain=[1 - (k + 1) / n + 0.02, top], nticks=5, ticksuffix=suffix)
        layout["annotations"].append(heading(name, top + 0.005))
        if key != "volatility":
            layout["shapes"].append(level(f"y{at}", 1 if key in ("beta", "correlation") else 0, "@faint"))
        fit[f"yaxis{at}"] = {"include": [1] if key in ("beta", "correlation") else [0]}
        readout.append({"value": f"rolling_{key}", "name": name.lower(), "format": form, "none": "not yet known"})
    layout["xaxis"] = charts.days_axis(anchor=f"y{n}")
    narrow = {"layout": {"xaxis": {"nticks": 5}}}
    chart = {"height": 150 * n, "narrow": narrow, "data": data, "layout": layout, "fit": fit, "readout": readout}
    return arrays, {"rolling": chart}


def _legs_chart(result: Result, rebalances: Sequence[Rebalance], days: Days) -> tuple[dict[str, Any], Chart]:
    """Prices of the legs, total return and daily weights, 1 at the start; a mark where the account moved into one."""
    looks, closes = leg_looks(result.legs), result.market.close
    arrays, data, readout = {}, [], [{"date": 1}]
    for k, look in enumerate(looks):
        prices = closes[list(look.basket)].to_numpy()[-len(days) :]
        growth = (prices[1:] / prices[:-1] - 1) @ np.array(list(look.basket.values()))
        value = np.append(1.0, np.cumprod(1 + np.nan_to_num(growth)))
        arrays[f"leg{k}"] = rounded(value, 4)
        data.append(line(f"#leg{k}", f"@{look.tone}", width=1.3))
        readout.append({"value": f"leg{k}", "name": look.label, "tone": look.tone, "format": ["", 2]})  # type: ignore[dict-item]
        moved = [each.row for each in rebalances if each.is_change and each.holding.leg == look]
        at = {"symbol": "triangle-up", "line": {"color": "@paper", "width": 0.5}}
        data.append(dots([str(days[row]) for row in moved], rounded(value[moved], 4), f"@{look.tone}", 9, marker=at))
    text = ", ".join(f"▲ into {label(look.label)}" for look in looks)
    layout = {
        "margin": margins(top=24), "xaxis": charts.days_axis(), "annotations": [heading(text, 1.0)],
        "yaxis": axis(type="log", nticks=4, tickformat="~r"),
    }  # fmt: skip
    chart = {"height": 320, "data": data, "layout": layout, "fit": {"yaxis": {}}, "readout": readout}
    return arrays, chart | {"narrow": {"layout": {"xaxis": {"nticks": 5}}}}


def _histogram(returns: Floats) -> Chart:
    """How many sessions returned how much; the few beyond the ends stand in the last bars."""
    low, high = (float(np.quantile(returns, q)) for q in (CUT, 1 - CUT))
    ends = max(abs(low), abs(high), 1e-4)
    edges = np.linspace(-ends, ends, BINS + 1)
    counts, _ = np.histogram(np.clip(returns, -ends, ends), edges)
    middle = 50 * (edges[1:] + edges[:-1])
    told = [
        [-1, f"{plural(int(n), 'session')} from {percent(float(a), 2)} to {percent(float(b), 2)}"]
        for n, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
    ]
    bars = {
        "type": "bar", "x": rounded(middle, 4), "y": counts.tolist(), "hoverinfo": "none", "customdata": told,
        "marker": {"color": ["@loss" if x < 0 else "@gain" for x in middle], "opacity": 0.75},
    }  # fmt: skip
    layout = {
        "margin": margins(bottom=42),
        "bargap": 0.1,
        "xaxis": charts.across(None, "return of a session", ticksuffix="%"),
    }
    return {
        "height": 280, "says": "Point at a bar to read it.", "data": [bars],
        "layout": layout | {"yaxis": axis(rangemode="tozero", tickformat=",d")},
    }  # fmt: skip
