"""Clocks: when each known id is known, what does not fit a file, moments of a file's own, and revisions."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import load_config, run
from backtest.config.models import AfterPeriod
from backtest.data.calendar import session_closes, sessions_around
from backtest.data.clocks import Clock, clock_of, frequency, known_at, known_series, moment, period_end
from backtest.data.macro import read_observed
from backtest.data.macro_source import load_series, with_sessions
from backtest.errors import ConfigError, DataError
from backtest.series import PointInTime
from strategies import REGISTRY

SESSIONS = sessions_around(pd.Timestamp("1994-01-03"), pd.Timestamp("2026-10-30"))
CLOSES = session_closes(SESSIONS[0], SESSIONS[-1])

PUBLISHED = {
    ("2024-09-11", "2024-09-11T15:00"): "IRX",
    ("2024-09-11", "2024-09-11T18:00"): "DGS1MO DGS3MO DGS6MO DGS1 DGS2 DGS3 DGS5 DGS7 DGS10 DGS20 DGS30 DFII5 DFII10 "
    "T5YIE T10YIE T10Y2Y T10Y3M DTB4WK DTB3 DTB6 VIXCLS",
    ("2024-10-11", "2024-10-15T09:00"): "EFFR DFF OBFR SOFR BAMLH0A0HYM2 BAMLC0A0CM",  # Columbus Day
    ("2024-09-11", "2024-09-12T16:15"): "DPRIME DAAA DBAA AAA10Y BAA10Y",
    ("2024-09-10", "2024-09-17T16:15"): "DTWEXBGS DEXUSEU DEXJPUS",
    ("2024-09-19", "2024-09-18T14:00"): "DFEDTARU DFEDTARL",
    ("1998-10-15", "1998-10-15T14:15"): "DFEDTAR",
    ("2024-09-07", "2024-09-12T08:30"): "ICSA",
    ("2024-09-07", "2024-09-19T08:30"): "CCSA",
    ("2024-09-06", "2024-09-11T08:30"): "NFCI ANFCI",
    ("2024-09-06", "2024-09-12T16:15"): "STLFSI4",
    ("2024-09-11", "2024-09-12T16:30"): "WALCL",
    ("2024-09-11", "2024-09-20T16:15"): "TOTBKCR",
    ("2024-09-12", "2024-09-12T12:00"): "MORTGAGE30US",
    ("2024-09-06", "2024-09-09T16:15"): "WGS10YR",
    ("2024-07-01", "2024-08-01T16:15"): "FEDFUNDS TB3MS GS3M GS1 GS2 GS5 GS10 AAA BAA",
    ("2024-07-01", "2024-08-01T10:00"): "UMCSENT",
    ("2024-07-01", "2024-08-09T08:30"): "UNRATE PAYEMS",
    ("2024-07-01", "2024-08-19T09:15"): "INDPRO TCU",
    ("2024-07-01", "2024-08-19T08:30"): "RSAFS",
    ("2024-07-01", "2024-08-21T08:30"): "HOUST PERMIT",
    ("2024-07-01", "2024-08-26T08:30"): "CPIAUCSL CPIAUCNS CPILFESL PPIACO",
    ("2024-07-01", "2024-08-28T16:30"): "M2SL",
    ("2024-07-01", "2024-09-05T08:30"): "PCEPI PCEPILFE",
    ("1991-04-01", "1992-12-31T16:00"): "USREC",  # the NBER named the trough of March 1991 on 1992-12-22
    ("2024-07-01", "2024-10-31T08:30"): "GDP GDPC1 GDPDEF",
    ("2024-07-01", "2024-10-01T14:00"): "DRTSCILM",
}
"""What is dated so was known then, counted by hand on the Federal Reserve's calendar."""


@pytest.mark.parametrize(("dated", "ids"), PUBLISHED.items(), ids=lambda one: str(one)[:28])
def test_each_known_id_is_known_when_it_is_published(dated: tuple[str, str], ids: str) -> None:
    day, expected = dated
    for name in ids.split():
        clock = known_series()[name].clock
        assert str(known_at([day], clock)[0]) == expected, name
        if clock.period == "target":
            continue
        for shift in (-1, 1):
            other = dataclasses.replace(clock, lag_business_days=clock.lag_business_days + shift)
            assert clock.lag_business_days + shift < 0 or known_at([day], other)[0] != known_at([day], clock)[0], name


def test_the_table_has_every_id_once_and_says_where_it_is_from() -> None:
    assert sorted(known_series()) == sorted(" ".join(PUBLISHED.values()).split())
    assert len(known_series()) >= 40
    assert all(len(one.published) > 20 and one.lowest < one.highest for one in known_series().values())


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (pd.bdate_range("2024-01-02", periods=40), "day"),
        (pd.date_range("2024-01-01", periods=40, freq="D"), "day"),
        (pd.date_range("2024-01-05", periods=20, freq="W-FRI"), "week_ending"),
        (pd.date_range("2024-01-01", periods=20, freq="W-MON"), "week"),
        (pd.date_range("2024-01-01", periods=20, freq="MS"), "month"),
        (pd.date_range("2024-01-31", periods=20, freq="BME"), "month"),
        (pd.date_range("2020-01-01", periods=9, freq="QS"), "quarter"),
        (pd.date_range("2000-12-31", periods=9, freq="YE"), "year"),
        (pd.DatetimeIndex(["2024-01-12", "2024-02-13", "2024-03-12", "2024-04-10"]), None),  # days of releases
        (pd.DatetimeIndex(["2024-01-01", "2024-02-01"]), None),
    ],
)
def test_the_frequency_of_a_file_is_found_from_its_dates(dates: pd.DatetimeIndex, found: str | None) -> None:
    assert frequency(dates.to_numpy()) == found


def test_a_period_ends_on_its_last_day() -> None:
    ends = {"day": "2024-02-05", "week": "2024-02-11", "week_ending": "2024-02-05", "month": "2024-02-29",
            "quarter": "2024-03-31", "year": "2024-12-31"}  # fmt: skip
    assert {name: str(period_end(["2024-02-05"], name)[0]) for name in ends} == ends


MONTHLY = "date,value\n" + "".join(f"2024-{month:02d}-01,5.{month:02d}\n" for month in range(1, 10))
QUARTERLY = "date,value\n" + "".join(
    f"{year}-{month:02d}-01,{year - 2000}\n" for year in (2022, 2023) for month in (1, 4, 7, 10)
)
WEEKLY = "date,value\n" + "".join(
    f"{day:%Y-%m-%d},1.{day:%d}\n" for day in pd.date_range("2024-01-05", periods=9, freq="W")
)
DAILY = "date,value\n" + "".join(f"{day:%Y-%m-%d},4.{day:%d}\n" for day in pd.bdate_range("2024-07-01", periods=9))


@pytest.mark.parametrize(
    ("name", "rows", "rule", "says"),
    [
        ("MY", MONTHLY, "next_business_day", "one value a month .*known: {after_period: month, lag_business_days: 5}"),
        ("MY", MONTHLY, "same_close", "use it before its month ends"),
        ("MY", QUARTERLY, "evening", "one value a quarter .* {after_period: quarter"),
        ("MY", QUARTERLY, ("month", 1), "one value a quarter, not one a month; expected .*after_period: quarter"),
        ("MY", MONTHLY, ("quarter", 1), "one value a month, not one a quarter"),
        ("MY", WEEKLY, "next_business_day", "one value a week .*after_period: week"),
        ("MY", DAILY, ("month", 1), "one value a day, not one a month; expected .*next_business_day"),
        ("FEDFUNDS", MONTHLY, "next_business_day", "after_period: month, lag_business_days: 1}, which is its own"),
        ("FEDFUNDS", MONTHLY, ("month", 0), "found 0 business days, but FEDFUNDS is known no sooner than 1"),
        ("DGS2", MONTHLY, None, "one value a month .*the daily file of DGS2"),  # monthly means under a daily name
        ("DFEDTARU", MONTHLY, None, "one value a month .*the daily file of DFEDTARU"),
        ("DGS2", DAILY[: DAILY.index("2024-07-02")] + DAILY[DAILY.index("2024-07-09") :], None, "lacks days"),
        ("MY", DAILY, None, "when its values are published is not known; give data.macro.series.MY.known"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_is_refused_with_the_one_that_does(
    name: str, rows: str, rule: Any, says: str, tmp_path: Path
) -> None:
    (tmp_path / f"{name}.csv").write_text(rows, encoding="utf-8", newline="\n")
    with pytest.raises(DataError, match=says) as told:
        read_observed(tmp_path, name, rule)
    assert len(told.value.problems) == 1


def usable(folder: Path, rows: str, rule: Any) -> list[tuple[str, float]]:
    (folder / "MY.csv").write_text(rows, encoding="utf-8", newline="\n")
    frame = with_sessions(read_observed(folder, "MY", rule), SESSIONS, CLOSES).frame
    return [(f"{session:%Y-%m-%d}", value) for session, value in zip(frame["session"], frame["value"], strict=True)]


def notes_of(folder: Path, rows: str, rule: Any) -> str:
    (folder / "MY.csv").write_text(rows, encoding="utf-8", newline="\n")
    read = load_series(("MY",), lambda name: read_observed(folder, name, rule), SESSIONS, CLOSES, SESSIONS[-1])
    return " ".join(read[2])


def test_a_month_spread_over_its_days_is_told(tmp_path: Path) -> None:
    days = pd.bdate_range("2020-01-01", "2023-12-29")
    monthly = [f"{day:%Y-%m-%d},{day.month + day.year / 100}" for day in days]
    mixed = [f"{day:%Y-%m-%d},{day.month + (day.day > 14) + day.year / 100}" for day in days]
    for rows, is_told in ((monthly, True), (mixed, False), (monthly[:400], False)):
        found = notes_of(tmp_path, "\n".join(["date,value", *rows]), "evening")
        assert ("MY: changes on the first row of a month alone." in found) == is_told


@pytest.mark.parametrize(("second", "told"), [("2024-02-05", ""), ("2024-03-05", ""), ("2034-02-05", "2024-01-01")])
def test_a_value_that_is_known_after_a_later_one_is_told(second: str, told: str, tmp_path: Path) -> None:
    known = ("2024-01-05", second, "2024-03-05", "2024-04-05")
    months = ("2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01")
    rows = [f"{month},{number},{moment}" for number, (month, moment) in enumerate(zip(months, known, strict=True))]
    found = notes_of(tmp_path, "\n".join(["date,value,known_at", *rows, "2023-12-01,9,2024-05-05"]), "column")
    assert ("one value is known only after one of a later date" in found) == bool(told)
    assert not told or f"the first is of {told}." in found


def test_a_month_is_known_after_it_has_ended(tmp_path: Path) -> None:
    assert usable(tmp_path, MONTHLY, ("month", 1))[-1] == ("2024-10-01", 5.09)
    assert usable(tmp_path, QUARTERLY, ("quarter", 2))[-1] == ("2024-01-03", 23.0)
    assert usable(tmp_path, WEEKLY, ("week", 0))[0] == (
        "2024-01-16",
        1.07,
    )  # Sunday the 7th to 13th, a holiday after it


@pytest.mark.parametrize(
    ("known", "session"),
    [
        ("2024-07-11", "2024-07-12"),  # a day alone: after the close
        ("2024-07-11 00:00:00", "2024-07-12"),  # midnight is how programs write a day
        ("2024-07-11T00:00:00+00:00", "2024-07-12"),
        ("2024-07-11T14:00-04:00", "2024-07-11"),
        ("2024-07-11T18:00Z", "2024-07-11"),
        ("2024-07-11T20:00+00:00", "2024-07-12"),  # 16:00 in New York is not before the close
        ("2024-07-11 08:30", "2024-07-11"),
        ("2024-07-12T01:00+02:00", "2024-07-12"),  # the evening before in New York
        ("2024-07-13", "2024-07-15"),
    ],
)
def test_a_moment_is_new_york_time_and_a_day_alone_is_after_the_close(
    known: str, session: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    assert usable(tmp_path, f"date,value,known_at\n2024-06-01,1.5,{known}\n", "column") == [(session, 1.5)]
    assert not recwarn.list


@pytest.mark.parametrize(
    "known",
    ["2024", "2024-07", "today", "now", "", "1720720800", "20240716", "07/16/2024", "2024-07-32", "NaT", "noon"],
)
def test_what_is_no_moment_is_refused_with_its_line(known: str, tmp_path: Path) -> None:
    assert moment(known) is None
    with pytest.raises(DataError, match=r"MY\.csv:2: known_at: found '.*', expected a day or a moment in ISO form"):
        usable(tmp_path, f"date,value,known_at\n2024-06-01,1.5,{known}\n", "column")


def test_nothing_is_known_before_it_happens(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MY\.csv:3: known_at: found 2024-07-01, before its date 2024-07-10"):
        usable(tmp_path, "date,value,known_at\n2024-06-10,1,2024-06-11\n2024-07-10,1,2024-07-01\n", "column")


REVISED = ("date,value,known_at\n2024-05-01,1.0,2024-06-12T08:30\n2024-06-01,2.0,2024-07-11T08:30\n"
           "2024-05-01,1.1,2024-07-11T08:30\n2024-06-01,2.5,2024-08-14T08:30\n")  # fmt: skip


def test_a_revision_replaces_the_first_print_from_when_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "MY.csv").write_text(REVISED, encoding="utf-8", newline="\n")
    observed = read_observed(tmp_path, "MY", "column", 120)
    series = with_sessions(observed, SESSIONS, CLOSES)
    days = pd.DatetimeIndex(["2024-06-11", "2024-06-12", "2024-07-10", "2024-07-11", "2024-08-13", "2024-08-14"])
    assert series.latest(days).tolist() == pytest.approx([np.nan, 1.0, 1.0, 2.0, 2.0, 2.5], nan_ok=True)
    for session in days:  # cut: what is known later changes nothing
        assert np.array_equal(
            series.until(session).latest(days[days <= session]), series.latest(days[days <= session]), equal_nan=True
        )
    assert "2 revisions" in observed.clock
    with pytest.raises(DataError, match=r"MY\.csv:6: the date 2024-05-01 stands twice with one known_at"):
        usable(tmp_path, REVISED + "2024-05-01,1.2,2024-07-11T08:30\n", "column")


def test_a_clock_of_the_config_is_taken_with_the_hour_of_the_id() -> None:
    assert clock_of("FEDFUNDS", ("month", 1), "x") == Clock("month", 1, 16 * 60 + 15)
    assert clock_of("FEDFUNDS", ("month", 2), "x") == Clock("month", 2, 9 * 60)
    assert clock_of("MY", ("month", 1), "x") == Clock("month", 1, 9 * 60)
    assert clock_of("DGS2", "same_close", "x") == Clock("day", 0, 18 * 60)


def funds_config(folder: Path, known: str, real_data: Path) -> Path:
    path = folder / "case.yaml"
    path.write_text(f"""
name: case
data:
  prices: {{source: csv, folder: {real_data / "prices"}}}
  macro: {{folder: {real_data / "macro"}, series: {{FEDFUNDS: {{{known}holds_days: 45}}}}}}
  start: 2002-08-01
  end: 2025-12-24
legs: {{growth: {{SPY: 1}}, small: {{SHY: 1}}}}
strategy:
  name: rules
  params:
    hold: [{{leg: small, when: {{signal: series, name: FEDFUNDS, change_sessions: 63, below: -0.15}}}}, {{leg: growth}}]
execution: {{commission_bps: 1, slippage_bps: 4}}
benchmarks: [SPY]
""", encoding="utf-8", newline="\n")  # fmt: skip
    return path


def test_the_funds_rate_of_a_month_earns_what_could_be_known(tmp_path: Path, real_data: Path) -> None:
    """15.1 % a year when each month's mean is used from its first days on."""
    for known in ("", "known: {after_period: month, lag_business_days: 1}, "):
        config = load_config(funds_config(tmp_path, known, real_data), strategies=REGISTRY)
        result = run(config, REGISTRY)
        assert round(result.metrics["final_equity_usd"]) == 1_681_249
        assert round(result.metrics["cagr"], 3) == 0.128
    with pytest.raises(DataError, match="would use it before its month ends"):
        run(load_config(funds_config(tmp_path, "known: next_business_day, ", real_data), strategies=REGISTRY), REGISTRY)


def test_an_hour_of_ones_own_decides_which_close_may_use_it(tmp_path: Path) -> None:
    """March 2024 is public on Tuesday, April 2: before 16:00 for that close, at 16:00 or later for the next."""
    (tmp_path / "MY.csv").write_text(MONTHLY, encoding="utf-8", newline="\n")
    for hour, session in (("09:00", "2024-04-02"), ("15:59", "2024-04-02"), ("16:00", "2024-04-03")):
        rule = AfterPeriod(after_period="month", lag_business_days=2, at=hour).rule
        frame = with_sessions(read_observed(tmp_path, "MY", rule), SESSIONS, CLOSES).frame
        assert str(frame["session"].iloc[2])[:10] == session


@pytest.mark.parametrize("hour", ["24:00", "9:00", '"16:60"', "noon", "16"])
def test_what_is_no_hour_is_refused_with_its_line(hour: str, tmp_path: Path) -> None:
    for name in ("prices", "macro"):
        (tmp_path / name).mkdir()
    known = f"known: {{after_period: month, lag_business_days: 1, at: {hour}}}, "
    with pytest.raises(ConfigError, match=r"case.yaml:\d+: data.macro.series.FEDFUNDS.known.at: found"):
        load_config(funds_config(tmp_path, known, tmp_path), strategies=REGISTRY)


def test_every_clock_is_the_same_on_a_cut_file(tmp_path: Path) -> None:
    """Rows that are not there yet change nothing of those that are: neither sessions nor values."""
    days = pd.date_range("2000-01-01", periods=240, freq="MS")
    rng = np.random.default_rng(5)
    rows = [
        f"{day:%Y-%m-%d},{value:.2f}"
        for day, value in zip(days, 5 + rng.normal(0, 0.2, 240).cumsum() * 0.1, strict=True)
    ]

    def read(count: int, noise: float = 0.0) -> PointInTime:
        kept = rows[:count] + (
            [f"{row.split(',')[0]},{float(row.split(',')[1]) + noise:.2f}" for row in rows[count:]] if noise else []
        )
        (tmp_path / "FEDFUNDS.csv").write_text("\n".join(["date,value", *kept, ""]), encoding="utf-8", newline="\n")
        return with_sessions(read_observed(tmp_path, "FEDFUNDS", None), SESSIONS, CLOSES)

    whole = read(240)
    for count in (24, 100, 181):
        last = whole.frame["session"].iloc[count - 1]
        known = SESSIONS[last >= SESSIONS]
        for other in (read(count), read(count, noise=0.3)):
            assert np.array_equal(other.until(last).latest(known), whole.until(last).latest(known), equal_nan=True)
