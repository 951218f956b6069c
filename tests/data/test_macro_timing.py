"""Which close may first use an observation: one fixture for each rule of publication, and what a day's error does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.data.calendar import session_closes, sessions_around
from backtest.data.macro import Observed, read_observed
from backtest.data.macro_source import with_sessions
from backtest.data.policy import load_policy_decisions, with_known_sessions
from backtest.data.sample.macro import SAMPLE_SERIES, sample_observed
from backtest.errors import DataError
from backtest.series import PointInTime

SPAN = (pd.Timestamp("1994-01-03"), pd.Timestamp("2026-10-30"))
SESSIONS = sessions_around(*SPAN)
CLOSES = session_closes(SESSIONS[0], SESSIONS[-1])


def usable(folder: Path, name: str, rows: str, rule: str | None = None, day: str | None = None) -> str:
    """The session at which the row of `day` (the first one without) becomes usable."""
    (folder / f"{name}.csv").write_text(rows, encoding="utf-8", newline="\n")
    series = with_sessions(read_observed(folder, name, rule), SESSIONS, CLOSES)
    frame = series.frame if day is None else series.frame[series.frame["happened"] == day]
    return f"{frame['session'].iloc[0]:%Y-%m-%d}"


VALUES = {"2019-08-01": 2.25, "2020-03-04": 1.25, "2020-03-16": 0.25, "2015-12-16": 0.5}
"""Targets are compared with the shipped decisions."""


@pytest.mark.parametrize(
    ("name", "day", "session"),
    [
        ("DGS10", "2024-07-16", "2024-07-17"),  # H.15: the next session
        ("DGS10", "2024-07-12", "2024-07-15"),  # over a weekend
        ("DGS2", "2024-07-03", "2024-07-05"),  # over Independence Day, on a half day
        ("EFFR", "2024-07-16", "2024-07-17"),
        ("EFFR", "2024-10-11", "2024-10-15"),  # the Fed rests on Columbus Day, the exchange does not
        ("EFFR", "2023-04-06", "2023-04-10"),  # on Good Friday the Fed works, the exchange does not
        ("DFEDTARU", "2019-08-01", "2019-07-31"),  # effective dates since 2017: announced the day before
        ("DFEDTARU", "2020-03-04", "2020-03-03"),
        ("DFEDTARU", "2020-03-16", "2020-03-16"),  # decided on a Sunday
        ("DFEDTARU", "2015-12-16", "2015-12-16"),  # dated by the announcement until 2016
        ("DFEDTAR", "1998-10-15", "1998-10-15"),
    ],
)
def test_a_rate_is_usable_from_its_session_on(name: str, day: str, session: str, tmp_path: Path) -> None:
    assert usable(tmp_path, name, f"date,value\n{day},{VALUES.get(day, 5.0)}\n") == session


def test_a_release_is_usable_at_the_close_of_its_morning(tmp_path: Path) -> None:
    rows = "release_date,reference_month,core_mom_actual,core_mom_consensus\n{},{},0.1,0.2\n"
    releases = (("2024-07-11", "2024-06", "2024-07-11"), ("2017-04-14", "2017-03", "2017-04-17"))  # Good Friday
    for released, month, session in releases:
        (tmp_path / "cpi_releases.csv").write_text(rows.format(released, month), encoding="utf-8", newline="\n")
        series = with_sessions(read_observed(tmp_path, "cpi", None), SESSIONS, CLOSES)
        assert f"{series.frame['session'].iloc[0]:%Y-%m-%d}" == session


def test_a_settlement_is_usable_at_its_own_close_but_for_half_days(tmp_path: Path) -> None:
    rows = "date,contract_month,close\n2024-07-16,2024-09,94.79\n2024-11-29,2024-12,95.6\n"
    (tmp_path / "zq_daily.csv").write_text(rows, encoding="utf-8", newline="\n")
    frame = with_sessions(read_observed(tmp_path, "zq", None), SESSIONS, CLOSES).frame
    assert frame["session"].dt.strftime("%Y-%m-%d").tolist() == ["2024-07-16", "2024-12-02"], "15:00 is after 13:00"


@pytest.mark.parametrize(
    ("announced", "session"),
    [
        ("2024-09-18 14:00", "2024-09-18"),
        ("2020-03-15 17:00", "2020-03-16"),  # a Sunday
        ("2024-07-03 14:00", "2024-07-05"),  # a half day, and a holiday after it
        ("2024-07-03 12:59", "2024-07-03"),
        ("2024-07-16 16:00", "2024-07-17"),
    ],
)
def test_a_file_may_bring_its_own_moments(announced: str, session: str, tmp_path: Path) -> None:
    rows = f"date,value,known_at\n2020-01-01,1.5,{announced}\n"
    assert usable(tmp_path, "MY_GAP", rows, "column") == session


def test_a_file_of_unknown_publication_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "MY_GAP.csv").write_text("date,value\n2024-01-01,1.5\n", encoding="utf-8", newline="\n")
    with pytest.raises(DataError, match=r"MY_GAP\.csv: .*data\.macro\.series\.MY_GAP\.known") as told:
        read_observed(tmp_path, "MY_GAP", None)
    assert len(told.value.problems) == 1


def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path) -> None:
    right = "date,contract_month,close\n2024-07-16,2024-09,94.79\n"
    (tmp_path / "zq_daily.csv").write_text(f"{right}2024-07-17,2024-09,x\n", encoding="utf-8", newline="\n")
    with pytest.raises(DataError, match=r"zq_daily\.csv:3: close: found 'x', expected a number"):
        read_observed(tmp_path, "zq", None)
    (tmp_path / "zq_daily.csv").write_text(
        "date,contract_month,close\n2024-13-16,2024-09,94.79\n", encoding="utf-8", newline="\n"
    )
    with pytest.raises(DataError, match=r"zq_daily\.csv:2: date: found '2024-13-16'"):
        read_observed(tmp_path, "zq", None)
    with pytest.raises(DataError, match=r"DGS2\.csv: No such file"):
        read_observed(tmp_path, "DGS2", None)


def test_freds_targets_lead_to_the_sessions_of_the_shipped_table(real_data: Path) -> None:
    decisions = with_known_sessions(load_policy_decisions(), SESSIONS, CLOSES)
    moved = decisions[decisions["change_bps"] != 0]["session"]
    for name in ("DFEDTAR", "DFEDTARU"):
        frame = with_sessions(read_observed(real_data / "macro", name, None), SESSIONS, CLOSES).frame
        changed = frame[frame["value"].diff().fillna(0.0) != 0.0]["session"]
        changed = changed[changed >= moved.min()]  # the shipped table begins in 1994
        expected = moved[(moved >= changed.min()) & (moved <= changed.max())]
        assert changed.tolist() == expected.tolist(), name


def shifted(series: PointInTime, days: int) -> PointInTime:
    """The same observations, known so many sessions later or earlier."""
    place = SESSIONS.get_indexer(pd.DatetimeIndex(series.frame["session"])) + days
    return dataclasses.replace(series, frame=series.frame.assign(session=SESSIONS[place]))


@pytest.mark.parametrize("name", SAMPLE_SERIES)
def test_no_observation_is_used_before_it_was_known(name: str) -> None:
    series = with_sessions(sample_observed(name), SESSIONS, CLOSES)
    check_honest(series)
    check_honest(shifted(series, 1))
    with pytest.raises(AssertionError):
        check_honest(shifted(series, -1))


def check_honest(series: PointInTime) -> None:
    closes = pd.Series(CLOSES.tz_convert("America/New_York").tz_localize(None), index=SESSIONS)
    assert (series.frame["known_at"].to_numpy() < closes[series.frame["session"]].to_numpy()).all()


def test_until_leaves_nothing_that_was_not_known_and_latest_prefers_the_newest() -> None:
    days = np.array(["2024-07-01", "2024-07-02", "2024-07-01"], dtype="datetime64[D]")
    known = np.array(["2024-07-01T09:00", "2024-07-02T09:00", "2024-07-03T09:00"], dtype="datetime64[m]")
    observed = Observed(days, known, {"value": np.array([1.0, 2.0, 9.0])}, 7, "here", "")
    series = with_sessions(observed, SESSIONS, CLOSES)
    week = SESSIONS[(SESSIONS >= "2024-06-28") & (SESSIONS <= "2024-07-12")]
    latest = series.latest(week)
    assert latest.tolist()[:4] == pytest.approx([np.nan, 1.0, 2.0, 2.0], nan_ok=True), "a revision of the older day"
    assert np.isnan(latest[-1]), "a value stands for seven days"
    assert series.until(pd.Timestamp("2024-07-02")).frame["value"].tolist() == [1.0, 2.0]
