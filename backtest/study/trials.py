"""Trials: everything that was tried on the same tickers and kind of prices, counted once, whichever command tried it.

    variants as they finish -> the ledger -> SIZE of the search -> what the deflated Sharpe ratio is corrected for

Whoever looks for the best rotation has looked at all of them, of whatever strategy family.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from backtest.config import Config, question
from backtest.statistics.sharpe import Trials, pooled_trials, trials_of
from backtest.store.manifest import longest_ledger
from backtest.store.trial_ledger import Place, Trial, TrialLedger


@dataclass(frozen=True, slots=True)
class SearchSize:
    """What was tried: these variants and everything else in the ledger.

    here: distinct questions of this study; ledger: distinct questions of the ledger that are not among them; swept:
    variants of sweeps that the ledger knows as a number only; annual: all together, with the annual active ratios of
    those measured against the same benchmark (the others count without a ratio).
    """

    here: int
    ledger: int
    swept: int
    annual: Trials

    @property
    def count(self) -> int:
        """All trials."""
        return self.annual.count

    def per_session(self, periods_per_year: int) -> Trials:
        """The same with per-session ratios."""
        return Trials(self.count, self.annual.mean / periods_per_year**0.5, self.annual.variance / periods_per_year)


class TrialCounter:
    """Puts variants into the ledger and tells how large the search is, these variants included.

    path: the ledger, None to keep none. benchmark: name of what the active ratios are against.
    """

    def __init__(self, path: Path | None, benchmark: str | None) -> None:
        self.benchmark = benchmark
        self.trials: dict[str, Trial] = {}
        self.ledger = TrialLedger(path) if path else None
        self.was_shorter_by = longest_ledger(path.parent) - self.ledger.length if path and self.ledger else 0

    def record(self, trials: Iterable[Trial]) -> None:
        """Variants have finished; when this returns, they are in the ledger."""
        added = list(trials)
        self.trials |= {trial.question_sha256: trial for trial in added}
        if self.ledger:
            self.ledger.record(*added)

    def size(self) -> SearchSize:
        """What the best of these variants is deflated for."""
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


def search_size(
    ledger: TrialLedger | None, places: Collection[Place], benchmark: str | None, own: Mapping[str, float]
) -> SearchSize:
    """The size of a search. Does not depend on whether this very study is in the ledger already.

    places: where it searches; own: question's hash -> annual active ratio of each of its variants.
    """
    trials = [t for t in ledger.trials if t.place in places] if ledger else []
    sweeps = {s.sweep_sha256: s for s in ledger.sweeps if s.place in places} if ledger else {}
    others = {t.question_sha256 for t in trials} - own.keys()
    ratios = dict(own)
    for trial in trials:  # of one question the last line counts: it knows the most sessions
        if trial.question_sha256 in others and trial.benchmark == benchmark and trial.active_sharpe is not None:
            ratios[trial.question_sha256] = trial.active_sharpe
    groups = [trials_of(np.array([ratios[question] for question in sorted(ratios)]))]
    groups += [Trials(s.variants, s.mean, s.variance) for _, s in sorted(sweeps.items()) if s.benchmark == benchmark]
    pooled, swept = pooled_trials(groups), sum(sweep.variants for sweep in sweeps.values())
    annual = Trials(len(own) + len(others) + swept, pooled.mean, pooled.variance)
    return SearchSize(len(own), len(others), swept, annual)


class Questions:
    """Hashes of the configs that differ from a template in parameters alone: `store.trial.trial_hash`, but fast."""

    def __init__(self, template: Config) -> None:
        self.template = template

    @cached_property
    def _around(self) -> list[str]:
        asked = json.loads(question(self.template.model_copy(update={"name": "trial", "benchmarks": ()})))
        asked["strategy"]["params"] = "\0"
        return _canonical(asked).split(_canonical("\0"))

    def of(self, params: BaseModel) -> str:
        """sha256 (hex) of the question with these parameters."""
        return hashlib.sha256(_canonical(params.model_dump(mode="json")).join(self._around).encode()).hexdigest()


_canonical: Callable[[object], str] = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode
