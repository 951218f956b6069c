"""The values of a swept key: lists and ranges, both ends included, whole numbers whole."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from backtest.config.grid import MAX_AXIS_VALUES, Axis, CountRange, StepRange, sampled

AXIS: TypeAdapter[list[object] | StepRange | CountRange] = TypeAdapter(Axis)


def values_of(form: object) -> tuple[object, ...]:
    axis = AXIS.validate_python(form)
    return tuple(axis) if isinstance(axis, list) else axis.values()


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ([1, 2.5, "x", {"static_mix": 0.5}], (1, 2.5, "x", {"static_mix": 0.5})),
        ({"from": 1, "to": 4, "step": 1}, (1, 2, 3, 4)),
        ({"from": 1, "to": 4, "step": 2}, (1, 3)),
        ({"from": 3, "to": 3, "step": 1}, (3,)),
        ({"from": 0, "to": 0.3, "step": 0.1}, (0.0, 0.1, 0.2, 0.3)),
        ({"from": -0.3, "to": 0.1, "step": 0.1}, (-0.3, -0.2, -0.1, 0.0, 0.1)),
        ({"from": 1, "to": 2.5, "step": 1}, (1, 2)),
        ({"from": 1.0, "to": 3, "step": 1}, (1.0, 2.0, 3.0)),
        ({"from": 5, "to": 25, "count": 5}, (5, 10, 15, 20, 25)),
        ({"from": 0, "to": 1, "count": 5}, (0, 0.25, 0.5, 0.75, 1)),
        ({"from": 1, "to": 64, "count": 7, "scale": "log"}, (1, 2, 4, 8, 16, 32, 64)),
        ({"from": 0.01, "to": 100, "count": 5, "scale": "log"}, (0.01, 0.1, 1.0, 10.0, 100)),
        ({"from": 1, "to": 10, "count": 3, "scale": "log"}, (1, 3.162277660168, 10)),
        ({"from": 7, "to": 9, "count": 2, "scale": "log"}, (7, 9)),
    ],
)
def test_the_values_of_an_axis(form: object, values: tuple[object, ...]) -> None:
    found = values_of(form)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_five_to_250_in_steps_of_five_are_50_whole_numbers() -> None:
    values = values_of({"from": 5, "to": 250, "step": 5})
    assert values == tuple(range(5, 251, 5))
    assert all(type(value) is int for value in values)


@pytest.mark.parametrize("steps", [3, 7, 10, 30, 100, 333, 4999])
def test_the_last_value_is_not_lost_to_rounding(steps: int) -> None:
    values = values_of({"from": 0, "to": 1, "step": 1 / steps})
    assert len(values) == steps + 1
    assert values[-1] == 1.0


@pytest.mark.parametrize(
    "form",
    [
        [],
        "x",
        3,
        None,
        [0] * (MAX_AXIS_VALUES + 1),
        {"from": 1, "to": 0, "step": 1},
        {"from": 1, "to": 2, "step": 0},
        {"from": 1, "to": 2, "step": -1},
        {"from": 1, "to": MAX_AXIS_VALUES + 1, "step": 1},
        {"from": -1e308, "to": 1e308, "step": 1e-308},
        {"from": 0, "to": 1e-10, "step": 1e-13},
        {"from": 1, "to": 2},
        {"from": 1, "step": 2},
        {"from": 1, "to": 2, "step": 1, "count": 2},
        {"from": True, "to": 2, "step": 1},
        {"from": "1", "to": 2, "step": 1},
        {"from": 1, "to": 2, "count": 1},
        {"from": 1, "to": 2, "count": 2.0},
        {"from": 2, "to": 2, "count": 2},
        {"from": 0, "to": 2, "count": 2, "scale": "log"},
        {"from": 1, "to": 2, "count": 2, "scale": "lin"},
        {"from": 1, "to": 1 + 1e-14, "count": 5},
    ],
)
def test_an_axis_that_is_none_is_refused(form: object) -> None:
    with pytest.raises(ValidationError):
        AXIS.validate_python(form)


def test_extreme_ranges_stay_finite() -> None:
    assert values_of({"from": 1e-3, "to": 1e300, "count": 3, "scale": "log"})[2] == 1e300
    assert values_of({"from": -1e308, "to": 1e308, "count": 3}) == (-1e308, 0.0, 1e308)


def test_a_sample_is_seeded_sorted_and_without_repetition() -> None:
    assert sampled(5, 100, 1) == sampled(5, 100, 1) != sampled(5, 100, 2)
    assert sampled(7, 7, 3) == tuple(range(7))
    many = sampled(500, 10**12, 0)
    assert len(set(many)) == 500
    assert list(many) == sorted(many)
    assert 0 <= many[0] <= many[-1] < 10**12


def test_every_point_is_as_likely_to_be_sampled() -> None:
    counts = [0] * 10
    for seed in range(2000):
        for number in sampled(3, 10, seed):
            counts[number] += 1
    # 600 expected each, standard deviation 20.5: five of them are wide enough for ten counts.
    assert all(abs(count - 600) < 103 for count in counts)


def test_a_sample_is_the_same_everywhere() -> None:
    assert sampled(4, 1000, 42) == SAMPLE_OF_SEED_42


SAMPLE_OF_SEED_42 = (24, 223, 274, 637)
