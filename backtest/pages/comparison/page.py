"""Page: one Comparison as one self-contained HTML file: the verdict, a picture of luck, five answers, the evidence.

The flow: variants -> curves -> statistics, frontier, luck -> comparison -> COMPARISON.HTML
"""

from __future__ import annotations

from backtest.pages.comparison.chart_data import chart_data
from backtest.pages.comparison.effect import grid_of
from backtest.pages.comparison.ranking import places_shown
from backtest.pages.comparison.view import view_of
from backtest.pages.shell import PageContext, render_page
from backtest.study.comparison import Comparison

SCRIPTS = ("page.js", "charts.js", "comparison.js")


def render_comparison(comparison: Comparison, context: PageContext) -> str:
    """The whole page as text; the same bytes for the same input."""
    places, grid = places_shown(comparison), grid_of(comparison)
    view, data = view_of(comparison, places, grid), chart_data(comparison, places, grid)
    return render_page("comparison.html.j2", view, data, context, scripts=SCRIPTS, styles=("page.css", "study.css"))
