"""Combinatorial purged cross-validation: the same way of choosing, tested on many paths instead of one.

    curves of all points -> splits -> a choice in each -> paths of choices -> an account each -> PATHS

Training lies after the tested sessions as well as before them, so that no path is a history that anybody could have
traded: paths say how much the outcome of choosing owes to the one order in which things happened. They share their
sessions, so that their spread understates what other decades would bring.

An account is a real one, by the kernel: changing from one variant to another costs what its trades cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from backtest.account.kernel import run_compiled
from backtest.config.study import WalkForwardTerms
from backtest.market import Floats
from backtest.result import Figures
from backtest.study.sweep import Sweep
from backtest.study.walk_account import follower
from backtest.study.walk_groups import Split, Stretch, groups_of, paths_of, splits_of
from backtest.study.walk_measure import figures_of, measured, rank_of, recommended, selected, sign_of

SPREAD_KEYS = ("information_ratio", "sharpe", "cagr")
"""Metrics whose distribution over the paths is told."""


@dataclass(frozen=True, eq=False)
class SplitChoice:
    """What was chosen for a split: the metric in training, in the groups tested, and the share of variants below it."""

    split: Split
    number: int
    values: Mapping[str, object]
    inside: float
    outside: float
    rank: float


@dataclass(frozen=True, eq=False)
class Paths:
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
        return float(np.mean([choice.rank > 0.5 for choice in self.choices]))

    @property
    def ahead(self) -> float:
        """Share of paths that grew more than the benchmark."""
        return float(np.mean(self.equity[:, -1] > self.benchmark[-1]))


def paths_through(result: Sweep, terms: WalkForwardTerms, curves: Floats) -> Paths:
    """Choose in every split, follow the choices along every path; curves: of all points, (variants, sessions).

    Raises RunError when groups are too short, or no variant has the metric.
    """
    first, asked = result.first, terms.combinatorial
    assert asked is not None
    assert first.benchmark is not None
    sessions = curves.shape[1]
    groups = groups_of(sessions, asked.groups)
    splits = splits_of(sessions, terms)
    with ThreadPoolExecutor() as pool:  # compiled code lets go of the interpreter
        choices = tuple(pool.map(lambda split: _chosen(result, terms, curves, split), splits))
    paths = paths_of(splits, asked.groups)
    equity = _accounts(result, groups, [[choices[split].number for split in path] for path in paths])
    best = recommended(result, terms, selected(measured(curves, first, [(0, sessions)]), terms))
    return Paths(
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


def _chosen(result: Sweep, terms: WalkForwardTerms, curves: Floats, split: Split) -> SplitChoice:
    """The variant that the training of a split recommends, and how it did in the groups tested."""
    before, after = (selected(measured(curves, result.first, on), terms) for on in (split.training, split.test))
    number, sign = recommended(result, terms, before), sign_of(terms)
    return SplitChoice(
        split=split,
        number=number,
        values=result.values(number),
        inside=float(sign * before[number]),
        outside=float(sign * after[number]),
        rank=rank_of(after, number),
    )


def _accounts(result: Sweep, groups: Sequence[Stretch], followed: Sequence[Sequence[int]]) -> Floats:
    """Equity of an account per path, (paths, sessions): each group is held by what was chosen for it."""
    plan = follower(result)
    begins = [begin for begin, _ in groups]
    return np.array([run_compiled(plan(list(zip(begins, numbers, strict=True)))).equity for numbers in followed])
