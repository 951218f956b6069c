"""The sample: a simulated market of funds and a T-bill, so that everything runs without a download.

Where it stands: noise -> rates -> funds -> PRICES, which are the source. Used when a config asks for it only.

What it is like, by design; the realised figures lie near, and a test holds them there:

    volatility a year, dividends    QQQ 25% 0.6%, IVW 20% 1.1%, IWM 24% 1.3%, IWN 24% 1.8%, SPY 19% 1.7%,
                                    KRE 28% 2.4%, BIL 0.3% and the bill's yield; further share funds, sectors, bonds
                                    and commodities as funds.py has them
    correlation of daily returns    QQQ-IVW 0.90, IWM-IWN 0.97, QQQ-IWN 0.70
    from close to open              a third of the variance
    calm and storm                  take turns, falls bring more storm than rises, funds fall together; fat tails, but
                                    no log return beyond 0.19

What it knows of the story that it helps to show: nothing. Share prices do not read the policy decisions, so that a
strategy that follows rate cuts wins or loses here by luck alone. Every share fund has the same expected growth, 8% a
year (log). What is planted is a leadership that persists: small caps' drift over growth has a standard deviation of
12% a year and swings over some years. So momentum has something to hold, but not much: over the seeds 1 to 200, and
before costs, six months of relative momentum added 1.6% a year to half of each leg, give or take 1.6%; a year in
small caps after each cut added -0.1%, give or take 1.8%.

The seed was chosen for a plausible picture, not for a strategy's result: it is the first one from 1 on that passes
`implausible` in tests/data/test_sample.py (volatilities and correlations near those above, share funds earning 6 to
11% a year, QQQ losing half to four fifths at worst, no fund under water for 12 years, no crash at the very end).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.calendar import sessions_around
from backtest.data.sample.funds import FUNDS, FURTHER_FUNDS, FundPaths, bill_fund_paths, fund_paths
from backtest.data.sample.noise import FIRST_DAY, LAST_DAY, Floats, rounded
from backtest.data.sample.rates import rows_of_sessions, sample_tbill
from backtest.data.sources import DataSource, Fetched, values_sha256
from backtest.errors import DataError

SAMPLE_TICKERS = (*FUNDS, "BIL", *FURTHER_FUNDS)

SAMPLE_NOTE = (
    "Prices and the T-bill rate are simulated and describe no real market; only the policy decisions are real, "
    "and the simulated share prices know nothing of them."
)

PRICE_UNIT, ADJUSTED_UNIT, DIVIDEND_UNIT = 10_000, 1_000_000, 1_000
"""Prices are whole multiples of 0.0001 USD, adjusted closes of 0.000001, dividends of 0.001."""


def sample_prices(tickers: Sequence[str], exchange_sessions: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    """Simulated daily prices of each ticker, 2000-01-03 to 2025-12-31, the same whatever else is asked for.

    exchange_sessions: the exchange's own days, tz-naive, ascending, from the first day or before to the last or after.
    Each frame is indexed by session and has no NaN: open, high, low, close (USD, adjusted for splits), adj_close (also
    for dividends, by Yahoo's rule: each earlier close times 1 - dividend / close before the ex-date), volume (int64),
    dividends (USD by share on the ex-date), splits (ratio; 0.0 where there is none).
    Raises DataError for a ticker that is not simulated, ValueError for a calendar that is too short.
    """
    if unknown := [ticker for ticker in tickers if ticker not in SAMPLE_TICKERS]:
        raise DataError(*(f"sample: {t!r} is not simulated; there are {', '.join(SAMPLE_TICKERS)}" for t in unknown))
    rows, sessions = rows_of_sessions(exchange_sessions)
    paths = fund_paths(tickers)
    if "BIL" in tickers:
        paths["BIL"] = bill_fund_paths()
    return {ticker: _frame(paths[ticker], rows, sessions) for ticker in tickers}


def _frame(paths: FundPaths, rows: npt.NDArray[np.int64], sessions: pd.DatetimeIndex) -> pd.DataFrame:
    opening, closing = paths.opening[rows], paths.closing[rows]
    high = np.maximum(opening, closing) * (1.0 + paths.above[rows])
    low = np.minimum(opening, closing) * (1.0 - paths.below[rows])
    close = rounded(closing, PRICE_UNIT)
    before = np.concatenate([close[:1], close[:-1]])
    dividends = rounded(paths.payout[rows] * before, DIVIDEND_UNIT)
    columns = {
        "open": rounded(opening, PRICE_UNIT),
        "high": rounded(high, PRICE_UNIT),
        "low": rounded(low, PRICE_UNIT),
        "close": close,
        "adj_close": rounded(close * _later_dividends(dividends / before), ADJUSTED_UNIT),
        "volume": np.rint(paths.volume[rows]).astype(np.int64),
        "dividends": dividends,
        "splits": paths.splits[rows],
    }
    return pd.DataFrame(columns, index=sessions)


def _later_dividends(paid: Floats) -> Floats:
    """Yahoo's factor: the product of 1 - dividend / close before, over the ex-dates after each row; 1 in the last."""
    kept = np.concatenate([1.0 - paid[1:], [1.0]])
    return np.asarray(np.cumprod(kept[::-1])[::-1])


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
