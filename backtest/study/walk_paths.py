"""Combinatorial purged cross-validation: the same way of choosing, tested on many paths instead of one.

    curves of all variants -> splits -> a choice in each -> paths of choices -> an account each -> PATHS

Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12: the sessions in N groups, each choice of k of
them tested once, C(N, k) splits; each group is then tested C(N - 1, k - 1) = k / N C(N, k) times, which makes as many
paths through all groups.

Training lies after the tested sessions as well as before them, so that no path is a history that anybody could have
traded: paths say how much the outcome of choosing owes to the one order in which things happened. They share their
sessions, so that their spread understates what other decades would bring. An account is a real one, by the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from backtest.account.kernel import run_compiled
from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError
from backtest.market import Floats
from backtest.result import Figures
from backtest.statistics.counts import effective_count, sessions_in, share_interval
from backtest.study.curves import returns_of
from backtest.study.walk import (
    QUARTERS,
    Candidates,
    Choice,
    Stretch,
    above_median,
    chosen,
    figures_of,
    followed,
    measured,
    recommended,
    selected,
)
from backtest.units import SESSIONS_PER_YEAR

SPREAD_KEYS = ("information_ratio", "sharpe", "cagr")
"""Metrics whose distribution over the paths is told."""


@dataclass(frozen=True, slots=True)
class Split:
    """tested: numbers of the groups tested; training, test: the stretches of curves looked at and tested on."""

    tested: tuple[int, ...]
    training: tuple[Stretch, ...]
    test: tuple[Stretch, ...]


@dataclass(frozen=True, eq=False)
class SplitChoice(Choice):
    """The choice for a split, tested on its groups."""

    split: Split


@dataclass(frozen=True, eq=False)
class WalkPaths:
    """All paths over the whole test, beside the benchmark and the variant recommended by all sessions at once.

    choices: one per split. splits: for each path the number of the split that tests each group. equity: (paths,
    sessions), benchmark, in_sample: (sessions,) USD. figures: of each path.
    """

    groups: tuple[Stretch, ...]
    choices: tuple[SplitChoice, ...]
    splits: tuple[tuple[int, ...], ...]
    equity: Floats
    benchmark: Floats
    in_sample: Floats
    best: int
    figures: tuple[Figures, ...]
    benchmark_figures: Figures
    in_sample_figures: Figures

    def values(self, key: str) -> Floats:
        """One metric of all paths, (paths,); NaN where undefined."""
        return np.array([np.nan if each[key] is None else float(each[key]) for each in self.figures])  # type: ignore[arg-type]

    def spread(self, key: str) -> dict[str, float]:
        """Lowest, quarter, median, three quarters and highest of a metric over the paths."""
        names = ("lowest", "quarter", "median", "three_quarters", "highest")
        values = self.values(key)
        found = values[~np.isnan(values)] if not np.isnan(values).all() else values  # under a year has no CAGR
        return dict(zip(names, np.quantile(found, np.linspace(0, 1, 5)).tolist(), strict=True))

    @property
    def above_median(self) -> float:
        """Share of splits in which the chosen variant did better than the median of all in the groups tested."""
        return above_median(self.choices)

    @property
    def above_median_interval(self) -> tuple[float, float]:
        """95% interval of that share, for as many splits as these are worth that share no session."""
        tests = sessions_in([choice.split.test for choice in self.choices])
        return share_interval(self.above_median, effective_count(tests))

    @property
    def ahead(self) -> float:
        """Share of paths that grew more than the benchmark."""
        return float(np.mean(self.equity[:, -1] > self.benchmark[-1]))

    @property
    def independent_paths(self) -> float:
        """Independent histories that the paths are worth: they share their sessions, and much of what they hold."""
        active = returns_of(self.equity) - returns_of(self.benchmark[None])
        return effective_count(np.nan_to_num(active).T)  # a ruined account stays where it is

    @property
    def ahead_interval(self) -> tuple[float, float]:
        """95% interval of the share that is ahead, for as many paths as these are worth."""
        return share_interval(self.ahead, self.independent_paths)


def paths_through(candidates: Candidates, terms: WalkForwardTerms) -> WalkPaths:
    """Choose in every split, follow the choices along every path.

    Raises RunError when groups are too short, or no variant has the metric.
    """
    first, curves, asked = candidates.setting, candidates.curves, terms.combinatorial
    assert asked is not None
    assert first.benchmark is not None
    sessions = curves.shape[1]
    groups = groups_of(sessions, asked.groups)
    splits = splits_of(sessions, terms, first.calendar.periods_per_year)
    with ThreadPoolExecutor() as pool:  # compiled code lets go of the interpreter
        choices = tuple(pool.map(lambda split: _chosen(candidates, terms, split), splits))
    paths = paths_of(splits, asked.groups)
    equity = _accounts(candidates, groups, [[choices[split].number for split in path] for path in paths])
    best = recommended(candidates, terms, selected(measured(curves, first, [(0, sessions)]), terms))
    return WalkPaths(
        groups=tuple(groups),
        choices=choices,
        splits=tuple(paths),
        equity=equity,
        benchmark=first.benchmark,
        in_sample=curves[best],
        best=best,
        figures=tuple(figures_of(first, own, 0, sessions) for own in equity),
        benchmark_figures=figures_of(first, first.benchmark, 0, sessions, is_benchmark=True),
        in_sample_figures=figures_of(first, curves[best], 0, sessions),
    )


def _chosen(candidates: Candidates, terms: WalkForwardTerms, split: Split) -> SplitChoice:
    """What the training of a split recommends."""
    return SplitChoice(**vars(chosen(candidates, terms, split.training, split.test)), split=split)


def _accounts(candidates: Candidates, groups: Sequence[Stretch], chosen: Sequence[Sequence[int]]) -> Floats:
    """Equity of an account per path, (paths, sessions): each group is held by what was chosen for it."""
    begins = [begin for begin, _ in groups]
    plans = (followed(candidates, list(zip(begins, numbers, strict=True))) for numbers in chosen)
    return np.array([run_compiled(plan).equity for plan in plans])


def groups_of(sessions: int, groups: int) -> list[Stretch]:
    """The returns of so many sessions (one fewer) in groups whose sizes differ by at most one."""
    edges = [(sessions - 1) * k // groups for k in range(groups + 1)]
    return [(begin, end + 1) for begin, end in pairwise(edges)]


def splits_of(sessions: int, terms: WalkForwardTerms, year: int = SESSIONS_PER_YEAR) -> list[Split]:
    """All splits, in lexicographic order of the groups tested.

    Not in training: the groups tested, and the purge before and the embargo after each of them. Raises RunError when a
    group, or what is left to look at, is shorter than a quarter of a year (of so many sessions, or months).
    """
    asked, (purge, embargo), fewest = terms.combinatorial, terms.apart, year // QUARTERS
    assert asked is not None
    groups = groups_of(sessions, asked.groups)
    shortest = min(end - begin - 1 for begin, end in groups)
    if shortest < fewest:
        raise RunError(
            f"walk_forward.combinatorial.groups: {asked.groups} groups of {shortest} sessions, "
            f"expected at least {fewest} in each"
        )
    found = []
    for tested in combinations(range(asked.groups), asked.test_groups):
        is_looked_at = np.ones(sessions, dtype=np.bool_)
        is_looked_at[0] = False  # the base row has no return
        for begin, end in (groups[k] for k in tested):
            is_looked_at[max(0, begin + 1 - purge) : end + embargo] = False
        if is_looked_at.sum() < fewest:
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
