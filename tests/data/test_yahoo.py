from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.data import web
from backtest.data.fred import fetch_fred
from backtest.data.sources import PRICE_COLUMNS
from backtest.data.web import Patience, RateLimited, Transient
from backtest.data.yahoo import COLUMNS, as_prices, without_unfinished
from backtest.errors import DataError, NetworkError


def history(*days: str, zone: str = "America/New_York") -> pd.DataFrame:
    index = pd.DatetimeIndex([f"{day} 00:00" for day in days]).tz_localize(zone)
    return pd.DataFrame({name: np.arange(1, len(days) + 1) for name in COLUMNS}, index=index)


def at(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="America/New_York")


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
def test_an_answer_becomes_a_frame_of_the_exchanges_days(zone: str) -> None:
    answer = history("2024-07-15", "2024-07-16", zone=zone).assign(**{"Capital Gains": 0.0})
    prices = as_prices(answer, "QQQ")
    assert tuple(prices.columns) == PRICE_COLUMNS
    assert list(prices.index) == [pd.Timestamp("2024-07-15"), pd.Timestamp("2024-07-16")]
    assert set(prices.dtypes) == {np.dtype("float64")}


def test_an_answer_without_prices_or_columns_is_refused() -> None:
    with pytest.raises(DataError, match="QQQ: Yahoo's answer has no prices"):
        as_prices(history(), "QQQ")
    with pytest.raises(DataError, match="QQQ: Yahoo's answer has no column Adj Close"):
        as_prices(history("2024-07-16").drop(columns="Adj Close"), "QQQ")


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ("2024-07-03 11:00", 1),  # in the middle of the session
        ("2024-07-03 13:29", 1),  # a half day: closed at one, but not yet settled
        ("2024-07-03 13:30", 2),
        ("2024-07-02 20:00", 1),
        ("2024-07-04 11:00", 2),
        ("2026-01-01 00:00", 2),
    ],
)
def test_a_session_that_has_not_finished_is_no_day(now: str, kept: int) -> None:
    prices = as_prices(history("2024-07-02", "2024-07-03"), "QQQ")
    assert len(without_unfinished(prices, now=at(now))) == kept


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"observation_date,DGS10\n2024-07-15,5.2\n", "something else than this series"),
        (b"", "something else than this series"),
        (b"observation_date,DTB3\n2024-07-15,5", "the table is cut off"),
    ],
)
def test_fred_must_answer_with_the_whole_series(monkeypatch: pytest.MonkeyPatch, answer: bytes, problem: str) -> None:
    monkeypatch.setattr(web, "PACE", 0.0)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: io.BytesIO(answer))
    with pytest.raises(NetworkError, match=f"FRED DTB3: FRED did not answer properly .asked 3 times: {problem}"):
        fetch_fred("DTB3")


def test_a_fred_that_cannot_be_reached_is_a_network_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(web, "PACE", 0.0)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    with pytest.raises(NetworkError, match=r"FRED DTB3: .* could not be reached: timed out"):
        fetch_fred("DTB3")


def pauses_of(monkeypatch: pytest.MonkeyPatch, failure: Transient, patience: Patience) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    def fail() -> Any:
        raise failure

    with pytest.raises(NetworkError):
        patience.ask(fail, "QQQ", "Yahoo")
    return pauses


def test_pauses_double_and_have_a_random_part(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses_of(monkeypatch, RateLimited("x"), Patience(jitter=0.0)) == [2.0, 4.0, 8.0, 16.0]
    assert pauses_of(monkeypatch, Transient("x"), Patience(jitter=0.0)) == [1.0, 2.0]
    one, other = (pauses_of(monkeypatch, RateLimited("x"), Patience()) for _ in range(2))
    assert one != other
    assert all(low <= pause <= 1.25 * low for pause, low in zip(one, (2.0, 4.0, 8.0, 16.0), strict=True))


def test_one_budget_is_for_all_questions_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(jitter=0.0, budget_seconds=10.0)
    assert pauses_of(monkeypatch, RateLimited("x"), patience) == [2.0, 4.0]
    assert pauses_of(monkeypatch, RateLimited("x"), patience) == []
