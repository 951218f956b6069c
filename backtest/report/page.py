"""Page: one Result as one self-contained HTML file that a professional would send to a client.

The flow: config -> market -> decision -> fills -> result -> metrics -> REPORT.
Every number of every table is made in Python and printed by the template; the script only draws. The same input gives
the same bytes: no clock, no random ids. Nothing is loaded from anywhere: a content security policy allows the two
scripts by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.benchmark import benchmark_label
from backtest.metrics import calendar_of
from backtest.report import words
from backtest.report.caveats import caveats_of
from backtest.report.costs import costs_of, own_bps
from backtest.report.cuts import cuts_of
from backtest.report.evidence import evidence_rows
from backtest.report.falls import worst_falls
from backtest.report.figures import figure_rows
from backtest.report.moves import Spell, account_of, moves_of, spells_of
from backtest.report.payload import MOST_DRAWN, payload_of, tone_of
from backtest.report.periods import heat_rows, mood, year_rows
from backtest.report.prose import SHOWN_BENCHMARKS, headline, lede, verdicts
from backtest.result import Result

if TYPE_CHECKING:
    import jinja2

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base.css", "report.css", "tables.css", "phone.css", "print.css")
SCRIPTS = ("data.js", "axes.js", "charts.js", "pointer.js", "controls.js", "trades.js")

MOST_LISTED = 1500
"""Rows of the table of trades: all of them in any sane test, and below 7 MB in any other."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the page tells beside its Result. No time, no path of this machine.

    hash8: the name of this question, as in the result's folder. hashes: what was hashed -> sha256 (configuration, data,
    code). versions: program -> version.
    """

    hash8: str
    hashes: Mapping[str, str]
    versions: Mapping[str, str]


def render_report(result: Result, context: PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    account = account_of(result)
    moves = moves_of(result, account)
    cuts = cuts_of(result)
    bundle, script = plotly_bundle(), page_script()
    facts = {
        **_top(result, moves),
        **_tables(result, moves, spells_of(result, account, moves)),
        **_origin(result, context),
        "cuts": cuts,
        "csp": content_security_policy(bundle, script),
        "css": "\n".join(_asset(name) for name in STYLES),
    }
    body = _environment().get_template("report.html.j2").render(facts)
    # The large texts are appended and not rendered: nothing in them is a template's.
    payload = payload_of(result, moves, cuts)
    parts = (
        body,
        f'<script type="application/json" id="payload">{payload}</script>\n',
        f"<script>{bundle}</script>\n<script>{script}</script>\n",
        "</body>\n</html>\n",
    )
    return "".join(parts)


def content_security_policy(*scripts: str) -> str:
    """Nothing may be loaded or run but these scripts, known by their hashes."""
    hashes = " ".join(f"'sha256-{_base64_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def plotly_bundle() -> str:
    """plotly.js out of the plotly package, which is found but not imported.

    Raises RuntimeError when it is not there or could end the script element it is put into.
    """
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package plotly is not installed: pip install plotly")
    bundle = (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    if "</script" in bundle or "<!--" in bundle:
        raise RuntimeError("this version of plotly.js cannot stand inside a page: it holds a closing script tag")
    return bundle


@cache
def page_script() -> str:
    """The page's own script: its parts in one scope."""
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


def _top(result: Result, moves: Sequence[Any]) -> dict[str, Any]:
    """The first screen."""
    names = list(result.benchmarks)
    curve = result.books.equity
    first = result.benchmarks[names[0]].equity if names else None
    falls = worst_falls(curve, result.small_share, first)
    days = result.sessions.to_numpy().astype("datetime64[D]")
    return {
        "title": result.config.name,
        "is_simulated": result.market.is_simulated,
        "period": (days[0], days[-1]),
        "days": days,
        "cash": float(curve[0]),
        "headline": headline(result).replace(" million", "\N{NO-BREAK SPACE}million"),
        "rule": result.rule,
        "lede": lede(result, falls[0] if falls else None),
        "verdicts": verdicts(result, moves),
        "falls": falls,
        "first": benchmark_label(names[0]) if names else None,
        "names": ["Strategy", *map(benchmark_label, names)],
        "tones": ["ink", *(tone_of(result, name) for name in names)],
        "shown": SHOWN_BENCHMARKS + 1,
        "drawn": MOST_DRAWN,
        "has_mix": any(benchmark_label(name) != name for name in names),
        "has_rolling": bool(names) and len(days) > result.market.periods_per_year,
        "year_sessions": result.market.periods_per_year,
    }


def _tables(result: Result, moves: Sequence[Any], spells: list[Spell]) -> dict[str, Any]:
    """Everything below it."""
    days = result.sessions.to_numpy().astype("datetime64[D]")
    market = result.market
    calendar = calendar_of(days, periods_per_year=market.periods_per_year, exchange_sessions=market.exchange_sessions)
    shown = dict(list(result.benchmarks.items())[:SHOWN_BENCHMARKS])
    curves = {"": result.books.equity, **{name: books.equity for name, books in shown.items()}}
    into_small = [s for s in spells if s.move.holding.tone == "small" and s.gained is not None and s.move.is_change]
    return {
        "key_figures": figure_rows(result, in_key=True, most=SHOWN_BENCHMARKS),
        "all_figures": figure_rows(result, in_key=False),
        "warnings": caveats_of(result, spells),
        "heat": heat_rows(result.books.equity, days, calendar),
        "years": year_rows(curves, days, calendar),
        "evidence": evidence_rows(result),
        "spells": spells[::-1][:MOST_LISTED],
        "spell_count": len(spells),
        "rebalances": len(moves),
        "has_sides": len({s.move.holding.tone for s in spells}) > 1,
        "tones_held": list(dict.fromkeys(s.move.holding.tone for s in spells)),
        "is_all_changes": all(s.move.is_change for s in spells),
        "into_small": len(into_small),
        "paid_off": sum((s.gained or 0.0) > 0.0 for s in into_small),
        "costs": costs_of(result, list(moves), calendar),
        "cost_bps": own_bps(result),
        "exposure": result.metrics["exposure_small"],
        "turnover": result.metrics["turnover_annual"],
        "is_one_year": calendar.is_one_year,
        "decided": market.sessions.to_numpy().astype("datetime64[D]"),
    }


def _origin(result: Result, context: PageContext) -> dict[str, Any]:
    """Where the data are from, and how to make the page again."""
    from backtest.config import dump_yaml, resolved

    return {
        "context": context,
        "folder": f"{result.config.name}-{context.hash8}",
        "sources": result.market.sources,
        "notes": result.market.notes,
        "tbill": None if result.market.tbill is None else result.market.tbill_name,
        "terms": result.plan.terms,
        "execution": result.config.execution,
        "config": dump_yaml(resolved(result.config)),
    }


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    names = ("number", "percent", "points", "usd", "day", "iso", "plural", "capital")
    environment.filters.update({name: getattr(words, name) for name in names}, mood=mood)
    environment.globals["MONTHS"] = words.MONTHS
    return environment


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _base64_sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
