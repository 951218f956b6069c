"""The easing cycles: where each begins, what came after it, and what was not knowable at the cut."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from french_files import LEGS, century, real_tables
from real_data import find_real_data

from backtest.api import load_config, run
from backtest.cli import main
from backtest.data import load_market
from backtest.events.cycles import HORIZONS, easing_cycles, summary
from backtest.market import Market
from backtest.pages.cycles import cycle_view

REAL = find_real_data()
SMALL, GROWTH = LEGS["small"], LEGS["growth"]
BEGINNINGS = [
    "1954-02-05", "1957-11-15", "1960-06-10", "1967-04-07", "1968-08-30", "1970-11-13", "1971-11-19", "1974-12-09",
    "1980-05-30", "1981-11-02", "1984-11-21", "1990-12-19", "1995-07-06", "1998-09-29", "2001-01-03", "2007-09-18",
    "2019-07-31", "2024-09-18",
]  # fmt: skip
IN_RECESSION = {
    "1954-02-05", "1957-11-15", "1960-06-10", "1970-11-13", "1974-12-09", "1980-05-30", "1981-11-02", "1990-12-19",
    "2001-01-03", "2007-09-18", "2019-07-31",
}  # fmt: skip


@pytest.fixture(scope="module")
def market(french_folder: Path) -> Market:
    return load_market(load_config(century(french_folder)))


def test_there_are_eighteen_cycles_since_1954(market: Market) -> None:
    cycles = easing_cycles(market, SMALL, GROWTH, first=pd.Timestamp("1954-01-01"))
    assert [f"{each.first_cut:%Y-%m-%d}" for each in cycles] == BEGINNINGS
    assert {f"{each.first_cut:%Y-%m-%d}" for each in cycles if each.recession} == IN_RECESSION
    told = {f"{each.first_cut:%Y}": each.recession_known for each in cycles}
    assert told["2007"] == "2008-12-01"  # more than a year after the cut
    assert told["1957"] == ""  # the NBER announced nothing then


def test_the_sizes_are_those_of_the_record(market: Market) -> None:
    cycles = {f"{each.first_cut:%Y}": each for each in easing_cycles(market, SMALL, GROWTH)}
    assert (cycles["2001"].cut_bps, cycles["2001"].total_bps) == (-50, -550)
    assert (cycles["2007"].cut_bps, cycles["2007"].total_bps) == (-50, -500)
    assert (cycles["1980"].cut_bps, cycles["1980"].total_bps) == (-100, -300)
    assert cycles["2007"].end == pd.Timestamp("2015-12-16")
    assert cycles["2024"].end is None


def test_the_lead_begins_at_the_close_at_which_the_cut_was_known(market: Market) -> None:
    one = next(each for each in easing_cycles(market, SMALL, GROWTH) if each.first_cut.year == 1957)
    assert market.sessions[one.row] == pd.Timestamp("1957-11-29")
    close = market.close
    for months in HORIZONS:
        gain = close.iloc[one.row + months] / close.iloc[one.row] - 1
        assert one.lead[months] == pytest.approx(gain["SMALL-VALUE"] - gain["BIG-GROWTH"], abs=1e-12)


def test_what_lies_beyond_the_data_is_not_known(market: Market) -> None:
    last = easing_cycles(market, SMALL, GROWTH)[-1]
    assert last.lead[3] is not None
    assert [last.lead[months] for months in (6, 12, 24)] == [None] * 3
    means = summary(market, SMALL, GROWTH, easing_cycles(market, SMALL, GROWTH))
    assert [each.cycles for each in means] == [18, 17, 17, 17]


def test_no_cycle_and_no_lead_changes_with_what_came_later(market: Market) -> None:
    cut = market.until(pd.Timestamp("1999-12-31"))
    whole = easing_cycles(market, SMALL, GROWTH)
    for then, now in zip(easing_cycles(cut, SMALL, GROWTH), whole, strict=False):
        assert (then.first_cut, then.row, then.cut_bps) == (now.first_cut, now.row, now.cut_bps)
        for months, gain in then.lead.items():
            assert gain is None or gain == now.lead[months]


def test_a_report_has_a_row_for_each_cycle_of_its_period(french_folder: Path) -> None:
    result = run(century(french_folder) | {"benchmarks": ["BIG-GROWTH"]})
    view = cycle_view(result)
    assert [f"{each.first_cut:%Y-%m-%d}" for each in view["easing_cycles"]] == BEGINNINGS
    assert view["has_early_record"]
    first = view["easing_cycles"][0]
    start = first.row - result.begin
    end = start + first.in_force
    assert first.in_force == 14  # to the rise of April 1955
    own = result.books.equity[end] / result.books.equity[start] - 1
    half = result.market.close.iloc[first.row :: 1].iloc[[0, first.in_force]]
    gains = (half.iloc[1] / half.iloc[0] - 1)[["SMALL-VALUE", "BIG-GROWTH"]]
    assert first.strategies["own"] == pytest.approx(own - gains.mean(), abs=0.03)  # the mix is rebalanced by month


def test_the_command_says_the_same_to_scripts_and_to_people(
    french_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "century.yaml"
    path.write_text(json.dumps(century(french_folder)), encoding="utf-8", newline="\n")
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["cycles", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [each["first_cut"] for each in found["cycles"]] == BEGINNINGS
    assert set(found["cycles"][0]["strategies"]) >= {"rate_cut, 12 months", "rank, 12 months"}
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["cycles", str(path)])
    printed = capsys.readouterr().out
    assert "1957-08 to 1958-04" in printed
    assert f"{100 * found['cycles'][1]['lead']['12']:.1f}".lstrip("-") in printed


@pytest.mark.skipif(REAL is None, reason="no real data")
@pytest.mark.parametrize(
    ("lag", "after_a_fall", "otherwise", "t"),
    [(1, 7.18, -0.44, 3.01), (2, 6.56, -0.22, 2.71)],
    ids=["as the literature has it", "when the month's average was out"],
)
def test_small_companies_led_after_a_fall_of_the_funds_rate(
    lag: int, after_a_fall: float, otherwise: float, t: float
) -> None:
    """SMB, 1955 to 2024, after the monthly rate fell by more than 0.25 in 6 months; HAC errors of 6 lags."""
    assert REAL is not None
    six = real_tables(REAL)["six"]
    smb = six.iloc[:, :3].mean(axis=1) - six.iloc[:, 3:].mean(axis=1)
    rate = pd.read_csv(REAL / "macro" / "FEDFUNDS.csv", index_col=0, parse_dates=True)["value"]
    rate.index = pd.DatetimeIndex(rate.index).to_period("M")
    fell = (rate.diff(6) < -0.25).astype(float).where(rate.diff(6).notna()).shift(lag)
    both = pd.concat([smb, fell], axis=1, keys=["smb", "fell"])["1955-01":"2024-12"].dropna()  # type: ignore[misc]
    means = 12 * both.groupby("fell")["smb"].mean()
    assert means[1.0] == pytest.approx(after_a_fall, abs=0.01)
    assert means[0.0] == pytest.approx(otherwise, abs=0.01)
    regressors = np.column_stack([np.ones(len(both)), both["fell"]])
    inverse = np.linalg.inv(regressors.T @ regressors)
    slopes = inverse @ regressors.T @ both["smb"].to_numpy()
    moments = regressors * (both["smb"].to_numpy() - regressors @ slopes)[:, None]
    middle = moments.T @ moments
    for back in range(1, 7):
        product = moments[back:].T @ moments[:-back]
        middle += (1 - back / 7) * (product + product.T)
    assert slopes[1] / (inverse @ middle @ inverse)[1, 1] ** 0.5 == pytest.approx(t, abs=0.01)
