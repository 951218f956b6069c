"""What rotating was worth: the legs alone and the average mix, at the same costs."""

from __future__ import annotations

import pytest
from pages import Page, config_of, page_of, result_of

from backtest.pages.alternatives import Alternative, alternatives_of, rotating_sentence
from backtest.text import points


def test_a_constant_mix_is_its_own_average_and_gains_nothing_by_rotating() -> None:
    result = result_of(config_of("static_mix", params={"shares": {"growth": 0.7, "small": 0.3}}, rebalance="monthly"))
    growth, small, mix = alternatives_of(result)
    assert (growth.tone, small.tone, mix.tone) == ("leg-0", "leg-1", "mix")
    assert abs(mix.ahead) < 0.001
    assert min(growth.growth, small.growth) < mix.growth < max(growth.growth, small.growth) + 0.01


def test_a_leg_alone_is_the_run_that_holds_it() -> None:
    alone = result_of(config_of("static_mix", params={"shares": {"growth": 1.0}}, rebalance="monthly"))
    result = result_of()
    first = alternatives_of(result)[0]
    assert first.final == pytest.approx(alone.books.equity[-1], rel=1e-9)
    assert first.ahead == pytest.approx((result.metrics["cagr"] or 0) - (alone.metrics["cagr"] or 0), abs=1e-9)


def test_the_first_screen_says_what_rotating_was_worth() -> None:
    result = result_of()
    rows = alternatives_of(result)
    page = Page(page_of(result))
    assert f"Did rotating help? {rotating_sentence(result, rows)}" in page.texts["result"]
    for row in rows:
        assert points(row.ahead) in page.texts["result"]


@pytest.mark.parametrize(
    ("ahead", "begins"),
    [
        (0.0104, "By 1.0 points a year: "),
        (-0.0104, "No, it cost 1.0 points a year: "),
        (0.0004, "It changed nothing: "),
    ],
)
def test_the_answer_is_a_plain_sentence(ahead: float, begins: str) -> None:
    legs = [Alternative("growth alone", "leg-0", "growth alone", 1.0, 0.08, 0.0)]
    mix = Alternative("its average mix, 90% growth and 10% cash", "mix", "its average mix", 1.0, 0.07, ahead)
    said = rotating_sentence(result_of(), [*legs, mix])
    made = "its average mix, 90% growth and 10% cash, made 7.0% a year at the same costs; growth alone 8.0%."
    assert said == f"{begins}{made}"
