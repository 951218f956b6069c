"""What holds for every curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_metrics import plain_longest_fall

from backtest.metrics import Activity, Calendar, calendar_of, metrics, metrics_table

seeds = st.integers(0, 2**32 - 1)


def curves(count: int, sessions: int, seed: int) -> np.ndarray:
    """Random walks; some rest in cash for a while, so that there are zero returns, ties and equal peaks."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(3e-4, 0.01, (count, sessions)) * (rng.random((count, sessions)) > 0.2)
    steps[:, 0] = 0
    return 1e5 * np.cumprod(1 + steps, axis=1)


def calendar(sessions: int, first: str = "2015-12-31") -> Calendar:
    return calendar_of(np.busday_offset(first, np.arange(sessions), roll="forward"))


def tbill(sessions: int) -> np.ndarray:
    return np.linspace(0, 2e-4, sessions)


@given(seeds, st.integers(1, 9), st.integers(1, 700))
@example(0, 4, 6500)
@settings(max_examples=40, deadline=None)
def test_a_row_of_a_table_is_the_curve_alone_to_the_bit(seed: int, count: int, sessions: int) -> None:
    equity, benchmark = curves(count, sessions, seed), curves(1, sessions, seed + 1)[0]
    rng = np.random.default_rng(seed)
    costs_usd = rng.random(count)
    shares = {leg: rng.random(count) for leg in ("a", "b")}
    books = Activity(rng.random(count), *rng.integers(0, 99, (2, count)), shares, costs_usd)
    known = {"calendar": calendar(sessions), "tbill_returns": tbill(sessions), "benchmark": benchmark}
    table = metrics_table(np.asfortranarray(equity), activity=books, **known)
    for row in range(count):
        own = Activity(
            *(getattr(books, name)[row] for name in ("turnover", "rebalances", "trades")),
            {leg: values[row] for leg, values in shares.items()},
            costs_usd[row],
        )
        single, _ = metrics(equity[row], activity=own, **known)
        assert {key: None if np.isnan(column[row]) else column[row] for key, column in table.items()} == single


@given(seeds, st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_the_size_of_the_account_changes_the_final_equity_alone(seed: int, scale: float) -> None:
    equity, benchmark = curves(1, 400, seed)[0], curves(1, 400, seed + 1)[0]
    known = {"calendar": calendar(400), "tbill_returns": tbill(400), "benchmark": benchmark}
    before, _ = metrics(equity, **known)
    doubled, _ = metrics(equity * 2, **known)
    assert doubled == before | {"final_equity_usd": 2 * before["final_equity_usd"]}
    # Any other factor rounds every row.
    scaled, _ = metrics(equity * scale, **known)
    expected = before | {"final_equity_usd": scale * before["final_equity_usd"]}
    defined = [key for key, value in expected.items() if value is not None]
    assert [scaled[key] for key in defined] == pytest.approx([expected[key] for key in defined], rel=1e-8, abs=1e-11)
    assert [key for key, value in scaled.items() if value is not None] == defined


@given(seeds, st.integers(2, 400))
@settings(max_examples=40, deadline=None)
def test_figures_stay_in_their_ranges(seed: int, sessions: int) -> None:
    equity = curves(1, sessions, seed)[0]
    values, _ = metrics(equity, calendar=calendar(sessions), tbill_returns=tbill(sessions))
    assert -1 <= values["max_drawdown"] <= 0
    assert 0 <= values["ulcer_index"] <= -values["max_drawdown"]
    assert 0 <= values["longest_drawdown_sessions"] < sessions
    assert values["max_drawdown"] <= values["total_return"]
    assert values["hit_rate"] is None or 0 <= values["hit_rate"] <= 1
    assert values["cvar_95"] <= (equity[1:] / equity[:-1] - 1).mean() + 1e-15


@given(st.lists(st.integers(1, 6), min_size=1, max_size=40))
def test_the_longest_drawdown_is_what_a_loop_finds(levels: list[int]) -> None:
    equity = np.array(levels, dtype=float)
    values, _ = metrics(equity, calendar=calendar(len(levels)), tbill_returns=tbill(len(levels)))
    assert values["longest_drawdown_sessions"] == plain_longest_fall(equity)


@given(seeds, st.floats(-0.5, 2.5), st.floats(-2e-4, 2e-4))
@settings(max_examples=40, deadline=None)
def test_a_straight_line_through_the_benchmark_is_found_again(seed: int, beta: float, daily_alpha: float) -> None:
    benchmark, rf = curves(1, 300, seed)[0], tbill(300)
    returns = rf[1:] + daily_alpha + beta * (np.diff(benchmark) / benchmark[:-1] - rf[1:])
    equity = np.cumprod(np.concatenate([[1.0], 1 + returns]))
    values, _ = metrics(equity, calendar=calendar(300), tbill_returns=rf, benchmark=benchmark)
    assert values["beta"] == pytest.approx(beta, abs=1e-10)
    assert values["alpha"] == pytest.approx(252 * daily_alpha, abs=1e-10)


@given(seeds, st.floats(-1e-3, 1e-3))
@settings(max_examples=40, deadline=None)
def test_a_return_added_to_every_session_moves_the_ratios_by_its_share(seed: int, added: float) -> None:
    known = {"calendar": calendar(300), "tbill_returns": tbill(300)}
    equity = curves(1, 300, seed)[0]
    moved = np.cumprod(np.concatenate([[1.0], equity[1:] / equity[:-1] + added]))
    before, _ = metrics(equity, **known)
    after, _ = metrics(moved, **known)
    assert after["volatility"] == pytest.approx(before["volatility"], rel=1e-9)
    assert after["cvar_95"] == pytest.approx(before["cvar_95"] + added, abs=1e-12)
    # T-bills move a little too, so the deviation of the excess is not the volatility to the last digit.
    shift = added * 252 / before["volatility"]
    assert after["sharpe"] - before["sharpe"] == pytest.approx(shift, rel=1e-2, abs=1e-9)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_the_same_weekdays_28_years_later_give_the_same_figures(seed: int) -> None:
    equity, rf = curves(1, 900, seed)[0], tbill(900)
    now, _ = metrics(equity, calendar=calendar(900, "1972-06-30"), tbill_returns=rf)
    later, _ = metrics(equity, calendar=calendar(900, "2000-06-30"), tbill_returns=rf)
    assert now == later
