"""A study: many configs from one file, as variants of a base, as a list of files, or as a grid.

`StudyFile` is what its YAML may say, `Study` what `load_study` makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field

from backtest.config.fields import Benchmark, Mix, Model, Name, TwoLegMix
from backtest.config.grid import Axis, Grid
from backtest.config.models import Config
from backtest.config.resolve import question
from backtest.text import settings

MAX_VARIANTS: Final = 500
MAX_AXES: Final = 20
MAX_SWEPT: Final = 10_000_000
"""Of a grid or its sample: a night of two cores."""


class GridSample(Model):
    """A random part of a grid, the same for the same seed."""

    count: int = Field(ge=1, le=MAX_SWEPT, description="how many points")
    seed: int = Field(0, ge=0, description="another seed, another sample")


class Combinatorial(Model):
    """How combinatorial purged cross-validation parts the sessions."""

    groups: int = Field(8, ge=2, le=20, description="parts of equal length that the sessions are cut into")
    test_groups: int = Field(2, ge=1, le=10, description="parts tested at once, in every combination")
    purge_sessions: int | None = Field(
        None, ge=0, le=2520, description="sessions before each test not looked at; by default the walk-forward's"
    )
    embargo_sessions: int | None = Field(
        None, ge=0, le=2520, description="sessions after each test not looked at; by default the walk-forward's"
    )


class WalkForwardTerms(Model):
    """How a walk-forward chooses among the variants of a grid, and when."""

    train_years: int = Field(5, ge=1, le=50, description="years looked at before each choice")
    test_years: int = Field(1, ge=1, le=10, description="years each choice is held for")
    anchored: bool = Field(False, description="look at everything since the start instead of the last train_years")
    purge_sessions: int = Field(0, ge=0, le=2520, description="sessions before a choice that it may not look at")
    embargo_sessions: int = Field(0, ge=0, le=252, description="sessions from a choice until it is acted upon")
    select: str = Field("information_ratio", description="the metric whose best is chosen")
    plateau: bool = Field(False, description="choose the best mean of a neighbourhood instead of the best point")
    combinatorial: Combinatorial | None = Field(
        None, description="also test the choosing on many paths (combinatorial purged cross-validation)"
    )

    @property
    def apart(self) -> tuple[int, int]:
        """Sessions before and after each test that a combinatorial choice does not look at."""
        own = self.combinatorial or Combinatorial()
        purge = self.purge_sessions if own.purge_sessions is None else own.purge_sessions
        return purge, self.embargo_sessions if own.embargo_sessions is None else own.embargo_sessions


class StudyFile(Model):
    """What a study's YAML may say."""

    name: Name = Field(description="names the study and its folder of results")
    base: str | None = Field(None, description="the config that variants and grid change, relative to this file")
    variants: dict[Name, dict[str, Any] | None] = Field(
        default_factory=dict, max_length=MAX_VARIANTS, description="name of each variant and what differs from the base"
    )
    configs: tuple[str, ...] = Field(
        (), max_length=MAX_VARIANTS, description="config files, each a variant named as itself"
    )
    grid: dict[str, Axis] = Field(
        default_factory=dict, max_length=MAX_AXES, description="dotted key of the config and the values it takes"
    )
    benchmark: Benchmark | None = Field(None, description="what all are compared with; without it, their own first")
    sample: GridSample | None = Field(None, description="take a random part of the grid only")
    walk_forward: WalkForwardTerms = Field(
        default_factory=WalkForwardTerms, description="how `backtest walk-forward` chooses"
    )


@dataclass(frozen=True)
class Study:
    """Variants by name, in the file's order, and a grid around a base, whose configs are made one by one.

    Attributes
    ----------
    name : str
        Of the study.
    path : Path
        Of its file.
    benchmark : str or mix or None
        The declared one, which is among every config's benchmarks.
    variants : dict of str to Config
        Those that the file names.
    grid : dict of str to tuple
        Swept key -> its values.
    base : Config or None
        What the grid is spread around.
    sample : GridSample or None
        How many variants of the grid are drawn, and by which seed.
    walk_forward : WalkForwardTerms
        Years to train and test, and what to choose by.
    """

    name: str
    path: Path
    benchmark: str | TwoLegMix | Mix | None
    variants: Mapping[str, Config]
    grid: Mapping[str, tuple[object, ...]]
    base: Config | None
    sample: GridSample | None = None
    walk_forward: WalkForwardTerms = field(default_factory=WalkForwardTerms)
    _points: Grid | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Variants of the grid, or of its sample; 0 without a grid."""
        return self._points.size if self._points else 0

    def grid_points(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, object]]:
        """Swept key -> value for each variant in order; the last key's values change fastest."""
        axes = list(self.grid.items())
        for number in range(self.size)[start:stop]:
            digits = self._points.digits(number) if self._points else ()
            yield {key: values[digit] for (key, values), digit in zip(axes, digits, strict=True)}

    def label(self, point: Mapping[str, object]) -> str:
        """What a variant sets, in words; keys of one value are left out: `lookback_sessions 63, threshold 0.01`."""
        return settings({key: value for key, value in point.items() if len(self.grid[key]) > 1} or point)

    def grid_configs(self, start: int = 0, stop: int | None = None) -> Iterator[Config]:
        """The Config of each variant, in the order of `grid_points`.

        Raises ConfigError where values do not go together; `grid_config` goes on behind such a variant.
        """
        return (self.grid_config(number) for number in range(self.size)[start:stop])

    def grid_config(self, number: int) -> Config:
        """The Config of one variant, counted from 0; raises ConfigError where its values do not go together."""
        points = self._grid_with(number)
        return with_benchmark(points.config(points.digits(number)), self.benchmark)

    def grid_parts(self, number: int) -> tuple[Config, BaseModel]:
        """The same variant as a Config but for the strategy's parameters, and these; without the study's benchmark.

        Variants that differ in parameters alone share one and the same Config object.
        """
        points = self._grid_with(number)
        return points.parts(points.digits(number))

    def digits(self, number: int) -> tuple[int, ...]:
        """Which value of each swept key a variant has."""
        return self._grid_with(number).digits(number)

    def _grid_with(self, number: int) -> Grid:
        if self._points is None or not 0 <= number < self.size:
            raise IndexError(f"point {number} of a grid of {self.size}")
        return self._points


def study_question(study: Study) -> str:
    """What a study asks, as canonical JSON without locations; the counterpart of `question` for a config."""
    asked = {
        "name": study.name,
        "benchmark": _plain(study.benchmark),
        "variants": {name: json.loads(question(config)) for name, config in study.variants.items()},
        "base": json.loads(question(study.base)) if study.base else None,
        "grid": {key: list(values) for key, values in study.grid.items()},
        "sample": _plain(study.sample),
    }
    return json.dumps(asked, sort_keys=True, allow_nan=False, separators=(",", ":"))


def with_benchmark(config: Config, benchmark: str | TwoLegMix | Mix | None) -> Config:
    """The config with the study's benchmark among its own."""
    if benchmark is None or benchmark in config.benchmarks:
        return config
    return config.model_copy(update={"benchmarks": (*config.benchmarks, benchmark)})


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
