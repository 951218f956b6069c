"""The simulated sample: the same numbers everywhere, like a market, and without a planted success."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.data.calendar import exchange_sessions
from backtest.data.checks import check_prices
from backtest.data.policy import load_policy_decisions
from backtest.data.sample import noise as sample_noise
from backtest.data.sample import rates as sample_rates
from backtest.data.sample.funds import FUNDS, FURTHER_FUNDS, MONTHLY
from backtest.data.sample.prices import SAMPLE_TICKERS, sample_prices, sample_tbill
from backtest.errors import DataError

Prices = dict[str, pd.DataFrame]

SHARE_FUNDS = tuple(FUNDS)
GOLDEN_PRICES = "b2987d0f6a314437f353fe86ac4c207446b1fc8b352ad50b9b3911c2debd567d"
GOLDEN_FURTHER = "79e4bf2060640491980f09f0ebb5a208e72ead501763500f8f7b4470af100af6"
GOLDEN_TBILL = "4ba6de898754c165e09f9a0b94d5d9f8d8e8623d1dd2951ac0ce3b8ac867f734"
GOLDEN_END = "2024-12-31"
"""Calendars published before December 2024 do not know that the exchange closed on 2025-01-09."""

BIT_EXACT = {
    "rint", "sqrt", "cumprod", "cumsum", "clip", "abs", "where", "maximum", "minimum", "diff", "searchsorted",
    "flatnonzero", "concatenate", "zeros", "array", "asarray", "arange", "datetime64", "timedelta64", "int64",
    "float64", "uint16", "bool_", "random", "ndarray",
}  # fmt: skip
"""What of numpy gives the same bits on every machine: no exp, log, power or matrix product, no sum of floats."""


@pytest.fixture(scope="module")
def sessions() -> pd.DatetimeIndex:
    return exchange_sessions(pd.Timestamp("1999-12-01"), pd.Timestamp("2026-01-31"))


@pytest.fixture(scope="module")
def prices(sessions: pd.DatetimeIndex) -> Prices:
    return sample_prices(SAMPLE_TICKERS, sessions)


@pytest.fixture(scope="module")
def tbill(sessions: pd.DatetimeIndex) -> pd.Series:
    return sample_tbill(sessions)


def digest(frame: pd.DataFrame | pd.Series) -> bytes:
    return np.ascontiguousarray(frame.loc[:GOLDEN_END].to_numpy(dtype="<f8")).tobytes()


def log_returns(prices: Prices, column: str = "adj_close") -> pd.DataFrame:
    return pd.DataFrame({t: np.log(f[column]).diff() for t, f in prices.items()}).dropna()


def overnight_returns(prices: Prices) -> pd.DataFrame:
    """From a close to the next open, dividends included."""
    opening = {t: np.log(f["open"] * f["adj_close"] / f["close"]) for t, f in prices.items()}
    return pd.DataFrame({t: opening[t] - np.log(f["adj_close"]).shift() for t, f in prices.items()}).dropna()


def implausible(prices: Prices) -> list[str]:
    """What does not look like a market in the share funds: the list by which the seed was chosen."""
    worth = pd.DataFrame({t: prices[t]["adj_close"] for t in SHARE_FUNDS})
    returns = log_returns({t: prices[t] for t in SHARE_FUNDS})
    volatility = returns.std() * 252**0.5 / pd.Series({t: f.volatility for t, f in FUNDS.items()})
    growth = (worth.iloc[-1] / worth.iloc[0]) ** (1 / 26) - 1
    drawdown = worth / worth.cummax() - 1
    under_water = max(np.diff(np.flatnonzero(drawdown[t] == 0), append=len(worth)).max() for t in worth) / 252
    pairs = {("QQQ", "IVW"): 0.90, ("IWM", "IWN"): 0.97, ("QQQ", "IWN"): 0.70}
    rules = {
        "volatility": volatility.between(0.94, 1.06).all(),
        "correlation": all(abs(returns[a].corr(returns[b]) - c) < 0.03 for (a, b), c in pairs.items()),
        "growth": growth.between(0.06, 0.11).all(),
        "fat tails": returns.kurt().between(3, 12).all(),
        "largest move": log_returns(prices, "close").abs().max().max() < 0.17,
        "worst of QQQ": -0.8 < drawdown["QQQ"].min() < -0.5,
        "worst of SPY": -0.6 < drawdown["SPY"].min() < -0.4,
        "years under water": under_water < 12,
        "at the end": (drawdown.iloc[-1] > -0.2).all(),
    }
    return [name for name, holds in rules.items() if not holds]


def test_numbers_are_these_on_every_machine(prices: Prices, tbill: pd.Series) -> None:
    first, further = ["QQQ", "IVW", "IWM", "IWN", "SPY", "KRE", "BIL"], list(FURTHER_FUNDS)
    assert list(prices) == list(SAMPLE_TICKERS) == [*first, *further]
    for tickers, golden in ((first, GOLDEN_PRICES), (further, GOLDEN_FURTHER)):
        assert hashlib.sha256(b"".join(digest(prices[ticker]) for ticker in tickers)).hexdigest() == golden
    assert hashlib.sha256(digest(tbill)).hexdigest() == GOLDEN_TBILL


def test_a_normal_number_is_the_sum_of_twelve_words_of_the_bit_stream() -> None:
    drawn = sample_noise.normals(sample_noise.Stream.CLIMATE, 1)[0]
    stream = np.random.PCG64([sample_noise.SEED, sample_noise.Stream.CLIMATE])
    longs = [int(x) for x in stream.random_raw(12 * len(drawn) // 4 + 1)]
    words = [(long >> shift) & 0xFFFF for long in longs for shift in (0, 16, 32, 48)]
    for row in (0, 1, len(drawn) - 1):
        assert drawn[row] == (sum(words[row : 12 * len(drawn) : len(drawn)]) - 6 * 65535) / 65536
    everything = sample_noise.normals(sample_noise.Stream.MARKET, 20)
    assert abs(everything.mean()) < 0.01
    assert abs(everything.std() - 1) < 0.01


def test_only_operations_that_ieee_754_defines_to_the_last_bit_are_used() -> None:
    folder = Path(sample_noise.__file__).parent
    for name in ("prices.py", "funds.py", "noise.py", "rates.py"):
        for node in ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Pow | ast.MatMult), name
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "np" or node.attr in BIT_EXACT, f"{name}: np.{node.attr}"
                assert node.value.id != "math" or node.attr == "sqrt", f"{name}: math.{node.attr}"


@pytest.mark.parametrize("ticker", SAMPLE_TICKERS)
def test_a_ticker_is_the_same_whatever_else_is_asked_for(
    ticker: str, prices: Prices, sessions: pd.DatetimeIndex
) -> None:
    pd.testing.assert_frame_equal(sample_prices([ticker], sessions)[ticker], prices[ticker], check_exact=True)


def test_a_calendar_with_one_more_holiday_changes_no_other_day(prices: Prices, sessions: pd.DatetimeIndex) -> None:
    fewer = sessions.drop(pd.Timestamp("2025-01-10"))
    for ticker, frame in sample_prices(SAMPLE_TICKERS, fewer).items():
        expected = prices[ticker].drop(pd.Timestamp("2025-01-10"))
        pd.testing.assert_frame_equal(frame, expected, check_exact=True)


def test_frames_have_yahoos_layout_on_every_session(prices: Prices, sessions: pd.DatetimeIndex) -> None:
    expected = sessions[(sessions >= "2000-01-03") & (sessions <= "2025-12-31")]
    assert len(expected) == 6539
    for frame in prices.values():
        assert list(frame) == ["open", "high", "low", "close", "adj_close", "volume", "dividends", "splits"]
        assert frame.index.equals(expected)
        assert frame["volume"].dtype == np.int64
        assert (frame["volume"] > 0).all()
        assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
        assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
        assert (frame["low"] > 0).all()
        assert (frame["close"] == np.rint(frame["close"] * 10_000) / 10_000).all()


def test_the_projects_own_checks_find_nothing(prices: Prices, sessions: pd.DatetimeIndex) -> None:
    assert check_prices(prices, sessions) == ()


def test_adjusted_closes_follow_yahoos_rule(prices: Prices) -> None:
    for frame in prices.values():
        factor = frame["adj_close"] / frame["close"]
        by_rule = 1 - frame["dividends"] / frame["close"].shift()
        assert abs(factor.shift() / factor - by_rule).max() < 1e-6
        assert frame["adj_close"].iloc[-1] == frame["close"].iloc[-1]


def test_no_ex_date_or_split_falls_on_a_holiday(prices: Prices) -> None:
    for ticker, fund in (FUNDS | FURTHER_FUNDS).items():
        paid = prices[ticker].index[prices[ticker]["dividends"] > 0]
        months = range(1, 13) if fund.ex_months == MONTHLY else (3, 6, 9, 12)
        assert list(paid.strftime("%Y-%m")) == [f"{y}-{m:02}" for y in range(2000, 2026) for m in months]
    splits = {t: f.loc[f["splits"] > 0, "splits"] for t, f in prices.items()}
    found = {(t, f"{day:%Y-%m-%d}", ratio) for t, s in splits.items() for day, ratio in s.items()}
    assert found == {("IWM", "2005-06-14", 2.0), ("IVW", "2018-10-16", 4.0)}
    assert (prices["BIL"]["dividends"] > 0).sum() == 26 * 12


def test_dividends_yield_what_the_fund_says(prices: Prices) -> None:
    for ticker, fund in (FUNDS | FURTHER_FUNDS).items():
        frame = prices[ticker]
        assert (frame["dividends"] / frame["close"].shift()).sum() / 26 == pytest.approx(fund.payout_annual, rel=0.01)


def test_it_looks_like_a_market(prices: Prices) -> None:
    assert implausible(prices) == []


def test_further_funds_move_as_their_table_says(prices: Prices) -> None:
    returns = log_returns(prices)
    for ticker, fund in FURTHER_FUNDS.items():
        assert returns[ticker].std() * 252**0.5 == pytest.approx(fund.volatility, rel=0.06)
        earned = np.log(prices[ticker]["adj_close"]).diff().sum() / 26
        assert abs(earned - fund.growth) < 2.5 * fund.volatility / 26**0.5, ticker  # luck of 26 years
    bonds = returns[["SHY", "IEF", "TLT", "AGG", "LQD"]]
    assert (bonds.corr() > 0.5).all(axis=None)
    assert bonds[["SHY", "IEF", "TLT"]].corrwith(returns["SPY"]).between(-0.35, -0.1).all()
    assert returns[[t for t in FURTHER_FUNDS if t.startswith("XL")]].corrwith(returns["SPY"]).between(0.5, 0.95).all()


def test_a_third_of_the_variance_comes_overnight_and_storms_cluster(prices: Prices) -> None:
    shares = {t: prices[t] for t in SHARE_FUNDS}
    returns, overnight = log_returns(shares), overnight_returns(shares)
    assert (overnight.var() / returns.var()).between(0.28, 0.38).all()
    for ticker in SHARE_FUNDS:
        size = returns[ticker].abs()
        assert size.autocorr(1) > 0.15
        assert size.autocorr(20) > 0.1
        assert abs(returns[ticker].autocorr(1)) < 0.05
    after_a_fall = returns["SPY"].abs().shift(-1)[returns["SPY"] < -0.01].mean()
    after_a_rise = returns["SPY"].abs().shift(-1)[returns["SPY"] > 0.01].mean()
    assert after_a_fall > 1.05 * after_a_rise


def test_share_prices_do_not_read_the_policy_decisions(
    prices: Prices, sessions: pd.DatetimeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> pd.DataFrame:
        raise AssertionError("the policy decisions were read")

    monkeypatch.setattr(sample_rates, "load_policy_decisions", refuse)
    for ticker, frame in sample_prices(SHARE_FUNDS, sessions).items():
        pd.testing.assert_frame_equal(frame, prices[ticker], check_exact=True)
    with pytest.raises(AssertionError, match="were read"):
        sample_prices(["BIL"], sessions)


def test_the_bill_fund_earns_the_bill(prices: Prices, tbill: pd.Series) -> None:
    discount = tbill.to_numpy()[:-1] / 100
    nights = np.diff(tbill.index.to_numpy()).astype("timedelta64[D]").astype(float)
    earned = np.prod(1 + 365 * discount / (360 - 91 * discount) * nights / 365)
    adjusted = prices["BIL"]["adj_close"]
    # Holidays compound a weekday rate, dividends are whole mills, the price bounces: a few basis points in 26 years.
    assert adjusted.iloc[-1] / adjusted.iloc[0] == pytest.approx(earned, rel=1e-3)
    assert 0.002 < log_returns(prices)["BIL"].std() * 252**0.5 < 0.004


def test_the_bill_follows_the_policy_rate_and_foresees_scheduled_decisions(tbill: pd.Series) -> None:
    policy = load_policy_decisions().set_index("date")
    middle = (policy["lower"] + policy["upper"]) / 2
    level = middle.reindex(middle.index.union(tbill.index)).ffill()[tbill.index]
    gap = tbill - level
    assert (tbill >= 0).all()
    assert (tbill == np.rint(tbill * 1000) / 1000).all()
    assert tbill.corr(level) > 0.99
    assert gap.corr(level.shift(-63) - level) > 0.6

    cuts = policy[(policy["change_bps"] < 0) & (policy.index > "2000") & policy.index.isin(tbill.index)]
    day_before = gap.shift().loc[cuts.index]
    scheduled, sudden = day_before[cuts["scheduled"]].mean(), day_before[~cuts["scheduled"]].mean()
    assert scheduled < sudden < 0


def test_the_simulated_bill_is_near_the_real_one(tbill: pd.Series, real_data: Path) -> None:
    real = pd.read_csv(real_data / "prices" / "IRX.csv", index_col="date", parse_dates=True)["close"]
    assert (tbill - real).abs().mean() < 0.2


def test_an_unknown_ticker_is_refused_with_those_there_are(sessions: pd.DatetimeIndex) -> None:
    with pytest.raises(DataError) as refused:
        sample_prices(["QQQ", "TQQQ"], sessions)
    told = f"sample: 'TQQQ' is not simulated; there are {', '.join((*FUNDS, 'BIL', *FURTHER_FUNDS))}"
    assert refused.value.problems == (told,)


def test_a_calendar_that_is_too_short_is_refused(sessions: pd.DatetimeIndex) -> None:
    with pytest.raises(ValueError, match="2000-01-03 and 2025-12-31"):
        sample_prices(["QQQ"], sessions[sessions < "2025"])


@pytest.mark.slow
def test_no_earlier_seed_looks_like_a_market(sessions: pd.DatetimeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = sample_noise.SEED
    for seed in range(1, chosen):
        monkeypatch.setattr(sample_noise, "SEED", seed)
        assert implausible(sample_prices(SHARE_FUNDS, sessions)), seed


@pytest.mark.slow
def test_over_many_seeds_cuts_earn_nothing_and_momentum_a_little(
    sessions: pd.DatetimeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holding small caps at the right time, and growth at the other, adds to half of each, a year before costs."""
    policy = load_policy_decisions()
    moves = policy[(policy["change_bps"] != 0) & (policy["date"] > "1999")]
    index = sample_rates.rows_of_sessions(sessions)[1]
    easing = np.zeros(len(index))
    for row, change in zip(index.searchsorted(moves["date"]), moves["change_bps"], strict=True):
        easing[row:] = 0
        easing[row : row + 252] = change < 0
    cuts, momentum = [], []
    for seed in range(1, 201):
        monkeypatch.setattr(sample_noise, "SEED", seed)
        returns = log_returns(sample_prices(["QQQ", "IVW", "IWM", "IWN"], sessions))
        lead = (returns[["IWM", "IWN"]].mean(axis=1) - returns[["QQQ", "IVW"]].mean(axis=1)).to_numpy()
        cuts.append(252 * np.mean((easing[1:-1] - 0.5) * lead[1:]))
        trailing = np.convolve(lead, np.ones(126), mode="valid")[:-1]
        momentum.append(252 * np.mean((np.where(trailing > 0, 1.0, 0.0) - 0.5) * lead[126:]))
    assert np.mean(cuts) == pytest.approx(0.0, abs=3 * np.std(cuts) / len(cuts) ** 0.5)
    assert np.mean(momentum) == pytest.approx(0.016, abs=0.004)
