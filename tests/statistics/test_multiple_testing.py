"""Corrections for many p-values against R, statsmodels and Harvey and Liu's example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    effective_variants,
    equivalent_trials,
    haircut_sharpe,
    holm,
    sidak,
)

P = [0.005, 0.009, 0.0128, 0.0135, 0.045, 0.06]
CORRECTED = {
    bonferroni: [0.03, 0.054, 0.0768, 0.081, 0.27, 0.36],
    holm: [0.03, 0.045, 0.0512, 0.0512, 0.09, 0.09],
    benjamini_yekutieli: [0.0496125, 0.0496125, 0.0496125, 0.0496125, 0.1323, 0.147],
    benjamini_hochberg: [0.02025, 0.02025, 0.02025, 0.02025, 0.054, 0.06],
}


@pytest.mark.parametrize("correction", list(CORRECTED))
def test_six_p_values_of_harvey_and_liu(correction) -> None:  # type: ignore[no-untyped-def]
    assert correction(P) == pytest.approx(CORRECTED[correction], abs=1e-12)


@pytest.mark.parametrize("correction", list(CORRECTED))
@given(p=st.lists(st.floats(0, 1), max_size=12), seed=st.integers(0, 99))
def test_corrected_values_keep_their_places_and_never_shrink(correction, p: list[float], seed: int) -> None:  # type: ignore[no-untyped-def]
    order = np.random.default_rng(seed).permutation(len(p))
    plain, shuffled = correction(p), correction(np.array(p, dtype=float)[order])
    assert shuffled == pytest.approx(plain[order])
    assert (plain >= np.array(p) - 1e-12).all()
    assert (plain <= 1).all()


def test_holm_lies_between_the_plain_values_and_bonferroni() -> None:
    assert (holm(P) <= bonferroni(P)).all()


def test_the_haircut_of_harvey_and_lius_example() -> None:
    normal = haircut_sharpe(0.75, years=20, trials=200)
    assert normal.p_value == pytest.approx(0.000796, abs=1e-6)
    assert normal.corrected_p == pytest.approx(0.1592, abs=1e-4)
    assert normal.sharpe == pytest.approx(0.3148, abs=1e-4)
    assert normal.fraction == pytest.approx(0.580, abs=1e-3)
    student = haircut_sharpe(0.75, years=20, trials=200, degrees_of_freedom=239)
    assert student.p_value == pytest.approx(0.000926, abs=1e-6)
    assert student.corrected_p == pytest.approx(0.1852, abs=1e-4)
    assert student.sharpe == pytest.approx(0.2971, abs=1e-4)
    assert student.fraction == pytest.approx(0.604, abs=1e-3)


def test_sidak_on_the_same_example() -> None:
    assert sidak(haircut_sharpe(0.75, 20, 1).p_value, 200) == pytest.approx(0.147, abs=1e-3)
    assert sidak(1.0, 5) == 1.0


def test_a_single_trial_keeps_its_ratio_and_a_weak_one_loses_all() -> None:
    assert haircut_sharpe(0.75, 20, 1).sharpe == 0.75
    weak = haircut_sharpe(0.1, 20, 200)
    assert (weak.corrected_p, weak.sharpe, weak.fraction) == (1.0, 0.0, 1.0)
    assert haircut_sharpe(-0.75, 20, 200).sharpe == pytest.approx(-0.3148, abs=1e-4)
    assert haircut_sharpe(0.0, 20, 200).fraction == 0.0


def test_a_hundred_trials_correlated_by_half_are_worth_fifty() -> None:
    assert equivalent_trials(100, 0.5) == 50.5


def test_effective_variants_of_copies_and_of_independent_columns() -> None:
    x = np.random.default_rng(0).standard_normal((50_000, 4))
    assert effective_variants(x) == pytest.approx(4, abs=0.01)
    assert effective_variants(x[:, [0, 0, 0]]) == pytest.approx(1)
    assert effective_variants(np.column_stack([x[:, 0], np.zeros(50_000)])) == 1.0
    assert effective_variants(np.zeros((10, 3))) == 0.0
