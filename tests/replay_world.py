"""What the replay server serves: a folder of files, a script of faults, and the log of what was asked."""

from __future__ import annotations

import csv
import datetime as dt
import threading
from pathlib import Path
from typing import Any

from replay_charts import Chart, stamp


class World:
    """What is served, what goes wrong, and what was asked."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.folder = Path()
        self.script: dict[str, list[str]] = {}
        self.log: list[dict[str, Any]] = []
        self.rows: dict[str, list[dict[str, str]]] = {}

    def fault(self, *keys: str) -> str:
        """The next fault for the first of the keys that has a script."""
        with self.lock:
            for key in keys:
                if left := self.script.get(key):
                    return left.pop(0) if len(left) > 1 else left[0]
        return "ok"

    def note(self, kind: str, **about: Any) -> None:
        """Write a request down."""
        with self.lock:
            self.log.append({"kind": kind, **about})

    def control(self, given: dict[str, Any]) -> dict[str, Any]:
        """Set folder or script; always gives the log, and clears it when asked to."""
        with self.lock:
            if "folder" in given:
                self.folder, self.rows = Path(given["folder"]), {}
            if "script" in given:
                self.script = given["script"]
            log = list(self.log)
            if given.get("clear"):
                self.log.clear()
        return {"log": log}

    def prices(self, symbol: str) -> list[dict[str, str]] | None:
        """Rows of a ticker's file."""
        path = self.folder / "prices" / f"{symbol}.csv"
        if symbol not in self.rows and path.parent.joinpath(path.name).is_file():
            with path.open(newline="", encoding="utf-8") as file:
                self.rows[symbol] = list(csv.DictReader(file))
        return self.rows.get(symbol)


def chart_of(rows: list[dict[str, str]], first: dt.date, last: dt.date) -> Chart:
    """The rows of a span of days."""
    kept = [(day, row) for row in rows if first <= (day := dt.date.fromisoformat(row["date"][:10])) < last]
    days = [day for day, _ in kept]

    def column(name: str) -> list[Any]:
        return [float(row[name]) for _, row in kept]

    def events(name: str) -> dict[dt.date, float]:
        return {day: float(row[name]) for day, row in kept if float(row.get(name) or 0.0)}

    prices = [column(name) for name in ("open", "high", "low", "close", "adj_close")]
    volume = [int(float(row["volume"])) for _, row in kept]
    return Chart(days, *prices, volume, events("dividends"), events("splits"), [stamp(day) for day in days])


def faulty_table(data: bytes, fault: str) -> bytes:
    """A table of dates and values with a fault in its last fifth; as it is for any other fault."""
    lines = data.split(b"\n")
    m = len(lines) * 4 // 5
    cells = {"dots": b".", "blank": b"", "text": b"n/a", "times_100": b"525"}
    if fault in cells:
        lines[m] = lines[m].split(b",")[0] + b"," + cells[fault]
    elif fault == "old_header":
        lines[0] = lines[0].replace(b"observation_date", b"DATE")
    elif fault == "another_series":
        lines[0] = b"observation_date,OTHER"
    elif fault == "unordered":
        lines[m], lines[m + 1] = lines[m + 1], lines[m]
    elif fault == "no_rows":
        lines = [lines[0], b""]
    elif fault == "ends_early":
        lines = [*lines[:m], b""]
    elif fault == "gap":
        del lines[m : m + 30]
    return b"\n".join(lines)
