"""What only another file shows: a session early or late, one file under two names, opens that are closes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.data.between import check_between, check_yields
from backtest.data.csv_folder import CsvFolder
from backtest.errors import DataError

DAYS = pd.bdate_range("2020-01-02", periods=700)


def funds() -> dict[str, pd.DataFrame]:
    """Four funds that move together by 0.8, and one that does not."""
    rng = np.random.default_rng(3)
    common = rng.normal(0, 0.01, len(DAYS))
    frames = {}
    for ticker, share in (("QQQ", 0.9), ("IVW", 0.9), ("IWM", 0.9), ("IWN", 0.9), ("BIL", 0.0)):
        close = 100 * np.exp(np.cumsum(share * common + 0.4 * rng.normal(0, 0.01, len(DAYS))))
        opening = close * np.exp(rng.normal(0, 0.003, len(DAYS)))
        frames[ticker] = pd.DataFrame({"open": opening, "high": close * 1.02, "low": close * 0.98, "close": close,
                                       "adj_close": close}, index=DAYS)  # fmt: skip
    return frames


def moved(frame: pd.DataFrame, sessions: int, begin: int = 0, end: int | None = None) -> pd.DataFrame:
    """Rows dated so many sessions earlier, in a part of the file."""
    values = frame.to_numpy().copy()
    part = slice(begin, end)
    values[part] = np.roll(values, -sessions, axis=0)[part]
    return pd.DataFrame(values, index=frame.index, columns=frame.columns)[5:-5]


def test_sound_files_have_nothing_between_them() -> None:
    assert check_between(funds()) == ()
    assert check_between({"QQQ": funds()["QQQ"]}) == ()


@pytest.mark.parametrize("part", [(0, None), (200, 420)])
def test_a_file_dated_a_session_off_is_refused(part: tuple[int, int | None]) -> None:
    frames = funds()
    early = {**frames, "IWM": moved(frames["IWM"], 1, *part), "IWN": moved(frames["IWN"], 1, *part)}
    with pytest.raises(DataError, match=r"IWM moves a session before QQQ, IVW in the half year"):
        check_between(early)
    with pytest.raises(DataError, match=r"QQQ moves a session before IWM in the half year"):
        check_between({**frames, "IWM": moved(frames["IWM"], -1, *part)})
    assert check_between({**frames, "BIL": moved(frames["BIL"], 1)}) == (), "nobody moves with it: this cannot be seen"


def test_one_file_under_two_names_is_refused() -> None:
    frames = funds()
    with pytest.raises(DataError, match=r"IWM and IWN have the same returns on 100% of their days"):
        check_between({**frames, "IWN": frames["IWM"] * 2.0})
    part = frames["IWN"].copy()
    part.iloc[300:600] = frames["IWM"].iloc[300:600] * 2.0
    with pytest.raises(
        DataError, match=r"IWM and IWN have the same returns on 100% of their days in the half year from"
    ):
        check_between({**frames, "IWN": part})


def test_opens_that_are_closes_are_said() -> None:
    frames = funds()
    same = frames["IWM"].assign(open=frames["IWM"]["close"])
    before = frames["QQQ"].assign(open=frames["QQQ"]["close"].shift(1).fillna(100.0))
    told = check_between({**frames, "IWM": same, "QQQ": before})
    assert [one.split(";")[0] for one in told] == [
        "QQQ: open is the close of the day before on nearly every day",
        "IWM: open is the close on nearly every day",
    ]


def test_real_files_give_no_alarm(real_data: Path) -> None:
    tickers = [path.stem for path in sorted((real_data / "prices").glob("*.csv"))]
    funds = [ticker for ticker in tickers if ticker not in ("IRX", "TNX", "VIX", "ZQ")]
    found = CsvFolder(real_data / "prices").prices(funds)
    assert check_between({ticker: one.values for ticker, one in found.items()}) == ()


@pytest.mark.parametrize(
    ("off", "says"), [(-1, r"DGS2 moves a session before (SPY, )?SHY"), (1, "SHY moves a session before DGS2")]
)
def test_a_yield_alone_is_held_against_the_funds(off: int, says: str, real_data: Path) -> None:
    found = CsvFolder(real_data / "prices").prices(["SPY", "SHY", "IWM"])
    funds = {ticker: one.values for ticker, one in found.items()}
    series = pd.read_csv(real_data / "macro" / "DGS2.csv", index_col="date", parse_dates=True)["value"].dropna()
    check_yields({"DGS2": series}, funds)
    with pytest.raises(DataError, match=says):
        check_yields({"DGS2": series.shift(off).dropna()}, funds)
    part = series.copy()
    part["2010":"2012"] = series.shift(off)["2010":"2012"]  # type: ignore[misc]
    with pytest.raises(DataError, match=says):
        check_yields({"DGS2": part}, funds)


def test_a_yield_dated_a_day_off_is_refused(real_data: Path) -> None:
    both = {name: pd.read_csv(real_data / "macro" / f"{name}.csv", index_col="date", parse_dates=True)["value"]
            for name in ("DGS2", "DGS10")}  # fmt: skip
    check_yields(both)
    early = both["DGS2"].shift(-1).dropna()
    with pytest.raises(DataError, match=r"DGS2 moves a session before DGS10"):
        check_yields({**both, "DGS2": early})
    part = both["DGS10"].copy()
    part.iloc[9000:9300] = both["DGS10"].iloc[8999:9299].to_numpy()
    with pytest.raises(DataError, match=r"DGS2 moves a session before DGS10"):
        check_yields({**both, "DGS10": part})
