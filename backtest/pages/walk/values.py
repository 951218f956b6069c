"""The values of a variant as the page prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.pages.comparison.effect import short_key, shown

if TYPE_CHECKING:
    from backtest.study.walk_forward import WalkForward


def told_values(walk: WalkForward, point: int) -> str:
    """`lookback_sessions 63, threshold 0.01`, without keys of one value."""
    grid, values = walk.sweep.study.grid, walk.sweep.values(point)
    return ", ".join(f"{short_key(key)} {shown(value)}" for key, value in values.items() if len(grid[key]) > 1)  # type: ignore[arg-type]
