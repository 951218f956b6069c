"""The shipped policy decisions against the record, and which close may use them."""

from __future__ import annotations

import warnings
from datetime import time
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.data.policy import knowable_sessions, load_policy_decisions, with_known_sessions

WEEK = pd.DatetimeIndex(["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08"])
"""Thursday the 4th was a holiday; the 3rd closed at 13:00."""

HALF_DAY_CLOSES = WEEK + pd.to_timedelta([16, 16, 13, 16, 16], unit="h")


@pytest.fixture(scope="module")
def decisions() -> pd.DataFrame:
    return load_policy_decisions()


@pytest.fixture(scope="module")
def nyse() -> exchange_calendars.ExchangeCalendar:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 reads zoned times in a way that pandas 3.1 deprecates; nothing of ours is meant.
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar("XNYS", start="1994-01-03", end="2026-12-31")


def announced(*moments: str) -> pd.DataFrame:
    return pd.DataFrame({"announced_at": pd.to_datetime(list(moments))})


def days(values: np.ndarray | pd.Series) -> list[str]:
    return [str(day) for day in pd.DatetimeIndex(values).strftime("%Y-%m-%d")]


# The shipped table


def test_no_decision_differs_from_the_independent_list(decisions: pd.DataFrame, real_data: Path) -> None:
    other = pd.read_csv(real_data / "macro" / "fomc_decisions.csv", parse_dates=["date"])
    ours = decisions.head(len(other))
    theirs = {"date": "date", "lower": "target_lower", "upper": "target_upper"}
    theirs |= {"change_bps": "change_bps", "scheduled": "scheduled"}
    assert len(ours) == len(other)
    assert {name: int((ours[name] != other[theirs[name]]).sum()) for name in theirs} == dict.fromkeys(theirs, 0)


def test_freds_target_stands_at_each_decision_on_the_eve_of_the_next(decisions: pd.DataFrame, real_data: Path) -> None:
    old, lower, upper = (
        pd.read_csv(real_data / "macro" / f"{name}.csv", index_col=0, parse_dates=True).iloc[:, 0]
        for name in ("DFEDTAR", "DFEDTARL", "DFEDTARU")
    )
    eves = decisions["date"].shift(-1) - pd.Timedelta(days=1)
    checked = eves <= upper.index[-1]
    assert checked.sum() == 268
    for name, fred in (("lower", pd.concat([old, lower])), ("upper", pd.concat([old, upper]))):
        assert (fred.reindex(eves[checked]).to_numpy() == decisions.loc[checked, name].to_numpy()).all()


def test_changes_add_up_from_three_percent_to_every_level(decisions: pd.DataFrame) -> None:
    levels = 3.0 + decisions["change_bps"].cumsum() / 100
    assert (levels == decisions["upper"]).all()


def test_target_is_one_rate_until_it_becomes_a_range_of_a_quarter_point(decisions: pd.DataFrame) -> None:
    width = decisions["upper"] - decisions["lower"]
    assert (width == np.where(decisions["date"] < "2008-12-16", 0.0, 0.25)).all()


def test_rate_was_cut_exactly_five_times_in_2019_and_2020(decisions: pd.DataFrame) -> None:
    recent = decisions[decisions["date"].dt.year.isin([2019, 2020])]
    cuts = recent.loc[recent["change_bps"] < 0, ["date", "change_bps"]]
    assert days(cuts["date"]) == ["2019-07-31", "2019-09-18", "2019-10-30", "2020-03-03", "2020-03-15"]
    assert cuts["change_bps"].tolist() == [-25, -25, -25, -50, -100]


def test_cut_from_one_percent_to_a_range_counts_once(decisions: pd.DataFrame) -> None:
    around = decisions[decisions["date"].between("2008-10-29", "2009-01-28")]
    assert days(around["date"]) == ["2008-10-29", "2008-12-16", "2009-01-28"]
    assert around["lower"].tolist() == [1.0, 0.0, 0.0]
    assert around["upper"].tolist() == [1.0, 0.25, 0.25]
    assert around["change_bps"].tolist() == [-50, -75, 0]


def test_there_were_34_cuts_from_2001_to_2025(decisions: pd.DataFrame) -> None:
    assert int((decisions["change_bps"][decisions["date"].dt.year.between(2001, 2025)] < 0).sum()) == 34


def test_nine_moves_came_between_meetings(decisions: pd.DataFrame) -> None:
    between = decisions[~decisions["scheduled"]]
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in between["announced_at"]] == [
        "1994-04-18 10:06",
        "1998-10-15 15:15",
        "2001-01-03 13:13",
        "2001-04-18 10:54",
        "2001-09-17 08:20",
        "2008-01-22 08:20",
        "2008-10-08 07:00",
        "2020-03-03 10:00",
        "2020-03-15 17:00",
    ]
    assert (between["change_bps"] != 0).all()


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("1995-01-01", "2011-03-31", {time(14, 15), time(11, 39)}),
        ("2011-04-01", "2013-01-31", {time(14, 15), time(12, 30)}),
        ("2013-03-01", "2026-12-31", {time(14, 0)}),
    ],
)
def test_statements_after_meetings_came_at_the_hours_of_their_time(
    decisions: pd.DataFrame, since: str, until: str, hours: set[time]
) -> None:
    meetings = decisions[decisions["scheduled"] & decisions["date"].between(since, until)]
    assert set(meetings["announced_at"].dt.time) == hours


def test_columns_are_typed_and_complete(decisions: pd.DataFrame) -> None:
    assert decisions.dtypes.astype(str).to_dict() == {
        "announced_at": "datetime64[ns]",
        "date": "datetime64[ns]",
        "scheduled": "bool",
        "lower": "float64",
        "upper": "float64",
        "change_bps": "int64",
    }
    assert not decisions.isna().any(axis=None)
    assert (decisions["date"] == decisions["announced_at"].dt.normalize()).all()
    assert decisions["date"].is_monotonic_increasing
    assert decisions["date"].is_unique
    assert (decisions["lower"] <= decisions["upper"]).all()


# The session that may know


def test_every_decision_is_known_at_its_own_days_close_but_that_of_a_sunday(
    decisions: pd.DataFrame, nyse: exchange_calendars.ExchangeCalendar
) -> None:
    known = with_known_sessions(decisions, nyse.sessions)
    later = known[known["session"] != known["date"]]
    assert days(later["date"]) == ["2020-03-15"]
    assert days(later["session"]) == ["2020-03-16"]


def test_half_days_change_no_shipped_decision(
    decisions: pd.DataFrame, nyse: exchange_calendars.ExchangeCalendar
) -> None:
    with_half_days = with_known_sessions(decisions, nyse.sessions, nyse.closes)
    pd.testing.assert_frame_equal(with_half_days, with_known_sessions(decisions, nyse.sessions))


def test_decision_before_markets_reopened_in_september_2001_is_known_that_day(
    decisions: pd.DataFrame, nyse: exchange_calendars.ExchangeCalendar
) -> None:
    known = with_known_sessions(decisions, nyse.sessions).set_index("date")["session"]
    assert nyse.sessions[nyse.sessions < "2001-09-17"][-1] == pd.Timestamp("2001-09-10")
    assert known[pd.Timestamp("2001-09-17")] == pd.Timestamp("2001-09-17")
    assert known[pd.Timestamp("1998-10-15")] == pd.Timestamp("1998-10-15")


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2024-07-01 00:00", "2024-07-01"),
        ("2024-07-01 15:59", "2024-07-01"),
        ("2024-07-01 16:00", "2024-07-02"),
        ("2024-07-03 14:00", "2024-07-03"),
        ("2024-07-04 10:00", "2024-07-05"),
        ("2024-07-05 17:00", "2024-07-08"),
        ("2024-07-06 12:00", "2024-07-08"),
    ],
)
def test_announcement_before_the_close_is_known_that_session_else_the_next(moment: str, session: str) -> None:
    assert days(knowable_sessions(announced(moment), WEEK)) == [session]


@pytest.mark.parametrize(
    ("moment", "session"),
    [("2024-07-03 12:59", "2024-07-03"), ("2024-07-03 13:00", "2024-07-05"), ("2024-07-03 14:00", "2024-07-05")],
)
def test_on_a_half_day_the_close_is_at_one(moment: str, session: str) -> None:
    in_utc = pd.Series(HALF_DAY_CLOSES).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    for closes in (HALF_DAY_CLOSES, in_utc):
        assert days(knowable_sessions(announced(moment), WEEK, closes)) == [session]


def test_what_lies_beyond_the_calendar_has_no_session() -> None:
    moments = announced("2024-06-28 14:00", "2024-07-08 15:00", "2024-07-08 16:00", "2024-08-01 14:00")
    known = knowable_sessions(moments, WEEK)
    assert known.dtype == "datetime64[ns]"
    assert np.isnat(known).tolist() == [True, False, True, True]
    assert np.isnat(knowable_sessions(moments, WEEK[:0])).all()


@given(st.datetimes(min_value=pd.Timestamp("2024-07-01"), max_value=pd.Timestamp("2024-07-08 15:59")))
def test_known_session_is_the_first_that_closes_later(moment: pd.Timestamp) -> None:
    later = [day for day, close in zip(WEEK, HALF_DAY_CLOSES, strict=True) if close > moment]
    assert knowable_sessions(announced(str(moment)), WEEK, HALF_DAY_CLOSES)[0] == later[0].to_datetime64()


def test_a_calendar_that_cannot_be_right_is_refused() -> None:
    moments = announced("2024-07-01 14:00")
    with pytest.raises(ValueError, match="must ascend"):
        knowable_sessions(moments, WEEK[::-1])
    with pytest.raises(ValueError, match="one hour for each"):
        knowable_sessions(moments, WEEK, HALF_DAY_CLOSES[1:])
