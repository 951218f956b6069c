"""The files of a result that a program reads: metrics.json, equity.csv, trades.csv, decisions.csv, config.yaml.

Numbers are shortest round-trip text, an undefined one is empty or null, never NaN; a cell that a spreadsheet would take
for a formula is quoted.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from backtest.config import dump_yaml, resolved
from backtest.result import Result

SCHEMA = 1
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def data_files(result: Result, warnings: Sequence[str]) -> dict[str, str]:
    """File name -> text, for everything but the page and the manifest."""
    return {
        "metrics.json": metrics_json(result, warnings),
        "equity.csv": csv(result.equity),
        "trades.csv": csv(result.trades, has_index=False),
        "decisions.csv": csv(result.decisions),
        "config.yaml": dump_yaml(resolved(result.config)),
    }


def metrics_json(result: Result, warnings: Sequence[str]) -> str:
    """Figures of the strategy and of each benchmark, as fractions; null where undefined, with the reason."""
    sessions = result.sessions
    content = {
        "schema": SCHEMA,
        "name": result.config.name,
        "period": {"start": day(sessions[0]), "end": day(sessions[-1]), "sessions": len(sessions)},
        "strategy": dict(result.metrics),
        "benchmarks": {name: dict(figures) for name, figures in result.benchmark_metrics.items()},
        "undefined": dict(result.undefined),
        "warnings": list(warnings),
    }
    return json_text(content)


def json_text(content: Any) -> str:
    """Indented JSON that ends in a newline; a NaN is a bug and raises ValueError."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def csv(frame: pd.DataFrame, *, has_index: bool = True) -> str:
    """A frame as CSV with LF line ends; dates ISO, floats as `repr`, text cells harmless in a spreadsheet."""
    return csv_bytes(frame, has_index=has_index).decode()


def csv_bytes(frame: pd.DataFrame, *, has_index: bool = True) -> bytes:
    """The same in UTF-8: a long table as text would take four times the room while it grows."""
    frame = frame.copy(deep=False)
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_datetime64_any_dtype(frame[column]):
            frame[column] = [harmless(str(cell)) for cell in frame[column]]
    frame.columns = pd.Index([harmless(str(column)) for column in frame.columns])
    room = io.BytesIO()
    frame.to_csv(room, index=has_index, lineterminator="\n", date_format="%Y-%m-%d")
    return room.getvalue()


def harmless(cell: str) -> str:
    """The text, behind an apostrophe when a spreadsheet would take it for a formula."""
    lines = cell.split("\n")
    if any(line.lstrip(" \u00a0").startswith(FORMULA_STARTS) for line in lines):
        return "'" + cell
    return cell


def day(session: pd.Timestamp) -> str:
    """ISO date."""
    return f"{session:%Y-%m-%d}"


def sha256_text(text: str) -> str:
    """sha256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
