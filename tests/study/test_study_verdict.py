"""A study tells luck from skill: a planted edge is found, and where there is none, none is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_studies import common_study, config, study
from worlds import EXCHANGE, market_of, rotation_market

from backtest.config import load_study
from backtest.market import Market
from backtest.study import compare as comparing
from backtest.study.as_json import comparison_json
from backtest.study.compare import compare
from backtest.study.comparison import Comparison
from strategies import REGISTRY


def persistent_market(seed: int, edge: float) -> Market:
    """Leadership that lasts 40 sessions: small caps gain or lose `edge` a session on growth, beside noise."""
    rng = np.random.default_rng(seed)
    days = EXCHANGE[300:1000]
    lead = np.where(np.arange(len(days)) // 40 % 2 == 0, edge, -edge)
    steps = rng.normal(0.0, 0.006, (len(days), 1)) + rng.normal(0.0, 0.003, (len(days), 4))
    steps[:, 2:] += lead[:, None]
    closes = 100 * np.exp(np.cumsum(steps, axis=0))
    opens = np.vstack([np.full((1, 4), 100.0), closes[:-1]])
    names = ["IVW", "QQQ", "IWM", "IWN"]
    changes = {f"{day:%Y-%m-%d} 14:00": int(c) for day, c in zip(days[::35], rng.choice([-25, 25], 20), strict=True)}
    frames = (pd.DataFrame(opens, days, names), pd.DataFrame(closes, days, names))
    return market_of(*frames, exchange=EXCHANGE, changes=changes, tbill=0.02)


def searched(market_given: Market) -> Comparison:
    """Momentum, and windows of seven lengths after a cut."""
    given = {"momentum": config("strategy.params.lookback_sessions=5")}
    cut = ("strategy.name=rate_cut", "strategy.params={}")
    given |= {f"cut-{n}": config(*cut, f"strategy.params.hold_sessions={n}") for n in (10, 15, 20, 25, 30, 35, 40)}
    return study(given, market=market_given)


def test_a_planted_edge_is_found() -> None:
    comparison = searched(persistent_market(2, 0.003))
    assert comparison.verdict.level == "holds"
    found = comparison_json(comparison)
    assert found["best"] == "momentum"
    assert found["stepm"] == found["model_confidence_set"] == ["momentum"]
    assert not found["benchmark_in_confidence_set"]
    assert found["spa"]["consistent"] < 0.01
    assert found["pbo"] < 0.2
    assert comparison.variants[comparison.best].statistics.timing.p < 0.05  # type: ignore[union-attr]
    assert comparison.variants[comparison.best].parts.timing > 0.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_nothing_leads_for_long_nothing_holds(seed: int) -> None:
    comparison = searched(rotation_market(seed, 700))
    assert comparison.verdict.level != "holds"
    assert comparison_json(comparison)["stepm"] == []


def test_few_variants_have_no_overfitting_probability_and_one_is_enough() -> None:
    found = comparison_json(study({"alone": config()}))
    assert found["pbo"] is None
    assert found["walk_forward"] is None
    assert found["variants"]["alone"]["active"]["sharpe"] == pytest.approx(
        found["variants"]["alone"]["metrics"]["information_ratio"]
    )


def test_the_same_arguments_give_the_same_numbers() -> None:
    assert comparison_json(study()) == comparison_json(common_study())
    other = study(seed=2)
    assert (
        comparison_json(other)["variants"]["both"]["active"]["sharpe_ci"]
        != comparison_json(common_study())["variants"]["both"]["active"]["sharpe_ci"]
    )


@pytest.mark.parametrize(("many", "shown"), [(3, 3), (4, 2)])
def test_of_many_variants_the_best_have_luck_meters(monkeypatch: pytest.MonkeyPatch, many: int, shown: int) -> None:
    monkeypatch.setattr(comparing, "MOST_WITH_LUCK", 3)
    monkeypatch.setattr(comparing, "BEST_WITH_LUCK", 2)
    comparison = study({f"m{n}": config(f"strategy.params.lookback_sessions={n}") for n in range(2, 2 + many)})
    ranked = sorted(range(many), key=lambda i: -comparison.variants[i].statistics.sharpe.value)
    assert sorted(comparison.luck_shown) == sorted(ranked[:shown])
    assert [v.luck is not None for v in comparison.variants].count(True) == shown
    assert comparison.effect is not None
    assert comparison.effect.keys == ("strategy.params.lookback_sessions",)


def test_progress_rises_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    study(progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (12, 12)


@pytest.mark.slow
def test_the_shipped_rules_agree_with_what_is_known_of_them(real_data: Path) -> None:
    """research/domain.md 2.4: best active Sharpe ratio about 0, deflated 0.02, SPA p about 0.85, the start decides."""
    root = Path(__file__).parents[2]

    def rules(**data: str) -> Comparison:
        given = {"prices.source": "csv", "prices.folder": str(real_data / "prices"), "end": "2026-03-31", **data}
        overrides = [f"data.{key}={value}" for key, value in given.items()]
        asked = load_study(root / "configs" / "study_rotation_rules.yaml", strategies=REGISTRY, overrides=overrides)
        return compare(asked.variants, name=asked.name, strategies=REGISTRY, benchmark=asked.benchmark)

    comparison = rules()
    best = comparison.variants[comparison.best].statistics
    assert len(comparison.variants) == 28
    assert comparison.names[comparison.best] == "iwm-qqq-cut-252"
    assert abs(best.sharpe.value) < 0.05
    assert best.dsr < 0.05
    assert comparison.search.hurdle == pytest.approx(0.413, abs=0.02)
    assert 0.75 < comparison.search.spa.consistent < 0.95
    assert comparison.search.absolute.dsr > 0.9  # the same table flatters
    assert comparison.verdict.level in ("no_better_than_luck", "not_distinguishable")
    cagr = {variant.name: variant.metrics["cagr"] for variant in comparison.variants}
    known = {"momentum-5": 0.0248, "momentum-63": 0.0938, "momentum-126": 0.1024, "momentum-126-monthly": 0.1155}
    for name, value in known.items():
        assert cagr[f"iwm-qqq-{name}"] == pytest.approx(value, abs=0.012), name
    held = {benchmark.name: benchmark.metrics["cagr"] for benchmark in comparison.benchmarks}
    earlier = rules(start="2000-07-31")
    held_earlier = {benchmark.name: benchmark.metrics["cagr"] for benchmark in earlier.benchmarks}
    assert max(held, key=lambda name: held[name] or 0.0) == "QQQ"
    assert max(held_earlier, key=lambda name: held_earlier[name] or 0.0) == "IWN"


def test_no_figure_is_nan() -> None:
    def leaves(content: Any) -> list[Any]:
        if isinstance(content, dict):
            return [leaf for value in content.values() for leaf in leaves(value)]
        return [leaf for value in content for leaf in leaves(value)] if isinstance(content, list) else [content]

    assert all(math.isfinite(leaf) for leaf in leaves(comparison_json(common_study())) if isinstance(leaf, float))
