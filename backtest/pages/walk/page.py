"""Page: one WalkForward as one self-contained HTML file: was choosing by the past worth anything?

The flow: study -> sweep -> walk-forward -> WALK_FORWARD.HTML, in the visual language of the other pages.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest import text
from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats
from backtest.metrics import metric_of
from backtest.pages import page
from backtest.pages.walk.paths import paths_facts, paths_payload
from backtest.text import capital, count, number, percent, plural, points, setting, short_key, title_of

if TYPE_CHECKING:
    from backtest.study.walk import Choice
from backtest.study.walk_forward import WalkForward

ASSETS = Path(__file__).parent / "assets"
TOKENS = page.ASSETS.parent.parent / "comparison" / "assets" / "tokens.css"

COLUMNS = ("cagr", "information_ratio", "sharpe", "volatility", "max_drawdown")


def render_walk(walk: WalkForward, context: page.PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    import jinja2

    bundle, script = page.plotly_bundle(), page_script()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update({name: getattr(text, name) for name in ("day", "place")})
    csp = page.content_security_policy(bundle, script)
    body = environment.get_template("walk.html.j2").render(facts_of(walk), context=context, csp=csp, css=page_styles())
    parts = (
        body,
        f'<script type="application/json" id="payload">{payload_of(walk)}</script>\n',
        f"<script>{bundle}</script>\n<script>{script}</script>\n",
        "</body>\n</html>\n",
    )
    return "".join(parts)


@cache
def page_script() -> str:
    """The shared axes and the paths where the page's own script has places for them, in one scope."""
    own = (ASSETS / "walk.js").read_text(encoding="utf-8")
    for place, path in (("axes", page.ASSETS / "axes.js"), ("paths", ASSETS / "paths.js")):
        own = own.replace(f"// ---- {place} come here\n", path.read_text(encoding="utf-8"))
    return f'(() => {{\n"use strict";\n{own}\n}})();'


@cache
def page_styles() -> str:
    """The styles of the single run and of the sweep, then the page's own."""
    paths = [*(page.ASSETS / name for name in page.STYLES), TOKENS, page.ASSETS / "sweep.css", ASSETS / "walk.css"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def facts_of(walk: WalkForward) -> dict[str, Any]:
    """What the template prints."""
    market, benchmark = walk.sweep.market, benchmark_label(walk.sweep.benchmark or "")
    return {
        "title": title_of(walk.sweep.name),
        "is_simulated": market.is_simulated,
        "first": walk.sessions[0].to_numpy(),
        "last": walk.sessions[-1].to_numpy(),
        "size": plural(len(walk.sweep.table), "variant"),
        "benchmark": benchmark,
        "headline": headline(walk),
        "lede": lede(walk),
        "columns": [metric_of(key).head for key in COLUMNS],
        "rows": [
            (
                benchmark if name == walk.sweep.benchmark else name,
                [metric_of(key).write(figures[key]) for key in COLUMNS],
            )
            for name, figures in walk.figures.items()
        ],
        "windows": [_window(walk, choice) for choice in walk.choices],
        "select": metric_of(walk.terms.select).head,
        "paths": paths_facts(walk, walk.paths) if walk.paths else None,
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
    """What to know beside the headline."""
    terms = walk.terms
    past = "all years before" if terms.anchored else f"the last {plural(terms.train_years, 'year')}"
    what = "best neighbourhood" if terms.plateau else "best"
    often = "year" if terms.test_years == 1 else plural(terms.test_years, "year")
    metric, all_ = metric_of(terms.select).head, count(len(walk.sweep.table))
    above, windows = round(walk.above_median * len(walk.choices)), plural(len(walk.choices), "window")
    said = [
        f"Every {often} the {what} by {metric} over {past} was taken, out of {all_}, and held.",
        f"It then did better than the median of all in {above} of {windows}.",
    ]
    inside, outside = (np.nanmean([getattr(choice, name) for choice in walk.choices]) for name in ("inside", "outside"))
    said.append(f"Its {metric} was {number(inside)} on average while it was looked at, {number(outside)} after.")
    distinct = len({choice.number for choice in walk.choices})
    said.append(f"{plural(distinct, 'different variant')} came first; changing between them is paid for.")
    best = growth_of(walk, "best in hindsight")
    if best is not None:
        said.append(f"The best in hindsight would have made {percent(best)} a year: nobody could have known it.")
    return [*said, walk.verdict.headline, *walk.verdict.sentences]


def _apart(walk: WalkForward) -> str:
    purge, embargo = walk.terms.purge_sessions, walk.terms.embargo_sessions
    told = [f"the last {plural(purge, 'session')} before a choice are not looked at"] if purge else []
    told += [f"a choice is acted upon {plural(embargo, 'session')} later"] if embargo else []
    return f" {capital(', and '.join(told))}." if told else ""


def growth_of(walk: WalkForward, name: str) -> float | None:
    """Growth a year of one of the curves."""
    value = walk.figures[name]["cagr"]
    return None if value is None else float(value)


def _window(walk: WalkForward, choice: Choice) -> list[str]:
    sessions, window = walk.sweep.first.plan.sessions, choice.window
    return [
        f"{sessions[window.begin]:%Y-%m-%d}",
        walk.sweep.label(choice.number),
        number(choice.inside),
        number(choice.outside),
        percent(choice.rank, 0) if np.isfinite(choice.rank) else "–",
        percent(choice.growth),
        points(choice.growth - choice.benchmark_growth),
    ]


def payload_of(walk: WalkForward) -> str:
    """JSON that may stand inside a script element; about every fifth session, the first tested one among them."""
    start, sessions = walk.choices[0].window.begin, walk.sweep.first.plan.sessions
    end = len(sessions) if walk.paths else start + len(walk.sessions)
    before = np.arange(start, -1, -5)[::-1] if walk.paths else np.array([start])
    rows = np.unique(np.concatenate([[0] if walk.paths else [], before, np.arange(start, end, 5), [end - 1]])).astype(
        int
    )
    days = sessions.to_numpy().astype("datetime64[D]")
    tested = rows[rows >= start] - start

    def curve(equity: Floats) -> list[float]:
        return [round(float(value), 4) for value in equity[tested] / equity[0]]

    grid = walk.sweep.study.grid
    data = {
        "days": [str(day) for day in days[rows]],
        "from": len(rows) - len(tested),
        "curves": [
            ["walk-forward", "sel", curve(walk.equity)],
            [benchmark_label(walk.sweep.benchmark or ""), "ink", curve(walk.benchmark)],
            ["best in hindsight", "mix", curve(walk.hindsight)],
        ],
        "begins": [str(days[choice.window.begin]) for choice in walk.choices],
        "drift": [
            [
                short_key(key),
                [setting(v) for v in values],
                [values.index(choice.values[key]) for choice in walk.choices],
            ]
            for key, values in grid.items()
            if len(values) > 1
        ],
        "ranks": [round(choice.rank, 4) if np.isfinite(choice.rank) else None for choice in walk.choices],
        **(paths_payload(walk.paths, rows) if walk.paths else {}),
    }
    return json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")
