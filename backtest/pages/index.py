"""results/index.html: every result, its verdict, and what tells those of one name apart; each run brings it up to date.

The rows are also what `backtest results` lists.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from backtest.account.benchmarks import benchmark_label
from backtest.metrics.registry import metric_of
from backtest.pages.shell import render_page
from backtest.store.folder import replace_file
from backtest.store.locks import locked
from backtest.store.manifest import Figures, Kind, Manifest, Stored, finished
from backtest.text import listed, percent, points, setting, short_key

PAGE = "index.html"
SHOWN_METRICS = ("cagr", "sharpe", "max_drawdown")
SPARK_WIDTH, SPARK_HEIGHT = 104.0, 30.0
MOST_DIFFERENCES, MOST_VALUES = 4, 4
HASH_SHOWN = 6
HASHED = ("data", "code", "trials", "notes")
"""What results of one question can differ in, in the order in which it is said."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One result. apart: what tells it from others of its name and kind, in words; figures: of a run, else none.

    ahead: return a year less that of the first benchmark; made: when, UTC, to the minute.
    """

    name: str
    kind: str
    folder: str
    page: str
    apart: str
    verdict: str
    is_simulated: bool
    is_monthly: bool
    begin: str
    end: str
    made: str
    figures: Mapping[str, float | None]
    benchmark: str
    ahead: float | None
    spark: str

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Of each shown metric: the number to sort by, and as it is written."""
        values = {key: self.figures.get(key) for key in SHOWN_METRICS}
        return [("" if value is None else str(value), metric_of(key).write(value)) for key, value in values.items()]


def write_index(root: Path) -> Path:
    """Bring `root/index.html` up to date with all finished folders; an unreadable folder is named on the page.

    Under a lock, so that of two runs that end together the later one lists both.
    """
    page = root / PAGE
    with locked(page):
        text = render_index(*rows_of(root))
        if not _holds(page, text):
            replace_file(page, text)
    return page


def _holds(page: Path, text: str) -> bool:
    try:
        return page.is_file() and page.read_bytes() == text.encode()
    except OSError:
        return False


def rows_of(root: Path) -> tuple[list[ResultRow], list[str]]:
    """The rows of a folder of results, newest first, and a line for each result that is damaged."""
    stored, damaged = finished(root)
    apart = differences([each.manifest for each in stored])
    return [row_of(each, said) for each, said in zip(stored, apart, strict=True)], damaged


def row_of(stored: Stored, apart: str) -> ResultRow:
    """One result as a row."""
    manifest, metrics = stored.manifest, stored.metrics
    period = metrics.period if metrics else manifest.period
    first = next(iter(metrics.benchmarks), "") if metrics else ""
    figures = _plain(metrics.strategy) if metrics else {}
    own, other = figures.get("cagr"), _plain(metrics.benchmarks[first]).get("cagr") if metrics and first else None
    ahead = None if own is None or other is None else own - other
    benchmark = f"{benchmark_label(first)} {percent(other)}" if first else ""
    return ResultRow(
        name=manifest.name,
        kind=manifest.kind,
        folder=stored.folder.name,
        page=manifest.page,
        apart=apart,
        verdict=manifest.headline or _verdict(own, ahead, first),
        is_simulated=manifest.is_simulated,
        is_monthly=manifest.is_monthly,
        begin=period.start if period else "",
        end=period.end if period else "",
        made=manifest.run.finished[:16].replace("T", " "),
        figures=figures,
        benchmark=benchmark,
        ahead=ahead,
        spark=spark_path(manifest.sparkline),
    )


def _plain(figures: Figures) -> dict[str, float | None]:
    """Without those by leg."""
    return {key: value for key, value in figures.items() if not isinstance(value, dict)}


def _verdict(own: float | None, ahead: float | None, benchmark: str) -> str:
    """Of a run whose manifest has none: those of schema 1."""
    if own is None or ahead is None:
        return ""
    side = "more" if ahead >= 0 else "less"
    return f"{percent(own)} a year, {points(abs(ahead), sign='')} points {side} than {benchmark_label(benchmark)}."


def differences(manifests: Sequence[Manifest]) -> list[str]:
    """For each result what others of its name and kind have otherwise: settings, else data, code or trials."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, manifest in enumerate(manifests):
        groups.setdefault((manifest.kind, manifest.name), []).append(place)
    told = [""] * len(manifests)
    for places in groups.values():
        for place, said in zip(places, _apart([manifests[place] for place in places]), strict=True):
            told[place] = said
    return told


def _apart(group: Sequence[Manifest]) -> list[str]:
    asked = [{key: _canonical(value) for key, value in manifest.asked.items()} for manifest in group]
    known = [each for each in asked if each]
    moved = [key for key in dict.fromkeys(key for each in known for key in each)
             if len({each.get(key) for each in known}) > 1]  # fmt: skip
    same: dict[str, list[Manifest]] = {}
    for manifest, settings in zip(group, asked, strict=True):
        same.setdefault(_canonical(settings), []).append(manifest)
    hashed = {question: [what for what in HASHED if len({_hash(each, what) for each in alike}) > 1]
              for question, alike in same.items()}  # fmt: skip
    told = []
    for manifest, settings in zip(group, asked, strict=True):
        said = [f"{short_key(key)} {_value(manifest.asked.get(key))}" for key in moved] if settings else []
        said = [listed(said, MOST_DIFFERENCES)] if len(said) > MOST_DIFFERENCES else said
        said += [f"{what} {_hash(manifest, what)[:HASH_SHOWN] or 'of old'}" for what in hashed[_canonical(settings)]]
        told.append(", ".join(said))
    return told


def _hash(manifest: Manifest, what: str) -> str:
    digest = (manifest.model_extra or {}).get(f"{what}_sha256") or getattr(manifest, f"{what}_sha256", "")
    return str(digest)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _value(value: Any) -> str:
    """A value in few words; of a long list its ends."""
    if isinstance(value, list) and len(value) > MOST_VALUES:
        return f"{setting(value[0])} to {setting(value[-1])} ({len(value)})"
    return setting(value)


def spark_path(values: Sequence[float]) -> str:
    """An SVG path of positive values from the left edge to the right, on a log scale; empty for fewer than two."""
    if len(values) < 2:
        return ""
    values = [math.log(value) for value in values]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = SPARK_WIDTH / (len(values) - 1)
    at = [f"{i * step:.1f},{(high - v) / span * (SPARK_HEIGHT - 4) + 2:.1f}" for i, v in enumerate(values)]
    return "M" + "L".join(at)


def render_index(rows: Sequence[ResultRow], damaged: Sequence[str]) -> str:
    """The page as text."""
    kinds = [kind for kind in get_args(Kind) if any(row.kind == kind for row in rows)]
    view = {
        "title": "All results",
        "is_simulated": False,
        "rows": rows,
        "kinds": kinds,
        "heads": [metric_of(key).label for key in SHOWN_METRICS],
        "damaged": damaged,
        "width": SPARK_WIDTH,
        "height": SPARK_HEIGHT,
    }
    return render_page("index.html.j2", view, None, None, styles=("page.css", "index.css"))
