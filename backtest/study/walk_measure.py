"""What a walk-forward measures: metrics of all curves on parts of the test, the recommended one, its rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backtest.config.study import WalkForwardTerms
from backtest.errors import RunError
from backtest.market import Floats
from backtest.metrics import METRIC_KEYS, Calendar, Spans, calendar_of, metric_of, metrics
from backtest.metrics.formulas import measured_against, measurer
from backtest.result import Figures
from backtest.study.sweep import Sweep
from backtest.study.sweep_findings import lengths_and_order
from backtest.study.sweep_plateau import plateau_of
from backtest.study.sweep_setting import Setting
from backtest.study.walk_groups import Stretch

BLOCK = 256
"""Curves joined at once: some 12 MB for 25 years."""


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
        measurer()(block, np.zeros((len(block), 5)), against, table[start : start + BLOCK])
    return table


def joined(curves: Floats, stretches: Sequence[Stretch]) -> Floats:
    """Curves on the stretches alone, each going on at the value that the one before ended with."""
    parts = [curves[:, slice(*stretches[0])]]
    for begin, end in stretches[1:]:
        parts.append(curves[:, begin + 1 : end] * (parts[-1][:, -1:] / curves[:, begin : begin + 1]))
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def joined_calendar(first: Setting, stretches: Sequence[Stretch]) -> Calendar:
    """The calendar of `joined`."""
    market, sessions = first.market, first.plan.sessions
    parts = [
        calendar_of(
            sessions[begin:end], periods_per_year=market.periods_per_year, exchange_sessions=market.exchange_sessions
        )
        for begin, end in stretches
    ]
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
    return np.asarray(sign_of(terms) * table[:, METRIC_KEYS.index(terms.select)])


def sign_of(terms: WalkForwardTerms) -> float:
    """-1 where less of the metric is better."""
    return -1.0 if metric_of(terms.select).direction < 0 else 1.0


def recommended(result: Sweep, terms: WalkForwardTerms, inside: Floats) -> int:
    """The variant with the best metric, or the best neighbourhood; inside: from `selected`.

    Raises RunError when no variant has the metric.
    """
    looked = inside
    if terms.plateau:
        plateau = plateau_of(inside, *lengths_and_order(result))
        looked = inside if plateau is None else plateau.mean
    if np.isnan(looked).all():
        raise RunError(f"{result.study.path}: walk_forward.select: no variant has {terms.select} in a training window")
    return int(np.nanargmax(looked))


def rank_of(values: Floats, number: int) -> float:
    """Share of the known values below that of `number`, equal ones counting half; NaN where it is not known itself."""
    known, own = values[~np.isnan(values)], values[number]
    return float("nan") if np.isnan(own) else float(((known < own).sum() + 0.5 * (known == own).sum()) / len(known))


def figures_of(first: Setting, curve: Floats, begin: int, end: int, *, is_benchmark: bool = False) -> Figures:
    """Metrics of one curve on the rows begin ... end - 1 (of which it is); what was traded is not among them."""
    calendar = joined_calendar(first, [(begin, end)])
    assert first.benchmark is not None
    benchmark = None if is_benchmark else first.benchmark[begin:end]
    return metrics(curve, calendar=calendar, tbill_returns=first.tbill[begin:end], benchmark=benchmark)[0]
