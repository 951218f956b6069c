"""What differs between configs, and what a parameter does."""

from __future__ import annotations

import numpy as np
import pytest
from small_studies import config, variants

from backtest.study.effects import differences_of, effect_of


def test_only_keys_that_differ_stand_side_by_side() -> None:
    found = differences_of(list(variants().values()))
    assert found.keys == (
        "strategy.name",
        "strategy.params.decide",
        "strategy.params.lookback_sessions",
        "strategy.params.threshold",
        "strategy.params.hold_sessions",
        "strategy.params.min_cut_bps",
        "strategy.params.combine",
    )
    assert found.values["strategy.params.lookback_sessions"] == (21, 63, 21, None, 63)
    assert found.same["execution.slippage_bps"] == 4.0
    assert not any(key.startswith(("name", "benchmarks")) for key in (*found.keys, *found.same))


def test_a_grid_is_recognised_and_its_means_are_over_all_others() -> None:
    given = [
        config(f"strategy.params.lookback_sessions={lookback}", f"strategy.params.threshold={threshold}")
        for lookback in (63, 21)
        for threshold in (0.0, 0.01, 0.02)
    ]
    sharpe = np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0])
    effect = effect_of(differences_of(given), sharpe)
    assert effect is not None
    assert effect.keys == ("strategy.params.lookback_sessions", "strategy.params.threshold")
    assert effect.levels["strategy.params.lookback_sessions"] == (21, 63)
    np.testing.assert_allclose(effect.means["strategy.params.lookback_sessions"], [20.0, 2.0])
    np.testing.assert_allclose(effect.means["strategy.params.threshold"], [5.5, 11.0, 16.5])
    np.testing.assert_array_equal(effect.table, [[10.0, 20.0, 30.0], [1.0, 2.0, 3.0]])
    assert effect.cells[0] == (1, 0)


def test_three_keys_have_no_table() -> None:
    given = [
        config(
            f"strategy.params.lookback_sessions={a}", f"strategy.params.threshold={b}", f"strategy.params.decide={c}"
        )
        for a in (21, 63)
        for b in (0.0, 0.01)
        for c in ("daily", "monthly")
    ]
    effect = effect_of(differences_of(given), np.arange(8.0))
    assert effect is not None
    assert effect.table is None
    np.testing.assert_allclose(effect.means["strategy.params.decide"], [3.0, 4.0])


@pytest.mark.parametrize("keep", [slice(0, 3), slice(0, 1)])
def test_what_is_no_grid_has_no_effect(keep: slice) -> None:
    given = [
        config(f"strategy.params.lookback_sessions={a}", f"strategy.params.threshold={b}")
        for a in (21, 63)
        for b in (0.0, 0.01)
    ][keep]
    assert effect_of(differences_of(given), np.zeros(len(given))) is None
    assert effect_of(differences_of(list(variants().values())), np.zeros(5)) is None
