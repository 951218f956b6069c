"""Is any variant better than the benchmark, once the search is allowed for? Which ones? Which may be the best?

All of it from the variants' mean active returns and their resampled means (bootstrap.py): White's reality check
(2000), Hansen's test of superior predictive ability (SPA, 2005), its stepwise form (Romano and Wolf 2005; Hsu, Hsu
and Kuan 2010) and the model confidence set of Hansen, Lunde and Nason (2011). The arithmetic is arch's, a hundred
times faster, except that the columns ARE studentised here: arch 8 takes `studentize=True` and only uses it to choose
which columns to recentre, so that one calm good variant among wild ones goes unseen. The tests hold all of it
against arch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.bootstrap import Drawn, step_down
from backtest.statistics.sharpe import NO_RISK

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Superiority:
    """p-values of "no variant is better": Hansen's consistent one between its lower and upper bounds."""

    lower: float
    consistent: float
    upper: float


def mean_error(draws: Array) -> Array:
    """Standard error of each variant's mean: the spread of its resampled means (histories x variants)."""
    return np.asarray(draws.std(axis=0))


def spa_from_means(means: Drawn, error: Array, sessions: int) -> Superiority:
    """Hansen's test on studentised means.

    means: mean active return of each variant; error: their standard errors (`mean_error`, or ones for the raw means).
    A variant without risk takes no part; when none is ahead, p = 1.
    """
    t = _studentised(means, error)
    return Superiority(
        lower=_p_value(t, np.maximum(t.observed, 0.0)),
        consistent=_p_value(t, _centre(t, sessions)),
        upper=_p_value(t, t.observed),
    )


def reality_check(means: Drawn) -> float:
    """White's p-value of "no variant is better": raw means, all recentred; wild variants drown calm ones."""
    return _p_value(means, means.observed)


def superior_p_values(means: Drawn, error: Array, sessions: int) -> Array:
    """Stepwise SPA: each variant's p-value corrected for the search; those up to 0.05 are StepM's superior ones."""
    t = _studentised(means, error)
    return step_down(t.observed, t.draws - _centre(t, sessions))


def _studentised(means: Drawn, error: Array) -> Drawn:
    risky = error > NO_RISK * 1e-3  # a mean's error is smaller than its sessions' by sqrt(sessions)
    scale = np.where(risky, error, 1.0)
    return Drawn(np.where(risky, means.observed / scale, 0.0), np.where(risky, means.draws / scale, 0.0))


def _centre(t: Drawn, sessions: int) -> Array:
    """What Hansen takes off the draws: nothing from variants hopelessly behind, which so cannot be the lucky best."""
    return np.where(t.observed >= -np.sqrt(2 * np.log(np.log(sessions))), t.observed, 0.0)


def _p_value(statistic: Drawn, centre: Array) -> float:
    luckiest = np.maximum(0.0, (statistic.draws - centre).max(axis=1))  # the benchmark itself is always a candidate
    return float((1 + (luckiest >= statistic.observed.max()).sum()) / (1 + len(luckiest)))


def confidence_set(means: Drawn) -> Array:
    """Model confidence set p-value of each column (range statistic); those above 0.05 cannot be ruled out as the best.

    means: mean returns, larger is better; add the benchmark as a column of zeros to see whether it may be the best. The
    order of elimination depends on the observed means alone, so that every history's range statistic is a maximum
    accumulated from the survivor back.
    """
    mean, centred = means.observed, means.draws - means.observed
    error = _pair_errors(centred)
    order = _elimination(mean, error)
    range_drawn, p = np.zeros(len(centred)), np.ones(len(order))
    for place in range(len(order) - 2, -1, -1):
        out, later = order[place], order[place + 1 :]
        gaps = np.abs(centred[:, later] - centred[:, [out]]) / error[out, later]
        range_drawn = np.maximum(range_drawn, gaps.max(axis=1))
        range_seen = ((mean[later] - mean[out]) / error[out, later]).max()
        p[place] = (1 + (range_drawn >= range_seen).sum()) / (1 + len(centred))
    in_table = np.empty(len(order))
    in_table[order] = np.maximum.accumulate(p)
    return in_table


def _pair_errors(centred: Array) -> Array:
    """Standard error of each difference of two means; infinite for columns that move as one (nothing to tell apart)."""
    products = centred.T @ centred / len(centred)
    size = np.diag(products)
    both = size[:, None] + size
    variance = both - 2 * products
    return np.where(variance > 1e-12 * both, np.sqrt(np.maximum(variance, 0.0)), np.inf)


def _elimination(mean: Array, error: Array) -> NDArray[np.intp]:
    """Columns from the first eliminated to the survivor: each time the one furthest behind any other."""
    behind = (mean - mean[:, None]) / error
    left, order = np.arange(len(mean)), []
    while len(left) > 1:
        loser = int(behind[np.ix_(left, left)].max(axis=1).argmax())
        order.append(left[loser])
        left = np.delete(left, loser)
    return np.array([*order, left[0]], dtype=np.intp)
