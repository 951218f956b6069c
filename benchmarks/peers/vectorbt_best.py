"""vectorbt at its best: `from_order_func` with a segment mask, so that only sessions with a trade cost time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import Direction, SizeType

from peers.handed import CASH_USD, COST_RATE, TICKERS, Floats, Row, Work, answer, fastest, handed

CHUNK = 50
"""Variants at once: the fastest of 10, 50, 250 and all."""


@njit
def value_at_open_and_sell_first(c: Any, size: Any, price: Any) -> Any:
    """Before a segment (the tickers of one variant in one session)."""
    for k in range(c.group_len):
        c.last_val_price[c.from_col + k] = price[c.i, k]
    nb.sort_call_seq_out_nb(
        c, size[c.i, c.from_col : c.to_col], np.full(c.group_len, SizeType.TargetPercent),
        np.full(c.group_len, Direction.LongOnly), np.empty(c.group_len), c.call_seq_now, False,
    )  # fmt: skip
    return (size, price)


@njit
def order(c: Any, size: Any, price: Any, fees: Any) -> Any:
    """To the target weight, at the open."""
    return nb.order_nb(
        size=size[c.i, c.col], price=price[c.i, c.col - c.from_col], fees=fees, size_type=SizeType.TargetPercent,
        direction=Direction.LongOnly,
    )  # fmt: skip


def prepared(work: Work) -> Callable[[], Floats]:
    """What computes the final values of a chunk, its arrays laid out."""
    trades, weights = work.targets()
    size, close = weights.reshape(len(weights), -1), np.tile(work.closes, work.variants)
    groups = np.repeat(np.arange(work.variants), len(TICKERS))

    def compute() -> Floats:
        portfolio = vbt.Portfolio.from_order_func(
            close, order, COST_RATE,
            pre_segment_func_nb=value_at_open_and_sell_first, pre_segment_args=(size, work.opens),
            segment_mask=trades, group_by=groups, cash_sharing=True, init_cash=CASH_USD, use_numba=True,
        )  # fmt: skip
        return np.asarray(portfolio.final_value())

    return compute


def main() -> None:
    """Measure, warm: from the decisions as they are handed over, and with the arrays it wants of them made before."""
    work, rounds = handed()
    chunks = work.chunks(CHUNK)
    ready = [prepared(chunk) for chunk in chunks]
    ready[0]()  # compiles

    def row(starts: str, compute: Callable[[], Floats]) -> Row:
        seconds, finals = fastest(compute, rounds)
        return Row(
            name=f"vectorbt {vbt.__version__}, best idiom",
            idiom=f"`from_order_func`, segment mask, chunks of {CHUNK}; {starts}",
            computes="final values",
            cores="1",
            seconds=seconds,
            finals=finals,
            rule="vectorbt",
            differs="each weight is of the value before costs, and the last purchase is cut to the cash that is left",
        )

    answer(
        row("from bytes", lambda: np.concatenate([prepared(chunk)() for chunk in chunks])),
        row("arrays ready", lambda: np.concatenate([compute() for compute in ready])),
    )


if __name__ == "__main__":
    main()
