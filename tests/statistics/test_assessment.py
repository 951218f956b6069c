"""A whole study: planted and null tables, the numbers among each other, degenerate tables, and seeds."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.errors import RunError
from backtest.statistics.assessment import (
    Assessment,
    assess,
    deflation_hurdle,
    effective_variants,
    search_statistics,
    smallest_edge,
)
from backtest.statistics.histories import ReturnsTable
from backtest.statistics.sharpe import Trials, expected_maximum, minimum_track_record, moments, trials_of
from backtest.statistics.variants import Estimate, Timing

Array = NDArray[np.float64]


def study(variants: int = 6, sessions: int = 1008, edge: float = 0.0, seed: int = 0) -> ReturnsTable:
    """Correlated variants of unequal risk around a benchmark; the first one has the edge (annual active ratio)."""
    rng = np.random.default_rng(seed)
    benchmark = 0.0004 + 0.012 * rng.standard_t(5, sessions) / math.sqrt(5 / 3)
    shocks = 0.7 * rng.standard_normal((sessions, 1)) + 0.7 * rng.standard_normal((sessions, variants))
    shocks -= shocks.mean(axis=0)
    shocks[:, 0] += edge / math.sqrt(252)
    active = shocks * np.linspace(0.002, 0.01, variants)
    returns = benchmark[:, None] + active
    return ReturnsTable(
        names=tuple(f"v{i}" for i in range(variants)),
        returns=returns,
        benchmark=benchmark,
        years=sessions / 252,
        mixes=returns - 0.5 * active,
        tbill=np.full(sessions, 0.02 / 252),
    )


@pytest.fixture(scope="module")
def table() -> ReturnsTable:
    return study(edge=0.5)


@pytest.fixture(scope="module")
def assessed(table: ReturnsTable) -> Assessment:
    return assess(table, histories=500)


def test_observed_numbers_are_the_plain_ones(table: ReturnsTable, assessed: Assessment) -> None:
    active = table.returns[:, 2] - table.benchmark
    v = assessed.variants[2]
    assert v.name == "v2"
    assert v.sharpe.value == pytest.approx(active.mean() / active.std(ddof=1) * 252**0.5)
    assert v.tracking_error == pytest.approx(active.std(ddof=1) * 252**0.5)
    grown, held = np.prod(1 + table.returns[:, 2]), np.prod(1 + table.benchmark)
    assert v.cagr.value == pytest.approx(grown ** (1 / table.years) - 1)
    assert v.cagr_difference.value == pytest.approx(grown ** (1 / table.years) - held ** (1 / table.years))
    excess = table.excess[:, 2]
    assert excess == pytest.approx(table.returns[:, 2] - 0.02 / 252)
    assert v.absolute_sharpe.value == pytest.approx(excess.mean() / excess.std(ddof=1) * 252**0.5)
    assert v.timing is not None
    mixed = np.prod(1 + table.mixes[:, 2]) if table.mixes is not None else 0.0
    assert v.timing.difference.value == pytest.approx(grown ** (1 / table.years) - mixed ** (1 / table.years))


def test_the_track_record_needed_is_told_in_years(table: ReturnsTable, assessed: Assessment) -> None:
    shape = moments(table.active[:, 0])
    needed = minimum_track_record(shape.sharpe, shape.skewness, shape.kurtosis)
    assert needed is not None
    assert assessed.variants[0].minimum_track_record_years == pytest.approx(needed / 252)


def test_every_interval_surrounds_its_number(assessed: Assessment) -> None:
    for v in assessed.variants:
        estimates = [v.sharpe, v.cagr, v.cagr_difference, v.absolute_sharpe, v.sharpe_difference]
        estimates += [v.timing.difference] if v.timing else []
        for estimate in estimates:
            assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_paired_intervals_of_differences_are_narrower_than_unpaired_ones(assessed: Assessment) -> None:
    calm = assessed.variants[0]

    def width(ends: tuple[float, float]) -> float:
        return ends[1] - ends[0]

    assert width(calm.cagr_difference.interval) < width(calm.cagr.interval) / 3


def test_the_best_is_the_corrected_p_of_the_no_skill_maximum(assessed: Assessment) -> None:
    search = assessed.search
    sharpes = [v.sharpe.value for v in assessed.variants]
    assert search.best == int(np.argmax(sharpes))
    assert assessed.variants[search.best].p == search.no_skill.p
    assert len(search.no_skill.dots) == 50
    assert (np.diff(search.no_skill.dots) >= 0).all()
    reached = int((search.no_skill.dots >= max(sharpes)).sum())
    assert abs(reached - 50 * search.no_skill.p) <= 1


def test_the_deflated_ratio_is_the_probabilistic_one_lowered_by_the_hurdle(assessed: Assessment) -> None:
    assert assessed.search.hurdle > 0
    for v in assessed.variants:
        assert v.dsr < v.psr


def test_the_hurdle_never_falls_below_the_no_skill_best() -> None:
    spread = Trials(100, 0.0, 0.002)
    assert deflation_hurdle(spread, 0.01) == math.sqrt(0.002) * expected_maximum(100)
    assert deflation_hurdle(Trials(1000, 0.0, 1e-9), 0.02) == 0.02
    assert deflation_hurdle(Trials(1, 0.0, 0.0), -0.001) == 0.0


def test_more_trials_of_the_same_spread_deflate_more(table: ReturnsTable, assessed: Assessment) -> None:
    own = trials_of(np.array([v.sharpe.value / 252**0.5 for v in assessed.variants]))
    more = assess(table, dataclasses.replace(own, count=2000, variance=max(own.variance, 1e-3)), histories=500)
    assert more.search.trials == 2000
    assert more.search.hurdle > assessed.search.hurdle
    assert more.variants[0].dsr < assessed.variants[0].dsr


def test_a_planted_edge_is_found_by_everything() -> None:
    table = study(variants=8, sessions=2520, edge=1.6)
    found = assess(table, histories=500)
    best, search = found.variants[0], found.search
    assert search.best == 0
    assert max(search.spa.lower, search.spa.consistent, search.spa.upper, search.no_skill.p) < 0.01
    assert best.is_superior
    assert best.dsr > 0.95
    assert search.overfitting is not None
    assert search.overfitting.probability < 0.05
    assert found.whole.benchmark_confidence_set_p < 0.05 < best.confidence_set_p


def test_a_planted_loser_is_told_apart_by_nothing_but_the_confidence_set() -> None:
    lost = assess(study(variants=8, sessions=2520, edge=-1.6), histories=500)
    loser = lost.variants[0]
    assert not loser.is_superior
    assert loser.p > 0.9
    assert loser.dsr < 0.01
    assert loser.confidence_set_p < 0.05
    assert loser.minimum_track_record_years is None


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_draws(
    table: ReturnsTable, assessed: Assessment
) -> None:
    again, other = assess(table, histories=500), assess(table, histories=500, seed=2)
    assert repr(again.variants) == repr(assessed.variants)
    assert again.search.no_skill.dots.tobytes() == assessed.search.no_skill.dots.tobytes()
    assert other.variants[0].sharpe.value == assessed.variants[0].sharpe.value
    assert other.variants[0].sharpe.interval != assessed.variants[0].sharpe.interval


def test_a_variant_does_not_change_when_others_are_reordered(table: ReturnsTable, assessed: Assessment) -> None:
    assert table.mixes is not None
    turned = dataclasses.replace(
        table, names=table.names[::-1], returns=table.returns[:, ::-1], mixes=table.mixes[:, ::-1]
    )
    backwards = assess(turned, histories=500)
    for mine, theirs in zip(assessed.variants, reversed(backwards.variants), strict=True):
        assert mine.name == theirs.name
        assert mine.sharpe.interval == pytest.approx(theirs.sharpe.interval, abs=1e-9)
        assert (mine.p, mine.confidence_set_p) == (theirs.p, theirs.confidence_set_p)
    assert backwards.search.spa == assessed.search.spa


def test_one_variant_alone() -> None:
    table = dataclasses.replace(study(variants=1), mixes=None, tbill=None)
    alone = assess(table, histories=200)
    assert alone.search.overfitting is None
    assert alone.search.trials == 1
    assert alone.variants[0].timing is None
    assert alone.whole.effective_variants == 1.0


def test_variants_that_are_the_benchmark_or_each_other() -> None:
    table = study(variants=3)
    same = np.column_stack([table.benchmark, table.benchmark, table.returns[:, 2], table.returns[:, 2]])
    names = ("idle", "idle too", "twin", "other twin")
    twins = assess(dataclasses.replace(table, names=names, returns=same, mixes=same), histories=200)
    idle, _, twin, other = twins.variants
    assert idle.sharpe.value == 0.0
    assert idle.sharpe.interval == (0.0, 0.0)
    assert idle.ledoit_wolf_p == 1.0
    assert idle.psr == 0.5
    assert not idle.is_superior
    assert twin.timing == Timing(Estimate(0.0, (0.0, 0.0)), 1.0)
    assert repr(twin).replace("twin", "") == repr(other).replace("other twin", "")
    everyone_idle = assess(dataclasses.replace(table, returns=same[:, [0, 0, 0]], mixes=None), histories=200)
    assert everyone_idle.search.no_skill.p == 1.0
    assert everyone_idle.search.spa.consistent == 1.0


PROCESSORS = ("Haswell", "SkylakeX", "Zen")
"""Whose kernels round a column of a matrix product by its place, or do not."""

TWINS = """
import dataclasses
import numpy as np
from test_assessment import assess, study
table = study(variants=2)
twin, idle = table.returns[:, 0], [table.benchmark] * 11
columns = np.column_stack([twin, *idle, twin])
names = ("twin", *"abcdefghijk", "other")
found = assess(dataclasses.replace(table, names=names, returns=columns, mixes=columns), histories=100).variants
for each in found[1:-1]:
    for estimate in (each.sharpe, each.cagr_difference, each.sharpe_difference, each.timing.difference):
        assert estimate.interval == (0.0, 0.0)
assert repr(found[0]).replace("twin", "other") == repr(found[-1])
"""


@pytest.mark.parametrize("processor", PROCESSORS)
def test_equal_columns_have_equal_numbers_on_every_processor(processor: str) -> None:
    path = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[2])))
    environment = {**os.environ, "OPENBLAS_CORETYPE": processor, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", TWINS], env=environment, check=True)


def test_too_little_or_broken_data_are_refused() -> None:
    short = study(sessions=40)
    with pytest.raises(RunError, match="40 sessions in common, at least 63"):
        assess(short)
    table = study()
    broken = table.returns.copy()
    broken[5, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        assess(dataclasses.replace(table, returns=broken))
    with pytest.raises(ValueError, match="do not fit"):
        assess(dataclasses.replace(table, names=("a",)))
    with pytest.raises(ValueError, match="do not fit"):
        assess(dataclasses.replace(table, tbill=np.zeros(7)))


def test_the_smallest_edge_shrinks_with_the_years() -> None:
    assert smallest_edge(0.45, 25, 0.1) == pytest.approx((0.45 + 0.8416212 / 5) * 0.1)
    assert smallest_edge(0.45, 100, 0.1) < smallest_edge(0.45, 25, 0.1)


def test_monthly_tables_are_annualised_by_twelve() -> None:
    table = dataclasses.replace(study(sessions=480), years=40.0, periods_per_year=12)
    v = assess(table, histories=100).variants[1]
    active = table.active[:, 1]
    assert v.sharpe.value == pytest.approx(active.mean() / active.std(ddof=1) * 12**0.5)


def test_effective_variants_of_copies_and_of_independent_columns() -> None:
    x = np.random.default_rng(0).standard_normal((50_000, 4))
    assert effective_variants(x) == pytest.approx(4, abs=0.01)
    assert effective_variants(x[:, [0, 0, 0]]) == pytest.approx(1)
    assert effective_variants(np.column_stack([x[:, 0], np.zeros(50_000)])) == 1.0
    assert effective_variants(np.zeros((10, 3))) == 0.0


def test_the_search_alone_is_the_one_of_the_whole_assessment(table: ReturnsTable, assessed: Assessment) -> None:
    alone = search_statistics(table, histories=500)
    assert alone.dsr == assessed.search.dsr == assessed.variants[alone.best].dsr
    assert alone.sharpe == assessed.variants[alone.best].sharpe.value
    for name in ("best", "trials", "hurdle", "block", "spa", "smallest_edge"):
        assert getattr(alone, name) == getattr(assessed.search, name)


def test_each_variant_is_held_against_the_benchmark_on_its_own_terms() -> None:
    plain = study(3)
    own = plain.benchmark[:, None] - np.array([0.0, 0.0, 1e-5])
    both = dataclasses.replace(plain, own_benchmarks=own)
    one, other = assess(plain, histories=200), assess(both, histories=200)
    assert other.variants[0].sharpe == one.variants[0].sharpe
    gain = other.variants[2].cagr_difference.value - one.variants[2].cagr_difference.value
    assert gain == pytest.approx(1e-5 * 252, rel=0.2)


def test_rounding_is_no_risk_and_ranks_nothing() -> None:
    plain = study(3)
    noise = plain.benchmark + 1e-12 * np.random.default_rng(3).standard_normal(len(plain.benchmark))
    behind = plain.benchmark - 1e-5 * (np.arange(len(noise)) % 2)
    assessed = assess(dataclasses.replace(plain, returns=np.column_stack([behind, noise, plain.benchmark])), None, 200)
    assert [variant.sharpe.value for variant in assessed.variants][1:] == [0.0, 0.0]
    assert assessed.search.best == 1
    assert assessed.search.smallest_edge > 0  # by what does move
