"""Tables and JSON as text that a program reads.

Numbers are shortest round-trip text, an undefined one is empty or null, never NaN; a cell that a spreadsheet would take
for a formula is quoted.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


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
