"""Page: one Sweep as one self-contained HTML file: what the best is worth, plateau or peak, all variants, finalists.

The flow: study -> sweep -> findings -> SWEEP.HTML
"""

from __future__ import annotations

from backtest.pages.shell import PageContext, render_page
from backtest.pages.sweep.chart_data import chart_json
from backtest.pages.sweep.view import view_of
from backtest.study.findings import Findings
from backtest.study.sweep import Sweep

SCRIPTS = ("page.js", "charts.js", "sweep.js", "lines.js")


def render_sweep(sweep: Sweep, findings: Findings, context: PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    data, carried = chart_json(sweep, findings)
    view = view_of(sweep, findings, carried)
    return render_page("sweep.html.j2", view, data, context, scripts=SCRIPTS, styles=("page.css", "study.css"))
