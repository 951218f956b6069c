"""`backtest trials`: what the ledger knows; export, merge, and (told on every later page) forget."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from backtest.commands.options import LedgerFile
from backtest.errors import ConfigError
from backtest.store.ledger import Ledger, default_ledger, exported, listed
from backtest.text import aligned, count

trials_app = typer.Typer(name="trials", help="Everything that was ever tried: what verdicts are corrected for.")

Study = Annotated[str | None, typer.Option("--study", help="Only the trials of this study or config.")]


@trials_app.command("list")
def list_trials(ledger: LedgerFile = None, study: Study = None) -> None:
    """Trials by study, command, benchmark and period."""
    known = _opened(ledger)
    by = ("study", "group", "command", "prices", "benchmark", "begin", "end")
    found: Counter[tuple[str, ...]] = Counter()
    for each in listed(known):
        if study in (None, each["study"]):
            found[tuple(str(each.get(key, "")) for key in by)] += each["trials"]
    rows = [[*by, "trials"], *([*key, count(number)] for key, number in sorted(found.items()))]
    print(f"{known.path}: {count(len(known))} trials, {count(known.forgotten)} forgotten")
    print("\n".join(aligned(rows)))
    for line in known.damaged:
        print(f"  ! {line}", file=sys.stderr)


@trials_app.command()
def export(ledger: LedgerFile = None) -> None:
    """Every trial as a line of CSV: identity, names, active sessions, t of being ahead and of timing."""
    rows = exported(_opened(ledger))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows(rows)


@trials_app.command()
def merge(other: Annotated[Path, typer.Argument(metavar="FILE")], ledger: LedgerFile = None) -> None:
    """Add the trials of another ledger."""
    if not other.is_file():
        raise ConfigError(f"{other}: is no file, expected a ledger")
    known = _opened(ledger)
    before = len(known)
    known.merge(Ledger(other))
    print(f"{known.path}: {len(known) - before} trials added")


@trials_app.command()
def group(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the group; '' takes the studies out of theirs.")],
    study: Annotated[list[str] | None, typer.Option("--study", help="A study or config; several: once each.")] = None,
    ledger: LedgerFile = None,
) -> None:
    """Correct studies for the trials of their group alone, which their later pages will tell."""
    if not study:
        raise ConfigError("trials group: --study: found none, expected the names of studies or configs")
    known = _opened(ledger)
    unknown = sorted(set(study) - {str(each["study"]) for each in listed(known)})
    if unknown:
        raise ConfigError(f"trials group: --study {unknown[0]}: found no trial of it, expected a name that is listed")
    known.group(name, study)
    inside = sum(each["trials"] for each in listed(known) if name and each["group"] == name)
    told = f"the group {name} has {count(inside)} trials" if name else "these studies are in no group"
    print(f"{known.path}: {told}, which every later page will tell")


@trials_app.command()
def forget(ledger: LedgerFile = None, study: Study = None) -> None:
    """Leave the trials of a study out of every later correction; how many is told on every later page."""
    if study is None:
        raise ConfigError("trials forget: --study: found none, expected the name of a study or config")
    known = _opened(ledger)
    gone = known.forget([record for record in known.tried() if known.describe(record)["study"] == study])
    print(f"{known.path}: {gone} trials are forgotten, which every later page will tell")


def _opened(path: Path | None) -> Ledger:
    return Ledger(path or default_ledger())
