"""Ken French's portfolios are a market of months: what is in the files, when it was known, what it may stand for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from french_files import SIX, century, made_up_tables, real_tables, write_library
from real_data import find_real_data

from backtest.api import load_config
from backtest.data import load_market
from backtest.data.french.beside import likeness, monthly_returns
from backtest.data.french.portfolios import PORTFOLIOS, returns_of
from backtest.data.french.source import FrenchSource
from backtest.errors import ConfigError, DataError
from backtest.market import Market, overnight_interest

REAL = find_real_data()
needs_real = pytest.mark.skipif(REAL is None, reason="no real data")


@pytest.fixture(scope="module")
def market(french_folder: Path) -> Market:
    return load_market(
        load_config(century(french_folder)),
        extra_tickers=("SMALL", "BIG", "VALUE", "GROWTH", "IND10-HITEC"),
    )


def test_a_month_is_traded_at_the_close_of_the_one_before_to_the_last_bit(market: Market) -> None:
    assert market.periods_per_year == 12
    np.testing.assert_array_equal(market.open.to_numpy()[1:], market.close.to_numpy()[:-1])


def test_the_returns_are_those_of_the_file(market: Market) -> None:
    six = made_up_tables()["six"]
    returns = market.close.pct_change().iloc[1:]
    months = returns.index.to_period("M")
    np.testing.assert_array_equal(months, six.index)
    np.testing.assert_allclose(returns["SMALL-VALUE"], six["small_hibm"] / 100, atol=1e-13)
    np.testing.assert_allclose(returns["SMALL"], six.iloc[:, :3].mean(axis=1) / 100, atol=1e-13)
    np.testing.assert_allclose(returns["IND10-HITEC"], made_up_tables()["ten"]["HiTec"] / 100, atol=1e-13)


def test_a_month_ends_with_the_last_session_of_the_exchange(market: Market) -> None:
    assert {f"{day:%Y-%m-%d}" for day in market.sessions} >= {"1926-06-30", "1963-11-29", "2001-09-28", "2024-03-28"}
    assert market.exchange_sessions[-1] > market.sessions[-1]


def test_cash_earns_what_the_file_says_of_each_month(market: Market) -> None:
    earned = overnight_interest(market)[1:]
    np.testing.assert_allclose(earned, made_up_tables()["factors"]["rf"] / 100, atol=1e-14)


def test_what_the_federal_reserve_did_before_1994_is_known_at_the_end_of_its_month(market: Market) -> None:
    policy = market.policy.set_index("date")
    assert policy.loc["1957-11-15", "session"] == pd.Timestamp("1957-11-29")
    assert policy.loc["1957-11-15", "change_bps"] == -50
    assert policy.loc["1991-04-30", "session"] == pd.Timestamp("1991-05-31")  # its hour is not on record
    assert policy.loc["2024-09-18", "session"] == pd.Timestamp("2024-09-30")
    assert policy.index.is_monotonic_increasing


def test_the_end_of_a_market_is_that_of_its_config_whatever_the_files_have_later(french_folder: Path) -> None:
    ends = [load_market(load_config(century(french_folder, data={"end": end}))) for end in ("2010-06-30", "2010-07-15")]
    for one in ends:
        assert one.sessions[-1] == pd.Timestamp("2010-06-30")
    pd.testing.assert_frame_equal(ends[0].close, ends[1].close)


def test_a_report_is_told_that_these_are_no_funds(market: Market) -> None:
    notes = "\n".join(market.notes)
    assert "not funds" in notes
    assert "202412" in notes
    assert "SMALL-VALUE: small value companies; the nearest fund is IWN" in notes


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: re.sub(r"195502.*\n", "", text), "a month is missing after 1955-01"),
        (lambda text: text.replace("SMALL HiBM", "LITTLE"), "has no column small_hibm for SMALL-VALUE"),
        (lambda text: "nothing", "expected a file of Ken French's library"),
        (lambda text: text[: text.index("195001")] + "195001," + ",".join(6 * ["-99.99"]) + "\n195002,1,1,1,1,1,1\n",
         "no return for 1950-01"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: Any, told: str) -> None:
    from french_files import french_text

    text = damage(french_text(made_up_tables()["six"], SIX))
    (tmp_path / "6_portfolios_2x3.CSV").write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(DataError, match=told) as caught:
        FrenchSource(tmp_path).prices(["SMALL-VALUE"])
    assert "6_" in str(caught.value)


def test_what_is_not_there_is_said(french_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"QQQ: no portfolio of Ken French's .*SMALL-VALUE"):
        FrenchSource(french_folder).prices(["QQQ"])
    with pytest.raises(DataError, match=r"has no 6_Portfolios_2x3_CSV.zip \(nor 6_Portfolios_2x3.csv\)"):
        FrenchSource(tmp_path).prices(["BIG"])
    for data, told in (({"tbill": "irx"}, "expected french"), ({"prices": {"source": "sample"}}, "its own prices")):
        with pytest.raises(ConfigError, match=told):
            load_config(century(french_folder, data=data))


def test_every_portfolio_has_words_and_a_ticker_that_a_config_takes() -> None:
    from backtest.config.fields import is_ticker

    assert len(PORTFOLIOS) == 11 + 10 + 12
    for ticker, portfolio in PORTFOLIOS.items():
        assert is_ticker(ticker)
        assert len(portfolio.is_) > 4


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Market:
    assert REAL is not None
    folder = write_library(tmp_path_factory.mktemp("real"), real_tables(REAL))
    every = tuple(name for name, one in PORTFOLIOS.items() if not name.startswith("IND"))
    return load_market(load_config(century(folder)), extra_tickers=every)


PUBLISHED = """
1926-07 -2.56 -2.43, 1926-08 -1.17  3.82, 1926-09 -1.40  0.13, 1927-07 -3.25 -1.14, 1929-10 -4.01  7.78,
1931-10 -1.87  1.70, 1932-07 -4.59 35.61, 1932-08 13.41 34.24, 1933-05 36.56 19.19, 1935-11  4.54 12.06,
1938-06  4.30  0.32, 1939-09 20.24 22.22, 1942-01  7.53 10.10, 1943-01  8.80  8.18, 1946-09 -4.40 -1.92,
1950-07  0.69 13.56, 1954-12  2.12  5.66, 1957-10 -2.52 -1.80, 1958-12 -2.03  0.03, 1962-05 -3.34  2.77,
1966-11  4.24 -4.69, 1967-01  8.32  2.27, 1969-06 -5.37 -1.08, 1971-01  7.36  1.33, 1973-07  7.97 -5.31,
1974-01  9.68  6.02, 1974-10 -3.46 -9.87, 1975-01 11.14  8.28, 1978-10 -9.86  1.38, 1980-11 -3.36 -8.33,
1984-01 -0.38  7.58, 1987-10 -8.43  4.24, 1990-10 -5.57  0.10, 1992-01  8.46  4.71, 1996-05  3.17 -0.83,
1998-08 -5.69  3.53, 2000-02 21.36 -9.59, 2000-03 -17.20 8.13, 2000-06 12.84 -8.42, 2001-02 -0.78 12.47,
2003-07  5.06 -1.24, 2007-07 -2.61 -3.71, 2009-01  0.07 -11.29, 2016-11 5.71  8.21"""
"""SMB and HML of the library's factor file of mid-2024: the largest months of each decade and some others. The real six
portfolios (202412) have the same past but for small revisions, those of the 2020s beyond 0.01."""

SIX_OF_2024 = """
2003-07   8.2157   5.6878   6.6437   1.7695   2.7525   0.8599  5.06  -1.24
2007-07  -4.8084  -5.7884  -8.2207  -1.4022  -4.1777  -5.4141 -2.61  -3.71
2009-01  -7.8913 -10.1102 -16.0718  -5.3342  -9.2189 -19.7425  0.07 -11.29
2010-12   7.3101   8.3262   9.4636   4.9391   7.7950  10.1774  0.73   3.70
2016-11   9.1400  12.5646  14.9658   1.9430   5.0565  12.5388  5.71   8.21
2020-03 -18.6226 -21.4701 -28.0799  -8.9985 -17.5166 -27.2089 -4.82 -13.83
2021-01   5.8871   5.1032  10.6737  -0.5979  -0.5502   0.6968  7.37   3.04
2022-01 -13.3275  -9.0838  -0.9688  -7.9548  -3.0364   5.4471 -5.95  12.88"""
"""The six portfolios of the same mid-2024 database beside its SMB and HML."""


def test_on_one_database_smb_and_hml_are_rebuilt_within_half_a_hundredth() -> None:
    rows = np.array([line.split()[1:] for line in SIX_OF_2024.strip().splitlines()], dtype=np.float64)
    table = pd.DataFrame(rows[:, :6], columns=list(SIX))
    of = {name: 100 * returns_of(name, table) for name in ("SMALL", "BIG", "VALUE", "GROWTH")}
    np.testing.assert_allclose(of["SMALL"] - of["BIG"], rows[:, 6], atol=0.0051)
    np.testing.assert_allclose(of["VALUE"] - of["GROWTH"], rows[:, 7], atol=0.0051)


@pytest.fixture(scope="module")
def rebuilt(real: Market) -> pd.DataFrame:
    """SMB and HML of every month, in percent, from the real six portfolios."""
    returns = 100 * real.close.pct_change().iloc[1:]
    returns.index = returns.index.to_period("M")
    return pd.DataFrame({"smb": returns["SMALL"] - returns["BIG"], "hml": returns["VALUE"] - returns["GROWTH"]})


@needs_real
def test_smb_and_hml_rebuilt_from_the_six_portfolios_are_the_published_ones(rebuilt: pd.DataFrame) -> None:
    months = [month.split() for month in PUBLISHED.split(",")]
    assert len(months) == 44
    for month, *values in months:
        np.testing.assert_allclose(rebuilt.loc[month], [float(each) for each in values], atol=0.0051, err_msg=month)


@needs_real
def test_the_file_of_a_later_database_has_another_past(rebuilt: pd.DataFrame) -> None:
    """The real factors at hand are of 2025: hardly a month is the same, no decade is spared, the oldest are worst."""
    assert REAL is not None
    assert len(rebuilt) == 1182
    apart = (rebuilt - real_tables(REAL)["factors"][["smb", "hml"]]).abs()
    assert ((apart <= 0.005).mean() < 0.1).all()
    assert (apart.mean() < 0.09).all()
    assert {str(month) for month in apart.idxmax()} == {"1931-10"}
    by_decade = apart.groupby(10 * (apart.index.year // 10)).mean()  # type: ignore[attr-defined]
    assert by_decade.min().min() > 0.03
    for name in apart:
        assert np.corrcoef(rebuilt[name], real_tables(REAL)["factors"][name])[0, 1] > 0.9985


def test_smb_and_hml_of_one_database_are_rebuilt_within_half_of_the_last_digit(market: Market) -> None:
    factors, returns = made_up_tables()["factors"], 100 * market.close.pct_change().iloc[1:]
    for name, long, short in (("smb", "SMALL", "BIG"), ("hml", "VALUE", "GROWTH")):
        np.testing.assert_allclose(returns[long] - returns[short], factors[name], atol=0.00501)


@needs_real
@pytest.mark.parametrize(
    ("ticker", "fund", "correlation", "beta", "tracking_error", "growths"),
    [
        ("SMALL", "IWM", 0.9925, 0.959, 2.60, (7.27, 8.98)),
        ("BIG-GROWTH", "IVW", 0.9880, 1.014, 2.49, (7.47, 8.72)),
        ("SMALL-GROWTH", "IWO", 0.9837, 0.926, 4.26, (5.54, 5.67)),
        ("SMALL-VALUE", "IWN", 0.9802, 0.891, 4.59, (8.27, 10.00)),
        ("BIG-GROWTH", "QQQ", 0.9011, 1.362, 11.76, (9.78, 9.12)),
        ("BIG", "SPY", 0.9659, None, None, None),
    ],
)
def test_how_near_the_portfolios_are_to_the_funds(
    real: Market, ticker: str, fund: str, correlation: float, beta: float | None, tracking_error: float | None,
    growths: tuple[float, float] | None,
) -> None:  # fmt: skip
    assert REAL is not None
    prices = pd.read_csv(REAL / "prices" / f"{fund}.csv", index_col="date", parse_dates=True)["adj_close"]
    found = likeness(monthly_returns(real.close[ticker]), monthly_returns(prices)[: pd.Period("2024-06")])
    assert found is not None
    assert found.correlation == pytest.approx(correlation, abs=0.001)
    if beta is not None and tracking_error is not None and growths is not None:
        assert found.beta == pytest.approx(beta, abs=0.003)
        assert 100 * found.tracking_error == pytest.approx(tracking_error, abs=0.08)
        assert 100 * found.drift == pytest.approx(growths[1] - growths[0], abs=0.15)
