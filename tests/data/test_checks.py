from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame

from backtest.data.calendar import sessions_around
from backtest.data.checks import CHECKS, check_prices, find_faults
from backtest.data.csv_folder import CsvFolder
from backtest.errors import DataError

SESSIONS = sessions_around(pd.Timestamp("2017-01-03"), pd.Timestamp("2024-12-31"))
PLACE = 300
DAY = clean_frame().index[PLACE]

Fault = Callable[[pd.DataFrame], pd.DataFrame]
Value = float | Callable[[pd.Series], pd.Series]


def with_values(columns: list[str], value: Value, *, rows: slice | None = None) -> Fault:
    def fault(frame: pd.DataFrame) -> pd.DataFrame:
        faulty = frame.copy()
        days = faulty.index[rows or slice(PLACE, PLACE + 1)]
        faulty.loc[days, columns] = value(faulty.loc[days, columns]) if callable(value) else value
        return faulty

    return fault


def shifted_to_saturday(frame: pd.DataFrame) -> pd.DataFrame:
    extra = frame.iloc[[3]].set_axis([pd.Timestamp("2023-01-07")])
    return pd.concat([frame.iloc[:4], extra, frame.iloc[4:]])


def with_swapped_prices(frame: pd.DataFrame) -> pd.DataFrame:
    faulty = frame.copy()
    faulty.loc[DAY, ["high", "low"]] = [frame.loc[DAY, "low"], frame.loc[DAY, "high"]]
    return faulty


def stale(frame: pd.DataFrame) -> pd.DataFrame:
    faulty = frame.copy()
    days = faulty.index[PLACE : PLACE + 5]
    for name in ("open", "high", "low", "close"):
        faulty.loc[days, name] = frame.loc[days[0], "close"]
    faulty["adj_close"] = faulty["close"] * (frame["adj_close"] / frame["close"])
    faulty.loc[days, "volume"] = 0.0
    return faulty


def carried(frame: pd.DataFrame) -> pd.DataFrame:
    faulty = stale(frame)
    faulty.loc[faulty.index[PLACE : PLACE + 5], "volume"] = 1000.0
    return faulty


def long_frame(payout: float = 0.004) -> pd.DataFrame:
    return clean_frame(first=date(2017, 1, 1), payout=payout)


def without_dividends_after(frame: pd.DataFrame, paid: int) -> pd.DataFrame:
    """The payer stops after so many payments, in the dividends and in the adjusted close alike."""
    last = frame.index[frame["dividends"] > 0.0][paid]
    factor = (frame["adj_close"] / frame["close"]).where(frame.index < last, 1.0)
    scale = (frame["adj_close"] / frame["close"])[last]
    factor = factor.where(frame.index >= last, factor / scale)
    return frame.assign(dividends=frame["dividends"].where(frame.index < last, 0.0), adj_close=frame["close"] * factor)


ALL = ["open", "high", "low", "close", "adj_close"]
FAULTS: dict[str, tuple[Fault, str]] = {
    "a session is missing": (lambda frame: frame.drop(DAY), "missing session"),
    "a week is missing": (lambda frame: frame.drop(frame.index[PLACE : PLACE + 5]), "missing session"),
    "a row on a Saturday": (shifted_to_saturday, "no session"),
    "a row twice": (lambda frame: frame.iloc[[*range(PLACE), PLACE - 1, *range(PLACE, len(frame))]], "duplicate"),
    "two rows swapped": (
        lambda frame: frame.iloc[[*range(PLACE), PLACE + 1, PLACE, *range(PLACE + 2, len(frame))]], "order",
    ),
    "a row without prices": (with_values([*ALL, "volume"], np.nan), "missing value"),
    "a close missing": (with_values(["close"], np.nan), "missing value"),
    "an infinite adjusted close": (with_values(["adj_close"], np.inf), "infinite"),
    "a zero price": (with_values(["low"], 0.0), "not positive"),
    "a negative price": (with_values(["close", "adj_close"], lambda p: -p), "not positive"),
    "a negative dividend": (with_values(["dividends"], -0.1), "negative event"),
    "high and low swapped": (with_swapped_prices, "high below low"),
    "prices times 100": (with_values(ALL, lambda p: p * 100, rows=slice(PLACE, PLACE + 3)), "jump"),
    "a split not worked in": (with_values(ALL, lambda p: p * 2, rows=slice(0, PLACE)), "jump"),
    "a 5:4 split not worked in": (with_values(ALL, lambda p: p * 1.25, rows=slice(0, PLACE)), "jump"),
    "an open times 100": (with_values(["open", "high"], lambda p: p * 100), "overnight jump"),
    "dividends not in the adjusted close": (lambda frame: frame.assign(adj_close=frame["close"]), "unadjusted"),
    "an open above the high": (with_values(["open"], lambda p: p * 1.1), "outside range"),
    "a dividend that is not in the adjusted close": (with_values(["dividends"], 0.5), "adjustment"),
    "five sessions without a trade": (stale, "stale"),
    "five rows carried forward": (carried, "copied"),
    "a payer's dividends stop": (lambda _: without_dividends_after(long_frame(), 12), "missing dividend"),
    "no dividend in eight years": (lambda _: long_frame(payout=0.0), "no dividend"),
    "a volume is missing": (with_values(["volume"], np.nan), "no volume"),
}  # fmt: skip


def found_in(frame: pd.DataFrame) -> list[str]:
    return [finding.check.name for finding in find_faults("X", frame, SESSIONS)]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    fault, check = FAULTS[name]
    assert check in found_in(fault(clean_frame()))


def test_every_check_has_a_planted_fault() -> None:
    assert {check for _, check in FAULTS.values()} == {check.name for check in CHECKS}


@pytest.mark.parametrize("name", [name for name, (_, check) in FAULTS.items() if check in ("order", "duplicate")])
def test_rows_out_of_place_do_not_raise_other_alarms(name: str) -> None:
    fault, check = FAULTS[name]
    assert found_in(fault(clean_frame())) == [check]


def test_a_file_that_runs_backwards_is_only_that() -> None:
    assert found_in(clean_frame().iloc[::-1]) == ["order"]


@pytest.mark.parametrize("seeds", [range(20), pytest.param(range(20, 200), marks=pytest.mark.slow)])
def test_clean_markets_raise_no_alarm(seeds: range) -> None:
    for seed in seeds:
        assert found_in(clean_frame(seed)) == []
    assert found_in(clean_frame(payout=0.0)) == []


def test_a_first_row_with_a_dividend_needs_no_adjustment() -> None:
    """The dividend of the first day went to whoever held before it."""
    frame = clean_frame(payout=0.0)
    frame.loc[frame.index[0], "dividends"] = 0.4
    assert found_in(frame) == []


def test_a_payer_of_almost_nothing_misses_nothing() -> None:
    """A bill fund that pays 0.004 USD a quarter on 100, and then nothing while rates are zero."""
    frame = without_dividends_after(long_frame(payout=0.00004), 12)
    assert found_in(frame) == []


def test_a_dividend_gap_counts_against_the_payers_own_rhythm() -> None:
    """A year between payments is nothing for who pays once a year, and neither are two quarters skipped."""
    yearly = long_frame(payout=0.0)
    yearly.loc[yearly.index[200::252], "dividends"] = 1e-9  # the adjusted close need not show it
    assert "missing dividend" not in found_in(yearly)
    skipped = long_frame()
    days = skipped.index[skipped["dividends"] > 0.0][12:14]
    skipped.loc[days, "dividends"] = 0.0
    assert "missing dividend" not in found_in(skipped)


def test_a_share_that_moves_more_is_believed_when_the_config_says_so() -> None:
    frame = FAULTS["a 5:4 split not worked in"][0](clean_frame())
    assert "jump" in [f.check.name for f in find_faults("X", frame, SESSIONS, 0.2)]
    assert "jump" not in [f.check.name for f in find_faults("X", frame, SESSIONS, 0.5)]
    message = next(f.line for f in find_faults("X", frame, SESSIONS) if f.check.name == "jump")
    assert "data.largest_daily_move: 0.5" in message


def test_rounding_is_no_fault() -> None:
    frame = clean_frame()
    frame["high"] = frame["close"].clip(lower=frame["open"]) * (1 - 1e-7)
    frame["low"] = frame["high"] * (1 + 1e-7)
    assert "high below low" not in found_in(frame)
    frame = clean_frame()
    frame["high"] = np.maximum(frame["open"], frame["close"]) * (1 - 1e-7)
    assert found_in(frame) == []


def test_all_faults_of_all_tickers_are_told_at_once_with_dates_and_remedy() -> None:
    holes = clean_frame().drop(clean_frame().index[10:17])
    frames = {"IWM": holes, "QQQ": clean_frame(), "IWN": FAULTS["a zero price"][0](clean_frame())}
    with pytest.raises(DataError) as refused:
        check_prices(frames, SESSIONS)
    listed = "2023-01-18, 2023-01-19, 2023-01-20, 2023-01-23, 2023-01-24, ... (7 in all)"
    assert list(refused.value.problems) == [
        f"IWM: no row, though the exchange was open, on {listed}; get the prices again or correct them",
        f"IWN: a price is zero or negative on {DAY:%Y-%m-%d}; get the prices again or correct them",
    ]


def test_what_does_not_stop_becomes_a_note() -> None:
    notes = check_prices({"IWM": stale(clean_frame())}, SESSIONS)
    assert len(notes) == 1
    assert notes[0].startswith("IWM: the same prices again and no volume on ")
    assert f"{clean_frame().index[PLACE + 1]:%Y-%m-%d}" in notes[0]


def test_three_still_sessions_are_no_stale_run() -> None:
    frame = stale(clean_frame())
    frame.loc[frame.index[PLACE + 4], "volume"] = 1.0
    assert found_in(frame) == []
    frame = carried(clean_frame())
    frame.loc[frame.index[PLACE + 4], "volume"] = 1.0
    assert found_in(frame) == []


NOT_FUNDS = ("IRX", "TNX", "VIX", "ZQ")


def test_seventeen_real_histories_pass(real_data: Path) -> None:
    """The one note is true: IJS, ten days old, had no trade from 2000-08-09 to 2000-08-15."""
    tickers = sorted({path.stem for path in (real_data / "prices").glob("*.csv")} - set(NOT_FUNDS))
    assert len(tickers) >= 17
    frames = {ticker: one.values for ticker, one in CsvFolder(real_data / "prices").prices(tickers).items()}
    sessions = sessions_around(pd.Timestamp("1993-01-29"), max(frame.index[-1] for frame in frames.values()))
    notes = check_prices(frames, sessions)
    assert [note.split(";")[0] for note in notes] == [
        "IJS: the same prices again and no volume on 2000-08-09, 2000-08-10, 2000-08-11, 2000-08-14, 2000-08-15"
    ]
