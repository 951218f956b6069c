"""Walk: choose by the past alone, hold the choice for a while, choose again; what would that have been worth?

    curves of all variants -> windows -> choices -> one account that follows them -> WALK

The account is a real one: what was decided by the variant chosen at each time, run by the kernel and by backtrader,
so that changing from one variant to another costs what its trades cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.account import Books, check_same_books, run_backtrader
from backtest.account.benchmarks import benchmark_name
from backtest.account.kernel import EXPOSURES, run_compiled
from backtest.account.plan import Plan
from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS, Calendar, Spans, calendar_and_tbill, metric_of, metrics
from backtest.metrics.formulas import measured_against, measurer
from backtest.result import Figures
from backtest.statistics.counts import effective_count, sessions_in, share_interval
from backtest.study.curves import annual_growth, years_between
from backtest.study.effects import Plateau
from backtest.study.settings import Setting, ranked_by
from backtest.units import SESSIONS_PER_YEAR

QUARTERS = 4
"""Of a year: neither a choice nor a test is made on less than one of them."""

BLOCK = 256
"""Curves joined at once: some 12 MB for 25 years."""

Stretch = tuple[int, int]
"""Rows begin ... end - 1 of curves, the first of which is the base of the returns: stretches meet in a row."""

Change = tuple[int, int]
"""Row of the test at whose close a variant is taken up, and its number."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of the test: chosen on curves from `train` up to `known`, held from `begin` up to `end` (closes)."""

    train: int
    known: int
    begin: int
    end: int


@dataclass(frozen=True, eq=False)
class Candidates:
    """What is chosen among: curves (variants, sessions) on the sessions, T-bills and benchmark of one setting.

    plan_of: a variant's number -> its plan; all on the same tickers and, but for the rebalancing, on the same terms.
    values_of: a variant's number -> swept key -> value. plateau_of: scores of all -> their plateau, None where they
    have no neighbours. where: the study's file, for messages.
    """

    setting: Setting
    curves: Floats
    plan_of: Callable[[int], Plan]
    values_of: Callable[[int], Mapping[str, object]]
    plateau_of: Callable[[Floats], Plateau | None]
    where: str


@dataclass(frozen=True, eq=False)
class Choice:
    """A variant that was chosen, and how it then did.

    values: swept key -> value; inside: the metric in training; outside: where it was tested; rank: share of all
    variants whose metric there is below the chosen one's (ties half).
    """

    number: int
    values: Mapping[str, object]
    inside: float
    outside: float
    rank: float


@dataclass(frozen=True, eq=False)
class WindowChoice(Choice):
    """The choice for a window; growth and benchmark_growth: while it was held, as fractions."""

    window: Window
    growth: float
    benchmark_growth: float


@dataclass(frozen=True, eq=False)
class Walk:
    """The account that follows the choices beside the benchmark and the best in hindsight, from the first test session.

    equity, benchmark, hindsight: (sessions,) USD from the same starting cash. figures: by name, METRIC_KEYS. best: the
    variant that was best over the same sessions, known only afterwards. average: mean weight by ticker of the account.
    """

    terms: WalkForwardTerms
    choices: tuple[WindowChoice, ...]
    sessions: pd.DatetimeIndex
    equity: Floats
    benchmark: Floats
    hindsight: Floats
    best: int
    figures: Mapping[str, Figures]
    average: Mapping[str, float]

    @property
    def above_median(self) -> float:
        """Share of windows in which the chosen variant did better than the median of all, by the same metric."""
        return above_median(self.choices)

    @property
    def above_median_interval(self) -> tuple[float, float]:
        """95% interval of that share, for as many windows as these are worth that do not overlap."""
        tests = [[(choice.window.begin, choice.window.end)] for choice in self.choices]
        return share_interval(self.above_median, effective_count(sessions_in(tests)))

    @property
    def growth(self) -> float:
        """Growth a year of the account that follows the choices."""
        return self._growth(self.equity)

    @property
    def benchmark_growth(self) -> float:
        """Of the benchmark."""
        return self._growth(self.benchmark)

    @property
    def hindsight_growth(self) -> float:
        """Of the best in hindsight."""
        return self._growth(self.hindsight)

    def _growth(self, curve: Floats) -> float:
        return annual_growth(curve[-1] / curve[0], years_between(self.sessions))

    @property
    def picks(self) -> list[tuple[pd.Timestamp, int]]:
        """From which close on which variant was held."""
        begin = self.choices[0].window.begin
        return [(self.sessions[choice.window.begin - begin], choice.number) for choice in self.choices]


def walk(candidates: Candidates, terms: WalkForwardTerms) -> Walk | None:
    """Choose by the past alone, hold, choose again; None when the period has no test window.

    Raises RunError when windows are too short, or no variant has the metric.
    """
    setting = candidates.setting
    windows = windows_of(setting.plan.sessions, terms, setting.calendar.periods_per_year)
    if not windows:
        return None
    choices = tuple(_chosen(candidates, terms, window) for window in windows)
    held = _held(candidates, choices, windows[0].begin, windows[-1].end)
    return Walk(terms=terms, choices=choices, **held)


def windows_of(sessions: pd.DatetimeIndex, terms: WalkForwardTerms, year: int = SESSIONS_PER_YEAR) -> list[Window]:
    """The windows of a period, in order; each choice is made at the close that begins a test year.

    Test windows meet in a row: the close that ends one begins the next. The last one may be shorter, but for one of
    less than a quarter of a year. year: sessions in one, or months.
    """
    first = sessions[0]
    windows: list[Window] = []
    years = terms.train_years
    while True:
        known = int(sessions.searchsorted(first + pd.DateOffset(years=years)))
        until = int(sessions.searchsorted(first + pd.DateOffset(years=years + terms.test_years)))
        end = min(until + terms.embargo_sessions, len(sessions) - 1)
        begin = known + terms.embargo_sessions
        if end - begin < year // QUARTERS:
            return windows
        back = 0 if terms.anchored else years - terms.train_years
        train = int(sessions.searchsorted(first + pd.DateOffset(years=back)))
        windows.append(Window(train, known - terms.purge_sessions + 1, begin, end + 1))
        if windows[-1].known - train < year // QUARTERS:
            raise RunError(f"walk_forward.purge_sessions: {terms.purge_sessions} leave nothing to look at")
        years += terms.test_years


def chosen(
    candidates: Candidates, terms: WalkForwardTerms, training: Sequence[Stretch], tested: Sequence[Stretch]
) -> Choice:
    """The variant that the training recommends, and how it did where it is tested."""
    inside, outside = (
        selected(measured(candidates.curves, candidates.setting, on), terms) for on in (training, tested)
    )
    number, sign = recommended(candidates, terms, inside), sign_of(terms)
    known, own = outside[~np.isnan(outside)], outside[number]
    rank = np.nan if np.isnan(own) else ((known < own).sum() + 0.5 * (known == own).sum()) / len(known)
    values = candidates.values_of(number)
    return Choice(number, values, float(sign * inside[number]), float(sign * own), float(rank))


def above_median(choices: Sequence[Choice]) -> float:
    """Share of the choices that did better than the median of all variants."""
    return float(np.mean([choice.rank > 0.5 for choice in choices]))


def _chosen(candidates: Candidates, terms: WalkForwardTerms, window: Window) -> WindowChoice:
    """What the past of a window recommends."""
    begin, last = window.begin, window.end - 1
    choice = chosen(candidates, terms, [(window.train, window.known)], [(begin, window.end)])
    curve, benchmark = candidates.curves[choice.number], candidates.setting.benchmark
    assert benchmark is not None
    growth, held = (float(each[last] / each[begin] - 1) for each in (curve, benchmark))
    return WindowChoice(**vars(choice), window=window, growth=growth, benchmark_growth=held)


def _held(candidates: Candidates, choices: tuple[WindowChoice, ...], begin: int, end: int) -> dict[str, Any]:
    """The three curves on the tested rows, and their figures: what of a Walk follows from the choices."""
    first, curves = candidates.setting, candidates.curves
    assert first.benchmark is not None
    best = int(np.nanargmax(ranked_by(measured(curves, first, [(begin, end)]), "information_ratio")))
    benchmark_named = benchmark_name(first.benchmark_of) if first.benchmark_of else ""
    books = stitched(candidates, choices)
    held = {
        "walk-forward": books.equity[begin:end],
        benchmark_named: first.benchmark[begin:end],
        "best in hindsight": curves[best, begin:end],
    }
    own, benchmark, hindsight = (curve / curve[0] * first.plan.terms.cash for curve in held.values())
    figures = {
        name: figures_of(first, curve, begin, end, is_benchmark=name == benchmark_named) for name, curve in held.items()
    }
    sessions = first.plan.sessions[begin:end]
    curves_held = {"equity": own, "benchmark": benchmark, "hindsight": hindsight}
    average = dict(zip(books.tickers, books.weights()[begin + 1 : end].mean(axis=0).tolist(), strict=True))
    return {"sessions": sessions, "best": best, "figures": figures, "average": average, **curves_held}


def stitched(candidates: Candidates, choices: Sequence[WindowChoice]) -> Books:
    """The account that always follows the variant last chosen; before the first choice, the first one's.

    A real one, so that changing from one variant to another costs what its trades cost: by the kernel and by
    backtrader, equal to the last bit.
    """
    plan = followed(candidates, [(choice.window.begin, choice.number) for choice in choices])
    books = run_compiled(plan)
    strategy, config = candidates.setting.strategy, candidates.setting.config
    # Any parameters of the class will do: backtrader is told what to hold by the plan.
    check_same_books(run_backtrader(plan, strategy, **config.strategy.params.model_dump()), books)
    return books


def followed(candidates: Candidates, changes: Sequence[Change]) -> Plan:
    """The plan of an account that takes up one variant after another.

    What the first one decides, before its row too, then what each next one decides from its row on.
    """
    plan = candidates.plan_of(changes[0][1])
    targets, scheduled = plan.targets.copy(), plan.is_scheduled.copy()
    for row, number in changes[1:]:
        other = candidates.plan_of(number)
        targets[row:], scheduled[row:] = other.targets[row:], other.is_scheduled[row:]
    return dataclasses.replace(plan, targets=targets, is_scheduled=scheduled)


def measured(curves: Floats, first: Setting, stretches: Sequence[Stretch]) -> Floats:
    """METRIC_KEYS of curves (variants, sessions) on these stretches joined in their order; no activity.

    What lies between two stretches is left out: the joined curve goes on at the value it had. Years are those of the
    stretches together; months and years that count as complete are so inside one stretch.
    """
    calendar = joined_calendar(first, stretches)
    tbill = np.concatenate([first.tbill[begin + 1 : end] for begin, end in stretches])
    benchmark = None if first.benchmark is None else joined(first.benchmark[None], stretches)[0]
    against = measured_against(calendar, tbill, benchmark)
    table = np.empty((len(curves), len(METRIC_KEYS)))
    for start in range(0, len(curves), BLOCK):
        block = joined(curves[start : start + BLOCK], stretches)
        measurer()(block, np.zeros((len(block), EXPOSURES)), against, table[start : start + BLOCK])
    return table


def joined(curves: Floats, stretches: Sequence[Stretch]) -> Floats:
    """Curves on the stretches alone, each going on at the value that the one before ended with."""
    parts = [curves[:, slice(*stretches[0])]]
    for begin, end in stretches[1:]:
        parts.append(curves[:, begin + 1 : end] * (parts[-1][:, -1:] / curves[:, begin : begin + 1]))
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def joined_calendar(first: Setting, stretches: Sequence[Stretch]) -> Calendar:
    """The calendar of `joined`."""
    sessions = first.plan.sessions
    parts = [calendar_and_tbill(first.market, sessions[begin:end])[0] for begin, end in stretches]
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(part.sessions - 1 for part in parts)])
    years = sum(part.years for part in parts)
    return replace(
        parts[0],
        sessions=int(offsets[-1]) + 1,
        years=years,
        is_one_year=years >= 1,
        months=_shifted([part.months for part in parts], offsets),
        calendar_years=_shifted([part.calendar_years for part in parts], offsets),
    )


def _shifted(spans: Sequence[Spans], offsets: np.typing.NDArray[np.intp]) -> Spans:
    shifts = offsets.tolist()[:-1]
    before, last = (
        np.concatenate([getattr(each, name) + shift for each, shift in zip(spans, shifts, strict=True)])
        for name in ("before", "last")
    )
    return Spans(before, last)


def selected(table: Floats, terms: WalkForwardTerms) -> Floats:
    """The metric selected by, (variants,), with its sign turned where less is better."""
    return np.asarray(sign_of(terms) * ranked_by(table, terms.select))


def sign_of(terms: WalkForwardTerms) -> float:
    """-1 where less of the metric is better."""
    return -1.0 if metric_of(terms.select).direction < 0 else 1.0


def recommended(candidates: Candidates, terms: WalkForwardTerms, inside: Floats) -> int:
    """The variant with the best metric, or the best neighbourhood; inside: from `selected`.

    Raises RunError when no variant has the metric.
    """
    plateau = candidates.plateau_of(inside) if terms.plateau else None
    looked = inside if plateau is None else plateau.mean
    if np.isnan(looked).all():
        raise RunError(f"{candidates.where}: walk_forward.select: no variant has {terms.select} in a training window")
    return int(np.nanargmax(looked))


def figures_of(first: Setting, curve: Floats, begin: int, end: int, *, is_benchmark: bool = False) -> Figures:
    """Metrics of one curve on the rows begin ... end - 1 (of which it is); what was traded is not among them."""
    calendar = joined_calendar(first, [(begin, end)])
    assert first.benchmark is not None
    benchmark = None if is_benchmark else first.benchmark[begin:end]
    return metrics(curve, calendar=calendar, tbill_returns=first.tbill[begin:end], benchmark=benchmark)[0]
