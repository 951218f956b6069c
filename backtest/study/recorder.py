"""Recorder: every variant into the trial ledger as soon as it has finished, and the size of the search at the end."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from backtest.benchmark import benchmark_name
from backtest.data import content_hash
from backtest.market import Floats
from backtest.statistics.sharpe import sharpe_ratios, trials_of
from backtest.study.ground import Ground
from backtest.study.runs import Outcome
from backtest.study.search_size import SearchSize, search_size
from backtest.study.trial import Place, Sweep, Trial, trial_of
from backtest.study.trial_ledger import TrialLedger, longest_recorded


class Recorder:
    """Turns outcomes into trials.

    path: the ledger, None to keep none. benchmark_equity, tbill: (sessions,), what the ratios are measured against.
    is_sweep: all variants of a family become one line, when all have finished.
    """

    def __init__(self, ground: Ground, path: Path | None, benchmark_equity: Floats, tbill: Floats, *, is_sweep: bool):
        self.ground, self.is_sweep = ground, is_sweep
        self.benchmark = benchmark_name(ground.benchmarks[0])
        self.benchmark_returns = benchmark_equity[1:] / benchmark_equity[:-1] - 1.0
        self.tbill = tbill[1:]
        self.data_sha256 = content_hash(ground.market)
        self.trials: dict[str, Trial] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.ledger = TrialLedger(path) if path else None
        self.was_longer = longest_recorded(path.parent) if path else 0

    def record(self, outcome: Outcome) -> None:
        """A variant has finished; when this returns, it is in the ledger (or, of a sweep, will be at its end)."""
        config = self.ground.configs[outcome.name]
        returns = outcome.equity[1:] / outcome.equity[:-1] - 1.0
        columns = np.column_stack([returns - self.benchmark_returns, returns - self.tbill])
        active, absolute = sharpe_ratios(columns) * self.ground.market.periods_per_year**0.5
        trial = trial_of(
            config,
            self.ground.market,
            self.data_sha256,
            benchmark=self.benchmark,
            active_sharpe=float(active),
            sharpe=float(absolute),
            sessions=len(returns),
        )
        self.trials[trial.question_sha256] = trial
        if self.ledger and not self.is_sweep:
            self.ledger.record(trial)

    def finish(self) -> None:
        """All variants have finished: a sweep's lines are written, one per place and family."""
        if not self.is_sweep:
            return
        groups: dict[tuple[Place, str], list[Trial]] = {}
        for trial in self.trials.values():
            groups.setdefault((trial.place, trial.family), []).append(trial)
        for trials in groups.values():
            sweep = _sweep_of(trials)
            self.sweeps[sweep.sweep_sha256] = sweep
            if self.ledger:
                self.ledger.record(sweep)

    def size(self) -> SearchSize:
        """What the comparison is deflated for."""
        own = {question: trial.active_sharpe or 0.0 for question, trial in self.trials.items()}
        places = {trial.place for trial in self.trials.values()}
        return search_size(self.ledger, places, self.benchmark, own, self.sweeps)

    def cautions(self) -> list[str]:
        """What is wrong with the ledger."""
        told = []
        if self.ledger and self.ledger.unreadable:
            told.append(f"Lines of the trial ledger that are no trial and were not counted: {self.ledger.unreadable}.")
        if self.ledger and self.was_longer > self.ledger.length:
            told.append(
                f"The trial ledger has been shortened: {self.ledger.length} lines now, a manifest beside it recorded "
                f"{self.was_longer}. The deflated ratio corrects for too few trials."
            )
        return told


def _sweep_of(trials: list[Trial]) -> Sweep:
    """One line for the trials of one family."""
    first = trials[0]
    known = trials_of(np.array([trial.active_sharpe or 0.0 for trial in trials]))
    questions = "\n".join(sorted(trial.question_sha256 for trial in trials))
    return Sweep(
        place=first.place,
        family=first.family,
        sweep_sha256=hashlib.sha256(questions.encode()).hexdigest(),
        data_sha256=first.data_sha256,
        benchmark=first.benchmark,
        variants=known.count,
        mean=known.mean,
        variance=known.variance,
        sessions=first.sessions,
    )
