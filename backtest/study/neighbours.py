"""Neighbouring parameters: each number moved a little, one at a time; a result that needs its exact number is luck."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

FACTORS = (0.8, 0.9, 1.1, 1.25)
STEPS = (-2, -1, 1, 2)
ZERO_STEP = 0.01
"""What a fraction of zero is moved by: it has no 10% of its own."""

FEW = 10
"""Whole numbers up to here move by steps: a tenth of them is less than one."""


def neighbours_of(params: BaseModel) -> list[tuple[str, BaseModel]]:
    """(what was changed, the parameters) for each valid neighbour: `("lookback_sessions 101", ...)`.

    A number moves by the FACTORS, a small whole number and a zero by the STEPS; what the model refuses is left out.
    """
    near: list[tuple[str, BaseModel]] = []
    for name in type(params).model_fields:
        value = getattr(params, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for moved in _moved(value):
            changed = _valid(params, name, moved)
            if changed is not None:
                near.append((f"{name} {moved:g}", changed))
    return near


def _moved(value: float) -> list[float]:
    """Other values nearby, each once, ascending."""
    if isinstance(value, int):
        values: list[float] = [value + step if value <= FEW else round(value * factor) for step, factor in _both()]
    elif value == 0.0:
        values = [step * ZERO_STEP for step in STEPS]
    else:
        values = [float(f"{value * factor:.12g}") for factor in FACTORS]
    return [moved for moved in sorted(set(values)) if moved != value]


def _both() -> zip[tuple[int, float]]:
    return zip(STEPS, FACTORS, strict=True)


def _valid(params: BaseModel, name: str, value: Any) -> BaseModel | None:
    try:
        return type(params).model_validate({**params.model_dump(), name: value})
    except ValidationError:
        return None
