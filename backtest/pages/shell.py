"""Shell: what every page has in common, and how a page is put together as one file.

The flow: config -> market -> decision -> fills -> result -> metrics -> REPORT.
A page is a view (words and tables, settled in Python and printed by a template) and chart data (layouts made in Python
as dicts, drawn by one script). The same input gives the same bytes: no clock, no random ids, no place on this machine.
Nothing is loaded from anywhere: a content security policy allows the page's scripts by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest import text as words
from backtest.pages.periods import mood

if TYPE_CHECKING:
    import jinja2

ASSETS = Path(__file__).parent / "assets"
FILTERS = ("number", "percent", "points", "usd", "day", "iso", "plural", "place")


MARKUP = re.compile(r"(<(?:style|script|code|pre)\b.*?</(?:style|script|code|pre)>|<[^>]*>)|([^<]+)", re.DOTALL)
"""Markup, and text that is not to be worded anew; or the text between."""

TOLD = re.compile(r'(?<= )(title|aria-label)="([^"]*)"')
"""What markup tells people."""

PAPER = """
.js-plotly-plot, [data-chart] { background: repeating-linear-gradient(135deg, #8883 0 2px, transparent 2px 12px); }
"""
"""Every chart of paper portfolios is shaded: what it shows could not be bought."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """What a page tells beside its content. No time, no path of this machine.

    hash8: the name of this question, as in the result's folder. hashes: what was hashed -> sha256 (question, data,
    code). No versions of libraries either: with others the same figures make the same page.
    """

    hash8: str
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tile:
    """A box under the headline, two lines high; note: shown on hover, told in full further down.

    mood: class of its colour; is_wide: takes half a line on a phone, not a third.
    """

    label: str
    value: str
    unit: str
    note: str
    mood: str
    is_wide: bool = False


class PrintedFigure(str):
    """A printed figure that knows where it stands in the files beside the page, so that a test can compare them.

    source: JSON of one place, or of two whose difference is printed; a place is a file's name and the keys inside it.
    times: what the figure is multiplied by before it is printed without a unit of its own, such as 100.
    """

    source: str
    times: float

    def __new__(cls, text: str, *places: Sequence[str | int], times: float = 1) -> PrintedFigure:
        """The text, marked."""
        own = super().__new__(cls, text)
        own.source, own.times = json.dumps(places, ensure_ascii=False), times
        return own


def render_page(
    template: str,
    view: Mapping[str, Any],
    charts: Mapping[str, Any] | str | None,
    context: PageContext | None,
    *,
    scripts: Sequence[str] = ("page.js", "charts.js"),
    styles: Sequence[str] = ("page.css",),
) -> str:
    """The whole page as text.

    view: what the template prints. charts: chart data, or its JSON; None: a page without charts and their library.
    """
    script = _joined_scripts(tuple(scripts) if charts is not None else ("page.js",))
    library = [] if charts is None else [plotly_bundle()]
    data = charts if isinstance(charts, str) else script_json(charts or {})
    css = "\n".join(_asset(name) for name in styles)
    policy = content_security_policy(*library, script)
    is_monthly = bool(view.get("is_monthly"))
    css += PAPER if is_monthly else ""
    body = _environment().get_template(template).render(view, context=context, csp=policy, css=css)
    body = MARKUP.sub(_in_months, body) if is_monthly else body
    data = words.of_months(data) if is_monthly else data
    # The large texts are appended and not rendered: nothing in them is a template's.
    parts = [body, f'<script type="application/json" id="chart-data">{data}</script>\n']
    parts += [f"<script>{text}</script>\n" for text in (*library, script)]
    return "".join([*parts, "</body>\n</html>\n"])


def _in_months(part: re.Match[str]) -> str:
    """A part of a page as of months: text, and what tags tell."""
    markup, text = part.groups()
    if text is not None:
        return words.of_months(text)
    if markup.startswith(("<script", "<style")):
        return markup
    return TOLD.sub(lambda told: f'{told[1]}="{words.of_months(told[2])}"', markup)


def script_json(data: object) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c")


def content_security_policy(*scripts: str) -> str:
    """Nothing may be loaded or run but these scripts, known by their hashes."""
    hashes = " ".join(f"'sha256-{_base64_sha256(script)}'" for script in scripts)
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {hashes}; {rest}"


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
        raise RuntimeError("this version of plotly.js cannot stand inside a page: it holds a tag that ends its script")
    return bundle


@cache
def _joined_scripts(names: tuple[str, ...]) -> str:
    """The page's own script: its parts in one scope."""
    parts = "\n".join(_asset(name) for name in names)
    return f'(() => {{\n"use strict";\n{parts}\nstart();\n}})();'


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
    environment.filters.update({name: getattr(words, name) for name in FILTERS}, mood=mood)
    environment.globals["MONTHS"] = words.MONTHS
    return environment


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _base64_sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
