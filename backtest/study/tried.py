"""The variants of a sweep as trials: what was computed was tried, whether or not the sweep came to its end.

rows of a chunk -> tables of variants of one setting: curves beside their benchmark and their own mixes -> the ledger
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from backtest.account.benchmarks import benchmark_name, legs_plan
from backtest.account.kernel import compiled_books
from backtest.account.plan import NO_BAND, Plan
from backtest.config import Config, Study
from backtest.market import Floats
from backtest.metrics.registry import exposure_key
from backtest.store.ledger import MOST_DAILY, Ledger
from backtest.study.chunks import BATCH, Rows, curves_of_decisions
from backtest.study.curves import returns_of, with_shares
from backtest.study.question import Questions
from backtest.study.search import Shown, batch_of
from backtest.study.settings import Setting, Settings

TABLED_AT_ONCE = 500
"""Variants whose whole curves are held at a time: some 50 KB each for 25 years."""

Point = tuple[int, Setting, BaseModel, str]
"""Its number, what it shares with others, its parameters and the hash of its question."""


def remember(ledger: Ledger, settings: Settings, rows: Rows) -> npt.NDArray[np.uint64]:
    """Put the variants of some rows into the ledger; the identities of their trials."""
    keys = [ledger.record(batch_of(shown))[0] for shown in tried_variants(settings, rows)]
    return np.concatenate([np.zeros(0, np.uint64), *keys])


def tried_variants(settings: Settings, rows: Rows) -> Iterator[Shown]:
    """Every variant that could be run, in tables of variants of one setting.

    Variants of a setting stand together, whatever the order of the grid: the ledger takes few large tables, not a
    table for each variant.
    """
    templates: dict[int, tuple[Config, Questions]] = {}
    together: dict[int, list[tuple[int, BaseModel]]] = {}
    for number in range(rows.start, rows.stop):
        if number not in rows.problems:
            template, params = settings.study.grid_parts(number)
            if id(template) not in templates:
                templates[id(template)] = template, Questions(template)
            together.setdefault(id(template), []).append((number, params))
    waiting: list[Point] = []
    for key, points in together.items():
        template, questions = templates[key]
        for number, params in points:
            setting = settings.of(template, params)
            if waiting and (waiting[0][1] is not setting or len(waiting) == TABLED_AT_ONCE):
                yield _table(settings, rows, waiting)
                waiting = []
            waiting.append((number, setting, params, questions.of(params)))
    if waiting:
        yield _table(settings, rows, waiting)


def _table(settings: Settings, rows: Rows, points: Sequence[Point]) -> Shown:
    """Variants of one setting as curves beside their benchmark and their own mixes."""
    study, setting = settings.study, points[0][1]
    legs = setting.legs
    leg = legs_plan(setting.market, legs, legs.alone(legs.names[0]), setting.plan.sessions[0], setting.plan.terms)
    columns = [settings.metric_keys.index(exposure_key(name)) for name in legs.names]
    shares = rows.table[np.array([number - rows.start for number, *_ in points])[:, None], columns]
    return Shown(
        market=setting.market,
        sessions=setting.plan.sessions,
        command="sweep",
        study=study.name,
        names=tuple(study.label(_values(study, number)) for number, *_ in points),
        questions=tuple(question for *_, question in points),
        returns=returns_of(curves_together((setting, params) for _, setting, params, _ in points)),
        mixes=returns_of(np.array([_equity(with_shares(leg, legs, own)) for own in shares])),
        benchmark=None if setting.benchmark is None else returns_of(setting.benchmark[None]),
        benchmark_name=benchmark_name(setting.benchmark_of) if setting.benchmark_of else None,
        is_large=study.size > MOST_DAILY,
    )


def _values(study: Study, number: int) -> dict[str, object]:
    return next(study.grid_points(number, number + 1))


def curves_together(points: Iterable[tuple[Setting, BaseModel]]) -> Floats:
    """Whole curves of variants of one setting's sessions, (variants, sessions), BATCH at a time."""
    curves: list[Floats] = []
    waiting: list[tuple[Setting, BaseModel]] = []

    def run() -> None:
        setting = waiting[0][0]
        curves.append(curves_of_decisions(setting, [setting.decide(params) for _, params in waiting]))
        waiting.clear()

    for setting, params in points:
        if waiting and (waiting[0][0] is not setting or len(waiting) == BATCH):
            run()
        waiting.append((setting, params))
    if waiting:
        run()
    return np.concatenate(curves)


def _equity(plan: Plan) -> Floats:
    """Equity alone: books are not needed."""
    equity = np.empty(len(plan.sessions))
    compiled_books(plan, equity, np.empty(len(equity) if plan.band < NO_BAND else 0), np.empty((0, 5)))
    return equity
