"""Page: one WalkForward as one self-contained HTML file: was choosing by the past worth anything?

The flow: study -> sweep -> walk-forward -> WALK_FORWARD.HTML, in the visual language of the other pages.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.metrics import metric_of
from backtest.pages.periods import mood
from backtest.pages.shell import PageContext, PrintedFigure, Tile, render_page
from backtest.pages.walk.charts import chart_data
from backtest.pages.walk.paths import paths_view
from backtest.study.walk import WindowChoice
from backtest.study.walk_forward import WalkForward
from backtest.text import capital, count, number, percent, plural, points, span_percent, title_of

JSON_FILE = "walk_forward.json"
COLUMNS = ("cagr", "information_ratio", "sharpe", "volatility", "max_drawdown")


def render_walk(walk: WalkForward, context: PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    return render_page("walk.html.j2", view_of(walk), chart_data(walk), context, styles=("page.css", "study.css"))


def view_of(walk: WalkForward) -> dict[str, Any]:
    """What the template prints."""
    market, benchmark = walk.sweep.market, benchmark_label(walk.sweep.benchmark or "")
    return {
        "title": title_of(walk.sweep.name),
        "is_simulated": market.is_simulated,
        "is_monthly": market.is_monthly,
        "first": walk.sessions[0].to_numpy(),
        "last": walk.sessions[-1].to_numpy(),
        "size": plural(len(walk.sweep.table), "variant"),
        "benchmark": benchmark,
        "headline": headline(walk),
        "lede": lede(walk),
        "tiles": tiles(walk),
        "columns": [metric_of(key).head for key in COLUMNS],
        "rows": [
            (
                benchmark if name == walk.sweep.benchmark else name,
                [
                    PrintedFigure(metric_of(key).write(figures[key]), (JSON_FILE, "figures", name, key))
                    for key in COLUMNS
                ],
            )
            for name, figures in walk.figures.items()
        ],
        "windows": [_window(walk, k, choice) for k, choice in enumerate(walk.choices)],
        "select": metric_of(walk.terms.select).head,
        "paths": paths_view(walk, walk.paths) if walk.paths else None,
        "apart": _apart(walk),
        "notes": market.notes,
        "sources": market.sources,
    }


def headline(walk: WalkForward) -> str:
    """One sentence: was choosing worth anything?"""
    own, held = growth_of(walk, "walk-forward"), growth_of(walk, walk.sweep.benchmark or "")
    benchmark = benchmark_label(walk.sweep.benchmark or "")
    if own is None or held is None:
        return f"Too short to say what choosing by the past was worth against {benchmark}."
    word = "less" if own < held else "more"
    return f"Choosing by the past made {percent(own)} a year, {word} than the {percent(held)} of holding {benchmark}."


def lede(walk: WalkForward) -> list[str]:
    """What to know beside the headline, two paragraphs: what was chosen and how it did; luck."""
    terms = walk.terms
    past = "all years before" if terms.anchored else f"the last {plural(terms.train_years, 'year')}"
    what = "best neighbourhood" if terms.plateau else "best"
    often = "year" if terms.test_years == 1 else plural(terms.test_years, "year")
    metric, all_ = metric_of(terms.select).head, count(len(walk.sweep.table))
    above, windows = round(walk.above_median * len(walk.choices)), plural(len(walk.choices), "window")
    said = [
        *walk.sweep.cautions,
        f"Every {often} the {what} by {metric} over {past} was taken, out of {all_}, and held.",
        (
            f"It then did better than the median of all in {above} of {windows} "
            f"(95% interval {span_percent(walk.above_median_interval)}; luck alone gives 50%)."
        ),
    ]
    inside, outside = (np.nanmean([getattr(choice, name) for choice in walk.choices]) for name in ("inside", "outside"))
    said.append(f"Its {metric} was {number(inside)} on average while it was looked at, {number(outside)} after.")
    distinct = len({choice.number for choice in walk.choices})
    said.append(f"{plural(distinct, 'different variant')} came first; changing between them is paid for.")
    best = growth_of(walk, "best in hindsight")
    if best is not None:
        said.append(f"The best in hindsight would have made {percent(best)} a year: nobody could have known it.")
    return [" ".join(said), " ".join([walk.verdict.headline, *walk.verdict.sentences])]


def tiles(walk: WalkForward) -> list[Tile]:
    """The first screen: against the benchmark, above the median or not, before and after, what hindsight had."""
    own, held = growth_of(walk, "walk-forward"), growth_of(walk, walk.sweep.benchmark or "")
    best, boxes, metric = growth_of(walk, "best in hindsight"), [], metric_of(walk.terms.select).head
    if own is not None and held is not None:
        tone = {"up": "ahead", "down": "behind", "": ""}[mood(own - held)]
        against = f"{percent(own)} against {percent(held)}"
        label = f"vs {benchmark_label(walk.sweep.benchmark or '')}"
        places = [(JSON_FILE, "figures", name, "cagr") for name in ("walk-forward", walk.sweep.benchmark or "")]
        boxes.append(
            Tile(
                label,
                PrintedFigure(points(own - held), *places, times=100),
                "points a year",
                against,
                tone,
                is_wide=True,
            )
        )
    above = f"{round(walk.above_median * len(walk.choices))} of {len(walk.choices)}"
    boxes.append(
        Tile(
            "Above the median of all",
            above,
            "windows",
            f"95% interval {span_percent(walk.above_median_interval)}; luck gives half.",
            "",
            is_wide=True,
        )
    )
    before, after = (np.nanmean([getattr(choice, name) for choice in walk.choices]) for name in ("inside", "outside"))
    boxes.append(
        Tile(f"{capital(metric)}, after", number(after), "", f"{number(before)} when chosen.", "", is_wide=True)
    )
    if best is not None:
        boxes.append(
            Tile(
                "Best in hindsight",
                PrintedFigure(percent(best), (JSON_FILE, "figures", "best in hindsight", "cagr")),
                "a year",
                "Nobody could have known it.",
                "",
                is_wide=True,
            )
        )
    return boxes


def _apart(walk: WalkForward) -> str:
    purge, embargo = walk.terms.purge_sessions, walk.terms.embargo_sessions
    told = [f"the last {plural(purge, 'session')} before a choice are not looked at"] if purge else []
    told += [f"a choice is acted upon {plural(embargo, 'session')} later"] if embargo else []
    return f" {capital(', and '.join(told))}." if told else ""


def growth_of(walk: WalkForward, name: str) -> float | None:
    """Growth a year of one of the curves."""
    value = walk.figures[name]["cagr"]
    return None if value is None else float(value)


def _window(walk: WalkForward, place: int, choice: WindowChoice) -> list[str]:
    sessions, window = walk.sweep.first.plan.sessions, choice.window
    inside, outside, rank, growth, held = (
        (JSON_FILE, "windows", place, key)
        for key in ("inside", "outside", "rank", "total_return", "benchmark_total_return")
    )
    return [
        f"{sessions[window.begin]:%Y-%m-%d}",
        walk.sweep.label(choice.number),
        PrintedFigure(number(choice.inside), inside),
        PrintedFigure(number(choice.outside), outside),
        PrintedFigure(percent(choice.rank, 0), rank),
        PrintedFigure(percent(choice.growth), growth),
        PrintedFigure(points(choice.growth - choice.benchmark_growth), growth, held, times=100),
    ]
