"""A strategy that ends the process it is asked in: what a lack of memory does to a worker."""

from __future__ import annotations

import os
import sys

import numpy as np
from worlds import small_in

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision
from backtest.market import Legs, Market


class Fatal(RotationStrategy):
    """Fatal at level 3, but for the process that runs the tests."""

    class Params(StrategyParams):
        """Which points are fatal."""

        level: int = 0

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        if p.level == 3 and "pytest" not in sys.modules:
            os._exit(1)
        return small_in(np.zeros(len(market.sessions)))

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        return f"Holds growth at level {p.level}."
