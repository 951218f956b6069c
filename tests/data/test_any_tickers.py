"""No ticker is special: other funds, in either accounting, with a second source beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtest.cli import main

CONFIG = """\
name: any
data:
  prices: {{source: csv, folder: {folder}}}
  start: 2018-01-02
  end: 2025-12-24
  cross_check: {{folder: {second}}}
legs: {{growth: {{{growth}: 1.0}}, small: {{{small}: 1.0}}}}
strategy: {{name: relative_momentum, params: {{lookback_sessions: 126}}}}
execution: {{commission_bps: 1, slippage_bps: 4, accounting: {accounting}}}
benchmarks: [{growth}, {small}, {{static_mix: 0.5}}]
"""


@pytest.mark.parametrize(("growth", "small", "accounting"), [("IWF", "VBR", "raw"), ("IVW", "IWO", "total_return")])
def test_other_funds_run_as_well(
    real_data: Path, tmp_path: Path, capsys: Any, growth: str, small: str, accounting: str
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    frame = pd.read_csv(real_data / "prices" / f"{small}.csv")
    place = frame.index[frame["date"] == "2020-06-10"][0]
    frame.loc[place, ["close", "adj_close"]] *= 1.01
    frame.to_csv(second / f"{small}.csv", index=False)
    given = {"folder": real_data / "prices", "second": second, "growth": growth, "small": small}
    path = tmp_path / "any.yaml"
    path.write_text(CONFIG.format(**given, accounting=accounting), encoding="utf-8", newline="\n")
    main_ends(["run", str(path), "--out", str(tmp_path / "results"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["final_equity_usd"] > 0
    said = [line for line in told["warnings"] if "second source" in line]
    assert said[0] == f"{growth}: the second source has no such ticker; it was not compared."
    assert said[1].startswith(f"{small}: the second source disagrees on 2 sessions from 2020-06-10 to 2020-06-11")
    page = tmp_path / "page.html"
    main_ends(["data", "check", str(path), "--page", str(page)])
    assert page.read_text(encoding="utf-8").count("2020-06-10") >= 2


def main_ends(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


def test_the_catalogue_of_faults_has_a_level_and_an_advice_for_each(capsys: Any) -> None:
    main_ends(["data", "faults"])
    lines = capsys.readouterr().out.splitlines()
    levels = [line.split()[0] for line in lines]
    assert levels == sorted(levels, key=["stops", "warns", "handled"].index)
    assert len(lines) >= 20
