"""`backtest results`: what stands in a folder of results, as its index lists it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from backtest.commands.common import kind_of_data
from backtest.pages.index import ResultRow, rows_of
from backtest.text import aligned, percent, points


def list_results(root: Path, *, as_json: bool) -> None:
    """Print the results, newest first, for people or as JSON; damaged ones are named on stderr."""
    rows, damaged = rows_of(root)
    if as_json:
        print(json.dumps([_row_json(root, row) for row in rows], indent=2, allow_nan=False))
    elif rows:
        print("\n".join(_lines(root, rows)))
    else:
        print(f"no results in {root}/")
    for line in damaged:
        print(line, file=sys.stderr)


def _row_json(root: Path, row: ResultRow) -> dict[str, object]:
    """A row without its picture."""
    content = asdict(row)
    del content["spark"]
    return content | {"folder": str(root / row.folder), "page": str(root / row.folder / row.page)}


def _lines(root: Path, rows: list[ResultRow]) -> list[str]:
    """A line of figures for each, and below it verdict, difference and place."""
    table = [["", "a year", "ahead", "period", "made, UTC"]]
    for row in rows:
        figures = [percent(row.figures.get("cagr")), points(row.ahead)]
        table.append([f"{row.kind} {row.name}{kind_of_data(row)}", *figures, f"{row.begin} to {row.end}", row.made])
    head, *lines = aligned(table, indent="")
    told = [head]
    for line, row in zip(lines, rows, strict=True):
        told.append(line)
        told += [f"    {text}" for text in (row.apart, row.verdict, str(root / row.folder / row.page)) if text]
    return told
