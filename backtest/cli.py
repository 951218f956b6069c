"""The command line: `backtest run | compare | sweep | walk-forward | check | list | audit`, a few lines each.

A user's mistake is one line per problem on stderr and an exit code (errors.py); never a traceback. Relative paths in a
config are relative to the config; `configs/`, `strategies/` and `results/` are looked up in the current folder.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from backtest.commands.data_app import Cache, data_app
from backtest.commands.trials import trials_app
from backtest.errors import BacktestError, RunError

INTERRUPTED = 130

app = typer.Typer(
    name="backtest",
    help="Backtests of rotations between large-cap growth and small caps, without fooling anyone.",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app)
app.add_typer(trials_app)

Configs = Annotated[
    list[Path], typer.Argument(metavar="CONFIG...", help="YAML files: what to test.", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: strategy.params.hold_sessions=126"),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where result folders go.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network.")]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="tcp://HOST:PORT", help="Run the points on a dask cluster.")
]
LedgerFile = Annotated[
    Path | None, typer.Option("--ledger", metavar="FILE", help="Where every trial is remembered; $BACKTEST_LEDGER.")
]
Json = Annotated[bool, typer.Option("--json", help="Print what a script needs, as JSON.")]


@app.command()
def run(
    configs: Configs,
    overrides: Overrides = None,
    out: Out = Path("results"),
    offline: Offline = False,
    as_json: Json = False,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """Run configs; each leaves a folder with a report, several are compared as well, and so is a study."""
    from backtest.commands.run import run_configs

    run_configs(configs, overrides or [], out, offline=offline, as_json=as_json, ledger=ledger)


@app.command()
def compare(
    configs: Configs,
    overrides: Overrides = None,
    out: Out = Path("results"),
    offline: Offline = False,
    as_json: Json = False,
    ledger: LedgerFile = None,
) -> None:
    """Compare configs, or the variants of one study: which is better, and is it luck?"""
    from backtest.commands.compare import compare_paths

    compare_paths(configs, overrides or [], out, offline=offline, as_json=as_json, ledger=ledger)


@app.command()
def sweep(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a grid.", show_default=False)],
    overrides: Overrides = None,
    out: Out = Path("results"),
    curves: Annotated[
        list[int] | None,
        typer.Option("--curve", metavar="POINT", help="Also this point's whole curve: its row of sweep.csv, from 0."),
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also sweep.parquet; needs the extra [parquet].")] = False,
    offline: Offline = False,
    as_json: Json = False,
    cluster: Cluster = None,
    ledger: LedgerFile = None,
) -> None:
    """Run every point of a study's grid: plateau or peak, and is the best more than luck?"""
    from backtest.commands.sweep import sweep_path

    sweep_path(study, overrides or [], out, curves=curves or [], parquet=parquet, cluster=cluster, offline=offline,
               as_json=as_json, ledger=ledger)  # fmt: skip


@app.command("walk-forward")
def walk_forward(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a grid.", show_default=False)],
    overrides: Overrides = None,
    out: Out = Path("results"),
    offline: Offline = False,
    as_json: Json = False,
    cluster: Cluster = None,
    ledger: LedgerFile = None,
) -> None:
    """Choose by the past alone, hold the choice, choose again: what would that have been worth?"""
    from backtest.commands.walk_forward import walk_path

    walk_path(study, overrides or [], out, offline=offline, as_json=as_json, cluster=cluster, ledger=ledger)


@app.command()
def check(
    configs: Annotated[list[Path] | None, typer.Argument(metavar="[CONFIG...]", show_default=False)] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a config, for editors.")] = False,
    offline: Offline = False,
    cache: Cache = None,
) -> None:
    """Validate configs, and their data where they are on this machine, without running them."""
    from backtest.commands.check import check_configs, print_schema

    if schema:
        print_schema()
    elif not configs:
        raise typer.BadParameter("give at least one CONFIG, or --schema")
    else:
        check_configs(configs, overrides or [], offline=offline)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the strategies with their parameters, units and defaults, and the configs."""
    from backtest.commands.listing import list_all

    list_all(Path("configs"), as_json=as_json)


@app.command()
def results(out: Out = Path("results"), as_json: Json = False) -> None:
    """List the results of a folder: kind, name, what tells them apart, verdict, period."""
    from backtest.commands.results import list_results

    list_results(out, as_json=as_json)


@app.command()
def audit(configs: Configs, overrides: Overrides = None, offline: Offline = False, as_json: Json = False) -> None:
    """Cut off and poison the future at every decision; exit code 5 when anything before it changes."""
    from backtest.commands.audit import audit_configs

    audit_configs(configs, overrides or [], offline=offline, as_json=as_json)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RESULT", help="A result's folder.", show_default=False)],
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """Run a result again from its manifest: did data, code or config change, and by how much does the answer move?"""
    from backtest.commands.verify import verify_result

    verify_result(folder, offline=offline, as_json=as_json)


OneConfig = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)]


@app.command()
def signal(
    config: OneConfig,
    overrides: Overrides = None,
    holding: Annotated[
        str | None, typer.Option("--holding", metavar="QQQ=120,cash=5000", help="What you hold: shares, USD.")
    ] = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """What to hold at the next open; exit code 10 when it changed with the last close."""
    from backtest.commands.signal import signal as ask

    raise typer.Exit(ask(config, overrides or [], holding, offline=offline, as_json=as_json))


@app.command()
def why(
    config: OneConfig,
    day: Annotated[str | None, typer.Argument(metavar="[DATE]", show_default=False)] = None,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """The rule with every value and threshold at a close, and how far each is from flipping."""
    from backtest.commands.why import why as explain

    explain(config, day, overrides or [], offline=offline, as_json=as_json)


@app.command()
def fedwatch(
    day: Annotated[str | None, typer.Argument(metavar="[DATE]", show_default=False)] = None,
    prices: Annotated[
        Path | None, typer.Option("--prices", metavar="FILE", help="Settlements: date,contract_month,close.")
    ] = None,
    old_day_count: Annotated[bool, typer.Option("--old-day-count", help="CME's rule of its older pages.")] = False,
    chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Write the chart as a page.")] = None,
    score: Annotated[bool, typer.Option("--score", help="Brier score and reliability over all meetings.")] = False,
    as_json: Json = False,
) -> None:
    """What fed funds futures price in, by meeting and band; on simulated prices without --prices."""
    from backtest.commands.fedwatch import fedwatch as show

    show(day, prices, count="after" if old_day_count else "before", chart=chart, score=score, as_json=as_json)


@app.command()
def surges(
    config: Annotated[Path, typer.Argument(metavar="[CONFIG]")] = Path("configs/surge_2024.yaml"),
    ticker: Annotated[str, typer.Option("--ticker", metavar="TICKER")] = "IWM",
    over: Annotated[str | None, typer.Option("--over", metavar="TICKER", help="Its gain over another.")] = None,
    sessions: Annotated[int, typer.Option("--sessions", metavar="N", help="How long a surge is.")] = 5,
    top: Annotated[int, typer.Option("--top", metavar="N", help="How many to list.")] = 10,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="Also the one that ends then.")] = None,
    chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Write the chart as a page.")] = None,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """The best N-session gains of a ticker, or over another, and what followed."""
    from backtest.commands.surges import print_surges

    print_surges(config, overrides or [], ticker=ticker, over=over, sessions=sessions, top=top, day=day, chart=chart,
                 offline=offline, as_json=as_json)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # a true minus, whatever the terminal's old encoding
    try:
        app(args=None if arguments is None else list(arguments), prog_name="backtest")
    except BacktestError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except MemoryError:
        print("not enough memory: nothing was written that is not whole", file=sys.stderr)
        raise SystemExit(RunError.exit_code) from None
    except (KeyboardInterrupt, SystemExit) as end:  # newer typers make the first into the second, in silence
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        print("interrupted: nothing was written that is not whole", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
