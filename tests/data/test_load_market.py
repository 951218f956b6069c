from __future__ import annotations

import dataclasses
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame, write_prices

from backtest.config import (
    AnnualRate,
    Config,
    CsvPrices,
    DataConfig,
    ExecutionConfig,
    SamplePrices,
    StrategyConfig,
    YahooPrices,
)
from backtest.data import content_hash, load_market
from backtest.data.calendar import sessions_around
from backtest.data.checks import check_prices
from backtest.errors import ConfigError, DataError, NetworkError
from backtest.market import POLICY_COLUMNS, PRICE_FRAMES, Market

START, LAST = date(2023, 6, 1), date(2024, 12, 31)
CLOSED = "2024-05-15"


def config_of(
    prices: CsvPrices | SamplePrices | YahooPrices, *, benchmarks: tuple[Any, ...] = ("QQQ",), **data: Any
) -> Config:
    return Config(
        name="x",
        data=DataConfig(prices=prices, **{"start": START, **data}),
        legs={"growth": {"QQQ": 1.0}, "small": {"IWM": 0.5, "IWN": 0.5}},
        strategy=StrategyConfig(name="x"),
        execution=ExecutionConfig(commission_bps=1.0, slippage_bps=4.0),
        benchmarks=benchmarks,
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """QQQ, IWM, IWN of 2023 and 2024; SPY begins earlier, KRE later, OLD ends earlier; IRX without one day."""
    path = write_prices(
        tmp_path_factory.mktemp("data") / "prices",
        QQQ=clean_frame(1), IWM=clean_frame(2), IWN=clean_frame(3),
        SPY=clean_frame(4, first=date(2022, 7, 1)), KRE=clean_frame(5, first=date(2023, 9, 1)),
        OLD=clean_frame(6, last=date(2024, 11, 29)),
    )  # fmt: skip
    days = [day for day in clean_frame().index if f"{day:%Y-%m-%d}" != "2023-10-09"]
    (path / "IRX.csv").write_text(
        "date,close\n" + "".join(f"{day:%Y-%m-%d},5.2\n" for day in days), encoding="utf-8", newline="\n"
    )
    return path


def load(folder: Path, *, extra_tickers: tuple[str, ...] = (), **changes: Any) -> Market:
    return load_market(config_of(CsvPrices(source="csv", folder=folder), **changes), extra_tickers=extra_tickers)


def refused(folder: Path, *, extra_tickers: tuple[str, ...] = (), **changes: Any) -> str:
    with pytest.raises((ConfigError, DataError)) as error:
        load(folder, extra_tickers=extra_tickers, **changes)
    return f"{error.value.exit_code} {error.value}"


def test_tickers_stand_legs_first_then_benchmarks_then_extras(folder: Path) -> None:
    market = load(folder, benchmarks=("SPY", "IWM"), extra_tickers=("KRE", "QQQ"))
    assert market.tickers == ("QQQ", "IWM", "IWN", "SPY", "KRE")


def test_total_return_prices_by_their_formula(folder: Path) -> None:
    market, frame = load(folder), clean_frame(2)
    assert (market.close["IWM"].to_numpy() == frame["adj_close"].to_numpy()).all()
    assert (market.open["IWM"].to_numpy() == ((frame["open"] * frame["adj_close"]) / frame["close"]).to_numpy()).all()
    assert (market.raw_open["IWM"].to_numpy() == frame["open"].to_numpy()).all()
    assert (market.raw_close["IWM"].to_numpy() == frame["close"].to_numpy()).all()
    assert (market.dividends["IWM"].to_numpy() == frame["dividends"].to_numpy()).all()


def test_a_dividend_is_earned_between_the_close_before_and_the_open_of_its_day(folder: Path) -> None:
    market, frame = load(folder), clean_frame(1)
    day = int(np.flatnonzero(frame["dividends"])[0])
    gain = market.open["QQQ"].iloc[day] / market.close["QQQ"].iloc[day - 1]
    reinvested = frame["open"].iloc[day] / (frame["close"].iloc[day - 1] - frame["dividends"].iloc[day])
    assert gain == pytest.approx(reinvested, rel=1e-12)


def test_history_before_the_start_is_there_to_warm_up_and_nan_before_a_tickers_first_session_only(folder: Path) -> None:
    market = load(folder, benchmarks=("SPY",), extra_tickers=("KRE",))
    assert market.sessions[0] == pd.Timestamp("2022-07-01")
    for ticker, first in (("SPY", "2022-07-01"), ("QQQ", "2023-01-03"), ("KRE", "2023-09-01")):
        for name in ("open", "close", "raw_open", "raw_close"):
            known = getattr(market, name)[ticker].notna()
            assert known.idxmax() == pd.Timestamp(first)
            assert known[known.idxmax() :].all()
    assert not market.dividends.isna().any(axis=None)
    assert not market.splits.isna().any(axis=None)


def test_every_frame_has_the_sessions_of_the_exchange(folder: Path) -> None:
    market = load(folder)
    for name in PRICE_FRAMES:
        assert getattr(market, name).index.equals(market.sessions)
        assert tuple(getattr(market, name).columns) == market.tickers
    inside = market.exchange_sessions[
        (market.exchange_sessions >= market.sessions[0]) & (market.exchange_sessions <= market.sessions[-1])
    ]
    assert market.sessions.equals(inside)
    assert market.exchange_sessions[-1] > pd.Timestamp("2025-12-30")


def test_the_market_ends_at_the_last_session_up_to_the_end(folder: Path) -> None:
    assert load(folder).sessions[-1] == pd.Timestamp("2024-12-31")
    assert load(folder, end=date(2024, 6, 30)).sessions[-1] == pd.Timestamp("2024-06-28")
    assert load(folder, end=date(2024, 11, 29), benchmarks=("OLD",)).sessions[-1] == pd.Timestamp("2024-11-29")


def test_an_end_gives_what_cutting_gives(folder: Path) -> None:
    cut, whole = load(folder, end=date(2024, 6, 28), tbill="irx"), load(folder, tbill="irx")
    assert content_hash(cut) == content_hash(whole.until(pd.Timestamp("2024-06-28")))


def test_nothing_after_the_end_is_looked_at(folder: Path, tmp_path: Path) -> None:
    faulty = clean_frame(2).drop(pd.Timestamp("2024-08-01"))
    write_prices(tmp_path, QQQ=clean_frame(1), IWM=faulty, IWN=clean_frame(3))
    assert load(tmp_path, end=date(2024, 6, 28)).sessions[-1] == pd.Timestamp("2024-06-28")
    assert "IWM: no row, though the exchange was open, on 2024-08-01" in refused(tmp_path)


def test_a_start_before_the_first_price_names_the_ticker_and_the_date(folder: Path) -> None:
    said = refused(folder, start=date(2022, 3, 1), benchmarks=("SPY", "KRE"))
    assert said == "2 data.start: found 2022-03-01, before the first price of SPY; expected 2022-07-01 or later"
    later = load(folder, start=date(2023, 3, 1), benchmarks=("SPY", "KRE")).notes[-1]
    assert later.startswith("KRE begins on 2023-09-01, after the test: no leg with it is held before, a benchmark of")
    assert load(folder, start=date(2023, 1, 1)).sessions[0] == pd.Timestamp("2023-01-03")  # the first session after it


def test_a_start_with_no_session_after_it_is_refused(folder: Path) -> None:
    expected = "expected a date with 3 sessions from it to the last, 2024-12-31"
    assert refused(folder, start=date(2024, 12, 31)) == f"2 data.start: found 2024-12-31, {expected}"


def test_an_end_after_the_last_price_is_refused_for_every_ticker(folder: Path) -> None:
    said = refused(folder, end=date(2025, 6, 30)).split("\n")
    assert len(said) == 3
    assert said[0] == (
        "3 QQQ: the last price is of 2024-12-31, before data.end (2025-06-30); "
        "bring it up to date or set data.end to 2024-12-31"
    )


def test_prices_that_end_on_different_sessions_are_not_cut_in_silence(folder: Path) -> None:
    assert refused(folder, benchmarks=("OLD",)) == (
        "3 prices end on different sessions: QQQ 2024-12-31, IWM 2024-12-31, IWN 2024-12-31, OLD 2024-11-29; "
        "set data.end to 2024-11-29 or bring the others up to date"
    )
    said = refused(folder, extra_tickers=("OLD",))
    assert said.startswith("3 OLD: the last price is of 2024-11-29, before that of QQQ (2024-12-31)")


def test_an_end_before_the_first_price_is_refused(folder: Path) -> None:
    said = refused(folder, start=date(2022, 1, 3), end=date(2022, 12, 30))
    assert said.startswith("3 QQQ: the first price is of 2023-01-03, after data.end (2022-12-30)")


def test_policy_decisions_are_those_known_by_the_last_session(folder: Path) -> None:
    policy = load(folder, end=date(2024, 9, 17)).policy
    assert tuple(policy.columns) == POLICY_COLUMNS
    assert policy["date"].iloc[0] == pd.Timestamp("1994-02-04")
    assert policy["date"].iloc[-1] == pd.Timestamp("2024-07-31")
    cut = load(folder, end=date(2024, 9, 18)).policy.iloc[-1]
    assert (cut["session"], cut["change_bps"]) == (pd.Timestamp("2024-09-18"), -50)
    sunday = policy[policy["date"] == pd.Timestamp("2020-03-15")].iloc[0]
    assert sunday["session"] == pd.Timestamp("2020-03-16")


def test_a_market_that_outlives_the_table_of_decisions_says_so(tmp_path: Path) -> None:
    span = {"first": date(2026, 1, 1), "last": date(2027, 3, 31)}
    write_prices(tmp_path, QQQ=clean_frame(1, **span), IWM=clean_frame(2, **span), IWN=clean_frame(3, **span))
    notes = load(tmp_path, start=date(2026, 6, 1)).notes
    assert any(note.startswith("The table of policy decisions ends on 2026-") for note in notes)


def test_a_tbill_rate_comes_with_its_name_source_and_note(folder: Path) -> None:
    market = load(folder, tbill="irx")
    assert market.tbill is not None
    assert market.tbill.index.equals(market.sessions)
    assert market.tbill.to_numpy() == pytest.approx(0.052)
    assert market.tbill_name == "13-week T-bill discount rate (^IRX)"
    assert market.notes == ("The T-bill rate had no value on 1 session; the last published one was used.",)
    assert [source.name for source in market.sources] == ["QQQ", "IWM", "IWN", "policy decisions", "IRX"]
    assert [source.carried_sessions for source in market.sources] == [0, 0, 0, 0, 1]
    assert load(folder, tbill="irx", start=date(2024, 1, 2)).notes == ()


def test_no_tbill_rate_and_a_constant_one(folder: Path) -> None:
    assert (load(folder).tbill, load(folder).tbill_name, load(folder).notes) == (None, "none", ())
    assert load(folder, tbill=AnnualRate(annual=0.02)).tbill_name == "a constant 2% a year"


def test_the_hash_is_of_the_content_and_not_of_its_place(folder: Path, tmp_path: Path) -> None:
    here = load(folder, tbill="irx")
    write_prices(tmp_path, QQQ=clean_frame(1), IWM=clean_frame(2), IWN=clean_frame(3))
    (tmp_path / "^IRX.csv").write_text(
        (folder / "IRX.csv").read_text(encoding="utf-8").replace("5.2", "5.20"), encoding="utf-8", newline="\n"
    )
    assert content_hash(load(tmp_path, tbill="irx")) == content_hash(here)
    assert content_hash(load(folder)) != content_hash(here)
    assert content_hash(load(folder, tbill="irx", benchmarks=("SPY",))) != content_hash(here)


@pytest.mark.parametrize("name", [*PRICE_FRAMES, "tbill", "policy"])
def test_the_hash_notices_the_last_bit_of_any_number(folder: Path, name: str) -> None:
    market = load(folder, tbill="irx")
    changed = getattr(market, name).copy()
    if name == "policy":
        changed.loc[7, "upper"] = np.nextafter(changed.loc[7, "upper"], 9.0)
    else:
        at = (100, 1) if changed.ndim == 2 else 100
        changed.iloc[at] = np.nextafter(changed.iloc[at], 9.0)
    assert content_hash(dataclasses.replace(market, **{name: changed})) != content_hash(market)


def test_the_hash_is_of_the_calendar_as_far_as_a_run_can_read_it(folder: Path) -> None:
    market = load(folder)
    after = market.exchange_sessions.searchsorted(market.sessions[-1]) + 1
    longer, other = market.exchange_sessions[: after + 9], market.exchange_sessions.delete(after)
    assert content_hash(dataclasses.replace(market, exchange_sessions=longer)) == content_hash(market)
    assert content_hash(dataclasses.replace(market, exchange_sessions=other)) != content_hash(market)


def test_the_hash_knows_tickers_and_takes_equal_numbers_for_equal(folder: Path) -> None:
    market = load(folder)
    renamed = {name: getattr(market, name).rename(columns={"IWN": "IJS"}) for name in PRICE_FRAMES}
    assert content_hash(dataclasses.replace(market, **renamed)) != content_hash(market)
    assert content_hash(dataclasses.replace(market, splits=-market.splits)) == content_hash(market)


def test_the_hash_does_not_depend_on_how_pandas_stores_a_date(folder: Path) -> None:
    market = load(folder)
    in_seconds = market.policy.assign(
        **{name: market.policy[name].astype("datetime64[s]") for name in ("announced_at", "date", "session")}
    )
    frames = {name: getattr(market, name).set_axis(market.sessions.as_unit("s"), axis=0) for name in PRICE_FRAMES}
    assert content_hash(dataclasses.replace(market, policy=in_seconds, **frames)) == content_hash(market)


def test_yahoo_is_not_asked_when_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BACKTEST_CACHE", str(tmp_path))
    with pytest.raises(NetworkError, match=r"yahoo/QQQ: there is no sound snapshot of it, and offline nothing is"):
        load_market(config_of(YahooPrices(source="yahoo")), offline=True)


def test_a_folder_needs_no_network(folder: Path) -> None:
    config = config_of(CsvPrices(source="csv", folder=folder))
    assert content_hash(load_market(config, offline=True)) == content_hash(load_market(config))


def test_the_sample_is_simulated_and_says_so() -> None:
    sample = pytest.importorskip("backtest.data.sample.prices")
    config = config_of(SamplePrices(source="sample"), start=date(2001, 7, 31), tbill="irx", benchmarks=("SPY",))
    market = load_market(config, offline=True)
    assert market.is_simulated
    assert market.notes == (sample.SAMPLE_NOTE,)
    assert market.tbill_name.startswith("simulated ")
    assert (f"{market.sessions[0]:%Y-%m-%d}", f"{market.sessions[-1]:%Y-%m-%d}") == ("2000-01-03", "2025-12-31")
    with pytest.raises(DataError, match="KREX"):
        load_market(config, extra_tickers=("KREX",))


def test_the_real_reference_market_loads_without_a_refusal(real_data: Path) -> None:
    prices = CsvPrices(source="csv", folder=real_data / "prices")
    config = config_of(prices, start=date(2001, 7, 31), end=date(2025, 12, 31), tbill="irx", benchmarks=("QQQ", "IWM"))
    parts = {name: getattr(config, name) for name in ("name", "data", "strategy", "execution", "benchmarks")}
    config = Config(**parts)
    market = load_market(config)
    assert market.tickers == ("IVW", "QQQ", "IWM", "IWN")
    period = market.until(pd.Timestamp("2024-07-16")).close[-6:]
    five_sessions = period.iloc[-1] / period.iloc[0] - 1
    assert five_sessions["IWM"] - five_sessions["QQQ"] == pytest.approx(0.1181, abs=5e-5)
    assert len(market.close[pd.Timestamp("2001-07-31") :]) == 6142
    assert market.notes == ("The T-bill rate had no value on 6 sessions; the last published one was used.",)


@pytest.fixture
def unknown_closure(folder: Path, tmp_path: Path) -> Path:
    """The folder as it would be had the exchange been closed on a day of which the calendar library knows nothing."""
    for path in folder.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(CLOSED)]
        (tmp_path / path.name).write_text("".join(kept), encoding="utf-8", newline="\n")
    return tmp_path


def test_a_session_that_no_ticker_has_is_told_once_with_the_library_that_expects_it(unknown_closure: Path) -> None:
    (line,) = refused(unknown_closure).removeprefix("3 ").splitlines()
    library = f"exchange_calendars {version('exchange_calendars')}"
    assert line.startswith(f"no ticker has a row on {CLOSED}, a session of the exchange for {library}: get the prices")
    assert line.endswith(f"state it: data.closed: [{CLOSED}]")


def test_a_closure_that_is_stated_is_no_session_and_the_report_says_so(folder: Path, unknown_closure: Path) -> None:
    market, known = load(unknown_closure, closed=(date.fromisoformat(CLOSED),)), load(folder)
    assert pd.Timestamp(CLOSED) in known.exchange_sessions
    assert market.exchange_sessions.equals(known.exchange_sessions.drop(pd.Timestamp(CLOSED)))
    assert len(market.sessions) == len(known.sessions) - 1
    assert f"The exchange is taken as closed on {CLOSED}, as data.closed says." in market.notes
    assert load(folder).exchange_sessions.equals(known.exchange_sessions), "stated for one load, not for the next"


def test_of_one_ticker_alone_both_may_be_wrong() -> None:
    frame = clean_frame().drop(pd.Timestamp(CLOSED))
    with pytest.raises(DataError, match=rf"{CLOSED}; get the prices again .* name the day in data\.closed$"):
        check_prices({"QQQ": frame}, sessions_around(frame.index[0], frame.index[-1]))


def test_a_day_that_one_ticker_has_is_no_closure(folder: Path, unknown_closure: Path) -> None:
    name = next(iter(sorted(path.name for path in folder.glob("QQQ.csv"))))
    (unknown_closure / name).write_bytes((folder / name).read_bytes())
    said = refused(unknown_closure)
    assert "no ticker has" not in said
    assert f"IWM: no row, though the exchange was open, on {CLOSED}" in said
    assert f"QQQ: a row, though the exchange was closed, on {CLOSED}" in refused(
        unknown_closure, closed=(date.fromisoformat(CLOSED),)
    )
