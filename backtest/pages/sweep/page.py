"""Page: one Sweep as one self-contained HTML file: what the best is worth, plateau or peak, all variants, finalists.

The flow: study -> sweep -> findings -> SWEEP.HTML

It speaks the visual language of the other pages: palette, type, axes, content security policy and chart library come
from `backtest.pages`. The same input gives the same bytes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backtest import text
from backtest.pages import page
from backtest.pages.sweep.facts import facts_of
from backtest.pages.sweep.payload import payload_of

if TYPE_CHECKING:
    import jinja2

    from backtest.study.findings import Findings
    from backtest.study.sweep import Sweep

ASSETS = Path(__file__).parent / "assets"
TOKENS = page.ASSETS.parent.parent / "comparison" / "assets" / "tokens.css"
SCRIPTS = ("cells.js", "draw.js", "lines.js", "controls.js")
"""Behind the first of them the shared axes."""

FILTERS = ("number", "day", "iso", "plural", "place")


def render_sweep(sweep: Sweep, findings: Findings, context: page.PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    bundle, script = page.plotly_bundle(), page_script()
    payload, carried = payload_of(sweep, findings)
    body = (
        _environment()
        .get_template("sweep.html.j2")
        .render(
            facts_of(sweep, findings, carried),
            context=context,
            csp=page.content_security_policy(bundle, script),
            css=page_styles(),
        )
    )
    parts = (
        body,
        f'<script type="application/json" id="payload">{payload}</script>\n',
        f"<script>{bundle}</script>\n<script>{script}</script>\n",
        "</body>\n</html>\n",
    )
    return "".join(parts)


@cache
def page_script() -> str:
    """The shared axes and the page's own script, in one scope."""
    axes = (page.ASSETS / "axes.js").read_text(encoding="utf-8")
    own = [(ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join([own[0], axes, *own[1:]]) + "\n})();"


@cache
def page_styles() -> str:
    """The single run's styles, the comparison's tokens, then this page's."""
    paths = [*(page.ASSETS / name for name in page.STYLES), TOKENS, ASSETS / "sweep.css"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


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
