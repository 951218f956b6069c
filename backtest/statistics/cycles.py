"""One number for each cycle: so few are tested by Student's t and by how many are positive; nothing is resampled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ByCycle:
    """Each cycle as one observation. names, values: mean over its windows. t: n - 1 degrees of freedom; p: one-sided.

    positive: how many are above 0; p_signs: chance of so many or more heads of n coins.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    t: float | None
    p: float | None
    positive: int
    p_signs: float | None


def t_of(values: Floats) -> float | None:
    """Student's t of a mean, ddof 1; None for fewer than two values, or equal ones."""
    if len(values) < 2:
        return None
    deviation = float(values.std(ddof=1))
    return float(values.mean()) / deviation * math.sqrt(len(values)) if deviation > 0 else None


def by_cycle(values: Floats, cycles: Sequence[str]) -> ByCycle:
    """The mean of each cycle's values, in the order in which the cycles come."""
    names = list(dict.fromkeys(cycles))
    own = np.array(cycles)
    means = np.array([values[own == name].mean() for name in names])
    t, n = t_of(means), len(means)
    positive = int((means > 0).sum())
    signs = sum(math.comb(n, k) for k in range(positive, n + 1)) / 2**n if n else None
    p = None if t is None else student_above(t, n - 1)
    return ByCycle(tuple(names), tuple(means.tolist()), t, p, positive, signs)


def student_above(t: float, freedom: int) -> float:
    """Chance that Student's t with so many whole degrees of freedom is as large; the finite sums of Abramowitz and
    Stegun 26.7.3 and 26.7.4, since importing scipy's costs more than a study.
    """
    angle = math.atan2(abs(t), math.sqrt(freedom))
    square, term, total = math.cos(angle) ** 2, 1.0, 0.0
    if freedom % 2:
        term = math.cos(angle)
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= square * 2 * k / (2 * k + 1)
        inside = 2 / math.pi * (angle + math.sin(angle) * total)
    else:
        for k in range(1, freedom // 2 + 1):
            total += term
            term *= square * (2 * k - 1) / (2 * k)
        inside = math.sin(angle) * total
    return (1 - inside) / 2 if t > 0 else (1 + inside) / 2
