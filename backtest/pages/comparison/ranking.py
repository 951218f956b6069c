"""Ranking: which variants the page shows, in which order, and how they are called where there is little room.

A variant's place on the page is its rank by active Sharpe ratio, the best being 0. It is an order to read by and no
ranking of skill, which the page says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backtest.pages.legs import NEUTRAL, LegLook, leg_looks
from backtest.study.comparison import BenchmarkFigures, Comparison

MOST_SHOWN = 200
"""Beyond so many variants the rest stands in comparison.csv alone; the statistics are of all of them."""

LONGEST_LABEL = 34


def places_shown(comparison: Comparison) -> list[int]:
    """Places of the variants in the comparison, best first; the first one is `comparison.best`."""
    sharpe = np.array([variant.statistics.sharpe.value for variant in comparison.variants])
    return [int(place) for place in np.argsort(-sharpe, kind="stable")[:MOST_SHOWN]]


def short_labels(names: Sequence[str]) -> list[str]:
    """Names cut in their middle, where those of a family are alike; whole where two would read the same."""
    short = [_shortened(name) for name in names]
    return [label if short.count(label) == 1 else name for label, name in zip(short, names, strict=True)]


def _shortened(name: str) -> str:
    text = name.replace("_sessions", "")
    half = LONGEST_LABEL // 2
    return text if len(text) <= LONGEST_LABEL else f"{text[: half - 1]}…{text[-half:]}"


def looks_of(comparison: Comparison) -> tuple[LegLook, ...]:
    """The legs of all variants, those of the first one first."""
    return leg_looks(*(variant.config for variant in comparison.variants))


def has_line(comparison: Comparison) -> bool:
    """Do all variants stand on one line, between the same two legs?"""
    return len(comparison.frontier.legs.names) == len(looks_of(comparison)) == 2


def tone_of(benchmark: BenchmarkFigures, looks: Sequence[LegLook]) -> str:
    """The colour of the leg that a benchmark is; a mix and any other ticker is grey."""
    shares = benchmark.shares
    return NEUTRAL if shares is None or shares.max() < 1.0 else looks[int(shares.argmax())].tone
