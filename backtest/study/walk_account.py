"""The plan of an account that follows one variant after another: changing between them costs what its trades cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache

from backtest.account.plan import Plan, make_plan
from backtest.decision import target_weights
from backtest.market import Floats
from backtest.study.sweep import Sweep

Change = tuple[int, int]
"""Row of the test at whose close a variant is taken up, and its number."""


def follower(result: Sweep) -> Callable[[Sequence[Change]], Plan]:
    """Makes plans of a sweep's variants; each variant decides once, however many plans it is in."""
    first = result.first

    @cache
    def weights_of(number: int) -> Floats:
        template, params = result.study.grid_parts(number)
        setting = result.settings.of(template, params)
        decision, initial = setting.decide(params), template.strategy.initial
        return target_weights(decision, first.market, setting.legs, setting.legs.tickers, initial)

    def plan(changes: Sequence[Change]) -> Plan:
        """What the first variant decides, before its row too, then what each next one decides from its row on."""
        weights = weights_of(changes[0][1]).copy()
        for row, number in changes[1:]:
            weights[first.begin + row :] = weights_of(number)[first.begin + row :]
        made = make_plan(first.market, first.legs.tickers, weights, first.plan.sessions[0], first.plan.terms)
        return dataclasses.replace(first.plan, targets=made.targets)

    return plan
