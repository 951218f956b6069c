"""What the null of the search must show, on simulated markets with fixed seeds: the rows of benchmarks/calibration.py.

By default a few markets of the rows that a mistake would break at once; the counts that the limits are meant for are
slow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from calibration import LIMITS, LOOKBACKS, ROWS, Rates, lead_of, market_of_lead, measured, missed, product_rates

FAST = {
    "null-10": 8,
    "part-45": 8,
    "exposure-10": 25,
    "plateau-30": 12,
    "stretches-8": 60,
    "days-1": 20,
    "crashes": 30,
    "given": 200,
    "given-momentum": 40,
}
"""Row -> markets."""


@pytest.mark.parametrize("name", list(FAST))
def test_a_row_keeps_its_limits_on_a_few_markets(name: str) -> None:
    assert missed(name, list(measured(ROWS[name][1], FAST[name], seed=7, histories=499))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIMITS))
def test_a_row_keeps_its_limits(name: str) -> None:
    markets = 40 if name == "product-10" else 200  # four seconds each; benchmarks/README.md has 200
    assert missed(name, list(measured(ROWS[name][1], markets, seed=11, histories=1999))) == []


def test_the_best_of_a_search_run_alone_is_the_trial_that_it_was_in_whatever_spelling(tmp_path: Path) -> None:
    market = market_of_lead(lead_of(np.random.default_rng(1), 2), seed=1)
    rates = product_rates(1, tmp_path, market, {"relative_momentum": LOOKBACKS.replace("step: 5", "step: 35")})
    assert (rates["answers differ"], rates["trials lost"]) == (False, False)


def test_a_limit_is_missed_by_more_than_chance_only() -> None:
    def rates(share: float) -> list[Rates]:
        return [{"ahead p < .05": k < share * 200} for k in range(200)]

    assert missed("part-30", rates(0.07)) == []
    assert missed("part-30", rates(0.08)) == ["ahead p < .05 8.0, at most 5"]


def test_what_is_not_uniform_and_what_is_not_near_is_missed() -> None:
    def p_values(power: float) -> list[Rates]:
        return [{"timing p": ((k + 0.5) / 200) ** power} for k in range(200)]

    assert missed("given", p_values(1.0)) == []
    assert "not uniform" in missed("given", p_values(1.5))[0]
    apart = [{"ahead, more often": k < 16, "timing, more often": -(k < 8)} for k in range(200)]
    assert missed("single-15", apart) == ["ahead, more often 8.0, within 3"]
