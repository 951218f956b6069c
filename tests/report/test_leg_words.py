"""Nothing outside the shipped strategies' defaults knows the words growth and small: legs are called by their names."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from backtest.cli import app

WORDS = re.compile(r"(?<![a-z])(?:small|growth)(?![a-z])", re.IGNORECASE)
THREE = "{QQQ: {QQQ: 1}, IWM: {IWM: 0.8}, IEF: {IEF: 1, label: Treasuries}}", "IWM", "IEF"
TWO = "{tech: {QQQ: 1}, minnows: {IWM: 1}}", "minnows", "tech"
BASE = """name: worded
data: {{prices: {{source: sample}}, start: 2014-01-02, end: 2019-12-31, tbill: irx}}
legs: {legs}
strategy: {{name: relative_momentum, params: {{lookback_sessions: 63, hold: {hold}, otherwise: {otherwise}}}}}
execution: {{commission_bps: 1, slippage_bps: 4}}
benchmarks: [QQQ]
"""
GRID = """name: grid
base: base.yaml
benchmark: QQQ
grid: {strategy.params.lookback_sessions: [21, 63, 126], strategy.params.threshold: [0.0, 0.02]}
walk_forward: {train_years: 3, test_years: 1}
"""
VARIANTS = """name: variants
base: base.yaml
benchmark: QQQ
variants: {usual: {}, slow: {strategy: {params: {lookback_sessions: 126}}}}
"""


@cache
def folder_of(legs: str, hold: str, otherwise: str) -> tuple[Path, str]:
    """The folder of all results, and what the terminal said."""
    folder, said = Path(mkdtemp()), io.StringIO()
    files = {"base": BASE.format(legs=legs, hold=hold, otherwise=otherwise), "grid": GRID, "variants": VARIANTS}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8", newline="\n")
    written = ["--out", str(folder / "out"), "--ledger", str(folder / "ledger")]
    for command, file in (("run", "base"), ("compare", "variants"), ("sweep", "grid"), ("walk-forward", "grid"),
                          ("signal", "base"), ("why", "base")):  # fmt: skip
        more = [] if command in ("signal", "why") else written
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            app([command, str(folder / f"{file}.yaml"), "--offline", *more], standalone_mode=False)
    return folder / "out", said.getvalue()


def told(path: Path) -> str:
    """What a reader of a file sees: of a page the text, the titles and the words of its charts."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".html":
        return text
    data = "\n".join(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL))
    words = (
        "\n".join(each for each in strings_of(json.loads(data)) if not each.startswith(("@", "<svg"))) if data else ""
    )
    text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    titles = " ".join(re.findall(r'(?:title|aria-label|alt|placeholder)="([^"]*)"', text))
    return re.sub(r"<[^>]*>", " ", text) + titles + words


def strings_of(content: object) -> list[str]:
    if isinstance(content, dict):
        return [each for value in content.values() for each in strings_of(value)]
    if isinstance(content, list):
        return [each for value in content for each in strings_of(value)]
    return [content] if isinstance(content, str) else []


@pytest.mark.parametrize("legs", [THREE, TWO], ids=["three legs", "two legs"])
def test_no_page_file_or_line_of_other_legs_says_growth_or_small(legs: tuple[str, str, str]) -> None:
    out, said = folder_of(*legs)
    assert WORDS.findall(said) == []
    pages = [path for path in out.rglob("*") if path.suffix in (".html", ".json", ".csv", ".yaml")]
    assert len([path for path in pages if path.suffix == ".html"]) == 5  # run, comparison, sweep, walk, index
    for path in pages:
        found = [each.group(0) for each in WORDS.finditer(told(path))]
        assert not found, (path.name, found)


def test_pages_call_a_leg_by_its_label_and_files_by_its_name() -> None:
    out, said = folder_of(*THREE)
    assert "Time in Treasuries" in said
    report = next(out.glob("*/report.html"))
    assert "Treasuries" in told(report)
    metrics = json.loads((report.parent / "metrics.json").read_text(encoding="utf-8"))
    shares = {key: value for key, value in metrics["strategy"].items() if key.startswith("exposure_")}
    assert list(shares) == ["exposure_QQQ", "exposure_IWM", "exposure_IEF"]
    assert metrics["schema"] == 2
    rows = (report.parent / "equity.csv").read_text(encoding="utf-8").splitlines()
    names, cells = rows[0].split(","), [list(map(float, row.split(",")[1:])) for row in rows[2:]]
    equity, cash = names.index("equity") - 1, names.index("cash") - 1
    idle = sum(row[cash] / row[equity] for row in cells) / len(cells)
    assert sum(shares.values()) + idle == pytest.approx(1.0, abs=1e-9)


def figures_of(out: Path, names: dict[str, str]) -> dict[str, object]:
    """Metrics, comparison.csv and sweep.csv with the legs' names as given."""
    found: dict[str, object] = {}
    for pattern in ("*/metrics.json", "*/comparison.csv", "*/sweep.csv", "*/windows.csv"):
        text = next(out.glob(pattern)).read_text(encoding="utf-8")
        for name, other in names.items():
            text = re.sub(rf"exposure_{name}\b", f"exposure_{other}", text)
        found[pattern] = json.loads(text)["strategy"] if pattern.endswith("json") else text
    return found


def test_other_names_give_the_same_figures_in_a_run_a_comparison_a_sweep_and_a_walk() -> None:
    renamed = "{growth: {QQQ: 1}, small: {IWM: 1}}", "small", "growth"
    usual = figures_of(folder_of(*renamed)[0], {})
    assert figures_of(folder_of(*TWO)[0], {"tech": "growth", "minnows": "small"}) == usual


def test_a_leg_that_no_rule_holds_changes_no_figure() -> None:
    more = "{tech: {QQQ: 1}, bonds: {IEF: 1}, minnows: {IWM: 1}}", "minnows", "tech"
    usual, wider = figures_of(folder_of(*TWO)[0], {}), figures_of(folder_of(*more)[0], {})
    assert wider["*/metrics.json"] == usual["*/metrics.json"] | {"exposure_bonds": 0.0}  # type: ignore[operator]
    for pattern in ("*/sweep.csv", "*/windows.csv"):
        tables = [list(csv.DictReader(io.StringIO(str(each[pattern])))) for each in (usual, wider)]
        assert tables[0] == [{k: v for k, v in row.items() if k != "exposure_bonds"} for row in tables[1]]
        assert {row.get("exposure_bonds", "0.0") for row in tables[1]} == {"0.0"}
