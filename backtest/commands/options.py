"""The options that commands share, each made once: what it is called, what it says, what it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from backtest.errors import WriteError

CACHE_VARIABLE = "BACKTEST_CACHE"


def use_cache(folder: Path | None) -> Path | None:
    """What --cache does: the environment variable, which other processes of the run inherit."""
    if folder is not None:
        os.environ[CACHE_VARIABLE] = str(folder.absolute())
    return folder


def check_folder(folder: Path) -> Path:
    """WriteError, before anything is run, when the place of the results is a file."""
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"--out: {folder} is a file, expected a folder")
    return folder


Configs = Annotated[
    list[Path], typer.Argument(metavar="CONFIG...", help="YAML files: what to test.", show_default=False)
]
OneConfig = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)]
GridStudy = Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a grid.", show_default=False)]
Day = Annotated[str | None, typer.Argument(metavar="[DATE]", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: strategy.params.hold_sessions=126"),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", callback=check_folder, help="Where result folders go.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache", metavar="DIR", callback=use_cache, help=f"Where snapshots are; else {CACHE_VARIABLE}, else yours."
    ),
]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="FILE", help="The ledger of trials; $BACKTEST_LEDGER."),
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="tcp://HOST:PORT", help="Run the points on a dask cluster.")
]
Chart = Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Write the chart as a page.")]
Json = Annotated[bool, typer.Option("--json", help="Print what a script needs, as JSON.")]

RESULTS = Path("results")
"""Where result folders go without --out: in the current folder."""
