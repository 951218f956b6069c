"""Ranks on real prices, to nine digits of what a simulator that shares no code with this one made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest.config.load import config_from_text
from backtest.pipeline import run
from strategies import REGISTRY

TEMPLATE = """
name: reference
data: {{prices: {{source: csv, folder: {folder}}}, start: {start}, end: {end}, tbill: irx}}
legs: {legs}
strategy: {{name: rank, initial: cash, params: {params}}}
execution: {{commission_bps: 0, slippage_bps: {bps}{fill}}}
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
CLOSE = {
    "four styles": ("[SPY, IWD, IWF, QQQ]", WINNER, "2006-01-31", "2024-03-28", 0, 889769.3605, 136),
    "three styles": ("[SPY, IWF, QQQ]", WINNER, "2006-01-31", "2024-03-28", 0, 888368.8662, 130),
}
"""The account of a portfolio site, which trades at the close it decides at: it published 12.79% and 12.78% a year."""


@pytest.mark.parametrize("name", OPEN)
def test_filled_at_the_next_open(name: str, real_data: Path) -> None:
    check(OPEN[name], real_data, "")


@pytest.mark.parametrize("name", CLOSE)
def test_filled_at_the_close_decided_at(name: str, real_data: Path) -> None:
    check(CLOSE[name], real_data, ", fill: close, delay_sessions: 0")


def check(reference: tuple[str, str, str, str, int, float, int], real_data: Path, fill: str) -> None:
    legs, params, start, end, bps, equity, rebalances = reference
    text = TEMPLATE.format(
        folder=real_data / "prices", legs=legs, params=params, start=start, end=end, bps=bps, fill=fill
    )
    result = run(config_from_text(text, strategies=REGISTRY), REGISTRY, offline=True)
    assert result.books.equity[-1] == pytest.approx(equity, rel=1e-9)
    assert len(set(result.books.fills.row.tolist())) == rebalances
