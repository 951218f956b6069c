"""The sample as a source of prices and rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from backtest.data.calendar import sessions_around
from backtest.data.sample.noise import FIRST_DAY, LAST_DAY
from backtest.data.sample.prices import SAMPLE_NOTE, sample_prices
from backtest.data.sample.rates import sample_tbill
from backtest.data.sources import DataSource, Fetched, values_sha256


class Sample(DataSource):
    """The simulated market that ships with the project; its one T-bill rate stands for every rate asked for."""

    is_simulated = True
    notes = (SAMPLE_NOTE,)

    def prices(self, tickers: Sequence[str]) -> dict[str, Fetched]:
        """Simulated histories; DataError for a ticker that is not simulated."""
        frames = sample_prices(tickers, self._sessions())
        return {ticker: _simulated(frames[ticker].astype(np.float64)) for ticker in tickers}

    def rate(self, rate_id: str) -> Fetched:
        """The simulated 13-week discount rate."""
        return _simulated(sample_tbill(self._sessions()).to_frame("value"))

    @staticmethod
    def _sessions() -> pd.DatetimeIndex:
        return sessions_around(pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY))


def _simulated(values: pd.DataFrame) -> Fetched:
    return Fetched(values, "the simulated sample", values_sha256(values))
