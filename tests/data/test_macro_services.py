"""Ken French's files, fed funds futures by contract, and a second source to compare with."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame, write_prices

from backtest.config import CrossCheck
from backtest.data.between import cross_check
from backtest.data.french.library import check_french, parse_french
from backtest.data.futures import check_futures, contracts_of, delivery_month, is_contract, settlements
from backtest.data.web import Transient
from backtest.errors import DataError

FILE = """This file was created by somebody from somewhere.
Missing data are indicated by -99.99 or -999.

  Average Value Weighted Returns -- Monthly
,SMALL LoBM,ME1 BM2,SMALL HiBM
202401,   -5.10,   1.25,   0.50
202402,    4.00,  -99.99,   2.00
202403,    3.00,   -0.75,   4.25

  Average Equal Weighted Returns -- Monthly
,SMALL LoBM,ME1 BM2,SMALL HiBM
202401,    9.99,   9.99,   9.99
"""


def zipped(text: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("file.csv", text)
    return data.getvalue()


def test_the_first_table_of_a_french_file_is_read_by_the_last_day_of_the_month() -> None:
    frame = parse_french(zipped(FILE), "x")
    assert list(frame.columns) == ["small_lobm", "me1_bm2", "small_hibm"]
    assert [f"{day:%Y-%m-%d}" for day in frame.index] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert frame["small_lobm"].tolist() == [-5.1, 4.0, 3.0]
    assert frame["me1_bm2"].isna().tolist() == [False, True, False]
    check_french("x", frame)


def test_a_daily_file_has_days() -> None:
    text = FILE.replace("202401,   -5", "20240102,   -5").replace("202402,    4", "20240103,    4")
    assert f"{parse_french(zipped(text.replace('202403,', '20240104,')), 'x').index[1]:%Y-%m-%d}" == "2024-01-03"


@pytest.mark.parametrize("data", [b"<html>", b"", zipped(FILE)[:200], zipped("no table here")])
def test_something_else_than_a_french_file_may_pass(data: bytes) -> None:
    with pytest.raises(Transient):
        parse_french(data, "x")


def damaged_zips() -> list[bytes]:
    """The file with one byte wrong, cut off, or locked with a password (a flag in both of its heads)."""
    whole, rng = bytearray(zipped(FILE)), np.random.default_rng(5)
    locked = bytearray(whole)
    for head in (b"PK\x03\x04", b"PK\x01\x02"):
        locked[whole.index(head) + (6 if head == b"PK\x03\x04" else 8)] |= 1
    damaged = [bytes(locked)]
    for place in rng.integers(0, len(whole), 150).tolist():
        one = bytearray(whole)
        one[place] ^= int(rng.integers(1, 256))
        damaged.append(bytes(one))
    return damaged + [bytes(whole[:length]) for length in range(0, len(whole), 17)]


def test_a_french_file_damaged_in_any_byte_is_read_right_or_refused() -> None:
    right, refused = parse_french(zipped(FILE), "x"), 0
    for data in damaged_zips():
        try:
            pd.testing.assert_frame_equal(parse_french(data, "x"), right)
        except (Transient, DataError):
            refused += 1
    assert refused > 100


def test_a_french_file_with_a_password_is_no_table() -> None:
    with pytest.raises(Transient):
        parse_french(damaged_zips()[0], "x")


def test_a_bomb_is_not_unpacked_beyond_what_a_table_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.data.french.library.LARGEST_BYTES", 1_000_000)
    bomb = zipped("0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="unpacks to more than 1 MB"):
        parse_french(bomb, "x")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def test_a_month_missing_or_a_return_that_cannot_be_is_refused() -> None:
    with pytest.raises(DataError, match="a month is missing after 2024-01"):
        check_french("x", parse_french(zipped(FILE.replace("202402,    4.00,  -99.99,   2.00\n", "")), "x"))
    with pytest.raises(DataError, match="a return beyond 200% on 2024-03-31"):
        check_french("x", parse_french(zipped(FILE.replace("4.25", "425")), "x"))


def test_contracts_are_named_as_yahoo_does() -> None:
    months = pd.Period("2024-11", freq="M"), pd.Period("2025-02", freq="M")
    assert contracts_of(*months) == ("ZQX24.CBT", "ZQZ24.CBT", "ZQF25.CBT", "ZQG25.CBT")
    assert str(delivery_month("ZQU24.CBT")) == "2024-09"
    assert str(delivery_month("ZQF89.CBT")) == "1989-01"
    assert not is_contract("QQQ")


def test_settlements_are_checked_and_written_as_the_folder_reader_wants_them() -> None:
    days = pd.bdate_range("2024-07-10", periods=3)
    frame = pd.DataFrame({"close": [94.8, 94.85, 94.86]}, days)
    check_futures("ZQU24.CBT", frame)
    table = settlements({"ZQV24.CBT": frame, "ZQU24.CBT": frame})
    assert list(table.columns) == ["date", "contract", "contract_month", "close"]
    assert table["contract"].tolist()[:3] == ["ZQU24", "ZQV24", "ZQU24"]
    for wrong, problem in ((frame * 0.01, "not between 75 and 101"), (frame.iloc[::-1], "go back")):
        with pytest.raises(DataError, match=problem):
            check_futures("ZQU24.CBT", wrong)
    with pytest.raises(DataError, match="prices after its month of delivery"):
        check_futures("ZQM24.CBT", frame)


def test_two_sources_that_agree_say_nothing_and_one_bad_day_is_named(tmp_path: Path) -> None:
    frame = clean_frame()
    rescaled = frame.assign(adj_close=frame["adj_close"] * 0.97)
    folder = write_prices(tmp_path / "second", QQQ=rescaled)
    assert cross_check({"QQQ": frame}, CrossCheck(folder=folder))[1] == ()
    day = frame.index[200]
    rescaled.loc[day, ["close", "adj_close"]] *= 1.02
    write_prices(folder, QQQ=rescaled.drop(frame.index[300]))
    table, notes = cross_check({"QQQ": frame, "IWM": frame}, CrossCheck(folder=folder))
    assert sorted({f"{d:%Y-%m-%d}" for d in table["date"]})[:2] == [f"{d:%Y-%m-%d}" for d in frame.index[200:202]]
    assert frame.index[300] in set(table["date"])
    assert notes[0].startswith("QQQ: the second source disagrees on ")
    assert notes[1] == "IWM: the second source has no such ticker; it was not compared."


def test_the_tolerance_is_the_configs(tmp_path: Path) -> None:
    frame = clean_frame()
    other = frame.copy()
    other.loc[frame.index[200], ["close", "adj_close"]] *= 1.003
    folder = write_prices(tmp_path, QQQ=other)
    assert cross_check({"QQQ": frame}, CrossCheck(folder=folder))[1] != ()
    assert cross_check({"QQQ": frame}, CrossCheck(folder=folder, tolerance=0.004))[1] == ()
