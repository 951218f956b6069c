"""How large the search was: what the deflated Sharpe ratio of a comparison has to be corrected for.

Every trial in the ledger on the same tickers and the same kind of prices counts, of whatever strategy family: whoever
looks for the best rotation has looked at all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from backtest.statistics.sharpe import Trials, pooled_trials, trials_of
from backtest.store.trial_ledger import Place, SweptTrials, Trial, TrialLedger


@dataclass(frozen=True, slots=True)
class SearchSize:
    """What was tried: this comparison's variants and everything else in the ledger.

    here: distinct questions of the comparison; ledger: distinct questions of the ledger that are not among them;
    swept: variants of the ledger's sweeps; annual: all together, with the annual active ratios of those measured
    against the same benchmark (the others count without a ratio).
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


def search_size(
    ledger: TrialLedger | None,
    places: Collection[Place],
    benchmark: str,
    own: Mapping[str, float],
    own_sweeps: Collection[str] = (),
) -> SearchSize:
    """The size of a search. Does not depend on whether this very comparison is in the ledger already.

    places: where the comparison searches; own: question's hash -> annual active ratio of each of its variants;
    own_sweeps: the hashes by which its variants stand in the ledger as sweeps.
    """
    trials: list[Trial] = [t for t in ledger.trials if t.place in places] if ledger else []
    swept: list[SweptTrials] = [s for s in ledger.sweeps if s.place in places] if ledger else []
    others = {t.question_sha256 for t in trials} - own.keys()
    sweeps = {s.sweep_sha256: s for s in swept if s.sweep_sha256 not in own_sweeps}
    ratios = dict(own)
    for trial in trials:  # of one question the last line counts: it knows the most sessions
        if trial.question_sha256 in others and trial.benchmark == benchmark and trial.active_sharpe is not None:
            ratios[trial.question_sha256] = trial.active_sharpe
    groups = [trials_of(np.array([ratios[question] for question in sorted(ratios)]))]
    for name in sorted(sweeps):
        if sweeps[name].benchmark == benchmark:
            groups.append(Trials(sweeps[name].variants, sweeps[name].mean, sweeps[name].variance))
    pooled = pooled_trials(groups)
    count = len(own) + len(others) + sum(sweep.variants for sweep in sweeps.values())
    annual = Trials(count, pooled.mean, pooled.variance)
    return SearchSize(len(own), len(others), sum(sweep.variants for sweep in sweeps.values()), annual)
