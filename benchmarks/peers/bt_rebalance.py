"""bt as its documentation uses it: a backtest per variant of the algos WeighTarget and Rebalance.

bt knows one price per date, at which it both trades and values. It is given the opens, and the last closes as a date
more, so that it trades at the same prices and ends with the same valuation.
"""

from __future__ import annotations

import bt
import numpy as np
import pandas as pd

from peers.handed import CASH_USD, COST_RATE, TICKERS, Floats, Row, Work, answer, fastest, handed


def final_value(prices: pd.DataFrame, weights: pd.DataFrame) -> float:
    """Of one variant."""
    strategy = bt.Strategy("rotation", [bt.algos.WeighTarget(weights), bt.algos.Rebalance()])
    backtest = bt.Backtest(
        strategy, prices, initial_capital=CASH_USD, integer_positions=False,
        commissions=lambda quantity, price: abs(quantity) * price * COST_RATE,
    )  # fmt: skip
    backtest.run()
    return float(backtest.account.strategy.values.iloc[-1])


def prices_of(work: Work) -> pd.DataFrame:
    """Opens, and the last closes a day later."""
    index = pd.DatetimeIndex(work.sessions)
    return pd.DataFrame(
        np.vstack([work.opens, work.closes[-1:]]), index.append(index[-1:] + pd.Timedelta(days=1)), TICKERS
    )


def main() -> None:
    """Measure."""
    work, rounds = handed()
    prices, index = prices_of(work), pd.DatetimeIndex(work.sessions)
    trades, weights = work.targets()

    targets = [pd.DataFrame(weights[on, k], index[on], TICKERS) for k, on in enumerate(trades.T)]

    def all_of_them() -> Floats:
        return np.array([final_value(prices, target) for target in targets])

    final_value(prices, targets[0])
    seconds, finals = fastest(all_of_them, rounds)
    answer(
        Row(
            name=f"bt {bt.__version__}",
            idiom="`Backtest` of `WeighTarget`, `Rebalance`",
            computes="curve, at the opens",
            cores="1",
            seconds=seconds,
            finals=finals,
            rule="bt",
            differs="each purchase's commission is paid out of its weight, a sale's is not: cash ends below zero",
        )
    )


if __name__ == "__main__":
    main()
