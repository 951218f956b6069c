"""Price files as people have them: the same numbers in every layout, or a refusal that names the missing fact."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame

from backtest import load_config, market_from, run
from backtest.data.csv_folder import CsvFolder
from backtest.data.layouts import Stated
from backtest.data.sources import PRICE_COLUMNS
from backtest.errors import DataError
from strategies import REGISTRY

FRAMES = {ticker: clean_frame(seed).round(4) for seed, ticker in enumerate(("AAA", "BBB"), start=1)}
CENTS = {ticker: frame.assign(**{name: frame[name].round(2) for name in ("open", "high", "low", "close", "adj_close")})
         for ticker, frame in FRAMES.items()}  # fmt: skip
YAHOO = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "adj_close": "Adj Close", "volume": "Volume"}
TOTAL = {"open": "Open", "high": "High", "low": "Low", "adj_close": "Close", "volume": "Volume"}


def text(frame: pd.DataFrame, names: dict[str, str], day: str = "%Y-%m-%d", date: str = "Date", **form: object) -> str:
    table = frame[list(names)].rename(columns=names)
    bare = [day.replace("%-m", str(one.month)).replace("%-d", str(one.day)) for one in frame.index]  # not of Windows
    table.insert(0, date, [f"{one:{shape}}" for one, shape in zip(frame.index, bare, strict=True)])
    return str(table.to_csv(index=False, **form))


def total(frame: pd.DataFrame) -> pd.DataFrame:
    """All prices with dividends in them."""
    factor = (frame["adj_close"] / frame["close"]).to_numpy()[:, None]
    return frame.assign(
        **dict(zip(("open", "high", "low"), (frame[["open", "high", "low"]].to_numpy() * factor).T, strict=True))
    )


def commas(frame: pd.DataFrame) -> str:
    shown = frame.assign(volume=frame["volume"].map(lambda volume: f"{volume:,.0f}"))
    return text(shown, YAHOO)


def millions(frame: pd.DataFrame) -> str:
    shown = frame.assign(volume=(frame["volume"] / 1e6).map(lambda volume: f"{volume:.2f}M"), change="0.5%")
    names = {"close": "Price", "open": "Open", "high": "High", "low": "Low", "volume": "Vol.", "change": "Change %"}
    return text(shown[::-1], names, "%m/%d/%Y", quoting=1)


def dollars(frame: pd.DataFrame) -> str:
    names = {"close": "Close/Last", "volume": "Volume", "open": "Open", "high": "High", "low": "Low"}
    shown = frame.assign(
        **{name: frame[name].map(lambda price: f"${price:.2f}") for name in ("open", "high", "low", "close")}
    )
    return text(shown[::-1], names, "%m/%d/%Y")


def epoch(frame: pd.DataFrame, unit: int) -> str:
    moments = (
        (frame.index.tz_localize("America/New_York") + pd.Timedelta(hours=9.5)).tz_convert("UTC").tz_localize(None)
    )
    shown = frame.assign(time=moments.to_numpy().astype("datetime64[s]").astype(np.int64) * unit)
    return str(shown[["time", *YAHOO]].to_csv(index=False))


def download(frame: pd.DataFrame, ticker: str) -> str:
    rows = text(total(frame), {"adj_close": "Close", "high": "High", "low": "Low", "open": "Open", "volume": "Volume"})
    head = f"Price,Close,High,Low,Open,Volume\nTicker,{','.join([ticker] * 5)}\nDate,,,,,\n"
    return head + rows.split("\n", 1)[1]


HEAD, DATED = (f"{date},Open,High,Low,Close,Adj Close,Volume" for date in ("time", "Date"))
HOUSE = "date,open,high,low,close,adj_close,volume"


def french(frame: pd.DataFrame) -> str:
    """1 234,56 as Excel writes it in France."""
    shown = frame[list(YAHOO)].map(lambda value: f"{value:,.4f}".replace(",", "\N{NO-BREAK SPACE}").replace(".", ","))
    return text(shown, YAHOO, "%d/%m/%Y", sep=";")


Write = Callable[[pd.DataFrame, str], str | bytes]

WHOLE: dict[str, tuple[str, Write]] = {
    "Yahoo's page": ("{}.csv", lambda f, t: text(f, YAHOO)),
    "newest first": ("{}.csv", lambda f, t: text(f[::-1], YAHOO)),
    "US dates": ("{}.csv", lambda f, t: text(f, YAHOO, "%m/%d/%Y")),
    "US dates without zeros": ("{}.csv", lambda f, t: text(f, YAHOO, "%-m/%-d/%Y")),
    "Google's sheets": ("{}.csv", lambda f, t: text(f, YAHOO, "%-m/%-d/%Y 16:00:00")),
    "minutes": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y/%m/%d 16:00")),
    "half of the day": ("{}.csv", lambda f, t: text(f, YAHOO, "%m/%d/%Y 4:00 PM")),
    "German": ("{}.csv", lambda f, t: text(f, YAHOO, "%d.%m.%Y", "Datum", sep=";", decimal=",")),
    "compact dates": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y%m%d")),
    "written months": ("{}.csv", lambda f, t: text(f, YAHOO, "%b %d, %Y")),
    "tabs": ("{}.tsv", lambda f, t: text(f, YAHOO, sep="\t")),
    "bars": ("{}.txt", lambda f, t: text(f, YAHOO, sep="|")),
    "midnight in New York": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y-%m-%d 00:00:00-05:00")),
    "midnight in Greenwich": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y-%m-%dT00:00:00Z")),
    "the open in Greenwich": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y-%m-%dT14:30:00+00:00")),
    "seconds": ("{}.csv", lambda f, t: epoch(f, 1)),
    "milliseconds": ("{}.csv", lambda f, t: epoch(f, 1000)),
    "volumes with commas": ("{}.csv", lambda f, t: commas(f)),
    "small letters": ("{l}.csv", lambda f, t: text(f, YAHOO)),
    "TradingView's name": ("BATS_{}, 1D.csv", lambda f, t: text(f, YAHOO, date="time")),
    "gzip": ("{}.csv.gz", lambda f, t: gzip.compress(text(f, YAHOO).encode())),
    "line ends of old": ("{}.csv", lambda f, t: text(f, YAHOO).replace("\n", "\r").encode()),
    "line ends of Windows": ("{}.csv", lambda f, t: text(f, YAHOO).replace("\n", "\r\n").encode()),
    "UTF-16": ("{}.csv", lambda f, t: text(f, YAHOO, sep="\t").encode("utf-16")),
    "the house's headers and seconds": ("{}.csv", lambda f, t: epoch(f, 1).replace(HEAD, HOUSE, 1)),
    "the house's headers and compact dates": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y%m%d").replace(DATED, HOUSE, 1)),
    "the house's headers and slashes": ("{}.csv", lambda f, t: text(f, YAHOO, "%Y/%m/%d").replace(DATED, HOUSE, 1)),
    "the house's headers and written months": (
        "{}.csv",
        lambda f, t: text(f, YAHOO, "%b %d, %Y").replace(DATED, HOUSE, 1),
    ),
    "the house's headers, a morning of Tokyo's": (
        "{}.csv",
        lambda f, t: text(f.set_index(f.index + pd.Timedelta(days=1)), YAHOO, "%Y-%m-%dT05:00:00+09:00").replace(
            DATED, HOUSE, 1
        ),
    ),
    "thousands with a space that does not break": ("{}.csv", lambda f, t: french(f)),
    "dividends as well": ("{}.csv", lambda f, t: text(f, {**YAHOO, "dividends": "Dividends"})),
}
"""File name, and the table as bytes or text: everything that the house's layout has but the events."""


def folder_of(place: Path, name: str, write: Write, frames: dict[str, pd.DataFrame]) -> Path:
    place.mkdir()
    for ticker, frame in frames.items():
        content = write(frame, ticker)
        path = place / name.format(ticker, l=ticker.lower())
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


@pytest.mark.parametrize("layout", WHOLE)
def test_a_layout_has_the_numbers_of_the_houses_own(layout: str, tmp_path: Path) -> None:
    found = CsvFolder(folder_of(tmp_path / "p", *WHOLE[layout], FRAMES)).prices(list(FRAMES))
    for ticker, frame in FRAMES.items():
        values = found[ticker].values
        assert values.index.equals(frame.index), layout
        for name in ("open", "high", "low", "close", "adj_close", "volume"):
            assert (values[name].to_numpy() == frame[name].to_numpy()).all(), (layout, name)


ASKED: dict[str, tuple[str, Write, str]] = {
    "Stooq's page": ("{l}_us_d.csv", lambda f, t: text(total(f), TOTAL), "total_return"),
    "TradingView": ("{}.csv", lambda f, t: text(
        total(f), {k: v.lower() for k, v in TOTAL.items()}, date="time"), "total_return"),
    "split-adjusted": ("{}.csv", lambda f, t: text(f, {k: v for k, v in YAHOO.items() if k != "adj_close"} | {
        "dividends": "Dividend"}), "splits_only"),
}  # fmt: skip


@pytest.mark.parametrize("layout", ASKED)
def test_whether_dividends_are_in_a_close_is_asked_for(layout: str, tmp_path: Path) -> None:
    name, write, adjusted = ASKED[layout]
    folder = folder_of(tmp_path / "p", name, write, FRAMES)
    with pytest.raises(
        DataError, match=r"has a close and no adjusted one .*data\.prices\.adjusted: total_return"
    ) as told:
        CsvFolder(folder).prices(list(FRAMES))
    assert len(told.value.problems) == 2
    found = CsvFolder(folder, Stated(adjusted)).prices(list(FRAMES))  # type: ignore[arg-type]
    for ticker, frame in FRAMES.items():
        returns = found[ticker].values["adj_close"].pct_change().dropna()
        assert returns.to_numpy() == pytest.approx(frame["adj_close"].pct_change().dropna().to_numpy(), abs=2e-5)


@pytest.mark.parametrize("write", [lambda f, t: download(f, t), lambda f, t: text(
    total(f), {**TOTAL, "dividends": "Dividends", "splits": "Stock Splits"}, "%Y-%m-%d 00:00:00-05:00")])  # fmt: skip
def test_what_yfinance_writes_says_itself_that_dividends_are_in(write: Write, tmp_path: Path) -> None:
    found = CsvFolder(folder_of(tmp_path / "p", "{}.csv", write, FRAMES)).prices(list(FRAMES))
    for ticker, frame in FRAMES.items():
        assert found[ticker].is_total_return
        assert found[ticker].layout.startswith("yfinance")
        assert (found[ticker].values["close"].to_numpy() == frame["adj_close"].to_numpy()).all()
        assert (found[ticker].values["dividends"] == 0).all()


@pytest.mark.parametrize("write", [lambda f, t: millions(f), lambda f, t: dollars(f)])
def test_signs_of_money_and_of_millions(write: Write, tmp_path: Path) -> None:
    found = CsvFolder(folder_of(tmp_path / "p", "{}.csv", write, CENTS), Stated("total_return")).prices(list(CENTS))
    for ticker, frame in CENTS.items():
        assert (found[ticker].values["close"].to_numpy() == frame["close"].to_numpy()).all()
        assert found[ticker].values["volume"].to_numpy() == pytest.approx(frame["volume"].to_numpy(), abs=5001)


def test_one_file_of_many_tickers_long_and_wide(tmp_path: Path) -> None:
    long = pd.concat([frame.assign(ticker=ticker) for ticker, frame in FRAMES.items()]).sort_index(kind="stable")
    (tmp_path / "long").mkdir()
    (tmp_path / "long" / "prices.csv").write_text(
        text(long, {"ticker": "Symbol", **YAHOO}), encoding="utf-8", newline="\n"
    )
    wide = pd.DataFrame({ticker: frame["adj_close"] for ticker, frame in FRAMES.items()}).rename_axis("Date")
    wide.to_csv(tmp_path / "wide.csv")
    for place, stated in ((tmp_path / "long", Stated()), (tmp_path / "wide.csv", Stated("total_return"))):
        found = CsvFolder(place, stated).prices(["BBB", "AAA"])
        for ticker, frame in FRAMES.items():
            assert (found[ticker].values["adj_close"].to_numpy() == frame["adj_close"].to_numpy()).all()
        with pytest.raises(DataError, match=r"has no CCC\.csv"):
            CsvFolder(place, stated).prices(["CCC", "AAA"])
    assert "closes alone" in CsvFolder(tmp_path / "wide.csv", Stated("total_return")).prices(["AAA"])["AAA"].notes[0]


def test_headers_of_a_users_own_are_mapped(tmp_path: Path) -> None:
    names = {
        "close": "Kurs",
        "open": "Start",
        "high": "Max",
        "low": "Min",
        "volume": "Volume",
        "adj_close": "Bereinigt",
    }
    folder = folder_of(tmp_path / "p", "{}.csv", lambda f, t: text(f, names, date="Tag"), FRAMES)
    with pytest.raises(DataError, match=r"AAA\.csv:1: has no column date; found .*data\.prices\.columns"):
        CsvFolder(folder).prices(["AAA"])
    given = {"date": "Tag", **{name: header for name, header in names.items() if name != "volume"}}
    found = CsvFolder(folder, Stated(columns=given)).prices(["AAA"])["AAA"].values
    assert (found["adj_close"].to_numpy() == FRAMES["AAA"]["adj_close"].to_numpy()).all()
    with pytest.raises(DataError, match=r"data\.prices\.columns names nowhere, which the file does not have"):
        CsvFolder(folder, Stated(columns={**given, "open": "nowhere"})).prices(["AAA"])


def test_what_is_ambiguous_is_refused_unless_it_is_stated(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "p", "{}.csv", lambda f, t: text(f[f.index.day < 13], YAHOO, "%m/%d/%Y"), FRAMES)
    with pytest.raises(DataError, match=r"no day above 12 .*data\.prices\.dates"):
        CsvFolder(folder).prices(["AAA"])
    frame = FRAMES["AAA"][FRAMES["AAA"].index.day < 13]
    assert CsvFolder(folder, Stated(dates="month_first")).prices(["AAA"])["AAA"].values.index.equals(frame.index)
    with_a_13th = FRAMES["AAA"][FRAMES["AAA"].index.day < 14]
    folder_of(tmp_path / "q", "{}.csv", lambda f, t: text(f[f.index.day < 14], YAHOO, "%m/%d/%Y"), FRAMES)
    assert CsvFolder(tmp_path / "q").prices(["AAA"])["AAA"].values.index.equals(with_a_13th.index)
    (folder / "AAA.csv").write_text(
        "Date;Adj Close\n2024-07-16;1,234\n2024-07-17;1,240\n", encoding="utf-8", newline="\n"
    )
    with pytest.raises(DataError, match=r"found '1,234', which is a thousand .*data\.prices\.decimal"):
        CsvFolder(folder).prices(["AAA"])
    for decimal, value in (("comma", 1.234), ("point", 1234.0)):
        found = CsvFolder(folder, Stated(decimal=decimal)).prices(["AAA"])["AAA"].values  # type: ignore[arg-type]
        assert found["adj_close"].iloc[0] == value


def test_closes_on_the_tape_are_seen_at_the_split_and_taken_for_what_they_are(tmp_path: Path) -> None:
    frame = FRAMES["AAA"].copy()
    place = 300
    frame.iloc[place, frame.columns.get_loc("splits")] = 4.0
    tape = frame.copy()
    tape.loc[tape.index[:place], ["open", "high", "low", "close", "dividends"]] *= 4.0
    for one in (frame, tape):
        (tmp_path / "AAA.csv").write_text(
            text(one, {name: name for name in PRICE_COLUMNS}, date="date"), encoding="utf-8", newline="\n"
        )
        found = CsvFolder(tmp_path).prices(["AAA"])["AAA"]
        assert found.values["close"].to_numpy() == pytest.approx(frame["close"].to_numpy(), rel=1e-15)
        assert bool(found.notes) == (one is tape)
    alone = {name: name for name in PRICE_COLUMNS if name != "adj_close"}
    (tmp_path / "AAA.csv").write_text(text(tape, alone, date="date"), encoding="utf-8", newline="\n")
    found = CsvFolder(tmp_path, Stated("tape")).prices(["AAA"])["AAA"]
    assert found.values["close"].to_numpy() == pytest.approx(frame["close"].to_numpy(), rel=1e-15)
    assert found.values["adj_close"].pct_change().dropna().to_numpy() == pytest.approx(
        frame["adj_close"].pct_change().dropna().to_numpy(), abs=2e-5)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"date,close\r2024-07-16,x\r", "has a close|found 'x'"),
        (b'"' + b"x" * 200_000 + b'",close\n1,2\n', "no header of a table|found one column|has no column"),
        (b"\x1f\x8b broken", "no sound gzip file"),
        (b"one column\n1\n", "found one column"),
        (b"Date,Adj Close\n16/13/2024,1\n13/16/2024,2\n", "expected a day"),
        (b"Date,Adj Close\n2024-07-16,1\n2024-07-17,1O\n", "AAA.csv:3: adj_close: found '1O', expected a number"),
        (b"Date,Adj Close,Close,Close\n2024-07-16,1,1,1\n", "column close stands twice"),
        (b"\x00\x00\x00", "AAA.csv"),
        (b"Date,Adj Close\n2024-07-16,1,5\n", "AAA.csv:2: found 3 values, expected 2"),
    ],
)
def test_what_is_no_table_of_prices_is_one_error_and_never_a_traceback(
    content: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / "AAA.csv").write_bytes(content)
    with pytest.raises(DataError, match=says):
        CsvFolder(tmp_path).prices(["AAA"])


def test_a_market_from_dataframes_is_that_of_the_folder(tmp_path: Path) -> None:
    long = {ticker: clean_frame(seed) for seed, ticker in ((3, "QQQ"), (4, "IWM"))}
    house = {ticker: frame.reset_index(names="Date") for ticker, frame in long.items()}
    for frames in (long, house, {ticker: frame.rename(columns=str.title)[::-1] for ticker, frame in long.items()}):
        market = market_from(frames, tbill=0.02)
        assert (market.close.to_numpy() == np.column_stack([frame["adj_close"] for frame in long.values()])).all()
        assert market.tickers == ("QQQ", "IWM")
    both = pd.concat(long, axis=1)
    assert market_from(both).close.equals(market_from(long).close)
    wide = pd.DataFrame({ticker: frame["adj_close"] for ticker, frame in long.items()})
    with pytest.raises(DataError, match=r"market_from: QQQ: has a close and no adjusted one"):
        market_from(wide)
    assert market_from(wide, adjusted="total_return").close.equals(market_from(long).close)
    with pytest.raises(DataError, match="no row, though the exchange was open"):
        market_from({**long, "IWM": long["IWM"].drop(long["IWM"].index[50])})
    config = tmp_path / "c.yaml"
    config.write_text("""
name: c
data: {prices: {source: sample}, start: 2020-03-02}
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
strategy: {name: relative_momentum, params: {lookback_sessions: 21}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
""", encoding="utf-8", newline="\n")  # fmt: skip
    gap = pd.Series(1.0, index=pd.date_range("2019-01-01", periods=60, freq="MS"))
    market = market_from(long, series={"MY": gap}, known={"MY": ("month", 3)})
    assert "MY: monthly, known 3 business days after its month at 09:00" in " ".join(market.notes)
    assert run(load_config(config, strategies=REGISTRY), REGISTRY, market=market).metrics["trades"] > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.iloc[:0], "market_from: QQQ: found no rows, expected a DataFrame"),
        (lambda f: [1, 2], "market_from: QQQ: found list, expected a DataFrame"),
        (lambda f: f.reset_index(drop=True), "market_from: QQQ: its index begins with 0, expected days"),
        (lambda f: f.set_axis(f.index.strftime("%d/%m/%Y"), axis=0), "QQQ: its index begins with .*/.*, expected days"),
    ],
)
def test_frames_that_are_no_prices_by_day_are_refused(change: Callable[[pd.DataFrame], object], says: str) -> None:
    frame = clean_frame(3)
    with pytest.raises(DataError, match=says):
        market_from({"QQQ": change(frame), "IWM": clean_frame(4)})  # type: ignore[dict-item]


def test_an_index_of_days_may_have_a_zone_a_period_or_be_iso_text() -> None:
    frame = clean_frame(3)
    live = frame.index.tz_localize("UTC").to_list()
    live[-1] += pd.Timedelta(hours=19)  # a last row that is of this moment, as a service gives it
    for index in (pd.DatetimeIndex(live), frame.index.to_period("D"), frame.index.strftime("%Y-%m-%d")):
        assert market_from({"QQQ": frame.set_axis(index, axis=0)}).sessions.equals(market_from({"QQQ": frame}).sessions)


def test_what_a_market_lacks_or_cannot_be_is_one_line() -> None:
    with pytest.raises(DataError, match=r"found the columns open, .*, which are those of one ticker"):
        market_from(clean_frame(3))
    with pytest.raises(DataError, match=r"market_from: tbill: found 2, expected a yield as a fraction"):
        market_from({"QQQ": clean_frame(3)}, tbill=2.0)
    config = {"name": "c", "data": {"prices": {"source": "sample"}, "start": "2020-03-02"},
              "legs": {"growth": {"QQQ": 1}, "small": {"IWM": 1}},
              "strategy": {"name": "relative_momentum", "params": {"lookback_sessions": 21}},
              "execution": {"commission_bps": 1, "slippage_bps": 4}, "benchmarks": ["QQQ"]}  # fmt: skip
    with pytest.raises(DataError, match=r"market: has no prices of IWM; it has QQQ"):
        run(config, REGISTRY, market=market_from({"QQQ": clean_frame(3)}))
