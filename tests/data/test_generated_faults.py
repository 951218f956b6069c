"""Generated faults in tables of prices and of macro numbers: each stops, is said, or changes no byte of the result.

A world of six years is written from the sample, a strategy reads all of it, and each file is damaged in a row, a
stretch, a column or as a whole. What no check can see, because the damaged table is one that could be true, is not
among the kinds: a rate or print that is wrong by a few points, a settlement that is missing, a yield dated a session
off when no other yield is beside it, the file of another fund when that fund is not in the market.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import load_config, run
from backtest.config import Config
from backtest.data.assemble import load_market
from backtest.data.calendar import sessions_around
from backtest.data.policy import load_policy_decisions
from backtest.data.sample.macro import sample_observed
from backtest.data.sample.prices import sample_prices
from backtest.data.sample.rates import sample_tbill
from backtest.errors import BacktestError
from strategies import REGISTRY

FIRST, LAST = "2014-01-02", "2019-12-31"
TICKERS = ("QQQ", "IVW", "IWM", "IWN")
EXCHANGE = sessions_around(pd.Timestamp("2000-01-03"), pd.Timestamp("2025-12-31"))

CONFIG = """
name: world
data: {{prices: {{source: csv, folder: {prices}}}, macro: {{folder: {macro}}}, start: 2014-06-02, tbill: irx}}
legs: {{growth: {{QQQ: 0.5, IVW: 0.5}}, small: {{IWM: 0.5, IWN: 0.5}}}}
strategy:
  name: rules
  params:
    hold:
      - leg: small
        when:
          score:
            - {{signal: lead, lookback_sessions: 21, above: 0.0}}
            - {{signal: yield, maturity: 10y, change_sessions: 20, below: 0.0}}
            - {{signal: cut_proxy, maturity: 2y, below: 0.3}}
            - {{signal: cool_cpi, below: -0.02}}
            - {{signal: implied_cut, meeting: 2, above: 0.1}}
            - {{signal: implied_cut, source: table, above: 0.5}}
            - {{signal: series, name: FEDFUNDS, change_sessions: 63, below: 0.01}}
          weights: [3, 1, 1, 1, 1, 1, 1]
          enter: 0.5
      - leg: growth
execution: {{commission_bps: 1, slippage_bps: 4, idle_cash: tbill}}
benchmarks: [QQQ]
"""


def write_world(folder: Path) -> dict[str, str]:
    """The texts of all files of the world, by their name in it."""
    texts = {}
    for ticker, frame in sample_prices(TICKERS, EXCHANGE).items():
        texts[f"prices/{ticker}.csv"] = frame.loc[FIRST:LAST].rename_axis("date").to_csv(lineterminator="\n")
    rates = {"IRX": sample_tbill(EXCHANGE)}
    for name in ("DGS2", "DGS10", "EFFR"):
        one = sample_observed(name)
        rates[name] = pd.Series(one.columns["value"], index=pd.DatetimeIndex(one.happened))
    rates["FEDFUNDS"] = rates["EFFR"].resample("MS").mean().round(2)
    for name, rate in rates.items():
        texts[f"macro/{name}.csv"] = (
            rate.loc[FIRST:LAST].rename("value").rename_axis("date").to_csv(lineterminator="\n")
        )
    one = sample_observed("cpi")
    table = pd.DataFrame({"release_date": one.known_at.astype("datetime64[D]").astype(str),
                          "reference_month": one.happened.astype("datetime64[M]").astype(str),
                          "core_mom_actual": one.columns["value"],
                          "core_mom_consensus": one.columns["consensus"]})  # fmt: skip
    texts["macro/cpi_releases.csv"] = _csv(table[table["release_date"].between(FIRST, LAST)])
    one = sample_observed("zq")
    contracts = one.columns["contract"].astype("datetime64[M]")
    table = pd.DataFrame({"date": one.happened.astype(str), "contract_month": contracts.astype(str),
                          "close": one.columns["value"]})  # fmt: skip
    kept = table["date"].between(FIRST, LAST)
    texts["macro/zq_daily.csv"] = _csv(table[kept].sort_values(["date", "contract_month"]))
    texts["macro/fedwatch_probabilities.csv"] = _probabilities()
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    (folder / "c.yaml").write_text(CONFIG.format(prices="prices", macro="macro"), encoding="utf-8", newline="\n")
    return texts


def _probabilities() -> str:
    table = load_policy_decisions()
    meetings = table.loc[table["scheduled"], "date"].to_numpy()
    rows = []
    for place, day in enumerate(EXCHANGE[(EXCHANGE >= FIRST) & (EXCHANGE <= LAST)]):
        meeting = pd.Timestamp(meetings[np.searchsorted(meetings, day.to_datetime64())])
        upper = float(table.loc[table["date"] <= day, "upper"].iloc[-1])
        cut = round(0.5 + 0.45 * np.sin(place / 40), 4)
        low = round(100 * upper) - 25
        rows += (
            [(day, meeting, max(low - 25, 0), cut), (day, meeting, low, 1 - cut)]
            if low >= 25
            else [(day, meeting, low, 1.0)]
        )
    return _csv(pd.DataFrame(rows, columns=["date", "meeting_date", "lower_bp", "prob"]))


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d", float_format="%.6g")


Damage = Callable[[list[str], int], list[str]]
"""The lines of a file, its header first, and the place of the damage -> what becomes of them."""


def cell(column: int, change: Callable[[str], str], length: int = 1) -> Damage:
    """The cells of a column changed, in `length` rows (0: all)."""

    def damage(lines: list[str], place: int) -> list[str]:
        begin, end = (1, len(lines)) if length == 0 else (place, min(place + length, len(lines)))
        found = list(lines)
        for row in range(begin, end):
            cells = found[row].split(",")
            cells[column] = change(cells[column])
            found[row] = ",".join(cells)
        return found

    return damage


def times(factor: float) -> Callable[[str], str]:
    return lambda text: f"{float(text) * factor:.10g}"


def to(text: str) -> Callable[[str], str]:
    return lambda _: text


DAY = pd.Timedelta(days=1)
FILE: dict[str, Damage] = {
    "empty": lambda lines, place: [""],
    "header alone": lambda lines, place: lines[:1],
    "a page": lambda lines, place: ["<html><body>503</body></html>"],
    "no header": lambda lines, place: lines[1:],
    "another header": lambda lines, place: ["x,y,z", *lines[1:]],
    "broken off in a cell": lambda lines, place: [*lines[:place], lines[place][:4]],
}
ROW: dict[str, Damage] = {
    "dropped": lambda lines, place: lines[:place] + lines[place + 1 :],
    "twice": lambda lines, place: [*lines[: place + 1], *lines[place:]],
    "before its neighbour": lambda lines, place: [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
    "too long": lambda lines, place: [*lines[:place], lines[place] + ",7", *lines[place + 1 :]],
    "another date's": cell(0, to("2031-01-01")),
    "a US date": cell(0, lambda day: f"{day[5:7]}/{day[8:10]}/{day[:4]}"),
    "no date": cell(0, to("")),
    "month 13": cell(0, lambda day: f"{day[:4]}-13-01"),
    "today": cell(0, to("today")),
}
RATE: dict[str, Damage] = {
    **FILE, **ROW,
    **{f"a day: {name}": cell(1, change) for name, change in {
        "x 100": times(100), "1e300": to("1e300"), "inf": to("inf"), "text": to("n.a."), "a comma": to("5,2"), "12": to("12.5"),  # noqa: E501
        "negative": to("-3.1"), "blank": to(""), "dot": to("."), "fraction": times(0.01)}.items()},
    **{f"a stretch: {name}": cell(1, change, 70) for name, change in {
        "fractions": times(0.01), "x 100": times(100), "negative": to("-2.5"), "blank": to("")}.items()},
    "a stretch: dropped": lambda lines, place: lines[:place] + lines[place + 70 :],
    **{f"all: {name}": cell(1, change, 0) for name, change in {
        "fractions": times(0.01), "x 100": times(100), "blank": to(""), "text": to("x")}.items()},
    "all: newest first": lambda lines, place: [lines[0], *lines[:0:-1]],
}  # fmt: skip
PRICE: dict[str, Damage] = {
    **FILE, **ROW,
    "a date is the day before": cell(0, lambda day: f"{pd.Timestamp(day) - DAY:%Y-%m-%d}"),
    **{f"{name} {kind}": cell(column, change) for column, name in ((1, "open"), (4, "close"), (5, "adj_close"))
       for kind, change in {"x 100": times(100), "x 10": times(10), "half more": times(1.6), "zero": to("0"), "negative": times(-1),  # noqa: E501
                            "blank": to(""), "text": to("x"), "inf": to("inf"), "a tenth off": times(1.1)}.items()},
    **{f"{name}: {kind} before": cell(column, change, 400) for column, name in ((4, "close"), (5, "adj_close"))
       for kind, change in {"twice": times(2), "a half": times(0.5)}.items()},
    "high below low": cell(2, to("1")), "split negative": cell(8, to("-2")), "dividend negative": cell(7, to("-1")),
    "all adj_close: text": cell(5, to("x"), 0), "all close in cents": cell(4, times(100), 0),
    "all open in cents": cell(1, times(100), 0), "all: newest first": lambda lines, place: [lines[0], *lines[:0:-1]],
    "all volume: blank": cell(6, to(""), 0), "all volume: text": cell(6, to("x"), 0),
    "all: a session early": lambda lines, place: [lines[0], *_shifted(lines, 1)],
    "all: a session late": lambda lines, place: [lines[0], *_shifted(lines, -1)],
    "opens are closes": lambda lines, place: [lines[0], *(_opened(line, line) for line in lines[1:])],
    "opens are closes before": lambda lines, place: [*lines[:2], *(_opened(b, a) for a, b in pairwise(lines[1:]))],
}  # fmt: skip
FUTURE: dict[str, Damage] = {
    **FILE, **{name: damage for name, damage in ROW.items() if name not in ("dropped", "another date's", "before its neighbour")},  # noqa: E501
    **{f"a row: {name}": cell(2, change) for name, change in {
        "zero": to("0"), "x 100": times(100), "a rate": lambda text: f"{100 - float(text):.3f}", "text": to("x"), "inf": to("inf"),  # noqa: E501
        "negative": times(-1), "a point off": lambda text: f"{float(text) - 1:.3f}"}.items()},
    **{f"a month: {name}": cell(1, to(name)) for name in ("201909", "20190900", "2019-13", "2019", "", "Sep 2019")},
    "a day of zeros": cell(2, to("0"), 14), "a day of rates": cell(2, lambda text: f"{100 - float(text):.3f}", 14),
    "all: rates": cell(2, lambda text: f"{100 - float(text):.3f}", 0), "all: fractions": cell(2, times(0.01), 0),
    "all: x 100": cell(2, times(100), 0), "twice, other price": lambda lines, place: [
        *lines[: place + 1], lines[place].rsplit(",", 1)[0] + ",97.5", *lines[place + 1 :]],
}  # fmt: skip
RELEASE: dict[str, Damage] = {
    **FILE, **{name: damage for name, damage in ROW.items() if name not in ("another date's", "before its neighbour")},
    **{f"actual: {name}": cell(2, change) for name, change in {
        "x 100": lambda text: f"{100 * float(text) + 30:.1f}", "text": to("x"), "inf": to("inf"), "a fraction": to("0.0021"),  # noqa: E501
        "12": to("12")}.items()},
    "all: fractions": cell(2, lambda text: f"{float(text) / 100 + 0.0001:.4f}", 0),
    **{f"month: {name}": cell(1, to(name)) for name in ("2019", "2019-13", "July 2019", "", "2019-07-15")},
    "released before its month": lambda lines, place: cell(0, to(lines[place].split(",")[1] + "-15"))(lines, place),
    "released a year late": cell(0, lambda day: f"{int(day[:4]) + 1}{day[4:]}"),
}  # fmt: skip
CHANCE: dict[str, Damage] = {
    **FILE, **{name: damage for name, damage in ROW.items() if name not in ("another date's", "before its neighbour")},
    **{f"prob: {name}": cell(3, change) for name, change in {
        "percent": times(100), "negative": to("-0.2"), "text": to("x"), "another": to("0.111")}.items()},
    **{f"bound: {name}": cell(2, change) for name, change in {"percent": to("1.75"), "odd": to("183"), "text": to("x")}.items()},  # noqa: E501
    "all: percent": cell(3, times(100), 0), "all bounds: percent": cell(2, times(0.01), 0),
}  # fmt: skip
TABLES: dict[str, tuple[dict[str, Damage], int]] = {
    "prices/IWM.csv": (PRICE, 701), "prices/QQQ.csv": (PRICE, 902), "prices/IWN.csv": (PRICE, 403),
    "macro/DGS2.csv": (RATE, 640), "macro/DGS10.csv": (RATE, 811), "macro/EFFR.csv": (RATE, 702), "macro/IRX.csv": (RATE, 903),  # noqa: E501
    "macro/FEDFUNDS.csv": (RATE, 40), "macro/zq_daily.csv": (FUTURE, 1 + 14 * 700), "macro/cpi_releases.csv": (RELEASE, 30),  # noqa: E501
    "macro/fedwatch_probabilities.csv": (CHANCE, 1501),
}  # fmt: skip
FAULTS = [(name, kind) for name, (kinds, _) in TABLES.items() for kind in kinds]


def _shifted(lines: list[str], by: int) -> Iterator[str]:
    rows = [line.split(",", 1) for line in lines[1:]]
    yield from (f"{a[0]},{b[1]}" if by > 0 else f"{b[0]},{a[1]}" for a, b in pairwise(rows))


def _opened(line: str, other: str) -> str:
    cells = line.split(",")
    return ",".join([cells[0], other.split(",")[4], *cells[2:]])


class World:
    """The folder, what a run of it gives, and what one of a damaged file becomes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts = write_world(folder)
        self.config: Config = load_config(folder / "c.yaml", strategies=REGISTRY)
        market = load_market(self.config)
        self.notes, self.bytes = set(market.notes), self.result()

    def result(self) -> bytes:
        found = run(self.config, REGISTRY)
        text = io.StringIO()
        found.equity.to_csv(text)
        found.trades.to_csv(text)
        return text.getvalue().encode()

    def outcome(self, name: str, kind: str) -> str:
        kinds, place = TABLES[name]
        lines = self.texts[name].splitlines()
        path = self.folder / name
        path.write_text("\n".join([*kinds[kind](lines, place), ""]), encoding="utf-8", newline="\n")
        try:
            market = load_market(self.config)
            if set(market.notes) - self.notes:
                return "said"
            return "harmless" if self.result() == self.bytes else "silent"
        except BacktestError as error:
            return "stops" if error.problems else "silent"
        finally:
            path.write_text(self.texts[name], encoding="utf-8", newline="\n")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def test_there_are_three_hundred_faults() -> None:
    assert len(FAULTS) >= 300


@pytest.mark.parametrize(("name", "kind"), FAULTS[::13])
def test_a_fault_is_never_silent(name: str, kind: str, world: World) -> None:
    assert world.outcome(name, kind) in ("stops", "said", "harmless")


@pytest.mark.slow
def test_no_fault_is_silent(world: World) -> None:
    found = {fault: world.outcome(*fault) for fault in FAULTS}
    counts = {one: list(found.values()).count(one) for one in ("stops", "said", "harmless", "silent")}
    assert [fault for fault, outcome in found.items() if outcome == "silent"] == [], counts
    assert counts["stops"] > 200
