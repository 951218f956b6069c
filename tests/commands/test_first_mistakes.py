"""The likeliest first mistakes, and the one line that each is told in: place, key, what was found, what is right.

No network, a strategy of one's own that raises, and an --out that is a file stand in test_small_things.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backtest import cli

ROOT = Path(__file__).parents[2]

RIGHT = """\
name: mine
data:
  prices: {source: csv, folder: prices}
  start: 2022-06-01
legs: [SPY, EFA]
strategy:
  name: relative_momentum
  params: {hold: EFA, otherwise: SPY, lookback_sessions: 60}
execution:
  commission_bps: 1
  slippage_bps: 4
benchmarks: [SPY]
"""

A_TICKER = "a ticker such as QQQ, ^IRX or BRK-B (capital letters and digits)"

IN_THE_FILE = {
    "a misspelt key": (
        "commission_bps", "comission_bps",
        "c.yaml:10: execution.comission_bps: unknown key, did you mean commission_bps?",
    ),
    "a ticker in small letters": (
        "legs: [SPY, EFA]", "legs: [spy, EFA]",
        f"c.yaml:5: legs: found 'spy' in the list, expected {A_TICKER}, did you mean SPY?",
    ),
    "a ticker in small letters within a leg": (
        "legs: [SPY, EFA]", "legs: {SPY: {spy: 1}, EFA: {EFA: 1}}",
        f"c.yaml:5: legs.SPY: found 'spy', expected {A_TICKER}, did you mean SPY?",
    ),
    "a benchmark in small letters": (
        "benchmarks: [SPY]", "benchmarks: [spy]",
        ("c.yaml:12: benchmarks[0]: found 'spy', expected a ticker such as QQQ, {mix: {SPY: 0.6, IEF: 0.4}} or "
        "{static_mix: 0.5}, did you mean SPY?"),
    ),
    "dates in the wrong order": (
        "start: 2022-06-01", "start: 2024-06-01\n  end: 2023-01-03",
        "c.yaml:5: data.end: found 2023-01-03, expected a date after data.start (2024-06-01)",
    ),
    "a date as it is written at home": (
        "2022-06-01", "01.06.2022",
        "c.yaml:4: data.start: found '01.06.2022', expected a date such as 2001-07-31, from 1900-01-01 to 2199-12-31",
    ),
    "a tab": ("  name: rel", "\tname: rel", "c.yaml:7: found a tab, expected spaces"),
    "a list where a map belongs": (
        "  commission_bps: 1\n  slippage_bps: 4", "  - commission_bps: 1\n  - slippage_bps: 4",
        "c.yaml:9: execution: found a list, expected a map with commission_bps and slippage_bps",
    ),
    "no space behind a colon": (
        "commission_bps: 1", "commission_bps:1",
        ("c.yaml:11: not valid YAML: mapping values are not allowed here; expected `key: value` here and in the line "
        "above, a space behind the colon, quotes around a text with another"),
    ),
    "a path of Windows in double quotes": (
        "folder: prices", 'folder: "C:\\data"',
        ("c.yaml:3: not valid YAML: found unknown escape character 'd'; in double quotes a backslash begins an escape: "
        "write / or single quotes"),
    ),
    "a folder that is not there": (
        "folder: prices", "folder: price", "c.yaml:3: data.prices.folder: found 'price', no such folder ('"
    ),
}  # fmt: skip

IN_THE_FOLDER = {
    "no file in it": ({}, "has no SPY.csv; it has no CSV files"),
    "the file of one ticker": ({"SPY.csv": "date,close\n2022-01-03,1\n"}, "has no EFA.csv; it has SPY.csv"),
    "a file of a name that is near": ({"SPYY.csv": "", "EFA.csv": ""}, "has no SPY.csv; did you mean SPYY.csv?"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices").mkdir()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and stderr; nothing else is printed and nothing is written."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not Path("results").exists()
    return int(end.value.code or 0), captured.err


def write(text: str) -> None:
    Path("c.yaml").write_text(text, encoding="utf-8", newline="\n")


@pytest.mark.parametrize("mistake", IN_THE_FILE)
def test_a_mistake_in_the_file_is_told_with_its_line(
    mistake: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong, line = IN_THE_FILE[mistake]
    assert right in RIGHT
    write(RIGHT.replace(right, wrong))
    code, err = told(capsys, "run", "c.yaml")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(line)


@pytest.mark.parametrize("mistake", IN_THE_FOLDER)
def test_prices_in_another_folder_are_told_with_the_line_that_names_it(
    mistake: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, said = IN_THE_FOLDER[mistake]
    for name, text in files.items():
        (here / "prices" / name).write_text(text, encoding="utf-8", newline="\n")
    write(RIGHT)
    code, err = told(capsys, "run", "c.yaml")
    assert code == 3
    assert f"c.yaml:3: data.prices.folder: {here / 'prices'}: {said}\n" in err


def test_one_file_of_prices_instead_of_their_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "prices" / "SPY.csv").write_text("date,close\n2022-01-03,1\n", encoding="utf-8", newline="\n")
    write(RIGHT.replace("folder: prices", "folder: prices/SPY.csv"))
    code, err = told(capsys, "run", "c.yaml")
    assert code == 3
    assert err.splitlines()[-1] == (
        f"c.yaml:3: data.prices.folder: {here / 'prices' / 'SPY.csv'}: has no EFA.csv: it is one file "
        "without prices of EFA, expected their folder"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "d.yaml"], "d.yaml: no such file, did you mean c.yaml?"),
        (["run", "prices"], "prices: is a folder, expected a YAML file"),
        (["signal", "prices"], "prices: is a folder, expected a YAML file"),
        (["c.yaml"], "c.yaml: is no command, did you mean `backtest run c.yaml`?"),
        (["run", "c.yaml", "--set", "execution.comission_bps=2"],
         "--set: execution.comission_bps: unknown key, did you mean commission_bps?"),
        (["run", "c.yaml", "--set", "execution.commission_bps"],
         "--set: found 'execution.commission_bps', expected KEY=VALUE such as execution.slippage_bps=4"),
    ],
)  # fmt: skip
def test_a_mistake_at_the_prompt_is_one_line(
    arguments: list[str], line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(RIGHT)
    assert told(capsys, *arguments) == (2, line + "\n")


def test_a_python_without_the_packages_is_told_which_one_to_use() -> None:
    """`-S` leaves out all that was installed, as the system's own Python does."""
    command = [sys.executable, "-S", str(ROOT / "run_backtest.py"), "configs/quickstart.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{sys.executable}: found Python 3.")
    assert done.stderr.endswith(" without backtrader, expected 3.11 or later with it: use .venv/bin/python, which the "
                                "first command of README.md sets up\n")  # fmt: skip


def test_a_price_file_with_days_of_home_and_the_newest_first_is_read(here: Path) -> None:
    """In the project's own headers too, as every other layout is."""
    from backtest.data.csv_folder import CsvFolder

    rows = [f"{day}.01.2024,{day},{day},{day},{day},{day},9" for day in (17, 16, 12)]
    file = here / "prices" / "SPY.csv"
    file.write_text("\n".join(["date,open,high,low,close,adj_close,volume", *rows]), encoding="utf-8", newline="\n")
    read = CsvFolder(here / "prices").prices(["SPY"])["SPY"]
    assert [f"{each:%Y-%m-%d}" for each in read.values.index] == ["2024-01-12", "2024-01-16", "2024-01-17"]
    assert read.values["close"].tolist() == [12.0, 16.0, 17.0]
    assert read.layout.endswith(", newest first")


def test_what_a_price_file_leaves_open_is_asked_at_the_line_of_its_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a bank's download has it: newest first, semicolons, decimal commas, nothing on dividends."""
    rows = [f"{day}.01.2024;{day},5;{day},25" for day in (17, 16, 12)]
    for ticker in ("SPY", "EFA"):
        file = here / "prices" / f"{ticker}.csv"
        file.write_text("\n".join(["Datum;Erster;Schlusskurs", *rows]), encoding="utf-8", newline="\n")
    write(RIGHT)
    code, err = told(capsys, "run", "c.yaml")
    assert code == 3
    assert [line.partition("data.prices.adjusted: ")[2][:12] for line in err.splitlines()] == ["total_return"] * 2
    assert err.startswith(f"c.yaml:3: {here / 'prices' / 'SPY.csv'}: has a close and no adjusted one (columns Datum,")
