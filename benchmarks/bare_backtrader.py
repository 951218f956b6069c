"""The bare script that the main command is measured against: backtrader as its own documentation uses it.

Four PandasData feeds of the sample's length, an indicator per feed, `order_target_percent` in `next()`; no report.
(At full weight backtrader would refuse every second purchase in silence; 0.49 per leg is what such scripts settle on.)
"""

from __future__ import annotations

import backtrader as bt
import numpy as np
import pandas as pd

SESSIONS = 6_142  # of configs/quickstart.yaml
TICKERS = ("QQQ", "IVW", "IWM", "IWN")
LOOKBACK_SESSIONS = 63


class Rotation(bt.Strategy):
    """Growth or small, whichever rose more; weights in whole shares at tomorrow's open, sized at today's close."""

    def __init__(self) -> None:
        self.momentum = [bt.ind.RateOfChange(feed.close, period=LOOKBACK_SESSIONS) for feed in self.datas]
        self.side = ""

    def next(self) -> None:
        """Once a session."""
        growth = self.momentum[0][0] + self.momentum[1][0]
        small = self.momentum[2][0] + self.momentum[3][0]
        side = "small" if small > growth else "growth"
        if side == self.side:
            return
        self.side = side
        weights = (0.0, 0.0, 0.49, 0.49) if side == "small" else (0.49, 0.49, 0.0, 0.0)
        for feed, weight in sorted(zip(self.datas, weights, strict=True), key=lambda pair: pair[1]):
            self.order_target_percent(feed, weight)


def main() -> None:
    """Prices from a seeded random walk, one run, the final value."""
    random = np.random.default_rng(7)
    index = pd.bdate_range("2001-07-31", periods=SESSIONS)
    cerebro = bt.Cerebro()
    for ticker in TICKERS:
        close = 50.0 * np.exp(np.cumsum(random.normal(0.0003, 0.013, SESSIONS)))
        open_ = close * np.exp(random.normal(0.0, 0.004, SESSIONS))
        frame = pd.DataFrame(
            {"open": open_, "high": np.maximum(open_, close), "low": np.minimum(open_, close)}, index=index
        )
        frame["close"], frame["volume"] = close, 1_000_000.0
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=ticker)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=0.0005)
    cerebro.addstrategy(Rotation)
    cerebro.run()
    print(f"{cerebro.broker.getvalue():.2f}")


if __name__ == "__main__":
    main()
