"""A grid: the values each swept key takes, and their product around a base config, one variant at a time.

Both ends of a range belong to it, and whole numbers stay whole: a parameter that counts sessions takes no 5.0. A grid
of 100,000 variants is never held in memory: along axes that are parameters of the strategy a variant costs their
validation alone, the rest of the config is checked once and shared.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from backtest.config.fields import Model, expected, mistake, unexpected
from backtest.config.layers import merged, put
from backtest.config.load import Checker
from backtest.config.models import Config
from backtest.config.nodes import (
    MAX_PROBLEMS,
    Node,
    NodePath,
    Problem,
    descend,
    dotted,
    found,
    path_of,
    plain,
    printable,
    refusal,
)

MAX_AXIS_VALUES: Final = 5_000
_DECIMALS: Final = 12
_DIGITS: Final = 15
"""Computed values are rounded so that -0.3 + 3 * 0.1 is 0 and 0.1 + 2 * 0.1 is 0.3, as the user means them."""


def _number(value: object) -> object:
    if type(value) not in (int, float):
        raise unexpected("a number")
    return value


# pydantic's float would make a float of every whole number.
Number = Annotated[Any, AfterValidator(_number), WithJsonSchema({"type": "number"})]


class StepRange(Model):
    """from, from + step, ... up to `to`, which is included when a step falls on it."""

    from_: Number = Field(alias="from", description="the first value")
    to: Number = Field(description="the last value, if a step falls on it")
    step: Number = Field(description="the distance of two values, above 0")

    @model_validator(mode="after")
    def _is_sound(self) -> StepRange:
        if self.step <= 0:
            raise mistake(f"found the step {self.step}, expected a number above 0")
        if self.to < self.from_:
            raise mistake(f"found no value from {self.from_} to {self.to}, expected from <= to")
        if (self.to - self.from_) / self.step >= MAX_AXIS_VALUES:
            raise mistake(f"found too many values, expected at most {MAX_AXIS_VALUES:,}")
        _check_apart(self.values())
        return self

    def values(self) -> tuple[int | float, ...]:
        """All values, in order."""
        # The tolerance keeps 0.3 in {from: 0, to: 0.3, step: 0.1}, which is 2.9999999999999996 steps long.
        count = math.floor((self.to - self.from_) / self.step + 1e-9) + 1
        values = [self.from_ + i * self.step for i in range(count)]
        return tuple(values if _are_whole(values) else map(_rounded, values))


class CountRange(Model):
    """`count` values between two ends, which are both included: equally far apart, or in equal ratios."""

    from_: Number = Field(alias="from", description="the first value")
    to: Number = Field(description="the last value")
    count: int = Field(ge=2, le=MAX_AXIS_VALUES, description="how many values")
    scale: Literal["linear", "log"] = Field("linear", description="equal differences, or equal ratios")

    @model_validator(mode="after")
    def _is_sound(self) -> CountRange:
        if self.to <= self.from_:
            raise mistake(f"found no range from {self.from_} to {self.to}, expected from < to")
        if self.scale == "log" and self.from_ <= 0:
            raise mistake(f"found a log scale from {self.from_}, expected from above 0")
        _check_apart(self.values())
        return self

    def values(self) -> tuple[int | float, ...]:
        """All values, in order; whole numbers when the ends are whole and all between them come out whole."""
        shares = [i / (self.count - 1) for i in range(1, self.count - 1)]
        if self.scale == "log":
            low, high = math.log(self.from_), math.log(self.to)
            inner = [_rounded(math.exp(low + (high - low) * share)) for share in shares]
        else:
            inner = [_rounded(self.from_ * (1 - share) + self.to * share) for share in shares]
        if _are_whole((self.from_, self.to)) and all(value.is_integer() for value in inner):
            return (self.from_, *map(int, inner), self.to)
        return (self.from_, *inner, self.to)


_LIST, _STEP, _COUNT = "(list)", "(step)", "(count)"


def axis_form(value: object) -> str:
    """Which form of axis is meant: a list, or a range by step or by count."""
    if isinstance(value, dict):
        return _STEP if "step" in value else _COUNT
    return _STEP if isinstance(value, StepRange) else _COUNT if isinstance(value, CountRange) else _LIST


Axis: TypeAlias = Annotated[
    Annotated[list[Any], Field(min_length=1, max_length=MAX_AXIS_VALUES), Tag(_LIST)]
    | Annotated[StepRange, Tag(_STEP)]
    | Annotated[CountRange, Tag(_COUNT)],
    Discriminator(axis_form),
    Field(
        json_schema_extra=expected(
            "a list such as [1, 2], {from: 5, to: 250, step: 5} or {from: 1, to: 64, count: 7, scale: log}"
        )
    ),
]


def _are_whole(values: Sequence[int | float]) -> bool:
    return all(type(value) is int for value in values)


def _rounded(value: float) -> float:
    return float(f"{round(value, _DECIMALS):.{_DIGITS}g}") + 0.0


def _check_apart(values: Sequence[int | float]) -> None:
    if len(set(values)) < len(values):
        raise mistake(f"found values closer than {10.0**-_DECIMALS:g}, expected them further apart")


_PARAMS: Final = ("strategy", "params")
_MOST_TEMPLATES: Final = 1024


@dataclass(frozen=True)
class GridAxis:
    """One swept key (dotted, as the user wrote it) and its values as nodes; `node` is the place of the key."""

    key: str
    node: Node
    values: tuple[Node, ...]

    @cached_property
    def path(self) -> NodePath:
        """The key's parts."""
        return path_of(self.key)

    @cached_property
    def is_param(self) -> bool:
        """Does it change parameters of the strategy alone, to values that replace what was there?"""
        return self.path[:2] == _PARAMS and len(self.path) > 2 and not any(isinstance(v, dict) for v in self.plain)

    @cached_property
    def plain(self) -> tuple[object, ...]:
        """The values as plain data."""
        return tuple(plain(value) for value in self.values)


@dataclass(frozen=True)
class Grid:
    """Axes around a base; variants are numbered, the last axis turning fastest.

    chosen: the numbers of the variants of a random sample, ascending; None for all.
    """

    axes: tuple[GridAxis, ...]
    base: Node
    checker: Checker
    chosen: tuple[int, ...] | None = None
    _templates: dict[tuple[int, ...], tuple[Config, dict[str, Any]]] = field(default_factory=dict, repr=False)

    @cached_property
    def _lengths(self) -> list[int]:
        return [len(axis.values) for axis in self.axes]

    @cached_property
    def _swept_params(self) -> list[tuple[int, NodePath, tuple[object, ...]]]:
        """Axes along which only the strategy's parameters change: position, path below `params`, values."""
        return [(i, axis.path[2:], axis.plain) for i, axis in enumerate(self.axes) if axis.is_param]

    @cached_property
    def _shared(self) -> list[int]:
        """Positions of all other axes."""
        return [i for i, axis in enumerate(self.axes) if not axis.is_param]

    @property
    def size(self) -> int:
        """How many variants there are, or are chosen."""
        return math.prod(self._lengths) if self.chosen is None else len(self.chosen)

    def digits(self, number: int) -> tuple[int, ...]:
        """Which value of each axis the variant with a number has."""
        rest = number if self.chosen is None else self.chosen[number]
        digits = []
        for length in reversed(self._lengths):
            rest, digit = divmod(rest, length)
            digits.append(digit)
        return tuple(digits[::-1])

    def config(self, digits: tuple[int, ...]) -> Config:
        """The Config of a variant; raises ConfigError where the values do not go together."""
        template, params = self.parts(digits)
        return template.model_copy(update={"strategy": template.strategy.model_copy(update={"params": params})})

    def parts(self, digits: tuple[int, ...]) -> tuple[Config, BaseModel]:
        """A variant as a Config but for its parameters, the same object for all variants that share it, and these.

        Raises ConfigError where the values do not go together.
        """
        shared = tuple([digits[i] for i in self._shared])
        if shared not in self._templates:
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            self._templates[shared] = self._checked(digits)
        template, params = self._templates[shared]
        for i, path, values in self._swept_params:
            params = _with(params, path, values[digits[i]])
        typed = self._typed(self.checker.params[template.strategy.name], params)
        if typed is None:
            config = self._checked(digits)[0]  # tells what is wrong
            return config, config.strategy.params
        return template, typed

    def _typed(self, model: type[BaseModel], params: dict[str, Any]) -> BaseModel | None:
        """The parameters of a model, as it reads them from a file; None where they are wrong."""
        with suppress(ValidationError):  # numbers and words need no detour; a list is no tuple for Python
            return model.model_validate(params, strict=True, context=self.checker.params)
        with suppress(ValidationError):
            return model.model_validate_json(json.dumps(params), strict=True, context=self.checker.params)
        return None

    def tree(self, digits: Sequence[int]) -> Node:
        """The tree of a variant."""
        children: dict[str, Node] = {}
        for axis, digit in zip(self.axes, digits, strict=True):
            put(children, axis.path, axis.values[digit])
        return merged(self.base, Node(children, self.axes[0].node.origin))

    def problems(self) -> list[Problem]:
        """What is wrong with the first variant, and with any other value by itself.

        Values that are right but do not go together are told by `config` when they meet.
        """
        first = [0] * len(self.axes)
        _, wrong = self.checker.check(self.tree(first))
        problems = [_told(problem, self.axes[0]) for problem in wrong]
        for i, axis in enumerate(self.axes):
            for digit in range(1, len(axis.values)):
                _, wrong = self.checker.check(self.tree([*first[:i], digit, *first[i + 1 :]]))
                own = [problem for problem in wrong if f"{problem.key}.".startswith((f"{axis.key}.", f"{axis.key}["))]
                problems += [_told(problem, axis) for problem in own]
                if len(problems) > MAX_PROBLEMS:
                    return problems
                if own and isinstance(axis.node.value, dict):
                    break  # of a range, one value out of range speaks for all
        return problems

    def _checked(self, digits: tuple[int, ...]) -> tuple[Config, dict[str, Any]]:
        """The Config of a variant and its parameters as plain data, all of it validated."""
        tree = self.tree(digits)
        config, wrong = self.checker.check(tree)
        if wrong or config is None:
            point = ", ".join(f"{axis.key}={axis.values[i].text}" for axis, i in zip(self.axes, digits, strict=True))
            raise refusal(replace(problem, key=f"grid: {printable(point)}: {problem.key}") for problem in wrong)
        path, params = descend(tree, _PARAMS)
        data = plain(params) if path == _PARAMS else {}
        return config, data if isinstance(data, dict) else {}


def axes_of(grid: Node | None, typed: Mapping[str, Axis]) -> tuple[tuple[GridAxis, ...], list[Problem]]:
    """The axes of a study's `grid`, and what is wrong with their keys or said twice."""
    nodes = grid.value if grid and isinstance(grid.value, dict) else {}
    axes = tuple(GridAxis(key, nodes[key], _values(axis, nodes[key])) for key, axis in typed.items())
    problems = []
    for axis in axes:
        at = f"grid.{dotted((axis.key,))}"
        if not all(part.isprintable() and part == part.strip() and part for part in axis.key.split(".")):
            text = "expected a dotted key such as strategy.params.lookback_sessions"
            problems.append(Problem(axis.node.origin, at, text))
        over = [other.key for other in axes if other is not axis and other.path == axis.path[: len(other.path)]]
        if over:
            problems.append(Problem(axis.node.origin, at, f"swept already by {printable(over[0])}"))
        if isinstance(axis.node.value, list):
            repeated = [node for i, node in enumerate(axis.values) if axis.plain[i] in axis.plain[:i]]
            problems += [Problem(node.origin, at, f"found {found(node)} twice, expected it once") for node in repeated]
    count = sum(len(axis.values) for axis in axes)
    if grid and count > MAX_AXIS_VALUES:
        text = f"found {count:,} values in all lists and ranges, expected at most {MAX_AXIS_VALUES:,}"
        problems.append(Problem(grid.origin, "grid", text))
    return axes, problems


def _values(axis: Axis, node: Node) -> tuple[Node, ...]:
    """The values of an axis as nodes: a list's own, a range's at the line of its key."""
    if isinstance(axis, list):
        return tuple(node.value) if isinstance(node.value, list) else ()
    return tuple(Node(value, node.origin, repr(value)) for value in axis.values())


def _with(data: Any, path: NodePath, value: object) -> Any:
    """Plain data with another value at a path, which a checked variant has had before."""
    part, rest = path[0], path[1:]
    if isinstance(data, list):
        return [(_with(each, rest, value) if rest else value) if k == part else each for k, each in enumerate(data)]
    below = data.get(part) if isinstance(data, dict) else None
    return {**(data or {}), part: _with(below, rest, value) if rest else value}


def sampled(count: int, size: int, seed: int) -> tuple[int, ...]:
    """`count` different numbers below `size`, ascending; the same for a seed on every version of Python.

    Floyd's algorithm on random(), whose sequence Python guarantees (that of random.sample it does not).
    """
    generator = random.Random(seed)
    chosen: set[int] = set()
    for last in range(size - count, size):
        number = int(generator.random() * (last + 1))
        chosen.add(last if number in chosen else number)
    return tuple(sorted(chosen))


def _told(problem: Problem, axis: GridAxis) -> Problem:
    """A problem of a variant, told in the study."""
    is_here = problem.origin.source == axis.node.origin.source
    return Problem(problem.origin if is_here else axis.node.origin, f"grid.{problem.key}", problem.text)
