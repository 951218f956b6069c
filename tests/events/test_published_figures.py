"""Published and hand-made figures on real prices: windows after cuts, the drift before announcements, a century."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from french_files import century, real_tables, write_library
from real_data import find_real_data

from backtest.api import load_config
from backtest.config import config_from_text
from backtest.config.events import EventStudy, EventTerms
from backtest.events.cells import EventPrices
from backtest.events.study import Events, run_events
from backtest.registry import registry

DATA = find_real_data()
pytestmark = pytest.mark.skipif(DATA is None, reason="no real data: set BACKTEST_DATA")


@cache
def _asked(start: str, end: str, lists: tuple[str, ...], pairs: tuple[str, ...], windows: tuple[object, ...]) -> Events:
    assert DATA is not None
    text = f"""
name: real
data: {{prices: {{source: csv, folder: {DATA / "prices"}}}, start: {start}, end: {end}}}
legs: {{growth: {{SPY: 1}}, small: {{SPY: 1}}}}
strategy: {{name: static_mix}}
execution: {{commission_bps: 1, slippage_bps: 4}}
benchmarks: [SPY]
"""
    config = config_from_text(text, str(Path.cwd() / "real.yaml"), strategies=registry())
    terms = EventTerms(lists=lists, pairs=pairs, windows=windows)  # type: ignore[arg-type]
    return run_events(EventStudy("real", Path("real.yaml"), config, terms), offline=True)


def _cuts() -> Events:
    return _asked("2000-05-26", "2026-05-01", ("cuts", "first_cuts"), ("IWM-QQQ", "IWM-SPY", "IWN-IVW"),
                  (5, 21, 63, 126, 252))  # fmt: skip


AFTER_CUTS = {
    ("IWM-QQQ", 5): (-0.64, 35, -1.14, -0.01),
    ("IWM-QQQ", 21): (-0.31, 50, None, -0.06),
    ("IWM-QQQ", 63): (0.95, 53, 0.50, -0.28),
    ("IWM-QQQ", 126): (0.98, 59, 0.36, -0.86),
    ("IWM-QQQ", 252): (4.64, 61, 1.12, -3.29),
    ("IWN-IVW", 252): (4.39, 61, 1.15, -0.38),
    ("IWM-SPY", 252): (6.35, 77, 2.59, None),
}
"""Mean, share above 0, naive t, at any time. The last differ by the end of the data: August there, May 2026 here."""


@pytest.mark.parametrize(("pair", "window"), list(AFTER_CUTS))
def test_the_34_cuts_from_2001_to_2025(pair: str, window: int) -> None:
    mean, hit, t, any_time = AFTER_CUTS[pair, window]
    events = _cuts()
    cell = events.cell("cuts", pair, (0, window))
    assert len(cell.events) == 34
    assert cell.sample.mean is not None
    assert 100 * cell.sample.mean == pytest.approx(mean, abs=0.03)
    assert 100 * (cell.sample.hit or 0.0) == pytest.approx(hit, abs=1.6)
    if t is not None:
        assert cell.t_naive == pytest.approx(t, abs=0.01)
    if any_time is not None:
        assert 100 * (cell.unconditional or 0.0) == pytest.approx(any_time, abs=0.35)


def test_of_cuts_whose_windows_do_not_overlap_28_16_11_and_6_are_left() -> None:
    events = _cuts()
    assert [events.cell("cuts", "IWM-QQQ", (0, w)).n_apart for w in (21, 63, 126, 252)] == [28, 16, 11, 6]
    assert len(events.cell("cuts", "IWM-QQQ", (0, 252)).sample.values) == 31


def test_a_naive_t_of_2_6_is_0_7_where_windows_do_not_overlap_and_the_placebo_is_at_7_percent() -> None:
    cell = _cuts().cell("cuts", "IWM-SPY", (0, 252))
    assert cell.t_naive == pytest.approx(2.59, abs=0.01)
    assert cell.t_apart == pytest.approx(0.74, abs=0.01)
    assert cell.placebo.p == pytest.approx(0.059, abs=0.003)
    assert cell.t_calendar == pytest.approx(1.82, abs=0.1)
    assert cell.p_search is not None
    assert cell.p_search > 0.05


def test_the_published_placebo_of_7_percent_moves_the_mean_of_whole_windows() -> None:
    """Ours counts each session once and divides by its own error: 6 % of the same places do as well."""
    events = _cuts()
    cell, prices = (
        events.cell("cuts", "IWM-SPY", (0, 252)),
        EventPrices.of(events.market, events.start, events.pairs[1]),
    )
    whole = prices.gains(252)[0][prices.first - 1 + 252 :]
    rows = cell.sample.rows - (prices.first - 1)
    moved = np.array([whole[(rows + shift) % len(whole)].mean() for shift in range(len(whole))])
    assert moved[0] == pytest.approx(cell.sample.mean)
    assert (moved >= moved[0]).mean() == pytest.approx(0.073, abs=0.002)


FIRST_CUTS = {
    "2001-01-03": (4.7, 33.8, 32.4, 37.2),
    "2007-09-18": (-4.7, -7.5, -1.7, 4.5),
    "2019-07-31": (-3.1, -2.3, -11.5, -41.4),
    "2024-09-18": (-1.0, -7.8, -8.6, -15.6),
}


def test_the_first_cuts_one_by_one() -> None:
    events = _cuts()
    for place, (day, expected) in enumerate(FIRST_CUTS.items()):
        cells = [events.cell("first_cuts", "IWM-QQQ", (0, window)) for window in (21, 63, 126, 252)]
        assert f"{events.market.sessions[cells[0].sample.rows[place]]:%Y-%m-%d}" == day
        assert [100 * cell.sample.values[place] for cell in cells] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("start", "end", "n", "mean_bps", "t"),
    [("1994-09-01", "2011-03-31", 133, 35.1, 3.5), ("2011-04-01", "2026-05-01", 120, 15.0, 1.4)],
)
def test_the_drift_into_scheduled_announcements(start: str, end: str, n: int, mean_bps: float, t: float) -> None:
    cell = _asked(start, end, ("meetings",), ("SPY",), ((-1, 0),)).cell("meetings", "SPY", (-1, 0))
    assert len(cell.sample.values) == n
    assert 1e4 * (cell.sample.mean or 0.0) == pytest.approx(mean_bps, abs=3.0)
    assert cell.t_naive == pytest.approx(t, abs=0.1)
    assert cell.is_trial  # their days are published in advance


BY_FUNDS_RATE = {
    "1957-11": (7.3, 11.2, 25.4, 36.7), "1960-06": (4.0, -1.2, 12.8, 11.8), "1966-11": (12.6, 15.3, 30.8, 110.5),
    "1970-02": (0.6, 3.4, 12.5, 1.4), "1974-07": (-1.2, 9.2, 19.9, 49.3), "1980-05": (0.7, -12.2, 14.1, 36.4),
    "1981-06": (0.8, 0.9, 13.4, 46.2), "1982-07": (-1.0, 4.2, 36.2, 51.3), "1984-09": (1.3, 3.7, 8.5, 9.8),
    "1987-11": (1.7, 12.8, 14.4, -3.2), "1989-06": (-7.4, -17.4, -29.9, -43.0), "1995-07": (-3.2, -5.2, 0.3, -5.0),
    "1998-09": (-13.1, -29.7, -19.5, -12.2), "2001-01": (14.4, 26.3, 37.5, 42.1), "2007-09": (-8.1, -6.5, 3.0, -2.0),
    "2019-07": (-4.2, -13.9, -46.0, -27.0),
}  # fmt: skip
"""Small value less large growth over 3, 6, 12 and 24 months after a first cut of the funds rate, points."""


@cache
def _century() -> Events:
    """The real six portfolios by month, and the first cuts as days of one's own."""
    assert DATA is not None
    with TemporaryDirectory() as folder:
        library = write_library(Path(folder), real_tables(DATA))
        config = load_config(century(library, data={"start": "1955-01-31", "end": "2024-08-30"}))
        dates = {"first": tuple(pd.Period(month).to_timestamp().date() for month in BY_FUNDS_RATE)}
        terms = EventTerms(dates=dates, pairs=("small-growth",))
        return run_events(EventStudy("century", Path("c.yaml"), config, terms))


@pytest.mark.parametrize("place", range(len(BY_FUNDS_RATE)))
def test_the_16_first_cuts_since_1957_each_within_a_fifth_of_a_point(place: int) -> None:
    """All 64 cells; the windows of a monthly market without a word about them are 3, 6, 12 and 24 months."""
    events, (month, expected) = _century(), list(BY_FUNDS_RATE.items())[place]
    cells = [events.cell("first", "small-growth", (0, months)) for months in (3, 6, 12, 24)]
    assert f"{events.market.sessions[cells[0].sample.rows[place]]:%Y-%m}" == month
    assert [100 * cell.sample.values[place] for cell in cells] == pytest.approx(expected, abs=0.2)


def test_a_year_after_16_first_cuts_the_mean_is_8_4_where_5_4_is_usual() -> None:
    cell = _century().cell("first", "small-growth", (0, 12))
    assert 100 * (cell.sample.mean or 0.0) == pytest.approx(8.36, abs=0.1)
    assert 100 * (cell.sample.median or 0.0) == pytest.approx(13.1, abs=0.1)
    assert cell.t_naive == pytest.approx(1.45, abs=0.02)
    assert cell.sample.hit == pytest.approx(13 / 16)
    assert 100 * (cell.unconditional or 0.0) == pytest.approx(5.37, abs=0.5)
