"""Payload: the figures of all points as whole numbers, the swept values, and where benchmarks and mixes stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.benchmark import benchmark_label
from backtest.market import Floats
from backtest.report.comparison.effect import short_key, shown
from backtest.report.sweep.facts import figures_shown

if TYPE_CHECKING:
    from backtest.study.sweep import Sweep
    from backtest.study.sweep_findings import Findings

MOST_DRAWN = 250_000
"""Points whose figures the page carries; of a larger sweep FEWER at equal distances, without heatmap."""

FEWER = 50_000


def payload_of(sweep: Sweep, findings: Findings) -> str:
    """JSON that may stand inside a script element."""
    size = len(sweep.table)
    is_whole = sweep.study.sample is None and size <= MOST_DRAWN
    drawn = np.arange(size) if size <= MOST_DRAWN else np.linspace(0, size - 1, FEWER).round().astype(np.int64)
    data: dict[str, Any] = {
        "keys": [[short_key(key), [_level(value) for value in values]] for key, values in sweep.study.grid.items()],
        "isWhole": is_whole,
        "digits": None if is_whole else sweep.digits[drawn].T.tolist(),
        "figures": [
            {
                "name": name,
                "unit": unit,
                "scale": scale,
                "values": _whole(sweep.metric(key)[drawn], scale),
                "lines": _lines(findings, key, scale),
            }
            for key, name, unit, scale in figures_shown(sweep)
        ],
        "best": [int(sweep.ranked[0])] if len(sweep.ranked) else [],
        "centre": [findings.plateau.centre] if findings.plateau and findings.plateau.centre is not None else [],
        "finalists": [finalist.number for finalist in findings.finalists],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c")


def _level(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value)
    return shown(value)  # type: ignore[arg-type]


def _whole(values: Floats, scale: int) -> list[int | None]:
    """In units of 1 / scale, None where undefined."""
    known = np.isfinite(values)
    rounded = np.round(np.where(known, values, 0.0) * scale).astype(np.int64).tolist()
    return [value if is_known else None for value, is_known in zip(rounded, known.tolist(), strict=True)]


def _lines(findings: Findings, key: str, scale: int) -> list[list[Any]]:
    """[label, kind, value] of each benchmark and each static mix that has the figure."""
    rows: list[list[Any]] = []
    for name, figures in findings.benchmarks.items():
        rows.append([benchmark_label(name), "benchmark", figures[key]])
    for share, figures in findings.mixes.items():
        rows.append([f"{100 * share:.0f} % small", "mix", figures[key]])
    return [[label, kind, round(float(value) * scale)] for label, kind, value in rows if value is not None]
