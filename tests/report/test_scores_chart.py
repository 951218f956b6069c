"""The chart of a rank on the report: every score in one panel, a strip for each leg that was held."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backtest.config import load_config
from backtest.pages.scores import scores_chart
from backtest.pipeline import run
from strategies import REGISTRY

CONFIGS = Path(__file__).parents[2] / "configs" / "published"


def test_scores_and_who_was_held() -> None:
    overrides = ["data.prices={source: sample}", "data.start=2015-01-02"]
    config = load_config(CONFIGS / "dual_momentum.yaml", strategies=REGISTRY, overrides=overrides)
    result = run(config, REGISTRY, offline=True)
    days = result.sessions.to_numpy().astype("datetime64[D]")
    chart = scores_chart(result, days)
    names = [each["name"] for each in chart["readout"] if "name" in each]
    assert names == ["SPY", "EFA", "AGG", "hurdle"]
    lines = [each for each in chart["data"] if each["y"] == "#evidence0"]
    assert len(lines) == 1
    strips = [each for each in chart["data"] if "fill" in each]
    assert len(strips) == 3
    held = result.decision.by_leg[result.begin :]
    for strip, shares in zip(strips, held.T, strict=True):
        rows = np.searchsorted(days, np.array(strip["x"], dtype="datetime64[D]"))
        lasts = np.diff(np.append(rows, len(days)))
        assert np.array_equal(np.repeat(strip["y"], lasts)[: len(days) - 1], shares[:-1])
