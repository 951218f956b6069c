"""results/index.html: every run with its key figures and a sparkline, newest first. Made anew after each run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from backtest.store.folder import replace_file
from backtest.store.locks import locked
from backtest.store.manifest import Figures, Stored, finished
from backtest.text import number, percent

PAGE = "index.html"
SPARK_WIDTH, SPARK_HEIGHT = 132.0, 34.0


@dataclass(frozen=True, slots=True)
class Row:
    """One run or study of the index."""

    name: str
    folder: str
    page: str
    kind: str
    finished: str
    is_simulated: bool
    period: str
    first_benchmark: str
    figures: Figures
    benchmark_figures: Figures
    spark: str
    headline: str


def write_index(root: Path) -> Path:
    """Bring `root/index.html` up to date with all finished folders; an unreadable folder is named on the page.

    Under a lock, so that of two runs that end together the later one lists both.
    """
    page = root / PAGE
    with locked(page):
        stored, damaged = finished(root)
        text = render_index([row_of(each) for each in stored], damaged)
        if not _holds(page, text):
            replace_file(page, text)
    return page


def _holds(page: Path, text: str) -> bool:
    try:
        return page.read_bytes() == text.encode()
    except OSError:
        return False


def row_of(stored: Stored) -> Row:
    """One result as a row."""
    manifest, metrics = stored.manifest, stored.metrics
    period = metrics.period if metrics else manifest.period
    first = next(iter(metrics.benchmarks), "") if metrics else ""
    return Row(
        name=manifest.name,
        folder=stored.folder.name,
        page=manifest.page,
        kind=manifest.kind,
        finished=manifest.run.finished,
        is_simulated=manifest.is_simulated,
        period=f"{period.start} to {period.end}" if period else "",
        first_benchmark=first,
        figures=metrics.strategy if metrics else {},
        benchmark_figures=metrics.benchmarks[first] if metrics and first else {},
        spark=spark_path(manifest.sparkline),
        headline=manifest.headline if manifest.kind != "run" else "",
    )


def spark_path(values: list[float]) -> str:
    """An SVG path of positive values from the left edge to the right, on a log scale; empty for fewer than two."""
    if len(values) < 2:
        return ""
    values = [math.log(value) for value in values]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = SPARK_WIDTH / (len(values) - 1)
    points = [f"{i * step:.1f},{(high - v) / span * (SPARK_HEIGHT - 4) + 2:.1f}" for i, v in enumerate(values)]
    return "M" + "L".join(points)


def _number(figure: object, digits: int = 2) -> str:
    return number(known(figure), digits)


def known(figure: object) -> float | None:
    """A figure of an older result, None where it has no such figure."""
    return figure if isinstance(figure, int | float) else None


def render_index(rows: list[Row], broken: list[str]) -> str:
    """The page as text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backtest.pages", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pct": lambda x: percent(known(x)), "num": _number}
    template = environment.get_template("index.html.j2")
    return template.render(rows=rows, broken=broken, width=SPARK_WIDTH, height=SPARK_HEIGHT)
