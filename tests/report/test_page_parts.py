"""The parts of the page: falls, months and years, costs, cuts, caveats, verdicts."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import config_of, result_of, sample, two_sides
from worlds import hand_market

from backtest.config import LegConfig
from backtest.decision import Decision, Evidence
from backtest.metrics import calendar_of, drawdown
from backtest.pages.alternatives import alternatives_of
from backtest.pages.figures import evidence_rows
from backtest.pages.periods import cuts_of, cycles_of, heat_rows, period_ends, tint, worst_falls, year_rows
from backtest.pages.prose import caveats, headline, known_for, tiles
from backtest.pages.rebalances import account_of, costs_of, rebalances_of
from backtest.pipeline import run
from backtest.study.search import cycles_seen
from strategies import REGISTRY


def test_the_worst_fall_and_the_longest_one_are_those_of_the_metrics() -> None:
    result = result_of()
    falls = worst_falls(result.books.equity, np.zeros((len(result.sessions), 2)), None, count=10_000)
    assert falls[0].depth == result.metrics["max_drawdown"]
    assert max(fall.sessions for fall in falls) == result.metrics["longest_drawdown_sessions"]
    assert [fall.depth for fall in falls] == sorted(fall.depth for fall in falls)


def test_falls_by_hand() -> None:
    equity = np.array([100.0, 90.0, 100.0, 120.0, 60.0, 90.0])
    worst, small = worst_falls(equity, np.array([[0.0, 1.0, 1.0, 1.0, 0.0, 0.0]]).T, equity[::-1].copy())
    assert (worst.peak, worst.trough, worst.back, worst.depth, worst.sessions) == (3, 4, None, -0.5, 2)
    assert (small.peak, small.trough, small.back, small.sessions) == (0, 1, 2, 2)
    assert (worst.shares, small.shares) == ((1.0,), (0.0,))
    assert worst.benchmark == pytest.approx(90.0 / 100.0 - 1)


@given(st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=40))
def test_falls_cover_every_session_below_a_peak_once(values: list[float]) -> None:
    equity = np.array(values)
    falls = worst_falls(equity, np.zeros((len(equity), 2)), None, count=len(equity))
    covered = [row for f in falls for row in range(f.peak + 1, len(equity) if f.back is None else f.back)]
    assert sorted(covered) == np.flatnonzero(drawdown(equity) < 0).tolist()


def test_months_multiply_to_years_and_years_to_the_total() -> None:
    result = result_of()
    days = result.sessions.to_numpy().astype("datetime64[D]")
    calendar = calendar_of(days, exchange_sessions=result.market.exchange_sessions)
    heat = heat_rows(result.books.equity, days, calendar)
    years = year_rows({"": result.books.equity, "G": result.benchmarks["QQQ"].equity}, days, calendar)
    assert [row.year for row in heat] == [2010, 2009, 2008, 2007, 2006]
    assert [row.total for row in heat] == pytest.approx([row.values[0] for row in years])
    assert np.prod([1 + row.total for row in heat]) - 1 == pytest.approx(result.metrics["total_return"])
    whole = [row.values[0] for row in years if not row.is_part]
    assert (max(whole), min(whole)) == pytest.approx((result.metrics["best_year"], result.metrics["worst_year"]))
    assert [row.is_part for row in years] == [False, False, False, False, True]
    assert max(row.bar for row in years) == 100.0


def test_a_test_that_begins_within_a_month_has_that_month_as_a_part() -> None:
    days = pd.bdate_range("2020-01-15", "2020-03-10").to_numpy().astype("datetime64[D]")
    equity = np.linspace(100.0, 110.0, len(days))
    (row,) = heat_rows(equity, days, calendar_of(days))
    assert [None if cell is None else cell.is_part for cell in row.cells[:4]] == [True, False, True, None]
    assert row.is_part


def test_the_base_row_is_the_close_before_the_first_period() -> None:
    before, last = period_ends(np.array([7, 8, 8, 9]))
    assert (before.tolist(), last.tolist()) == ([0, 2], [2, 3])


def test_tints_have_six_steps_each_way() -> None:
    steps = [tint(x) for x in (0.0, 0.0004, 0.001, 0.02, 0.021, -0.09, -0.5)]
    assert steps == ["z", "z", "g1", "g1", "g2", "l5", "l6"]


def test_other_costs_are_the_kernels_and_more_cost_is_never_better() -> None:
    result = result_of(config_of(slippage_bps=6.5))
    account = account_of(result)
    costs = costs_of(result, rebalances_of(result, account), calendar_of(result.sessions))
    assert [row.bps for row in costs.at] == [0.0, 5.0, 7.5, 10.0, 20.0, 50.0]
    assert next(row.final for row in costs.at if row.is_this) == result.books.equity[-1]
    finals = [row.final for row in costs.at]
    assert finals == sorted(finals, reverse=True)
    same = result_of(config_of(slippage_bps=19.0))
    assert same.books.equity[-1] == next(row.final for row in costs.at if row.bps == 20.0)


def test_cuts_without_a_hike_between_are_one_cycle() -> None:
    result = result_of(config_of(start=date(2001, 7, 31)))
    cuts = cuts_of(result)
    assert [name for name, _, _ in cycles_of(cuts, result.sessions, 252)] == ["2001–03", "2007–08"]
    assert [str(result.sessions[cut.row].date()) for cut in cuts[-2:]] == ["2008-10-29", "2008-12-16"]
    assert (cuts[-1].bps, cuts[-1].target) == (-75, "0.00–0.25%")
    assert cuts[0].target == "3.50%"


@pytest.mark.parametrize("start", [date(2000, 12, 29), date(2001, 7, 31), date(2007, 9, 18), date(2007, 9, 19)])
def test_the_caveat_and_the_verdict_count_the_same_easing_cycles(start: date) -> None:
    result = result_of(config_of(start=start))
    cycles = cycles_seen(result.config, result.market, result.sessions)
    (told,) = [each for each in caveats(result) if "few independent bets" in each]
    assert told.split("but only ")[1].split(" easing")[0] == str(cycles)


def test_caveats_name_what_a_reader_must_know() -> None:
    result = result_of(config_of(start=date(2001, 7, 31), tbill=None), market=sample(tbill=None))
    told = caveats(result)
    assert told[: len(result.market.notes)] == list(result.market.notes)
    assert "The test begins inside an easing cycle: the cut of 27 Jun 2001 counts." in told
    assert "17 cuts, but only 1 easing cycle began in the test: few independent bets." in told
    assert "No T-bill rate was given: Sharpe and Sortino ratios, alpha and beta take it as zero." in told


def test_the_best_plain_alternative_is_named_with_what_it_would_have_added() -> None:
    result = result_of(config_of(start=date(2001, 7, 31)))
    finals = {name: books.equity[-1] for name, books in result.benchmarks.items()}
    best = max(finals, key=lambda name: finals[name])
    beaten = [warning for warning in caveats(result) if "would have ended higher" in warning]
    if finals[best] > result.books.equity[-1]:
        assert beaten[0].endswith(f"by ${finals[best] - result.books.equity[-1]:,.0f}.")
    behind = dataclasses.replace(result, benchmarks={"QQQ": dataclasses.replace(result.books)})
    assert not [warning for warning in caveats(behind) if "would have ended higher" in warning]


def test_a_decision_of_the_last_close_is_pending_on_the_first_screen() -> None:
    market = hand_market("2020-01-06", G=[100.0, 101.0, 102.0, 103.0], S=[100.0, 100.0, 100.0, 150.0])
    legs = {"growth": LegConfig(G=1.0), "small": LegConfig(S=1.0)}
    config = config_of(
        "relative_momentum",
        params={"lookback_sessions": 1},
        legs=legs,
        benchmarks=("G",),
        start=date(2020, 1, 6),
        tbill=None,
    )
    result = run(config, REGISTRY, market=market)
    assert any(w.startswith("Decided at the close of 2020-01-09 and not traded yet") for w in caveats(result))
    now = tiles(result, [], alternatives_of(result))[-1][-1]
    assert now.unit == "a trade is due"
    assert now.note.startswith("Decided at the close of 2020-01-09 and not traded yet: 100% small.")


def test_equal_at_the_printed_digit_is_called_the_same() -> None:
    result = two_sides()
    same = dataclasses.replace(result, benchmark_metrics={"G": {**result.metrics, "total_return": 0.1004}})
    own = {**result.metrics, "total_return": 0.1}
    assert headline(dataclasses.replace(same, metrics=own)).endswith(": 10.0% in 6 sessions, the same as G.")


def test_evidence_now_says_where_it_would_turn() -> None:
    result = result_of()
    lead = Evidence("lead", np.full(len(result.market.sessions), 0.01), "return", (0.02, -0.02), "Lead",
                    np.ones(len(result.market.sessions)))  # fmt: skip
    told = dataclasses.replace(result, decision=Decision(result.decision.shares, [lead]))
    (row,) = evidence_rows(told)
    assert (row.value, row.says, row.turns_at) == ("+1.0 points", "small caps", "−2.0 points")
    assert tiles(told, [], alternatives_of(told))[-1][-1].note.endswith("Lead: turns at −2.0 points.")


@pytest.mark.parametrize(
    ("known", "line", "flag"),
    [
        (slice(None), "", ""),
        (slice(500, None), "Lead: known from 25 Jul 2008, 2.4 of the 4.4 years.", "known for 2.4 of 4.4 years"),
        (slice(0, 500), "Lead: known from 31 Jul 2006 to 24 Jul 2008, 2.0 of the 4.4 years.", "for 2.0 of 4.4 years"),
        (slice(21, None), "Lead: known from 29 Aug 2006, 4.3 of the 4.4 years.", ""),
        (slice(0, 0), "Lead: never known in these 4.4 years, so the test says nothing of it.", "for 0.0 of 4.4 years"),
    ],
)
def test_a_signal_known_for_a_part_of_the_test_is_told_with_its_years(known: slice, line: str, flag: str) -> None:
    result = result_of()
    values = np.full(len(result.market.sessions), 0.01)
    values[result.begin :] = np.nan
    values[result.begin :][known] = 0.01
    lead = Evidence("lead", values, "return", (0.0,), "Lead")
    told = dataclasses.replace(result, decision=Decision(result.decision.shares, [lead]))
    assert [each for each in caveats(told) if each.startswith("Lead")] == [line] * bool(line)
    assert known_for(told).endswith(flag) if flag else known_for(told) == ""
