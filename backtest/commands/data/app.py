"""`backtest data fetch | status | check | diff | export`: the store of snapshots from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtest.commands.options import Cache, Json, Offline

data_app = typer.Typer(
    name="data", help="The store of prices and rates: fetch, look, check, compare, export.", no_args_is_help=True
)


Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="WHAT...",
        help="Configs (all they need), tickers, or series: QQQ, fred:DTB3, fred:CPILFESL@2024-07-11, "
        "french:6_Portfolios_2x3, futures:2025-01..2026-12.",
        show_default=False,
    ),
]
Series = Annotated[list[str] | None, typer.Argument(metavar="[WHAT...]", show_default=False)]


@data_app.command()
def fetch(
    targets: Targets,
    whole: Annotated[bool, typer.Option("--whole", help="Ask for whole histories again.")] = False,
    cache: Cache = None,
) -> None:
    """Bring the store up to date; nothing is asked for that is there already."""
    from backtest.commands.data.store import fetch_targets

    fetch_targets(targets, whole=whole)


@data_app.command()
def status(series: Series = None, cache: Cache = None, as_json: Json = False) -> None:
    """Show every series of the store: how many sessions, how old, what had changed."""
    from backtest.commands.data.store import show_status

    show_status(series or [], as_json=as_json)


@data_app.command()
def check(
    targets: Series = None,
    page: Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write the findings as a page.")] = None,
    offline: Offline = False,
    cache: Cache = None,
) -> None:
    """Check every byte and every price of the store, or the data of configs; exit code 3 for a fault that stops."""
    from backtest.commands.data.check import check_data

    check_data(targets or [], page, offline=offline)


@data_app.command()
def faults() -> None:
    """List what is looked for in prices, whether it stops a run, and what to do about it."""
    from backtest.commands.data.check import list_faults

    list_faults()


@data_app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Price files.", show_default=False)],
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write them in the project's layout.")] = None,
    ticker: Annotated[str | None, typer.Option("--ticker", help="Of a file whose name does not say it.")] = None,
    adjusted: Annotated[str | None, typer.Option("--adjusted", help="total_return, splits_only or tape.")] = None,
    dates: Annotated[str | None, typer.Option("--dates", help="day_first or month_first.")] = None,
    decimal: Annotated[str | None, typer.Option("--decimal", help="point or comma.")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="close=Schluss, for each unknown header.")
    ] = None,
) -> None:
    """Show what price files are read as, what is wrong with them, and write them in the project's own layout."""
    from backtest.commands.data.importing import import_files, stated_of

    import_files(files, stated_of(adjusted, dates, decimal, column or []), to, ticker)


@data_app.command()
def diff(
    series: Annotated[str, typer.Argument(metavar="SERIES", help="QQQ, fred:DTB3, ...", show_default=False)],
    old: Annotated[str | None, typer.Argument(metavar="[OLD]", help="First characters of its sha256.")] = None,
    new: Annotated[str | None, typer.Argument(metavar="[NEW]", help="The same; the newest when left out.")] = None,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Compare two snapshots of a series by daily return; without OLD, the newest two that differ."""
    from backtest.commands.data.store import show_diff

    show_diff(series, old, new, as_json=as_json)


@data_app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="It gets prices/ and macro/.", show_default=False)],
    series: Series = None,
    cache: Cache = None,
) -> None:
    """Write the store as CSV files, which `source: csv` reads back to the last bit."""
    from backtest.commands.data.store import export_series

    export_series(folder, series or [])
