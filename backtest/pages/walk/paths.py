"""The paths on the page: sentences and the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtest.account.benchmarks import benchmark_label
from backtest.metrics import metric_of
from backtest.pages.walk.charts import SHOWN
from backtest.study.walk_forward import WalkForward
from backtest.study.walk_paths import WalkPaths
from backtest.text import day, number, percent, plural, span_percent


def paths_view(walk: WalkForward, paths: WalkPaths) -> dict[str, Any]:
    """What the template prints of the paths."""
    return {
        "title": f"The same way of choosing, on {plural(len(paths.splits), 'path')}",
        "sentences": sentences(walk, paths),
        "how": _how(walk, paths),
        "apart": apart(walk),
        "columns": [metric_of(key).head for key in SHOWN],
        "rows": _rows(walk, paths),
    }


def _rows(walk: WalkForward, paths: WalkPaths) -> list[tuple[str, list[str]]]:
    benchmark = benchmark_label(walk.sweep.benchmark or "")
    rows: list[tuple[str, Mapping[str, float | None]]] = [
        (f"{name} path", {key: paths.spread(key)[name] for key in SHOWN}) for name in ("median", "lowest", "highest")
    ]
    rows += [(benchmark, paths.benchmark_figures)]
    rows += [(f"best in sample: {walk.sweep.label(paths.best)}", paths.in_sample_figures)]
    return [(name, [metric_of(key).write(figures[key]) for key in SHOWN]) for name, figures in rows]


def _how(walk: WalkForward, paths: WalkPaths) -> str:
    groups, tested = len(paths.groups), len(paths.choices[0].split.tested)
    sessions = walk.sweep.first.plan.sessions.to_numpy()
    each = "Each group" if tested == 1 else f"Every combination of {tested}"
    return (
        f"All sessions from {day(sessions[0])} to {day(sessions[-1])} are cut into {groups} equal groups. "
        f"{each} is tested once, on what the other "
        f"{groups - tested} recommend: {plural(len(paths.choices), 'choice')}, "
        f"which make {plural(len(paths.splits), 'path')} through all groups."
    )


def sentences(walk: WalkForward, paths: WalkPaths) -> list[str]:
    """What the paths say; the command prints it too."""
    many, benchmark = plural(len(paths.splits), "path"), benchmark_label(walk.sweep.benchmark or "")
    ahead, above = round(paths.ahead * len(paths.splits)), round(paths.above_median * len(paths.choices))
    made = [paths.spread("cagr")["median"], paths.benchmark_figures["cagr"], paths.in_sample_figures["cagr"]]
    median, held, best = (percent(value) for value in made)
    often = (
        f"{above} of {plural(len(paths.choices), 'split')} (95% interval {span_percent(paths.above_median_interval)})"
    )
    return [
        f"The median of {many} made {median} a year, holding {benchmark} {held}, the best in sample {best}.",
        (
            f"{ahead} of {len(paths.splits)} ended ahead of {benchmark}: they share their sessions and are worth "
            f"{number(paths.independent_paths, 1)} independent paths, so that the 95% interval of that share is "
            f"{span_percent(paths.ahead_interval)}. The chosen beat the median of all in {often}; luck gives half."
        ),
    ]


def apart(walk: WalkForward) -> str:
    """What is left out around a test, and what that leaves open."""
    purge, embargo = walk.terms.apart
    if not embargo:
        left = (
            f"{plural(purge, 'session')} before each test were not looked at, those after it were"
            if purge
            else "No session around a test was left out"
        )
        return f"{left}: a rule that looks back still remembers the test in the sessions that follow it."
    return (
        f"{plural(purge, 'session')} before each test and {embargo} after it were not looked at: "
        "a rule that looks back further than that still remembers the test."
    )
