"""What the Federal Reserve did before 1994: each row held against what else is on record of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.policy import early_policy, policy_since_1953

AVERAGES = """
1953-01 1.88, 1954-02 1.79, 1954-04 1.63, 1955-04 1.63, 1955-08 1.97, 1955-09 2.18, 1955-11 2.36, 1956-04 2.65,
1956-08 2.81, 1957-08 3.15, 1957-11 3.23, 1958-01 2.94, 1958-03 2.35, 1958-04 2.03, 1958-09 1.91, 1958-11 2.40,
1959-03 2.92, 1959-05 3.05, 1959-09 3.83, 1960-06 3.65, 1960-08 3.18, 1963-07 3.24, 1964-11 3.62, 1965-12 4.42,
1967-04 4.10, 1967-11 4.18, 1968-03 4.66, 1968-04 5.20, 1968-08 5.48, 1968-12 5.36, 1969-04 5.95, 1970-11 5.85,
1970-12 5.52, 1971-01 5.23, 1971-02 4.91, 1971-07 4.88, 1971-11 4.90, 1971-12 4.63, 1973-01 4.77, 1973-02 5.05,
1973-05 5.90, 1973-06 6.33, 1973-07 6.98, 1973-08 7.29, 1974-04 7.60, 1974-12 7.81, 1975-01 7.40, 1975-02 6.82,
1975-03 6.40, 1975-05 6.12, 1976-01 5.79, 1976-11 5.43, 1977-08 5.27, 1977-10 5.80, 1978-01 6.37, 1978-05 6.84,
1978-07 7.23, 1978-08 7.43, 1978-09 7.83, 1978-10 8.26, 1979-07 9.69, 1979-08 10.24, 1979-09 10.70, 1979-10 11.77,
1980-02 12.52, 1980-05 12.94, 1980-06 11.40, 1980-07 10.87, 1980-09 10.17, 1980-11 11.47, 1980-12 12.87, 1981-05
13.87, 1981-11 13.03, 1981-12 12.10, 1982-07 11.81, 1982-08 10.68, 1982-10 9.68, 1982-11 9.35, 1982-12 8.73, 1984-04
8.87, 1984-11 8.83, 1984-12 8.37, 1985-05 7.81, 1986-03 7.10, 1986-04 6.83, 1986-07 6.16, 1986-08 5.82, 1987-09
5.95, 1988-08 6.37, 1989-02 6.59, 1990-12 6.79, 1991-04 5.98, 1991-09 5.20, 1991-11 4.58, 1991-12 4.11, 1992-07 3.02"""
"""The discount rate of New York in FRED's INTDSRUSM193N, the average of the days of each month in which it was not one
and the same. Its other months are steady.
"""


def test_each_step_of_the_early_record_leads_to_its_level() -> None:
    for instrument, first in (("discount_rate", 2.0), ("funds_target", 10.0)):
        table = early_policy(instrument)  # type: ignore[arg-type]
        assert table["level"].iloc[0] == first
        np.testing.assert_allclose(table["level"].diff()[1:] * 100, table["change_bps"][1:], atol=1e-9)
        assert table["date"].is_monotonic_increasing
        assert table["source"].str.len().min() > 3
    assert set(early_policy("discount_rate")["known"]) == {"announced"}
    assert set(early_policy("funds_target")["known"]) == {"reconstructed"}


def test_the_regimes_of_the_discount_rate_begin_when_the_literature_says() -> None:
    record = policy_since_1953()
    before = record[record["date"] < "1994"]
    turned = np.sign(before["change_bps"]).diff().fillna(0) != 0
    months = [f"{day:%Y-%m}" for day in before.loc[turned & (before["change_bps"] < 0), "date"]]
    assert months == ["1954-02", "1957-11", "1960-06", "1967-04", "1968-08", "1970-11", "1971-11", "1974-12",
                      "1980-05", "1981-11", "1984-11", "1990-12"]  # fmt: skip
    months = [f"{day:%Y-%m}" for day in before.loc[turned & (before["change_bps"] > 0), "date"]]
    assert months == ["1955-04", "1958-09", "1963-07", "1967-11", "1968-12", "1971-07", "1973-01", "1977-08",
                      "1980-09", "1984-04", "1987-09"]  # fmt: skip


def test_the_days_of_the_discount_rate_give_its_average_of_each_month() -> None:
    rate = early_policy("discount_rate").set_index("date")["level"]
    days = rate.reindex(pd.date_range(rate.index[0], "1993-12-31"), method="ffill")
    days = pd.concat([pd.Series(1.75, pd.date_range("1953-01-01", rate.index[0], inclusive="left")), days])
    months = days.groupby(days.index.to_period("M"))  # type: ignore[attr-defined]
    expected = {month: float(value) for month, value in (each.split() for each in AVERAGES.split(","))}
    found = months.mean()[months.max() > months.min()]
    assert [str(month) for month in found.index] == list(expected)
    np.testing.assert_allclose(found, list(expected.values()), atol=0.0101)  # published to two decimals, cut off or not


def test_the_target_before_1994_is_that_of_the_record_day_by_day(real_data: Path) -> None:
    target = early_policy("funds_target").set_index("date")["level"]
    record = pd.read_csv(real_data / "macro" / "DFEDTAR.csv", index_col="date", parse_dates=True)["value"][
        :"1993-12-31"
    ]
    changed = record[record.diff() != 0].index[1:]
    assert set(changed) <= set(target.index)
    ours = target.reindex(record.index, method="ffill")[target.index[0] :]
    np.testing.assert_array_equal(ours, record[target.index[0] :])


def test_the_funds_rate_went_the_way_of_the_discount_rate(real_data: Path) -> None:
    """Two months before each change to two months after it; of none can the funds rate say the day."""
    rate = early_policy("discount_rate").set_index("date")
    funds = pd.read_csv(real_data / "macro" / "FEDFUNDS.csv", index_col="date", parse_dates=True)["value"]
    funds.index = pd.DatetimeIndex(funds.index).to_period("M")
    known = rate[rate.index > "1954-09"]
    moved = [funds[day.to_period("M") + 2] - funds[day.to_period("M") - 2] for day in known.index]
    wrong = known.index[np.sign(moved) != np.sign(known["change_bps"])]
    assert [f"{day:%Y-%m-%d}" for day in wrong] == ["1975-05-16"]
    assert len(known) == 99
