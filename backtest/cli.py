"""The command line: which commands there are and what each is given; what they do stands in `commands/`.

A user's mistake is one line per problem on stderr and an exit code (errors.py); never a traceback. Relative paths in a
config are relative to the config; `configs/`, `strategies/` and `results/` are looked up in the current folder.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import backtest
from backtest.commands.data.app import data_app
from backtest.commands.options import (
    RESULTS,
    Cache,
    Chart,
    Cluster,
    Configs,
    Day,
    GridStudy,
    Json,
    LedgerFile,
    Offline,
    OneConfig,
    Out,
    Overrides,
)
from backtest.commands.trials import trials_app
from backtest.errors import BacktestError, ConfigError, NetworkError, RunError, WriteError
from backtest.text import listed

if TYPE_CHECKING:
    from backtest.commands.run import OneRun

INTERRUPTED = 130
WITHOUT_NETWORK = (
    "without a network: `source: sample` (configs/quickstart.yaml), csv, --offline with what is in the store"
)


def without_network(problems: Sequence[str]) -> list[str]:
    """A line for each reason with all that it kept from being read, and what works without a network."""
    names: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for line in problems:
        name, _, reason = line.partition(": ")
        kind = re.sub(r"asked (?:once|\d+ times)", "", reason)
        names.setdefault(kind, []).append(name)
        reasons.setdefault(kind, reason)
    lines = [f"{listed(own)}: {reasons[kind]}" for kind, own in names.items()]
    return [*lines[:-1], f"{lines[-1]}; {WITHOUT_NETWORK}"]


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


def print_version(is_wanted: bool) -> None:
    """What --version does."""
    if is_wanted:
        import platform

        print(f"backtest {backtest.__version__}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Backtests of rotations between large-cap growth and small caps, without fooling anyone."""


@app.command()
def run(
    context: typer.Context,
    configs: Configs,
    overrides: Overrides = None,
    out: Out = RESULTS,
    offline: Offline = False,
    as_json: Json = False,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """Run configs; each leaves a folder with a report, several are compared as well, and so is a study."""
    from backtest.commands.run import run_configs, run_one

    run_configs(configs, overrides or [], out, offline=offline, as_json=as_json, ledger=ledger,
                backtest_one=context.obj or run_one)  # fmt: skip


@app.command()
def compare(
    configs: Configs,
    overrides: Overrides = None,
    out: Out = RESULTS,
    offline: Offline = False,
    as_json: Json = False,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """Compare configs, or the variants of one study: which is better, and is it luck?"""
    from backtest.commands.search import compare_paths

    compare_paths(configs, overrides or [], out, offline=offline, as_json=as_json, ledger=ledger)


@app.command()
def sweep(
    study: GridStudy,
    overrides: Overrides = None,
    out: Out = RESULTS,
    curves: Annotated[
        list[int] | None,
        typer.Option("--curve", metavar="POINT", help="Also this point's whole curve: its row of sweep.csv, from 0."),
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also sweep.parquet; needs the extra [parquet].")] = False,
    offline: Offline = False,
    as_json: Json = False,
    cluster: Cluster = None,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """Run every point of a study's grid: plateau or peak, and is the best more than luck?"""
    from backtest.commands.search import sweep_path

    sweep_path(study, overrides or [], out, curves=curves or [], parquet=parquet, cluster=cluster, offline=offline,
               as_json=as_json, ledger=ledger)  # fmt: skip


@app.command("walk-forward")
def walk_forward(
    study: GridStudy,
    overrides: Overrides = None,
    out: Out = RESULTS,
    offline: Offline = False,
    as_json: Json = False,
    cluster: Cluster = None,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """Choose by the past alone, hold the choice, choose again: what would that have been worth?"""
    from backtest.commands.search import walk_path

    walk_path(study, overrides or [], out, offline=offline, as_json=as_json, cluster=cluster, ledger=ledger)


@app.command()
def events(
    study: Annotated[Path, typer.Argument(metavar="STUDY_OR_CONFIG", help="A YAML file.", show_default=False)],
    lists: Annotated[
        list[str] | None, typer.Option("--event", metavar="LIST", help="cuts, first_cuts, hikes, meetings ...")
    ] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--pair", metavar="A-B", help="Legs or tickers: IWM-QQQ; or one alone.")
    ] = None,
    windows: Annotated[
        str | None, typer.Option("--windows", metavar="5,21,-1:0", help="Sessions after day 0, or from:to.")
    ] = None,
    days: Annotated[str | None, typer.Option("--dates", metavar="DATE,...", help="Days of your own.")] = None,
    overrides: Overrides = None,
    out: Out = RESULTS,
    offline: Offline = False,
    as_json: Json = False,
    ledger: LedgerFile = None,
    cache: Cache = None,
) -> None:
    """What one thing did against another around cuts, hikes, meetings or days of your own: more than luck?"""
    from backtest.commands.events import events_path

    events_path(study, overrides or [], out, lists=lists or [], pairs=pairs or [], windows=windows, days=days,
                offline=offline, as_json=as_json, ledger=ledger)  # fmt: skip


@app.command()
def cycles(
    config: OneConfig,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """Every easing cycle: what the legs did after its first cut, and what the shipped strategies did in it."""
    from backtest.commands.cycles import print_cycles

    print_cycles(config, overrides or [], offline=offline, as_json=as_json)


@app.command()
def check(
    configs: Annotated[list[Path] | None, typer.Argument(metavar="[CONFIG...]", show_default=False)] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a config, for editors.")] = False,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """Validate configs, and their data and decisions where the data are on this machine, without trading."""
    from backtest.commands.checks import check_configs, print_schema

    if schema:
        print_schema()
    elif not configs:
        raise typer.BadParameter("give at least one CONFIG, or --schema")
    else:
        check_configs(configs, overrides or [], offline=offline, as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the strategies with their parameters, units and defaults, and the configs."""
    from backtest.commands.checks import list_all

    list_all(Path("configs"), as_json=as_json)


@app.command()
def results(out: Out = RESULTS, as_json: Json = False) -> None:
    """List the results of a folder: kind, name, what tells them apart, verdict, period."""
    from backtest.commands.results import list_results

    list_results(out, as_json=as_json)


@app.command()
def audit(
    configs: Configs,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """Cut off and poison the future at every decision; exit code 5 when anything before it changes."""
    from backtest.commands.checks import audit_configs

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


@app.command()
def signal(
    config: OneConfig,
    overrides: Overrides = None,
    holding: Annotated[
        str | None, typer.Option("--holding", metavar="QQQ=120,cash=5000", help="What you hold: shares, USD.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the orders: ticker,side,shares,type.")
    ] = None,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """The orders that the tested account has pending; exit code 10 when it trades at the next fill."""
    from backtest.commands.today import signal as ask

    raise typer.Exit(ask(config, overrides or [], holding, offline=offline, as_json=as_json, csv=csv))


@app.command()
def why(
    config: OneConfig,
    day: Day = None,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """The rule with every value and threshold at a close, and how far each is from flipping."""
    from backtest.commands.today import why as explain

    explain(config, day, overrides or [], offline=offline, as_json=as_json)


@app.command()
def fedwatch(
    day: Day = None,
    prices: Annotated[
        Path | None, typer.Option("--prices", metavar="FILE", help="Settlements: date,contract_month,close.")
    ] = None,
    old_day_count: Annotated[bool, typer.Option("--old-day-count", help="CME's rule of its older pages.")] = False,
    chart: Chart = None,
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
    chart: Chart = None,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: Json = False,
    cache: Cache = None,
) -> None:
    """The best N-session gains of a ticker, or over another, and what followed."""
    from backtest.commands.surges import print_surges

    print_surges(config, overrides or [], ticker=ticker, over=over, sessions=sessions, top=top, day=day, chart=chart,
                 offline=offline, as_json=as_json)  # fmt: skip


def main(arguments: Sequence[str] | None = None, backtest_one: OneRun | None = None) -> None:
    """Run a command; ends the process with its exit code.

    backtest_one: how one config is run, from `run_backtest.py`, which shows it step by step.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # a true minus, whatever the terminal's old encoding
    try:
        try:
            given = list(sys.argv[1:] if arguments is None else arguments)
            if given and given[0].endswith((".yaml", ".yml")):
                raise ConfigError(f"{given[0]}: is no command, did you mean `backtest run {shlex.join(given)}`?")
            app(args=given, prog_name="backtest", obj=backtest_one)
        finally:
            sys.stdout.flush()
    except OSError as error:  # of files each command speaks for itself
        print(f"{error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        # What is left of it cannot be written at the end either.
        sys.stdout = open(os.devnull, "w", encoding="utf-8", newline="\n")  # noqa: SIM115
        raise SystemExit(WriteError.exit_code) from None
    except BacktestError as error:
        problems = list(error.problems)
        if isinstance(error, NetworkError):
            problems = without_network(problems)
        print("\n".join(problems), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except MemoryError:
        print("not enough memory: nothing was written that is not whole", file=sys.stderr)
        raise SystemExit(RunError.exit_code) from None
    except (KeyboardInterrupt, SystemExit) as end:  # newer typers make the first into the second, in silence
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        print("interrupted: nothing was written that is not whole", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
