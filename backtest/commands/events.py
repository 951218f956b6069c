"""`backtest events`: what one thing did against another around events, and whether it is luck."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.commands.common import kind_of_data, placed, registry, tell
from backtest.config.events import EventStudy, changed, load_event_study
from backtest.errors import ConfigError
from backtest.events.lists import OWN_DAYS
from backtest.events.study import Events
from backtest.store.folder import Written
from backtest.text import aligned, number, p_equals, percent, points, probability


def events_path(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    *,
    lists: Sequence[str],
    pairs: Sequence[str],
    windows: str | None,
    days: str | None,
    offline: bool,
    as_json: bool,
    ledger: Path | None = None,
) -> None:
    """Study the events of a study or config, write the folder and print the table (or events.json's content).

    lists, pairs, windows, days: instead of those of the file. Raises what `run_events` raises.
    """
    from backtest.events.as_json import events_json
    from backtest.events.study import run_events
    from backtest.pages.events.files import write_events
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.store.provenance import Provenance

    provenance = Provenance()
    study = asked(path, overrides, lists=lists, pairs=pairs, windows=windows, days=days)
    with placed(path, overrides):
        found = run_events(study, offline=offline, ledger=ledger or default_ledger(), recorded=longest_ledger(out))
        provenance.ledger_length = 0 if found.search is None else found.search.length
        written = write_events(found, out, provenance)
    if as_json:
        print(json.dumps(events_json(found) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
    else:
        print_events(found, written, provenance.seconds)


def asked(
    path: Path,
    overrides: Sequence[str],
    *,
    lists: Sequence[str],
    pairs: Sequence[str],
    windows: str | None,
    days: str | None,
) -> EventStudy:
    """The study of a file under the options of the command line."""
    study = load_event_study(path, strategies=registry(), overrides=overrides)
    given = None if windows is None else tuple(_window(each) for each in windows.split(","))
    dates = None if days is None else {OWN_DAYS: tuple(each.strip() for each in days.split(","))}
    named = [name for each in lists for name in each.split(",")]
    return changed(study, lists=tuple(named) or None, pairs=tuple(pairs) or None, windows=given, dates=dates)


def _window(text: str) -> int | tuple[int, int]:
    try:
        ends = [int(each) for each in text.split(":")]
    except ValueError:
        ends = []
    if len(ends) == 1:
        return ends[0]
    if len(ends) != 2:
        raise ConfigError(f"--windows: found {text[:20]!r}, expected sessions such as 5,21,63 or from:to such as -1:0")
    return ends[0], ends[1]


def print_events(found: Events, written: Written, seconds: float) -> None:
    """Verdict, table, the path of the page."""
    from backtest.events.verdict import verdict_text
    from backtest.pages.events.files import PAGE

    sessions = found.sessions
    print(f"{found.name}, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}{kind_of_data(found.market)}")
    tell(found.market, f"\n{verdict_text(found)}\n")
    heads = ["", "n", "mean", "median", "hit", "naive t", "apart", "t", "calendar t", "placebo p", "any time", "p"]
    rows = [heads]
    for cell in found.cells:
        sample = cell.sample
        shown = [points(sample.mean), points(sample.median), percent(sample.hit, 0), number(cell.t_naive)]
        honest = [number(cell.t_apart), number(cell.t_calendar), probability(cell.placebo.p)]
        name = f"{cell.pair.key} {cell.events.name} {cell.window_key}"
        ends = [points(cell.unconditional), probability(cell.p_search)]
        rows.append([name, str(len(sample.values)), *shown, str(cell.n_apart), *honest, *ends])
    print("\n".join(aligned(rows)))
    for note in found.notes:
        print(f"  ! {note}")
    if found.best.p_search is not None:
        print(f"  p: corrected for the search, the smallest {p_equals(found.best.p_search)}")
    print(f"  {written.state} in {seconds:.1f} s: {written.folder / PAGE}")
