"""The splits and paths of combinatorial purged cross-validation, as rows of the test.

Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12: the sessions in N groups, each choice of k of
them tested once, C(N, k) splits; each group is then tested C(N - 1, k - 1) = k / N C(N, k) times, which makes as many
paths through all groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError
from backtest.study.walk_windows import FEWEST_SESSIONS

Stretch = tuple[int, int]
"""Rows begin ... end - 1 of curves, the first of which is the base of the returns: stretches meet in a row."""


@dataclass(frozen=True, slots=True)
class Split:
    """tested: numbers of the groups tested; training, test: the stretches of curves looked at and tested on."""

    tested: tuple[int, ...]
    training: tuple[Stretch, ...]
    test: tuple[Stretch, ...]


def groups_of(sessions: int, groups: int) -> list[Stretch]:
    """The returns of so many sessions (one fewer) in groups whose sizes differ by at most one."""
    edges = [(sessions - 1) * k // groups for k in range(groups + 1)]
    return [(begin, end + 1) for begin, end in pairwise(edges)]


def splits_of(sessions: int, terms: WalkForwardTerms) -> list[Split]:
    """All splits, in lexicographic order of the groups tested.

    Not in training: the groups tested, and the purge before and the embargo after each of them. Raises RunError when a
    group, or what is left to look at, is shorter than a quarter of a year.
    """
    asked, (purge, embargo) = terms.combinatorial, terms.apart
    assert asked is not None
    groups = groups_of(sessions, asked.groups)
    shortest = min(end - begin - 1 for begin, end in groups)
    if shortest < FEWEST_SESSIONS:
        raise RunError(
            f"walk_forward.combinatorial.groups: {asked.groups} groups of {shortest} sessions, "
            f"expected at least {FEWEST_SESSIONS} in each"
        )
    found = []
    for tested in combinations(range(asked.groups), asked.test_groups):
        is_looked_at = np.ones(sessions, dtype=np.bool_)
        is_looked_at[0] = False  # the base row has no return
        for begin, end in (groups[k] for k in tested):
            is_looked_at[max(0, begin + 1 - purge) : end + embargo] = False
        if is_looked_at.sum() < FEWEST_SESSIONS:
            raise RunError(
                f"walk_forward: a purge of {purge}, an embargo of {embargo} sessions leave nothing to look at"
            )
        found.append(Split(tested, _stretches(is_looked_at), tuple(groups[k] for k in tested)))
    return found


def paths_of(splits: list[Split], groups: int) -> list[tuple[int, ...]]:
    """For each path the number of the split that tests each group: the path's number-th one that tests it."""
    testing = [[number for number, split in enumerate(splits) if group in split.tested] for group in range(groups)]
    return list(zip(*testing, strict=True))


def _stretches(is_looked_at: npt.NDArray[np.bool_]) -> tuple[Stretch, ...]:
    """Runs of returns, each with the row before it as its base."""
    edges = np.flatnonzero(np.diff(is_looked_at.astype(np.int8), prepend=0, append=0))
    return tuple((int(first) - 1, int(behind)) for first, behind in edges.reshape(-1, 2))
