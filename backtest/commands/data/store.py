"""`backtest data fetch`, `status`, `diff` and `export`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from backtest.commands.data.series import series_of
from backtest.data import clock
from backtest.data.futures import is_contract, settlements
from backtest.data.snapshots import Snapshots
from backtest.data.sources import PRICE_COLUMNS
from backtest.data.store import Snapshot, Store
from backtest.data.update import RETURN_TOLERANCE, difference
from backtest.errors import BacktestError, DataError, WriteError
from backtest.store.folder import replace_file

SHOWN = 12
"""Characters of a sha256 in a table."""


def fetch_targets(targets: Sequence[str], *, whole: bool) -> None:
    """Bring each series up to date and say what came; the first kind of failure gives the exit code, all are told."""
    source = Snapshots()
    problems: list[str] = []
    failure: BacktestError | None = None
    for series in series_of(targets):
        before = source.store.newest(series)
        try:
            snapshot, _ = source.series(series, again=whole)
        except BacktestError as error:
            failure = failure or error
            problems += error.problems
            continue
        is_new = before is None or snapshot.fetched_at != before[0].fetched_at or snapshot.sha256 != before[0].sha256
        state = snapshot.change if is_new else f"is there, fetched {clock.age(snapshot.fetched_at, clock.now())} ago"
        span = f"{snapshot.rows} rows, {snapshot.first} to {snapshot.last}"
        print(f"{series}: {state}; {span}, {snapshot.sha256[:SHOWN]}")
    if failure:
        raise type(failure)(*problems)


def show_status(names: Sequence[str], *, as_json: bool) -> None:
    """A line for each series of the store, or all records as JSON."""
    store = Store()
    wanted = series_of(names) or store.series()
    recorded = {series: store.snapshots(series) for series in wanted}
    if as_json:
        records = {series: [dataclasses.asdict(each) for each in found] for series, found in recorded.items()}
        print(json.dumps({"cache": str(store.root), "series": records}, indent=2))
        return
    rows: list[tuple[str, ...]] = [("series", "rows", "first", "last", "fetched", "snapshots", "sha256", "last change")]
    rows += [_status_row(series, found) for series, found in recorded.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"store: {store.root}")
    for row in rows if len(rows) > 1 else []:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if len(rows) == 1:
        print("empty; backtest data fetch CONFIG fills it")


def show_diff(name: str, old: str | None, new: str | None, *, as_json: bool) -> None:
    """The days on which two snapshots of a series disagree."""
    (series,) = series_of([name])
    store = Store()
    found = store.snapshots(series)
    later = _chosen(found, new, series) if new else (found[0] if found else None)
    if later is None:
        raise DataError(f"{series}: the store has no snapshot of it")
    others = [each for each in found if each.sha256 != later.sha256]
    earlier = _chosen(found, old, series) if old else (others[0] if others else None)
    if earlier is None:
        print(f"{series}: there is one snapshot, of {later.fetched_at}; nothing to compare it with")
        return
    frames = [store.load(each.sha256) for each in (earlier, later)]
    if frames[0] is None or frames[1] is None:
        raise DataError(f"{series}: the numbers of a snapshot are damaged or missing; backtest data check says which")
    apart = difference(frames[0], frames[1])
    if as_json:
        days = {what: [f"{day:%Y-%m-%d}" for day in getattr(apart, what)] for what in ("changed", "added", "removed")}
        both = {"old": earlier.sha256, "new": later.sha256}
        print(json.dumps({"series": series, **both, "largest": apart.largest, **days}, indent=2))
        return
    which = [f"{each.sha256[:SHOWN]} of {each.fetched_at}" for each in (earlier, later)]
    print(f"{series}: {which[0]}  ->  {which[1]}")
    print(f"  {apart.words()} (returns differ when by more than {RETURN_TOLERANCE:g})")
    for day in apart.changed[:SHOWN]:
        print(f"  {day:%Y-%m-%d}  {_row(frames[0], day)}  ->  {_row(frames[1], day)}")
    if len(apart.changed) > SHOWN:
        print(f"  ... {len(apart.changed) - SHOWN} more; --json lists them all")


def export_series(folder: Path, names: Sequence[str]) -> None:
    """Each series as a file: tickers in prices/, rates and tables in macro/, futures together in zq_daily.csv."""
    store = Store()
    futures: dict[str, pd.DataFrame] = {}
    for series in series_of(names) or store.series():
        kept = store.newest(series)
        if kept is None:
            raise DataError(f"{series}: the store has no sound snapshot of it; backtest data fetch {series}")
        name, frame = series.partition("/")[2], kept[1]
        if is_contract(name):
            futures[name] = frame
            continue
        is_ticker = list(frame.columns) == list(PRICE_COLUMNS)
        path = folder / ("prices" if is_ticker else "macro") / f"{name.removeprefix('^')}.csv"
        _write_csv(path, frame.rename_axis("date").reset_index())
    if futures:
        _write_csv(folder / "macro" / "zq_daily.csv", settlements(futures))


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: {error.strerror}") from None
    replace_file(path, table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"))
    print(path)


def _status_row(series: str, found: Sequence[Snapshot]) -> tuple[str, ...]:
    if not found:
        return (series, "", "", "", "not there", "0", "", "")
    newest = found[0]
    fetched = f"{clock.age(newest.fetched_at, clock.now())} ago"
    contents = str(len({each.sha256 for each in found}))
    changed = next((each.change for each in found if each.change != "unchanged"), "unchanged")
    return (series, str(newest.rows), newest.first, newest.last, fetched, contents, newest.sha256[:SHOWN], changed)


def _chosen(found: Sequence[Snapshot], start: str, series: str) -> Snapshot:
    for each in found:
        if each.sha256.startswith(start):
            return each
    known = ", ".join(dict.fromkeys(each.sha256[:SHOWN] for each in found)) or "none"
    raise DataError(f"{series}: no snapshot begins with {start[:64]!r}; it has {known}")


def _row(frame: pd.DataFrame, day: pd.Timestamp) -> str:
    columns = [name for name in ("close", "adj_close", "dividends", "splits") if name in frame] or list(frame.columns)
    return " ".join(f"{name} {value:.6g}" for name, value in frame.loc[day, columns].astype(float).items())
