"""What needs no timing: every fixed share of small caps, rebalanced monthly at the same costs.

    legs and terms -> FRONTIER of static mixes; a variant's average exposure -> its own mix -> PARTS of its growth

A rotation that does not beat the mix of its own exposure has shown exposure, not timing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.account.benchmarks import mix_plan, mix_weights
from backtest.account.kernel import run_compiled
from backtest.account.plan import Terms
from backtest.market import Floats
from backtest.metrics import Activity, Calendar, metrics_table
from backtest.pipeline import activity_of, legs_of
from backtest.result import Figures
from backtest.study.ground import Ground
from backtest.study.runs import Outcome, growth, with_mix

SHARES = 51
"""Of the frontier: 0, 0.02, ... 1."""

FIGURES = ("cagr", "volatility", "sharpe", "max_drawdown")


@dataclass(frozen=True, eq=False)
class Frontier:
    """Static mixes of the first variant's legs on its terms, one per share (51,) of small caps from 0 to 1.

    cagr, volatility, sharpe, max_drawdown: (51,) as metrics are; NaN where undefined.
    best_share: by Sharpe ratio; best_share_by_cagr: by growth; the first of equal ones.
    """

    shares: Floats
    cagr: Floats
    volatility: Floats
    sharpe: Floats
    max_drawdown: Floats

    @property
    def best_share(self) -> float:
        """The share with the highest Sharpe ratio."""
        return float(self.shares[_highest(self.sharpe)])

    @property
    def best_share_by_cagr(self) -> float:
        """The share that grew most."""
        return float(self.shares[_highest(self.cagr)])


@dataclass(frozen=True, eq=False)
class EqualExposure:
    """The static mix of a variant's own legs, terms, average small share and average cash; metrics as for variants."""

    small_share: float
    cash_share: float
    metrics: Figures


@dataclass(frozen=True, slots=True)
class Parts:
    """What the difference of a variant's growth a year from the benchmark's is made of; they add up to it.

    legs: holding the growth leg instead of the benchmark; exposure: the average share of small caps (and of cash) in
    it; timing: when small caps were held, before costs; costs: what trading cost more than the mix's rebalancing.
    """

    legs: float
    exposure: float
    timing: float
    costs: float

    @property
    def total(self) -> float:
        """The difference in growth a year."""
        return self.legs + self.exposure + self.timing + self.costs


@dataclass(frozen=True, eq=False)
class Mixed:
    """The mix of equal exposure as run: equity (sessions,), and what the parts are made of (growth a year)."""

    small_share: float
    cash_share: float
    equity: Floats
    activity: Activity
    growth: float
    gross_growth: float
    growth_leg: float


def frontier_of(ground: Ground, calendar: Calendar, tbill: Floats) -> Frontier:
    """The frontier; tbill: riskless return per session, (sessions,)."""
    legs, terms = legs_of(ground.first), Terms.of(ground.first)
    shares = np.round(np.linspace(0.0, 1.0, SHARES), 2)
    plan = mix_plan(ground.market, mix_weights(legs, 0.0), ground.start, terms)
    curves = np.array([run_compiled(with_mix(plan, legs, share)).equity for share in shares.tolist()])
    table = metrics_table(curves, calendar=calendar, tbill_returns=tbill)
    return Frontier(shares, *(np.asarray(table[key], dtype=np.float64) for key in FIGURES))


def equal_exposure(ground: Ground, outcome: Outcome) -> Mixed:
    """The mix with the variant's average exposure, run at its costs and at none."""
    config = ground.configs[outcome.name]
    legs = legs_of(config)
    exposure = float(outcome.activity.exposure_small)
    small = 0.0 if np.isnan(exposure) else exposure
    leg = mix_plan(ground.market, mix_weights(legs, 0.0), ground.start, Terms.of(config))
    plan = with_mix(leg, legs, small, outcome.cash_share)
    books = run_compiled(plan)
    return Mixed(
        small_share=small,
        cash_share=outcome.cash_share,
        equity=books.equity,
        activity=activity_of(books, legs),
        growth=growth(plan),
        gross_growth=growth(plan, cost_rate=0.0),
        growth_leg=growth(leg),
    )


def parts_of(outcome: Outcome, own_growth: float, mixed: Mixed, benchmark_growth: float) -> Parts:
    """The parts of a variant's difference in growth a year."""
    timing = outcome.gross_growth - mixed.gross_growth
    return Parts(
        legs=mixed.growth_leg - benchmark_growth,
        exposure=mixed.growth - mixed.growth_leg,
        timing=timing,
        costs=own_growth - mixed.growth - timing,
    )


def _highest(values: npt.NDArray[np.float64]) -> int:
    return 0 if np.isnan(values).all() else int(np.nanargmax(values))
