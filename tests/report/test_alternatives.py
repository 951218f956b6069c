"""What rotating was worth: the legs alone and the average mix, at the same costs."""

from __future__ import annotations

import pytest
from pages import Page, config_of, page_of, result_of

from backtest.metrics import calendar_of
from backtest.pages.alternatives import alternatives_of


def test_a_constant_mix_is_its_own_average_and_gains_nothing_by_rotating() -> None:
    result = result_of(config_of("static_mix", params={"shares": {"growth": 0.7, "small": 0.3}}, rebalance="monthly"))
    growth, small, mix = alternatives_of(result, calendar_of(result.sessions))
    assert (growth.tone, small.tone, mix.tone) == ("leg-0", "leg-1", "mix")
    assert abs(mix.ahead) < 0.001
    assert min(growth.growth, small.growth) < mix.growth < max(growth.growth, small.growth) + 0.01


def test_a_leg_alone_is_the_run_that_holds_it() -> None:
    alone = result_of(config_of("static_mix", params={"shares": {"growth": 1.0}}, rebalance="monthly"))
    result = result_of()
    first = alternatives_of(result, calendar_of(result.sessions))[0]
    assert first.final == pytest.approx(alone.books.equity[-1], rel=1e-9)
    assert first.ahead == pytest.approx((result.metrics["cagr"] or 0) - (alone.metrics["cagr"] or 0), abs=1e-9)


def test_the_first_screen_says_what_rotating_was_worth() -> None:
    page = Page(page_of(result_of()))
    assert "Did rotating help?" in page.texts["result"]
    assert "over that mix came from when it held what." in page.texts["result"]
