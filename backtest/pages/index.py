"""results/index.html: every run with its key figures and a sparkline, newest first. Made anew after each run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtest.store.folder import MANIFEST, replace_file
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
    figures: Mapping[str, float | None]
    benchmark_figures: Mapping[str, float | None]
    spark: str
    headline: str


def write_index(root: Path) -> Path:
    """Write `root/index.html` from the manifests of all finished folders; an unreadable folder is named on the page."""
    rows, broken = [], []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        if path.parent.name.startswith("."):
            continue
        try:
            rows.append(read_row(path.parent))
        except (OSError, ValueError, KeyError, TypeError):
            broken.append(path.parent.name)
    rows.sort(key=lambda row: (row.finished, row.folder), reverse=True)
    page = root / PAGE
    replace_file(page, render_index(rows, broken))
    return page


def read_row(folder: Path) -> Row:
    """One folder's manifest and figures. Raises OSError, ValueError, KeyError or TypeError for a broken one."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    is_run = manifest["kind"] == "run"
    figures: dict[str, Any] = {}
    if is_run:
        figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    period = figures.get("period") or manifest.get("period") or {}
    benchmarks = figures.get("benchmarks", {})
    first = next(iter(benchmarks), "")
    return Row(
        name=str(manifest["name"]),
        folder=folder.name,
        page="report.html" if is_run else str(manifest["page"]),
        kind=str(manifest["kind"]),
        finished=str(manifest["run"]["finished"]),
        is_simulated=bool(manifest["is_simulated"]),
        period=f"{period.get('start', '')} to {period.get('end', '')}" if period else "",
        first_benchmark=first,
        figures=figures.get("strategy", {}),
        benchmark_figures=benchmarks.get(first, {}),
        spark=spark_path(manifest.get("sparkline", [])),
        headline=str(manifest.get("headline", "")),
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
