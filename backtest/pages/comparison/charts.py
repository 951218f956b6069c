"""The charts of a comparison: layouts for all, and for each variant what its being selected changes in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backtest.pages import charts
from backtest.pages.charts import (
    Chart,
    across,
    axis,
    dots,
    label,
    level,
    line,
    margins,
    note,
    rounded,
    rule,
    span,
    ticks,
    upright,
)
from backtest.pages.legs import NEUTRAL, LegLook
from backtest.statistics.overfitting import Overfitting
from backtest.study.curves import Frontier

Variants = Sequence[Mapping[str, Any]]
MANY = 40
"""From so many variants on rows are thin and without names."""

DOT_BINS, DOT_HEIGHT = 40, 11.5
KEPT_DASHES = ["6px,3px", "2px,2px", "9px,3px", "1px,3px"]
HALF = {"width": 330}
"""Half of the page on paper."""


def luck_chart(variants: Variants, lucky: Sequence[float], upper: float, benchmark: str) -> Chart:
    """Fifty lucky bests above what happened, each variant with its interval; the selected one's line parts the dots."""
    n, is_thin = len(variants), len(variants) > MANY
    sharpe = np.array([each["sharpe"] for each in variants])
    low = float(min(np.quantile(sharpe[:, 1], 0.02 if is_thin else 0), lucky[0], sharpe[0, 0])) - 0.05
    high = float(max(sharpe[:, 2].max(), lucky[-1], upper)) + 0.06
    step = (high - low) / DOT_BINS
    stacks = [_stacked(lucky, each["filled"], each["sharpe"][0], step) for each in variants]
    above = (max(y for _, ys, _ in stacks for y in ys) + 1.5) * DOT_HEIGHT + 26
    rows = [n - 1 - k for k in range(n)]
    texts = [[[k, each["words"]["luck"]]] for k, each in enumerate(variants)]
    thick = (0.9, 2.4) if is_thin else (2.0, 3.2)
    sizes = (3, 7) if is_thin else (6, 9)
    ends = {"x": sharpe[:, 1:].tolist(), "y": [[row, row] for row in rows]}
    places = {"x": sharpe[:, :1].tolist(), "y": [[row] for row in rows], "customdata": texts}
    bar: Chart = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    dot: Chart = {"type": "scatter", "mode": "markers", "hoverinfo": "none"}
    names = {"tickvals": [] if is_thin else rows, "ticktext": [] if is_thin else [label(v["label"]) for v in variants]}
    left = 10 if is_thin else min(260, 14 + int(6.9 * max(len(each["label"]) for each in variants)))

    def sized(pitch: int) -> tuple[int, Chart]:
        below = (n + 1) * pitch
        cut = below / (above + below)
        return round(above + below + charts.TOP + 40), {"yaxis": {"domain": [0, cut]}, "yaxis2": {"domain": [cut, 1]}}

    height, domains = sized(4 if is_thin else 18)
    small, narrow = sized(4 if is_thin else 30)
    told = [] if is_thin else [note(label(v["label"]), low, row + 0.16) for v, row in zip(variants, rows, strict=True)]
    title = f"active Sharpe ratio against {benchmark}, a year"
    layout = {
        "margin": margins(left, 10, bottom=40), "xaxis": across([low, high], title, anchor="y"),
        "yaxis": axis(range=[-1, n], showgrid=False, tickmode="array", **names),
        "yaxis2": {"range": [0, above / DOT_HEIGHT], "visible": False, "fixedrange": True},
    } | _luck_lines(upper)  # fmt: skip
    phone = {"margin": {"l": 10}, "yaxis": {"tickvals": [], "ticktext": []}, "annotations": told}
    return {
        "height": height,
        "narrow": {"height": small, "layout": charts.merge(phone, narrow)},
        "says": "", "named": {"yaxis": [] if is_thin else list(range(n))},
        "data": [
            bar | {"per": ends, "rest": {"line": {"color": "@faint", "width": thick[0]}},
                   "front": {"line": {"color": "@role", "width": thick[1]}}},
            dot | {"per": places, "rest": {"marker": {"color": "@muted", "size": sizes[0]}},
                   "front": {"marker": {"color": "@role", "size": sizes[1]}}},
        ],
        "layout": charts.merge(layout, domains),
        "sel": [_luck_view(each, len(lucky), stack) for each, stack in zip(variants, stacks, strict=True)],
    }  # fmt: skip


def _luck_lines(upper: float) -> Chart:
    """Zero, what luck exceeds in 5 of 100 histories, and the floor of the dots."""
    floor = rule(0, 0, 1, 0, "@faint", xref="paper", yref="y2")
    return {
        "shapes": [upright(0, "@faint"), upright(upper, "@muted", dash="4px,3px"), floor],
        "annotations": [note("5% line", upper, -1, xanchor="right", xshift=-4)],
    }


def _luck_view(variant: Mapping[str, Any], lucky: int, stack: tuple[list[Any], list[Any], list[str]]) -> Chart:
    """The lucky bests as dots, those that reach the selected variant filled, and its line."""
    words = f"<b>{variant['filled']} of {lucky}</b> lucky bests (filled) reach the selected variant"
    font = {"size": 12, "color": "@ink"}
    xs, ys, fills = stack
    return {
        "says": variant["words"]["luck"],
        "data": [dots(xs, ys, fills, 9, yaxis="y2", marker={"line": {"color": "@ink", "width": 1.1}})],
        "layout": {
            "shapes": [upright(variant["sharpe"][0], "@sel", dash="2px,2px", width=1.5)],
            "annotations": [note(words, 0, 1, xref="paper", yref="paper", yanchor="top", font=font)],
        },
    }


def _stacked(lucky: Sequence[float], filled: int, at: float, step: float) -> tuple[list[Any], list[Any], list[str]]:
    """Places and fills. Bins start at the variant's line: every filled dot stands right of it, as many as are told."""
    heights: dict[int, int] = {}
    xs, ys, fills = [], [], []
    for k, value in enumerate(lucky):
        is_full = k >= len(lucky) - filled
        away = math.floor((value - at) / step)
        place = max(away, 0) if is_full else min(away, -1)
        xs.append(round(at + (place + 0.5) * step, 4))
        ys.append(heights.get(place, 0) + 0.5)
        fills.append("@ink" if is_full else "rgba(0,0,0,0)")
        heights[place] = heights.get(place, 0) + 1
    return xs, ys, fills


def time_chart(variants: Variants, benchmarks: Sequence[Mapping[str, Any]]) -> Chart:
    """Relative to the benchmark, growth, or drawdown; the selected variant and those kept in front of all others."""
    many = len(variants) > MANY
    metas: dict[str, Chart] = {
        "relative": {"rebase": 1, "over": "bench0"},
        "value": {"rebase": 1},
        "fall": {"fall": 1},
    }
    views = {}
    for view, meta in metas.items():
        form = ["", 1, "%"] if view == "fall" else ["", 2]
        shown = [(k, each) for k, each in enumerate(benchmarks) if view != "relative" or k]
        marks = [line(f"#bench{k}", f"@{each['tone']}", dash=each["dash"], meta=meta) for k, each in shown]
        edges = [line(0, "@cone", width=0, meta={"cone": side}, loose=1) for side in (-1, 1)]
        edges[1] |= {"fill": "tonexty", "fillcolor": "@cone"}
        quiet = line(0, "@quiet", meta=meta | {"step": 4 if many else 2}, per={"series": "curve"}, rest={
            "line": {"color": "@quiet", "width": 0.5 if many else 0.8}, "opacity": 0.4 if many else 0.6, "clip": 0.03,
        })  # fmt: skip
        front = line(0, "@sel", meta=meta, per={"series": "curve"}, front={
            "dashes": KEPT_DASHES, "line": {"color": "@role", "width": 1.7},
        }, sel={"line": {"width": 2.2}})  # fmt: skip
        against = f"@{benchmarks[0]['tone']}" if view == "relative" else "@faint"
        views[view] = {
            "data": [*(edges if view == "relative" else []), quiet, *marks, front],
            "readout": [
                {"date": 1}, {"front": "curve", "meta": meta, "format": form},
                *({"value": f"bench{k}", "name": each["label"], "tone": f"stroke {each['tone']}", "meta": meta,
                   "format": form} for k, each in enumerate(benchmarks)),
            ],
            "layout": {
                "yaxis": {"type": "linear", "ticksuffix": "%"} if view == "fall" else {"type": "log", "nticks": 4},
                "shapes": [] if view == "fall" else [level("y", 1, against, width=1.4)],
            },
            "fit": {"yaxis": {"include": [0]}} if view == "fall" else {},
        }  # fmt: skip
    return {
        "height": 440, "narrow": {"height": 340, "layout": {"xaxis": {"nticks": 5}}}, "paper": {"height": 280},
        "stride": 13, "data": [], "view": "relative", "views": views, "readout": [{"date": 1}],
        "fit": {"yaxis": {"pad": 0.03}},
        "layout": {"margin": margins(), "xaxis": charts.days_axis(), "yaxis": axis(tickformat="~r")},
    }  # fmt: skip


def frontier_chart(variants: Variants, frontier: Frontier, legs: Sequence[LegLook], *, has_line: bool) -> Chart:
    """The variants beside what needs no timing; a ring marks the selected one's own mix.

    Between two legs over the line of their constant mixes, by the share of the second; else by volatility, beside each
    leg alone and equal parts of all.
    """
    at = frontier.shares[:, 1] if has_line else frontier.volatility
    known = [(100 * x, 100 * y) for x, y in zip(at.tolist(), frontier.cagr.tolist(), strict=True)]
    reach = [100 * (v["growth"] + t - v["timing"][0]) for v in variants if v["timing"] for t in v["timing"][1:]]
    ends = [100 * each["growth"] for each in variants] + [y for _, y in known if math.isfinite(y)] + reach
    if has_line:
        data, layout = _line_of_mixes(known, legs)
    else:
        xs = [100 * variant[key] for variant in variants for key in ("place", "mix_place")]
        data, layout = _mixes_by_risk(known, frontier, legs, xs)
    points: Chart = {
        "type": "scatter", "mode": "markers", "hoverinfo": "none",
        "per": {
            "x": [[100 * v["place"]] for v in variants], "y": [[100 * v["growth"]] for v in variants],
            "customdata": [[[k, v["words"]["frontier"]]] for k, v in enumerate(variants)],
        },
        "rest": {"marker": {"color": "@muted", "size": 5 if len(variants) > MANY else 8, "opacity": 0.6}},
        "front": {"marker": {"color": "@role", "size": 10, "line": {"color": "@paper", "width": 1.5}}},
        "sel": {"marker": {"size": 13}},
    }  # fmt: skip
    return {
        "height": 380, "narrow": {"height": 320}, "says": "", "sel": [_beside_its_mix(each) for each in variants],
        "data": [*data, points],
        "layout": {"margin": margins(right=30, bottom=42), "yaxis": axis(range=span(ends), ticksuffix="%"), **layout},
    }  # fmt: skip


def _beside_its_mix(variant: Mapping[str, Any]) -> Chart:
    """What being selected adds: the ring of its own mix, the way to it and its interval."""
    says = f"{variant['words']['frontier']}; the ring is its own constant mix"
    if not variant["timing"]:
        return {"says": says}
    x, at, y = (100 * variant[key] for key in ("place", "mix_place", "growth"))
    gain, *interval = (100 * each for each in variant["timing"])
    low, high = (y + end - gain for end in interval)
    ring = {"symbol": "circle-open", "line": {"width": 2}}
    shapes = [rule(x, low, x, high, "@sel"), rule(at, y - gain, x, y, "@sel", width=2.6)]
    return {"says": says, "data": [dots([at], [y - gain], "@sel", 9, marker=ring)], "layout": {"shapes": shapes}}


Places = Sequence[tuple[float, float]]


def _line_of_mixes(known: Places, legs: Sequence[LegLook]) -> tuple[list[Chart], Chart]:
    first, second = legs
    half = len(known) // 2

    def leg(part: Places, tone: str) -> Chart:
        drawn = [(x, y) for x, y in part if math.isfinite(y)]
        return line([y for _, y in drawn], f"@{tone}", x=[x for x, _ in drawn], width=2.4)

    texts = [f'<span style="color:@@{first.tone}">all {label(first.label)}</span>', "20%", "40%", "60%", "80%",
             f'<span style="color:@@{second.tone}">all {label(second.label)}</span>']  # fmt: skip
    title = f"average share of {second.label}"
    below = across([-3, 103], title, ticks="outside", tickmode="array", tickvals=[*range(0, 101, 20)], ticktext=texts)
    return [leg(known[: half + 1], first.tone), leg(known[half:], second.tone)], {"xaxis": below}


def _mixes_by_risk(
    known: Places, frontier: Frontier, legs: Sequence[LegLook], xs: Sequence[float]
) -> tuple[list[Chart], Chart]:
    own = legs[: len(frontier.legs.names)]
    named = [*((each.label, each.tone) for each in own), *([("equal parts", NEUTRAL)] if len(own) > 1 else [])]
    marks = [(x, y, *each) for (x, y), each in zip(known, named, strict=False) if math.isfinite(x + y)]
    squares = [dots([x], [y], f"@{tone}", 10, marker={"symbol": "square"}) for x, y, _, tone in marks]
    notes = [note(label(name), x, y, yshift=14, font={"color": f"@{tone}", "size": 12}) for x, y, name, tone in marks]
    below = across(span([*xs, *(x for x, *_ in marks)]), "volatility, a year", ticksuffix="%")
    return squares, {"annotations": notes, "xaxis": below}


PART_TONES = ("quiet", "sel", "leg-1", "leg-0")


def parts_chart(variants: Variants) -> Chart:
    """What the selected variant's difference to the benchmark is made of, as a waterfall."""

    def chosen(variant: Mapping[str, Any]) -> Chart:
        parts = [(what, text, 100 * value) for what, text, value in variant["parts"]]
        tones = [*(f"@{tone}" for tone in PART_TONES[: len(parts) - 1][::-1]), "@ink"]
        sizes = [value for *_, value in parts]
        bases = [0.0, *np.cumsum(sizes[:-2]).tolist(), 0.0] if len(sizes) > 1 else [0.0]
        ends = [end for base, size in zip(bases, sizes, strict=True) for end in (base, base + size)]
        bar = {
            "type": "bar", "orientation": "h", "y": [what for what, *_ in parts], "x": sizes, "base": bases,
            "hoverinfo": "skip", "marker": {"color": tones}, "text": [text for _, text, _ in parts],
            "textposition": "outside", "cliponaxis": False, "textfont": {"size": 12, "color": "@ink"},
        }  # fmt: skip
        return {"data": [bar], "layout": {"xaxis": {"range": span([0.0, *ends], 0.2)}}}

    return {
        "height": 250, "isFixed": 1, "data": [], "sel": [chosen(each) for each in variants],
        "layout": {
            "margin": margins(140, bottom=42), "bargap": 0.4, "xaxis": across(None, "points a year"),
            "yaxis": axis(autorange="reversed", showgrid=False, tickfont={"size": 12}),
        },
    }  # fmt: skip


LOGIT_EDGE, LOGIT_BINS = 5.5, 44
MOST_SPLITS = 1200
"""Splits drawn in the scatter, out of 12,870."""


def picking_charts(over: Overfitting, seed: int, periods_per_year: int) -> dict[str, Chart]:
    """Where the winners of one half ranked in the other, 0 in the lower half; a sample of splits as annual ratios."""
    edges = np.linspace(-LOGIT_EDGE, LOGIT_EDGE, LOGIT_BINS + 1)
    counts, _ = np.histogram(np.clip(over.logits - 1e-4, -LOGIT_EDGE, LOGIT_EDGE), edges)
    middle = ((edges[1:] + edges[:-1]) / 2).round(4).tolist()
    shares = rounded(100 * counts / len(over.logits), 3)
    size = min(MOST_SPLITS, len(over.logits))
    drawn = np.sort(np.random.default_rng(seed).choice(len(over.logits), size, replace=False))
    inside, outside = (each[drawn] * periods_per_year**0.5 for each in (over.inside, over.outside))
    x, y = span(inside, 0.05), span([*outside, 0.0], 0.05)
    low, high = max(x[0], y[0]), min(x[1], y[1])
    even = [rule(low, low, high, high, "@muted", dash="2px,2px")] if low < high else []
    bars = {"type": "bar", "x": middle, "y": shares, "width": 0.9 * 2 * LOGIT_EDGE / LOGIT_BINS, "hoverinfo": "skip",
            "marker": {"color": ["@ink" if at < 0 else "@quiet" for at in middle]}}  # fmt: skip
    halves = [
        note("lower half", -LOGIT_EDGE, 1, yref="paper", font={"size": 11, "color": "@ink"}),
        note("upper half", LOGIT_EDGE, 1, yref="paper", xanchor="right"),
    ]
    told = note("dotted: as good again", 1, 1, xref="paper", yref="paper", xanchor="right")
    margin = margins(40, 8, 24, 42)
    logits = {
        "margin": margin, "xaxis": across([-LOGIT_EDGE, LOGIT_EDGE], "rank where not chosen, log odds"),
        "yaxis": axis(rangemode="tozero", ticksuffix="%", nticks=5), "annotations": halves,
        "shapes": [rule(0, 0, 0, 1, yref="paper")],
    }  # fmt: skip
    splits = {
        "margin": margin, "xaxis": across(x, "where chosen"), "yaxis": axis(range=y), "annotations": [told],
        "shapes": [rule(0, 0, 1, 0, "@faint", xref="paper"), *even],
    }  # fmt: skip
    cloud = dots(rounded(inside, 3), rounded(outside, 3), "@ink", 4, marker={"opacity": 0.22})
    return {
        "logits": {"height": 270, "paper": HALF, "data": [bars], "layout": logits},
        "splits": {"height": 270, "paper": HALF, "data": [cloud], "layout": splits},
    }


def alike_chart(variants: Variants, order: Sequence[int], correlation: Sequence[Sequence[float]]) -> Chart:
    """Correlations, alike variants beside each other. order: places on the page; correlation: in this order."""
    n = len(order)
    many = n > MANY
    z = [[round(x, 2) if math.isfinite(x) else None for x in row] for row in correlation]
    gap, side = 0 if many else 1, min(620, max(24 * n, 160))
    left = 8 if many else min(260, 14 + int(6.6 * max(len(each["label"]) for each in variants)))
    ticked = {"tickvals": [] if many else list(range(n)),
              "ticktext": [] if many else [label(variants[place]["label"]) for place in order]}  # fmt: skip
    scale = [[0, "@loss*.6"], [0.5, "@paper"], [0.75, "@ink*.12"], [0.9, "@ink*.42"], [1, "@ink"]]
    bar = {"thickness": 8, "len": 0.7, "outlinewidth": 0, "tickvals": [-1, 0, 1], "ticktext": ["−1", "0", "1"],
           "tickfont": {"size": 11}, "x": 1, "xpad": 8}  # fmt: skip
    heat = {"type": "heatmap", "z": z, "zmin": -1, "zmax": 1, "xgap": gap, "ygap": gap, "hoverinfo": "none",
            "colorscale": scale, "colorbar": bar}  # fmt: skip
    phone = {"margin": {"l": 8}, "yaxis": {"tickvals": [], "ticktext": []}}
    return {
        "height": side + 20, "width": left + side + 60, "narrow": {"height": min(side, 300) + 20, "layout": phone},
        "says": "Point at a cell to read it; a click selects the variant of its row.", "data": [heat],
        "pairs": list(order),
        "named": {"yaxis": [] if many else list(order)},
        "layout": {
            "margin": margins(left, 60, 6, 14), "xaxis": axis(visible=False, range=[-0.5, n - 0.5]),
            "yaxis": axis(range=[n - 0.5, -0.5], showgrid=False, tickmode="array", tickfont={"size": 11}, **ticked),
        },
    }  # fmt: skip


def meter_charts(variants: Variants, common: Mapping[str, Any]) -> dict[str, Chart]:
    """One circumstance changed in many ways; the large dot and the dotted line are the variant as run."""
    costs = common["costs"]
    delays = [str(each) for each in common["delays"]]
    names: dict[str, Chart] = {
        "starts": {"x": "#starts", "axis": charts.days_axis(nticks=5, ticks="")},
        "decision_days": {"x": "#decision_days", "axis": across([-1, len(common["decision_days"])],
                          "sessions after the month’s last"), "bottom": 42},
        "delays": {"x": list(range(len(delays))), "axis": across([-0.5, len(delays) - 0.5], "", **ticks(delays, 20)),
                   "is_line": True},
        "costs": {"x": "#costs", "axis": across(span(costs, 0.04), ""), "is_line": True},
        "neighbours": {"axis": axis(), "bottom": 86},
    }  # fmt: skip
    return {key.replace("_", "-"): _meter(key, own, variants, common) for key, own in names.items()}


def _meter(key: str, own: Mapping[str, Any], variants: Variants, common: Mapping[str, Any]) -> Chart:
    def chosen(variant: Mapping[str, Any]) -> Chart:
        fans, gap = variant["fans"], 100 * variant["parts"][-1][2]
        if fans is None or not fans[key]:
            return {"isEmpty": 1}
        y = [value / 100 for value in fans[key]]
        others = [v / 100 for name in ("decision_days", "delays", "costs", "neighbours") for v in fans[name]]
        x, layout = own.get("x", list(range(len(y)))), {"yaxis": {"range": span([0.0, gap, *others], 0.08)}}
        shapes = [level("y", 0), level("y", gap, "@sel", width=1.4, dash="2px,2px")]
        at = {
            "delays": next((k for k, delay in enumerate(common["delays"]) if delay == fans["own"]["delay"]), None),
            "costs": fans["own"]["cost"], "starts": common["starts"][0],
        }.get(key)  # fmt: skip
        if key == "starts":
            area = line(y, "@muted", x=x, width=1.5, fill="tozeroy", fillcolor="@muted/.22")
            data, shapes, layout["yaxis"]["range"] = [area], shapes[:1], span([0.0, *y], 0.08)
        else:
            mode = "lines+markers" if own.get("is_line") else "markers"
            data = [dots(x, y, "@muted", 6.5, mode=mode, line={"color": "@faint", "width": 1.4})]
        if key == "neighbours":
            near = ticks(fans["near"], 99, 30)
            layout["xaxis"] = near | {"range": [-0.5, len(y) - 0.5], "tickangle": -60, "tickfont": {"size": 10}}
        if at is not None:
            data.append(dots([at], [gap], "@sel", 11, cliponaxis=False))
        return {"data": data, "layout": layout | {"shapes": shapes}}

    layout = {"margin": margins(30, 8, bottom=own.get("bottom", 30)), "xaxis": own["axis"], "yaxis": axis(nticks=5)}
    return {"height": 240, "paper": HALF, "data": [], "layout": layout, "sel": [chosen(each) for each in variants]}
