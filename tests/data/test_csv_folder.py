from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.data.csv_folder import CsvFolder, prices_in
from backtest.data.layouts import Stated
from backtest.data.rates import read_rate
from backtest.data.sources import PRICE_COLUMNS
from backtest.errors import DataError

HEADER = "date,open,high,low,close,adj_close,volume,dividends,splits\n"
ROW = "2024-07-16,10,12,9,11,10.5,1000,0.25,2\n"


def read_prices(data: bytes, where: str) -> pd.DataFrame:
    """The frame of one ticker's file."""
    return prices_in(data, where, Stated(), ["X"])["X"].values


def prices_of(text: str | bytes) -> pd.DataFrame:
    return read_prices(text if isinstance(text, bytes) else text.encode(), "X.csv")


def problems_of(text: str | bytes) -> list[str]:
    with pytest.raises(DataError) as refused:
        prices_of(text)
    return list(refused.value.problems)


def only_row(text: str | bytes) -> dict[str, float]:
    frame = prices_of(text)
    assert list(frame.index) == [pd.Timestamp("2024-07-16")]
    assert frame.index.tz is None
    return {str(name): float(frame[name].iloc[0]) for name in frame.columns}


EXPECTED = dict(zip(PRICE_COLUMNS, (10.0, 12.0, 9.0, 11.0, 10.5, 1000.0, 0.25, 2.0), strict=True))


YFINANCE = """Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Capital Gains
2024-07-16 00:00:00-04:00,10,12,9,11,10.5,1000,0.25,2,0.0
"""


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW,
        (HEADER + ROW).upper(),
        "\ufeff" + HEADER + ROW,
        (HEADER + ROW).replace("\n", "\r\n"),
        HEADER + ROW.rstrip(),
        HEADER + ROW + "\n\n",
        YFINANCE,
        "close,splits,note,date,volume,low,high,open,dividends,adj_close\n11,2,hello,2024-07-16T00:00,1e3,9,12,10,.25,10.5\n",
        '"date","open","high","low","close","adj_close","volume","dividends","splits"\n' + ROW,
    ],
)
def test_one_session_however_it_is_written(text: str) -> None:
    assert only_row(text) == EXPECTED


def test_without_events_a_file_has_none() -> None:
    row = only_row("date,open,high,low,close,adj_close,volume\n2024-07-16,10,12,9,11,10.5,1000\n")
    assert (row["dividends"], row["splits"]) == (0.0, 0.0)
    assert only_row(HEADER + "2024-07-16,10,12,9,11,10.5,1000,,\n")["dividends"] == 0.0


def test_a_missing_price_stays_missing() -> None:
    assert np.isnan(only_row(HEADER + "2024-07-16,10,,9,11,10.5,1000,0,0\n")["high"])
    assert np.isnan(only_row(HEADER + "2024-07-16,10,12,9,11\n")["adj_close"])


def test_rows_keep_the_order_of_the_file() -> None:
    frame = prices_of(HEADER + ROW + ROW.replace("16", "15", 1) + ROW)
    assert [day.day for day in frame.index] == [16, 15, 16]


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=1, max_size=20))
def test_every_digit_of_a_number_counts(numbers: list[float]) -> None:
    rows = "".join(f"2024-07-16,{number!r},1,1,1,1,1,0,0\n" for number in numbers)
    assert prices_of(HEADER + rows)["open"].tolist() == numbers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER + ROW + "2024-07-17,10,n/a,9,11,10.5,1000,0,0\n", "X.csv:3: high: found 'n/a', expected a number"),
        (HEADER + ROW + "2024-07-17,10,NA,9,11,10.5,1000,0,0\n", "X.csv:3: high: found 'NA', expected a number"),
        (HEADER + ROW + '2024-07-17,10,"1,200",9,11,10.5,1000,0,0\n', "X.csv:3: high: found '1,200'"),
        (HEADER + ROW + "\n\n17.07.2024,10,12,9,11,10.5,1000,0,0\n", "X.csv:5: date: found '17.07.2024', expected"),
        (HEADER + "2024-7-16,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '2024-7-16'"),
        (HEADER + "2024-07,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '2024-07'"),
        (HEADER + "2024-02-30,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '2024-02-30'"),
        (HEADER + "20240-7-16,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '20240-7-16'"),
        (HEADER + "9999-12-31,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '9999-12-31'"),
        (HEADER + "2024-07-167,10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found '2024-07-167'"),
        (HEADER + ",10,12,9,11,10.5,1000,0,0\n", "X.csv:2: date: found ''"),
        (HEADER + ROW.replace("\n", ",5\n"), "X.csv:2: found 10 values, expected 9"),
        (HEADER + ROW + ROW.replace("\n", ",5\n"), "X.csv:3: found 10 values, expected 9"),
        (HEADER, "X.csv: found no rows"),
        ("", "X.csv: found no lines, expected a table"),
        ("<html>Down for maintenance</html>", "X.csv: found no rows below the header"),
        ("date,close\n2024-07-16,5\n", "X.csv: has a close and no adjusted one"),
        (HEADER.replace(",", ";"), "X.csv: found no rows below"),
        (HEADER.strip() + ",Close\n" + ROW, "X.csv:1: column close stands twice"),
        (b"date,close\n\xff\xfe\xfd,1\n", "X.csv: is not text in UTF-8"),
        (HEADER.encode() + b"2024-07-16,\xff\xfe,12,9,11,10.5,1000,0,0\n", "X.csv"),
    ],
)
def test_what_is_not_a_price_file_is_refused_with_its_line(text: str | bytes, problem: str) -> None:
    assert problems_of(text)[0].startswith(problem)


def test_the_first_faulty_lines_are_named_together() -> None:
    problems = problems_of(HEADER + "2024-07-16,x,12,9,11,10.5,1000,0,0\n" * 9)
    assert [line.split(": ")[0] for line in problems] == [f"X.csv:{n}" for n in range(2, 7)]


def test_a_folder_gives_tickers_in_the_order_asked_for_with_the_hash_of_the_file(tmp_path: Path) -> None:
    for ticker in ("QQQ", "NA", "TRUE"):
        (tmp_path / f"{ticker}.csv").write_text(HEADER + ROW, encoding="utf-8", newline="\n")
    fetched = CsvFolder(tmp_path).prices(["TRUE", "NA"])
    assert list(fetched) == ["TRUE", "NA"]
    assert fetched["NA"].sha256 == hashlib.sha256((HEADER + ROW).encode()).hexdigest()
    assert fetched["NA"].location == str(tmp_path / "NA.csv")
    assert tuple(fetched["NA"].values.columns) == PRICE_COLUMNS


def test_missing_files_are_all_named_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "IWM.csv").write_text(HEADER + ROW, encoding="utf-8", newline="\n")
    with pytest.raises(DataError) as refused:
        CsvFolder(tmp_path).prices(["IWMM", "SPY", "IWM"])
    assert list(refused.value.problems) == [
        f"{tmp_path}: has no IWMM.csv; did you mean IWM.csv?",
        f"{tmp_path}: has no SPY.csv; it has IWM.csv",
    ]


def test_no_ticker_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(HEADER + ROW, encoding="utf-8", newline="\n")
    inside = tmp_path / "prices"
    inside.mkdir()
    for ticker in ("../secret", str(tmp_path / "secret")):
        with pytest.raises(DataError, match="has no"):
            CsvFolder(inside).prices([ticker])


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: No such file or directory; expected a folder"):
        CsvFolder(tmp_path / "gone").prices(["QQQ"])


@pytest.mark.parametrize(
    "text",
    [
        "date,value\n2024-07-15,5.2\n2024-07-16,.\n2024-07-17,\n2024-07-18,5.25\n",
        "DATE,DTB3\n2024-07-15,5.2\n2024-07-18,5.25\n",
        "observation_date,DTB3\n2024-07-15,5.2\n2024-07-18,5.25\n",
        "Date,Open,High,Low,Close,Adj Close,Volume\n2024-07-15,5,6,5,5.2,5.1,0\n2024-07-18,5,6,5,5.25,5.1,0\n",
    ],
)
def test_a_rate_in_every_shape(text: str) -> None:
    rate = read_rate(text.encode(), "DTB3.csv", "DTB3")["value"]
    assert rate.to_dict() == {pd.Timestamp("2024-07-15"): 5.2, pd.Timestamp("2024-07-18"): 5.25}


def test_a_rate_that_is_another_one_is_refused() -> None:
    with pytest.raises(DataError, match="has no column value"):
        read_rate(b"observation_date,DGS10\n2024-07-15,5.2\n", "DTB3.csv", "DTB3")


def test_where_a_rate_is_looked_for(tmp_path: Path) -> None:
    folder = CsvFolder(tmp_path / "prices")
    folder.folder.mkdir()
    with pytest.raises(DataError, match=r"has no \^IRX.csv or IRX.csv for the T-bill rate, and neither has"):
        folder.rate("IRX")
    beside = tmp_path / "macro"
    beside.mkdir()
    for place, value in ((beside / "DTB3.csv", 1), (folder.folder / "IRX.csv", 2), (folder.folder / "^IRX.csv", 3)):
        place.write_text(f"date,close\n2024-07-15,{value}\n", encoding="utf-8", newline="\n")
        rate = folder.rate("DTB3" if value == 1 else "IRX")
        assert (rate.location, rate.values["value"].tolist()) == (str(place), [float(value)])
    (folder.folder / "DTB3.csv").write_text("date,value\n2024-07-15,4\n", encoding="utf-8", newline="\n")
    assert folder.rate("DTB3").values["value"].tolist() == [4.0]


def test_real_files_are_read_to_the_last_digit(real_data: Path) -> None:
    frame = CsvFolder(real_data / "prices").prices(["QQQ"])["QQQ"].values
    lines = (real_data / "prices" / "QQQ.csv").read_text(encoding="utf-8").splitlines()[1:]
    cells = np.array([[float(cell) for cell in line.split(",")[1:]] for line in lines])
    assert (frame.to_numpy() == cells).all()
    assert [f"{day:%Y-%m-%d}" for day in frame.index] == [line[:10] for line in lines]
