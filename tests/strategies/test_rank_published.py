"""Ranks on real prices, to nine digits of what a simulator that shares no code with this one made of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from backtest.config import load_config
from backtest.config.load import config_from_text
from backtest.pipeline import run
from strategies import REGISTRY

TEMPLATE = """
name: reference
data: {{prices: {{source: csv, folder: {folder}}}, start: {start}, end: {end}, tbill: irx}}
legs: {legs}
strategy: {{name: rank, initial: cash, params: {params}}}
execution: {{commission_bps: 0, slippage_bps: {bps}}}
"""

WINNER = "{lookback_months: 1}"
DUAL = "{canary: SPY, above: BIL, defensive: IEF}"
MEAN = "{lookback_months: [1, 3, 6], above: 0, defensive: TLT}"
OPEN = {
    "four styles": ("[SPY, IWD, IWF, QQQ]", WINNER, "2006-01-31", "2024-03-28", 0, 899965.0050, 135),
    "three styles": ("[SPY, IWF, QQQ]", WINNER, "2006-01-31", "2024-03-28", 0, 902611.8558, 129),
    "dual": ("[SPY, IJR, IEF, BIL]", DUAL, "2009-01-02", "2025-12-24", 5, 326325.8710, 40),
    "accelerating": ("[SPY, IWM, TLT]", MEAN, "2004-01-02", "2025-12-24", 5, 638365.9546, 100),
    "small growth or value": ("[IWO, IWN]", WINNER, "2001-09-04", "2025-12-24", 2, 1186783.7012, 133),
}
CONFIGS = Path(__file__).parents[2] / "configs" / "published"


@pytest.mark.parametrize("name", OPEN)
def test_filled_at_the_next_open(name: str, real_data: Path) -> None:
    check(OPEN[name], real_data)


@pytest.mark.parametrize(
    ("name", "equity", "published", "rebalances"),
    [("style_winner", 889769.3605, 12.79, 136), ("style_winner_of_three", 888368.8662, 12.78, 130)],
)
def test_a_shipped_config_gives_the_published_figure(
    name: str, equity: float, published: float, rebalances: int, real_data: Path
) -> None:
    """A portfolio site's figure, in percent a year; it trades at the close it decides at."""
    prices = f"data.prices={{source: csv, folder: {real_data / 'prices'}}}"
    result = run(load_config(CONFIGS / f"{name}.yaml", strategies=REGISTRY, overrides=[prices]), REGISTRY, offline=True)
    assert result.books.equity[-1] == pytest.approx(equity, rel=1e-9)
    assert round(100 * result.metrics["cagr"], 2) == published
    assert len(set(result.books.fills.row.tolist())) == rebalances


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_is_right_and_told_in_the_documentation(path: Path) -> None:
    load_config(path, strategies=REGISTRY)
    assert f"`{path.name}`" in (CONFIGS.parents[1] / "docs" / "published.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_runs_offline_on_the_sample(path: Path) -> None:
    config = load_config(path, strategies=REGISTRY, overrides=["data.prices={source: sample}"])
    result = run(config, REGISTRY, offline=True)
    held = result.decision.by_leg[result.decision.is_known]
    assert len(held) > 3000
    assert all(held[:, i].any() for i, leg in enumerate(config.legs) if leg != "SHY")
    assert len(set(result.books.fills.row.tolist())) >= 8


def test_the_figures_of_the_documentation_are_those_that_the_benchmark_measures(real_data: Path) -> None:
    root = CONFIGS.parents[1]
    text = (root / "docs" / "published.md").read_text(encoding="utf-8")
    rows = list(runpy.run_path(str(root / "benchmarks" / "published.py"))["measured"](real_data))
    told = {f"{100 * result.metrics['cagr']:.2f} %" for _, _, result in rows if result is not None}
    assert told == {"12.79 %", "12.78 %", "8.53 %", "9.14 %", "8.80 %", "9.65 %"}
    assert all(figure in text for figure in told)
    assert {name for name, _, result in rows if result is None} == {
        "fed_cycle_sectors", "sector_top_three", "ten_month_average", "vigilant",
    }  # fmt: skip


def check(reference: tuple[str, str, str, str, int, float, int], real_data: Path) -> None:
    legs, params, start, end, bps, equity, rebalances = reference
    text = TEMPLATE.format(folder=real_data / "prices", legs=legs, params=params, start=start, end=end, bps=bps)
    result = run(config_from_text(text, strategies=REGISTRY), REGISTRY, offline=True)
    assert result.books.equity[-1] == pytest.approx(equity, rel=1e-9)
    assert len(set(result.books.fills.row.tolist())) == rebalances
