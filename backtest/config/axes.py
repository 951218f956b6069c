"""The values one swept key takes: a list, or a range in equal steps, by count, or in equal ratios.

Both ends of a range belong to it. Whole numbers stay whole: a parameter that counts sessions takes no 5.0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from backtest.config.fields import Model, expected, mistake, unexpected

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
