"""`backtest data import`: what a price file is, what is wrong with it, and the same in the project's own layout."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from backtest.commands.common import ASKED
from backtest.config.models import CsvPrices
from backtest.data.calendar import sessions_around
from backtest.data.checks import find_faults
from backtest.data.csv_folder import read_any
from backtest.data.layouts import Stated
from backtest.data.sources import Fetched
from backtest.errors import ConfigError, DataError, WriteError
from backtest.store.folder import replace_file
from backtest.text import count


def import_files(files: Sequence[Path], stated: Stated, folder: Path | None, ticker: str | None) -> None:
    """Say of each file what it was read as; DataError for what would stop a run, else written to `folder` if given."""
    found: dict[str, Fetched] = {}
    problems: list[str] = []
    for path in files:
        try:
            for name, fetched in read_any(path, stated, ticker).items():
                if name in found:
                    problems.append(f"{path}: {name} is in {found[name].location} too; import one of them")
                    continue
                found[name] = fetched
                print(_about(name, fetched))
                problems += _judged(name, fetched)
        except DataError as error:
            problems += [ASKED.sub(_option, problem) for problem in error.problems]
    if problems:
        raise DataError(*problems)
    if folder is None:
        print("nothing was written; --to DIR writes them in the project's own layout")
        return
    for name, fetched in found.items():
        _write(folder / f"{name}.csv", fetched.values)


def _option(key: re.Match[str]) -> str:
    """The option that says here what the key says in a config."""
    return f"--{key[0].rpartition('.')[2].replace('columns', 'column')} (in a config: {key[0]})"


def stated_of(adjusted: str | None, dates: str | None, decimal: str | None, columns: Sequence[str]) -> Stated:
    """The options as a config would say them; ConfigError for one that says something else."""
    given = {"source": "csv", "folder": ".", "adjusted": adjusted, "dates": dates, "decimal": decimal}
    pairs = [column.partition("=") for column in columns]
    try:
        prices = CsvPrices.model_validate_json(
            json.dumps({**given, "columns": {name: header for name, _, header in pairs}})
        )
    except ValidationError as error:
        wrong = error.errors()
        raise ConfigError(*(f"--{one['loc'][0]}: found {one['input']!r}, {str(one['msg']).lower()}" for one in wrong)
                          ) from None  # fmt: skip
    return Stated(prices.adjusted, prices.columns, prices.dates, prices.decimal)


def _about(ticker: str, fetched: Fetched) -> str:
    frame = fetched.values
    close = frame["close"].to_numpy()
    decimals = next((n for n in range(8) if (abs(close - close.round(n)) < 1e-9).all()), None)
    told = "" if decimals is None else f", prices to {decimals} decimals"
    notes = "".join(f"; it {note}" for note in fetched.notes)
    span = f"{frame.index[0]:%Y-%m-%d} to {frame.index[-1]:%Y-%m-%d}"
    rows = f"daily, {count(len(frame))} rows, {span}{told}{notes}"
    return f"{fetched.location}: {ticker}: {fetched.layout}, {rows}"


def _judged(ticker: str, fetched: Fetched) -> list[str]:
    """Prints what only warns; gives what would stop a run."""
    frame = fetched.values
    faults = find_faults(ticker, frame, sessions_around(frame.index.min(), frame.index.max()))
    for fault in faults:
        if not fault.check.stops:
            print(f"  warns: {fault.line}")
    return [f"{fetched.location}: {fault.line}" for fault in faults if fault.check.stops]


def _write(path: Path, frame: pd.DataFrame) -> None:
    table = frame.rename_axis("date").reset_index().to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")
    if path.exists() and path.read_text(encoding="utf-8") != table:
        raise WriteError(f"{path}: is there with other prices; move it away, or give another folder with --to")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: {error.strerror}") from None
    replace_file(path, table)
    print(path)
