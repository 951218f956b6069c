"""Recorder: every variant into the trial ledger as soon as it has finished, and the size of the search at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backtest.account.benchmarks import benchmark_name
from backtest.data import content_hash
from backtest.market import Floats
from backtest.statistics.sharpe import sharpe_ratios
from backtest.store.manifest import longest_ledger
from backtest.store.trial_ledger import Trial, TrialLedger, trial_of
from backtest.study.ground import Ground
from backtest.study.runs import Outcome
from backtest.study.search_size import SearchSize, search_size


class Recorder:
    """Turns outcomes into trials.

    path: the ledger, None to keep none. benchmark_equity, tbill: (sessions,), what the ratios are measured against.
    Each variant of a grid is a trial of its own, so that a refined grid does not count its old points again.
    """

    def __init__(self, ground: Ground, path: Path | None, benchmark_equity: Floats, tbill: Floats):
        self.ground = ground
        self.benchmark = benchmark_name(ground.benchmarks[0])
        self.benchmark_returns = benchmark_equity[1:] / benchmark_equity[:-1] - 1.0
        self.tbill = tbill[1:]
        self.data_sha256 = content_hash(ground.market)
        self.trials: dict[str, Trial] = {}
        self.ledger = TrialLedger(path) if path else None
        self.was_shorter_by = longest_ledger(path.parent) - self.ledger.length if path and self.ledger else 0

    def record(self, outcome: Outcome) -> None:
        """A variant has finished; when this returns, it is in the ledger."""
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
        if self.ledger:
            self.ledger.record(trial)

    def size(self) -> SearchSize:
        """What the comparison is deflated for."""
        own = {question: trial.active_sharpe or 0.0 for question, trial in self.trials.items()}
        places = {trial.place for trial in self.trials.values()}
        return search_size(self.ledger, places, self.benchmark, own)

    def cautions(self) -> list[str]:
        """What is wrong with the ledger."""
        told = []
        if self.ledger and self.ledger.unreadable:
            told.append(f"Lines of the trial ledger that are no trial and were not counted: {self.ledger.unreadable}.")
        if self.was_shorter_by > 0:
            told.append(
                f"The trial ledger has been shortened: it had {self.was_shorter_by} lines less than a manifest "
                "beside it recorded. The deflated ratio corrects for too few trials."
            )
        return told
