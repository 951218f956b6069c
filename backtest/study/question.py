"""What is asked, before anything is loaded: variants by name with what the study says of them, each as a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from backtest.config import Config, Study, question
from backtest.config.fields import Benchmark
from backtest.config.study import WalkForwardTerms
from backtest.errors import ConfigError
from backtest.text import count

LONGEST_NAME = 48
MOST_VARIANTS = 2000


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


def trial_hash(config: Config) -> str:
    """sha256 (hex) of what is asked of the data."""
    asked = question(config.model_copy(update={"name": "trial", "benchmarks": ()}))
    return hashlib.sha256(asked.encode()).hexdigest()


class Questions:
    """Hashes of the configs that differ from a template in parameters alone: `trial_hash`, but fast."""

    def __init__(self, template: Config) -> None:
        self.template = template

    @cached_property
    def _around(self) -> list[str]:
        asked = json.loads(question(self.template.model_copy(update={"name": "trial", "benchmarks": ()})))
        asked["strategy"]["params"] = "\0"
        return _canonical(asked).split(_canonical("\0"))

    def of(self, params: BaseModel) -> str:
        """sha256 (hex) of the question with these parameters."""
        return hashlib.sha256(_canonical(params.model_dump(mode="json")).join(self._around).encode()).hexdigest()


_canonical: Callable[[object], str] = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode
