from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.data.calendar import exchange_sessions
from backtest.data.csv_folder import CsvFolder
from backtest.data.rates import TBill, constant_rate, step_series, tbill_series
from backtest.errors import DataError
from backtest.market import Market, overnight_interest

YEAR = exchange_sessions(date(2024, 1, 1), date(2024, 12, 31))


def published(**values: float) -> pd.Series:
    """`d0715=5.2` is 5.2 percent on 2024-07-15."""
    days = [pd.Timestamp(f"2024-{name[1:3]}-{name[3:]}") for name in values]
    return pd.Series(list(values.values()), index=pd.DatetimeIndex(days), dtype=float)


def sessions(*days: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([f"2024-{day}" for day in days])


def tbill(folder: Path, text: str, asked: str = "irx") -> TBill:
    """The rate of a file on the sessions of two weeks in July, the second of which is the period."""
    folder.joinpath("IRX.csv" if asked == "irx" else "DTB3.csv").write_text(text, encoding="utf-8", newline="\n")
    days = exchange_sessions(date(2024, 7, 8), date(2024, 7, 19))
    return tbill_series(asked, CsvFolder(folder), days, start=date(2024, 7, 15))  # type: ignore[arg-type]


def rows(start: str, end: str, value: float = 5.2, without: tuple[str, ...] = ()) -> str:
    days = [f"{day:%Y-%m-%d}" for day in pd.bdate_range(start, end)]
    return "date,close\n" + "".join(f"{day},{value}\n" for day in days if day not in without)


def test_a_value_is_known_at_its_own_close_or_at_the_next() -> None:
    series = published(d0715=5.0, d0716=6.0)
    days = sessions("07-15", "07-16", "07-17")
    at_once, dated = step_series(series, days, is_known_next_session=False)
    assert at_once.tolist() == [5.0, 6.0, 6.0]
    assert dated.astype(str).tolist() == ["2024-07-15", "2024-07-16", "2024-07-16"]
    later, dated = step_series(series, days, is_known_next_session=True)
    assert np.isnan(later[0])
    assert later[1:].tolist() == [5.0, 6.0]
    assert dated.astype(str).tolist() == ["NaT", "2024-07-15", "2024-07-16"]


def test_a_value_of_a_day_without_session_is_known_at_the_next_close() -> None:
    """Columbus Day the other way round: on Good Friday bills trade and shares do not."""
    for is_known_next_session in (False, True):
        values, _ = step_series(
            published(d0328=5.0, d0329=6.0), sessions("04-01"), is_known_next_session=is_known_next_session
        )
        assert values.tolist() == [6.0]


def test_a_value_holds_for_seven_calendar_days() -> None:
    values, _ = step_series(published(d0701=5.0), sessions("07-08", "07-09"), is_known_next_session=False)
    assert values[0] == 5.0
    assert np.isnan(values[1])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40, unique=True), st.booleans())
def test_a_step_series_is_the_last_value_looked_up_day_by_day(days: list[int], is_known_next_session: bool) -> None:
    index = pd.Timestamp("2023-12-31") + pd.to_timedelta(sorted(days), unit="D")
    series = pd.Series(sorted(days), index=index, dtype=float)
    values, _ = step_series(series, YEAR[:50], is_known_next_session=is_known_next_session)
    for session, value in zip(YEAR[:50].day_of_year, values, strict=True):
        known = [day for day in days if session - 7 <= day <= session - is_known_next_session]
        assert (np.isnan(value) and not known) or value == max(known)


def test_percent_becomes_a_fraction_and_carried_sessions_are_counted_from_the_start_on(tmp_path: Path) -> None:
    text = rows("2024-07-08", "2024-07-19", without=("2024-07-10", "2024-07-16", "2024-07-17"))
    found = tbill(tmp_path, text)
    assert found.values.to_numpy() == pytest.approx(np.full(10, 0.052))
    assert found.source.carried_sessions == 2
    assert (found.source.rows, found.source.first, found.source.last) == (7, "2024-07-08", "2024-07-19")
    assert found.name == "13-week T-bill discount rate (^IRX)"


def test_a_fred_rate_is_carried_when_the_session_before_had_none(tmp_path: Path) -> None:
    text = rows("2024-07-05", "2024-07-18", without=("2024-07-16",)).replace("close", "value")
    found = tbill(tmp_path, text, "fred")
    assert found.source.carried_sessions == 1  # on the 17th, which would have used the 16th
    assert found.name == "13-week T-bill discount rate (FRED DTB3)"


@pytest.mark.parametrize(("asked", "close"), [("irx", "day itself"), ("fred", "next session")])
def test_where_a_rate_is_from_says_when_it_is_known(tmp_path: Path, asked: str, close: str) -> None:
    text = rows("2024-07-05", "2024-07-19").replace("close", "close" if asked == "irx" else "value")
    assert tbill(tmp_path, text, asked).source.clock == f"daily, known at the close of the {close}"


def test_a_session_without_any_rate_is_refused_with_its_date(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"IRX.csv: no T-bill rate within 7 days of 2024-07-18, 2024-07-19; bring"):
        tbill(tmp_path, rows("2024-07-08", "2024-07-10"))
    with pytest.raises(DataError, match=r"no T-bill rate within 7 days of 2024-07-15;"):
        tbill(tmp_path, rows("2024-07-16", "2024-07-19"))


def test_before_the_start_a_rate_may_be_missing(tmp_path: Path) -> None:
    values = tbill(tmp_path, rows("2024-07-15", "2024-07-19")).values
    assert values.isna().tolist() == [True] * 5 + [False] * 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (rows("2024-07-08", "2024-07-19", value=25.1), r"IRX.csv:2: 2024-07-08: found 25.1, expected -2 to 25"),
        (rows("2024-07-08", "2024-07-19", value=-5.1), "found -5.1, expected -2 to 25"),
        (rows("2024-07-08", "2024-07-19") + "2024-07-18,5\n", "2024-07-18: the date stands twice or goes back"),
        (rows("2024-07-08", "2024-07-19") + "2024-07-19,5\n", "2024-07-19: the date stands twice or goes back"),
        ("date,close\n2024-07-08,\n", "has no values"),
    ],
)
def test_a_rate_that_cannot_be_one_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        tbill(tmp_path, text)


def test_a_negative_rate_is_a_rate(tmp_path: Path) -> None:
    assert (tbill(tmp_path, rows("2024-07-08", "2024-07-19", value=-0.105)).values < 0).all()


@given(st.floats(-0.05, 0.5))
def test_a_constant_rate_accrues_exactly_its_yield(annual: float) -> None:
    rate = constant_rate(annual, YEAR)
    blank = pd.DataFrame(1.0, index=YEAR, columns=["QQQ"])
    market = Market(blank, blank, blank, blank, blank, blank, YEAR, pd.DataFrame(), tbill=rate.values)
    days = np.diff(YEAR.to_numpy().astype("datetime64[D]")).astype(float)
    assert overnight_interest(market)[1:] == pytest.approx(annual * days / 365, rel=1e-12, abs=1e-16)


def test_a_constant_rate_says_what_it_is() -> None:
    asked = SimpleNamespace(annual=0.025)
    rate = tbill_series(asked, None, YEAR, start=date(2024, 1, 2))  # type: ignore[arg-type]
    assert rate.name == "a constant 2.5% a year"
    assert rate.source.location == "data.tbill"
    assert rate.source.carried_sessions == 0


def test_the_real_rates_cover_a_quarter_century(real_data: Path) -> None:
    """^IRX has no value on six sessions: Columbus and Veterans Days before 2017. Both tell the same rate."""
    days = exchange_sessions(date(2001, 1, 2), date(2025, 12, 31))
    folder = CsvFolder(real_data / "prices")
    irx = tbill_series("irx", folder, days, start=date(2001, 7, 31))
    fred = tbill_series("fred", folder, days, start=date(2001, 7, 31))
    assert irx.source.carried_sessions == 6
    assert fred.source.location.endswith("DTB3.csv")
    assert float((irx.values - fred.values.shift(-1)).abs().median()) < 0.0005
