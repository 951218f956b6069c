"""Luck meters: would the variant look the same from another month, another day, a day later, dearer, or tuned a little?

    a variant's VariantRun -> the same thing many times over on the kernel, one circumstance changed -> fans

Every figure is growth a year minus the benchmark's, both under the changed circumstance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from backtest.account.plan import Plan, make_plan
from backtest.config.models import MAX_COST_BPS
from backtest.decision import Decision, check_decision
from backtest.market import Floats, Market
from backtest.pipeline import plan_of
from backtest.signals.measures import month_of
from backtest.signals.periods import last_of_period
from backtest.study.curves import VariantRun, growth, with_decision, years_between
from backtest.study.inputs import StudyInputs
from backtest.units import BPS

DELAYS = (1, 2, 3, 5)
COSTS_BPS = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
FEWEST_YEARS_LEFT = 3.0
"""A starting month needs so much history after it (or half of all there is) for growth a year to mean anything."""

COST_STEPS = 40
"""Halvings of 0 to 1,000 bps in search of the cost that equals out: beyond float32's resolution."""


@dataclass(frozen=True, eq=False)
class Fan:
    """One circumstance changed in many ways: growth a year minus the benchmark's (fraction) for each.

    at: what was changed, one text per value ("2007-03-01", "5", "12.5", "lookback_sessions 101").
    own: the variant's own difference, over the whole period as configured; percentile: share of the values below it,
    ties half: near 1, almost every other circumstance did worse; None for an empty fan.
    """

    at: tuple[str, ...]
    values: Floats
    own: float

    @property
    def percentile(self) -> float | None:
        """Where the variant itself stands in its fan, from 0 to 1."""
        if not len(self.values):
            return None
        return float((self.values < self.own).mean() + 0.5 * (self.values == self.own).mean())

    @property
    def ahead(self) -> int:
        """How many of the values are above 0."""
        return int((self.values > 0).sum())

    @property
    def worst(self) -> float | None:
        """The lowest value."""
        return float(self.values.min()) if len(self.values) else None


@dataclass(frozen=True, eq=False)
class Luck:
    """The five meters of one variant.

    starts: begun at each month's first session. decision_days: looked at once a month only, so many sessions after the
    month's last (0 to 20; none in a market of months). delays: 1, 2, 3, 5 sessions from decision to trade. costs:
    commission and slippage together, in bps. neighbours: each number among the parameters moved a little.
    breakeven_bps: the cost at which variant and benchmark grow alike; None when it is behind without any, and 1,000
    when it is ahead even then.
    """

    starts: Fan
    decision_days: Fan
    delays: Fan
    costs: Fan
    neighbours: Fan
    breakeven_bps: float | None


@dataclass(frozen=True, eq=False)
class Yardstick:
    """The benchmark under each circumstance, worked out once for all variants."""

    inputs: StudyInputs
    plan: Plan

    @cached_property
    def starts(self) -> npt.NDArray[np.intp]:
        """Rows of each month's first session that leave enough history."""
        sessions = self.plan.sessions
        month = sessions.year * 12 + sessions.month
        first = np.flatnonzero(np.diff(month, prepend=-1))
        enough = min(FEWEST_YEARS_LEFT, years_between(sessions) / 2)
        return first[[years_between(sessions[row:]) >= enough for row in first.tolist()]]

    @cached_property
    def growth(self) -> float:
        """Over the whole period as configured."""
        return growth(self.plan)

    @cached_property
    def from_starts(self) -> Floats:
        """Begun at each starting month."""
        return np.array([growth(self.plan, begin=row) for row in self.starts.tolist()])

    @cached_property
    def at_delays(self) -> Floats:
        """Bought so many sessions later."""
        return np.array([growth(delayed(self.plan, self.inputs, delay)) for delay in DELAYS])

    @cached_property
    def looks(self) -> npt.NDArray[np.bool_]:
        """Months' last sessions, on all of the market's sessions."""
        return last_of_period(self.inputs.market, "monthly")

    def prepare(self) -> None:
        """Work everything out that is kept: threads would do it once each."""
        for name in ("starts", "growth", "from_starts", "at_delays", "looks"):
            getattr(self, name)


def luck_of(run: VariantRun, yardstick: Yardstick) -> Luck:
    """The meters of a vectorised variant."""
    own = growth(run.plan) - yardstick.growth
    sessions = run.plan.sessions
    return Luck(
        starts=Fan(
            tuple(f"{sessions[row]:%Y-%m-%d}" for row in yardstick.starts),
            np.array([growth(run.plan, begin=row) for row in yardstick.starts.tolist()]) - yardstick.from_starts,
            own,
        ),
        decision_days=_decision_days(run, yardstick, own),
        delays=_delays(run, yardstick, own),
        costs=_costs(run, yardstick, own),
        neighbours=_neighbours(run, yardstick, own),
        breakeven_bps=breakeven_bps(run.plan, yardstick),
    )


def _decision_days(run: VariantRun, yardstick: Yardstick, own: float) -> Fan:
    """The rule as it stands each session, looked at on one session of each month only; none where a row is a month."""
    market = yardstick.inputs.market
    offsets = range(0 if market.is_monthly else month_of(market))
    daily = _daily(run, market)
    plans = [with_decision(run, looked_at(daily, yardstick.looks, offset)) for offset in offsets]
    return _fan([str(offset) for offset in offsets], plans, yardstick, own)


def _daily(run: VariantRun, market: Market) -> Decision:
    """What the rule says each session: a weekly or monthly one (parameter `decide`) is asked daily."""
    params = run.config.strategy.params
    if getattr(params, "decide", "daily") == "daily":
        return run.decision
    asked = params.model_copy(update={"decide": "daily"})
    return check_decision(run.strategy.decide(market, run.legs, asked), market, run.legs)


def looked_at(decision: Decision, looks: npt.NDArray[np.bool_], offset: int) -> Decision:
    """The decision of someone who looks only `offset` sessions after each look, and holds on in between.

    looks: True on the sessions of offset 0; before the first look the signal is not known.
    """
    rows = np.flatnonzero(looks) + offset
    is_look = np.zeros(len(looks), dtype=np.bool_)
    is_look[rows[rows < len(looks)]] = True
    last = np.maximum.accumulate(np.where(is_look, np.arange(len(looks)), -1))
    return Decision(np.where((last >= 0)[:, None], decision.by_leg[last], np.nan))


def _delays(run: VariantRun, yardstick: Yardstick, own: float) -> Fan:
    inputs = yardstick.inputs
    plans = []
    for delay in DELAYS:
        execution = run.config.execution.model_copy(update={"delay_sessions": delay})
        plans.append(plan_of(run.config.model_copy(update={"execution": execution}), inputs.market, run.decision))
    values = np.array([growth(plan) for plan in plans]) - yardstick.at_delays
    return Fan(tuple(map(str, DELAYS)), values, own)


def delayed(plan: Plan, inputs: StudyInputs, delay_sessions: int) -> Plan:
    """A plan of constant weights with another delay."""
    weights = np.repeat(plan.targets[-1:], len(inputs.market.sessions), axis=0)
    terms = dataclasses.replace(plan.terms, delay_sessions=delay_sessions)
    return make_plan(inputs.market, plan.tickers, weights, plan.sessions[0], terms)


def _costs(run: VariantRun, yardstick: Yardstick, own: float) -> Fan:
    values = [cost_gap(run.plan, yardstick, bps) for bps in COSTS_BPS]
    return Fan(tuple(f"{bps:g}" for bps in COSTS_BPS), np.array(values), own)


def cost_gap(plan: Plan, yardstick: Yardstick, bps: float) -> float:
    """Growth a year minus the benchmark's when both pay `bps` on traded value."""
    return growth(plan, cost_rate=bps * BPS) - growth(yardstick.plan, cost_rate=bps * BPS)


def breakeven_bps(plan: Plan, yardstick: Yardstick) -> float | None:
    """The cost (bps) at which the plan grows like the benchmark, by bisection; None and 1,000 as `Luck` says."""
    low, high = 0.0, float(MAX_COST_BPS)
    if cost_gap(plan, yardstick, low) <= 0.0:
        return None
    if cost_gap(plan, yardstick, high) > 0.0:
        return high
    for _ in range(COST_STEPS):
        middle = (low + high) / 2
        if cost_gap(plan, yardstick, middle) > 0.0:
            low = middle
        else:
            high = middle
    return low


def _neighbours(run: VariantRun, yardstick: Yardstick, own: float) -> Fan:
    market = yardstick.inputs.market
    near = neighbours_of(run.config.strategy.params)
    plans = [
        with_decision(run, check_decision(run.strategy.decide(market, run.legs, params), market, run.legs))
        for _, params in near
    ]
    return _fan([label for label, _ in near], plans, yardstick, own)


def _fan(at: Sequence[str], plans: Sequence[Plan], yardstick: Yardstick, own: float) -> Fan:
    return Fan(tuple(at), np.array([growth(plan) for plan in plans]) - yardstick.growth, own)


FACTORS = (0.8, 0.9, 1.1, 1.25)
STEPS = (-2, -1, 1, 2)
ZERO_STEP = 0.01
"""What a fraction of zero is moved by: it has no 10% of its own."""

FEW = 10
"""Whole numbers up to here move by steps: a tenth of them is less than one."""


def neighbours_of(params: BaseModel) -> list[tuple[str, BaseModel]]:
    """(what was changed, the parameters) for each valid neighbour: `("lookback_sessions 101", ...)`.

    A number moves by the FACTORS, a small whole number and a zero by the STEPS; what the model refuses is left out.
    """
    near: list[tuple[str, BaseModel]] = []
    for name in type(params).model_fields:
        value = getattr(params, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for moved in _moved(value):
            changed = _valid(params, name, moved)
            if changed is not None:
                near.append((f"{name} {moved:g}", changed))
    return near


def _moved(value: float) -> list[float]:
    """Other values nearby, each once, ascending."""
    if isinstance(value, int):
        steps = zip(STEPS, FACTORS, strict=True)
        values: list[float] = [value + step if value <= FEW else round(value * factor) for step, factor in steps]
    elif value == 0.0:
        values = [step * ZERO_STEP for step in STEPS]
    else:
        values = [float(f"{value * factor:.12g}") for factor in FACTORS]
    return [moved for moved in sorted(set(values)) if moved != value]


def _valid(params: BaseModel, name: str, value: Any) -> BaseModel | None:
    try:
        return type(params).model_validate({**params.model_dump(), name: value})
    except ValidationError:
        return None
