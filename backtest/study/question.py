"""What is compared: variants by name, with what the study says of them, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backtest.config import Config, Study
from backtest.config.fields import Benchmark
from backtest.config.study import WalkForwardTerms
from backtest.errors import ConfigError
from backtest.study.inputs import MOST_VARIANTS
from backtest.text import count

LONGEST_NAME = 48


@dataclass(frozen=True)
class Question:
    """What to compare, before anything is loaded; path: the file that says when it begins."""

    name: str
    path: Path
    variants: Mapping[str, Config]
    benchmark: Benchmark | None = None
    grid: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    walk_forward: WalkForwardTerms | None = None


def of_study(study: Study) -> Question:
    """The variants of a study, its grid spread out."""
    if len(study.variants) + study.size > MOST_VARIANTS:
        raise ConfigError(
            f"{study.path}: found {count(len(study.variants) + study.size)} variants, expected at most "
            f"{count(MOST_VARIANTS)}: "
            "compare a part of the grid (sample: {count: 500})"
        )
    variants = dict(study.variants)
    for point, config in zip(study.grid_points(), study.grid_configs(), strict=True):
        name = study.label(point)
        if name in variants:  # values that differ beyond the digits of a label
            name = ", ".join(f"{key} {value}" for key, value in point.items())
        variants[name] = config
    return Question(study.name, study.path, variants, study.benchmark, study.grid, study.walk_forward)


def joint_name(names: Sequence[str]) -> str:
    """`a-vs-b`, or how many there are where that is long."""
    name = "-vs-".join(names)
    return name if len(name) <= LONGEST_NAME else f"{len(names)}-configs"
