"""`backtest data check`: the store byte by byte and price by price, or the data of configs, with a second source."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.commands.common import load_all
from backtest.commands.data.series import CONFIG_SUFFIXES, series_of
from backtest.data.assemble import load_market, traded_tickers
from backtest.data.between import DISAGREEMENT, cross_check
from backtest.data.calendar import sessions_around
from backtest.data.checks import CHECKS, find_faults
from backtest.data.choice import choose_source
from backtest.data.snapshots import Snapshots
from backtest.data.sources import PRICE_COLUMNS
from backtest.data.store import Store
from backtest.errors import BacktestError, DataError
from backtest.store.folder import replace_file

STOPS, WARNS = "stops", "warns"


def check_data(targets: Sequence[str], page: Path | None, *, offline: bool) -> None:
    """Print every finding with its level; DataError when one stops. page: the findings and disagreements as HTML."""
    configs = [target for target in targets if Path(target).suffix in CONFIG_SUFFIXES]
    others = [target for target in targets if target not in configs]
    findings: list[tuple[str, str]] = []
    tables: list[pd.DataFrame] = []
    failure: BacktestError | None = None
    if others or not targets:
        findings += _store_findings(others)
    for config in load_all([Path(path) for path in configs], []):
        try:
            market = load_market(config, offline=offline)
            findings += [(WARNS, note) for note in market.notes]
            if config.data.cross_check is not None:
                # As above, what the first source gave, up to the end of the run.
                source = choose_source(config.data.prices, end=config.data.end, offline=offline,
                                       largest_daily_move=config.data.largest_daily_move)  # fmt: skip
                fetched = source.prices(traded_tickers(config))
                frames = {ticker: one.values[: market.sessions[-1]] for ticker, one in fetched.items()}
                tables.append(cross_check(frames, config.data.cross_check)[0])
        except BacktestError as error:
            failure = failure or error
            findings += [(STOPS, problem) for problem in error.problems]
    if not targets and not Store().series():
        print(f"the store {Store().root} is empty: nothing was checked; backtest data fetch CONFIG fills it, and "
              "backtest data check CONFIG checks a config's own files")  # fmt: skip
        return
    for level, text in findings:
        if level == WARNS:
            print(f"{level}: {text}")
    if page is not None:
        whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(DISAGREEMENT))
        replace_file(page, _page(findings, whole))
        print(page)
    stopping = [text for level, text in findings if level == STOPS]
    if stopping:
        raise type(failure)(*stopping) if failure else DataError(*stopping)
    print(f"no fault that stops a run; {len(findings)} to know of")


HANDLED = (
    ("unfinished session", "left out until half an hour after its close; never kept"),
    ("rows out of order", "Yahoo's are sorted by its client; a file with the newest first is turned round, else stops"),
    ("a value missing in a rate", "the last one holds for up to 7 days; counted in the report"),
    ("a refused or broken answer", "asked again with growing pauses; then a snapshot of the last week, with a word"),
    ("a damaged snapshot", "put aside and fetched again"),
    ("adjusted prices rescaled by a new dividend", "the whole history is fetched again; returns are compared"),
)
"""Faults that are dealt with and need nobody: what, and how."""


def list_faults() -> None:
    """The catalogue: a line for each fault, its level first."""
    rows = [
        (STOPS if check.stops else WARNS, check.name, f"{check.found.rstrip(',')}: {check.remedy}") for check in CHECKS
    ]
    rows += [("handled", name, how) for name, how in HANDLED]
    for level, name, text in sorted(rows, key=lambda row: ("stops", "warns", "handled").index(row[0])):
        print(f"{level:<8} {name:<42} {text}")


def _store_findings(names: Sequence[str]) -> list[tuple[str, str]]:
    """Every record and object of the series read and judged."""
    store = Store()
    source = Snapshots(offline=True, store=store)
    findings: list[tuple[str, str]] = []
    for series in series_of(names) or store.series():
        # All of them, not only the newest: a pinned result may need an old one.
        recorded = store.snapshots(series)
        lost = [each for each in recorded if store.load(each.sha256) is None]
        findings += [(STOPS, f"{series}: the snapshot of {each.fetched_at} is damaged or missing; fetch it again")
                     for each in {each.sha256: each for each in lost}.values()]  # fmt: skip
        kept = store.newest(series)
        if kept is None:
            findings.append((STOPS, f"{series}: has no sound snapshot; backtest data fetch {series}"))
            continue
        findings += _judged(source, series, kept[1])
        print(f"{series}: {len(recorded)} records, {len(kept[1])} rows to {kept[0].last}")
    return findings


def _judged(source: Snapshots, series: str, frame: pd.DataFrame) -> list[tuple[str, str]]:
    name = series.partition("/")[2]
    is_fund = list(frame.columns) == list(PRICE_COLUMNS) and not name.startswith("^") and not name.endswith(".CBT")
    if is_fund:
        sessions = sessions_around(frame.index.min(), frame.index.max())
        return [(STOPS if each.check.stops else WARNS, each.line) for each in find_faults(name, frame, sessions)]
    try:
        source.provider_of(series).check(name, frame)
    except DataError as error:
        return [(STOPS, problem) for problem in error.problems]
    return []


def _page(findings: Sequence[tuple[str, str]], table: pd.DataFrame) -> str:
    """A self-contained page: what was found, and every day on which two sources disagree."""
    items = "".join(f"<li><b>{level}</b> {html.escape(text)}</li>" for level, text in findings) or "<li>nothing</li>"
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in DISAGREEMENT)
    rows = "".join(
        f"<tr><td>{html.escape(str(row.ticker))}</td><td>{row.date:%Y-%m-%d}</td><td>{html.escape(str(row.column))}</td>"
        f"<td>{_percent(row.first_return)}</td><td>{_percent(row.second_return)}</td><td>{_percent(row.difference)}</td></tr>"
        for row in table.itertuples()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Data check</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
        "td:first-child,th:first-child{text-align:left}</style>"
        f"<h1>Data check</h1><h2>Found</h2><ul>{items}</ul>"
        f"<h2>Where two sources disagree: {len(table)} returns</h2><table><tr>{head}</tr>{rows}</table></html>\n"
    )


def _percent(value: Any) -> str:
    return "missing" if pd.isna(value) else f"{value:.4%}"
