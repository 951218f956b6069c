"""Page: one Result as one self-contained HTML file that a professional would send to a client.

The flow: config -> market -> decision -> fills -> result -> metrics -> REPORT.
Every number of every table is made in Python and printed by the template; the script only draws. The same input gives
the same bytes: no clock, no random ids, no place on this machine. Nothing is loaded from anywhere: a content security
policy allows the two scripts by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from backtest import text
from backtest.pages.cuts import cuts_of
from backtest.pages.facts import facts_of
from backtest.pages.moves import account_of, moves_of, spells_of
from backtest.pages.payload import payload_of
from backtest.pages.periods import mood
from backtest.result import Result

if TYPE_CHECKING:
    import jinja2

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base.css", "report.css", "tables.css", "phone.css", "print.css")
SCRIPTS = ("data.js", "axes.js", "charts.js", "pointer.js", "controls.js", "trades.js")
FILTERS = ("number", "percent", "points", "usd", "day", "iso", "plural", "place")


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the page tells beside its Result. No time, no path of this machine.

    hash8: the name of this question, as in the result's folder. hashes: what was hashed -> sha256 (question, data,
    code). No versions of libraries either: with others the same figures make the same page.
    """

    hash8: str
    hashes: Mapping[str, str]


def render_report(result: Result, context: PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    account = account_of(result)
    moves = moves_of(result, account)
    cuts = cuts_of(result)
    bundle, script = plotly_bundle(), page_script()
    body = (
        _environment()
        .get_template("report.html.j2")
        .render(
            facts_of(result, moves, spells_of(result, account, moves)),
            context=context,
            csp=content_security_policy(bundle, script),
            css="\n".join(_asset(name) for name in STYLES),
        )
    )
    # The large texts are appended and not rendered: nothing in them is a template's.
    parts = (
        body,
        f'<script type="application/json" id="payload">{payload_of(result, moves, cuts)}</script>\n',
        f"<script>{bundle}</script>\n<script>{script}</script>\n",
        "</body>\n</html>\n",
    )
    return "".join(parts)


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
def page_script() -> str:
    """The page's own script: its parts in one scope."""
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


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
    environment.filters.update({name: getattr(text, name) for name in FILTERS}, mood=mood)
    environment.globals["MONTHS"] = text.MONTHS
    return environment


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _base64_sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
