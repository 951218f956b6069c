"""The shipped family of rotation rules, judged by the product and by plain numpy that shares nothing with it.

Written from the definition: blocks of 21 sessions of the exchange's calendar; S, Q their sums of x and of x squared;
t = m sqrt(T) / sqrt(Q/T - m^2); a history flips the sign of whole blocks, the same for all curves; p of a curve is the
share of histories, the observed one among them, in which the largest t of the family reaches its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.config import load_study
from backtest.statistics.search import HISTORIES
from backtest.study.compare import shown_curves
from backtest.study.curves import StudyCurves, run_benchmarks, run_curves
from backtest.study.inputs import common_inputs
from backtest.study.search import search
from strategies import REGISTRY

Array = NDArray[np.float64]
STUDY = Path(__file__).parents[2] / "configs" / "study_rotation_rules.yaml"
INDEPENDENT = 20_000


def family(*overrides: str) -> StudyCurves:
    study = load_study(STUDY, strategies=REGISTRY, overrides=["data.end=2025-12-31", *overrides])
    inputs = common_inputs(study.variants, study.benchmark, market=None, offline=True)
    return run_curves(inputs, run_benchmarks(inputs), REGISTRY, lambda _, __: None)


def independent_p(x: Array, block: NDArray[np.int64], seed: int) -> Array:
    """(sessions x curves) of active returns, the block of each session -> p of each, corrected for all of them."""
    sessions = len(x)
    sums = np.array([x[block == k].sum(axis=0) for k in np.unique(block)])
    mean_square = (x**2).sum(axis=0) / sessions

    def t(total: Array) -> Array:
        mean = total / sessions
        spread = np.sqrt(np.where(mean_square > 0, mean_square - mean**2, 1.0))
        return mean * np.sqrt(sessions) / spread

    flips = np.random.default_rng(seed).choice([-1.0, 1.0], (INDEPENDENT, len(sums)))
    best = t(flips @ sums).max(axis=1)
    return np.array([(1 + (best >= own - 1e-9).sum()) / (1 + INDEPENDENT) for own in t(sums.sum(axis=0))])


def assert_same_within_monte_carlo_error(curves: StudyCurves) -> None:
    found = search(shown_curves("rules", curves), None).findings
    calendar, sessions = curves.inputs.market.exchange_sessions, curves.sessions[1:]
    block = (calendar.searchsorted(sessions) - calendar.searchsorted(np.datetime64("1993-01-04"))) // 21
    table = curves.table
    assert table.mixes is not None
    own = table.benchmark[:, None] if table.own_benchmarks is None else table.own_benchmarks
    for name, x in (("ahead", table.returns - own), ("timing", table.returns - table.mixes)):
        x = np.where(np.abs(x) < 1e-9, 0.0, x)  # two accounts that differ by rounding are equal
        tests = [getattr(each, name) for each in found]
        p, t = np.array([test.p for test in tests]), np.array([test.t for test in tests])
        expected = independent_p(x, block, seed=20240716)
        error = np.sqrt(expected * (1 - expected) * (1 / HISTORIES + 1 / INDEPENDENT))
        assert t.argmax() == expected.argmin(), name
        assert (np.abs(p - expected) <= 4 * error + 1 / HISTORIES).all(), name
        plain = x.mean(axis=0) / np.maximum(x.std(axis=0), 1e-12) * np.sqrt(len(x))
        assert t == pytest.approx(plain, rel=1e-5, abs=1e-5), name


def test_the_shipped_rules_on_the_sample() -> None:
    curves = family("data.prices={source: sample}")
    assert len(curves.variants) == 28
    assert_same_within_monte_carlo_error(curves)


def test_the_shipped_rules_on_real_prices(real_data: Path) -> None:
    prices, macro = (f"{{folder: {real_data / each}}}" for each in ("prices", "macro"))
    curves = family(f"data.prices={prices.replace('{', '{source: csv, ')}", f"data.macro={macro}")
    assert len(curves.variants) == 28
    assert_same_within_monte_carlo_error(curves)
