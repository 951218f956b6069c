"""Which months and years are complete, and when a year is over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from backtest.metrics import Spans, calendar_of


def dates(*days: str) -> np.ndarray:
    return np.array(days, dtype="datetime64[D]")


def weekdays(first: str, last: str) -> np.ndarray:
    return pd.bdate_range(first, last).to_numpy().astype("datetime64[D]")


def spans(of: Spans, days: np.ndarray) -> list[tuple[str, str]]:
    return [(str(days[i]), str(days[j])) for i, j in zip(of.before, of.last, strict=True)]


def test_a_first_and_a_last_month_that_are_cut_off_do_not_count() -> None:
    days = weekdays("2024-01-10", "2024-04-15")
    months = spans(calendar_of(days).months, days)
    assert months == [("2024-01-31", "2024-02-29"), ("2024-02-29", "2024-03-29")]


def test_the_base_row_may_be_the_close_before_the_first_month() -> None:
    days = weekdays("2024-01-31", "2024-03-05")
    assert spans(calendar_of(days).months, days) == [("2024-01-31", "2024-02-29")]


def test_the_final_month_counts_when_none_of_its_weekdays_is_left() -> None:
    friday, sunday = weekdays("2024-04-30", "2024-05-31"), dates("2024-05-31", "2024-06-30")
    assert spans(calendar_of(friday).months, friday) == [("2024-04-30", "2024-05-31")]
    assert spans(calendar_of(friday[:-1]).months, friday) == []
    assert spans(calendar_of(sunday).months, sunday) == [("2024-05-31", "2024-06-30")]


def test_the_exchange_says_which_session_is_the_last() -> None:
    # Good Friday: the exchange's March 2024 ended on Thursday the 28th.
    exchange = weekdays("2024-01-02", "2024-06-28")
    exchange = exchange[exchange != np.datetime64("2024-03-29")]
    days = exchange[exchange <= np.datetime64("2024-03-28")]
    february = ("2024-01-31", "2024-02-29")
    assert spans(calendar_of(days).months, days) == [february]
    told = calendar_of(days, exchange_sessions=exchange)
    assert spans(told.months, days) == [february, ("2024-02-29", "2024-03-28")]


def test_a_month_whose_last_session_is_missing_is_not_complete() -> None:
    exchange = weekdays("2024-01-01", "2024-06-28")
    days = exchange[exchange != np.datetime64("2024-02-29")]
    told = calendar_of(days, exchange_sessions=exchange).months
    assert ("2024-03-29", "2024-04-30") in spans(told, days)
    assert not any("2024-02" in day for pair in spans(told, days) for day in pair)


def test_a_month_without_any_row_breaks_the_chain() -> None:
    days = dates("2024-01-31", "2024-02-29", "2024-04-30", "2024-05-31")
    assert spans(calendar_of(days).months, days) == [("2024-01-31", "2024-02-29"), ("2024-04-30", "2024-05-31")]


def test_a_year_needs_the_close_before_it_and_its_own() -> None:
    days = weekdays("2021-07-01", "2024-12-30")
    years = [("2021-12-31", "2022-12-30"), ("2022-12-30", "2023-12-29")]
    assert spans(calendar_of(days).calendar_years, days) == years
    days = np.append(days, np.datetime64("2024-12-31"))
    assert spans(calendar_of(days).calendar_years, days) == [*years, ("2023-12-29", "2024-12-31")]


@pytest.mark.parametrize(
    ("first", "last", "is_one_year"),
    [
        ("2001-07-31", "2002-07-31", True),
        ("2001-07-31", "2002-07-30", False),
        ("2024-02-29", "2025-02-28", True),
        ("2024-02-29", "2025-02-27", False),
        ("2023-02-28", "2024-02-28", True),
        ("2023-03-01", "2024-02-29", False),
        ("2024-01-01", "2024-01-01", False),
    ],
)
def test_a_year_is_over_on_its_anniversary(first: str, last: str, is_one_year: bool) -> None:
    days = dates(first, last) if first != last else dates(first)
    assert calendar_of(days).is_one_year is is_one_year


def test_years_count_from_the_base_row() -> None:
    assert calendar_of(dates("2001-07-31", "2025-12-31")).years == 8919 / 365.25
    assert calendar_of(dates("2001-07-31")).years == 0


def test_a_frame_index_and_plain_dates_are_the_same_calendar() -> None:
    index = pd.bdate_range("2020-01-01", "2023-12-29")
    frame, plain = calendar_of(index), calendar_of(index.to_numpy().astype("datetime64[D]"))
    assert frame.years == plain.years
    assert frame.months.last.tolist() == plain.months.last.tolist()
    assert len(frame.months) == 47


def test_dates_that_make_no_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one date"):
        calendar_of(dates())
    with pytest.raises(ValueError, match="sessions must increase"):
        calendar_of(dates("2024-01-03", "2024-01-02"))
    with pytest.raises(ValueError, match="exchange_sessions cover 2024-01-03 to 2024-01-03, the curve 2024-01-02"):
        calendar_of(dates("2024-01-02", "2024-01-03"), exchange_sessions=dates("2024-01-03"))
