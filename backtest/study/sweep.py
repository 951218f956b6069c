"""Sweep: every variant of a grid, run by the kernel and measured, in one table; the best by backtrader too.

    study -> settings, decisions -> accounts and metrics in chunks -> trials -> finalists -> SWEEP

    from backtest import load_study, sweep
    result = sweep(load_study("configs/study_momentum_grid.yaml", strategies=REGISTRY), REGISTRY)
    result.frame, result.finalists

Each row is what a single `run` of that variant gives: the same equity to the bit, the same metrics within 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel

from backtest.account.benchmarks import benchmark_name
from backtest.account.plan import same_close
from backtest.config import Config, Study
from backtest.errors import ConfigError, RunError
from backtest.market import Floats, Market
from backtest.metrics import metric_of
from backtest.store.ledger import Ledger
from backtest.study.chunks import CHUNK, ChunkStore, Rows, run_chunks
from backtest.study.cluster import cluster_rows, cut
from backtest.study.effects import Plateau, plateau_of
from backtest.study.settings import Setting, Settings, ranked_by, with_first
from backtest.study.tried import curves_together, remember
from backtest.text import count

HEADLINE = "information_ratio"
"""Ranks variants: the annual ratio of the returns over the benchmark's; without a benchmark, FALLBACK."""

FALLBACK = "sharpe"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Sweep:
    """Every variant of a study's grid with its metrics.

    Attributes
    ----------
    study : Study
        What was asked.
    settings : Settings
        The distinct settings of data, legs and terms among the variants.
    digits : ndarray of int64, shape (variants, keys)
        Which value of each swept key a variant has.
    table : ndarray of float, shape (variants, metrics)
        Columns as `metric_keys`, NaN where undefined: a leg's exposure also where a variant has no such leg.
    problems : dict of int to str
        Variant -> why it has no figures.
    first : Setting
        Of the first variant that has figures.
    ledger : Path, optional
        Into which each chunk of variants was put when it was finished.
    remembered : ndarray of uint64, optional
        The identities of their trials there.
    """

    study: Study
    settings: Settings
    digits: npt.NDArray[np.int64]
    table: Floats
    problems: Mapping[int, str]
    first: Setting
    ledger: Path | None = None
    remembered: npt.NDArray[np.uint64] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of everything the rows depend on: the name of the folder of its chunks."""
        return self.settings.fingerprint()

    @property
    def name(self) -> str:
        """The study's."""
        return self.study.name

    @property
    def keys(self) -> tuple[str, ...]:
        """Swept keys."""
        return tuple(self.study.grid)

    @property
    def market(self) -> Market:
        """Of the first variant."""
        return self.first.market

    @property
    def headline(self) -> str:
        """The metric by which variants are ranked."""
        return HEADLINE if self.first.benchmark is not None else FALLBACK

    @property
    def benchmark(self) -> str | None:
        """Name of what relative metrics are against."""
        return benchmark_name(self.first.benchmark_of) if self.first.benchmark_of else None

    def metric(self, key: str) -> Floats:
        """One metric of all variants, (variants,)."""
        return np.asarray(self.table[:, self.metric_keys.index(key)])

    @property
    def metric_keys(self) -> tuple[str, ...]:
        """Columns of the table; exposures of the legs of all variants."""
        return self.settings.metric_keys

    def values(self, number: int) -> dict[str, object]:
        """Swept key -> value of a variant."""
        return {key: self.study.grid[key][int(d)] for key, d in zip(self.keys, self.digits[number], strict=True)}

    def label(self, number: int) -> str:
        """What a variant sets, in words."""
        return self.study.label(self.values(number))

    def config(self, number: int) -> Config:
        """The Config of a variant, the study's benchmark first."""
        return with_first(self.study.grid_config(number), self.study.benchmark)

    def equity(self, number: int) -> pd.Series:
        """The whole curve of a variant, USD, indexed by session."""
        sessions = self.settings.of(*self.study.grid_parts(number)).plan.sessions
        return pd.Series(curves_of(self, [number])[0], index=sessions, name="equity")

    def benchmark_of(self, number: int) -> Floats:
        """Equity of the benchmark on a variant's own terms, (sessions,)."""
        benchmark = _setting_of(self, number)[0].benchmark
        assert benchmark is not None
        return benchmark

    @cached_property
    def scores(self) -> Floats:
        """The headline metric as they are ranked by it, (variants,): 0 for one that is its benchmark, NaN undefined."""
        return ranked_by(self.table, self.headline)

    @cached_property
    def ranked(self) -> npt.NDArray[np.int64]:
        """Variants from best to worst by score; those without one are left out; ties in the grid's order."""
        order = np.argsort(-self.scores, kind="stable")
        return order[~np.isnan(self.scores[order])]

    def plateau_of(self, values: Floats) -> Plateau | None:
        """The plateau of any figure of all variants, (variants,); None for a sample."""
        return None if self.study.sample else plateau_of(values, list(self.study.grid.values()), self.digits)

    @property
    def is_on_common_sessions(self) -> bool:
        """Have all variants the same sessions?"""
        return "data.start" not in self.keys and "data.end" not in self.keys

    @property
    def cautions(self) -> list[str]:
        """What to know before relying on it: which variants trade at the close that they decide at."""
        key = "execution.delay_sessions"
        if key not in self.keys:
            return [same_close()] if self.first.config.execution.delay_sessions == 0 else []
        values, own = self.study.grid[key], self.digits[:, self.keys.index(key)]
        right = [number for number in range(len(own)) if number not in self.problems]
        count_of = sum(values[int(own[number])] == 0 for number in right)
        if not count_of:
            return []
        return [
            same_close()
            if count_of == len(right)
            else same_close(f"{count(count_of)} of {count(len(right))} points", count_of)
        ]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per variant: swept keys as columns, then the metrics; NaN where undefined."""
        columns: dict[str, object] = {}
        for k, key in enumerate(self.keys):
            values = [_cell(value) for value in self.study.grid[key]]
            columns[key] = pd.Series(values).to_numpy()[self.digits[:, k]]
        for k, key in enumerate(self.metric_keys):
            whole = metric_of(key).is_whole and not np.isnan(self.table[:, k]).any()
            columns[key] = self.table[:, k].astype(np.int64) if whole else self.table[:, k]
        return pd.DataFrame(columns)


def sweep(
    study: Study,
    strategies: Mapping[str, type],
    *,
    market: Market | None = None,
    offline: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    keep: Path | None = None,
    ledger: Path | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run every variant of a study's grid (or of its sample) and measure it.

    market: use this one for all variants instead of loading. workers: threads, by default one per core. cluster: the
    address tcp://HOST:PORT of a dask scheduler, whose workers run the variants instead. keep: the folder of results, in
    which finished chunks wait for an interrupted sweep to be taken up again; the caller removes them
    (`store_of(...).remove()`) when the result is written. ledger: where the variants of a chunk are put once it is
    finished: a sweep that is killed has tried them. progress: told (variants done, variants).
    Raises ConfigError without a grid, DataError and NetworkError as loading does, RunError when no variant can be run,
    WriteError when chunks cannot be kept; `cluster.cluster_rows` says what a cluster adds.
    """
    if not study.size:
        raise ConfigError(f"{study.path}: grid: found none, expected swept keys (variants are for compare)")
    settings = Settings(study, strategies, market, offline=offline)
    store = ChunkStore(keep, settings.fingerprint()) if keep else None
    table = np.full((study.size, len(settings.metric_keys)), np.nan)
    problems: dict[int, str] = {}
    done, keys, trials = 0, [np.zeros(0, np.uint64)], Ledger(ledger) if ledger else None

    def finished(rows: Rows) -> None:
        if trials is not None:
            keys.append(remember(trials, settings, rows))

    for rows in all_rows(settings, store, workers, cluster, finished):
        table[rows.start : rows.stop] = rows.table
        problems |= rows.problems
        done += len(rows.table)
        if progress:
            progress(done, study.size)
    right = next((number for number in range(study.size) if number not in problems), None)
    if right is None:
        raise RunError(f"{study.path}: no point of the grid can be run: {problems[0]}")
    first = settings.of(*study.grid_parts(right))
    digits = np.array([study.digits(number) for number in range(study.size)], dtype=np.int64)
    remembered = np.concatenate(keys) if ledger else None
    return Sweep(study, settings, digits, table, dict(sorted(problems.items())), first, ledger, remembered)


def all_rows(
    settings: Settings,
    store: ChunkStore | None,
    workers: int | None,
    cluster: str | None,
    finished: Callable[[Rows], None],
) -> Iterator[Rows]:
    """Rows of all variants: those kept from before, then those still to be run, each kept as soon as it is finished.

    finished: told of each chunk before it is kept.
    """
    gaps, at = [], 0
    for rows in store.read() if store else ():
        if rows.start < at:
            continue  # of another size of chunks
        gaps.append((at, rows.start))
        at = rows.stop
        finished(rows)
        yield rows
    gaps = [(start, stop) for start, stop in [*gaps, (at, settings.study.size)] if start < stop]
    if not gaps:
        return
    made = cluster_rows(settings, gaps, cluster) if cluster else run_chunks(settings, cut(gaps, CHUNK), workers)
    for rows in made:
        _check_memory(settings.study, rows)
        finished(rows)
        if store:
            store.write(rows)
        yield rows


def _check_memory(study: Study, rows: Rows) -> None:
    """A lack of memory is no property of a variant: such a row must neither be shown nor kept."""
    for number, why in rows.problems.items():
        if "MemoryError:" in why:
            where = f"{study.path}: point {number} of the grid"
            raise RunError(f"{where}: {why.strip(': ')}: the sweep stopped, what is finished is kept")


def curves_of(result: Sweep, numbers: Iterable[int]) -> Floats:
    """Whole curves of some variants of one setting's sessions, (variants, sessions)."""
    points = [_setting_of(result, number) for number in numbers]
    return curves_together(points) if points else np.empty((0, len(result.first.plan.sessions)))


def _setting_of(result: Sweep, number: int) -> tuple[Setting, BaseModel]:
    template, params = result.study.grid_parts(number)
    return result.settings.of(template, params), params


def _cell(value: object) -> object:
    """A swept value in a table: numbers and text as they are, maps and lists as the text of a config."""
    if isinstance(value, bool | int | float | str):
        return value
    from backtest.config.resolve import inline

    return inline(value)
