"""backtrader's `optstrategy` as its documentation uses it: PandasData feeds, indicators, two processes.

The grid is handed over as pairs, because `optstrategy` makes the product of what it is given and here a sample is run.
The decision is its own, from its own indicators. It is sized at the close before the fill, at .49 a ticker: at .5 the
second purchase is refused in silence whenever the first opens higher. Reading the feeds and starting the processes,
under a second, is part of what is measured.
"""

from __future__ import annotations

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from peers.handed import CASH_USD, COST_RATE, TICKERS, Floats, Row, Work, answer, fastest, handed

LEG_WEIGHT = 0.49
CORES = 2


class Fractional(bt.CommInfoBase):
    """Shares that are not whole, as in backtrader's documentation."""

    params = (
        ("commission", COST_RATE),
        ("stocklike", True),
        ("commtype", bt.CommInfoBase.COMM_PERC),
        ("percabs", True),
    )

    def getsize(self, price: float, cash: float) -> float:
        """Shares for so much cash."""
        return cash / price


class FinalValue(bt.Analyzer):
    """What comes back from another process, beside the parameters."""

    def stop(self) -> None:
        """At the last close."""
        self.rets["final"] = self.strategy.broker.getvalue()


class Rotation(bt.Strategy):
    """Small while it leads by more than the threshold, growth while it lags by more; in between, stay."""

    params = (("pair", (126, 0.02)),)

    def __init__(self) -> None:
        lookback, self.threshold = self.p.pair
        self.returns = [bt.ind.RateOfChange(feed.close, period=lookback) for feed in self.datas]
        self.small: bool | None = None

    def prenext(self) -> None:
        """Growth, until there is a lead to look at."""
        self.hold(small=False)

    def next(self) -> None:
        """Once a session."""
        growth, small = ((a[0] + b[0]) / 2 for a, b in (self.returns[:2], self.returns[2:]))
        if small - growth > self.threshold:
            self.hold(small=True)
        elif small - growth < -self.threshold or self.small is None:
            self.hold(small=False)

    def hold(self, *, small: bool) -> None:
        """Sales first, then purchases, when it is a change."""
        if small == self.small:
            return
        self.small = small
        growth_feeds, small_feeds = self.datas[:2], self.datas[2:]
        for feed in growth_feeds if small else small_feeds:
            self.order_target_percent(feed, 0.0)
        for feed in small_feeds if small else growth_feeds:
            self.order_target_percent(feed, LEG_WEIGHT)


def optimised(work: Work) -> Floats:
    """Final values of all variants, in order."""
    cerebro = bt.Cerebro()
    for k, ticker in enumerate(TICKERS):
        cerebro.adddata(bt.feeds.PandasData(dataname=bars(work, k)), name=ticker)
    cerebro.broker.setcash(CASH_USD)
    cerebro.broker.addcommissioninfo(Fractional())
    cerebro.addanalyzer(FinalValue, _name="value")
    pairs = list(zip(work.lookbacks.tolist(), work.thresholds.tolist(), strict=True))
    cerebro.optstrategy(Rotation, pair=pairs)
    told: dict[Any, float] = {
        run[0].p.pair: run[0].analyzers.value.get_analysis()["final"] for run in cerebro.run(maxcpus=CORES)
    }
    return np.array([told[pair] for pair in pairs])


def bars(work: Work, k: int) -> pd.DataFrame:
    """The frame of a ticker."""
    opens, closes = work.opens[:, k], work.closes[:, k]
    columns = {"open": opens, "high": np.maximum(opens, closes), "low": np.minimum(opens, closes), "close": closes}
    return pd.DataFrame({**columns, "volume": 1e6}, pd.DatetimeIndex(work.sessions))


def main() -> None:
    """Measure."""
    work, rounds = handed()
    seconds, finals = fastest(lambda: optimised(work), rounds)
    answer(
        Row(
            name=f"backtrader {bt.__version__}, optstrategy",
            idiom=f"`PandasData`, `RateOfChange`, `maxcpus={CORES}`",
            computes="decisions and curve",
            cores=f"{CORES} processes",
            seconds=seconds,
            finals=finals,
            rule="backtrader",
            differs=f"sized at the close before the fill, {LEG_WEIGHT:g} a ticker (and our account beside it), because"
            " a purchase that lacks cash at the open is refused whole; some still are",
            leg_weight=LEG_WEIGHT,
        )
    )


if __name__ == "__main__":
    main()
