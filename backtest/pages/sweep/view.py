"""View: every sentence and table of a sweep's page, as text, from the sweep and its findings."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.metrics import Metric, metrics_on
from backtest.pages.legs import leg_looks
from backtest.pages.shell import PrintedFigure, Tile
from backtest.pages.sweep.chart_data import Carried, figures_shown
from backtest.result import Figures, mix_words
from backtest.study.findings import Finalist, Findings
from backtest.study.sweep import Sweep
from backtest.text import count, listed, number, percent, plural, points, setting, short_key, title_of

ROWS = 20
"""Best variants in the table."""

MOST_PROBLEMS = 10


def view_of(sweep: Sweep, findings: Findings, carried: Carried) -> dict[str, Any]:
    """What the template prints."""
    size, market = len(sweep.table), sweep.market
    sessions = sweep.first.plan.sessions.to_numpy()
    return {
        "title": title_of(sweep.name),
        "is_simulated": market.is_simulated,
        "is_monthly": market.is_monthly,
        "first": sessions[0],
        "last": sessions[-1],
        "size": plural(size, "variant"),
        "benchmark": benchmark_label(sweep.benchmark) if sweep.benchmark else None,
        "headline": headline(sweep, findings),
        "lede": lede(sweep, findings),
        "tiles": [
            Tile(what, figure, "", reading, "", is_wide=True) for what, figure, reading in boxes(sweep, findings)
        ],
        "figures": [metric.head for metric in figures_shown(sweep)],
        "keys": [short_key(key) for key in sweep.keys],
        "swept": [(short_key(key), _range(values)) for key, values in sweep.study.grid.items()],
        "is_sample": sweep.study.sample is not None,
        "varies_in_terms": any(not key.startswith("strategy.") for key in sweep.keys),
        "thinned": thinned(sweep, carried),
        "legs": listed([leg.label for leg in leg_looks(sweep.first.config)]) if findings.mixes else "",
        "finalist_rows": [
            (f"{each.why}: {sweep.label(each.number)}", _row(sweep, each.number)[1]) for each in findings.finalists
        ],
        "finalists": [_finalist(each) for each in findings.finalists],
        "columns": [metric.head for metric in columns_of(sweep)],
        "rows": [_row(sweep, int(number)) for number in sweep.ranked[:ROWS]],
        "anchors": _anchors(sweep, findings),
        "problems": [(sweep.label(n), why) for n, why in list(sweep.problems.items())[:MOST_PROBLEMS]],
        "problem_count": len(sweep.problems),
        "rule": findings.finalists[0].result.rule if findings.finalists else "",
        "notes": market.notes,
        "sources": market.sources,
        "tried": f"{count(findings.size.trials)}",
    }


def thinned(sweep: Sweep, carried: Carried) -> str:
    """What the page's charts leave out, as a sentence; empty when nothing."""
    if carried.is_all:
        return ""
    step = carried.every[0][1]
    share = f"The charts hold {count(len(carried.numbers))} of {count(carried.size)} points"
    rest = "the best one is among them; tables, verdicts and sweep.csv have all"
    if not carried.is_whole_grid:
        return f"{share}, every {step}{_ending(step)} of the sample: {rest}."
    steps = [f"every {step}{_ending(step)} {short_key(key)}" for key, (_, step) in _stepped(sweep, carried)]
    return f"{share}, {listed(steps)}: {rest}. Neighbours are those among the points held."


def _stepped(sweep: Sweep, carried: Carried) -> list[tuple[str, tuple[int, int]]]:
    return [(key, own) for key, own in zip(sweep.keys, carried.every, strict=True) if own[1] > 1]


def _ending(step: int) -> str:
    return "nd" if step % 10 == 2 and step % 100 != 12 else "th"


def headline(sweep: Sweep, findings: Findings) -> str:
    """The verdict on the best of them, in the words of every command."""
    if not len(sweep.ranked):
        return "No variant has a ratio to be ranked by."
    best = float(sweep.scores[sweep.ranked[0]])
    if best <= 0 and sweep.benchmark:
        held = benchmark_label(sweep.benchmark)
        return f"None of {count(len(sweep.table))} variants did better than simply holding {held}."
    return findings.verdict.headline


def lede(sweep: Sweep, findings: Findings) -> list[str]:
    """What to know beside the headline, two paragraphs: the best point and its neighbours; luck."""
    if not findings.finalists:
        return sweep.cautions
    best, said = findings.finalists[0], sweep.cautions
    value = sweep.scores
    name = "an active Sharpe ratio" if sweep.benchmark else "a Sharpe ratio"
    said.append(f"The best is {sweep.label(best.number)}, with {name} of {number(value[best.number])}.")
    plateau = findings.plateau
    if plateau is not None:
        said.append(
            f"It and its neighbours average {number(plateau.mean[best.number])}, the worst of them has "
            f"{number(plateau.worst[best.number])}."
        )
        if plateau.centre is not None and plateau.centre != best.number:
            said.append(
                f"The best plateau lies around {sweep.label(plateau.centre)}: mean "
                f"{number(plateau.mean[plateau.centre])}, worst {number(plateau.worst[plateau.centre])}."
            )
    return [" ".join(said), " ".join(findings.verdict.sentences)]


def boxes(sweep: Sweep, findings: Findings) -> list[tuple[str, str, str]]:
    """(what, figure, reading) above the fold."""
    rows: list[tuple[str, str, str]] = []
    benchmark = benchmark_label(sweep.benchmark) if sweep.benchmark else ""
    if findings.ahead is not None:
        ahead = PrintedFigure(percent(findings.ahead, 0), ("sweep.json", "ahead_of_benchmark"))
        rows.append((f"Variants ahead of {benchmark}", ahead, "by final value, after costs"))
    if findings.deflated is not None:
        trials = f"confidence, by the spread of {plural(findings.size.trials, 'trial')}; decides nothing"
        deflated = PrintedFigure(number(findings.deflated), ("sweep.json", "deflated_sharpe"))
        rows.append(("Deflated Sharpe of the best", deflated, trials))
    if findings.overfitting is not None:
        reading = f"the winner of one half is below the median of the other; {count(findings.looked_at)} variants seen"
        shown = PrintedFigure(percent(findings.overfitting, 0), ("sweep.json", "overfitting_probability"))
        rows.append(("Probability of overfitting", shown, reading))
    growth = sweep.metric("cagr")
    if not np.isnan(growth).all():
        low, middle, high = np.nanquantile(growth, [0.05, 0.5, 0.95])
        rows.append(("Return a year, median", percent(middle), f"nine in ten from {percent(low)} to {percent(high)}"))
    return rows


def _range(values: tuple[object, ...]) -> str:
    if len(values) <= 8:
        return ", ".join(setting(value) for value in values)
    return f"{setting(values[0])} to {setting(values[-1])}, {len(values)} values"


def _row(sweep: Sweep, place: int) -> tuple[str, list[str]]:
    return sweep.label(place), [
        PrintedFigure(each.write(float(sweep.metric(each.key)[place])), ("sweep.csv", place, each.key))
        for each in columns_of(sweep)
    ]


def columns_of(sweep: Sweep) -> tuple[Metric, ...]:
    """The metrics of the tables, the one that ranks first."""
    return metrics_on("search", sweep.settings.legs, sweep.headline)


def _finalist(finalist: Finalist) -> tuple[str, list[str]]:
    """What it is, both engines' last dollar and how far they agree."""
    growth, others = finalist.result.metrics["cagr"], finalist.result.benchmark_metrics
    first = next(iter(others.values()))["cagr"] if others else None
    same, apart = finalist.curve == finalist.result.books.equity, finalist.largest_difference
    return f"{finalist.why} (point {finalist.number})", [
        f"${finalist.curve[-1]:,.6f}",
        f"${finalist.result.books.equity[-1]:,.6f}",
        f"{count(int(same.sum()))} of {count(len(same))}",
        "none" if not apart else f"{apart:.0e}".replace("-", "−"),
        points(growth - first) if growth is not None and first is not None else "–",
    ]


def _anchors(sweep: Sweep, findings: Findings) -> list[tuple[str, list[str]]]:
    rows: list[tuple[tuple[str | int, ...], str, Figures]] = [
        (("benchmarks", name), benchmark_label(name), figures) for name, figures in findings.benchmarks.items()
    ]
    rows += [
        (("static_mixes", k, "metrics"), f"always {mix_words(sweep.first.legs, shares)}", figures)
        for k, (shares, figures) in enumerate(findings.mixes)
    ]
    return [
        (
            label,
            [PrintedFigure(each.write(own.get(each.key)), ("sweep.json", *at, each.key)) for each in columns_of(sweep)],
        )
        for at, label, own in rows
    ]
