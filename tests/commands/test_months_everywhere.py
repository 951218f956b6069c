"""A market of months through every command: months in words, the flag and the shading on each page, twelve a year."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from french_files import century, made_up_tables, write_library

from backtest.cli import main

STUDY = {
    "name": "grid",
    "base": "both.yaml",
    "grid": {"strategy.params.hold_sessions": [6, 12], "strategy.params.lookback_sessions": [3, 6, 12]},
    "walk_forward": {"train_years": 10, "test_years": 5, "combinatorial": {"groups": 4}},
}
RULES = {
    "cuts": {"name": "rate_cut", "params": {"hold_sessions": 12}},
    "both": {"name": "rate_cut_momentum", "params": {"hold_sessions": 12, "lookback_sessions": 6}},
}
PAGES = {
    "run": ("report.html", "run", "both.yaml"),
    "compare": ("comparison.html", "compare", "cuts.yaml", "both.yaml"),
    "sweep": ("sweep.html", "sweep", "grid.yaml"),
    "walk-forward": ("walk_forward.html", "walk-forward", "grid.yaml"),
    "events": ("events.html", "events", "cuts.yaml"),
}
A_SESSION = re.compile(r"(?<![\w.-])[Ss]essions?(?![\w-])")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configs and a study beside a library of made-up months."""
    folder = tmp_path_factory.mktemp("months")
    library = write_library(folder / "french", made_up_tables(first="1995-01"))
    for name, strategy in RULES.items():
        config = century(library, name=name, strategy=strategy, data={"start": "2000-01-31"})
        (folder / f"{name}.yaml").write_text(json.dumps(config), encoding="utf-8", newline="\n")
    (folder / "grid.yaml").write_text(json.dumps(STUDY), encoding="utf-8", newline="\n")
    return folder


def told(here: Path, *words: str, code: str = "0") -> str:
    """What a command prints."""
    given = [str(here / word) if word.endswith(".yaml") else word for word in words]
    with redirect_stdout(StringIO()) as out, pytest.raises(SystemExit, match=rf"^({code})$"):
        main(given)
    return out.getvalue()


@cache
def answer(here: Path, command: str) -> tuple[str, Path]:
    """What a command prints, and the folder it leaves; each is asked once."""
    out = here / "out" / command
    printed = told(here, *PAGES[command][1:], "--out", str(out), "--ledger", str(here / "ledger"), "--offline")
    (page,) = out.glob(f"*/{PAGES[command][0]}")
    return printed, page.parent


@pytest.mark.parametrize("command", PAGES)
def test_each_page_speaks_of_months_and_says_that_these_are_no_funds(here: Path, command: str) -> None:
    printed, folder = answer(here, command)
    assert "(PAPER PORTFOLIOS BY MONTH, NO FUNDS)" in printed.splitlines()[0]
    assert not A_SESSION.search(printed)
    text = (folder / PAGES[command][0]).read_text(encoding="utf-8")
    markup, data = text.split('<script type="application/json" id="chart-data">')
    assert "paper portfolios by month, no funds" in markup
    assert "repeating-linear-gradient" in markup  # every chart is shaded
    markup = re.sub(r"<(style|script|code|pre)\b.*?</\1>", "", markup, flags=re.DOTALL)
    words = [*re.split(r"<[^>]*>", markup), *re.findall(r'(?:title|aria-label)="([^"]*)"', markup)]
    assert [each for each in words if A_SESSION.search(each)] == []
    assert any("month" in each for each in words)
    assert not A_SESSION.search(data.partition("</script>")[0])


@pytest.mark.parametrize(
    "words",
    [("check", "both.yaml"), ("audit", "cuts.yaml", "--set", "data.start=2022-01-31"),
     ("signal", "both.yaml"), ("why", "both.yaml"),
     ("surges", "cuts.yaml", "--ticker", "SMALL-VALUE", "--over", "BIG-GROWTH")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_what_the_others_print_is_of_months_too(here: Path, words: tuple[str, ...]) -> None:
    printed = told(here, *words, code="0|10")
    assert "month" in printed.lower()
    assert not A_SESSION.search(printed)


def test_a_year_is_twelve_months_in_each_answer(here: Path) -> None:
    def document(command: str, name: str) -> Any:
        return json.loads((answer(here, command)[1] / name).read_text(encoding="utf-8"))

    def volatility(curve: pd.Series) -> float:
        return float(curve.pct_change().std(ddof=1) * 12**0.5)

    own = volatility(pd.read_csv(answer(here, "run")[1] / "equity.csv")["equity"])
    near = pytest.approx(own, rel=1e-9)
    assert document("run", "metrics.json")["strategy"]["volatility"] == near
    assert document("compare", "comparison.json")["variants"]["both"]["metrics"]["volatility"] == near
    swept = pd.read_csv(answer(here, "sweep")[1] / "sweep.csv")
    assert swept[(swept.iloc[:, 0] == 12) & (swept.iloc[:, 1] == 6)]["volatility"].item() == near
    walked = pd.read_csv(answer(here, "walk-forward")[1] / "equity.csv")
    found = document("walk-forward", "walk_forward.json")["figures"]["walk-forward"]["volatility"]
    assert found == pytest.approx(volatility(walked["walk_forward"]), rel=1e-9)
    months = pd.PeriodIndex(pd.to_datetime(walked["date"]), freq="M")
    assert months[0] == pd.Period("2010-02")
    assert (np.diff(months.asi8) == 1).all()
    cell = document("events", "events.json")["details"]["small-growth"]["cuts"]["12"]
    six = made_up_tables(first="1995-01")["six"].loc["2000-02":]  # type: ignore[misc]
    lead = (six["small_hibm"] - six["big_lobm"]).mean() * 12 / 100
    assert (
        min(cell["annual_inside"], cell["annual_outside"]) < lead < max(cell["annual_inside"], cell["annual_outside"])
    )


def test_the_list_of_results_flags_them_and_each_can_be_verified(here: Path) -> None:
    _, folder = answer(here, "events")
    assert "events cuts (PAPER PORTFOLIOS BY MONTH, NO FUNDS)" in told(here, "results", "--out", str(folder.parent))
    assert "Paper, by month" in (folder.parent / "index.html").read_text(encoding="utf-8")
    assert "the same to the last bit" in told(here, "verify", str(folder), "--offline")
