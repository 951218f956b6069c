"""Page: one Comparison as one self-contained HTML file: the verdict, a picture of luck, five answers, the evidence.

The flow: variants -> runs -> statistics, frontier, luck -> comparison -> COMPARISON.HTML

It speaks the single run's visual language: palette, type, tables, axes, content security policy and chart library come
from `backtest.pages`. Every number of a table is made in Python; the script draws, sorts and selects. The same input
gives the same bytes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backtest import text
from backtest.pages import page
from backtest.pages.comparison.effect import grid_of
from backtest.pages.comparison.facts import facts_of
from backtest.pages.comparison.payload import payload_of
from backtest.pages.comparison.ranking import places_shown

if TYPE_CHECKING:
    import jinja2

    from backtest.study.comparison import Comparison

ASSETS = Path(__file__).parent / "assets"
STYLES = ("tokens.css", "top.css", "sections.css", "table.css", "phone.css", "print.css")
"""Of this page, after the single run's."""

SHARED_SCRIPTS = ("axes.js",)
SCRIPTS = (
    "study.js",
    "luck.js",
    "time.js",
    "pointer.js",
    "timing.js",
    "picking.js",
    "meters.js",
    "grid.js",
    "draw.js",
    "select.js",
    "table.js",
)
FILTERS = ("number", "day", "iso", "plural", "place")


def render_comparison(comparison: Comparison, context: page.PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    places, grid = places_shown(comparison), grid_of(comparison)
    bundle, script = page.plotly_bundle(), page_script()
    body = (
        _environment()
        .get_template("comparison.html.j2")
        .render(
            facts_of(comparison, places, grid),
            context=context,
            csp=page.content_security_policy(bundle, script),
            css=page_styles(),
        )
    )
    # The large texts are appended and not rendered: nothing in them is a template's.
    parts = (
        body,
        f'<script type="application/json" id="payload">{payload_of(comparison, places, grid)}</script>\n',
        f"<script>{bundle}</script>\n<script>{script}</script>\n",
        "</body>\n</html>\n",
    )
    return "".join(parts)


@cache
def page_script() -> str:
    """The page's own script: what it shares with the single run's page and its own parts, in one scope."""
    shared = [(page.ASSETS / name).read_text(encoding="utf-8") for name in SHARED_SCRIPTS]
    own = [(ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join([own[0], *shared, *own[1:]]) + "\n})();"


@cache
def page_styles() -> str:
    """The single run's styles, then this page's."""
    shared = [(page.ASSETS / name).read_text(encoding="utf-8") for name in page.STYLES]
    return "\n".join([*shared, *((ASSETS / name).read_text(encoding="utf-8") for name in STYLES)])


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
    environment.filters.update({name: getattr(text, name) for name in FILTERS})
    return environment
