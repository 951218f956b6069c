"""vectorbt as its documentation uses it: `Portfolio.from_orders` on data frames, sizes NaN where nothing is traded.

All variants in one call where there is memory for it, else in chunks; then once more with two metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from peers.handed import CASH_USD, COST_RATE, TICKERS, Floats, Row, Work, answer, fastest, handed

CHUNK = 50
MEMORY_PER_VARIANT = 4e6
"""Bytes at the peak, two results alive."""


def prepared(work: Work) -> Callable[[], Any]:
    """What computes the portfolio of all variants of the work, its frames laid out."""
    trades, weights = work.targets()
    index = pd.DatetimeIndex(work.sessions)
    columns = pd.MultiIndex.from_product([range(work.variants), TICKERS], names=["variant", "ticker"])
    size = pd.DataFrame(np.where(trades[:, :, None], weights, np.nan).reshape(len(index), -1), index, columns)
    price, close = (pd.DataFrame(np.tile(one, work.variants), index, columns) for one in (work.opens, work.closes))
    return lambda: vbt.Portfolio.from_orders(
        close, size, size_type="targetpercent", price=price, fees=COST_RATE, init_cash=CASH_USD, group_by="variant",
        cash_sharing=True, call_seq="auto", freq="1D",
    )  # fmt: skip


def final_values(portfolio: Any) -> Floats:
    """Nothing else."""
    return np.asarray(portfolio.final_value())


def with_metrics(portfolio: Any) -> Floats:
    """The same, after two common metrics."""
    portfolio.max_drawdown()
    portfolio.sharpe_ratio()
    return final_values(portfolio)


def available_bytes() -> float:
    """Memory that is free, by Linux; elsewhere none is counted on."""
    told = Path("/proc/meminfo")
    lines = told.read_text(encoding="ascii").splitlines() if told.exists() else []
    return sum(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


def main() -> None:
    """Measure, warm."""
    work, rounds = handed()
    is_one_shot = available_bytes() > MEMORY_PER_VARIANT * work.variants
    chunks = [prepared(chunk) for chunk in work.chunks(work.variants if is_one_shot else CHUNK)]
    with_metrics(prepared(work.only(np.arange(4)))())  # compiles

    def row(computes: str, asked: Callable[[Any], Floats]) -> Row:
        seconds, finals = fastest(lambda: np.concatenate([asked(compute()) for compute in chunks]), rounds)
        return Row(
            name=f"vectorbt {vbt.__version__}, usual idiom",
            idiom="`from_orders`, " + ("one call" if is_one_shot else f"chunks of {CHUNK}") + "; frames ready",
            computes=computes,
            cores="1",
            seconds=seconds,
            finals=finals,
            rule="vectorbt",
            differs="as its best idiom",
        )

    answer(row("final values", final_values), row("curve, drawdown, Sharpe ratio", with_metrics))


if __name__ == "__main__":
    main()
